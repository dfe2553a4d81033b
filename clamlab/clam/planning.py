"""How long the maps of a cohort will take, before the first is made."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from clamlab.clam.network import evaluation_mode, read_scans
from clamlab.clam.passes import masked_confidence, masks_at_once
from clamlab.clam.quick_passes.masks import mask_heights
from clamlab.forecast import forecast


def confidence_shape(model: Any, images: NDArray, *, layer: int = -1) -> tuple[int, int, int]:
    """Return the shape that the cohort's confidences will have: scans, clusters, channels.

    Examples
    --------
    >>> import numpy as np
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> confidence_shape(model, np.zeros((3, 8, 8), "float32"))
    (3, 2, 4)
    """
    with evaluation_mode(model):
        channels = model.feature_maps(read_scans(images[:1], [0], model), layer)
    return len(images), len(model.centroids), channels.shape[1]


def clam_forecast(
    model: Any,
    images: NDArray,
    *,
    layer: int = -1,
    batch_size: int = 8,
    spacing_mm: Sequence[float] | None = None,
) -> str:
    """Say what the maps of the cohort will take, from a few channels of one scan.

    In single precision: where that is not enough (networks of unscaled HU), up to six times as
    long.

    Parameters
    ----------
    model, images, layer, batch_size
        As for :func:`channel_confidence`.
    spacing_mm : sequence of float, optional
        Spacing of the scans' grid, to tell what twice that spacing would save and lose.

    Returns
    -------
    str
        Time, memory of this process, and disk for confidences and maps, in one line.

    Examples
    --------
    >>> import numpy as np
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> clam_forecast(model, np.zeros((3, 8, 8), "float32"))
    'At most ...'
    """
    n, n_clusters, n_channels = confidence_shape(model, images, layer=layer)
    with evaluation_mode(model):
        scan = read_scans(images[:1], [0], model)
        at_once = masks_at_once(scan, batch_size)
        channels = model.feature_maps(scan, layer)[0, :at_once].unsqueeze(1)
        masks = mask_heights(channels, scan.shape)
        return forecast(
            lambda: masked_confidence(model, scan, masks, 0.0),
            n * n_channels / len(channels),
            disk_bytes=4 * n * n_clusters * (n_channels + channels[0].numel()),
            spacing_mm=spacing_mm,
        )
