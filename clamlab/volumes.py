"""From HU volumes on one grid to what the network sees, and back to files any viewer opens."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import ArrayLike, NDArray

BACKGROUND = 0.0  # a voxel outside the lung, or masked out: mean lung on the z scale
HU_WINDOW = (-1024.0, 0.0)  # what [0, 1] spans under the "unit" rule


def fit_scaling(volumes: NDArray, mask: NDArray, *, method: str = "zscore") -> dict[str, Any]:
    """Find the numbers that bring a cohort to the network's scale; they travel with the model.

    Parameters
    ----------
    volumes : array of int or float, shape (n_scans, *grid)
        Cohort in HU; a memory map is read one scan at a time.
    mask : array of bool, shape (*grid)
        The template's lungs; only these voxels count.
    method : {"zscore", "unit"}
        "zscore" (default): mean 0 and standard deviation 1 over the cohort's lung voxels.
        "unit": -1024 to 0 HU become 0 to 1, for those who follow the paper's wording.

    Returns
    -------
    dict
        ``method``, ``shift`` and ``scale`` (HU; image = (HU - shift) / scale) and ``background``,
        the image value outside the lungs.

    Raises
    ------
    ValueError
        If the mask is empty or does not fit, or the lungs hold one value only or a NaN.

    Examples
    --------
    >>> fit_scaling(np.array([[-900, -700, 40]]), np.array([True, True, False]))
    {'method': 'zscore', 'shift': -800.0, 'scale': 100.0, 'background': 0.0}
    """
    mask = _check_mask(volumes, mask)
    if method == "unit":
        low, high = HU_WINDOW
        return {
            "method": "unit",
            "shift": low,
            "scale": high - low,
            "background": BACKGROUND,
        }
    if method != "zscore":
        raise ValueError(f"method must be 'zscore' or 'unit', found {method!r}")
    sums = np.array([_moments(np.asarray(volume)[mask]) for volume in volumes]).sum(axis=0)
    n, total, squares = sums
    mean = total / n
    spread = np.sqrt(max(squares / n - mean**2, 0.0))
    if not spread > 0:
        raise ValueError(
            f"the lungs of the {len(volumes)} scans cannot be scaled: expected varying HU, found "
            f"mean {mean:.6g} and standard deviation {spread:.6g}; look at the volumes for "
            "constant or NaN scans"
        )
    return {
        "method": "zscore",
        "shift": float(mean),
        "scale": float(spread),
        "background": BACKGROUND,
    }


def scale(volumes: NDArray, mask: NDArray, rule: dict[str, Any]) -> "ScaledVolumes":
    """See a cohort on the network's scale without loading it.

    Parameters
    ----------
    volumes : array, shape (n_scans, *grid)
        HU, for instance a memory map of int16.
    mask : array of bool, shape (*grid)
        The template's lungs; everything else becomes the rule's background.
    rule : dict
        From :func:`fit_scaling`, stored beside the model.

    Returns
    -------
    ScaledVolumes
        Indexed like an array; every index gives float32 images.

    Examples
    --------
    >>> rule = {"method": "zscore", "shift": -800.0, "scale": 100.0, "background": 0.0}
    >>> scale(np.array([[-900, -700, 40]]), np.array([True, True, False]), rule)[0]
    array([-1.,  1.,  0.], dtype=float32)
    """
    return ScaledVolumes(volumes, mask, rule)


class ScaledVolumes:
    """A cohort as the network sees it, read and scaled only where it is looked at.

    Parameters
    ----------
    volumes, mask, rule
        As for :func:`scale`.
    """

    def __init__(self, volumes: NDArray, mask: NDArray, rule: dict[str, Any]) -> None:
        self.volumes, self.rule = volumes, rule
        self.mask = _check_mask(volumes, mask)
        self.shape: tuple[int, ...] = tuple(volumes.shape)
        self.ndim, self.dtype = len(self.shape), np.dtype("float32")

    def __len__(self) -> int:
        return len(self.volumes)

    def __getitem__(self, index: int | slice | Sequence[int] | NDArray) -> NDArray[np.float32]:
        images = np.asarray(self.volumes[index], dtype="float32")
        images = (images - np.float32(self.rule["shift"])) / np.float32(self.rule["scale"])
        return np.where(self.mask, images, np.float32(self.rule["background"]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return np.asarray(self[:], dtype=dtype)


def unscale(images: NDArray, mask: NDArray, rule: dict[str, Any]) -> NDArray[np.float32]:
    """Turn images on the network's scale back to HU; NaN outside the lungs, which had no HU there.

    Examples
    --------
    >>> rule = {"method": "zscore", "shift": -800.0, "scale": 100.0, "background": 0.0}
    >>> unscale([[-1.0, 1.0, 0.0]], np.array([True, True, False]), rule)
    array([[-900., -700.,   nan]], dtype=float32)
    """
    hu = np.asarray(images, "float32") * np.float32(rule["scale"]) + np.float32(rule["shift"])
    return np.where(mask, hu, np.float32(np.nan))


def grid_for(shape: Sequence[int], *, multiple: int = 8) -> tuple[int, ...]:
    """Return the smallest grid that holds ``shape`` and that the network can halve exactly.

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


def average_volume(volumes: NDArray) -> NDArray[np.float32]:
    """Average all scans, one at a time.

    Examples
    --------
    >>> average_volume(np.array([[-900], [-700]]))
    array([-800.], dtype=float32)
    """
    return average_by_cluster(volumes, np.zeros(len(volumes), int))["Overall"]


def average_by_cluster(volumes: NDArray, clusters: ArrayLike) -> dict[str, NDArray[np.float32]]:
    """Average the scans of the whole cohort and of each cluster, one scan at a time.

    Parameters
    ----------
    volumes : array, shape (n_scans, *grid)
        A memory map is read one scan at a time.
    clusters : array of int, shape (n_scans,)
        From 0.

    Returns
    -------
    dict of str to array of float32, shape (*grid)
        "Overall", then "Cluster 1" and so on for every cluster that has scans.

    Examples
    --------
    >>> average_by_cluster(np.array([[-900], [-700], [-500]]), [0, 0, 1])["Cluster 1"]
    array([-800.], dtype=float32)
    """
    clusters = np.asarray(clusters)
    sums = {k: np.zeros(np.shape(volumes)[1:], "float64") for k in np.unique(clusters)}
    for volume, k in zip(volumes, clusters, strict=True):
        sums[k] += volume
    counts = {k: int(np.sum(clusters == k)) for k in sums}
    overall = np.sum(list(sums.values()), axis=0) / len(clusters)
    averages = {f"Cluster {k + 1}": sums[k] / counts[k] for k in sums}
    return {name: a.astype("float32") for name, a in {"Overall": overall, **averages}.items()}


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
    temporary = path.with_name(f".partial-{path.name}")
    nibabel.save(image, temporary)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    return path


def load_nifti(path: str | os.PathLike) -> tuple[NDArray, NDArray]:
    """Read a volume and its affine in canonical order: x to the right, y forward, z up (RAS+)."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return np.asanyarray(image.dataobj), image.affine


def _check_mask(volumes: NDArray, mask: NDArray) -> NDArray[np.bool_]:
    mask = np.asarray(mask, bool)
    if mask.shape != tuple(np.shape(volumes)[1:]):
        raise ValueError(
            f"the lung mask does not fit: expected the scans' grid {tuple(np.shape(volumes)[1:])}, "
            f"found {mask.shape}"
        )
    if not mask.any():
        raise ValueError("the lung mask is empty: expected some voxels inside the lungs")
    return mask


def _moments(values: NDArray) -> tuple[float, float, float]:
    values = values.astype("float64")
    return len(values), values.sum(), np.square(values).sum()


__all__ = [
    "ScaledVolumes",
    "average_by_cluster",
    "average_volume",
    "fit_scaling",
    "fit_to_grid",
    "grid_for",
    "load_nifti",
    "save_averages",
    "save_nifti",
    "scale",
    "unscale",
]
