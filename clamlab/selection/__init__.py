"""How many clusters, and whether they would come back: judged on features before clustering."""

from clamlab.selection.choice import choose_n_clusters, recommended_n_clusters
from clamlab.selection.decision import cluster_name, decide, decided_n_clusters, decision_words
from clamlab.selection.directions import what_varies
from clamlab.selection.every_number import every_partition
from clamlab.selection.own_number import with_test
from clamlab.selection.partitions import resampled_partitions
from clamlab.selection.seen import best_sight
from clamlab.selection.stability import assignment_stability

__all__ = [
    "assignment_stability",
    "best_sight",
    "choose_n_clusters",
    "cluster_name",
    "decide",
    "decided_n_clusters",
    "decision_words",
    "every_partition",
    "recommended_n_clusters",
    "resampled_partitions",
    "what_varies",
    "with_test",
]
