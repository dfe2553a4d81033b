"""Follow the trachea from the neck to the main bronchi, so that they are not counted as lung."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.lungs.morphology import grow

LUMEN_BELOW_HU = -880.0
SMALLEST_MM2, LARGEST_MM2 = 60.0, 900.0
WIDEST_MM = 45.0
OFF_CENTRE_MM = 45.0
SHORTEST_MM = 20.0
LEAK = 2.2  # a slice whose lumen grows beyond this many times the usual has reached the lung


def find_airways(volume: NDArray, air: NDArray[np.bool_], spacing: NDArray) -> NDArray[np.bool_]:
    """Return the lumen of trachea and main bronchi; empty where no trachea can be followed.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU in RAS+ order at about 2.5 mm.
    air : array of bool
        Air inside the body.
    spacing : array, shape (3,)
        Voxel sides in mm.
    """
    lumen = air & (volume < LUMEN_BELOW_HU)
    best, best_length = np.zeros_like(air), SHORTEST_MM
    columns = np.flatnonzero(air.any(axis=(1, 2)))
    if not columns.size:
        return best
    middle = (columns[0] + columns[-1]) / 2
    seen = np.zeros_like(air)
    # The trachea may begin anywhere in the upper half (scans start at the chin or below the
    # clavicles); the start that can be followed furthest down is the trachea.
    for top in range(volume.shape[2] - 1, volume.shape[2] // 2, -1):
        for start in _starts(air[:, :, top], lumen[:, :, top], middle, spacing):
            if not seen[:, :, top][start].any():
                path = _follow(lumen, start, top, spacing)
                seen |= path
                length = path.any(axis=(0, 1)).sum() * spacing[2]
                if length > best_length:
                    best, best_length = path, length
    return best


def _starts(air: NDArray, lumen: NDArray, middle: float, spacing: NDArray) -> list[NDArray]:
    """Return lumens that have a wall of their own (bronchi in the lung have lung around them)."""
    regions, n = ndimage.label(air)
    areas = np.bincount(regions.ravel(), minlength=n + 1) * spacing[0] * spacing[1]
    starts = []
    for index in np.flatnonzero((areas > SMALLEST_MM2) & (areas < LARGEST_MM2)):
        x, y = np.nonzero(regions == index)
        across = max(np.ptp(x) * spacing[0], np.ptp(y) * spacing[1])
        if index and across < WIDEST_MM and abs(x.mean() - middle) * spacing[0] < OFF_CENTRE_MM:
            start = lumen & (regions == index)
            starts += [start] if start.any() else []
    return starts


def _follow(lumen: NDArray, start: NDArray, top: int, spacing: NDArray) -> NDArray[np.bool_]:
    """Go down slice by slice, keeping near the slice above, until the lumen ends or leaks."""
    path = np.zeros_like(lumen)
    path[:, :, top] = current = start
    areas = [start.sum()]
    for z in range(top - 1, -1, -1):
        current = (
            lumen[:, :, z] & grow(current[:, :, None], 1.5 * max(spacing[:2]), spacing)[:, :, 0]
        )
        if not current.any() or current.sum() > LEAK * np.median(areas[-20:]):
            break
        areas.append(current.sum())
        path[:, :, z] = current
    return path
