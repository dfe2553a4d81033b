"""Average scans, one scan at a time."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def average_volume(volumes: NDArray) -> NDArray[np.float32]:
    """Average all scans, one at a time.

    Parameters
    ----------
    volumes : array, shape (n_scans, *grid)
        A memory map is read one scan at a time.

    Returns
    -------
    array of float32, shape (*grid)
        In the units of the scans.

    Examples
    --------
    >>> average_volume(np.array([[-900], [-700]]))
    array([-800.], dtype=float32)
    """
    return average_by_cluster(volumes, np.zeros(len(volumes), int))["Overall"]


def average_by_cluster(volumes: NDArray, clusters: ArrayLike) -> dict[str, NDArray[np.float32]]:
    """Average the scans of the whole cohort and of each cluster, one scan at a time.

    Parameters
    ----------
    volumes : array, shape (n_scans, *grid)
        A memory map is read one scan at a time.
    clusters : array of int, shape (n_scans,)
        From 0.

    Returns
    -------
    dict of str to array of float32, shape (*grid)
        "Overall", then "Cluster 1" and so on for every cluster that has scans.

    Examples
    --------
    >>> average_by_cluster(np.array([[-900], [-700], [-500]]), [0, 0, 1])["Cluster 1"]
    array([-800.], dtype=float32)
    """
    clusters = np.asarray(clusters)
    sums = {k: np.zeros(np.shape(volumes)[1:], "float64") for k in np.unique(clusters)}
    for volume, k in zip(volumes, clusters, strict=True):
        sums[k] += volume
    counts = {k: int(np.sum(clusters == k)) for k in sums}
    overall = np.sum(list(sums.values()), axis=0) / len(clusters)
    averages = {f"Cluster {k + 1}": sums[k] / counts[k] for k in sums}
    return {name: a.astype("float32") for name, a in {"Overall": overall, **averages}.items()}


def mean_inside(volumes: NDArray, mask: ArrayLike) -> NDArray[np.float64]:
    """Tell how dense each scan is inside the mask, one scan at a time.

    Parameters
    ----------
    volumes : array, shape (n_scans, *grid)
        HU; a memory map is read one scan at a time.
    mask : array of bool, shape (*grid)
        Lung.

    Returns
    -------
    array, shape (n_scans,)
        Mean HU.

    Raises
    ------
    ValueError
        If the mask is empty or has another shape than a scan.

    Examples
    --------
    >>> mean_inside(np.array([[-900, 40], [-700, 40]]), [True, False]).tolist()
    [-900.0, -700.0]
    """
    inside = np.asarray(mask, dtype=bool)
    if inside.shape != np.shape(volumes)[1:] or not inside.any():
        raise ValueError(
            f"expected a mask of shape {np.shape(volumes)[1:]} with voxels in it, found shape "
            f"{inside.shape} with {int(inside.sum())}"
        )
    return np.array([np.mean(volume[inside], dtype=float) for volume in volumes])
