"""Find what was never measured: the surroundings that a scanner or a program filled in.

A scanner fills what lies outside its circle, a program what it cut off. Filling is one value over
and over; measured air has noise. Beside a lung, filling is not air but the image's end.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

IN_PLANE = ndimage.generate_binary_structure(3, 1) & (np.arange(3) == 1)
BLOCK = (3, 3, 1)
ROOM_BELOW_HU = -900.0
TISSUE_ABOVE_HU = -320.0
LEAST_TISSUE = 0.05  # of the slice that holds most: bones mixed with filling are less
RIM = 2  # voxels over which resampling mixes filling with tissue, so that it looks like lung


def find_outside(volume: NDArray) -> Mask:
    """Return the voxels that were filled with one value as empty as air.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU.

    Returns
    -------
    array of bool, same shape
        Constant regions that reach a side of their slice, and slices at the ends that hold no
        patient. Outdoor air without any noise, as in drawn scans, is among them.

    Examples
    --------
    >>> volume = np.full((9, 9, 1), 40.0)
    >>> volume[:3], volume[5:7, 5:7] = -1024, -1024
    >>> find_outside(volume)[:, 6, 0].nonzero()[0].tolist()
    [0, 1, 2]
    """
    outside = _filled(np.rint(volume))  # resampling leaves a constant almost constant
    if outside.any():
        outside |= _mixed(volume, outside)
    outside[:, :, _without_patient(volume)] = True
    return outside


def _filled(volume: NDArray) -> Mask:
    """Return the commonest value of constant regions, where it reaches a side of its slice."""
    alike = ndimage.maximum_filter(volume, BLOCK) == ndimage.minimum_filter(volume, BLOCK)
    alike &= volume < ROOM_BELOW_HU
    if not alike.any():
        return alike
    values, counts = np.unique(volume[alike], return_counts=True)
    filling = volume == values[np.argmax(counts)]
    regions, n = ndimage.label(ndimage.binary_propagation(alike, IN_PLANE, filling), IN_PLANE)
    return at_frame(regions, n)[regions]


def _mixed(volume: NDArray, outside: Mask) -> Mask:
    """Return the voxels next to filling that are nearer to it than to what lies behind them."""
    rim = beside(outside)
    behind = ~outside & ~rim
    share = ndimage.uniform_filter(behind.astype("float32"), BLOCK)
    mean = ndimage.uniform_filter(np.where(behind, volume, 0).astype("float32"), BLOCK)
    middle = (volume[outside].mean() + mean / np.maximum(share, 0.01)) / 2
    return rim & (share > 0.01) & (volume < middle)


def _without_patient(volume: NDArray) -> Mask:
    """Tell the slices at either end that hold hardly any tissue, whatever they are filled with."""
    area = np.sum(volume > TISSUE_ABOVE_HU, axis=(0, 1))
    full = np.flatnonzero(area > LEAST_TISSUE * area.max())
    levels = np.arange(area.size)
    return (levels < full[0]) | (levels > full[-1]) if full.size else levels >= 0


def at_frame(regions: NDArray, n: int) -> Mask:
    """Tell which of n labelled regions reach a side of a slice; 0 is none."""
    reach = np.zeros(n + 1, bool)
    for side in (regions[[0, -1]], regions[:, [0, -1]]):
        reach[np.unique(side)] = True
    reach[0] = False
    return reach


def beside(outside: Mask) -> Mask:
    """Return the voxels of a slice that lie next to its outside."""
    return ndimage.binary_dilation(outside, IN_PLANE) & ~outside


def without_rims(air: Mask, outside: Mask) -> Mask:
    """Take away the outside and the thin rims that look like air where it meets tissue."""
    if not outside.any():
        return air
    air = air & ~outside
    core = air & ~ndimage.binary_dilation(outside, IN_PLANE, RIM)
    return core | (air & ndimage.binary_dilation(core, IN_PLANE, RIM))
