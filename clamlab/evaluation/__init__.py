"""Measure clusters and maps: agreement, localization, faithfulness, controls, trust cards."""

from clamlab.evaluation.agreement import adjusted_rand, clustering_accuracy, match_clusters
from clamlab.evaluation.controls import (
    deviation_map,
    integrated_gradients_map,
    occlusion_map,
    untrained_copy,
    unweighted_map,
)
from clamlab.evaluation.correlations import (
    map_correlation,
    other_cluster_correlation,
    pair_correlation,
    weight_necessity,
)
from clamlab.evaluation.faithfulness import draw_donors, faithfulness
from clamlab.evaluation.localization import localization
from clamlab.evaluation.trust import trust_card
from clamlab.evaluation.verdicts import verdict

__all__ = [
    "adjusted_rand",
    "clustering_accuracy",
    "deviation_map",
    "draw_donors",
    "faithfulness",
    "integrated_gradients_map",
    "localization",
    "map_correlation",
    "match_clusters",
    "occlusion_map",
    "other_cluster_correlation",
    "pair_correlation",
    "trust_card",
    "untrained_copy",
    "unweighted_map",
    "verdict",
    "weight_necessity",
]
