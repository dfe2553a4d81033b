"""Soft assignment, its sharpened target, and the loss between the two (paper, eq. 4, 6 and 7)."""

import torch
from torch import Tensor


def log_soft_assignment(features: Tensor, centroids: Tensor) -> Tensor:
    """Tell the log-probability of each cluster for each scan, safe where the probability vanishes.

    Parameters
    ----------
    features : Tensor, shape (n_scans, n_features)
    centroids : Tensor, shape (n_clusters, n_features)

    Returns
    -------
    Tensor, shape (n_scans, n_clusters)
        Logarithm of eq. 4; every row's exponentials sum to 1.

    Examples
    --------
    >>> log_soft_assignment(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [1.0, 0.0]])).exp()
    tensor([[0.6667, 0.3333]])
    """
    # Differences, not the expanded square: the latter cancels when a scan sits on its centroid.
    squared_distance = (features[:, None, :] - centroids[None, :, :]).square().sum(dim=2)
    return torch.log_softmax(-torch.log1p(squared_distance), dim=1)


def soft_assignment(features: Tensor, centroids: Tensor) -> Tensor:
    """Tell how probably each scan belongs to each cluster (Student's t, one degree of freedom).

    Parameters
    ----------
    features : Tensor, shape (n_scans, n_features)
        Latent features of the scans.
    centroids : Tensor, shape (n_clusters, n_features)
        Cluster centres in the same space.

    Returns
    -------
    Tensor, shape (n_scans, n_clusters)
        Probabilities in (0, 1]; every row sums to 1.

    References
    ----------
    Ryan et al., Cluster Activation Mapping with Applications to Medical Imaging, eq. 4.

    Examples
    --------
    >>> soft_assignment(torch.tensor([[3.0]]), torch.tensor([[3.0], [5.0]]))
    tensor([[0.8333, 0.1667]])
    """
    return log_soft_assignment(features, centroids).exp()


def target_distribution(assignments: Tensor) -> Tensor:
    """Sharpen the cohort's soft assignments into the target that training moves towards.

    Parameters
    ----------
    assignments : Tensor, shape (n_scans, n_clusters)
        Soft assignments of the WHOLE cohort: the column sums that keep a large cluster from
        swallowing the others have no meaning over a batch.

    Returns
    -------
    Tensor, shape (n_scans, n_clusters)
        Rows sum to 1. It carries no gradient. A cluster that nobody belongs to stays at 0.

    References
    ----------
    Ryan et al., eq. 7.

    Examples
    --------
    >>> target_distribution(torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
    tensor([[0.9000, 0.1000],
            [0.1000, 0.9000]])
    """
    assignments = assignments.detach()
    size = assignments.sum(dim=0).clamp_min(torch.finfo(assignments.dtype).tiny)
    weight = assignments.square() / size
    return weight / weight.sum(dim=1, keepdim=True)


def clustering_loss(target: Tensor, log_assignments: Tensor) -> Tensor:
    """Measure how far each scan's assignment is from its target.

    Parameters
    ----------
    target : Tensor, shape (n_scans, n_clusters)
        Target probabilities P; a zero adds nothing.
    log_assignments : Tensor, shape (n_scans, n_clusters)
        log Q, from :func:`log_soft_assignment`.

    Returns
    -------
    Tensor, shape (n_scans,)
        KL(P || Q) of each scan in nats, 0 or more. The reduction over scans is the caller's.

    References
    ----------
    Ryan et al., eq. 6.

    Examples
    --------
    >>> p, q = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 0.5]])
    >>> clustering_loss(p, q.log())
    tensor([0.6931])
    """
    return (torch.xlogy(target, target) - target * log_assignments).sum(dim=1)
