"""Change a volume's voxel size, axis by axis."""

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray
from scipy import sparse


def coarser_grid(
    shape: tuple[int, ...], affine: NDArray, spacing_mm: float
) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return shape and affine of the grid of this spacing that covers the same field of view.

    An axis whose voxels are larger than ``spacing_mm`` already keeps them: resampling finer adds
    no information.

    Examples
    --------
    >>> shape, affine = coarser_grid((10, 10, 4), np.diag([1.0, 1.0, 5.0, 1.0]), 2.0)
    >>> shape, affine.diagonal().tolist(), affine[:3, 3].tolist()
    ((5, 5, 4), [2.0, 2.0, 5.0, 1.0], [0.5, 0.5, 0.0])
    """
    old = voxel_sizes(affine)
    new = np.maximum(old, spacing_mm)
    sides = np.maximum(np.ceil(np.multiply(shape, old) / new - 1e-6), 1)
    step = np.diag([*(new / old), 1.0])
    # Both grids share their centre, so nothing drifts towards a corner.
    step[:3, 3] = (np.array(shape) - 1) / 2 - (sides - 1) / 2 * new / old
    return tuple(int(side) for side in sides), affine @ step


def resample(
    volume: NDArray,
    affine: NDArray,
    shape: tuple[int, ...],
    new_affine: NDArray,
    *,
    width_mm: float = 0.0,
) -> NDArray[np.float32]:
    """Interpolate a volume on a grid with the same axes, averaging where it becomes coarser.

    The kernel is a triangle, which is linear interpolation when refining and prevents aliasing
    when coarsening. Outside the old field of view the nearest voxel's value holds.

    Parameters
    ----------
    volume : array, shape (x, y, z)
    affine, new_affine : array, shape (4, 4)
        Voxel to mm; the axes must be parallel.
    shape : tuple of int
        The new grid.
    width_mm : float
        The kernel's least half width, for a volume that a coarser grid will sample later.
    """
    step = np.linalg.solve(affine, new_affine)
    ratios, starts = step.diagonal()[:3], step[:3, 3]
    result = np.asarray(volume, "float32")
    for axis in range(3):
        width = max(1.0, ratios[axis], width_mm / voxel_sizes(affine)[axis])
        weights = _weights(result.shape[axis], shape[axis], starts[axis], ratios[axis], width)
        front = np.moveaxis(result, axis, 0)
        mixed = weights @ front.reshape(len(front), -1)
        result = np.moveaxis(mixed.reshape(shape[axis], *front.shape[1:]), 0, axis)
    return np.ascontiguousarray(result)


def _weights(n: int, n_new: int, start: float, ratio: float, width: float) -> sparse.csr_array:
    """Rows: new voxels; columns: old voxels; each row sums to one."""
    centres = np.clip(start + ratio * np.arange(n_new), 0, n - 1)
    reach = int(np.ceil(width))
    columns = np.floor(centres).astype(int)[:, None] + np.arange(-reach, reach + 2)
    values = np.maximum(0.0, 1.0 - np.abs(columns - centres[:, None]) / width)
    values[(columns < 0) | (columns >= n)] = 0.0
    values /= values.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(n_new), columns.shape[1])
    keep = values.ravel() > 0
    indices = (rows[keep], columns.ravel()[keep])
    return sparse.csr_array((values.ravel()[keep].astype("float32"), indices), (n_new, n))
