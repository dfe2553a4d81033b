"""The classical criteria over K, each a function of the features alone."""

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from sklearn.mixture import GaussianMixture

from clamlab.clustering.sparse import choose_bound, sparse_kmeans

MIN_BIC_GAIN = 10.0


def kmeans(features, n_clusters: int, *, seed: int, n_init: int = 20) -> KMeans:
    """Fit k-means with the number of restarts said aloud.

    Examples
    --------
    >>> kmeans(np.array([[0.0], [1], [9], [10]]), 2, seed=0).inertia_
    1.0
    """
    with warnings.catch_warnings():
        # Scans that coincide leave clusters empty: the caller sees that in the labels.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(n_clusters, n_init=n_init, random_state=seed).fit(features)


def separation(features, labels) -> tuple[float, float]:
    """Average silhouette (Rousseeuw 1987) and Calinski-Harabasz index (1974) of a partition.

    Both are missing where they are undefined (one cluster).

    Examples
    --------
    >>> separation(np.array([[0.0], [1], [9], [10]]), [0, 0, 1, 1])[1]
    162.0
    """
    if not 2 <= len(np.unique(labels)) < len(labels):
        return np.nan, np.nan
    return (
        float(silhouette_score(features, labels)),
        float(calinski_harabasz_score(features, labels)),
    )


def sparse_silhouettes(
    features, k_values, *, seed: int, bound: float | None = None, at: int = 2
) -> tuple[dict[int, float], float | None]:
    """Average silhouette of sparse k-means, on features times the root of their weights.

    Features are z-scored first (constant ones dropped). The bound, if not given, is chosen by
    permutation at K = `at` and used for every K. With fewer than three features there is
    nothing to select, and nothing is returned.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 10))
    >>> x[20:, 3] += 8
    >>> values, bound = sparse_silhouettes(x, [2, 3], seed=0, bound=1.2)
    >>> bool(values[2] > 0.5), bound
    (True, 1.2)
    """
    varying = features[:, np.ptp(features, axis=0) > 0]
    if varying.shape[1] < 3:
        return {}, None
    z = (varying - varying.mean(0)) / varying.std(0, ddof=1)
    if bound is None:
        bound = choose_bound(z, at, seed=seed, n_permutations=10, n_restarts=2).bound
    values = {}
    for k in k_values:
        fit = sparse_kmeans(z, k, bound=bound, seed=seed, n_restarts=10)
        values[k] = separation(z * np.sqrt(fit.weights), fit.labels)[0]
    return values, bound


def gap_statistic(
    features, k_values, *, seed: int, n_reference: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Gap and its standard error for every K: how much tighter than a uniform box.

    The reference is uniform in the box aligned with the principal axes (variant b); the
    standard error includes the simulation error, sd sqrt(1 + 1/B).

    References
    ----------
    Tibshirani, Walther & Hastie, J. R. Stat. Soc. B 63(2), 411-423 (2001).

    Examples
    --------
    >>> x = np.r_[np.zeros((20, 2)), np.full((20, 2), 9.0)]
    >>> x += np.random.default_rng(0).normal(size=x.shape)
    >>> gap, error = gap_statistic(x, [1, 2], seed=0, n_reference=10)
    >>> bool(gap[1] > gap[0])
    True
    """
    rng = np.random.default_rng(seed)
    centred = features - features.mean(0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    low, high = scores.min(0), scores.max(0)

    def log_within(x):
        # Coinciding scans have no spread at all; a floor keeps the logarithm finite.
        floor = 1e-12 * (centred**2).sum()
        return [np.log(max(kmeans(x, k, seed=seed, n_init=3).inertia_, floor)) for k in k_values]

    observed = np.array(log_within(scores))
    reference = np.array(
        [log_within(rng.uniform(low, high, scores.shape)) for _ in range(n_reference)]
    )
    error = reference.std(0) * np.sqrt(1 + 1 / n_reference)
    return reference.mean(0) - observed, error


def first_within_one_se(k_values, gap, error) -> int:
    """Read the Gap by its 1-SE rule: the smallest K with Gap(K) >= Gap(K+1) - s(K+1).

    Examples
    --------
    >>> first_within_one_se([1, 2, 3], [0.1, 0.5, 0.52], [0.03, 0.03, 0.03])
    2
    """
    for i in range(len(k_values) - 1):
        if gap[i] >= gap[i + 1] - error[i + 1]:
            return int(k_values[i])
    return int(k_values[-1])


def prediction_strength(features, n_clusters: int, *, seed: int, n_splits: int = 10) -> float:
    """Say how well one half of the cohort predicts which scans belong together in the other.

    Mean over random halvings of the worst cluster's share of test pairs that the training
    half's centroids also put together. 1 for one cluster; K is credible from 0.8.

    References
    ----------
    Tibshirani & Walther, J. Comput. Graph. Stat. 14(3), 511-528 (2005).

    Examples
    --------
    >>> x = np.r_[np.zeros((20, 2)), np.full((20, 2), 9.0)]
    >>> x += np.random.default_rng(0).normal(size=x.shape)
    >>> prediction_strength(x, 2, seed=0)
    1.0
    """
    if n_clusters == 1:
        return 1.0
    rng = np.random.default_rng(seed)
    strengths = []
    for _ in range(n_splits):
        order = rng.permutation(len(features))
        train, test = np.array_split(features[order], 2)
        predicted = kmeans(train, n_clusters, seed=seed, n_init=5).predict(test)
        own = kmeans(test, n_clusters, seed=seed, n_init=5).labels_
        shares = []
        for k in np.unique(own):
            sizes = np.bincount(predicted[own == k])
            n = sizes.sum()
            shares.append(1.0 if n < 2 else (sizes * (sizes - 1)).sum() / (n * (n - 1)))
        strengths.append(min(shares))
    return float(np.mean(strengths))


def leading_scores(features, most: int = 12) -> np.ndarray:
    """Give the scores of the leading principal components that vary.

    Examples
    --------
    >>> leading_scores(np.array([[0.0, 0], [1, 2], [2, 4]])).shape
    (3, 1)
    """
    left, size, _ = np.linalg.svd(features - features.mean(0), full_matrices=False)
    kept = size[:most] > 1e-9 * size[0]
    return (left * size)[:, :most][:, kept]


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


def mixture_bic(features, n_components: int, *, seed: int, tied: bool = False) -> float:
    """Bayesian information criterion of a Gaussian mixture; smaller is better.

    Diagonal covariances, or one shared by all components (`tied`).

    Examples
    --------
    >>> x = np.r_[np.zeros((20, 1)), np.full((20, 1), 9.0)]
    >>> x += np.random.default_rng(0).normal(size=x.shape)
    >>> mixture_bic(x, 2, seed=0) < mixture_bic(x, 1, seed=0)
    True
    """
    x = np.asarray(features, float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(
            n_components,
            covariance_type="tied" if tied else "diag",
            # A component must not shrink onto coinciding scans and win by an infinite density.
            reg_covar=1e-4 * x.var(0).mean(),
            n_init=2,
            random_state=seed,
        ).fit(x)
    return float(mixture.bic(x))
