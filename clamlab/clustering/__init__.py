"""The mathematics of assignment: from features to clusters, without any network."""

from clamlab.clustering.assignment import (
    clustering_loss,
    log_soft_assignment,
    soft_assignment,
    target_distribution,
)

__all__ = [
    "clustering_loss",
    "log_soft_assignment",
    "soft_assignment",
    "target_distribution",
]
