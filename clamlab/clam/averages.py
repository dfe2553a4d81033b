"""Maps of many scans together: averages by cluster and over the cohort (eq. 10 and 11)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.clam.maps import own_importance, upsample


def cluster_average(maps: ArrayLike, clusters: ArrayLike) -> NDArray[np.float32]:
    """Average, for each cluster, the importance that its scans have for their own cluster.

    Parameters
    ----------
    maps : array, shape (n_scans, n_clusters, *layer_grid)
        Unscaled sums; each scan's map is scaled to [0, 1] before averaging.
    clusters : array of int, shape (n_scans,)
        Each scan's cluster, from 0.

    Returns
    -------
    array of float32, shape (n_clusters, *layer_grid)
        Mean importance in [0, 1]; NaN for a cluster without scans.

    Notes
    -----
    Eq. 10 prints a sum; the paper's text and figures mean averages. The average has a meaning
    only where the scans are registered to one template.

    Examples
    --------
    >>> cluster_average([[[0.0, 4.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]], [0, 1])
    array([[0., 1.],
           [0., 1.]], dtype=float32)
    """
    own = own_importance(maps, clusters)
    n_clusters, clusters = np.shape(maps)[1], np.asarray(clusters)
    averages = np.full((n_clusters, *own.shape[1:]), np.nan, "float32")
    for k in np.unique(clusters):
        averages[k] = own[clusters == k].mean(axis=0)
    return averages


def population_average(
    maps: ArrayLike, clusters: ArrayLike, *, weighting: str = "scans"
) -> NDArray[np.float32]:
    """Average the importance over the whole cohort.

    Parameters
    ----------
    maps, clusters
        As for :func:`cluster_average`.
    weighting : {"scans", "clusters"}
        Mean over all scans, or mean of the clusters' means (the 1/K of eq. 11).

    Returns
    -------
    array of float32, shape (*layer_grid)

    Examples
    --------
    >>> population_average([[[0.0, 4.0], [1.0, 0.0]], [[2.0, 0.0], [3.0, 0.0]]], [0, 1])
    array([0.5, 0.5], dtype=float32)
    """
    if weighting == "scans":
        return own_importance(maps, clusters).mean(axis=0)
    if weighting == "clusters":
        averages = cluster_average(maps, clusters)
        return averages[np.unique(clusters)].mean(axis=0)
    raise ValueError(f"weighting must be 'scans' or 'clusters', found {weighting!r}")


def average_by_cluster(
    maps: ArrayLike, clusters: ArrayLike, *, shape: Sequence[int]
) -> dict[str, NDArray[np.float32]]:
    """Average the importance at the scans' full size, overall and for each cluster with scans.

    Parameters
    ----------
    maps, clusters
        As for :func:`cluster_average`.
    shape : sequence of int
        The scan's grid.

    Returns
    -------
    dict of str to array of float32, shape (*shape)
        "Overall" (mean over scans), then "Cluster 1" and so on.

    Examples
    --------
    >>> maps = [[[0.0, 4.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]]
    >>> average_by_cluster(maps, [0, 0], shape=(4,))["Cluster 1"]
    array([0.5, 0.5, 0.5, 0.5], dtype=float32)
    """
    averages = cluster_average(maps, clusters)
    named = {f"Cluster {k + 1}": averages[k] for k in np.unique(clusters)}
    named = {"Overall": population_average(maps, clusters), **named}
    return {name: upsample(average, shape) for name, average in named.items()}
