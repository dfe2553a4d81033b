"""Other partitions that another sample of patients might have given."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from clamlab.clustering.checks import check_seed, check_whole, finite_features
from clamlab.selection.criteria import kmeans


def resampled_partitions(
    features: ArrayLike, clusters: ArrayLike, *, seed: int, n_bootstrap: int = 100
) -> NDArray[np.int64]:
    """Draw the clusters again from other samples of the scans, for results to be repeated on.

    k-means finds as many clusters in a bootstrap sample of the scans; every scan then goes to the
    nearest centroid, and the clusters found are named after those they share most scans with.

    Parameters
    ----------
    features : array, shape (n_scans, n_features)
        Before any clustering phase.
    clusters : array of int, shape (n_scans,)
        The partition that is reported, from 0.
    seed : int
    n_bootstrap : int

    Returns
    -------
    array of int, shape (n_bootstrap, n_scans)

    Raises
    ------
    ValueError
        If there is not one cluster from 0 on for each scan, or a feature is missing.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> x[20:, 0] += 9
    >>> found = resampled_partitions(x, np.repeat([1, 0], 20), seed=0, n_bootstrap=5)
    >>> found[:, 0].tolist(), found[:, -1].tolist()
    ([1, 1, 1, 1, 1], [0, 0, 0, 0, 0])
    """
    x, clusters = finite_features(features), np.asarray(clusters).astype(int)
    check_seed(seed)
    check_whole("n_bootstrap", n_bootstrap)
    if not len(x) or len(x) != len(clusters) or clusters.min() < 0:
        raise ValueError(
            f"expected one cluster for each of {len(x)} scans, from 0 on, found {len(clusters)} "
            f"with values {sorted(set(clusters.tolist()))}"
        )
    n_clusters = clusters.max() + 1
    rng = np.random.default_rng(seed)
    partitions = np.empty((n_bootstrap, len(x)), np.int64)
    with threadpool_limits(limits=1):
        for partition in partitions:
            drawn = rng.integers(len(x), size=len(x))
            again = kmeans(x[drawn], n_clusters, seed=seed, n_init=3).predict(x)
            partition[:] = renamed(again, clusters, n_clusters)
    return partitions


def renamed(labels: NDArray, like: NDArray, n_clusters: int) -> NDArray[np.int64]:
    """Name clusters after those that they share most scans with.

    >>> renamed(np.array([1, 1, 0]), np.array([0, 0, 1]), 2).tolist()
    [0, 0, 1]
    """
    shared = overlap(like, labels, n_clusters)
    rows, columns = linear_sum_assignment(-shared)
    return rows[np.argsort(columns)][labels]


def densest_first(labels: NDArray, density: ArrayLike, n_clusters: int) -> NDArray[np.int64]:
    """Give clusters numbers from the densest to the least dense, as everywhere.

    >>> densest_first(np.array([0, 0, 1]), [-800, -820, -600], 2).tolist()
    [1, 1, 0]
    """
    means = [np.asarray(density)[labels == k].mean() for k in range(n_clusters)]
    return np.argsort(np.argsort(-np.array(means), kind="stable"))[labels]


def overlap(one: NDArray, other: NDArray, n_clusters: int) -> NDArray:
    """Count the scans that each cluster of one partition shares with each of another.

    >>> overlap(np.array([0, 0, 1]), np.array([1, 1, 1]), 2).tolist()
    [[0.0, 2.0], [0.0, 1.0]]
    """
    table = np.zeros((n_clusters, n_clusters))
    np.add.at(table, (one, other), 1)
    return table
