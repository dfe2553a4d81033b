"""Volumes as files that any viewer opens, with their true place in space."""

import os
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from clamlab.atomic import whole_file
from clamlab.io import explained, open_nifti
from clamlab.paths import path_part


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

    Examples
    --------
    >>> import tempfile
    >>> mask, affine = np.array([[[True, False]]]), np.diag([3.0, 3, 3, 1])
    >>> path = save_nifti(Path(tempfile.mkdtemp()) / "mask.nii.gz", mask, affine)
    >>> again, place = load_nifti(path)
    >>> again, place.diagonal().tolist()
    (array([[[1, 0]]], dtype=uint8), [3.0, 3.0, 3.0, 1.0])
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
        The files written, in the order of the averages.

    Examples
    --------
    >>> import tempfile
    >>> averages = {"hu": {"Overall": np.full((2, 2, 2), -850), "Cluster 1": np.zeros((2, 2, 2))}}
    >>> paths = save_averages(tempfile.mkdtemp(), averages, np.diag([3.0, 3, 3, 1]))
    >>> [path.name for path in paths], int(load_nifti(paths[0])[0].mean())
    (['hu_overall.nii.gz', 'hu_cluster_1.nii.gz'], -850)
    """
    return [
        save_nifti(
            Path(folder) / f"{path_part(f'{kind} {name}'.lower().replace(' ', '_'))}.nii.gz",
            array,
            affine,
        )
        for kind, named in averages.items()
        for name, array in named.items()
    ]


def load_nifti(path: str | os.PathLike) -> tuple[NDArray, NDArray]:
    """Read a volume and its affine in canonical order: x to the right, y forward, z up (RAS+).

    Parameters
    ----------
    path : path
        A .nii or .nii.gz file.

    Returns
    -------
    array : array, shape (x, y, z)
        The voxels as the file means them, its slope and intercept applied.
    affine : array, shape (4, 4)
        Voxel to mm.

    Raises
    ------
    FileError
        If it is damaged, or its header contradicts itself or the file.

    Examples
    --------
    >>> import tempfile
    >>> leftwards = np.diag([-2.0, 2, 2, 1])
    >>> stored = np.arange(3, dtype="int16").reshape(3, 1, 1)
    >>> path = save_nifti(Path(tempfile.mkdtemp()) / "a.nii.gz", stored, leftwards)
    >>> array, affine = load_nifti(path)
    >>> array.ravel().tolist(), affine[0].tolist()
    ([2, 1, 0], [2.0, 0.0, 0.0, -4.0])
    """
    image = nibabel.as_closest_canonical(open_nifti(path))
    with explained(path, "a NIfTI volume"):
        return np.asanyarray(image.dataobj), image.affine
