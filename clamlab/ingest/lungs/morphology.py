"""Grow, shrink and close masks by millimetres, on voxels of any shape."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]


def grow(mask: Mask, radius_mm: float, spacing: NDArray) -> Mask:
    """Add everything within ``radius_mm`` of the mask.

    Examples
    --------
    >>> dot = np.zeros((5, 5, 5), bool)
    >>> dot[2, 2, 2] = True
    >>> int(grow(dot, 1.0, np.ones(3)).sum())
    7
    """
    result = np.zeros_like(mask)
    if mask.any():
        box = _box(mask, radius_mm, spacing)
        result[box] = ndimage.distance_transform_edt(~mask[box], sampling=spacing) <= radius_mm
    return result


def shrink(mask: Mask, radius_mm: float, spacing: NDArray) -> Mask:
    """Take away everything within ``radius_mm`` of the outside; the volume's end is no outside."""
    return (
        ndimage.distance_transform_edt(mask, sampling=spacing) > radius_mm if mask.any() else mask
    )


def close(mask: Mask, radius_mm: float, spacing: NDArray) -> Mask:
    """Fill gaps and dents narrower than twice the radius, also at the volume's ends."""
    if not mask.any():
        return mask
    margin = np.ceil(radius_mm / spacing).astype(int) + 1
    box = _box(mask, radius_mm, spacing)
    padded = np.pad(mask[box], [(m, m) for m in margin], mode="edge")
    grown = ndimage.distance_transform_edt(~padded, sampling=spacing) <= radius_mm
    closed = ndimage.distance_transform_edt(grown, sampling=spacing) > radius_mm
    inner = tuple(slice(m, -m) for m in margin)
    result = mask.copy()
    result[box] |= closed[inner]
    return result


def _box(mask: Mask, radius_mm: float, spacing: NDArray) -> tuple[slice, ...]:
    """Return the mask's bounding box with room to grow: distances are only needed there."""
    margin = np.ceil(radius_mm / spacing).astype(int) + 1
    box = []
    for axis, reach in enumerate(margin):
        rows = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        box.append(slice(max(0, int(rows[0] - reach)), int(rows[-1] + reach + 1)))
    return tuple(box)
