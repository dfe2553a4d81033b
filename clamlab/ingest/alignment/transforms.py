"""Where a template point lies in a scan, and what the scan shows there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

RIGHT, LEFT = 1, 2


@dataclass(frozen=True)
class Transform:
    """The way from a template's space to a scan's: y = affine · (x + displacement(x)), RAS+ mm.

    Attributes
    ----------
    affine : array, shape (4, 4)
        Template mm to scan mm.
    displacement : array of float32, shape (x, y, z, 3), or None
        In mm on the template's grid; None for an affine transform.
    """

    affine: NDArray[np.float64]
    displacement: NDArray[np.float32] | None = None


IDENTITY = Transform(np.eye(4))


def grid_points(shape: tuple[int, ...], affine: NDArray) -> NDArray[np.float64]:
    """Return the mm of every voxel, shape (3, n), in C order."""
    index = np.indices(shape).reshape(3, -1)
    return affine[:3, :3] @ index + affine[:3, 3:]


def warp_image(
    volume: NDArray,
    affine: NDArray,
    transform: Transform,
    *,
    shape: tuple[int, ...],
    grid_affine: NDArray,
    fill: float,
) -> NDArray[np.float32]:
    """See a scan on the template's grid, by linear interpolation.

    Parameters
    ----------
    volume, affine
        The scan and its voxel-to-mm matrix.
    transform : Transform
        From :func:`clamlab.ingest.register`.
    shape, grid_affine
        The template's grid.
    fill : float
        Value where the grid reaches beyond the scan.

    Returns
    -------
    array of float32, shape ``shape``
    """
    points = grid_points(shape, grid_affine)
    if transform.displacement is not None:
        points = points + transform.displacement.reshape(-1, 3).T
    to_voxel = np.linalg.inv(affine) @ transform.affine
    voxels = to_voxel[:3, :3] @ points + to_voxel[:3, 3:]
    values = ndimage.map_coordinates(
        np.asarray(volume, "float32"), voxels, order=1, cval=fill, prefilter=False
    )
    return values.reshape(shape)


def warp_labels(
    labels: NDArray, affine: NDArray, transform: Transform, **grid: object
) -> NDArray[np.uint8]:
    """See right and left lung on the template's grid; a voxel goes to the lung that fills half."""
    right, left = (
        warp_image(labels == side, affine, transform, fill=0.0, **grid)  # type: ignore[arg-type]
        for side in (RIGHT, LEFT)
    )
    return split(right, left)


def split(right: NDArray, left: NDArray) -> NDArray[np.uint8]:
    """Turn the two lungs' shares of every voxel into labels."""
    return np.where(right + left > 0.5, np.where(right >= left, RIGHT, LEFT), 0).astype("uint8")


def dice(first: NDArray, second: NDArray) -> float:
    """Return how far two label images agree, right with right and left with left: 0 to 1.

    Examples
    --------
    >>> dice(np.array([1, 1, 2, 0]), np.array([1, 2, 2, 0]))
    0.6666666666666666
    """
    shared = ((first == second) & (first > 0)).sum()
    total = (first > 0).sum() + (second > 0).sum()
    return float(2 * shared / total) if total else 0.0
