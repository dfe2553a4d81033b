"""Features of an encoder with clusters a known distance apart, drawn without any scan."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

N_FEATURES = 40
# What varies most has nothing to do with clusters, as the volume of the lungs; the spread inside
# the clusters is 1 along the two directions that tell them apart; the rest fades into noise.
OTHER_SD = 2.0
FADING = (0.8, 0.6, 0.45, 0.35)
NOISE_SD = 0.25


def cluster_features(
    shares: Sequence[float],
    *,
    apart_sd: float,
    n_scans: int,
    seed: int,
    other_sd: float = OTHER_SD,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw features with clusters so many standard deviations apart, to learn what a rule sees.

    Neighbouring centroids lie `apart_sd` apart: two on a line, three in a triangle, more on a
    polygon. Beside them a direction varies that has nothing to do with clusters.

    Parameters
    ----------
    shares : sequence of float
        Share of the scans in each cluster; their sum is 1. One share is a cohort without clusters.
    apart_sd : float
        Distance between neighbouring centroids in standard deviations within a cluster.
    n_scans : int
    seed : int
    other_sd : float
        Spread of the direction without clusters, in the same unit.

    Returns
    -------
    features : array, shape (n_scans, 40)
    labels : array of int, shape (n_scans,)
        From 0, in order.

    Raises
    ------
    ValueError
        If the shares do not add to 1.

    Examples
    --------
    >>> features, labels = cluster_features([0.8, 0.2], apart_sd=5, n_scans=50, seed=1000)
    >>> features.shape, np.bincount(labels).tolist()
    ((50, 40), [40, 10])
    """
    if not np.isclose(sum(shares), 1) or min(shares) <= 0:
        raise ValueError(f"expected shares above 0 whose sum is 1, found {list(shares)}")
    rng = np.random.default_rng(seed)
    x = one_cloud(n_scans, rng, other_sd=other_sd)
    ends = np.round(np.cumsum(shares) * n_scans)
    labels = np.searchsorted(ends, np.arange(n_scans), side="right")
    x[:, 1:3] += apart_sd * _corners(len(shares))[labels]
    return rotated(x, rng), labels


def one_cloud(
    n_scans: int, rng: np.random.Generator, *, other_sd: float = OTHER_SD
) -> NDArray[np.float64]:
    """Draw Gaussian features of an encoder's spectrum, a direction a column."""
    spread = np.r_[other_sd, 1, 1, FADING, np.full(N_FEATURES - 3 - len(FADING), NOISE_SD)]
    return rng.standard_normal((n_scans, N_FEATURES)) * spread


def rotated(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn the features at random: no column of an encoder is a direction."""
    return x @ np.linalg.qr(rng.standard_normal((N_FEATURES, N_FEATURES)))[0]


def _corners(n_clusters: int) -> NDArray[np.float64]:
    """Give points of which neighbours are 1 apart: a line of two, a polygon of more."""
    if n_clusters <= 2:
        return np.array([[-0.5, 0], [0.5, 0]])[:n_clusters]
    angle = 2 * np.pi * np.arange(n_clusters) / n_clusters
    return np.c_[np.cos(angle), np.sin(angle)] / (2 * np.sin(np.pi / n_clusters))
