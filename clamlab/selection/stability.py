"""See whether the same scans would come together again in another sample of patients."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from clamlab.clustering.checks import check_whole
from clamlab.selection.checks import checked_features
from clamlab.selection.criteria import kmeans
from clamlab.selection.null import one_cluster_null
from clamlab.selection.partitions import densest_first, overlap, renamed
from clamlab.selection.preparing import take_out

VERDICTS = ("stable", "doubtful", "unstable")
NO_BETTER = "as one cloud"
STABLE = 0.85
DOUBTFUL = 0.6
BORDERLINE = 0.8
N_NULL = 19
NULL_BOOTSTRAPS = 10


@dataclass(frozen=True)
class AssignmentStability:
    """How well a partition comes back under resampling.

    Attributes
    ----------
    bootstraps : DataFrame
        One row per bootstrap: bootstrap, ari (agreement with the partition of all scans).
    clusters : DataFrame
        One row per cluster: cluster (0..K-1), n_scans, jaccard (mean over bootstraps), verdict
        ("as one cloud" for each, where the partition comes back no better than that of one cloud).
    scans : DataFrame
        One row per scan: scan (its row), cluster, agreement (share of bootstraps that put it
        in the same cluster), borderline (agreement below 0.8).
    null_ari : array
        Mean agreement in data sets that are one cloud of the same covariance and skew.
    verdict : str
        "stable", "doubtful" or "unstable".
    reason : str
        The verdict in plain words.

    Examples
    --------
    >>> x = np.random.default_rng(1000).normal(size=(30, 3))
    >>> x[20:, 0] += 12
    >>> found = assignment_stability(x, 2, seed=0, n_bootstrap=5)
    >>> sorted(found.clusters["n_scans"]), found.clusters["verdict"].tolist()
    ([10, 20], ['stable', 'stable'])
    >>> int(found.scans["borderline"].sum())
    0
    """

    bootstraps: pd.DataFrame
    clusters: pd.DataFrame
    scans: pd.DataFrame
    null_ari: np.ndarray
    verdict: str
    reason: str


def assignment_stability(
    features,
    n_clusters: int,
    *,
    seed: int,
    n_bootstrap: int = 100,
    without: pd.DataFrame | None = None,
    density: ArrayLike | None = None,
    progress: bool = False,
) -> AssignmentStability:
    """See whether clusters survive a new sample of scans, and which scans are borderline.

    k-means is repeated on bootstrap samples; every scan then goes to the nearest new centroid.
    A long continuous cloud is cut at the same place again and again, so agreement alone proves
    nothing: it must also exceed that of 19 one-cluster data sets with the same covariance and
    skew (p at most 0.05).

    Parameters
    ----------
    features : (n, p) array
        Before any clustering phase: after it even noise looks stable.
    n_clusters : int
        From 2 to below n / 2.
    seed : int
    n_bootstrap : int
        At least 2.
    without : DataFrame, optional
        What is taken out before looking, as for :func:`clamlab.selection.choose_n_clusters`.
    density : array, shape (n,), optional
        Mean HU of each scan: the densest cluster is then the first, as everywhere else. Without it
        clusters have no order.
    progress : bool
        Show a progress bar.

    Returns
    -------
    AssignmentStability
        Stable from .85 on, doubtful from .6 (mean adjusted Rand index; Jaccard for a cluster);
        unstable below, or when one continuous cloud does as well.

    Raises
    ------
    ValueError
        For arguments out of range, missing values, or features without variation.

    References
    ----------
    Hennig, Comput. Stat. Data Anal. 52(1), 258-271 (2007): Jaccard under resampling.

    Examples
    --------
    >>> rng = np.random.default_rng(1000)
    >>> x = rng.normal(size=(60, 5))
    >>> x[30:, 0] += 10
    >>> assignment_stability(x, 2, seed=0, n_bootstrap=10).verdict
    'stable'
    """
    x = checked_features(features, seed, name="n_clusters", n_clusters=n_clusters)
    check_whole("n_bootstrap", n_bootstrap, least=2)
    if without is not None and without.shape[1]:
        x = take_out(x, without)
    if density is not None and len(np.asarray(density)) != len(x):
        raise ValueError(
            f"expected a density for each of {len(x)} scans, found {len(np.asarray(density))}"
        )
    with threadpool_limits(limits=1):
        found = bootstrapped(
            x, n_clusters, n_bootstrap, seed=seed, density=density, progress=progress
        )
        null_ari = np.array(
            [
                bootstrapped(
                    one_cluster_null(x, seed=seed + i), n_clusters, NULL_BOOTSTRAPS, seed=seed
                ).ari.mean()
                for i in tqdm(range(1, N_NULL + 1), desc="null", disable=not progress)
            ]
        )
    clusters = pd.DataFrame(
        {
            "cluster": range(n_clusters),
            "n_scans": np.bincount(found.labels, minlength=n_clusters),
            "jaccard": found.jaccard,
            "verdict": [_grade(value) for value in found.jaccard],
        }
    )
    scans = pd.DataFrame(
        {
            "scan": range(len(x)),
            "cluster": found.labels,
            "agreement": found.agreement,
            "borderline": found.agreement < BORDERLINE,
        }
    )
    bootstraps = pd.DataFrame({"bootstrap": range(n_bootstrap), "ari": found.ari})
    verdict, reason = _verdict(found.ari, null_ari, clusters, scans)
    if found.ari.mean() <= null_ari.max():
        # A cloud cut at the same place each time has two firm halves, which are no clusters.
        clusters["verdict"] = NO_BETTER
    return AssignmentStability(bootstraps, clusters, scans, null_ari, verdict, reason)


@dataclass(frozen=True)
class Bootstrapped:
    """A partition, and how it comes back from samples of the scans.

    Attributes
    ----------
    labels : array of int, shape (n_scans,)
    ari : array, shape (n_bootstrap,)
        Agreement of each resampled partition with this one.
    jaccard : array, shape (n_clusters,)
        How well each cluster comes back, on average.
    agreement : array, shape (n_scans,)
        Share of the bootstraps that put the scan in the same cluster.
    """

    labels: np.ndarray
    ari: np.ndarray
    jaccard: np.ndarray
    agreement: np.ndarray


def bootstrapped(
    x: np.ndarray,
    n_clusters: int,
    n_bootstrap: int,
    *,
    seed: int,
    density: ArrayLike | None = None,
    progress: bool = False,
) -> Bootstrapped:
    """Cluster the scans, the densest first, and again each of many samples of them."""
    labels = kmeans(x, n_clusters, seed=seed, n_init=10).labels_
    if density is not None:
        labels = densest_first(labels, density, n_clusters)
    rng = np.random.default_rng(seed)
    ari, jaccard = np.empty(n_bootstrap), np.empty((n_bootstrap, n_clusters))
    agreement = np.zeros(len(x))
    for b in tqdm(range(n_bootstrap), desc="bootstraps", disable=not progress):
        drawn = rng.integers(len(x), size=len(x))
        again = kmeans(x[drawn], n_clusters, seed=seed, n_init=3).predict(x)
        ari[b] = adjusted_rand_score(labels, again)
        # The centroids of a bootstrap come in any order.
        agreement += renamed(again, labels, n_clusters) == labels
        inside = np.unique(drawn)
        shared = overlap(labels[inside], again[inside], n_clusters)
        union = shared.sum(1)[:, None] + shared.sum(0) - shared
        jaccard[b] = (shared / np.maximum(union, 1)).max(1)
    return Bootstrapped(labels, ari, jaccard.mean(0), agreement / n_bootstrap)


def _grade(value: float) -> str:
    return "stable" if value >= STABLE else "doubtful" if value >= DOUBTFUL else "unstable"


def come_back(verdict: str, agreement: float) -> str:
    """Say how partitions of resampled scans come back.

    >>> come_back("unstable", 0.3), come_back("unstable", 0.96)
    ('are unstable', 'come back, but no better than those of one cloud of the same shape')
    """
    if verdict == "unstable" and agreement >= DOUBTFUL:
        return "come back, but no better than those of one cloud of the same shape"
    return f"are {verdict}"


def _verdict(ari, null_ari, clusters, scans) -> tuple[str, str]:
    mean, ceiling = ari.mean(), null_ari.max()
    found = (
        f"Resampled partitions agree with this one by an adjusted Rand index of {mean:.2f} on "
        f"average; {int(scans['borderline'].sum())} of {len(scans)} scans are borderline."
    )
    if mean <= ceiling:
        return "unstable", (
            f"{found} One continuous cloud of the same shape reaches {ceiling:.2f}: that they "
            "come back does not speak for separate clusters."
        )
    weak = (clusters.index[clusters["verdict"] != "stable"] + 1).tolist()
    if weak:
        found += f" Not stable by themselves: cluster {', '.join(map(str, weak))}."
    return _grade(mean), f"{found} One continuous cloud of the same shape reaches {ceiling:.2f}."
