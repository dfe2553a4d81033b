"""How many clusters the features show, if any, with every common criterion beside it."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from math import isfinite

import pandas as pd
from threadpoolctl import threadpool_limits

from clamlab.clustering.checks import check_whole
from clamlab.clustering.sparse import check_bound
from clamlab.selection.answer import Answer, answer_of, words_of
from clamlab.selection.checks import checked_features
from clamlab.selection.compared import COLUMNS, compare
from clamlab.selection.counting import Separation, hardest_pair, separations
from clamlab.selection.criteria import kmeans
from clamlab.selection.foresight import foresee
from clamlab.selection.lines import few_apart
from clamlab.selection.preparing import Prepared, prepare, principal_scores, row_numbers
from clamlab.selection.presence import LEVEL, is_present, presence
from clamlab.selection.same_cut import SAME, agreement, groups_seen


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
        seen_from_sd, n_scans_needed and p_of_pair, as in `Answer`; rule, reason in plain words,
        notes, picks (criterion -> K; missing where a criterion says nothing), sparse_bound,
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
    plainly apart, each from every other, and the two that are hardest to tell apart pass the same
    test by themselves. Told in docs/n_clusters.md of the clone.

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
        answer, said = _answer(prepared, several, seed)
        table, picks, details = compare(
            prepared.features, k_max, n_gap=n_gap, sparse_bound=sparse_bound, seed=seed
        )
    margins = {s.n_clusters: s.margin for s in several if isfinite(s.margin)}
    table["separation"] = pd.Series(margins, dtype=float)
    choice = {
        **asdict(answer),
        "rule": "two humps",
        "reason": words_of(
            answer, len(prepared.scores), is_most=answer.n_clusters == several[-1].n_clusters
        ),
        "notes": [*prepared.notes, *said],
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
    return _recommended(_prepared(features, seed, k_max), seed, k_max)


def _recommended(prepared: Prepared, seed: int, k_max: int) -> int:
    with threadpool_limits(limits=1):
        several = separations(prepared.scores, _looked_at(prepared, k_max), seed=seed)
        hardest = hardest_pair(prepared.scores, several)
        seen = is_present(prepared.scores, seed=seed) or (
            hardest is not None and is_present(hardest, seed=seed)
        )
        return _count(prepared.scores, several, seen, seed)


def every_pick(features, *, seed: int, k_max: int = 8, n_gap: int = 100) -> dict[str, int | None]:
    """Get the number of clusters that each criterion picks, without what else is told of them.

    Parameters and errors are those of `choose_n_clusters`, whose `picks` these are.

    Parameters
    ----------
    features, seed, k_max, n_gap
        As for :func:`choose_n_clusters`.

    Returns
    -------
    dict
        Criterion -> K; None where a criterion says nothing.

    Raises
    ------
    ValueError
        As for :func:`choose_n_clusters`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1000).normal(size=(40, 10))
    >>> x[20:, 0] += 12
    >>> picks = every_pick(x, seed=0, k_max=3, n_gap=5)
    >>> picks["recommended"], picks["silhouette"]
    (2, 2)
    """
    prepared = _prepared(features, seed, k_max)
    with threadpool_limits(limits=1):
        _, picks, _ = compare(prepared.features, k_max, n_gap=n_gap, sparse_bound=None, seed=seed)
    return {"recommended": _recommended(prepared, seed, k_max), **picks}


def _prepared(features, seed, k_max, subjects=None, without=None) -> Prepared:
    prepared = prepare(features, subjects=subjects, without=without)
    checked_features(prepared.features, seed, name="k_max", n_clusters=k_max)
    return prepared


def _looked_at(prepared: Prepared, k_max: int) -> range:
    """Give the numbers of clusters that the scans allow which are not left out."""
    return range(2, min(k_max, (len(prepared.scores) - 1) // 2) + 1)


def _answer(prepared: Prepared, several: list[Separation], seed: int) -> tuple[Answer, list[str]]:
    """Give the answer, and what else has to be said."""
    scores = prepared.scores
    tested = presence(scores, seed=seed)
    p_value, hardest = tested.p_value, hardest_pair(scores, several)
    if p_value > LEVEL and hardest is not None:
        p_value = min(p_value, presence(hardest, seed=seed).p_value)
    n_clusters = _count(scores, several, p_value <= LEVEL, seed)
    foresight = foresee(_inside(scores, several, n_clusters), tested.critical, seed=seed)
    if n_clusters > 1:
        of_pair = p_value < tested.p_value
        answer = answer_of(n_clusters, p_value, foresight, p_of_pair=of_pair)
        return answer, _others_cut(scores, n_clusters, seed)
    few = few_apart(scores, tested.critical, seed=seed)
    if not few.any():
        return answer_of(n_clusters, p_value, foresight), []
    # What lies apart is no continuum, however few.
    answer = answer_of(n_clusters, p_value, replace(foresight, is_ample=False))
    return answer, [_few_note(prepared.kept[few])]


def _others_cut(scores, n_clusters: int, seed: int) -> list[str]:
    """Say where k-means in all features, as the network begins with it, cuts something else."""
    same = _agreement(scores, n_clusters, seed)
    if same >= SAME:
        return []
    return [
        f"k-means in all features, with which notebook 05 begins, does not give the {n_clusters} "
        f"clusters that were seen (adjusted Rand index {same:.2f}): something else varies more. "
        "See below what that goes along with, and what the clusters of notebook 05 are."
    ]


def _few_note(rows) -> str:
    return (
        f"{len(rows)} scans lie apart from all others, too few to be called a cluster: rows "
        f"{row_numbers(rows)}. Look at them."
    )


def _count(scores, several: list[Separation], any_seen: bool, seed: int) -> int:
    """Give the largest number of clusters that are all apart, where there are clusters at all.

    Groups that are barely apart and that k-means in all features does not give come last: they
    are now and then a cut through noise, and with k-means the network begins.
    """
    if not any_seen:
        return 1
    apart = [found for found in several if found.is_apart]
    if len(apart) < 2:
        return apart[0].n_clusters if apart else 2
    for found in reversed(apart):
        if found.is_enough or _agreement(scores, found.n_clusters, seed) >= SAME:
            return found.n_clusters
    return apart[-1].n_clusters


def _agreement(scores, n_clusters: int, seed: int) -> float:
    """Give how far k-means in all features finds the clusters that were seen."""
    clusters = kmeans(scores, n_clusters, seed=seed, n_init=10).labels_
    return agreement(clusters, groups_seen(scores, n_clusters, seed=seed))


def _inside(scores, several: list[Separation], n_clusters: int):
    """Give the scores as they spread inside the clusters that were found."""
    if n_clusters == 1:
        return scores
    labels = several[n_clusters - 2].labels
    means = pd.DataFrame(scores).groupby(labels).transform("mean").to_numpy()
    return principal_scores(scores - means)
