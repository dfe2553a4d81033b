"""A person's number of clusters, held to the same test as the rule's."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist

from clamlab.selection.answer import p_text
from clamlab.selection.criteria import kmeans
from clamlab.selection.preparing import FEWEST_SCANS, prepare, principal_scores
from clamlab.selection.presence import LEVEL, presence
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

    The p-value is that of its two nearest clusters: how often a single cloud looks as split as
    they do. The stability is that of its partition.

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
        scans), n_scans (of the pair), stability ("stable", "doubtful", "unstable"), agreement
        (mean adjusted Rand index), words. One cluster has no test.

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
    pair = _nearest_two(prepared.scores, n_clusters, seed)
    enough = len(pair) >= FEWEST_SCANS
    tested = pair if n_clusters == 2 else principal_scores(pair)
    p_value = presence(tested, seed=seed).p_value if enough else None
    agreement = float(stability.bootstraps["ari"].mean())
    test = {
        "n_clusters": n_clusters,
        "p_value": p_value,
        "n_scans": len(pair),
        "stability": stability.verdict,
        "agreement": round(agreement, 3),
    }
    words = _words(n_clusters, p_value, len(pair), stability.verdict, agreement)
    return {**decision, "test": {**test, "words": words + _taken_out(without)}}


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
    >>> test = {"n_clusters": 2, "p_value": 0.4, "n_scans": 30, "stability": "stable"}
    >>> words_of_test(test | {"agreement": 0.9, "words": "as for Jane Doe"})
    '2 clusters: the two clusters are not shown to be apart (p = .40 that one cloud looks as
    split); partitions of resampled scans are stable (adjusted Rand index 0.90).'
    """
    p_value, verdict = test["p_value"], test["stability"]
    if verdict not in VERDICTS:
        raise ValueError(f"expected one of {', '.join(VERDICTS)}, found {verdict!r}")
    words = _words(
        int(test["n_clusters"]),
        None if p_value is None else float(p_value),
        int(test["n_scans"]),
        verdict,
        float(test["agreement"]),
    )
    return words + (TAKEN_OUT if SEEN_WITHOUT in str(test.get("words", "")) else "")


def _nearest_two(scores: NDArray, n_clusters: int, seed: int) -> NDArray:
    """Give the scans of the two nearest clusters, as k-means finds them in all components."""
    if n_clusters == 2:
        return scores
    found = kmeans(scores, n_clusters, seed=seed, n_init=10)
    distances = pdist(found.cluster_centers_)
    pair = list(combinations(range(n_clusters), 2))[int(np.argmin(distances))]
    return scores[np.isin(found.labels_, pair)]


def _taken_out(without: pd.DataFrame | None) -> str:
    if without is None or not without.shape[1]:
        return ""
    names = ", ".join(map(str, without.columns))
    return f"{SEEN_WITH} {names} {SEEN_WITHOUT}"


def _words(n_clusters: int, p_value: float | None, n: int, verdict: str, agreement: float) -> str:
    if p_value is None:
        tested = f"its nearest two clusters have {n} scans together, too few to be tested"
    else:
        apart = "apart" if p_value <= LEVEL else "not shown to be apart"
        which = "the two clusters" if n_clusters == 2 else "the two nearest clusters"
        tested = f"{which} are {apart} ({p_text(p_value)} that one cloud looks as split)"
    return (
        f"{n_clusters} clusters: {tested}; partitions of resampled scans "
        f"{come_back(verdict, agreement)} (adjusted Rand index {agreement:.2f})."
    )
