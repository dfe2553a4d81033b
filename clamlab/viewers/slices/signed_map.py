"""A map with a sign: how much more or less, and how sure that is."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

READABLE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, eq=False)
class SignedMap:
    """Show a difference in two colours: one for more, one for less, fainter where less is known.

    Give it to `SliceViewer` or `to_html` in place of a map in [0, 1].

    Parameters
    ----------
    values : array, shape of the scan
        Positive is more, negative less, NaN not measured: that stays without colour.
    limit : float, optional
        Value shown in the strongest colour, in both directions; what lies beyond is shown alike
        and read with its own value. Default: the 98th percentile of the absolute values that are
        not zero, rounded to a readable number.
    units : str
        Of the values, as written beside them.
    evidence : array in [0, 1], shape of the scan, optional
        How sure each value is. The colour then tells the effect and its opacity the evidence.

    Raises
    ------
    ValueError
        If a value is infinite, the limit is not positive, or the evidence has another shape, lies
        outside [0, 1] or is missing where there is a value.

    Examples
    --------
    >>> difference = SignedMap([[-187.0, 0, 20], [187, 187, np.nan]])
    >>> difference.limit, difference.units
    (200.0, 'HU')
    """

    values: ArrayLike
    _: KW_ONLY
    limit: float | None = None
    units: str = "HU"
    evidence: ArrayLike | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float32)
        if np.isinf(values).any():
            raise ValueError("a signed map holds infinity; give finite values, NaN where unknown")
        limit = _readable_limit(values) if self.limit is None else float(self.limit)
        if not 0 < limit < np.inf:
            raise ValueError(f"expected a limit above 0 (the strongest colour), found {limit:g}")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "limit", limit)
        if self.evidence is not None:
            object.__setattr__(self, "evidence", _checked(self.evidence, values))


def _checked(evidence: ArrayLike, values: np.ndarray) -> np.ndarray:
    shares = np.asarray(evidence, dtype=np.float32)
    if shares.shape != values.shape:
        raise ValueError(
            f"the evidence has shape {shares.shape}, the values {values.shape}; "
            "expected one share for each value"
        )
    shares = np.where(np.isnan(values), 0, shares)
    low, high = shares.min(initial=0), shares.max(initial=0)
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # also false for NaN
        raise ValueError(
            f"the evidence lies in {low:.3g}..{high:.3g}, expected [0, 1] wherever there is a value"
        )
    return np.clip(shares, 0, 1)


def _readable_limit(values: np.ndarray) -> float:
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if not sizes.size:
        return 1.0
    most = float(np.percentile(sizes, 98))
    power = 10.0 ** np.floor(np.log10(most))
    return float(min(READABLE, key=lambda step: abs(step * power - most)) * power)
