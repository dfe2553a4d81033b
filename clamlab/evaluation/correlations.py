"""How much two maps say the same, inside the lung only."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.clam import upsample


def map_correlation(maps: ArrayLike, others: ArrayLike, *, mask: ArrayLike) -> NDArray:
    """Tell how alike two maps of the same scan are, scan by scan.

    Parameters
    ----------
    maps, others : array, shape (n_scans, *grid) or (n_scans, *layer_grid)
        Maps on the mask's grid, or on a coarser one, from which they are upsampled.
    mask : array of bool, shape (*grid)
        The lung; only its voxels count.

    Returns
    -------
    array of float, shape (n_scans,)
        Pearson correlation, -1 to 1; NaN where a map is the same everywhere.

    Examples
    --------
    >>> maps = np.arange(8.0).reshape(1, 2, 4)
    >>> map_correlation(maps, 3 - 2 * maps, mask=np.ones((2, 4), bool)).round(6)
    array([-1.])
    """
    mask = np.asarray(mask).astype(bool)
    first, second = _inside(maps, mask), _inside(others, mask)
    first = first - first.mean(axis=1, keepdims=True)
    second = second - second.mean(axis=1, keepdims=True)
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    shared = (first * second).sum(axis=1)
    return np.divide(shared, size, out=np.full(len(size), np.nan), where=size > 0)


def weight_necessity(maps: ArrayLike, unweighted: ArrayLike, *, mask: ArrayLike) -> NDArray:
    """Tell how much of a cluster activation map is owed to its weights.

    Parameters
    ----------
    maps : array, shape (n_scans, *grid)
        Each scan's map for its own cluster, as it is shown (``clam.own_importance``).
    unweighted : array, shape (n_scans, *grid)
        The plain sum of the activations, as it is shown.
    mask : array of bool, shape (*grid)
        The lung.

    Returns
    -------
    array of float, shape (n_scans,)
        1 - correlation: 0 where the weights change nothing but the scale.

    Examples
    --------
    >>> maps = np.arange(8.0).reshape(1, 2, 4)
    >>> weight_necessity(maps, 5 * maps, mask=np.ones((2, 4), bool)).round(6) + 0
    array([0.])
    """
    return 1 - map_correlation(maps, unweighted, mask=mask)


def other_cluster_correlation(maps: ArrayLike, clusters: ArrayLike, *, mask: ArrayLike) -> NDArray:
    """Tell how alike a scan's map for its own cluster is to its maps for the others.

    Parameters
    ----------
    maps : array, shape (n_scans, n_clusters, *grid)
        Maps for every cluster, as they are shown.
    clusters : array of int, shape (n_scans,)
        Each scan's own cluster, from 0.
    mask : array of bool, shape (*grid)
        The lung.

    Returns
    -------
    array of float, shape (n_scans,)
        Mean correlation over the other clusters. Near 1, the map does not depend on the cluster
        that it is said to explain. NaN with one cluster, or where no other map shows anything.

    Examples
    --------
    >>> maps = np.stack([np.arange(8.0).reshape(2, 4), np.arange(8.0)[::-1].reshape(2, 4)])
    >>> other_cluster_correlation(maps[None], [0], mask=np.ones((2, 4), bool)).round(6)
    array([-1.])
    """
    maps, own = np.asarray(maps), np.asarray(clusters)
    rows = np.arange(len(maps))
    alike = np.stack(
        [map_correlation(maps[rows, own], maps[:, k], mask=mask) for k in range(maps.shape[1])],
        axis=1,
    )
    alike[rows, own] = np.nan
    known = ~np.isnan(alike)
    total, count = np.where(known, alike, 0).sum(axis=1), known.sum(axis=1)
    return np.divide(total, count, out=np.full(len(maps), np.nan), where=count > 0)


def pair_correlation(pairs: ArrayLike, clusters: ArrayLike, *, mask: ArrayLike) -> NDArray:
    """Tell how alike a scan's pair maps are, to see whether the rival matters.

    Parameters
    ----------
    pairs : array, shape (n_scans, n_clusters, *grid)
        Why the scan is in its own cluster and not in cluster k (``contrast_map``); the entry of
        its own cluster is passed over.
    clusters : array of int, shape (n_scans,)
        Each scan's own cluster, from 0.
    mask : array of bool, shape (*grid)
        The lung.

    Returns
    -------
    array of float, shape (n_scans,)
        Mean correlation over pairs of rivals; NaN with fewer than two rivals that show anything.

    Examples
    --------
    >>> away, up = np.zeros((2, 4)), np.arange(8.0).reshape(2, 4)
    >>> pair_correlation([[away, up, -up]], [0], mask=np.ones((2, 4), bool)).round(6)
    array([-1.])
    """
    shown, mask = np.asarray(pairs), np.asarray(mask).astype(bool)
    means = np.full(len(shown), np.nan)
    for i, (maps, own) in enumerate(zip(shown, np.asarray(clusters), strict=True)):
        rivals = np.delete(maps, own, axis=0)[:, mask]
        speaking = rivals[np.ptp(rivals, axis=1) > 0]
        if len(speaking) > 1:
            means[i] = np.corrcoef(speaking)[np.triu_indices(len(speaking), 1)].mean()
    return means


def _inside(maps: ArrayLike, mask: NDArray[np.bool_]) -> NDArray:
    maps = np.asarray(maps)
    if maps.shape[1:] != mask.shape:
        maps = upsample(maps, mask.shape)
    return maps[:, mask].astype("float64")
