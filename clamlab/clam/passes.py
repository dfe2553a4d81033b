"""Two ways to the same numbers: each masked scan through the whole network, or the quicker one."""

from importlib.util import find_spec
from math import prod
from typing import Any

import torch
from torch import Tensor

from clamlab.clam.network import interpolate
from clamlab.clam.quick_passes.masks import mask_heights
from clamlab.clam.quick_passes.receptive_fields import axes_of
from clamlab.clustering import soft_assignment
from clamlab.models import ConvAutoencoder

# Beyond, the system hands out memory anew for every tensor, which takes longer than a batch saves.
VOXELS_PER_PASS = 1 << 20
# Working out what masks have in common takes as long as so many masks save.
WORTH_IT = 40
MOST_HATS = 27


def confidence_under_masks(
    model: Any, scan: Tensor, channels: Tensor, background: float, batch_size: int
) -> Tensor:
    """Return the clusters' probabilities for a scan seen through each of some channels.

    ``scan`` is (1, *grid) or (1, image channels, *grid), ``channels`` (n, 1, *layer_grid); the
    result is (n, n_clusters).
    """
    heights = mask_heights(channels, scan.shape)
    if can_be_quick(model, channels):
        confidence = quick_confidence(model, scan, heights, background)
    else:
        some = heights.split(masks_at_once(scan, batch_size))
        passes = [masked_confidence(model, scan, masks, background) for masks in some]
        confidence = torch.cat(passes)
    # A constant channel has no shape to look through, so it earns no weight.
    flat = channels.flatten(1)
    varies = flat.amax(dim=1) > flat.amin(dim=1)
    return torch.where(varies[:, None], confidence, 0)


def can_be_quick(model: Any, channels: Tensor) -> bool:
    """Tell whether the quicker way is open: for this library's networks, last layer, on the CPU."""
    encoder = getattr(model, "autoencoder", None)
    if not isinstance(encoder, ConvAutoencoder) or tuple(channels.shape[2:]) != encoder.layer_grid:
        return False
    plain = channels.device.type == "cpu" and channels.dtype == torch.float32
    if not plain or len(encoder.blocks) < 3 or len(channels) < WORTH_IT:
        return False
    n_hats = prod(axis.n_near for axis in axes_of(encoder, encoder.layer_grid))
    return n_hats <= MOST_HATS and find_spec("numba") is not None


def quick_confidence(model: Any, scan: Tensor, heights: Tensor, background: float) -> Tensor:
    """Go the quicker way (`clamlab.clam.quick_passes`)."""
    from clamlab.clam.quick_passes.features import QuickPasses  # only here is numba asked for

    passes = QuickPasses(model.autoencoder, scan, heights, background)
    return soft_assignment(passes.features(), model.centroids)


def masks_at_once(scan: Tensor, batch_size: int) -> int:
    """Give the number of masked copies of a scan that pass through the network together."""
    return max(1, min(batch_size, VOXELS_PER_PASS // scan.numel()))


def masked_confidence(model: Any, scan: Tensor, heights: Tensor, background: float) -> Tensor:
    """Pass a scan, seen through some masks, through the whole network."""
    masks = interpolate(heights[:, None], scan.shape[-(heights.ndim - 1) :])
    if scan.ndim < masks.ndim:  # scans without a channel axis
        masks = masks.squeeze(1)
    masked = background + (scan - background) * masks
    return soft_assignment(model.encode(masked), model.centroids)
