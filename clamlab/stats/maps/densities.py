"""How clusters differ in density: the rest of each, and the measure for a difference."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray


def average_of_rest(
    averages: Mapping[str, ArrayLike], clusters: ArrayLike
) -> dict[str, NDArray[np.float32]]:
    """Average, for each cluster, the scans of the cohort that are not in it.

    Every such scan counts alike, so a large cluster weighs more than a small one: the rest is
    neither the mean of the other clusters' averages nor the overall average, which holds the
    cluster itself.

    Parameters
    ----------
    averages : dict of str to array, shape (*grid)
        From ``volumes.average_by_cluster``, of the same scans.
    clusters : array of int, shape (n_scans,)
        From 0; the sizes of the clusters are counted here.

    Returns
    -------
    dict of str to array of float32, shape (*grid)
        "Cluster 1" and so on: the average of all scans in other clusters. Empty where all scans
        are in one cluster, which has no rest.

    Raises
    ------
    ValueError
        If a cluster has scans and no average or the reverse, or averages and sizes do not make up
        the overall average: they are of other scans.

    Examples
    --------
    >>> averages = {"Cluster 1": [-800.0], "Cluster 2": [-500.0], "Cluster 3": [-480.0]}
    >>> average_of_rest(averages, [0, 0, 0, 1, 2])["Cluster 3"]
    array([-725.], dtype=float32)
    """
    numbers, counts = np.unique(np.asarray(clusters), return_counts=True)
    sizes = {f"Cluster {k + 1}": int(n) for k, n in zip(numbers, counts, strict=True)}
    found = [name for name in averages if name != "Overall"]
    if set(found) != set(sizes):
        raise ValueError(f"expected averages of {list(sizes)}, which have scans, found {found}")
    sums = {name: sizes[name] * np.asarray(averages[name], "float64") for name in sizes}
    total, n = sum(sums.values()), len(np.asarray(clusters))
    if "Overall" in averages and not np.allclose(total / n, averages["Overall"], atol=0.5):
        raise ValueError(
            f"the averages, weighted with the sizes {sizes}, do not make up the overall average: "
            "they come from other scans than the clusters; average again"
        )
    rests = {k: (total - sums[k]) / (n - sizes[k]) for k in sizes if sizes[k] < n}
    return {name: rest.astype("float32") for name, rest in rests.items()}


def spread_within_clusters(
    volumes: NDArray, averages: Mapping[str, ArrayLike], clusters: ArrayLike
) -> NDArray[np.float32]:
    """Tell how much scans of one cluster differ at each voxel: the measure for a difference.

    Parameters
    ----------
    volumes : array, shape (n_scans, *grid)
        A memory map is read one scan at a time.
    averages : dict of str to array, shape (*grid)
        From ``volumes.average_by_cluster``, of the same scans.
    clusters : array of int, shape (n_scans,)
        From 0.

    Returns
    -------
    array of float32, shape (*grid)
        Standard deviation between scans of the same cluster, pooled over clusters, in the units
        of the scans; NaN everywhere if no cluster has two scans.

    Examples
    --------
    >>> scans = np.array([[-900], [-700], [-500], [-480]])
    >>> averages = {"Cluster 1": [-800.0], "Cluster 2": [-490.0]}
    >>> spread_within_clusters(scans, averages, [0, 0, 1, 1]).round(1)
    array([100.5], dtype=float32)
    """
    clusters = np.asarray(clusters)
    squares = np.zeros(np.shape(volumes)[1:], "float64")
    for volume, k in zip(volumes, clusters, strict=True):
        squares += np.square(np.asarray(volume, "float64") - averages[f"Cluster {k + 1}"])
    freedom = len(clusters) - len(np.unique(clusters))
    if not freedom:
        return np.full(squares.shape, np.nan, "float32")
    return np.sqrt(squares / freedom).astype("float32")
