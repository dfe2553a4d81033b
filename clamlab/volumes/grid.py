"""Grids that the network can halve, and volumes that fill them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray


def grid_for(shape: Sequence[int], *, multiple: int = 8) -> tuple[int, ...]:
    """Return the smallest grid that holds ``shape`` and that the network can halve exactly.

    Parameters
    ----------
    shape : sequence of int
        Voxels along each side.
    multiple : int
        What every side becomes a multiple of: the product of the network's strides. The default
        serves the paper's networks in 2-D (4) and 3-D (8).

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> grid_for((95, 64, 90))
    (96, 64, 96)
    """
    return tuple(-(-int(side) // multiple) * multiple for side in shape)


def fit_to_grid(volume: NDArray, shape: Sequence[int], *, fill: float) -> NDArray:
    """Pad or crop a volume around its centre so that it fills a grid.

    Parameters
    ----------
    volume : array, any number of sides
    shape : sequence of int
        The grid to fill.
    fill : float
        Value of the voxels added (-1000 for HU, 0 for a mask).

    Returns
    -------
    array, shape ``shape``
        Same dtype. Where a difference is odd the spare voxel goes after.

    Raises
    ------
    ValueError
        If the number of sides differs, or cropping would cut away anything but ``fill``:
        lungs are never clipped silently.

    Examples
    --------
    >>> fit_to_grid(np.array([5, 6]), (5,), fill=0)
    array([0, 5, 6, 0, 0])
    """
    if volume.ndim != len(shape):
        raise ValueError(f"expected {len(shape)} sides to fit {tuple(shape)}, found {volume.shape}")
    pairs = list(zip(volume.shape, shape, strict=True))
    crop = tuple(slice(max(0, (h - w) // 2), max(0, (h - w) // 2) + min(h, w)) for h, w in pairs)
    kept = volume[crop]
    if np.count_nonzero(volume != fill) != np.count_nonzero(kept != fill):
        raise ValueError(
            f"a volume of {volume.shape} does not fit the grid {tuple(shape)}: cropping would cut "
            "away voxels that are not background; take a larger grid or a coarser spacing"
        )
    padding = [(max(0, w - h) // 2, -(-max(0, w - h) // 2)) for h, w in pairs]
    return np.pad(kept, padding, constant_values=fill)


def describe_grid(shape: Sequence[int], affine: NDArray) -> dict[str, Any]:
    """Put a study's grid into words that any program reads.

    Parameters
    ----------
    shape : sequence of int
        Voxels along each side.
    affine : array, shape (4, 4)
        Voxel to world in mm (RAS+).

    Returns
    -------
    dict
        ``shape``, ``spacing_mm``, ``affine`` and ``orientation``.

    Examples
    --------
    >>> describe_grid((4, 4, 2), np.diag([3.0, 3, 3, 1]))["spacing_mm"]
    [3.0, 3.0, 3.0]
    """
    return {
        "shape": [int(side) for side in shape],
        "spacing_mm": voxel_sizes(affine).round(4).tolist(),
        "affine": np.asarray(affine).tolist(),
        "orientation": "RAS",
    }
