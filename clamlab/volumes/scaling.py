"""HU and the network's scale: the numbers between them, stored beside the model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        If the mask is empty or does not fit, the lungs hold one value only, or those of a scan NaN
        or infinity; the message names its row.

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
    lungs = (np.asarray(volume)[mask] for volume in volumes)
    sums = np.array([_moments(values, row) for row, values in enumerate(lungs)]).sum(axis=0)
    n, total, squares = sums
    mean = total / n
    spread = np.sqrt(max(squares / n - mean**2, 0.0))
    if not spread > 0:
        raise ValueError(
            f"the lungs of the {len(volumes)} scans cannot be scaled: expected varying HU, found "
            f"mean {mean:.6g} and standard deviation {spread:.6g}; look at the volumes"
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

    Examples
    --------
    >>> hu, mask = np.array([[-900, -700, 40], [-800, -650, 40]]), np.array([True, True, False])
    >>> rule = {"method": "zscore", "shift": -800.0, "scale": 100.0, "background": 0.0}
    >>> images = ScaledVolumes(hu, mask, rule)
    >>> images.shape, images[1:]
    ((2, 3), array([[0. , 1.5, 0. ]], dtype=float32))
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

    Parameters
    ----------
    images : array, shape (..., *grid)
        On the network's scale, for instance what the decoder draws.
    mask, rule
        As for :func:`scale`.

    Returns
    -------
    array of float32, same shape
        HU inside the lungs, NaN outside.

    Examples
    --------
    >>> rule = {"method": "zscore", "shift": -800.0, "scale": 100.0, "background": 0.0}
    >>> unscale([[-1.0, 1.0, 0.0]], np.array([True, True, False]), rule)
    array([[-900., -700.,   nan]], dtype=float32)
    """
    hu = np.asarray(images, "float32") * np.float32(rule["scale"]) + np.float32(rule["shift"])
    return np.where(mask, hu, np.float32(np.nan))


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


def _moments(values: NDArray, row: int) -> tuple[float, float, float]:
    values = values.astype("float64")
    if not np.isfinite(values).all():
        raise ValueError(
            f"the lungs of the scan in row {row} (counted from 0) hold NaN or infinity; repair its "
            "volume or leave the scan out"
        )
    return len(values), values.sum(), np.square(values).sum()
