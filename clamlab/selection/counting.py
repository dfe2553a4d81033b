"""How many clusters: as many as k-means tells apart, each from every other, on two humps.

Several clusters in a row or a square look flat or bent when they are cut in two, so that two may be
hidden where three or more are plain: every number is judged by all its pairs.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clamlab.selection.criteria import kmeans
from clamlab.selection.lines import SCANS_PER_COMPONENT, SMALLEST_CLUSTER, unbent_evidence
from clamlab.selection.preparing import FEWEST_SCANS, principal_scores

Array = NDArray[np.float64]

# Evidence asked of a pair: more scans in more components fall apart by chance a little more.
LEAST = 2.0
PER_LOG_SCAN = 0.55
# More clusters have more pairs, in more components: beyond three, more is asked of each.
PER_CLUSTER = 0.3
# Evidence beyond that at which three or more clusters stand by the test of a pair of them.
FARTHER = 1.0
RESTARTS = 4
PAIR_SHARE = 0.1


@dataclass(frozen=True)
class Separation:
    """What tells one number of clusters apart, at its best view.

    Attributes
    ----------
    n_clusters : int
    margin : float
        Evidence of the least separated pair beyond what is asked of it; 0 and above is apart.
    view : tuple of int
        Principal components, from 0.
    pair : tuple of int
        The least separated clusters, as in `labels`; of clusters that are not all apart, the
        nearest that are not.
    labels : array of int, shape (n_scans,)
    """

    n_clusters: int
    margin: float
    view: tuple[int, ...]
    pair: tuple[int, int]
    labels: NDArray[np.int64]

    @property
    def is_apart(self) -> bool:
        """Whether each pair shows two humps."""
        return self.margin >= 0

    @property
    def is_enough(self) -> bool:
        """Whether three or more clusters are told apart so plainly that a pair is tested alone."""
        return self.n_clusters > 2 and self.margin >= FARTHER


def separations(scores: Array, k_values, *, seed: int) -> list[Separation]:
    """Judge each number of clusters by its least separated pair, in the view that shows most.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components.
    k_values : sequence of int
        Each at least 2.
    seed : int

    Returns
    -------
    list of Separation

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scores = np.c_[np.r_[rng.normal(size=50), rng.normal(9, 1, size=50)]]
    >>> [found.is_apart for found in separations(scores, [2, 3], seed=0)]
    [True, False]
    """
    return [
        max((_judge(scores, view, k, seed) for view in views(scores, k)), key=lambda s: s.margin)
        for k in k_values
    ]


def views(scores: Array, n_clusters: int) -> list[tuple[int, ...]]:
    """Give leading components, with the first and without: noise in many falls apart by itself."""
    n, d = scores.shape
    most = min(d, n_clusters + 1, max(1, n // SCANS_PER_COMPONENT))
    views = [tuple(range(m)) for m in range(1, most + 1)]
    return views + [tuple(range(1, m)) for m in range(2, min(d, most + 1) + 1)]


def _judge(scores: Array, view: tuple[int, ...], n_clusters: int, seed: int) -> Separation:
    seen = scores[:, view]
    labels = kmeans(seen, n_clusters, seed=seed, n_init=RESTARTS).labels_
    sizes = np.bincount(labels, minlength=n_clusters)
    least = max(SMALLEST_CLUSTER, PAIR_SHARE * 2 * len(seen) / n_clusters)
    worst = Separation(n_clusters, np.inf, view, (0, 1), labels)
    if sizes.min() < least:
        return Separation(n_clusters, -np.inf, view, (0, 1), labels)
    centres = np.array([seen[labels == k].mean(0) for k in range(n_clusters)])
    # Near pairs first: they are the ones that fail.
    pairs = sorted(
        itertools.combinations(range(n_clusters), 2),
        key=lambda pair: np.linalg.norm(centres[pair[0]] - centres[pair[1]]),
    )
    for pair in pairs:
        margin = pair_margin(scores, view, labels, pair)
        if margin < worst.margin:
            worst = Separation(n_clusters, margin, view, pair, labels)
        if margin < 0:
            break
    return worst


def hardest_pair(scores: Array, several: list[Separation]) -> Array | None:
    """Give the scores of the two that are hardest to tell apart of three or more plain clusters.

    Several clusters in a row look like one when they are cut in two: then this pair is tested.
    """
    plain = [found for found in several if found.is_enough]
    if not plain:
        return None
    pair = scores[np.isin(plain[-1].labels, plain[-1].pair)]
    return principal_scores(pair) if len(pair) >= FEWEST_SCANS else None


def pair_margin(
    scores: Array, view: tuple[int, ...], labels: NDArray[np.int64], pair: tuple[int, int]
) -> float:
    """Give the evidence of one pair beyond what is asked of so many scans."""
    both = np.isin(labels, pair)
    upper = labels[None, both] == pair[1]
    found = unbent_evidence(scores[None, both], view, upper)[0]
    more = PER_CLUSTER * max(0, labels.max() + 1 - 3)
    return float(found - max(LEAST, PER_LOG_SCAN * np.log(both.sum())) - more)
