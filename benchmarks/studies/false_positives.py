"""How often a p-value cries wolf when there are no clusters at all."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest, ttest_ind
from sklearn.cluster import KMeans

from clamlab.experiments.null import null_calibration
from clamlab.experiments.resuming import results_of
from clamlab.stats.outcomes import outcome_associations

LEVEL = 0.05
SKEW = 1.5
OUTCOME = {"properties": {"outcome": {"type": "number", "x-role": "outcome"}}}
KINDS = ("external", "derived, naive", "derived, calibrated")


class Cohort(NamedTuple):
    """One cohort to draw."""

    shape: str
    separation: float
    seed: int
    n_scans: int
    n_features: int


def false_positive_rates(
    shapes: Sequence[str] = ("gaussian", "skewed"),
    separations: Sequence[float] = (0.0,),
    *,
    repetitions: int = 2000,
    n_scans: int = 301,
    n_features: int = 10,
    n_null: int = 39,
    seed: int = 0,
    n_jobs: int = 1,
    progress: bool = True,
) -> pd.DataFrame:
    """See which p-values may be printed: how often each is below .05, clusters or none.

    Cohorts are drawn as feature vectors, split in two by k-means, and tested between the two
    groups. Without clusters (separation 0) a p-value below .05 is a false alarm, and one in twenty
    is what a test promises; with clusters it is a discovery.

    Parameters
    ----------
    shapes : sequence of {"gaussian", "skewed"}
        Of the cloud: normal, or gamma with skewness 1.5 along every axis.
    separations : sequence of float
        Distance between two halves of the cohort along the first, widest axis, in its standard
        deviations; 0 for one cloud.
    repetitions : int
        Cohorts for each shape and separation.
    n_scans, n_features : int
    n_null : int
        One-cluster cohorts for each calibrated p (`null_calibration`).
    seed : int
        Seed of the first cohort.
    n_jobs : int
    progress : bool

    Returns
    -------
    DataFrame
        One row per shape, separation and kind of p: repetitions, share below .05, and its 95 %
        interval low to high (Wilson). Kinds: "external", an outcome from outside the image, as
        `outcome_associations` prints it; "derived, naive", a t test of the mean of the clustered
        features, never printed; "derived, calibrated", the same ranked among cohorts of one
        cluster.

    Examples
    --------
    >>> rates = false_positive_rates(["gaussian"], repetitions=20, n_null=19, progress=False)
    >>> rates.set_index("kind")["share"].between(0.5, 1).to_dict()
    {'external': False, 'derived, naive': True, 'derived, calibrated': False}
    """
    cohorts = [
        Cohort(shape, separation, seed + i, n_scans, n_features)
        for shape in shapes
        for separation in separations
        for i in range(repetitions)
    ]
    work = partial(_p_values, n_null=n_null)
    rows = results_of(work, cohorts, n_jobs=n_jobs, n_done=0, title="cohorts", progress=progress)
    return _shares(rows)


def _shares(rows: Iterable[dict]) -> pd.DataFrame:
    told = []
    for where, group in pd.DataFrame(rows).groupby(["shape", "separation"], sort=False):
        for kind in KINDS:
            below = int((group[kind] <= LEVEL).sum())
            interval = binomtest(below, len(group)).proportion_ci(method="wilson")
            told.append((*where, kind, len(group), below / len(group), *interval))
    columns = ["shape", "separation", "kind", "repetitions", "share", "low", "high"]
    return pd.DataFrame(told, columns=columns).sort_values(
        columns[:2], kind="stable", ignore_index=True
    )


def _p_values(cohort: Cohort, n_null: int) -> dict:
    rng = np.random.default_rng(cohort.seed)
    features = _draw(cohort, rng)
    labels = _two_means(features, cohort.seed)
    table = pd.DataFrame({"cluster": labels, "outcome": rng.normal(size=len(labels))})
    tests = outcome_associations(table, OUTCOME)
    calibrated = null_calibration(
        features, _difference, _two_means, seed=cohort.seed, n_null=n_null
    )
    return {
        "shape": cohort.shape,
        "separation": cohort.separation,
        "external": float(tests.loc[tests["part"] == "omnibus", "p"].iloc[0]),
        "derived, naive": float(_welch(features, labels).pvalue),
        "derived, calibrated": calibrated.p,
    }


def _draw(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    """Draw features whose axes are of falling width, as an autoencoder's principal axes are."""
    size = (cohort.n_scans, cohort.n_features)
    if cohort.shape == "gaussian":
        cloud = rng.normal(size=size)
    elif cohort.shape == "skewed":
        shape = 4 / SKEW**2
        cloud = (rng.gamma(shape, size=size) - shape) / np.sqrt(shape)
    else:
        raise ValueError(f"shape {cohort.shape!r} is neither 'gaussian' nor 'skewed'")
    cloud[: cohort.n_scans // 2, 0] += cohort.separation
    return cloud / np.sqrt(np.arange(1, cohort.n_features + 1))


def _two_means(features: np.ndarray, seed: int) -> np.ndarray:
    return KMeans(2, n_init=1, random_state=seed % 2**32).fit_predict(features)


def _difference(features: np.ndarray, labels: np.ndarray) -> float:
    return abs(float(_welch(features, labels).statistic))


def _welch(features: np.ndarray, labels: np.ndarray):
    """Test the mean feature, a stand-in for mean HU, between the two groups."""
    return ttest_ind(*(features[labels == k].mean(axis=1) for k in (0, 1)), equal_var=False)
