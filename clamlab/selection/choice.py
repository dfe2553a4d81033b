"""How many clusters the features show, if any, with every common criterion beside it."""

import warnings
from collections.abc import Sequence
from math import isfinite
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from clamlab.clustering.checks import check_seed, check_whole
from clamlab.clustering.sparse import check_bound
from clamlab.selection import criteria as classical
from clamlab.selection.answer import Answer, answer_of, words_of
from clamlab.selection.counting import Separation, separations
from clamlab.selection.foresight import foresee
from clamlab.selection.lines import halves
from clamlab.selection.preparing import Prepared, prepare, principal_scores
from clamlab.selection.presence import LEVEL, is_present, presence

CREDIBLE_PREDICTION = 0.8
# Three or more clusters that stand without a test for two: in one cloud of a hundred at most.
P_ALONE = 0.01
COLUMNS = [
    "n_clusters",
    "silhouette",
    "silhouette_sparse",
    "gap",
    "gap_se",
    "calinski_harabasz",
    "prediction_strength",
    "gmm_bic",
    "silhouette_multimodal",
    "separation",
]


def choose_n_clusters(
    features,
    *,
    seed: int,
    k_max: int = 8,
    n_gap: int = 100,
    sparse_bound: float | None = None,
    subjects: Sequence | None = None,
    without: pd.DataFrame | None = None,
    after_clustering: bool = False,
) -> tuple[pd.DataFrame, dict]:
    """Learn whether there are clusters, how many, and what would have been seen.

    Parameters
    ----------
    features : (n, p) array
        Of the pre-trained encoder, before any clustering phase, used in their own units.
    seed : int
    k_max : int
        Largest K looked at: from 2, below n / 2.
    n_gap : int
        Reference data sets of the Gap statistic, at least 2.
    sparse_bound : float, optional
        Bound of sparse k-means; chosen by permutation (1-SD rule) if not given.
    subjects : sequence, optional
        Whose each scan is: several scans of one patient count once, by their mean.
    without : DataFrame, optional
        What is taken out by linear regression before looking, one row a scan, such as the scanner
        or the volume of the lungs.
    after_clustering : bool
        Say True when the features went through a clustering phase: then this warns.

    Returns
    -------
    criteria : DataFrame
        One row per K from 1: n_clusters; silhouette (k-means, 20 restarts); silhouette_sparse
        (on features times the root of their weights); gap, gap_se; calinski_harabasz;
        prediction_strength; gmm_bic and silhouette_multimodal (both on the principal components
        that a mixture of several Gaussians fits better); separation (the recommended rule:
        evidence of the least separated pair beyond what is asked, a log likelihood ratio; none
        where a cluster is a handful of scans).
    choice : dict
        answer ("clusters", "continuum" or "undecided"), n_clusters (1 for the last two), p_value,
        seen_from_sd and n_scans_needed, as in `Answer`; rule, reason in plain words, notes, picks
        (criterion -> K; missing where a criterion says nothing), sparse_bound,
        n_multimodal_components, n_scans, k_max, seed. Ready for JSON.

    Raises
    ------
    ValueError
        For k_max or n_gap out of range, missing values, fewer than twelve different scans, or
        features that vary along one direction or none.

    Warns
    -----
    UserWarning
        After clustering: that phase pulls scans onto its centroids, so the K that was fitted
        looks right whatever it was.

    Notes
    -----
    Clusters are there when two Gaussians fit the scans better than one hump along the line between
    the halves of the cohort (k-means, in the view that shows most), more than they do in all but
    4 % of cohorts that are one cloud and are seen in the same ways; or when three or more are
    plainly apart, each from every other. Told in docs/n_clusters.md.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1000)
    >>> x = rng.normal(size=(90, 10))
    >>> x[30:60, 0] += 12
    >>> x[60:, 1] += 12
    >>> table, choice = choose_n_clusters(x, seed=0, k_max=4, n_gap=5)
    >>> choice["answer"], choice["n_clusters"], choice["picks"]["silhouette"]
    ('clusters', 3, 3)
    """
    check_whole("n_gap", n_gap, least=2)
    prepared = _prepared(features, seed, k_max, subjects, without)
    if sparse_bound is not None:
        check_bound(sparse_bound, max(3, prepared.features.shape[1]))
    if after_clustering:
        warnings.warn(
            "these features went through a clustering phase, which pulls scans onto its "
            "centroids: the number of clusters that was fitted will look right whatever it was. "
            "Use the features of the pre-trained encoder.",
            stacklevel=2,
        )
    with threadpool_limits(limits=1):
        several = separations(prepared.scores, _looked_at(prepared, k_max), seed=seed)
        answer = _answer(prepared, several, seed)
        table, picks, details = _classical(
            prepared.features, k_max, n_gap=n_gap, sparse_bound=sparse_bound, seed=seed
        )
    margins = {s.n_clusters: s.margin for s in several if isfinite(s.margin)}
    table["separation"] = pd.Series(margins, dtype=float)
    choice = {
        **answer.as_fields(),
        "rule": "two humps",
        "reason": words_of(answer, len(prepared.scores), is_most=answer.n_clusters == k_max),
        "notes": list(prepared.notes),
        "picks": {"recommended": answer.n_clusters, **picks},
        **details,
        "n_scans": len(prepared.scores),
        "k_max": k_max,
        "seed": seed,
    }
    return table.reindex(columns=COLUMNS).reset_index(drop=True), choice


def recommended_n_clusters(features, *, seed: int, k_max: int = 8) -> int:
    """Get the recommended number of clusters alone, in a fraction of the time.

    Parameters and errors are those of `choose_n_clusters`.

    Parameters
    ----------
    features, seed, k_max
        As for :func:`choose_n_clusters`.

    Returns
    -------
    int
        From 1 to k_max; 1 where no clusters are seen, whether there could be any or not.

    Raises
    ------
    ValueError
        As for :func:`choose_n_clusters`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1000).normal(size=(60, 10))
    >>> recommended_n_clusters(x, seed=0, k_max=3)
    1
    """
    prepared = _prepared(features, seed, k_max)
    with threadpool_limits(limits=1):
        several = separations(prepared.scores, _looked_at(prepared, k_max), seed=seed)
        plain = any(found.is_enough for found in several)
        return _count(several, plain or is_present(prepared.scores, seed=seed))


def _prepared(features, seed, k_max, subjects=None, without=None) -> Prepared:
    check_whole("k_max", k_max, least=2)
    check_seed(seed)
    prepared = prepare(features, subjects=subjects, without=without)
    n = len(prepared.features)
    if k_max > (n - 1) // 2:
        raise ValueError(
            f"k_max must be from 2 and below half the number of scans ({n}/2), as a cluster needs "
            f"more than two scans to be one; found {k_max}, take at most {(n - 1) // 2}"
        )
    return prepared


def _looked_at(prepared: Prepared, k_max: int) -> range:
    """Give the numbers of clusters that the scans allow which are not left out."""
    return range(2, min(k_max, (len(prepared.scores) - 1) // 2) + 1)


def _answer(prepared: Prepared, several: list[Separation], seed: int) -> Answer:
    tested = presence(prepared.scores, seed=seed)
    p_value = tested.p_value
    if any(found.is_enough for found in several):
        p_value = min(p_value, P_ALONE)
    n_clusters = _count(several, p_value <= LEVEL)
    inside = _inside(prepared.scores, several, n_clusters, seed)
    return answer_of(n_clusters, p_value, foresee(inside, tested.critical, seed=seed))


def _count(several: list[Separation], any_seen: bool) -> int:
    """Give the largest number of clusters that are all apart, where there are clusters at all."""
    apart = (found.n_clusters for found in several if found.is_apart)
    return max(apart, default=2) if any_seen else 1


def _inside(scores, several: list[Separation], n_clusters: int, seed: int):
    """Give the scores as they spread inside the clusters that were found."""
    if n_clusters == 1:
        return scores
    labels = several[n_clusters - 2].labels
    if n_clusters == 2 and not several[0].is_apart:
        labels = halves(scores[None, :, :2], seed=seed)[0].astype(int)
    means = pd.DataFrame(scores).groupby(labels).transform("mean").to_numpy()
    return principal_scores(scores - means)


def _classical(x, k_max: int, *, n_gap: int, sparse_bound, seed: int):
    k_values = list(range(1, k_max + 1))
    several = k_values[1:]
    scores = classical.leading_scores(x)
    multimodal = classical.multimodal_components(scores, seed=seed)
    # Where no component is multimodal the leading one is the fairest ground for the mixtures.
    ground = scores[:, multimodal] if len(multimodal) else scores[:, :1]

    table = pd.DataFrame({"n_clusters": k_values}).set_index("n_clusters", drop=False)
    for k in several:
        labels = classical.kmeans(x, k, seed=seed).labels_
        silhouette, calinski = classical.separation(x, labels)
        table.loc[k, ["silhouette", "calinski_harabasz"]] = silhouette, calinski
        if len(multimodal):
            labels = classical.kmeans(ground, k, seed=seed).labels_
            table.loc[k, "silhouette_multimodal"] = classical.separation(ground, labels)[0]
    at = _best(table["silhouette"]) or 2
    sparse, bound = classical.sparse_silhouettes(x, several, seed=seed, bound=sparse_bound, at=at)
    gap, error = classical.gap_statistic(x, k_values, seed=seed, n_reference=n_gap)
    table = table.assign(
        silhouette_sparse=pd.Series(sparse, dtype=float),
        gap=gap,
        gap_se=error,
        prediction_strength=[classical.prediction_strength(x, k, seed=seed) for k in k_values],
        gmm_bic=[classical.mixture_bic(ground, k, seed=seed) for k in k_values],
    ).reindex(columns=COLUMNS)
    strong = table["prediction_strength"] >= CREDIBLE_PREDICTION
    picks = {
        "silhouette": _best(table["silhouette"]),
        "silhouette_sparse": _best(table["silhouette_sparse"]),
        "gap": classical.first_within_one_se(k_values, gap, error),
        "calinski_harabasz": _best(table["calinski_harabasz"]),
        "prediction_strength": int(table.index[strong].max()),
        "gmm_bic": int(table["gmm_bic"].idxmin()),
        "silhouette_multimodal": _best(table["silhouette_multimodal"]) or 1,
    }
    details: dict[str, Any] = {
        "sparse_bound": bound,
        "n_multimodal_components": len(multimodal),
    }
    return table, picks, details


def _best(values: pd.Series) -> int | None:
    return int(values.idxmax()) if values.notna().any() else None
