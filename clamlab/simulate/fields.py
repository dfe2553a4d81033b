"""Smooth random fields that do not depend on the voxel size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REACH_MM = 300.0  # fields are defined this far from the middle of the scan, in every direction

Axes = Sequence[NDArray[np.float32]]


def grid_axes(shape: Sequence[int], spacing_mm: Sequence[float]) -> list[NDArray[np.float32]]:
    """Position of every voxel along each axis, mm from the middle of the grid."""
    return [
        (np.arange(n, dtype=np.float32) - (n - 1) / 2) * np.float32(step)
        for n, step in zip(shape, spacing_mm, strict=True)
    ]


def smooth_field(axes: Axes, scale_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a random field with mean 0 and standard deviation 1, smooth over about ``scale_mm``.

    Random numbers sit on knots ``scale_mm`` apart and are joined by cubic B-splines, so the same
    generator gives the same field on any grid.
    """
    knots = np.arange(-REACH_MM, REACH_MM + scale_mm, scale_mm, dtype=np.float32)
    field = rng.standard_normal((len(knots),) * 3, dtype=np.float32)
    for axis in axes:
        # Each turn takes the first axis of knots and appends the same axis of voxels.
        field = np.tensordot(field, _spline(axis, knots, scale_mm), axes=(0, 1))
    return field


def _spline(axis: NDArray, knots: NDArray, scale_mm: float) -> NDArray[np.float32]:
    t = np.abs(axis[:, None] - knots) / scale_mm
    near = 2 / 3 - t**2 + t**3 / 2
    far = np.clip(2 - t, 0, None) ** 3 / 6
    weights = np.where(t < 1, near, far)
    # Unit variance between the knots as on them.
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)
