"""The maps of eq. 9: summed at the layer's grid, scaled and enlarged where they are looked at."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from clamlab.clam.confidence import channel_confidence
from clamlab.clam.network import evaluation_mode, interpolate, read_scans
from clamlab.clam.precision import in_double_or_warn, vary_enough
from clamlab.clustering.checks import check_answers

# A map that varies by less than this share of its height would be rounded too coarsely.
LEAST_SPAN = 1 / 4


def cluster_activation_map(
    model: Any,
    images: NDArray,
    *,
    layer: int = -1,
    activated: bool = True,
    background: float = 0.0,
    batch_size: int = 8,
    confidence: NDArray | None = None,
    progress: bool = False,
) -> NDArray[np.float32]:
    """Show which regions of each scan drive its assignment, for every cluster.

    The channels of the chosen layer are summed, each weighted by its confidence. The sums are
    unscaled and stay on the layer's own grid: :func:`importance` scales them, :func:`upsample`
    brings them to the scan.

    Parameters
    ----------
    model, images, layer, activated, background, batch_size, progress
        As for :func:`channel_confidence`.
    confidence : array, shape (n_scans, n_clusters, n_channels), optional
        From :func:`channel_confidence`; worked out when not given.

    Returns
    -------
    array of float32, shape (n_scans, n_clusters, *layer_grid)
        Sum over channels of confidence x activation; may be negative.

    Raises
    ------
    ValueError
        If a scan or a row of confidences holds NaN or infinity; the message names the row.

    Notes
    -----
    A map tells where the network's activity lies, not what is abnormal: healthy tissue may be
    what separates two clusters. On many data the weights hardly matter, and the maps of all
    clusters look alike; ``evaluation.trust_card`` measures whether that is so.

    Sums are kept in single precision: of a map that varies by less than a hundredth of its own
    height, they hold less than five digits.

    References
    ----------
    Ryan et al., eq. 9, without its ReLU and min-max.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> cluster_activation_map(model, scans).shape
    (3, 2, 2, 2)
    """
    if confidence is None:
        confidence = channel_confidence(
            model,
            images,
            layer=layer,
            activated=activated,
            background=background,
            batch_size=batch_size,
            progress=progress,
        )
    if len(confidence) != len(images):
        raise ValueError(
            f"expected one row of confidences for each of {len(images)} scans, "
            f"found {len(confidence)}"
        )
    maps = []
    for i in range(len(images)):
        image, weights = np.asarray(images[i : i + 1]), np.array(confidence[i])
        if not np.isfinite(weights).all():
            raise ValueError(
                f"row {i} of the confidences (counted from 0) holds NaN or infinity: have "
                "channel_confidence fill it first"
            )
        maps.append(_weighted_sums(model, image, i, weights, layer=layer, activated=activated))
    return np.stack(maps)


def _weighted_sums(
    model: Any, image: NDArray, row: int, weights: NDArray, *, layer: int, activated: bool
) -> NDArray[np.float32]:
    """Sum one scan's channels, in double precision where their sum hardly varies."""

    def summed(network: Any) -> Tensor:
        scan = read_scans(image, [row], network)
        channels = network.feature_maps(scan, layer, activated)[0]
        by = torch.as_tensor(weights, dtype=channels.dtype, device=channels.device)
        return torch.tensordot(by, channels, dims=1)

    with evaluation_mode(model):
        sums = summed(model)
    if not vary_enough(sums.clamp(min=0), LEAST_SPAN):
        sums = in_double_or_warn(model, summed, sums)
    check_answers(sums[None], [row], model)
    return sums.float().cpu().numpy()


def importance(maps: ArrayLike, *, n_dims: int | None = None) -> NDArray[np.float32]:
    """Scale maps to [0, 1]: 1 is where a scan's assignment is driven most.

    Parameters
    ----------
    maps : array, shape (..., *grid)
        Unscaled sums from :func:`cluster_activation_map`.
    n_dims : int, optional
        Number of grid axes at the end; by default all but the first two (scan and cluster).

    Returns
    -------
    array of float32, same shape
        ReLU, then min-max of each map on its own. A map that is nowhere positive, or constant,
        points nowhere and is all zero; :func:`is_empty` counts such maps. One that was not
        computed (NaN) stays NaN.

    Notes
    -----
    Each map is scaled on its own: compare places between scans, not heights.

    References
    ----------
    Ryan et al., eq. 9.

    Examples
    --------
    >>> importance([[-2.0, 1.0, 5.0], [-1.0, -1.0, 0.0]], n_dims=1)
    array([[0. , 0.2, 1. ],
           [0. , 0. , 0. ]], dtype=float32)
    """
    positive = np.maximum(np.asarray(maps, "float32"), 0)
    axes = _grid_axes(positive, n_dims)
    low, high = positive.min(axis=axes, keepdims=True), positive.max(axis=axes, keepdims=True)
    span = high - low
    scaled = np.where(span > 0, (positive - low) / np.where(span > 0, span, 1), np.float32(0))
    return np.where(np.isnan(span), np.float32(np.nan), scaled)


def is_empty(maps: ArrayLike, *, n_dims: int | None = None) -> NDArray[np.bool_]:
    """Tell which maps point nowhere: nowhere positive, or everywhere the same.

    Examples
    --------
    >>> is_empty([[-2.0, 1.0], [-1.0, -1.0]], n_dims=1)
    array([False,  True])
    """
    positive = np.maximum(np.asarray(maps), 0)
    axes = _grid_axes(positive, n_dims)
    return positive.max(axis=axes) == positive.min(axis=axes)


def check_computed(maps: ArrayLike, name: str) -> None:
    """Refuse maps of which some were not computed, before anything is measured on them.

    Raises
    ------
    ValueError
        If a map holds NaN; it names the rows.
    """
    maps = np.asarray(maps)
    missing = np.flatnonzero(np.isnan(maps.reshape(len(maps), -1)).any(axis=1))
    if len(missing):
        rows = ", ".join(str(row) for row in missing[:10])
        raise ValueError(
            f"{name}: expected a map of every scan, found {len(missing)} not computed (NaN; rows "
            f"from 0: {rows}); compute them, or leave these scans out"
        )


def own_importance(maps: ArrayLike, clusters: ArrayLike) -> NDArray[np.float32]:
    """Pick each scan's importance for the cluster it belongs to, shape (n_scans, *layer_grid).

    Parameters
    ----------
    maps : array, shape (n_scans, n_clusters, *layer_grid)
        Unscaled sums from :func:`cluster_activation_map`.
    clusters : array of int, shape (n_scans,)
        Each scan's cluster, from 0.

    Returns
    -------
    array of float32, shape (n_scans, *layer_grid)
        In [0, 1], each map scaled as by :func:`importance`.

    Raises
    ------
    ValueError
        If there is not one cluster per scan, or one of them does not exist.

    Examples
    --------
    >>> own_importance([[[0.0, 4.0], [1.0, 0.0]]], [1])
    array([[1., 0.]], dtype=float32)
    """
    maps, clusters = np.asarray(maps), np.asarray(clusters)
    if len(maps) != len(clusters) or not np.all((clusters >= 0) & (clusters < maps.shape[1])):
        raise ValueError(
            f"expected one cluster from 0 to {maps.shape[1] - 1} for each of {len(maps)} scans, "
            f"found {len(clusters)} with values {sorted(set(clusters.tolist()))}"
        )
    own = maps[np.arange(len(maps)), clusters]
    return importance(own, n_dims=own.ndim - 1)


def upsample(maps: ArrayLike, shape: Sequence[int]) -> NDArray[np.float32]:
    """Bring maps from the layer's grid to the scan's, to lay them over it.

    Linear with half-pixel centres, as in eq. 8; nothing is scaled a second time, and averaging
    before or after gives the same.

    Parameters
    ----------
    maps : array, shape (..., *layer_grid)
    shape : sequence of int
        The scan's grid.

    Returns
    -------
    array of float32, shape (..., *shape)

    Examples
    --------
    >>> upsample([0.0, 1.0], (4,))
    array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    maps = np.asarray(maps, "float32")
    leading, grid = (
        maps.shape[: maps.ndim - len(shape)],
        maps.shape[maps.ndim - len(shape) :],
    )
    stacked = torch.tensor(maps).reshape(-1, 1, *grid)
    return interpolate(stacked, shape).numpy().reshape(*leading, *shape)


def _grid_axes(maps: NDArray, n_dims: int | None) -> tuple[int, ...]:
    return tuple(range(-(maps.ndim - 2 if n_dims is None else n_dims), 0))


def upsampled(maps: NDArray, shape: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    """Enlarge maps one by one, for work that must not hold them all at full size.

    Parameters
    ----------
    maps : array, shape (n_maps, *layer_grid)
        A memory map is read one map at a time.
    shape : sequence of int
        The scan's grid.

    Yields
    ------
    array of float32, shape (*shape)
        One map, as from :func:`upsample`.

    Examples
    --------
    >>> [m.shape for m in upsampled(np.zeros((2, 4, 4)), (16, 16))]
    [(16, 16), (16, 16)]
    """
    return (upsample(m, shape) for m in maps)
