"""Tell free gas from lung: in a stomach or a bowel under the diaphragm, or beside a collapsed lung.

Gas is empty. Lung, even destroyed by emphysema, holds vessels and walls, so that its mean over a
few millimetres stays above that of air. A bulla, which has lung all around it, is lung.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from clamlab.ingest.lungs.morphology import grow, shrink

Mask = NDArray[np.bool_]

EMPTY_BELOW_HU = -974.0  # the mean over a few mm: emphysema seldom falls below -960
LUNG_ABOVE_HU = -965.0
MEAN_OVER_MM = 7.5
HALF_WIDTH_MM = 5.0  # gas is at least twice as wide: trapped air between vessels is not
SMALLEST_ML = 10.0
SURROUNDED = 0.55  # with more lung than this around it, gas is a bulla
LEAST_BESIDE = 0.45  # of the gas's lines from front to back meet lung where it is pleural
NEXT_MM = 8.0  # a pleura, or a dome with the wall of a stomach


@dataclass(frozen=True)
class Gas:
    """Free gas that a threshold takes for lung."""

    below: Mask  # under the diaphragm, or anywhere else that no lung is next to
    pleural: Mask  # beside the lung

    def any(self) -> Mask:
        """Return all of it."""
        return self.below | self.pleural


def find_gas(volume: NDArray, air: Mask, spacing: NDArray) -> Gas:
    """Find free gas inside the body, and where it lies.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU in RAS+ order at about 2.5 mm.
    air : array of bool
        Air inside the body, airways left out.
    spacing : array, shape (3,)
        Voxel sides in mm.
    """
    below, pleural = np.zeros_like(air), np.zeros_like(air)
    width = np.maximum(1, 2 * np.rint((MEAN_OVER_MM / spacing - 1) / 2) + 1).astype(int)
    mean = ndimage.uniform_filter(np.where(volume > 0, 0, volume), width)
    empty = air & (mean < EMPTY_BELOW_HU)
    cores, n = ndimage.label(shrink(empty, HALF_WIDTH_MM - MEAN_OVER_MM / 2, spacing))
    sizes = np.bincount(cores.ravel(), minlength=n + 1) * spacing.prod() / 1000
    lung = air & (mean > LUNG_ABOVE_HU)
    boxes = ndimage.find_objects(cores)
    for index in np.flatnonzero(sizes[1:] > SMALLEST_ML / 4) + 1:
        box = _wider(boxes[index - 1], 2 * NEXT_MM, spacing)
        core = cores[box] == index
        gas = air[box] & grow(core, HALF_WIDTH_MM + 1.01 * spacing.max(), spacing)
        if gas.sum() * spacing.prod() / 1000 > SMALLEST_ML and not _bulla(gas, lung[box], spacing):
            if _beside_lung(gas, lung[box], spacing):
                pleural[box] |= gas
            else:
                below[box] |= _up_to_a_wall(gas, core, air[box], volume[box])
    return Gas(below, pleural & ~below)


def _up_to_a_wall(gas: Mask, core: Mask, air: Mask, volume: NDArray) -> Mask:
    """Give back the lung behind a thin dome: floods from both meet where it is densest."""
    markers = 1 * core + 2 * (air & ~gas)
    return np.asarray(watershed(volume, markers, mask=air) == 1)


def _wider(box: tuple, by_mm: float, spacing: NDArray) -> tuple:
    more = np.ceil(by_mm / spacing).astype(int)
    return tuple(
        slice(max(0, side.start - m), side.stop + m) for side, m in zip(box, more, strict=True)
    )


def _bulla(gas: Mask, lung: Mask, spacing: NDArray) -> bool:
    rim = grow(gas, 5.0 + spacing.max(), spacing) & ~grow(gas, spacing.max(), spacing)
    return bool(rim.any() and lung[rim].mean() > SURROUNDED)


def _beside_lung(gas: Mask, lung: Mask, spacing: NDArray) -> bool:
    """Return whether lung lies behind the gas, or before it, rather than above it or nowhere.

    A collapsed lung sinks away from its gas; a diaphragm lets lung follow upwards.
    """
    beside = max(
        _followed(gas, lung, 1, spacing), _followed(gas[:, ::-1], lung[:, ::-1], 1, spacing)
    )
    return beside > max(LEAST_BESIDE, _followed(gas, lung, 2, spacing))


def _followed(gas: Mask, lung: Mask, axis: int, spacing: NDArray) -> float:
    """Return the share of the gas's lines along an axis that lung follows within a wall."""
    lines, tissue = np.moveaxis(gas, axis, -1), np.moveaxis(lung, axis, -1)
    n = lines.shape[-1]
    last = n - 1 - np.argmax(lines[..., ::-1], axis=-1)
    along = np.arange(n)
    reach = (along > last[..., None]) & (along <= last[..., None] + NEXT_MM / spacing[axis])
    filled = lines.any(axis=-1)
    return float((tissue & reach).any(axis=-1)[filled].mean())
