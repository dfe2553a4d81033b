"""Maps that a cluster activation map has to beat, or must not resemble."""

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from clamlab.clam import cluster_activation_map
from clamlab.clam.network import evaluation_mode
from clamlab.contrast import integrated_gradients
from clamlab.evaluation.scores import log_odds, runner_up, squared_distances


def unweighted_map(
    model: Any, images: NDArray, *, layer: int = -1, activated: bool = True
) -> NDArray[np.float32]:
    """Sum the activations without weights: the cluster activation map that knows no cluster.

    Parameters
    ----------
    model, images, layer, activated
        As for ``clam.cluster_activation_map``.

    Returns
    -------
    array of float32, shape (n_scans, *layer_grid)
        Unscaled sums, as eq. 9 with every weight 1.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> unweighted_map(model, np.zeros((3, 8, 8))).shape
    (3, 2, 2)
    """
    with evaluation_mode(model):
        first = torch.as_tensor(np.array(images[:1]), dtype=model.centroids.dtype)
        channels = model.feature_maps(first.to(model.centroids.device), layer, activated)
    ones = np.ones((len(images), 1, channels.shape[1]), "float32")
    return cluster_activation_map(model, images, layer=layer, activated=activated, confidence=ones)[
        :, 0
    ]


def untrained_copy(
    model: Any, images: NDArray, clusters: ArrayLike, *, seed: int, batch_size: int = 8
) -> Any:
    """Get the same network as if it had learned nothing, to see which maps do not notice.

    All weights are drawn afresh. The centroids become the means of the fresh features of the
    given clusters, so that there is still something to explain.

    Parameters
    ----------
    model : torch module with ``encode`` and ``centroids``
        Left unchanged.
    images : array, shape (n_scans, *grid)
    clusters : array of int, shape (n_scans,)
        Each scan's cluster, from 0. A cluster without scans gets the mean of all.
    seed : int
    batch_size : int

    Returns
    -------
    module of the same class

    Raises
    ------
    ValueError
        If a part of the network has weights and no ``reset_parameters`` to draw them afresh.

    References
    ----------
    Adebayo et al., Sanity checks for saliency maps, 2018.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(4, 8, 8))
    >>> fresh = untrained_copy(model, scans, [0, 0, 1, 1], seed=1)
    >>> bool((fresh.encode(torch.zeros(1, 8, 8)) == model.encode(torch.zeros(1, 8, 8))).all())
    False
    """
    fresh, clusters = copy.deepcopy(model), np.asarray(clusters)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, part in fresh.named_modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
            elif any(p is not fresh.centroids for p in part.parameters(recurse=False)):
                raise ValueError(
                    f"cannot draw the weights of {name or type(part).__name__!r} afresh: it has "
                    "no reset_parameters"
                )
    with evaluation_mode(fresh):
        parts = []
        for start in range(0, len(images), batch_size):
            batch = np.array(images[start : start + batch_size])
            scans = torch.as_tensor(batch, dtype=fresh.centroids.dtype)
            parts.append(fresh.encode(scans.to(fresh.centroids.device)))
        features = torch.cat(parts)
        for k in range(len(fresh.centroids)):
            members = torch.as_tensor(clusters == k, device=features.device)
            fresh.centroids[k] = features[members if members.any() else slice(None)].mean(dim=0)
    return fresh


def deviation_map(images: NDArray, template: ArrayLike, *, mask: ArrayLike) -> NDArray[np.float32]:
    """Show where each scan differs from the template: no network at all.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
    template : array, shape (*grid)
        On the same scale.
    mask : array of bool, shape (*grid)

    Returns
    -------
    array of float32, shape (n_scans, *grid)
        |scan - template| inside the lung, 0 outside.

    Examples
    --------
    >>> deviation_map(np.array([[1.0, -2.0]]), np.zeros(2), mask=np.array([True, True]))
    array([[1., 2.]], dtype=float32)
    """
    apart = np.abs(np.asarray(images) - np.asarray(template))
    return np.where(np.asarray(mask).astype(bool), apart, 0).astype("float32")


def integrated_gradients_map(
    model: Any,
    images: NDArray,
    template: ArrayLike,
    *,
    mask: ArrayLike,
    clusters: ArrayLike,
    steps: int = 16,
    batch_size: int = 8,
) -> NDArray[np.float32]:
    """Show, by gradients from the template on, what speaks for the cluster and not the runner-up.

    Parameters
    ----------
    model : any module with ``encode`` and ``centroids``
    images : array, shape (n_scans, *grid)
    template : array, shape (*grid)
        Start of every path, on the network's scale.
    mask : array of bool, shape (*grid)
    clusters : array of int, shape (n_scans,)
    steps, batch_size : int
        As for ``contrast.integrated_gradients``.

    Returns
    -------
    array of float32, shape (n_scans, *grid)
        Positive contributions to log q_own - log q_runner-up inside the lung.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8))
    >>> integrated_gradients_map(model, scans, 0 * scans[0], mask=np.ones((8, 8)),
    ...                          clusters=[0, 1, 0]).shape
    (3, 8, 8)
    """
    mask, own = np.asarray(mask).astype(bool), np.asarray(clusters)
    rivals = runner_up(squared_distances(model, images, batch_size=batch_size), own)
    starts = np.where(mask, template, np.asarray(images))
    shares = integrated_gradients(
        model, starts, images, clusters=own, rivals=rivals, steps=steps, batch_size=batch_size
    )
    return np.where(mask, np.maximum(shares, 0), 0)


def occlusion_map(
    model: Any,
    images: NDArray,
    template: ArrayLike,
    *,
    mask: ArrayLike,
    clusters: ArrayLike,
    size: int | None = None,
    batch_size: int = 8,
) -> NDArray[np.float32]:
    """Show which blocks of the scan its cluster misses most when the template covers them.

    Parameters
    ----------
    model : any module with ``encode`` and ``centroids``
    images : array, shape (n_scans, *grid)
    template : array, shape (*grid)
        On the network's scale.
    mask : array of bool, shape (*grid)
        Only its voxels are covered.
    clusters : array of int, shape (n_scans,)
    size : int, optional
        Side of a block in voxels; an eighth of the shortest side of the grid by default.
    batch_size : int

    Returns
    -------
    array of float32, shape (n_scans, *grid)
        Loss of log q_own - log q_runner-up under each block; negative where covering helps.

    References
    ----------
    Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8))
    >>> occlusion_map(model, scans, 0 * scans[0], mask=np.ones((8, 8)), clusters=[0, 1, 0]).shape
    (3, 8, 8)
    """
    mask, own = np.asarray(mask).astype(bool), np.asarray(clusters)
    size = max(1, min(mask.shape) // 8) if size is None else size
    blocks = _blocks(mask, size)
    whole = squared_distances(model, images, batch_size=batch_size)
    rivals = runner_up(whole, own)
    maps = np.zeros((len(images), *mask.shape), "float32")
    for i, (k, j) in enumerate(zip(own, rivals, strict=True)):
        image, before = np.asarray(images[i]), log_odds(whole[i : i + 1], k, j)[0]
        for some in np.array_split(np.arange(1, blocks.max() + 1), -(-blocks.max() // batch_size)):
            covered = np.stack([np.where(blocks == block, template, image) for block in some])
            losses = before - log_odds(
                squared_distances(model, covered, batch_size=batch_size), k, j
            )
            for block, loss in zip(some, losses, strict=True):
                maps[i][blocks == block] = loss
    return maps


def _blocks(mask: NDArray[np.bool_], size: int) -> NDArray:
    """Give a number to each cube that holds some lung, from 1; 0 outside the lung."""
    cubes = np.ravel_multi_index(tuple(np.indices(mask.shape) // size), mask.shape)
    numbers = np.zeros(mask.shape, int)
    numbers[mask] = np.unique(cubes[mask], return_inverse=True)[1] + 1
    return numbers
