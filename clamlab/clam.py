"""Cluster activation maps: which regions of each scan drive its cluster assignment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from tqdm.auto import tqdm

from clamlab.clustering import soft_assignment

UPSAMPLING = {1: "linear", 2: "bilinear", 3: "trilinear"}


def channel_confidence(
    model: Any,
    images: ArrayLike,
    *,
    layer: int = -1,
    activated: bool = True,
    background: float = 0.0,
    batch_size: int = 8,
    n_jobs: int = 1,
    out: NDArray | None = None,
    progress: bool = False,
) -> NDArray[np.float32]:
    """Weigh each activation channel: how sure the network stays when it sees only that channel.

    Each channel is upsampled to the scan (linear, half-pixel centres), brought to [0, 1], and laid
    over the scan as a mask; the probability of each cluster for the masked scan is the channel's
    confidence for that cluster. All clusters come from the same masked passes.

    Parameters
    ----------
    model : DeepClustering, or any module with ``encode``, ``feature_maps`` and ``centroids``
        It is put in evaluation mode for the call and left as it was.
    images : array or ScaledVolumes, shape (n_scans, *grid) or (n_scans, channels, *grid)
        Scans on the network's scale.
    layer : int
        Encoder convolution that supplies the channels, -1 for the last.
    activated : bool
        Take the channels after the leaky ReLU (default) or before.
    background : float
        Value of a voxel that is masked out; 0 is mean lung under z-scored scaling.
    batch_size : int
        Masked scans per pass; bounds memory, never changes the result beyond rounding.
    n_jobs : int
        Processes; a Dask cluster takes over under ``joblib.parallel_config(backend="dask")``.
    out : writable array of float32, shape (n_scans, n_clusters, n_channels), optional
        Filled row by row and returned. Rows without NaN count as done and are kept: a stored
        array of NaN makes an interrupted run resume.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    array of float32, shape (n_scans, n_clusters, n_channels)
        Probabilities in [0, 1]. A channel that is constant over the scan masks nothing: 0.

    References
    ----------
    Ryan et al., eq. 8.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> channel_confidence(model, scans).shape
    (3, 2, 4)
    """
    todo = range(len(images)) if out is None else np.flatnonzero(np.isnan(out).any(axis=(1, 2)))
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_confidence_of_scan)(
            model,
            np.asarray(images[i : i + 1]),
            layer,
            activated,
            background,
            batch_size,
        )
        for i in todo
    )
    bar = tqdm(
        results,
        "cluster activation maps",
        total=len(todo),
        unit="scan",
        disable=not progress,
    )
    if out is None:
        return np.stack(list(bar))
    for i, confidence in zip(todo, bar, strict=True):
        out[i] = confidence
    return out


def cluster_activation_map(
    model: Any,
    images: ArrayLike,
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

    Notes
    -----
    A map tells where the network's activity lies, not what is abnormal: healthy tissue may be
    what separates two clusters. On many data the weights hardly matter, and the maps of all
    clusters look alike; ``evaluation.trust_card`` measures whether that is so.

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
    with evaluation_mode(model):
        for weights, i in zip(confidence, range(len(images)), strict=True):
            channels = model.feature_maps(_to_tensor(images[i : i + 1], model), layer, activated)[0]
            weights = torch.as_tensor(np.array(weights), dtype=channels.dtype)
            maps.append(
                torch.tensordot(weights.to(channels.device), channels, dims=1).cpu().numpy()
            )
    return np.stack(maps)


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
        points nowhere and is all zero; :func:`is_empty` counts such maps.

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
    maps = np.maximum(np.asarray(maps, "float32"), 0)
    axes = _grid_axes(maps, n_dims)
    low, high = maps.min(axis=axes, keepdims=True), maps.max(axis=axes, keepdims=True)
    span = high - low
    return np.where(span > 0, (maps - low) / np.where(span > 0, span, 1), np.float32(0))


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


def cluster_average(maps: ArrayLike, clusters: ArrayLike) -> NDArray[np.float32]:
    """Average, for each cluster, the importance that its scans have for their own cluster.

    Parameters
    ----------
    maps : array, shape (n_scans, n_clusters, *layer_grid)
        Unscaled sums; each scan's map is scaled to [0, 1] before averaging.
    clusters : array of int, shape (n_scans,)
        Each scan's cluster, from 0.

    Returns
    -------
    array of float32, shape (n_clusters, *layer_grid)
        Mean importance in [0, 1]; NaN for a cluster without scans.

    Notes
    -----
    Eq. 10 prints a sum; the paper's text and figures mean averages. The average has a meaning
    only where the scans are registered to one template.

    Examples
    --------
    >>> cluster_average([[[0.0, 4.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]], [0, 1])
    array([[0., 1.],
           [0., 1.]], dtype=float32)
    """
    own = own_importance(maps, clusters)
    n_clusters, clusters = np.shape(maps)[1], np.asarray(clusters)
    averages = np.full((n_clusters, *own.shape[1:]), np.nan, "float32")
    for k in np.unique(clusters):
        averages[k] = own[clusters == k].mean(axis=0)
    return averages


def population_average(
    maps: ArrayLike, clusters: ArrayLike, *, weighting: str = "scans"
) -> NDArray[np.float32]:
    """Average the importance over the whole cohort.

    Parameters
    ----------
    maps, clusters
        As for :func:`cluster_average`.
    weighting : {"scans", "clusters"}
        Mean over all scans, or mean of the clusters' means (the 1/K of eq. 11).

    Returns
    -------
    array of float32, shape (*layer_grid)

    Examples
    --------
    >>> population_average([[[0.0, 4.0], [1.0, 0.0]], [[2.0, 0.0], [3.0, 0.0]]], [0, 1])
    array([0.5, 0.5], dtype=float32)
    """
    if weighting == "scans":
        return own_importance(maps, clusters).mean(axis=0)
    if weighting == "clusters":
        averages = cluster_average(maps, clusters)
        return averages[np.unique(clusters)].mean(axis=0)
    raise ValueError(f"weighting must be 'scans' or 'clusters', found {weighting!r}")


def average_by_cluster(
    maps: ArrayLike, clusters: ArrayLike, *, shape: Sequence[int]
) -> dict[str, NDArray[np.float32]]:
    """Average the importance at the scans' full size, overall and for each cluster with scans.

    Returns
    -------
    dict of str to array of float32, shape (*shape)
        "Overall" (mean over scans), then "Cluster 1" and so on.

    Examples
    --------
    >>> maps = [[[0.0, 4.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]]
    >>> average_by_cluster(maps, [0, 0], shape=(4,))["Cluster 1"]
    array([0.5, 0.5, 0.5, 0.5], dtype=float32)
    """
    averages = cluster_average(maps, clusters)
    named = {f"Cluster {k + 1}": averages[k] for k in np.unique(clusters)}
    named = {"Overall": population_average(maps, clusters), **named}
    return {name: upsample(average, shape) for name, average in named.items()}


def own_importance(maps: ArrayLike, clusters: ArrayLike) -> NDArray[np.float32]:
    """Pick each scan's importance for the cluster it belongs to, shape (n_scans, *layer_grid).

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
    stacked = torch.from_numpy(np.ascontiguousarray(maps).reshape(-1, 1, *grid))
    return _upsample(stacked, shape).numpy().reshape(*leading, *shape)


def _upsample(maps: Tensor, shape: Sequence[int]) -> Tensor:
    return nn.functional.interpolate(
        maps, size=tuple(shape), mode=UPSAMPLING[len(shape)], align_corners=False
    )


def _grid_axes(maps: NDArray, n_dims: int | None) -> tuple[int, ...]:
    return tuple(range(-(maps.ndim - 2 if n_dims is None else n_dims), 0))


def _to_tensor(images: ArrayLike, model: Any) -> Tensor:
    centroids = model.centroids
    return torch.as_tensor(np.array(images), dtype=centroids.dtype).to(centroids.device)


@contextmanager
def evaluation_mode(model: Any) -> Iterator[None]:
    """Run a model without gradients and in evaluation mode, and leave it as it was."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def _confidence_of_scan(
    model: Any,
    image: NDArray,
    layer: int,
    activated: bool,
    background: float,
    batch_size: int,
) -> NDArray[np.float32]:
    with evaluation_mode(model):
        scan = _to_tensor(image, model)
        channels = model.feature_maps(scan, layer, activated)[0].unsqueeze(1)
        grid = scan.shape[-(channels.ndim - 2) :]
        confidence = torch.cat(
            [
                _confidence_of_masks(model, scan, _upsample(masks, grid), background)
                for masks in channels.split(batch_size)
            ]
        )
    return confidence.T.cpu().numpy().astype("float32")


def _confidence_of_masks(model: Any, scan: Tensor, masks: Tensor, background: float) -> Tensor:
    """Return the clusters' probabilities under each mask (n_masks, n_clusters)."""
    axes = tuple(range(1, masks.ndim))
    low, high = masks.amin(dim=axes, keepdim=True), masks.amax(dim=axes, keepdim=True)
    span = high - low
    masks = (masks - low) / torch.where(span > 0, span, 1)
    if scan.ndim < masks.ndim:  # scans without a channel axis
        masks = masks.squeeze(1)
    masked = background + (scan - background) * masks
    confidence = soft_assignment(model.encode(masked), model.centroids)
    # A constant channel has no shape to look through, so it earns no weight.
    return torch.where(span.flatten()[:, None] > 0, confidence, 0)
