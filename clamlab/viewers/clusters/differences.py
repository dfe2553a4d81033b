"""What a cluster's average is held against, and how much their difference is worth."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.slices.signed_map import SignedMap

OVERALL = "Overall"
REST = "the rest"


def less_words(other: str) -> str:
    """Name the difference to what a cluster is held against.

    Examples
    --------
    >>> less_words(REST), less_words("Cluster 2")
    ('HU less the rest', 'HU less Cluster 2')
    """
    names = {REST: "the rest", OVERALL: "all scans"}
    return f"HU less {names.get(other, other)}"


def told_against(other: str, *, is_itself: bool, unknown: Sequence[str]) -> str:
    """Say in HTML what a difference is of, and of which clusters there is none."""
    whom = {REST: "the average of all scans in other clusters, each counted alike"}
    whom[OVERALL] = "the average of all scans, those of the cluster among them"
    words = f"Difference in HU: the cluster less {escape(whom.get(other, other))}."
    if is_itself:
        itself = f"{escape(other)} cannot be held against itself"
        words += f" <b>{itself}: choose another cluster.</b>"
    if unknown:
        words += f" The rest is not known of {escape(', '.join(unknown))}: no difference."
    return words


def evidence_of(difference: NDArray, spread: NDArray) -> NDArray[np.float32]:
    """Tell how large a difference is beside the spread between scans: 1 from one SD on.

    A difference where no two scans differ is beyond doubt (1); none is none (0).

    Examples
    --------
    >>> evidence_of(np.array([-30.0, 90, 5, 0]), np.array([60.0, 60, 0, 0]))
    array([0.5, 1. , 1. , 0. ], dtype=float32)
    """
    size = np.abs(np.asarray(difference, np.float32))
    shares = (size > 0).astype(np.float32)
    np.divide(size, spread, out=shares, where=np.asarray(spread) > 0)
    return np.minimum(shares, 1)


def common_limit(differences: Iterable[NDArray]) -> float:
    """Find one limit for several differences, so that a colour means the same in all of them.

    Examples
    --------
    >>> common_limit([np.array([-187.0, 0]), np.array([20.0, np.nan])])
    200.0
    """
    limits = [SignedMap(values).limit for values in differences]
    return max(float(limit) for limit in limits if limit is not None)


def checked_averages(
    averages: Mapping[str, ArrayLike], mask: ArrayLike | None
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_], list[str]]:
    """Return averages as arrays, the lung, and who has none; or say which of them does not fit.

    The average of no scan is NaN.
    """
    given = {name: np.asarray(values, np.float32) for name, values in averages.items()}
    arrays = {name: values for name, values in given.items() if np.isfinite(values).all()}
    clusters = [name for name in arrays if name != OVERALL]
    if not clusters:
        raise ValueError(f"expected the average of at least one cluster, found {list(given)}")
    grid = arrays[clusters[0]].shape
    lung = np.ones(grid, bool) if mask is None else np.asarray(mask, dtype=bool)
    shapes = {name: values.shape for name, values in arrays.items()} | {"the mask": lung.shape}
    odd = {name: shape for name, shape in shapes.items() if shape != grid}
    if odd:
        raise ValueError(f"{clusters[0]} has the shape {grid}, but others {odd}")
    return arrays, lung, [name for name in given if name not in arrays]


def same_grid(
    what: str, values: Mapping[str, ArrayLike], mask: NDArray
) -> dict[str, NDArray[np.float32]]:
    """Return what is given as arrays, or say which of them does not lie on the averages' grid."""
    arrays = {name: np.asarray(array, np.float32) for name, array in values.items()}
    for name, array in arrays.items():
        if array.shape != mask.shape:
            raise ValueError(f"{what} of {name} has shape {array.shape}, averages {mask.shape}")
    return arrays


def computed_maps(
    maps: Mapping[str, ArrayLike], names: list[str], mask: NDArray
) -> dict[str, NDArray[np.float32]]:
    """Keep the maps that were computed; the average of no map is NaN.

    Examples
    --------
    >>> list(computed_maps({"A": [0.5], "B": [np.nan]}, ["A", "B", "C"], np.ones(1, bool)))
    ['A']
    """
    arrays = same_grid("the map", {n: maps[n] for n in names if n in maps}, mask)
    inside = {name: np.where(mask, values, 0) for name, values in arrays.items()}
    return {name: values for name, values in inside.items() if not np.isnan(values).any()}


def known_spread(spread: ArrayLike | None, mask: NDArray) -> NDArray[np.float32] | None:
    """Return the spread between scans, or nothing where it is not known all over the lung."""
    if spread is None:
        return None
    (values,) = same_grid("the spread", {"HU": spread}, mask).values()
    return values if np.isfinite(values[mask]).all() else None


def change_since(start: NDArray, now: NDArray, end: NDArray, *, mask: NDArray) -> SignedMap:
    """Subtract the start, in the lung; the whole change sets the limit: one colour, one amount.

    Examples
    --------
    >>> change = change_since(np.zeros(2), np.full(2, 50), np.full(2, 100), mask=np.ones(2, bool))
    >>> change.limit, change.values
    (100.0, array([50., 50.], dtype=float32))
    """
    so_far, whole = (
        np.where(mask, np.subtract(picture, start, dtype=np.float32), np.float32("nan"))
        for picture in (now, end)
    )
    return SignedMap(so_far, limit=SignedMap(whole).limit)
