"""How many clusters, and whether they would come back: judged on features before clustering."""

from clamlab.selection.choice import choose_n_clusters, recommended_n_clusters
from clamlab.selection.decision import cluster_name, decide, decided_n_clusters
from clamlab.selection.null import one_cluster_null
from clamlab.selection.partitions import resampled_partitions
from clamlab.selection.stability import AssignmentStability, assignment_stability

__all__ = [
    "AssignmentStability",
    "assignment_stability",
    "choose_n_clusters",
    "cluster_name",
    "decide",
    "decided_n_clusters",
    "one_cluster_null",
    "recommended_n_clusters",
    "resampled_partitions",
]
