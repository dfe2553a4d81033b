"""What a statistic of clusters is worth when there are no clusters."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from clamlab.selection.null import one_cluster_null


@dataclass(frozen=True)
class NullCalibration:
    """A statistic beside its values on cohorts without clusters.

    Attributes
    ----------
    observed : float
    null : array
        The statistic after the same clustering step on each one-cluster cohort.
    p : float
        Share of cohorts, the observed one included, with at least the observed value, or with one
        that is no number.
    """

    observed: float
    null: np.ndarray
    p: float


def null_calibration(
    features,
    statistic: Callable[[np.ndarray, np.ndarray], float],
    cluster_step: Callable[[np.ndarray, int], np.ndarray],
    *,
    seed: int,
    n_null: int = 99,
    progress: bool = False,
) -> NullCalibration:
    """Get an honest p for a difference between clusters in what made the clusters.

    A test between clusters of anything that the clustering saw (features, mean HU, map volume)
    rejects far too often: the clustering put the scans apart. Here the same clustering step is
    run again on cohorts that are one cloud with the same covariance and skew, and the observed
    statistic is ranked among theirs.

    Parameters
    ----------
    features : (n, p) array
        What the clustering step sees.
    statistic : callable (features, labels) -> float
        Larger is more extreme.
    cluster_step : callable (features, seed) -> labels
        The step to repeat; every run gets its own seed.
    seed : int
    n_null : int
        One-cluster cohorts, at least 1; p is never below 1 / (n_null + 1).
    progress : bool
        Show a progress bar.

    Returns
    -------
    NullCalibration

    Raises
    ------
    ValueError
        If n_null is below 1 or the statistic is not a number on the observed features.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> x = np.random.default_rng(0).normal(size=(60, 4))
    >>> split = lambda x, seed: KMeans(2, n_init=2, random_state=seed).fit_predict(x)
    >>> gap = lambda x, labels: abs(x[labels == 0].mean() - x[labels == 1].mean())
    >>> null_calibration(x, gap, split, seed=0, n_null=19).p > 0.05
    True
    """
    if n_null < 1:
        raise ValueError(f"n_null must be at least 1; found {n_null}")
    x = np.asarray(features, float)
    observed = float(statistic(x, np.asarray(cluster_step(x, seed))))
    if not np.isfinite(observed):
        raise ValueError(f"the statistic of the given features must be a number; found {observed}")
    null = np.empty(n_null)
    for i in tqdm(range(n_null), desc="null cohorts", disable=not progress):
        drawn = one_cluster_null(x, seed=seed + 1 + i)
        null[i] = statistic(drawn, np.asarray(cluster_step(drawn, seed + 1 + i)))
    # What is no number in a cohort of one cloud is not smaller than what was observed.
    return NullCalibration(observed, null, float((1 + (~(null < observed)).sum()) / (1 + n_null)))
