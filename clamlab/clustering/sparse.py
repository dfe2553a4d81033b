"""Sparse k-means: clusters and the few features that make them (Witten & Tibshirani 2010)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from clamlab.clustering.checks import check_number, check_seed, check_whole, finite_features

MAX_ROUNDS = 15
WEIGHT_TOLERANCE = 1e-6
BISECTION_STEPS = 60


@dataclass(frozen=True)
class SparseKMeans:
    """A sparse k-means solution.

    Attributes
    ----------
    labels : (n,) array of int, 0..K-1
        Cluster of every scan.
    weights : (p,) array
        Weight of every feature: not negative, Euclidean length 1, sum at most `bound`.
    objective : float
        Weighted between-cluster sum of squares; larger is better.
    centroids : (K, p) array
        Cluster means in the units of the features.
    bound, seed, n_restarts
        What the solution was asked with.
    """

    labels: np.ndarray
    weights: np.ndarray
    objective: float
    centroids: np.ndarray
    bound: float
    seed: int
    n_restarts: int


@dataclass(frozen=True)
class BoundChoice:
    """Which bound to use, and the permutation study behind it.

    Attributes
    ----------
    bound : float
        By the 1-SD rule: the smallest bound whose gap is within one SD of the largest gap.
    bound_argmax : float
        The bound with the largest gap (it can keep many idle features where the curve is flat).
    table : DataFrame
        One row per bound: bound, objective, gap, gap_sd, n_features (weights above zero).
    """

    bound: float
    bound_argmax: float
    table: pd.DataFrame


def sparse_kmeans(
    features, n_clusters: int, *, bound: float, seed: int, n_restarts: int = 50
) -> SparseKMeans:
    """Cluster scans and learn at the same time which features matter.

    Maximises the weighted between-cluster sum of squares over labels and weights, with the
    Euclidean length of the weights at most 1 and their sum at most `bound`. A single start
    often ends in a local optimum when few features are informative, so the whole alternation
    is restarted and the best objective kept.

    Parameters
    ----------
    features : (n, p) array
        Used as given: standardise features of different units first.
    n_clusters : int
        K, from 2 to n - 1.
    bound : float
        Sum of the weights, above 1 (few features) up to sqrt(p) (no bound).
    seed : int
        Seed of the restarts; equal seeds give equal answers.
    n_restarts : int
        Starts beside the ordinary k-means one: half of them random partitions, half k-means on
        a random fifth of the features.

    Returns
    -------
    SparseKMeans

    Raises
    ------
    ValueError
        When an argument is out of its range, a feature is missing, or no feature varies.

    References
    ----------
    Witten & Tibshirani, J. Am. Stat. Assoc. 105(490), 713-726 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 10))
    >>> x[20:, 3] += 8
    >>> fit = sparse_kmeans(x, 2, bound=1.2, seed=0)
    >>> int(fit.weights.argmax()), sorted(np.bincount(fit.labels).tolist())
    (3, [20, 20])
    """
    x = _checked(features, n_clusters, seed)
    check_bound(bound, x.shape[1])
    check_whole("n_restarts", n_restarts, least=0)
    # One scale for all features: nothing below depends on their units.
    scale = np.sqrt(((x - x.mean(0)) ** 2).sum(0).max())
    centred = (x - x.mean(0)) / scale
    with threadpool_limits(limits=1):
        best = max(
            (
                _alternate(centred, labels, n_clusters, bound)
                for labels in _starts(centred, n_clusters, seed, n_restarts)
            ),
            key=lambda solution: solution[2],
        )
    labels, weights, objective = best
    centroids = np.array([x[labels == k].mean(0) for k in range(n_clusters)])
    return SparseKMeans(
        labels, weights, float(objective * scale**2), centroids, bound, seed, n_restarts
    )


def choose_bound(
    features,
    n_clusters: int,
    *,
    seed: int,
    bounds=None,
    n_permutations: int = 25,
    n_restarts: int = 10,
    progress: bool = False,
) -> BoundChoice:
    """Find how many features sparse k-means should be allowed, by permutation.

    Each column is permuted by itself, which keeps its values and destroys the clusters;
    Gap(s) = log O(s) - mean log O_permuted(s) says how much better than chance the bound s does.

    Parameters
    ----------
    features : (n, p) array, p at least 3
    n_clusters : int
    seed : int
        Of the permutations and of all restarts.
    bounds : sequence of float, optional
        Ten log-spaced values from 1.2 to 0.9 sqrt(p) if not given.
    n_permutations, n_restarts : int
        Permuted data sets; restarts of every fit.
    progress : bool
        Show a progress bar.

    Returns
    -------
    BoundChoice

    Raises
    ------
    ValueError
        As `sparse_kmeans`; also for fewer than 3 features or fewer than 2 permutations.

    References
    ----------
    Witten & Tibshirani (2010), section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(60, 20))
    >>> x[30:, :2] += 5
    >>> choice = choose_bound(x, 2, seed=0, n_permutations=5, n_restarts=2)
    >>> choice.bound < 2.5
    True
    """
    x = _checked(features, n_clusters, seed)
    check_whole("n_permutations", n_permutations, least=0)
    if x.shape[1] < 3 or n_permutations < 2:
        raise ValueError(
            "the permutation study needs at least 3 features and 2 permutations; found "
            f"{x.shape[1]} features and n_permutations={n_permutations}"
        )
    if bounds is None:
        bounds = np.geomspace(1.2, 0.9 * np.sqrt(x.shape[1]), 10)
    bounds = np.sort(np.asarray(bounds, float))
    rng = np.random.default_rng(seed)
    permuted = [rng.permuted(x, axis=0) for _ in range(n_permutations)]
    rows = []
    for bound in tqdm(bounds, desc="bounds", disable=not progress):
        fit = sparse_kmeans(x, n_clusters, bound=bound, seed=seed, n_restarts=n_restarts)
        chance = [
            sparse_kmeans(y, n_clusters, bound=bound, seed=seed, n_restarts=n_restarts).objective
            for y in permuted
        ]
        rows.append(
            {
                "bound": bound,
                "objective": fit.objective,
                "gap": np.log(fit.objective) - np.log(chance).mean(),
                "gap_sd": np.log(chance).std(ddof=1),
                "n_features": int((fit.weights > 0).sum()),
            }
        )
    table = pd.DataFrame(rows)
    top = table.loc[table["gap"].idxmax()]
    within = table[table["gap"] >= top["gap"] - top["gap_sd"]]
    return BoundChoice(float(within["bound"].iloc[0]), float(top["bound"]), table)


def check_bound(bound: float, n_features: int) -> None:
    """Raise ValueError where no weights of some features can have such a sum."""
    check_number("bound", bound, positive=True)
    if not 1 < bound <= np.sqrt(n_features) * (1 + 1e-9):
        raise ValueError(
            f"bound must be above 1 and at most sqrt({n_features}) = {np.sqrt(n_features):.4g}, "
            f"the square root of the number of features; found {bound}"
        )


def _checked(features, n_clusters: int, seed: int) -> np.ndarray:
    x = finite_features(features)
    check_seed(seed)
    check_whole("n_clusters", n_clusters, least=0)
    if not 2 <= n_clusters < len(x):
        raise ValueError(f"n_clusters must be from 2 to {len(x) - 1}; found {n_clusters}")
    if not np.ptp(x, axis=0).any():
        raise ValueError("no feature varies between scans: there is nothing to cluster")
    return x


def _starts(x, n_clusters: int, seed: int, n_restarts: int):
    """First the ordinary k-means partition, then partitions that see other features."""
    rng = np.random.default_rng(seed)
    n, p = x.shape
    everything = [_kmeans_labels(x, n_clusters, rng) for _ in range(5)]
    yield min(everything, key=lambda labels: _within(x, labels, n_clusters).sum())
    for restart in range(n_restarts):
        if restart % 2:
            some = rng.choice(p, size=max(1, p // 5), replace=False)
            yield _kmeans_labels(x[:, some], n_clusters, rng)
        else:
            yield rng.permutation(np.arange(n) % n_clusters)


def _alternate(x, labels, n_clusters: int, bound: float):
    """Weights given labels, labels given weights, until the weights stand still."""
    total = (x**2).sum(0)
    weights = _weights(total - _within(x, labels, n_clusters), bound)
    for _ in range(MAX_ROUNDS):
        used = weights > 0
        weighted = x[:, used] * np.sqrt(weights[used])
        labels = _lloyd(weighted, _means(weighted, labels, n_clusters))
        previous, between = weights, total - _within(x, labels, n_clusters)
        weights = _weights(between, bound)
        if np.abs(weights - previous).sum() < WEIGHT_TOLERANCE * previous.sum():
            break
    return labels, weights, weights @ between


def _weights(between: np.ndarray, bound: float) -> np.ndarray:
    """Soft-threshold the between-cluster sums so that the weights' sum is the bound."""
    between = np.maximum(between / between.max(), 0)  # scale-free: bisection runs on [0, 1]

    def thresholded(threshold):
        kept = np.maximum(between - threshold, 0)
        return kept / np.linalg.norm(kept)

    if thresholded(0).sum() <= bound:
        return thresholded(0)
    # `low` never passes the largest entry, so the norm above is never zero.
    low, high = 0.0, 1.0
    for _ in range(BISECTION_STEPS):
        middle = (low + high) / 2
        if middle < 1 and thresholded(middle).sum() > bound:
            low = middle
        else:
            high = middle
    return thresholded(low)


def _kmeans_labels(x, n_clusters: int, rng) -> np.ndarray:
    return _lloyd(x, x[rng.choice(len(x), n_clusters, replace=False)])


def _lloyd(x, centroids, max_iter: int = 100) -> np.ndarray:
    """Plain Lloyd iterations: the fits here are tiny and many, so overhead is what costs."""
    labels = np.full(len(x), -1)
    for _ in range(max_iter):
        distance = (centroids**2).sum(1) - 2 * x @ centroids.T
        new = distance.argmin(1)
        _fill_empty(new, distance + (x**2).sum(1)[:, None], len(centroids))
        if (new == labels).all():
            break
        labels = new
        centroids = _means(x, labels, len(centroids))
    return labels


def _fill_empty(labels, distance, n_clusters: int) -> None:
    """Give an empty cluster the worst-placed scan of a cluster that has others."""
    sizes = np.bincount(labels, minlength=n_clusters)
    for empty in np.flatnonzero(sizes == 0):
        badness = np.where(sizes[labels] > 1, distance[np.arange(len(labels)), labels], -np.inf)
        moved = badness.argmax()
        sizes[labels[moved]] -= 1
        labels[moved], sizes[empty] = empty, 1


def _means(x, labels, n_clusters: int) -> np.ndarray:
    member = np.eye(n_clusters)[labels]
    return (member.T @ x) / member.sum(0)[:, None]


def _within(x, labels, n_clusters: int) -> np.ndarray:
    """Within-cluster sum of squares of every feature."""
    return ((x - _means(x, labels, n_clusters)[labels]) ** 2).sum(0)
