"""What every function of the room asks of its scans, mask and clusters."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_mask(images: NDArray, mask: ArrayLike) -> NDArray[np.bool_]:
    """Return the mask as booleans, or raise ValueError where it cannot be the lung of the scans."""
    mask = np.asarray(mask).astype(bool)
    grid = tuple(images.shape)[-mask.ndim :]
    if mask.shape != grid:
        raise ValueError(f"the mask has the grid {mask.shape}, the scans have {grid}")
    if not mask.any():
        raise ValueError("the mask is empty: there is no lung to look into")
    return mask


def check_clusters(values: NDArray, model: Any, name: str, *, expected: int | None = None) -> None:
    """Raise ValueError where a cluster does not exist, or their number is not the scans'."""
    n_clusters = len(model.centroids)
    if expected is not None and values.shape != (expected,):
        raise ValueError(f"expected one {name} for each of {expected} scans, found {values.shape}")
    if not np.all((values >= 0) & (values < n_clusters)):
        found = sorted(set(values.ravel().tolist()))
        raise ValueError(f"every {name} must be from 0 to {n_clusters - 1}, found {found}")
