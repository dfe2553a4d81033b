"""Densities of the fitted laws, two humps and one, to be drawn over the scans they were fitted to.

Parameters are those of the fits in :mod:`clamlab.selection.humps`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from clamlab.selection.humps import FREEDOM, ONE_HUMP, standardised, two_humps

Array = NDArray[np.float64]
Density = Callable[[ArrayLike], Array]

TWO_HUMPS = "two humps"


def fitted_laws(values: ArrayLike, upper: ArrayLike) -> dict[str, Density]:
    """See what is weighed against each other: two humps, and the one hump that fits best.

    Parameters
    ----------
    values : array, shape (n_scans,)
        Places along a line.
    upper : array of bool, shape (n_scans,)
        The scans of the group that lies higher.

    Returns
    -------
    dict of str to callable
        "two humps", then the name of the best law of one hump; each gives the density at places
        in the units of `values`.

    Examples
    --------
    >>> values = np.random.default_rng(0).gamma(2, size=80)
    >>> laws = fitted_laws(values, values > 2)
    >>> list(laws), float(laws["gamma"](1).round(1))
    (['two humps', 'gamma'], 0.4)
    """
    values = np.asarray(values, float)
    z = standardised(values[None])
    one = {name: fit(z) for name, fit in ONE_HUMP.items()}
    best = max(one, key=lambda name: one[name].log_likelihood[0])
    fits = {TWO_HUMPS: two_humps(z, np.asarray(upper, bool)[None]), best: one[best]}
    return {
        name: _in_units(DENSITIES[name], fit.parameters[0], values.mean(), values.std())
        for name, fit in fits.items()
    }


def _in_units(density: Callable, parameters: Array, mean: float, sd: float) -> Density:
    return lambda places: density((np.asarray(places, float) - mean) / sd, parameters) / sd


def _two_humps(t: Array, parameters: Array) -> Array:
    low, high, spread, part = parameters
    lower, upper = (stats.norm.pdf(t, mean, spread) for mean in (low, high))
    return (1 - part) * lower + part * upper


def _flat(t: Array, parameters: Array) -> Array:
    centre, half, end = parameters[0], *np.exp(parameters[1:])
    from_left, from_right = (stats.norm.cdf(t, centre + side * half, end) for side in (-1, 1))
    return (from_left - from_right) / (2 * half)


def _heavy(t: Array, parameters: Array) -> Array:
    mode, lower, upper = parameters
    away = (t - mode) / np.where(t < mode, lower, upper)
    return 2 / (lower + upper) * stats.t.pdf(away, FREEDOM)


def _gamma(t: Array, parameters: Array) -> Array:
    sign, start, shape, scale = parameters
    return stats.gamma.pdf(sign * t, shape, start, scale)


def _lognormal(t: Array, parameters: Array) -> Array:
    sign, start, mean, spread = parameters
    return stats.lognorm.pdf(sign * t, spread, start, np.exp(mean))


# Each takes places, standardised as the values were, and the parameters of one line's fit.
DENSITIES: dict[str, Callable[[Array, Array], Array]] = {
    TWO_HUMPS: _two_humps,
    "flat": _flat,
    "heavy-tailed": _heavy,
    "gamma": _gamma,
    "lognormal": _lognormal,
}
