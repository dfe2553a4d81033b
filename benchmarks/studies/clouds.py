"""Cohorts of one cloud, of many makes: whoever finds clusters in them raises a false alarm."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clamlab.simulate.features import one_cloud, rotated

Array = NDArray[np.float64]

# As much as two halves five standard deviations apart vary.
LINE_SD = 2.7


def cloud_features(family: str, n_scans: int, *, seed: int) -> Array:
    """Draw features without clusters.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    n_scans : int
    seed : int

    Returns
    -------
    array, shape (n_scans, 40)

    Examples
    --------
    >>> cloud_features("banana", 24, seed=1000).shape
    (24, 40)
    """
    rng = np.random.default_rng(seed)
    return rotated(FAMILIES[family](rng, one_cloud(n_scans, rng)), rng)


def _line(draw: Callable, mean: float, sd: float) -> Callable:
    def family(rng: np.random.Generator, x: Array) -> Array:
        x[:, 1] = LINE_SD * (draw(rng, len(x)) - mean) / sd
        return x

    return family


def _heavy_tailed(rng: np.random.Generator, x: Array) -> Array:
    x[:, 1] *= LINE_SD
    return x * np.sqrt(3 / rng.chisquare(5, size=(len(x), 1)))


def _banana(rng: np.random.Generator, x: Array) -> Array:
    t = rng.standard_normal(len(x))
    x[:, 1] = LINE_SD * t
    x[:, 2] += LINE_SD * (t**2 - 1) / 2
    return x


def _arc(angle: float) -> Callable:
    def family(rng: np.random.Generator, x: Array) -> Array:
        at = angle * (rng.uniform(size=len(x)) - 0.5)
        x[:, 1:3] = 0.5 * x[:, 1:3] + 4 * np.c_[np.sin(at), np.cos(at)]
        return x

    return family


def _outliers(rng: np.random.Generator, x: Array) -> Array:
    x[:, 1] *= LINE_SD
    x[rng.uniform(size=len(x)) < 0.05] *= 4
    return x


def _of_many(draw: Callable, mean: float, sd: float) -> Callable:
    def family(rng: np.random.Generator, x: Array) -> Array:
        x[:, 1] *= LINE_SD
        scale = np.abs(x).mean(0)
        return scale * (draw(rng, x.shape) - mean) / sd

    return family


LOGNORMAL_SD = np.sqrt((np.exp(0.5) - 1) * np.exp(0.5))

# The families of the reference, and others that no rule was chosen on.
NAMED: dict[str, Callable] = {
    "Gaussian": _line(lambda rng, n: rng.standard_normal(n), 0, 1),
    "t5": _heavy_tailed,
    "gamma 1": _line(lambda rng, n: rng.standard_gamma(1, n), 1, 1),
    "gamma 2": _line(lambda rng, n: rng.standard_gamma(2, n), 2, np.sqrt(2)),
    "lognormal": _line(
        lambda rng, n: rng.lognormal(0, np.sqrt(0.5), n), np.exp(0.25), LOGNORMAL_SD
    ),
    "uniform": _line(lambda rng, n: rng.uniform(-1, 1, n), 0, 1 / np.sqrt(3)),
    "banana": _banana,
    "half circle": _arc(np.pi),
    "outliers": _outliers,
}
OTHERS: dict[str, Callable] = {
    "triangle": _line(lambda rng, n: rng.triangular(0, 0, 1, n), 1 / 3, 1 / np.sqrt(18)),
    "Weibull": _line(lambda rng, n: rng.weibull(1.5, n), 0.9027, 0.6129),
    "crescent": _arc(2.0),
    "logistic": _line(lambda rng, n: rng.logistic(size=n), 0, np.pi / np.sqrt(3)),
    "beta 1/2": _line(lambda rng, n: rng.beta(1, 0.5, n), 2 / 3, np.sqrt(0.5 / (2.25 * 2.5))),
    "gamma of every feature": _of_many(lambda rng, s: rng.standard_gamma(1.5, s), 1.5, 1.2247),
    "round": lambda rng, x: rng.standard_normal(x.shape),
}
FAMILIES = {**NAMED, **OTHERS}
