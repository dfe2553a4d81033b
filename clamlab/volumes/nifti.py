"""Volumes as files that any viewer opens, with their true place in space."""

import os
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from clamlab.atomic import whole_file


def save_nifti(path: str | os.PathLike, array: NDArray, affine: NDArray) -> Path:
    """Write a volume that any viewer lays over the scan it belongs to.

    Parameters
    ----------
    path : path ending in .nii or .nii.gz
    array : array, shape (x, y, z)
        Bool becomes uint8, float64 becomes float32; other types are kept.
    affine : array, shape (4, 4)
        Voxel to world in mm (RAS+); stored as sform and qform.

    Returns
    -------
    Path
        The file written; it appears whole or not at all.

    Raises
    ------
    ValueError
        If the array is not 3-D or the affine turns no voxel into a place.
    """
    path, array, affine = Path(path), np.asarray(array), np.asarray(affine, "float64")
    if array.ndim != 3 or affine.shape != (4, 4) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise ValueError(
            f"{path.name}: expected a 3-D volume and an invertible 4 x 4 affine, found a volume of "
            f"shape {array.shape} and the affine {affine.tolist()}"
        )
    kinds = {"bool": "uint8", "float64": "float32", "int64": "int32"}
    array = array.astype(kinds.get(array.dtype.name, array.dtype.name), copy=False)
    image = nibabel.Nifti1Image(array, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    with whole_file(path) as temporary:
        nibabel.save(image, temporary)
    return path


def save_averages(
    folder: str | os.PathLike, averages: dict[str, dict[str, NDArray]], affine: NDArray
) -> list[Path]:
    """Write averages as NIfTI, ``hu_cluster_1.nii.gz`` and so on, on the study's affine.

    Parameters
    ----------
    folder : path
    averages : dict of str to dict of str to array, shape (*grid)
        By kind ("hu", "clam", "contrast"), then by name, as :func:`average_by_cluster` gives them.
    affine : array, shape (4, 4)

    Returns
    -------
    list of Path
    """
    return [
        save_nifti(Path(folder) / f"{kind}_{name.lower().replace(' ', '_')}.nii.gz", array, affine)
        for kind, named in averages.items()
        for name, array in named.items()
    ]


def load_nifti(path: str | os.PathLike) -> tuple[NDArray, NDArray]:
    """Read a volume and its affine in canonical order: x to the right, y forward, z up (RAS+)."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return np.asanyarray(image.dataobj), image.affine
