"""Cluster activation maps: which regions of each scan drive its cluster assignment."""

from clamlab.clam.averages import average_by_cluster, cluster_average, population_average
from clamlab.clam.confidence import channel_confidence
from clamlab.clam.groups import describe_maps
from clamlab.clam.maps import (
    cluster_activation_map,
    importance,
    is_empty,
    own_importance,
    upsample,
    upsampled,
)
from clamlab.clam.network import evaluation_mode
from clamlab.clam.planning import clam_forecast, confidence_shape
from clamlab.clam.steps import ClamSteps, clam_steps

__all__ = [
    "ClamSteps",
    "average_by_cluster",
    "channel_confidence",
    "clam_forecast",
    "clam_steps",
    "cluster_activation_map",
    "cluster_average",
    "confidence_shape",
    "describe_maps",
    "evaluation_mode",
    "importance",
    "is_empty",
    "own_importance",
    "population_average",
    "upsample",
    "upsampled",
]
