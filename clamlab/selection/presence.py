"""Are there clusters at all? A p-value whose law is that of the whole procedure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clamlab.selection.lines import VIEWS, best_evidence
from clamlab.selection.null import turned_clouds

Array = NDArray[np.float64]

LEVEL = 0.04
N_DRAWS = 299
# Beyond so many scans a draw costs more and the evidence is ample: a third of the draws is taken.
MANY_SCANS = 400
N_SEEN = max(max(view) for view in VIEWS) + 1


def n_draws(n_scans: int, most: int = N_DRAWS) -> int:
    """Give how often one cloud is drawn: a third as often where there are many scans."""
    return most if n_scans <= MANY_SCANS else most // 3


@dataclass(frozen=True)
class Presence:
    """The test for two clusters against one cloud.

    Attributes
    ----------
    p_value : float
        How often one cloud shows as much, from 1 / 300 (1 / 100 of more than 400 scans).
    critical : float
        Evidence from which clusters are seen.
    """

    p_value: float
    critical: float


def presence(scores: Array, *, seed: int) -> Presence:
    """Test for clusters against one cloud, cut and viewed in the same ways.

    Cohorts of one cloud are drawn with the spread and lean of every component, once as they are
    and once with a flat first component; the larger of the two p counts.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components.
    seed : int

    Returns
    -------
    Presence
    """
    observed = float(best_evidence(scores[None, :, :N_SEEN], seed=seed)[0])
    drawn = nulls(scores, seed=seed)
    p_value = max((1 + (null >= observed).sum()) / (1 + len(null)) for null in drawn)
    return Presence(float(p_value), critical_value(drawn))


def is_present(scores: Array, *, seed: int) -> bool:
    """Give the decision of :func:`presence` alone, and stop drawing once it is certain.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components.
    seed : int
    """
    observed = float(best_evidence(scores[None, :, :N_SEEN], seed=seed)[0])
    allowed = LEVEL * (1 + n_draws(len(scores)))
    for flat_first in (False, True):
        exceeded = 1
        for drawn in _null_blocks(scores, seed, len(scores), flat_first):
            exceeded += (drawn >= observed).sum()
            if exceeded > allowed:
                return False
    return True


def critical_value(drawn: list[Array]) -> float:
    """Give the evidence that one cloud seldom shows, of either kind."""
    return float(max(np.quantile(null, 1 - LEVEL, method="higher") for null in drawn))


def nulls(scores: Array, *, seed: int, n_scans: int | None = None) -> list[Array]:
    """Draw the evidence in cohorts of one cloud: one array for each of the two kinds."""
    n = n_scans or len(scores)
    return [np.concatenate(list(_null_blocks(scores, seed, n, flat))) for flat in (False, True)]


def _null_blocks(scores: Array, seed: int, n_scans: int, flat_first: bool) -> Iterator[Array]:
    clouds = turned_clouds(
        scores,
        n_draws(n_scans),
        np.random.default_rng([seed, int(flat_first)]),
        n_components=N_SEEN,
        flat_first=flat_first,
        n_scans=n_scans,
    )
    return (best_evidence(block, seed=seed) for block in clouds)
