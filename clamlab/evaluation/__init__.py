"""Measure clusters and maps: agreement, localization, faithfulness, controls, trust cards."""

from clamlab.evaluation.agreement import adjusted_rand, clustering_accuracy, match_clusters
from clamlab.evaluation.controls import (
    deviation_map,
    integrated_gradients_map,
    occlusion_map,
    unweighted_map,
)
from clamlab.evaluation.correlations import (
    map_correlation,
    weight_necessity,
)
from clamlab.evaluation.faithfulness import faithfulness
from clamlab.evaluation.localization import localization
from clamlab.evaluation.trust import trust_card

__all__ = [
    "adjusted_rand",
    "clustering_accuracy",
    "deviation_map",
    "faithfulness",
    "integrated_gradients_map",
    "localization",
    "map_correlation",
    "match_clusters",
    "occlusion_map",
    "trust_card",
    "unweighted_map",
    "weight_necessity",
]
