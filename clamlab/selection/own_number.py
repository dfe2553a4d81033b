"""A person's number of clusters, held to the same test as the rule's."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.selection.answer import p_text
from clamlab.selection.counting import pair_margin, views
from clamlab.selection.criteria import kmeans
from clamlab.selection.lines import SMALLEST_CLUSTER
from clamlab.selection.preparing import FEWEST_SCANS, prepare, principal_scores
from clamlab.selection.presence import LEVEL, presence
from clamlab.selection.same_cut import are_same, best_cut
from clamlab.selection.stability import VERDICTS, assignment_stability, come_back

SEEN_WITH = " Seen with"
SEEN_WITHOUT = "taken out; notebook 05 clusters the scans as they are."
TAKEN_OUT = f"{SEEN_WITH} some measures {SEEN_WITHOUT}"


def with_test(
    decision: dict[str, Any],
    features: ArrayLike,
    *,
    seed: int,
    n_bootstrap: int = 100,
    subjects: Sequence | None = None,
    without: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Put beside a decided number what the features say of it, for every later page to print.

    The p-value is that of its two clusters that are hardest to tell apart: how often a single cloud
    looks as split as they do together. The stability is that of its partition.

    Parameters
    ----------
    decision : dict
        From :func:`clamlab.selection.decide`.
    features : array, shape (n_scans, p)
        Before any clustering phase.
    seed : int
    n_bootstrap : int
        Resampled partitions.
    subjects, without
        As for :func:`clamlab.selection.choose_n_clusters`.

    Returns
    -------
    dict
        The decision with ``test``: n_clusters, p_value (none where the pair has fewer than twelve
        scans), is_between (where a gap is seen: whether it lies between these two, or elsewhere),
        n_scans (of the pair), stability ("stable", "doubtful", "unstable"), agreement (mean
        adjusted Rand index), words. One cluster has no test.

    Raises
    ------
    ValueError
        If there are too few scans for so many clusters.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> decision = {"n_clusters": 2, "decided_by": "A. Reader"}
    >>> test = with_test(decision, x, seed=0, n_bootstrap=5)["test"]
    >>> test["p_value"] > 0.04, test["stability"]
    (True, 'unstable')
    """
    n_clusters = decision["n_clusters"]
    if n_clusters < 2:
        return {**decision, "test": None}
    prepared = prepare(features, subjects=subjects, without=without)
    stability = assignment_stability(
        prepared.features, n_clusters, seed=seed, n_bootstrap=n_bootstrap
    )
    test = {
        "n_clusters": n_clusters,
        **_test_of_pair(prepared.scores, n_clusters, seed),
        "stability": stability.verdict,
        "agreement": round(float(stability.bootstraps["ari"].mean()), 3),
    }
    return {**decision, "test": {**test, "words": _words(test) + _taken_out(without)}}


def words_of_test(test: dict[str, Any]) -> str:
    """Say again from its numbers what a test found, without the words that came with it.

    Parameters
    ----------
    test : dict
        As `with_test` makes it. Names of measures that were taken out are not repeated.

    Returns
    -------
    str

    Raises
    ------
    KeyError, TypeError, ValueError
        If the numbers are not those of a test.

    Examples
    --------
    >>> test = {"n_clusters": 2, "p_value": 0.4, "is_between": None, "n_scans": 30}
    >>> test |= {"stability": "stable"}
    >>> words_of_test(test | {"agreement": 0.9, "words": "as for Jane Doe"})
    '2 clusters: the two clusters are not shown to be apart (p = .40 that one cloud looks as
    split); partitions of resampled scans are stable (adjusted Rand index 0.90).'
    """
    p_value, verdict = test["p_value"], test["stability"]
    if verdict not in VERDICTS:
        raise ValueError(f"expected one of {', '.join(VERDICTS)}, found {verdict!r}")
    numbers = {
        "n_clusters": int(test["n_clusters"]),
        "p_value": None if p_value is None else float(p_value),
        "is_between": test["is_between"],
        "n_scans": int(test["n_scans"]),
        "stability": verdict,
        "agreement": float(test["agreement"]),
    }
    return _words(numbers) + (TAKEN_OUT if SEEN_WITHOUT in str(test.get("words", "")) else "")


def _test_of_pair(scores: NDArray, n_clusters: int, seed: int) -> dict[str, Any]:
    """Test the two clusters of k-means in all components that are hardest to tell apart."""
    found = kmeans(scores, n_clusters, seed=seed, n_init=10)
    pair = _hardest_two(scores, found.labels_, found.cluster_centers_)
    both = np.isin(found.labels_, pair)
    n = int(both.sum())
    if n < FEWEST_SCANS:
        return {"p_value": None, "is_between": None, "n_scans": n}
    # Of two clusters the components of all scans are those of the pair.
    tested = scores if n_clusters == 2 else principal_scores(scores[both])
    p_value, is_between = presence(tested, seed=seed).p_value, None
    if p_value <= LEVEL:
        _, upper = best_cut(tested, seed=seed)
        is_between = are_same(upper, found.labels_[both] == pair[1])
    return {"p_value": p_value, "is_between": is_between, "n_scans": n}


def _hardest_two(scores: NDArray, labels: NDArray, centres: NDArray) -> tuple[int, int]:
    """Find the pair with least evidence, at its best view; the nearest, where there is none."""
    n_clusters = len(centres)
    sizes = np.bincount(labels, minlength=n_clusters)

    def ease(pair: tuple[int, int]) -> tuple[float, float]:
        apart = float(np.linalg.norm(centres[pair[0]] - centres[pair[1]]))
        if sizes[list(pair)].min() < SMALLEST_CLUSTER:
            return -np.inf, apart
        shown = (pair_margin(scores, view, labels, pair) for view in views(scores, n_clusters))
        return max(shown), apart

    return min(combinations(range(n_clusters), 2), key=ease)


def _taken_out(without: pd.DataFrame | None) -> str:
    if without is None or not without.shape[1]:
        return ""
    names = ", ".join(map(str, without.columns))
    return f"{SEEN_WITH} {names} {SEEN_WITHOUT}"


def _words(test: dict[str, Any]) -> str:
    n_clusters, p_value, comes_back = test["n_clusters"], test["p_value"], test["agreement"]
    which = "the two clusters" if n_clusters == 2 else "the two that are hardest to tell apart"
    if p_value is None:
        tested = f"{which} have {test['n_scans']} scans together, too few to be tested"
    else:
        apart = "apart" if p_value <= LEVEL else "not shown to be apart"
        if test["is_between"] is False:
            apart = "not those between which a gap is seen"
        tested = f"{which} are {apart} ({p_text(p_value)} that one cloud looks as split)"
    return (
        f"{n_clusters} clusters: {tested}; partitions of resampled scans "
        f"{come_back(test['stability'], comes_back)} (adjusted Rand index {comes_back:.2f})."
    )
