"""The recommended rule: as many clusters as have a valley between each two of them.

Real cohorts are often one skewed continuum. Silhouette, BIC and their like cut a continuum
as readily as clusters; a valley of the density is what only clusters have. So K is the largest
number for which k-means, in some low-dimensional view of the features, finds groups that are
all pairwise separated by a valley, and 1 when there is none.

Views: the leading principal components (1, 2, 3, 4, 6, 9, 12 of them), those whose
one-dimensional tied mixture prefers several components (BIC difference above 10), and those
with several modes of their own (dip p at most 0.05), which leaves out strong directions
without clusters such as lung volume. At most 12 components.

Valley: a pair passes when Hartigan's dip test rejects one mode at 0.01 twice: along the line
between the two centroids in the view, and along the same line after Isomap has unrolled the pair,
which a bent but unbroken band does not pass (a half circle seen from its side is dense at both
ends). The dip is taken of the whole pair and of as many scans on either side of the cut, so
that a small cluster beside a large one is seen: a stretch of a single hump is a single hump too.
In many dimensions k-means finds a line along which a handful of scans falls in two by chance, so
every pair needs ten scans for each component of the view.

Frozen after tuning on synthetic features of seeds 0 to 99 and simulated slices of seeds 7, 1007
and 1008; tests use other data of seeds from 1000 on, reported results seeds from 5000 on.
"""

import itertools
import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import SparseEfficiencyWarning
from sklearn.manifold import Isomap

from clamlab.selection.criteria import kmeans, mixture_bic
from clamlab.selection.dip import dip_p_value

LEVEL = 0.01
MODES_LEVEL = 0.05
MIN_BIC_GAIN = 10.0
MAX_COMPONENTS = 12
SCANS_PER_COMPONENT = 10
LEADING = (1, 2, 3, 4, 6, 9, 12)
SMALLEST_CLUSTER = 3
UNROLLED = 3


@dataclass(frozen=True)
class Valleys:
    """What the rule saw for one K: its best view, and the least separated pair there."""

    n_clusters: int
    p: float
    components: tuple[int, ...]
    pair: tuple[int, int] | None


def principal_components(features) -> np.ndarray:
    """Give the scores of the first (at most 12) principal components that vary.

    Examples
    --------
    >>> principal_components(np.array([[0.0, 0], [1, 2], [2, 4]])).shape
    (3, 1)
    """
    x = np.asarray(features, float)
    left, size, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    kept = size[:MAX_COMPONENTS] > 1e-9 * size[0]
    return (left * size)[:, :MAX_COMPONENTS][:, kept]


def multimodal_components(scores, *, seed: int, k_max: int = 5) -> np.ndarray:
    """Find the components whose mixture of Gaussians prefers more than one, by BIC over 10.

    A skewed component passes too, so this alone does not show clusters.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> split = np.r_[rng.normal(size=30), rng.normal(9, 1, size=30)]
    >>> multimodal_components(np.c_[rng.normal(size=60), split], seed=0)
    array([1])
    """
    gains = []
    for column in scores.T:
        bic = [
            mixture_bic(column[:, None], k, seed=seed, tied=True)
            for k in range(1, min(k_max, len(column) // 3) + 1)
        ]
        gains.append(bic[0] - min(bic))
    return np.flatnonzero(np.array(gains) > MIN_BIC_GAIN)


def valley_table(scores, multimodal, k_values, *, seed: int) -> list[Valleys]:
    """Judge every K by the best of the views.

    Parameters
    ----------
    scores : (n, d) array
        Of the principal components.
    multimodal : array of int
        Columns that `multimodal_components` found.
    k_values : sequence of int, each at least 2
    seed : int

    Returns
    -------
    list of Valleys, one per K
        `p` is that of the least separated pair; the search stops at the first above 0.01.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scores = np.c_[np.r_[rng.normal(size=50), rng.normal(9, 1, size=50)]]
    >>> [v.p <= LEVEL for v in valley_table(scores, [0], [2, 3], seed=0)]
    [True, False]
    """
    views = _views(scores, multimodal)
    return [
        min(
            (_judge(scores, view, k, seed) for view in views),
            key=lambda seen: seen.p,
            default=Valleys(k, 1.0, (), None),  # too few scans for any view
        )
        for k in k_values
    ]


def _views(scores, multimodal) -> list[tuple[int, ...]]:
    n, d = scores.shape
    most = min(d, n // SCANS_PER_COMPONENT)
    several_modes = [i for i in range(d) if dip_p_value(scores[:, i]) <= MODES_LEVEL]
    leading = [range(m) for m in LEADING if m <= most]
    views = [tuple(map(int, v))[:most] for v in (*leading, multimodal, several_modes)]
    return [view for view in dict.fromkeys(views) if view]


def _judge(scores, view: tuple[int, ...], n_clusters: int, seed: int) -> Valleys:
    seen = scores[:, view]
    labels = kmeans(seen, n_clusters, seed=seed, n_init=10).labels_
    groups = [seen[labels == k] for k in range(n_clusters)]
    smallest, second = sorted(map(len, groups))[:2]
    if smallest < SMALLEST_CLUSTER or smallest + second < SCANS_PER_COMPONENT * len(view):
        return Valleys(n_clusters, 1.0, view, None)
    # Near pairs first: they are the ones that fail.
    pairs = sorted(
        itertools.combinations(range(n_clusters), 2),
        key=lambda ij: np.linalg.norm(groups[ij[0]].mean(0) - groups[ij[1]].mean(0)),
    )
    in_view = [(seen[labels == i], seen[labels == j]) for i, j in pairs]
    in_all = [(scores[labels == i], scores[labels == j]) for i, j in pairs]
    worst = Valleys(n_clusters, 0.0, view, None)
    for coordinate, samples in ((_along_line, in_view), (_along_unrolled_line, in_all)):
        for pair, (a, b) in zip(pairs, samples, strict=True):
            p = _valley_p(*coordinate(a, b))
            if p > worst.p:
                worst = Valleys(n_clusters, p, view, pair)
            if p > LEVEL:
                return worst
    return worst


def _along_line(a, b) -> tuple[np.ndarray, np.ndarray]:
    direction = b.mean(0) - a.mean(0)
    return a @ direction, b @ direction


def _along_unrolled_line(a, b) -> tuple[np.ndarray, np.ndarray]:
    """Unroll a bent band; that it is one shows in all components, not in the view alone."""
    wide = max(UNROLLED, (len(a) + len(b)) // SCANS_PER_COMPONENT)
    both = np.r_[a, b][:, :wide]
    neighbours = min(max(5, int(np.sqrt(len(both)))), len(both) - 1)
    with warnings.catch_warnings():
        # Two far groups make a graph in two pieces, which is joined by its shortest edge.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", SparseEfficiencyWarning)
        flat = Isomap(
            n_neighbors=neighbours, n_components=min(UNROLLED, both.shape[1], len(both) - 1)
        ).fit_transform(both)
    return _along_line(flat[: len(a)], flat[len(a) :])


def _valley_p(low, high) -> float:
    """Dip p of a pair, whole and with equally many scans on both sides of the cut."""
    m = min(len(low), len(high))
    around = np.r_[np.sort(low)[-m:], np.sort(high)[:m]]
    return min(dip_p_value(around), dip_p_value(np.r_[low, high]))
