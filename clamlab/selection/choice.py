"""One row per K with every criterion, and the K that each of them would pick."""

import warnings

import pandas as pd
from threadpoolctl import threadpool_limits

from clamlab.clustering.checks import check_whole
from clamlab.clustering.sparse import check_bound
from clamlab.selection import criteria as classical
from clamlab.selection.checks import checked_features
from clamlab.selection.valleys import (
    LEVEL,
    Valleys,
    multimodal_components,
    principal_components,
    valley_table,
)

CREDIBLE_PREDICTION = 0.8


def choose_n_clusters(
    features,
    *,
    seed: int,
    k_max: int = 8,
    n_gap: int = 100,
    sparse_bound: float | None = None,
    after_clustering: bool = False,
) -> tuple[pd.DataFrame, dict]:
    """Recommend a number of clusters, 1 included, with every common criterion beside it.

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
    after_clustering : bool
        Say True when the features went through a clustering phase: then this warns.

    Returns
    -------
    criteria : DataFrame
        One row per K from 1: n_clusters; silhouette (k-means, 20 restarts); silhouette_sparse
        (on features times the root of their weights); gap, gap_se; calinski_harabasz;
        prediction_strength; gmm_bic and silhouette_multimodal (both on the principal components
        that a mixture of several Gaussians fits better); valley_p (the recommended rule: the
        least separated pair of clusters, separated when at most 0.01).
    choice : dict
        n_clusters (recommended), rule, reason in plain words, picks (criterion -> K; missing
        where a criterion says nothing), sparse_bound, n_multimodal_components, k_max, seed.
        Ready for JSON.

    Raises
    ------
    ValueError
        For k_max or n_gap out of range, missing values, or features without variation.

    Warns
    -----
    UserWarning
        After clustering: that phase pulls scans onto its centroids, so the K that was fitted
        looks right whatever it was.

    Notes
    -----
    The recommended rule, and the seeds it was tuned on, are told in `clamlab.selection.valleys`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1000)
    >>> x = rng.normal(size=(90, 10))
    >>> x[30:60, 0] += 12
    >>> x[60:, 1] += 12
    >>> table, choice = choose_n_clusters(x, seed=0, k_max=4, n_gap=5)
    >>> choice["n_clusters"], choice["picks"]["silhouette"]
    (3, 3)
    """
    x = checked_features(features, seed, name="k_max", n_clusters=k_max)
    check_whole("n_gap", n_gap, least=2)
    if sparse_bound is not None:
        check_bound(sparse_bound, max(3, x.shape[1]))
    if after_clustering:
        warnings.warn(
            "these features went through a clustering phase, which pulls scans onto its "
            "centroids: the number of clusters that was fitted will look right whatever it was. "
            "Use the features of the pre-trained encoder.",
            stacklevel=2,
        )
    with threadpool_limits(limits=1):
        return _choose(x, k_max, n_gap, sparse_bound, seed)


def recommended_n_clusters(features, *, seed: int, k_max: int = 8) -> tuple[int, str]:
    """Get the recommended number of clusters and its reason, without the other criteria.

    Parameters and errors are those of `choose_n_clusters`; it takes a fifth of the time.

    Parameters
    ----------
    features, seed, k_max
        As for :func:`choose_n_clusters`.

    Returns
    -------
    n_clusters : int
        From 1 to k_max; 1 where no valley is seen between groups.
    reason : str
        Why, in plain words.

    Raises
    ------
    ValueError
        For k_max out of range, missing values, or features without variation.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1000).normal(size=(60, 10))
    >>> recommended_n_clusters(x, seed=0, k_max=3)[0]
    1
    """
    x = checked_features(features, seed, name="k_max", n_clusters=k_max)
    with threadpool_limits(limits=1):
        scores = principal_components(x)
        multimodal = multimodal_components(scores, seed=seed)
        valleys = valley_table(scores, multimodal, range(2, k_max + 1), seed=seed)
    return _recommend(valleys, len(x))


def _choose(x, k_max: int, n_gap: int, sparse_bound, seed: int) -> tuple[pd.DataFrame, dict]:
    k_values = list(range(1, k_max + 1))
    several = k_values[1:]
    scores = principal_components(x)
    multimodal = multimodal_components(scores, seed=seed)
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
    valleys = valley_table(scores, multimodal, several, seed=seed)
    table = table.assign(
        silhouette_sparse=pd.Series(sparse, dtype=float),
        gap=gap,
        gap_se=error,
        prediction_strength=[classical.prediction_strength(x, k, seed=seed) for k in k_values],
        gmm_bic=[classical.mixture_bic(ground, k, seed=seed) for k in k_values],
        valley_p=pd.Series({v.n_clusters: v.p for v in valleys}, dtype=float),
    ).reindex(columns=COLUMNS)

    n_clusters, reason = _recommend(valleys, len(x))
    strong = table["prediction_strength"] >= CREDIBLE_PREDICTION
    picks = {
        "recommended": n_clusters,
        "silhouette": _best(table["silhouette"]),
        "silhouette_sparse": _best(table["silhouette_sparse"]),
        "gap": classical.first_within_one_se(k_values, gap, error),
        "calinski_harabasz": _best(table["calinski_harabasz"]),
        "prediction_strength": int(table.index[strong].max()),
        "gmm_bic": int(table["gmm_bic"].idxmin()),
        "silhouette_multimodal": _best(table["silhouette_multimodal"]) or 1,
    }
    choice = {
        "n_clusters": n_clusters,
        "rule": "valleys",
        "reason": reason,
        "picks": picks,
        "sparse_bound": bound,
        "n_multimodal_components": len(multimodal),
        "k_max": k_max,
        "seed": seed,
    }
    return table.reset_index(drop=True), choice


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
    "valley_p",
]


def _best(values: pd.Series) -> int | None:
    return int(values.idxmax()) if values.notna().any() else None


def _recommend(valleys: list[Valleys], n_scans: int) -> tuple[int, str]:
    separated = [seen for seen in valleys if seen.p <= LEVEL]
    if not any(seen.components for seen in valleys):
        return 1, (
            f"{n_scans} scans are too few to show a valley between groups: whether there are "
            "clusters cannot be told."
        )
    if not separated:
        closest = min(valleys, key=lambda seen: seen.p)
        return 1, (
            f"No valley was found between any groups of the {n_scans} scans: cut into "
            f"2 to {valleys[-1].n_clusters} groups, in every view two neighbours run into each "
            f"other (best dip p = {closest.p:.2g}, at {closest.n_clusters} groups). The features "
            "look like one continuum; clusters would be slices of it."
        )
    best = separated[-1]
    names = ", ".join(str(i + 1) for i in best.components)
    more = (
        "This is the largest number looked at: raise k_max to see whether there are more."
        if best is valleys[-1]
        else f"Cut into {best.n_clusters + 1} groups, two neighbours run into each other."
    )
    return best.n_clusters, (
        f"{best.n_clusters} groups are the most that a valley separates, each from every other "
        f"(largest dip p = {best.p:.2g}, principal component{'s' * (len(best.components) > 1)} "
        f"{names}). {more}"
    )
