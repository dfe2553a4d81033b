"""What many rooms ask of the numbers they are given, before any work begins."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

Rows = Sequence[int] | NDArray
"""Places of scans in the cohort, counted from 0."""

LARGEST_SEED = 2**32 - 1


def check_whole(name: str, value: Any, *, least: int = 1) -> None:
    """Raise ValueError unless a value is a whole number, large enough.

    >>> check_whole("epochs", 0)
    Traceback (most recent call last):
    ValueError: epochs must be a whole number from 1 on; found 0
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} must be a whole number from {least} on; found {value!r}")


def check_finite(name: str, value: Any) -> None:
    """Raise ValueError unless a value is a finite number.

    >>> check_finite("background", "air")
    Traceback (most recent call last):
    ValueError: background must be a finite number; found 'air'
    """
    if not _is_finite(value):
        raise ValueError(f"{name} must be a finite number; found {value!r}")


def check_number(name: str, value: Any, *, positive: bool = False) -> None:
    """Raise ValueError unless a value is a finite number, 0 or more (above 0 if ``positive``).

    >>> check_number("gamma", float("nan"))
    Traceback (most recent call last):
    ValueError: gamma must be a finite number, 0 or more; found nan
    """
    if not _is_finite(value) or value < 0 or (positive and value == 0):
        expected = "above 0" if positive else "0 or more"
        raise ValueError(f"{name} must be a finite number, {expected}; found {value!r}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_seed(seed: Any) -> None:
    """Raise ValueError unless every random generator takes the seed.

    >>> check_seed(-1)
    Traceback (most recent call last):
    ValueError: seed must be a whole number from 0 to 4294967295; found -1
    """
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be a whole number from 0 to {LARGEST_SEED}; found {seed!r}")


def finite_features(features: ArrayLike) -> NDArray[np.float64]:
    """Return features (n_scans, n_features) in double precision, or say where they have no number.

    >>> finite_features([[1.0, 2.0], [3.0, float("nan")]])
    Traceback (most recent call last):
    ValueError: features must be finite; found nan at scan 1, feature 1
    """
    x = np.asarray(features, float)
    if x.ndim != 2:
        raise ValueError(f"features must be (scans, features); found shape {x.shape}")
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(
            f"features must be finite; found {x[row, column]} at scan {row}, feature {column}"
        )
    return x


def check_scans(scans: NDArray, rows: Rows) -> None:
    """Raise ValueError where one of some scans holds NaN or infinity.

    >>> check_scans(np.array([[0.0, 1.0], [0.0, np.nan]]), [7, 8])
    Traceback (most recent call last):
    ValueError: the scan in row 8 (counted from 0) holds nan at voxel (1,): no network can read it;
    repair its volume or leave the scan out
    """
    finite = np.isfinite(scans)
    if not finite.all():
        at, *voxel = (int(place) for place in np.argwhere(~finite)[0])
        raise ValueError(
            f"the scan in row {rows[at]} (counted from 0) holds {scans[at][tuple(voxel)]} at voxel "
            f"{tuple(voxel)}: no network can read it; repair its volume or leave the scan out"
        )


def check_answers(answers: Tensor, rows: Rows, model: nn.Module) -> None:
    """Raise ValueError where a network gives no number for one of some scans, which are finite."""
    finite = answers.flatten(start_dim=1).isfinite().all(dim=1)
    if not finite.all():
        row = rows[int((~finite).nonzero()[0])]
        weights = model.named_parameters()
        broken = [name for name, weight in weights if not weight.isfinite().all()]
        why = (
            f"its weights {broken[0]} hold NaN or infinity; train or load it again"
            if broken
            else "on the way its numbers grow too large; are the scans on the network's scale?"
        )
        raise ValueError(
            f"the network gives no finite number for the scan in row {row} (counted from 0): {why}"
        )
