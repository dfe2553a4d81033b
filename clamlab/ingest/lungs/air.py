"""Tell the air of the lungs from the room's, and from all else that a threshold takes for lung."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.lungs.morphology import grow, shrink
from clamlab.ingest.lungs.outside import (
    IN_PLANE,
    ROOM_BELOW_HU,
    at_frame,
    without_rims,
)

LUNG_BELOW_HU = -320.0
FREE_AIR_HU = -955.0  # the mean inside a lung stays above, even in emphysema
COVERS_BELOW_HU = -870.0  # couches and covers: half of their voxels or more, unlike most lungs
SHELL_MM = 4.0  # half the thickest couch shell
SMALLEST_ML = 3.0
SMALLEST_SHARE = (
    0.05  # of the largest piece: less is bowel gas, more may be a lobe cut off by fluid
)
HALF = 0.5


def body_air(volume: NDArray, outside: NDArray[np.bool_], spacing: NDArray) -> NDArray[np.bool_]:
    """Air that no side of its slice leads out of, and lung that filled surroundings cut."""
    air = volume < LUNG_BELOW_HU
    # Only the four sides of a slice lead outdoors: lungs may be cut by the first or last slice.
    regions, n = ndimage.label(air, IN_PLANE)
    # A lung that touches the frame is denser than the room.
    outdoors = at_frame(regions, n) & (_means(volume, regions, n) < ROOM_BELOW_HU)
    filled = np.zeros(n + 1, bool)
    filled[np.unique(regions[outside])] = True
    inside = air & ~(outdoors | filled)[regions]
    cut = _but_the_room(air & filled[regions], volume, outside)
    return inside | _lungs_cut(cut, inside, volume, spacing) if cut.any() else inside


def _but_the_room(
    air: NDArray[np.bool_], volume: NDArray, outside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return what filled surroundings join with the room, without either."""
    regions, n = ndimage.label(without_rims(air, outside), IN_PLANE)
    # The room holds rims of the patient and covers, which the mean would tell for lung.
    cut = _means(volume < FREE_AIR_HU, regions, n) < HALF
    cut[0] = False
    return cut[regions]


def _lungs_cut(
    cut: NDArray[np.bool_], inside: NDArray[np.bool_], volume: NDArray, spacing: NDArray
) -> NDArray[np.bool_]:
    """Keep what goes on into enclosed lung or is as dense as lung: couch and covers are neither."""
    regions, n = ndimage.label(keep_lungs(inside | cut, volume, spacing))
    enclosed = np.bincount(regions[inside], minlength=n + 1) * spacing.prod() / 1000
    lungs = (enclosed > SMALLEST_ML) | (_means(volume < COVERS_BELOW_HU, regions, n) < HALF)
    lungs[0] = False
    return cut & lungs[regions]


def keep_lungs(air: NDArray, volume: NDArray, spacing: NDArray) -> NDArray[np.bool_]:
    """Drop pieces that are small, hold free air (bowel), or are not wrapped in the body (couch)."""
    regions, n = ndimage.label(air)
    millilitres = np.bincount(regions.ravel(), minlength=n + 1) * spacing.prod() / 1000
    core = ndimage.binary_erosion(air, border_value=1)
    keep = millilitres > SMALLEST_ML
    keep &= _means(volume, np.where(core, regions, 0), n) > FREE_AIR_HU
    keep[0] = False
    body = _body(volume, spacing)
    boxes = ndimage.find_objects(regions)
    for index in np.flatnonzero(keep):
        keep[index] = _wrapped(regions, index, boxes[index - 1], body)
    if keep.any():
        keep &= millilitres >= SMALLEST_SHARE * millilitres[keep].max()
    return keep[regions]


def _body(volume: NDArray, spacing: NDArray) -> NDArray[np.bool_]:
    """Return the largest piece of tissue, parted from thin couch shells."""
    coarse = volume[::2, ::2] > LUNG_BELOW_HU  # a quarter of the work; only the rim is asked for
    wide = spacing * [2, 2, 1]
    shell = max(SHELL_MM, 1.01 * wide[0])  # a shell of one voxel is no thicker than that
    regions, n = ndimage.label(shrink(coarse, shell, wide))
    if not n:
        return np.zeros(volume.shape, bool)
    largest = np.argmax(np.bincount(regions.ravel())[1:]) + 1
    body = grow(regions == largest, 2 * shell, wide)
    return body.repeat(2, axis=0).repeat(2, axis=1)[: volume.shape[0], : volume.shape[1]]


def _wrapped(regions: NDArray, index: int, box: tuple, body: NDArray) -> bool:
    wider = tuple(slice(max(0, side.start - 2), side.stop + 2) for side in box)
    piece = regions[wider] == index
    rim = ndimage.binary_dilation(piece, iterations=2) & ~piece
    return bool(rim.any() and body[wider][rim].mean() > 0.5)


def _means(values: NDArray, regions: NDArray, n: int) -> NDArray[np.float64]:
    counts = np.bincount(regions.ravel(), minlength=n + 1)
    return np.bincount(regions.ravel(), values.ravel(), n + 1) / np.maximum(counts, 1)
