"""Cut volumes into the pictures a radiologist expects."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_BORDER_VOXELS = 2
_LEAST_AREA = 0.2


def radiological(volume: np.ndarray, index: int) -> np.ndarray:
    """Cut an axial slice of a RAS+ volume as it is displayed.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        RAS+: x grows towards the patient's right, y to the front, z to the head.
    index : int
        Slice along z.

    Returns
    -------
    array, shape (y, x)
        Row 0 is the front, column 0 the patient's right.

    Examples
    --------
    >>> volume = np.zeros((3, 2, 1))
    >>> volume[2, 1, 0] = 1  # right and front
    >>> radiological(volume, 0)
    array([[1., 0., 0.],
           [0., 0., 0.]])
    """
    return volume[::-1, ::-1, index].T


@dataclass(frozen=True)
class Pages:
    """Displayed images in rows and columns; ``row_names`` is empty for slices of volumes."""

    names: list[str]
    cells: list[list[np.ndarray | None]]
    row_names: list[str]
    is_volume: bool


def cut(images: Mapping[str, np.ndarray], mask: np.ndarray | None, slices: int) -> Pages:
    """Cut volumes into displayed slices, blank outside the mask and cropped to it."""
    if not images:
        raise ValueError("no images to show")
    arrays = {name: np.asarray(image, dtype=float) for name, image in images.items()}
    shape = next(iter(arrays.values())).shape
    inside: np.ndarray = np.ones(shape, bool) if mask is None else np.asarray(mask, bool)
    for name, array in arrays.items():
        if array.shape != inside.shape or array.ndim not in (2, 3):
            raise ValueError(
                f"image {name!r} has shape {array.shape}, expected {inside.shape} in 2-D or 3-D"
            )
    if not inside.any():
        raise ValueError("the mask is empty: nothing to show")
    if inside.ndim == 2:
        window = _window(inside)
        blank = [np.where(inside, array, np.nan)[window] for array in arrays.values()]
        return Pages(list(arrays), [[*blank]], [], is_volume=False)
    window = _window(radiological(np.any(inside, axis=2)[..., np.newaxis], 0))
    rows: list[list[np.ndarray | None]] = [
        [
            np.where(radiological(inside, z), radiological(array, z), np.nan)[window]
            for array in arrays.values()
        ]
        for z in _heights(inside, slices)
    ]
    return Pages(list(arrays), rows, [], is_volume=True)


def turn(pages: Pages) -> Pages:
    """One row per image instead of one column."""
    column = [[image] for image in pages.cells[0]]
    return Pages([""], column, pages.names, is_volume=False)


def _heights(inside: np.ndarray, slices: int) -> np.ndarray:
    """Slices spread evenly over the mask, from the top down, without its slivers at the ends."""
    area = inside.sum(axis=(0, 1))
    used = np.flatnonzero(area >= _LEAST_AREA * area.max())
    return used[np.round(np.linspace(len(used) - 1, 0, slices)).astype(int)]


def _window(inside: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold the mask, with a small border."""
    spans = []
    for axis in (0, 1):
        used = np.flatnonzero(inside.any(axis=1 - axis))
        spans.append(slice(max(0, used[0] - _BORDER_VOXELS), used[-1] + 1 + _BORDER_VOXELS))
    return spans[0], spans[1]
