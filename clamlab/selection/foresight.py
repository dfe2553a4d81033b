"""What would have been seen: clusters are planted in a cloud like the cohort's, and looked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clamlab.selection.lines import best_evidence
from clamlab.selection.null import turned_clouds
from clamlab.selection.presence import N_SEEN, critical_value, n_draws, nulls

Array = NDArray[np.float64]

N_DRAWS = 120
POWER = 0.8
# What a cohort must have been able to show before it is called a continuum, and what a larger one
# is foretold for: (distance in standard deviations, share of the smaller cluster).
HALVES, FIFTH = (4.0, 0.5), (5.0, 0.2)
NEAREST, FARTHEST = 2.0, 10.0
FEWEST, MOST = 20, 700
HALVINGS = 5
# About as many scans as four standard deviations take. What is asked of many more is less.
ABOUT = 80


@dataclass(frozen=True)
class Planted:
    """A cloud to plant two clusters in, between the second and the third component.

    Attributes
    ----------
    scores : array, shape (scans, components)
        Their spread and lean are those inside the clusters.
    seed : int
    """

    scores: Array
    seed: int

    def cohort(self, apart_sd: float, n_scans: int) -> Array:
        """Draw one cohort of two halves, on its own principal components."""
        every = self.scores.shape[1]
        return next(self._cohorts(1, apart_sd, 0.5, n_scans, n_components=every))[0]

    def power(self, apart_sd: float, share: float, n_scans: int, critical: float) -> float:
        """Give the share of cohorts in which two clusters would be seen.

        Parameters
        ----------
        apart_sd : float
            Distance of the centroids in standard deviations within a cluster.
        share : float
            Of the smaller cluster.
        n_scans : int
        critical : float
            Evidence from which clusters are seen.
        """
        n_cohorts = n_draws(n_scans, N_DRAWS)
        clouds = self._cohorts(n_cohorts, apart_sd, share, n_scans, n_components=N_SEEN)
        seen = [best_evidence(block, seed=self.seed) >= critical for block in clouds]
        return float(np.concatenate(seen).mean())

    def _cohorts(
        self, n: int, apart_sd: float, share: float, n_scans: int, *, n_components: int
    ) -> Iterator[Array]:
        upper = np.arange(n_scans) < round(share * n_scans)
        return turned_clouds(
            self.scores,
            n,
            np.random.default_rng(self.seed),
            n_components=n_components,
            n_scans=n_scans,
            moved=upper[:, None] * (apart_sd * self._one_sd),
        )

    @property
    def _one_sd(self) -> Array:
        """One standard deviation in the direction of the clusters.

        What varies most seldom tells clusters apart.
        """
        spread = self.scores.std(0)
        along = np.zeros_like(spread)
        along[1:3] = 1 / np.sqrt(len(along[1:3]))
        return along * np.sqrt((along**2 * spread**2).sum())


@dataclass(frozen=True)
class Foresight:
    """What a cohort like this one would have shown.

    Attributes
    ----------
    seen_from_sd : float, optional
        Two halves so many standard deviations apart would have been seen with probability .8;
        none where 10 would not do.
    n_scans_needed : int, optional
        Scans in which two halves 4 standard deviations apart would be seen with probability .8;
        none where 700 would not do.
    is_ample : bool
        Whether halves 4 and a fifth 5 standard deviations apart would both have been seen with
        that probability.
    """

    seen_from_sd: float | None
    n_scans_needed: int | None
    is_ample: bool


def foresee(scores: Array, critical: float, *, seed: int) -> Foresight:
    """Foretell from the spread and lean inside the clusters what would be seen.

    Parameters
    ----------
    scores : array, shape (scans, components)
        Principal components, of a cohort without clusters or within its clusters.
    critical : float
        Evidence from which clusters are seen in this cohort, of :func:`critical_value`.
    seed : int

    Returns
    -------
    Foresight

    Examples
    --------
    >>> scores = np.random.default_rng(0).normal(size=(30, 5)) * [5, 4, 3, 2, 1]
    >>> 4 < foresee(scores, 1.7, seed=0).seen_from_sd < 7
    True
    """
    planted, n = Planted(scores, seed), len(scores)
    there = critical if n <= ABOUT else _critical_there(planted)
    nearest = _first(
        lambda apart: planted.power(apart, HALVES[1], n, critical), (NEAREST, FARTHEST)
    )
    needed = _first(
        lambda log_n: planted.power(*HALVES, round(np.exp(log_n)), there),
        (np.log(FEWEST), np.log(MOST)),
    )
    seen = (planted.power(*planned, n, critical) >= POWER for planned in (HALVES, FIFTH))
    return Foresight(
        seen_from_sd=None if nearest is None else round(nearest, 1),
        n_scans_needed=None if needed is None else round(np.exp(needed)),
        is_ample=all(seen),
    )


def _critical_there(planted: Planted) -> float:
    """Give the evidence from which clusters would be seen in a smaller cohort that has them.

    One cloud as wide as two halves shows more evidence by chance than one like the cohort; where
    the cohort holds clusters that are not seen, it is wide already.
    """
    like = [planted.scores, planted.cohort(HALVES[0], ABOUT)]
    return max(critical_value(nulls(scores, seed=planted.seed, n_scans=ABOUT)) for scores in like)


def _first(power, within: tuple[float, float]) -> float | None:
    """Find where a power that grows reaches .8; none where it does not."""
    low, high = within
    if power(high) < POWER:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < POWER else (low, middle)
    return (low + high) / 2
