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
    rounded = sizes.round(3)  # what the message shows decides
    within = ((rounded >= VOXEL_MM[0]) & (rounded <= VOXEL_MM[1])).all()
    if not (np.isfinite(affine).all() and within):
        raise IngestError(
            f"expected voxel sides between {VOXEL_MM[0]} and {VOXEL_MM[1]} mm, found "
            f"{rounded.tolist()}; convert the series again"
        )
    directions = affine[:3, :3] / sizes
    skew = np.abs(directions.T @ directions - np.eye(3)).max()
    if skew > 0.02:
        raise IngestError(
            f"expected axes at right angles, found a skew of {skew:.2f} (cosine), as a tilted "
            "gantry leaves; convert with tilt correction"
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
