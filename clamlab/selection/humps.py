"""Evidence for two humps against one, of values along a line: a difference of log likelihoods.

Two humps are two Gaussians of one variance. One hump is any of four laws that a cohort without
clusters can follow: flat with Gaussian ends (a line of severity), heavy-tailed with a scale of its
own on either side (outliers), and the shifted gamma and lognormal laws, leaning either way. Where
one of the four fits as well as two humps, the values show no clusters.

Every function takes many lines at once, one a row, as the law of the evidence is found by drawing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, log_ndtr, logsumexp, ndtr

Array = NDArray[np.float64]

# A beta law of the share of a hump: two humps of a scan each are no sign of clusters.
SHARE_PRIOR = 2.0
STEPS = 30
FREEDOM = 5.0
# Where the mode of the heavy-tailed law is tried, and how far below the least value a shifted law
# may begin, in standard deviations: at the value itself its likelihood has no bound.
MODES = np.linspace(0.1, 0.9, 9)
SHIFTS = np.geomspace(0.03, 30, 12)
LEAST_SPREAD = 1e-3
FAR_OUTSIDE = 1e-12
LOG_2PI = np.log(2 * np.pi)


@dataclass(frozen=True)
class Fit:
    """A law fitted to the values of each line: how well it does, and its parameters."""

    log_likelihood: Array
    parameters: Array


def evidence(values: Array, upper: NDArray[np.bool_]) -> Array:
    """Say how much better two humps fit each line than the best laws of one hump.

    Parameters
    ----------
    values : array, shape (lines, scans)
    upper : array of bool, shape (lines, scans)
        The scans of one of the two groups: where the fit of two humps begins.

    Returns
    -------
    array, shape (lines,)
        Log likelihood of two humps less that of one (the four laws' sum, the share's prior
        within), above 0 where two fit better.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one, two = rng.normal(size=(2, 1, 60))
    >>> two[:, 30:] += 6
    >>> upper = np.repeat([[False, True]], 30, axis=1)
    >>> bool(evidence(one, one > 0)[0] < 2), bool(evidence(two, upper)[0] > 5)
    (True, True)
    """
    z = standardised(values)
    one = logsumexp([fit(z).log_likelihood for fit in ONE_HUMP.values()], axis=0)
    return two_humps(z, upper).log_likelihood - one


def standardised(values: Array) -> Array:
    """Bring each line to mean 0 and standard deviation 1."""
    centred = values - values.mean(-1, keepdims=True)
    return centred / np.maximum(centred.std(-1, keepdims=True), 1e-300)


def two_humps(z: Array, upper: NDArray[np.bool_]) -> Fit:
    """Fit two Gaussians of one variance; parameters: lower and upper mean, spread, upper share."""
    n = z.shape[-1]
    share = upper.astype(float)
    for _ in range(STEPS):
        n_upper = share.sum(-1)
        high = (share * z).sum(-1) / np.maximum(n_upper, 1e-9)
        low = ((1 - share) * z).sum(-1) / np.maximum(n - n_upper, 1e-9)
        within = share * (z - high[:, None]) ** 2 + (1 - share) * (z - low[:, None]) ** 2
        spread = np.sqrt(np.maximum(within.mean(-1), LEAST_SPREAD**2))
        part = (n_upper + SHARE_PRIOR - 1) / (n + 2 * SHARE_PRIOR - 2)
        logs = _two_logs(z, low, high, spread, part)
        total = np.logaddexp(*logs)
        share = np.exp(logs[1] - total)
    prior = (SHARE_PRIOR - 1) * np.log(4 * part * (1 - part))
    return Fit(total.sum(-1) + prior, np.stack([low, high, spread, part], -1))


def _two_logs(z: Array, low: Array, high: Array, spread: Array, part: Array) -> list[Array]:
    scale = spread[:, None]
    return [
        np.log(weight)[:, None]
        - ((z - mean[:, None]) / scale) ** 2 / 2
        - np.log(scale)
        - LOG_2PI / 2
        for mean, weight in ((low, 1 - part), (high, part))
    ]


def flat(z: Array) -> Fit:
    """Fit a flat stretch with Gaussian ends; parameters: centre, log half width, log spread."""
    middle = (z.min(-1) + z.max(-1)) / 2
    starts = [
        np.stack(
            [centre, np.full_like(middle, np.log(half)), np.full_like(middle, np.log(end))], -1
        )
        for centre in (np.zeros_like(middle), middle)
        for half, end in ((1.7, 0.1), (1.6, 0.35), (1.2, 0.7))
    ]
    best = Fit(np.full(len(z), -np.inf), starts[0])
    for start in starts:
        best = _better(best, Fit(_flat_log(z, start), start))
    for step in (0.2, 0.2, 0.1, 0.1, 0.05, 0.025):
        here = best.parameters
        for axis in range(3):
            for way in (-step, step):
                moved = here.copy()
                # Half widths and spreads are kept from where the law is no longer one of its kind.
                moved[:, axis] = np.clip(moved[:, axis] + way * (1 + (axis == 2)), -5, 2)
                best = _better(best, Fit(_flat_log(z, moved), moved))
    return best


def _flat_log(z: Array, parameters: Array) -> Array:
    centre, half, end = parameters[:, :1], np.exp(parameters[:, 1:2]), np.exp(parameters[:, 2:])
    return _flat_density_log(np.abs(z - centre), half, end).sum(-1)


def _flat_density_log(away: Array, half: Array, end: Array) -> Array:
    upper = (half - away) / end
    inside = ndtr(upper) - ndtr((-half - away) / end)
    # Far outside the difference is lost to rounding, its logarithm is not.
    far = inside < FAR_OUTSIDE
    inside_log = np.log(np.maximum(inside, FAR_OUTSIDE))
    inside_log[far] = log_ndtr(upper[far])
    return inside_log - np.log(2 * half)


def heavy(z: Array) -> Fit:
    """Fit Student's t (5 degrees of freedom) of two scales; parameters: mode and both scales."""
    ordered = np.sort(z, -1)
    best = Fit(np.full(len(z), -np.inf), np.zeros((len(z), 3)))
    for mode in MODES:
        at = ordered[:, int(mode * (z.shape[-1] - 1))][:, None]
        away = (z - at) ** 2
        below = z < at
        weight = np.ones_like(z)
        for _ in range(6):
            lower = np.cbrt(np.where(below, weight * away, 0).sum(-1) + 1e-9)
            upper = np.cbrt(np.where(below, 0, weight * away).sum(-1) + 1e-9)
            common = np.sqrt((lower + upper) / z.shape[-1])
            scales = np.maximum(np.stack([lower * common, upper * common], -1), LEAST_SPREAD)
            scale = np.where(below, scales[:, :1], scales[:, 1:])
            weight = (FREEDOM + 1) / (FREEDOM + away / scale**2)
        fit = Fit(_heavy_log(away, scale, scales).sum(-1), np.c_[at, scales])
        best = _better(best, fit)
    return best


def _heavy_log(away: Array, scale: Array, scales: Array) -> Array:
    constant = gammaln((FREEDOM + 1) / 2) - gammaln(FREEDOM / 2) - np.log(np.pi * FREEDOM) / 2
    tail = -(FREEDOM + 1) / 2 * np.log1p(away / scale**2 / FREEDOM)
    return constant + tail + np.log(2 / scales.sum(-1))[:, None]


def leaning_gamma(z: Array) -> Fit:
    """Fit a shifted gamma law leaning either way; parameters: sign, start, shape, scale."""
    return _leaning(z, _gamma_log)


def leaning_lognormal(z: Array) -> Fit:
    """Fit a shifted lognormal law leaning either way; parameters: sign, start, mean, spread."""
    return _leaning(z, _lognormal_log)


def _leaning(z: Array, law: Callable) -> Fit:
    best = Fit(np.full(len(z), -np.inf), np.zeros((len(z), 4)))
    for sign in (1.0, -1.0):
        least = (sign * z).min(-1)
        for shift in SHIFTS:
            start = least - shift
            log_likelihood, one, two = law(sign * z - start[:, None])
            found = np.stack([np.full_like(start, sign), start, one, two], -1)
            best = _better(best, Fit(log_likelihood, found))
    return best


def _gamma_log(above: Array) -> tuple[Array, Array, Array]:
    mean, logs = above.mean(-1), np.log(above).mean(-1)
    gap = np.maximum(np.log(mean) - logs, 1e-9)
    # The shape of largest likelihood to within 1.5 %, in closed form (Minka 2002).
    shape = np.maximum((3 - gap + np.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap), 1.0)
    scale = mean / shape
    each = (shape - 1) * logs - shape - shape * np.log(scale) - gammaln(shape)
    return each * above.shape[-1], shape, scale


def _lognormal_log(above: Array) -> tuple[Array, Array, Array]:
    logs = np.log(above)
    mean, spread = logs.mean(-1), np.maximum(logs.std(-1), LEAST_SPREAD)
    return -above.shape[-1] * (mean + np.log(spread) + (1 + LOG_2PI) / 2), mean, spread


def _better(one: Fit, other: Fit) -> Fit:
    wins = other.log_likelihood > one.log_likelihood
    return Fit(
        np.where(wins, other.log_likelihood, one.log_likelihood),
        np.where(wins[:, None], other.parameters, one.parameters),
    )


ONE_HUMP: dict[str, Callable[[Array], Fit]] = {
    "flat": flat,
    "heavy-tailed": heavy,
    "gamma": leaning_gamma,
    "lognormal": leaning_lognormal,
}
