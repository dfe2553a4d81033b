"""Measures that tell a person which scans to look at; nothing is dropped by them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.ingest.alignment.transforms import LEFT, RIGHT

TOTAL_ML = (1500.0, 9000.0)
LEFT_TO_RIGHT = (0.5, 1.1)
MEAN_HU = (-900.0, -500.0)
CUT_CM2 = 5.0  # lung on the last slice: less is the tip of a recess
LEAST_DICE = {"syn": 0.9, "affine": 0.75, "none": 0.0}
MOST_FILLED = 0.3


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
        ``right_ml``, ``left_ml``, ``mean_lung_hu`` (None without lung), and ``flags``: a list of
        sentences, empty for an ordinary scan. Consolidated or fluid-filled lung is missed by any
        threshold and shows here as a small or unequal volume.

    Examples
    --------
    >>> labels = np.zeros((60, 40, 40), int)
    >>> labels[32:55, 5:35, 5:35], labels[5:27, 5:35, 5:35] = 1, 2
    >>> found = lung_qc(np.where(labels > 0, -850, 40), labels, 5.0)
    >>> found["right_ml"], found["left_ml"], found["mean_lung_hu"], found["flags"]
    (2587.5, 2475.0, -850.0, [])
    """
    volume, labels = np.asarray(volume_hu), np.asarray(labels)
    spacing = np.broadcast_to(np.asarray(spacing_mm, "float64"), (3,))
    right, left = (
        float(round(np.sum(labels == side) * spacing.prod() / 1000, 1)) for side in (RIGHT, LEFT)
    )
    lungs = labels > 0
    mean = float(round(volume[lungs].mean(dtype="float64"), 1)) if lungs.any() else None
    flags = _volume_flags(right, left) + _hu_flags(mean) + _border_flags(lungs, spacing)
    return {"right_ml": right, "left_ml": left, "mean_lung_hu": mean, "flags": flags}


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


def _border_flags(lungs: NDArray[np.bool_], spacing: NDArray) -> list[str]:
    flags = []
    area = spacing[0] * spacing[1] / 100
    for name, edge in (("top", lungs[:, :, -1]), ("bottom", lungs[:, :, 0])):
        if edge.sum() * area > CUT_CM2:
            flags.append(f"the lungs are cut at the {name} of the scan")
    sides = lungs[[0, -1]].any() or lungs[:, [0, -1]].any()
    return flags + ["the lungs touch the side of the image"] * bool(sides)
