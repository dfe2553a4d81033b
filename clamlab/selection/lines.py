"""A cohort cut in two in each of its leading views, and laid out on the line between the halves.

Every function takes many cohorts at once, as scores of shape (cohorts, scans, components), the
largest component first.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clamlab.selection.humps import evidence

Array = NDArray[np.float64]

# Leading components together, and the second alone: what varies most, such as the volume of the
# lungs, may have nothing to do with clusters.
VIEWS = ((0,), (0, 1), (0, 1, 2), (1,))
SCANS_PER_COMPONENT = 8
SMALLEST_CLUSTER, SMALLEST_SHARE = 3, 0.1
RESTARTS = 4
ROUNDS = 12
# Components in which a bent band may show its bend, and what chance gives a parabola.
BENDS_IN = 3
BEND_OFFSET = 1.5


def views_of(n_scans: int, n_components: int) -> list[tuple[int, ...]]:
    """Give the views that so many scans can fill.

    Examples
    --------
    >>> views_of(20, 40)
    [(0,), (0, 1), (1,)]
    """
    return [
        view
        for view in VIEWS
        if len(view) <= max(1, n_scans // SCANS_PER_COMPONENT) and max(view) < n_components
    ]


def smallest_cluster(n_scans: int) -> int:
    """Give the fewest scans that are called a cluster: three, and a tenth."""
    return max(SMALLEST_CLUSTER, int(np.ceil(SMALLEST_SHARE * n_scans)))


def best_evidence(scores: Array, *, seed: int) -> Array:
    """Give the evidence for two clusters in the view that shows most, for each cohort.

    Parameters
    ----------
    scores : array, shape (cohorts, scans, components)
    seed : int

    Returns
    -------
    array, shape (cohorts,)
        Minus infinity where every cut splits off a handful of scans.
    """
    shown = [evidence_of_cut(scores, *cut) for cut in all_cuts(scores, seed=seed)]
    return np.max(shown, axis=0)


def all_cuts(scores: Array, *, seed: int) -> Iterator[tuple[tuple[int, ...], NDArray[np.bool_]]]:
    """Cut every cohort in two in each of its views: the view, and who lies above."""
    for view in views_of(*scores.shape[1:]):
        for upper in cuts(scores[:, :, view], seed=seed):
            yield view, upper


def evidence_of_cut(scores: Array, view: tuple[int, ...], upper: NDArray[np.bool_]) -> Array:
    """Weigh one cut of each cohort: the evidence along its line, less that for a bend."""
    least = smallest_cluster(scores.shape[1])
    n_upper = upper.sum(-1)
    large_enough = np.minimum(n_upper, scores.shape[1] - n_upper) >= least
    found = np.full(len(scores), -np.inf)
    if large_enough.any():
        found[large_enough] = unbent_evidence(scores[large_enough], view, upper[large_enough])
    return found


def unbent_evidence(scores: Array, view: tuple[int, ...], upper: NDArray[np.bool_]) -> Array:
    """Give the evidence along the line between two groups, less that for a bend."""
    along = along_line(scores[:, :, view], upper)
    return evidence(along, upper) - bend(scores, along)


def few_apart(scores: Array, critical: float, *, seed: int) -> NDArray[np.bool_]:
    """Tell which scans of one cohort lie apart, too few to be called a cluster.

    Parameters
    ----------
    scores : array, shape (scans, components)
    critical : float
        Evidence from which clusters are seen.
    seed : int

    Returns
    -------
    array of bool, shape (scans,)
    """
    n = len(scores)
    for view, upper in all_cuts(scores[None], seed=seed):
        few = upper if upper.sum() * 2 < n else ~upper
        # Almost every cut is large enough: then nothing has to be weighed.
        if few.sum() < smallest_cluster(n) and (
            unbent_evidence(scores[None], view, upper)[0] >= critical
        ):
            return few[0]
    return np.zeros(n, bool)


def along_line(seen: Array, upper: NDArray[np.bool_]) -> Array:
    """Lay scans out along the line between the centroids of two groups, the upper ones above."""
    direction = _centroids(seen, upper) - _centroids(seen, ~upper)
    return np.einsum("cnd,cd->cn", seen, direction)


def bend(scores: Array, along: Array) -> Array:
    """Give the gain of a parabola over a line among the leading components, as log likelihood.

    A bent band without a gap is dense at both ends when it is seen from its side.
    """
    t = along - along.mean(-1, keepdims=True)
    t = t / np.maximum(t.std(-1, keepdims=True), 1e-300)
    curve = t**2 - 1
    curve = curve - (curve * t).mean(-1, keepdims=True) * t
    size = np.maximum((curve**2).mean(-1), 1e-300)
    gain = np.zeros(len(scores))
    for component in range(min(BENDS_IN, scores.shape[-1])):
        y = scores[:, :, component]
        y = y - y.mean(-1, keepdims=True)
        left = (y**2).mean(-1) - (y * t).mean(-1) ** 2
        bent = (y * curve).mean(-1) ** 2 / size
        share = np.clip(bent / np.maximum(left, 1e-300), 0, 1 - 1e-9)
        # What lies on the line to rounding has no residuals to compare.
        share = np.where(left > 1e-9 * (y**2).mean(-1), share, 0)
        gain = np.maximum(gain, -scores.shape[1] / 2 * np.log1p(-share))
    return np.maximum(gain - BEND_OFFSET, 0)


def cuts(seen: Array, *, seed: int) -> list[NDArray[np.bool_]]:
    """Cut every cohort in two by 2-means.

    Where two directions vary alike the smallest scatter within may belong to either, so that both
    cuts of a plane are given; of three components, the best of several starts.

    Parameters
    ----------
    seen : array, shape (cohorts, scans, components of the view)
    seed : int

    Returns
    -------
    list of arrays of bool, shape (cohorts, scans)
    """
    d = seen.shape[-1]
    if d == 1:
        return [_best_split(seen[..., 0])]
    if d == 2:
        return [_two_means(seen, direction)[0] for direction in np.eye(2)]
    others = np.random.default_rng(seed).normal(size=(max(0, RESTARTS - d), d))
    best, least = _two_means(seen, np.eye(d)[0])
    for direction in [*np.eye(d)[1:], *others]:
        upper, within = _two_means(seen, direction)
        better = within < least
        best[better], least = upper[better], np.minimum(within, least)
    return [best]


def _two_means(seen: Array, direction: Array) -> tuple[NDArray[np.bool_], Array]:
    """Go on from a cut at the median along a direction; the scatter within says how well."""
    along = seen @ direction
    upper = along > np.median(along, axis=-1, keepdims=True)
    for _ in range(ROUNDS):
        high, low = _centroids(seen, upper), _centroids(seen, ~upper)
        middle = ((high + low) / 2)[:, None]
        upper = np.einsum("cnd,cd->cn", seen - middle, high - low) > 0
    within = sum(
        ((seen - _centroids(seen, side)[:, None]) ** 2 * side[..., None]).sum((1, 2))
        for side in (upper, ~upper)
    )
    return upper, within


def _best_split(along: Array) -> NDArray[np.bool_]:
    """Cut a line where 2-means would: every cut is tried."""
    order = np.argsort(along, axis=-1)
    ordered = np.take_along_axis(along, order, -1)
    ordered = ordered - ordered.mean(-1, keepdims=True)
    n = along.shape[-1]
    lower = np.arange(1, n)
    between = ordered.cumsum(-1)[:, :-1] ** 2 / (lower * (n - lower))
    cut = np.take_along_axis(ordered, between.argmax(-1)[:, None], -1)
    return along - along.mean(-1, keepdims=True) > cut


def _centroids(seen: Array, side: NDArray[np.bool_]) -> Array:
    total = np.einsum("cnd,cn->cd", seen, side.astype(float))
    return total / np.maximum(side.sum(-1), 1)[:, None]
