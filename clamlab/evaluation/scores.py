"""How firmly a scan belongs to its cluster, on three scales."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from clamlab.clam.network import evaluation_mode

SCALES = ("q", "logit", "margin")


def squared_distances(model: Any, images: NDArray, *, batch_size: int = 8) -> NDArray:
    """Return each image's squared latent distance to every centroid (n, K), in float64."""
    parts = []
    with evaluation_mode(model):
        centroids = model.centroids
        for start in range(0, len(images), batch_size):
            batch = np.array(images[start : start + batch_size])
            scans = torch.as_tensor(batch, dtype=centroids.dtype).to(centroids.device)
            apart = model.encode(scans)[:, None] - centroids
            parts.append(apart.double().square().sum(dim=2).cpu().numpy())
    return np.concatenate(parts)


def log_odds(distances: NDArray, cluster: int, rival: int) -> NDArray:
    """Return log q_cluster - log q_rival from squared distances (n, K)."""
    return np.log1p(distances[:, rival]) - np.log1p(distances[:, cluster])


def runner_up(distances: NDArray, clusters: NDArray) -> NDArray:
    """Return the nearest cluster besides each image's own."""
    others = distances.copy()
    others[np.arange(len(others)), clusters] = np.inf
    return others.argmin(axis=1)


def scores(distances: NDArray, cluster: int, rival: int | None = None) -> dict[str, NDArray]:
    """Measure the hold of a cluster against all others, or against one rival.

    Returns
    -------
    dict of array, shape (n,)
        ``q``, the probability; ``logit``, its log-odds; ``margin``, how much nearer the centroid
        is than the next (squared latent distance), the one scale that never saturates.
    """
    others = [k for k in range(distances.shape[1]) if k != cluster] if rival is None else [rival]
    log_q = log_softmax(-np.log1p(distances[:, [cluster, *others]]), axis=1)
    return {
        "q": np.exp(log_q[:, 0]),
        # From the others' sum, not 1 - q, which is lost to rounding near 1.
        "logit": log_q[:, 0] - logsumexp(log_q[:, 1:], axis=1),
        "margin": distances[:, others].min(axis=1) - distances[:, cluster],
    }
