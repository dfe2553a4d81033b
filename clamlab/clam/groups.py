"""How a cluster's maps vary: spread, prevalence, and what sets them apart from all others."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.clam.maps import check_computed

ROUNDING = 1e-6

Named = dict[str, NDArray[np.float32]]


def describe_maps(
    maps: Iterable[NDArray], clusters: ArrayLike, *, threshold: float = 0.5
) -> dict[str, Named]:
    """See what an average hides: how far scans agree, and what sets a cluster apart.

    An average of .5 may be half the scans at 1 or all of them at .5; prevalence and spread tell.

    Parameters
    ----------
    maps : iterable of array, shape (*grid)
        Each scan's map for its own cluster at full size (:func:`upsampled`), read one at a time.
    clusters : array of int, shape (n_scans,)
        Each scan's cluster, from 0.
    threshold : float
        A scan is marked where its map is above.

    Returns
    -------
    dict of str to dict of str to array of float32, shape (*grid)
        By kind, then "Overall" and "Cluster 1" and so on for every cluster with scans:

        - "mean";
        - "sd", between scans (NaN for a single one);
        - "prevalence", share of scans above the threshold;
        - "effect_size", the cluster's mean minus that of all other scans, in their pooled SD
          (not overall; 0 where all are alike, NaN where no scan differs within the groups but
          these do, and for clusters of one scan, or of all scans but one at most).

    Raises
    ------
    ValueError
        If there is not one cluster for each map, or a map was not computed.

    Notes
    -----
    Descriptive: the maps come from the network that made the clusters, so no test is legitimate.

    Examples
    --------
    >>> told = describe_maps(np.array([[0.2, 1.0], [0.6, 1.0], [0.0, 0.0]]), [0, 0, 1])
    >>> told["prevalence"]["Cluster 1"], told["mean"]["Overall"].round(2)
    (array([0.5, 1. ], dtype=float32), array([0.27, 0.67], dtype=float32))
    """
    clusters = np.asarray(clusters)
    sums: dict[int, NDArray] = {}
    n_maps = 0
    for shown in maps:
        if n_maps < len(clusters):
            one = np.asarray(shown, "float64")
            check_computed(one[None], f"map {n_maps + 1}")
            added = np.stack([one, one**2, one > threshold])
            k = int(clusters[n_maps])
            sums[k] = sums[k] + added if k in sums else added
        n_maps += 1
    if n_maps != len(clusters):
        raise ValueError(f"expected one cluster for each of {n_maps} maps, found {len(clusters)}")
    sizes = {k: int((clusters == k).sum()) for k in sorted(sums)}
    total, n = np.sum(list(sums.values()), axis=0), len(clusters)
    named = {"Overall": (total, n)} | {f"Cluster {k + 1}": (sums[k], sizes[k]) for k in sizes}
    told: dict[str, Named] = {kind: {} for kind in ("mean", "sd", "prevalence")}
    for name, (added, size) in named.items():
        told["mean"][name] = _float(added[0] / size)
        told["sd"][name] = _float(_spread(added, size))
        told["prevalence"][name] = _float(added[2] / size)
    told["effect_size"] = {
        f"Cluster {k + 1}": _float(_effect_size(sums[k], sizes[k], total - sums[k], n - sizes[k]))
        for k in sizes
    }
    return told


def _within(added: NDArray, size: int) -> NDArray:
    """Sum of squares about the mean; rounding must not make it negative."""
    return np.maximum(added[1] - added[0] ** 2 / size, 0)


def _spread(added: NDArray, size: int) -> NDArray:
    if size < 2:  # of one scan nobody knows how far others would agree
        return np.full(added.shape[1:], np.nan)
    return np.sqrt(_within(added, size) / (size - 1))


def _effect_size(own: NDArray, n_own: int, other: NDArray, n_other: int) -> NDArray:
    if min(n_own, n_other) < 2:
        return np.full(own.shape[1:], np.nan)
    pooled = np.sqrt((_within(own, n_own) + _within(other, n_other)) / (n_own + n_other - 2))
    apart = own[0] / n_own - other[0] / n_other
    # What varies by rounding alone does not vary: there is no effect, or none that has a size.
    alike = np.where(np.abs(apart) > ROUNDING, np.nan, 0.0)
    return np.divide(apart, pooled, out=alike, where=pooled > ROUNDING)


def _float(values: NDArray) -> NDArray[np.float32]:
    return values.astype("float32")
