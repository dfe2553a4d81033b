"""How long the contrast maps of a cohort will take, before the first is made."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.contrast.maps import pair_map
from clamlab.forecast import forecast

BYTES_PER_VOXEL = 4 + 2  # of a contrast map and of a counterfactual scan


def contrast_forecast(
    model: Any,
    images: NDArray,
    *,
    mask: NDArray,
    steps: int = 8,
    spacing_mm: Sequence[float] | None = None,
) -> str:
    """Say what the contrast maps and counterfactual scans of the cohort will take, from one pair.

    Parameters
    ----------
    model, images, steps
        As for :func:`contrast_map`.
    mask : array of bool, shape (*grid)
        The lung; outside it the maps are zero.
    spacing_mm : sequence of float, optional
        Spacing of the scans' grid, to tell what twice that spacing would save and lose.

    Returns
    -------
    str
        Time, memory of this process, and disk for maps and counterfactual scans, in one line.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> contrast_forecast(model, np.zeros((3, 8, 8), "float32"), mask=np.ones((8, 8), bool))
    'At most ...'
    """
    n, n_clusters, scan = len(images), len(model.centroids), np.asarray(images[0])
    return forecast(
        lambda: pair_map(model, scan, 0, n_clusters - 1, mask, row=0, steps=steps),
        n * max(1, n_clusters - 1),
        disk_bytes=BYTES_PER_VOXEL * n * n_clusters * mask.size,
        spacing_mm=spacing_mm,
    )
