"""The line on which clusters show best, to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.clustering.checks import check_seed, check_whole
from clamlab.selection.counting import separations
from clamlab.selection.densities import Density, fitted_laws
from clamlab.selection.lines import along_line
from clamlab.selection.preparing import prepare
from clamlab.selection.same_cut import best_cut


@dataclass(frozen=True)
class Sight:
    """Scans along the line that shows best whether two groups are apart.

    Attributes
    ----------
    along : array, shape (n_scans,)
        Places along the line through the two centroids, mean 0, in standard deviations within the
        groups.
    upper : array of bool, shape (n_scans,)
        The scans of the group that lies higher.
    view : tuple of int
        Principal components, from 0, in which the groups were found.
    rows : array of int, shape (n_scans,)
        Rows of the features (the first of a patient): those of the two groups.
    """

    along: NDArray[np.float64]
    upper: NDArray[np.bool_]
    view: tuple[int, ...]
    rows: NDArray[np.int64]

    def laws(self) -> dict[str, Density]:
        """Give the densities that the evidence weighs: two humps, and the best of one hump."""
        return fitted_laws(self.along, self.upper)


def best_sight(
    features: ArrayLike,
    n_clusters: int,
    *,
    seed: int,
    subjects: Sequence | None = None,
    without: pd.DataFrame | None = None,
) -> Sight:
    """See the cloud where clusters show most: two halves, or the two of K hardest to tell apart.

    Parameters
    ----------
    features : array, shape (n_scans, p)
        Of the pre-trained encoder.
    n_clusters : int
        One and two look at the halves of the whole cohort.
    seed : int
    subjects, without
        As for :func:`clamlab.selection.choose_n_clusters`.

    Returns
    -------
    Sight

    Raises
    ------
    ValueError
        If the number of clusters is below 1, or one of three or more is a handful of scans however
        they are seen; and as :func:`clamlab.selection.choose_n_clusters`.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 4))
    >>> x[30:, 0] += 8
    >>> sight = best_sight(x, 2, seed=0)
    >>> len(sight.along), int(sight.upper.sum())
    (60, 30)
    """
    check_whole("n_clusters", n_clusters)
    check_seed(seed)
    prepared = prepare(features, subjects=subjects, without=without)
    scores, kept = prepared.scores, prepared.kept
    if n_clusters > 2:
        found = separations(scores, [n_clusters], seed=seed)[0]
        if not np.isfinite(found.margin):
            raise ValueError(
                f"expected {n_clusters} clusters of some size, found one of a handful of scans in "
                "every view: there are no two to look at; ask for fewer"
            )
        pair = np.flatnonzero(np.isin(found.labels, found.pair))
        return _sight(scores[pair], found.labels[pair] == found.pair[1], found.view, kept[pair])
    view, upper = best_cut(scores, seed=seed)
    return _sight(scores, upper, view, kept)


def _sight(scores, upper, view: tuple[int, ...], rows) -> Sight:
    along = along_line(scores[None, :, view], upper[None])[0]
    within = np.where(upper, along - along[upper].mean(), along - along[~upper].mean())
    along = (along - along.mean()) / max(within.std(), 1e-12)
    return Sight(along, upper, view, rows)
