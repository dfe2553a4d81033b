"""Maps as numbers: how much, where in the lung, and with which outcome they go."""

from clamlab.stats.maps.densities import average_of_rest, spread_within_clusters
from clamlab.stats.maps.measures import map_measures, measures_by_cluster
from clamlab.stats.maps.outcome_maps import OutcomeMap, outcome_map
from clamlab.stats.maps.voxelwise import voxelwise_association
from clamlab.stats.maps.zones import outside_shares, zone_shares

__all__ = [
    "OutcomeMap",
    "average_of_rest",
    "map_measures",
    "measures_by_cluster",
    "outcome_map",
    "outside_shares",
    "spread_within_clusters",
    "voxelwise_association",
    "zone_shares",
]
