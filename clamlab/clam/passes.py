"""Two ways to the same numbers: each masked scan through the whole network, or the quicker one."""

from importlib.util import find_spec
from math import prod
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from clamlab.clam.network import interpolate, log_probabilities
from clamlab.clam.precision import vary_enough
from clamlab.clam.quick_passes.masks import mask_heights
from clamlab.clam.quick_passes.proof import is_as_built
from clamlab.clam.quick_passes.receptive_fields import axes_of
from clamlab.clustering import soft_assignment

# Beyond, the system hands out memory anew for every tensor, which takes longer than a batch saves.
VOXELS_PER_PASS = 1 << 20
# Working out what masks have in common takes as long as so many masks save.
WORTH_IT = 40
MOST_HATS = 27
# Where both ways agree so far on their most sensitive mask, all masks were right within 5e-6;
# networks on the z scale agree within 4e-7 (benchmarks/exactness.py).
AGREE = 1e-6
# A channel that varies by less than this share of its height has too much of its shape from
# rounding; those of trained networks vary by a third of it and more.
LEAST_SPAN = 1 / 6


def confidence_under_masks(
    model: Any,
    scan: Tensor,
    channels: Tensor,
    *,
    background: float,
    batch_size: int,
    quick: bool = False,
) -> tuple[Tensor, bool]:
    """Return the clusters' probabilities for a scan seen through each of some channels.

    ``scan`` is (1, *grid) or (1, image channels, *grid), ``channels`` (n, 1, *layer_grid); the
    result is (n, n_clusters). Beside it stands whether the network's precision is enough for it.
    """
    heights = mask_heights(channels, scan.shape)
    if quick:
        confidence, sure = quick_confidence(model, scan, heights, background)
    else:
        some = heights.split(masks_at_once(scan, batch_size))
        passes = [masked_confidence(model, scan, masks, background) for masks in some]
        confidence, sure = torch.cat(passes), True
    # A constant channel has no shape to look through, so it earns no weight.
    flat = channels.flatten(1)
    varies = flat.amax(dim=1) > flat.amin(dim=1)
    return torch.where(varies[:, None], confidence, 0), sure and vary_enough(channels, LEAST_SPAN)


def can_be_quick(model: Any, layer: int, preview: int | None = None) -> bool:
    """Tell whether the quicker way is open: for networks as built, on the CPU, and worth it.

    Masks must have the last layer's grid, and be many enough.
    """
    if not is_as_built(model) or torch.is_autocast_enabled("cpu"):
        return False
    encoder, n_layers = model.autoencoder, len(model.blocks)
    if n_layers < 3 or not isinstance(layer, Integral) or not -n_layers <= layer < n_layers:
        return False
    n_masks = len(range(encoder.config["channels"][layer])[:preview])
    after = encoder.config["strides"][layer % n_layers + 1 :]
    if (
        n_masks < WORTH_IT
        or prod(after) > 1
        or {p.device.type for p in model.parameters()} != {"cpu"}
    ):
        return False
    n_hats = prod(axis.n_near for axis in axes_of(encoder, encoder.layer_grid))
    return n_hats <= MOST_HATS and find_spec("numba") is not None


def quick_confidence(
    model: Any, scan: Tensor, heights: Tensor, background: float
) -> tuple[Tensor, bool]:
    """Go the quicker way (`clamlab.clam.quick_passes`), and one mask's way through the network.

    Both round alike, but in another order: as far as they agree they are right.
    """
    from clamlab.clam.quick_passes.features import QuickPasses  # only here is numba asked for

    features = QuickPasses(model.autoencoder, scan, heights, background).features()
    confidence = soft_assignment(features, model.centroids)
    i = most_sensitive(features, confidence, model.centroids)
    whole = masked_confidence(model, scan, heights[i : i + 1], background)[0]
    return confidence, bool((confidence[i] - whole).abs().max() <= AGREE)


def most_sensitive(features: Tensor, confidence: Tensor, centroids: Tensor) -> int:
    """Find the features whose probabilities a small error moves most, by the slope of eq. 4."""
    distance = torch.cdist(features, centroids)
    slope = 2 * distance / (1 + distance.square())
    return int((confidence * (1 - confidence) * slope).sum(dim=1).argmax())


def masks_at_once(scan: Tensor, batch_size: int) -> int:
    """Give the number of masked copies of a scan that pass through the network together."""
    return max(1, min(batch_size, VOXELS_PER_PASS // scan.numel()))


def masked_confidence(model: Any, scan: Tensor, heights: Tensor, background: float) -> Tensor:
    """Pass a scan, seen through some masks, through the whole network."""
    masks = interpolate(heights[:, None], scan.shape[-(heights.ndim - 1) :])
    if scan.ndim < masks.ndim:  # scans without a channel axis
        masks = masks.squeeze(1)
    masked = background + (scan - background) * masks
    return log_probabilities(model, masked).exp()
