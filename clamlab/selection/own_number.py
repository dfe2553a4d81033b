"""A person's number of clusters, held to the same test as the rule's."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.selection.answer import p_text
from clamlab.selection.counting import separations
from clamlab.selection.preparing import FEWEST_SCANS, prepare, principal_scores
from clamlab.selection.presence import LEVEL, presence
from clamlab.selection.stability import assignment_stability


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

    The p-value is that of its least separated pair: how often a single cloud looks as split as
    these two clusters do. The stability is that of its partition.

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
    pair = _least_separated(prepared.scores, n_clusters, seed)
    enough = len(pair) >= FEWEST_SCANS
    p_value = presence(pair, seed=seed).p_value if enough else None
    agreement = float(stability.bootstraps["ari"].mean())
    return {
        **decision,
        "test": {
            "n_clusters": n_clusters,
            "p_value": p_value,
            "n_scans": len(pair),
            "stability": stability.verdict,
            "agreement": round(agreement, 3),
            "words": _words(n_clusters, p_value, len(pair), stability.verdict, agreement),
        },
    }


def _least_separated(scores: NDArray, n_clusters: int, seed: int) -> NDArray:
    if n_clusters == 2:
        return scores
    found = separations(scores, [n_clusters], seed=seed)[0]
    return principal_scores(scores[np.isin(found.labels, found.pair)])


def _words(n_clusters: int, p_value: float | None, n: int, verdict: str, agreement: float) -> str:
    if p_value is None:
        tested = f"its nearest two clusters have {n} scans together, too few to be tested"
    else:
        apart = "apart" if p_value <= LEVEL else "not shown to be apart"
        which = "the two clusters" if n_clusters == 2 else "the two least separated clusters"
        tested = f"{which} are {apart} ({p_text(p_value)} that one cloud looks as split)"
    return (
        f"{n_clusters} clusters: {tested}; partitions of resampled scans are {verdict} "
        f"(adjusted Rand index {agreement:.2f})."
    )
