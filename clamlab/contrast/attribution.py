"""Share out a change of the log-odds over the voxels that made it."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from clamlab.clam.network import evaluation_mode, log_probabilities, read_scans
from clamlab.clustering.checks import check_answers, check_whole


def integrated_gradients(
    model: Any,
    starts: NDArray,
    ends: NDArray,
    *,
    clusters: ArrayLike,
    rivals: ArrayLike | None,
    steps: int = 8,
    batch_size: int = 8,
) -> NDArray[np.float32]:
    """Share out, over the voxels, why a cluster's hold changes between two scans.

    Parameters
    ----------
    model : any module with ``encode`` and ``centroids``
    starts, ends : array, shape (n, *grid) or (n, channels, *grid)
        First and last image of each straight path, on the network's scale.
    clusters, rivals : int or array of int, shape (n,)
        What changes is log q_cluster - log q_rival; log q_cluster alone if rivals is None.
    steps : int
        Points of the path (midpoint rule).
    batch_size : int
        Images per pass.

    Returns
    -------
    array of float32, same shape as ``ends``
        Signed contributions: positive speaks for the cluster, negative for the rival. With
        enough steps they sum to the change; exactly zero where start and end
        agree.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> integrated_gradients(model, 0 * scans, scans, clusters=0, rivals=1).shape
    (3, 8, 8)
    """
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        check_whole(name, value)
    n = len(ends)
    clusters = np.broadcast_to(np.asarray(clusters), (n,))
    against = [None] * n if rivals is None else np.broadcast_to(np.asarray(rivals), (n,))
    with evaluation_mode(model):
        shares = []
        for i in range(n):
            start = read_scans(starts[i : i + 1], [i], model)[0]
            end = read_scans(ends[i : i + 1], [i], model)[0]
            slope = mean_gradient(model, start, end, clusters[i], against[i], steps, batch_size)
            shares.append(slope * (end - start))
            check_answers(shares[-1][None], [i], model)
    return torch.stack(shares).cpu().numpy().astype("float32")


def mean_gradient(
    model: Any,
    start: Tensor,
    end: Tensor,
    cluster: int,
    rival: int | None,
    steps: int,
    batch_size: int,
) -> Tensor:
    """Average the gradient along one straight path; times the step, it gives the shares."""
    fractions = (torch.arange(steps, dtype=end.dtype, device=end.device) + 0.5) / steps
    total = torch.zeros_like(end)
    for some in fractions.split(batch_size):
        with torch.enable_grad():
            weights = some.view(-1, *[1] * end.ndim)
            points = (start + weights * (end - start)).requires_grad_()
            log_q = log_probabilities(model, points)
            hold = log_q[:, cluster] if rival is None else log_q[:, cluster] - log_q[:, rival]
            total += torch.autograd.grad(hold.sum(), points)[0].sum(dim=0)
    return total / steps
