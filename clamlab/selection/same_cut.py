"""Whether clusters that are shown are those between which the rule saw a gap.

The rule looks along leading directions, k-means and the network at all of them: what varies more
than the clusters do, such as the volume of the lungs, may be what they cut.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_rand_score

from clamlab.selection.counting import separations
from clamlab.selection.lines import all_cuts, evidence_of_cut

# Adjusted Rand index from which two partitions are called the same: a tenth of the scans of two
# halves may lie on the other side, as where they overlap; a cut across the gap is near 0.
SAME = 0.6


def best_cut(scores: NDArray, *, seed: int) -> tuple[tuple[int, ...], NDArray[np.bool_]]:
    """Give the view in which two halves show most, and who lies above.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components.
    seed : int

    Returns
    -------
    view : tuple of int
    upper : array of bool, shape (scans,)

    Examples
    --------
    >>> scores = np.random.default_rng(0).normal(size=(60, 4)) * [2, 1, 0.5, 0.5]
    >>> scores[30:, 1] += 12
    >>> view, upper = best_cut(scores, seed=0)
    >>> bool(upper[30:].all() and not upper[:30].any())
    True
    """
    cuts = list(all_cuts(scores[None], seed=seed))
    shown = [evidence_of_cut(scores[None], *cut)[0] for cut in cuts]
    view, upper = cuts[int(np.argmax(shown))]
    return view, upper[0]


def groups_seen(scores: NDArray, n_clusters: int, *, seed: int) -> NDArray[np.int64]:
    """Give the groups that the rule judges when it judges a number: at their best view.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components.
    n_clusters : int
        From 2.
    seed : int

    Returns
    -------
    array of int, shape (scans,)
    """
    if n_clusters == 2:
        return best_cut(scores, seed=seed)[1].astype(np.int64)
    return separations(scores, [n_clusters], seed=seed)[0].labels


def agreement(one: ArrayLike, other: ArrayLike) -> float:
    """Give the adjusted Rand index of two partitions."""
    return float(adjusted_rand_score(one, other))


def are_same(one: ArrayLike, other: ArrayLike) -> bool:
    """Tell whether two partitions are called the same clusters.

    Examples
    --------
    >>> are_same([0, 0, 1, 1], [1, 1, 0, 0]), are_same([0, 0, 1, 1], [0, 1, 0, 1])
    (True, False)
    """
    return agreement(one, other) >= SAME
