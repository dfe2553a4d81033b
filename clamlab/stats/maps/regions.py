"""Lung voxels of one scan, and which side and height they belong to."""

from collections.abc import Iterable, Iterator

import numpy as np

RIGHT, LEFT = 1, 2


def paired(
    importance: Iterable[np.ndarray], volumes: Iterable[np.ndarray] | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Take each map together with its scan, if there are scans."""
    if volumes is None:
        return ((one, None) for one in importance)
    return zip(importance, volumes, strict=True)


def inside(array: np.ndarray, mask: np.ndarray, scan: int, what: str) -> np.ndarray:
    """Take the lung voxels of one scan as floats."""
    if np.shape(array) != mask.shape:
        raise ValueError(f"{what} {scan} has shape {np.shape(array)}, the mask {mask.shape}")
    values = np.asarray(array)[mask].astype(float)
    if np.isnan(values).any():
        raise ValueError(f"{what} {scan} holds NaN inside the mask")
    return values


def side_labels(mask: np.ndarray) -> np.ndarray:
    """Label lung voxels right or left of the mediastinum.

    In a RAS+ volume x grows towards the patient's right; in a displayed slice the
    patient's right is at column 0.
    """
    across = 0 if mask.ndim == 3 else 1
    profile = mask.sum(axis=tuple(axis for axis in range(mask.ndim) if axis != across))
    used = np.flatnonzero(profile)
    low, high = used[0], used[-1] + 1
    quarter = (high - low) // 4
    middle = np.arange(low + quarter, high - quarter)
    fewest = middle[profile[middle] == profile[middle].min()]
    plane = fewest[np.argmin(np.abs(fewest - (low + high - 1) / 2))]
    beyond = np.nonzero(mask)[across] > plane
    return np.where(beyond if mask.ndim == 3 else ~beyond, RIGHT, LEFT)


def thirds(mask: np.ndarray) -> np.ndarray:
    """Tell each lung voxel's zone, 0 upper to 2 lower, in thirds of the lung's volume."""
    per_slice = mask.sum(axis=(0, 1))
    above = per_slice[::-1].cumsum()[::-1] - per_slice / 2
    zone = np.minimum((3 * above / per_slice.sum()).astype(int), 2)
    return zone[np.nonzero(mask)[2]]
