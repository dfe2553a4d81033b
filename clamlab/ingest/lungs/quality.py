"""Measures that tell a person which scans to look at; nothing is dropped by them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.ingest.alignment.transforms import LEFT, RIGHT
from clamlab.ingest.lungs.missing import missing_ml
from clamlab.ingest.lungs.outside import beside
from clamlab.ingest.lungs.sorted_air import Air, find_air

TOTAL_ML = (1500.0, 9000.0)
LEFT_TO_RIGHT = (0.5, 1.1)
MEAN_HU = (-900.0, -500.0)
CUT_CM2 = 5.0  # lung on the last slice: less is the tip of a recess
LEAST_DICE = {"syn": 0.9, "affine": 0.75, "none": 0.0}
MOST_FILLED = 0.3
MISSING_ML, MISSING_SHARE = 150.0, 0.1  # both, of a lung: less is the spread among healthy chests
PLEURAL_AIR_ML = 20.0


def lung_qc(volume_hu: ArrayLike, labels: ArrayLike, spacing_mm: ArrayLike) -> dict[str, Any]:
    """Measure a scan's lungs and say in plain words what looks unusual.

    Parameters
    ----------
    volume_hu : array, shape (x, y, z)
        HU, RAS+ order.
    labels : array of int, same shape
        1 right, 2 left.
    spacing_mm : float or three floats

    Returns
    -------
    dict
        ``right_ml``, ``left_ml``, ``mean_lung_hu`` (None without lung), ``right_missing_ml`` and
        ``left_missing_ml`` (what of each lung is too dense to be seen, or displaced by fluid, by
        the shape of the rib cage and the other side; None where the ribs cannot be seen),
        ``pleural_air_ml`` (gas beside the lung), and ``flags``: a list of sentences, empty for an
        ordinary scan.

    Examples
    --------
    >>> labels = np.zeros((60, 40, 40), int)
    >>> labels[32:55, 5:35, 5:35], labels[5:27, 5:35, 5:35] = 1, 2
    >>> found = lung_qc(np.where(labels > 0, -850, 40), labels, 5.0)
    >>> found["right_ml"], found["left_ml"], found["mean_lung_hu"], found["flags"]
    (2587.5, 2475.0, -850.0, [])
    >>> found["right_missing_ml"] is None  # a chest without ribs
    True
    """
    volume, labels = np.asarray(volume_hu), np.asarray(labels)
    spacing = np.broadcast_to(np.asarray(spacing_mm, "float64"), (3,))
    return measure_lungs(volume, labels, find_air(volume, spacing), spacing)


def measure_lungs(volume: NDArray, labels: NDArray, air: Air, spacing: NDArray) -> dict[str, Any]:
    """Measure as :func:`lung_qc` does where the scan's air is known."""
    right, left = (
        float(round(np.sum(labels == side) * spacing.prod() / 1000, 1)) for side in (RIGHT, LEFT)
    )
    lungs = labels > 0
    mean = float(round(volume[lungs].mean(dtype="float64"), 1)) if lungs.any() else None
    missing = [_rounded(ml) for ml in missing_ml(volume, labels, spacing)]
    pleural = float(round(air.gas.pleural.sum() * spacing.prod() / 1000, 1))
    flags = (
        _volume_flags(right, left) + _hu_flags(mean) + _border_flags(lungs, air.outside, spacing)
    )
    flags += _missing_flags(right, left, missing) + _air_flags(pleural)
    return {
        "right_ml": right,
        "left_ml": left,
        "mean_lung_hu": mean,
        "right_missing_ml": missing[0],
        "left_missing_ml": missing[1],
        "pleural_air_ml": pleural,
        "flags": flags,
    }


def registration_flags(dice: float, filled: float, kind: str) -> list[str]:
    """Say where a registration is poorer than its kind should be."""
    flags = []
    if dice < LEAST_DICE[kind]:
        flags.append(
            f"the lungs fit the template with a Dice of {dice:.2f} only "
            f"(expected {LEAST_DICE[kind]})"
        )
    if filled > MOST_FILLED:
        flags.append(f"{filled:.0%} of the template's lungs lie outside this scan's lungs")
    return flags


def _volume_flags(right: float, left: float) -> list[str]:
    if not right or not left:
        return ["the right lung was not found"] * (not right) + ["the left lung was not found"] * (
            not left
        )
    flags = []
    if not TOTAL_ML[0] <= right + left <= TOTAL_ML[1]:
        flags.append(
            f"lung volume {right + left:.0f} ml (expected {TOTAL_ML[0]:.0f} to {TOTAL_ML[1]:.0f})"
        )
    if not LEFT_TO_RIGHT[0] <= left / right <= LEFT_TO_RIGHT[1]:
        flags.append(
            f"left lung is {left / right:.2f} of the right "
            f"(expected {LEFT_TO_RIGHT[0]} to {LEFT_TO_RIGHT[1]})"
        )
    return flags


def _hu_flags(mean: float | None) -> list[str]:
    if mean is None or MEAN_HU[0] <= mean <= MEAN_HU[1]:
        return []
    return [f"mean lung HU {mean:.0f} (expected {MEAN_HU[0]:.0f} to {MEAN_HU[1]:.0f})"]


def _rounded(ml: float | None) -> float | None:
    return None if ml is None else float(round(ml, 1))


def _missing_flags(right: float, left: float, missing: list[float | None]) -> list[str]:
    return [
        f"about {ml:.0f} ml of the {name} lung are not seen: dense lung (consolidation, collapse) "
        "or fluid"
        for name, seen, ml in zip(("right", "left"), (right, left), missing, strict=True)
        if ml is not None and ml > max(MISSING_ML, MISSING_SHARE * (seen + ml))
    ]


def _air_flags(pleural: float) -> list[str]:
    if pleural < PLEURAL_AIR_ML:
        return []
    return [
        f"{pleural:.0f} ml of gas beside a lung were left out: a pneumothorax, or a bulla at the "
        "surface"
    ]


def _border_flags(
    lungs: NDArray[np.bool_], outside: NDArray[np.bool_], spacing: NDArray
) -> list[str]:
    """Say where the scan ends within the lungs: at the array's sides, or where it is filled."""
    flags = []
    area = spacing[0] * spacing[1] / 100
    slices = np.flatnonzero(~outside.all(axis=(0, 1)))
    for name, end in zip(("top", "bottom"), slices[[-1, 0]] if slices.size else (), strict=False):
        if lungs[:, :, end].sum() * area > CUT_CM2:
            flags.append(f"the lungs are cut at the {name} of the scan")
    sides = lungs[[0, -1]].any() or lungs[:, [0, -1]].any() or lungs[beside(outside)].any()
    return flags + ["the lungs touch the side of the image"] * bool(sides)
