"""What every volume must be before anything is computed from it."""

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError

LOWEST_HU, HIGHEST_HU = -1024, 3071
VOXEL_MM = (0.1, 12.0)


def check_geometry(shape: tuple[int, ...], affine: NDArray) -> None:
    """Refuse a volume that is not 3-D or whose affine does not place it in space.

    Raises
    ------
    IngestError
    """
    if len(shape) != 3:
        raise IngestError(
            f"expected a 3-D volume, found {len(shape)}-D {tuple(shape)}; give one time point"
        )
    sizes = voxel_sizes(affine)
    if not np.isfinite(affine).all() or not ((sizes > VOXEL_MM[0]) & (sizes < VOXEL_MM[1])).all():
        raise IngestError(
            f"expected voxel sides between {VOXEL_MM[0]} and {VOXEL_MM[1]} mm, found "
            f"{np.round(sizes, 3).tolist()}; convert the series again"
        )
    directions = affine[:3, :3] / sizes
    skew = np.abs(directions.T @ directions - np.eye(3)).max()
    if skew > 0.02:
        raise IngestError(
            f"expected axes at right angles, found a skew of {skew:.2f} (cosine), as a tilted "
            "gantry leaves; convert with tilt correction"
        )


def check_hu(volume: NDArray) -> None:
    """Refuse values that are not HU of a chest.

    Raises
    ------
    IngestError
    """
    if not np.isfinite(volume).all():
        raise IngestError(
            f"expected finite HU, found {int((~np.isfinite(volume)).sum())} NaN or infinite "
            "voxels; export the scan again"
        )
    low, high = float(volume.min()), float(volume.max())
    if low == high:
        raise IngestError(f"expected an image, found the value {low:g} everywhere")
    if low >= 0:
        raise IngestError(
            f"expected HU with air near -1000, found values from {low:g} to {high:g}: the rescale "
            "intercept was lost on the way; convert from DICOM again"
        )
    if low > -500:
        raise IngestError(
            f"expected HU with air near -1000, found values from {low:g} to {high:g}: a display "
            "window was applied; export the full range"
        )


def to_hu(volume: NDArray) -> NDArray[np.int16]:
    """Round to int16 and clamp padding and metal to what CT measures.

    Examples
    --------
    >>> to_hu(np.array([-3024.0, -850.4, 9000.0])).tolist()
    [-1024, -850, 3071]
    """
    if volume.dtype.kind == "f":
        volume = np.rint(volume)
    return np.clip(volume, LOWEST_HU, HIGHEST_HU).astype("int16")
