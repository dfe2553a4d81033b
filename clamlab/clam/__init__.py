"""Cluster activation maps: which regions of each scan drive its cluster assignment."""

from clamlab.clam.averages import average_by_cluster, cluster_average, population_average
from clamlab.clam.confidence import channel_confidence
from clamlab.clam.groups import describe_maps
from clamlab.clam.maps import (
    cluster_activation_map,
    importance,
    own_importance,
    upsample,
    upsampled,
)
from clamlab.clam.planning import clam_forecast
from clamlab.clam.steps import clam_steps

__all__ = [
    "average_by_cluster",
    "channel_confidence",
    "clam_forecast",
    "clam_steps",
    "cluster_activation_map",
    "cluster_average",
    "describe_maps",
    "importance",
    "own_importance",
    "population_average",
    "upsample",
    "upsampled",
]
