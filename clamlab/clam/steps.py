"""The steps of one map, to be looked at."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clamlab.clam.confidence import channel_confidence
from clamlab.clam.maps import cluster_activation_map, own_importance, upsample
from clamlab.clam.network import evaluation_mode, to_tensor


class ClamSteps(NamedTuple):
    """How the map of one scan comes about, shown on some of its channels."""

    scan: NDArray
    """The scan on the network's scale, shape (*grid)."""
    names: list[int]
    """Which channels are shown, by number from 0: of most, middle and least confidence."""
    channels: NDArray
    """Their activations, shape (n_shown, *layer_grid)."""
    masks: NDArray
    """The same upsampled and brought to 0 to 1, shape (n_shown, *grid)."""
    masked: NDArray
    """The scan seen through each mask, shape (n_shown, *grid)."""
    confidence: NDArray
    """Probability of the cluster for each masked scan, 0 to 1, shape (n_shown,)."""
    importance: NDArray
    """The map: all channels summed, each by its confidence, 0 to 1, shape (*grid)."""


def clam_steps(
    model: Any, scan: NDArray, cluster: int, *, n_shown: int = 3, background: float = 0.0
) -> ClamSteps:
    """Follow one scan's map from the activation channels to the picture.

    Parameters
    ----------
    model : DeepClustering
    scan : array, shape (*grid)
        On the network's scale.
    cluster : int
        The cluster that is explained, from 0; usually the scan's own.
    n_shown : int
        Channels to keep, evenly spread from the highest confidence to the lowest. Dead channels,
        which mask nothing, are not shown.
    background : float
        Value of a voxel that is masked out.

    Returns
    -------
    ClamSteps

    References
    ----------
    Ryan et al., figure 1; eq. 8 and 9 with the last convolution.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scan = np.random.default_rng(0).normal(size=(8, 8)).astype("float32")
    >>> steps = clam_steps(model, scan, 0, n_shown=2)
    >>> steps.channels.shape, steps.masks.shape, len(steps.confidence)
    ((2, 2, 2), (2, 8, 8), 2)
    """
    confidence = channel_confidence(model, scan[None], background=background)
    maps = cluster_activation_map(model, scan[None], confidence=confidence)
    with evaluation_mode(model):
        channels = model.feature_maps(to_tensor(scan[None], model), -1, True)[0].cpu().numpy()
    own = confidence[0, cluster]
    alive = np.flatnonzero(own > 0)
    ranked = alive[np.argsort(-own[alive], kind="stable")]
    shown = ranked[np.linspace(0, len(ranked) - 1, min(n_shown, len(ranked))).round().astype(int)]
    masks = upsample(channels[shown], scan.shape)
    axes = tuple(range(1, masks.ndim))
    masks -= masks.min(axis=axes, keepdims=True)
    masks /= masks.max(axis=axes, keepdims=True)
    return ClamSteps(
        scan,
        shown.tolist(),
        channels[shown],
        masks,
        background + (scan - background) * masks,
        own[shown],
        upsample(own_importance(maps, [cluster]), scan.shape)[0],
    )
