"""Scans as another cluster would have them."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from clamlab.clam.network import evaluation_mode, log_probabilities, read_scans
from clamlab.clustering.checks import Rows, check_answers, check_whole
from clamlab.contrast.checks import check_clusters, checked_mask

# How near voxels must be to bear each other out, in voxels; and how far the scan may be expected to
# differ from what is drawn of it, as a share of that.
NEIGHBOURHOOD = 0.7
EXPECTED_SPREAD = 0.7


def counterfactual(
    model: Any,
    images: NDArray,
    rival: ArrayLike,
    *,
    mask: ArrayLike,
    batch_size: int = 8,
) -> NDArray[np.float32]:
    """See each scan as another cluster would have it, with its own noise and anatomy.

    Inside the lung, what the decoder draws of the scan is exchanged for what it draws of the
    rival's centroid, as far as the scan bears it out; what the decoder cannot draw, the scan keeps.

    Parameters
    ----------
    model : DeepClustering, or any module with ``encode``, ``decode`` and ``centroids``
        It is put in evaluation mode for the call and left as it was.
    images : array or ScaledVolumes, shape (n_scans, *grid) or (n_scans, channels, *grid)
        Scans on the network's scale.
    rival : int or array of int, shape (n_scans,)
        The cluster to be like, from 0; one for all scans, or one for each.
    mask : array of bool, shape (*grid)
        The lung; outside it nothing changes.
    batch_size : int
        Scans per pass; bounds memory only.

    Returns
    -------
    array of float32, same shape as ``images``
        The counterfactual scans on the network's scale. A scan minus its counterfactual,
        brought back to HU, is direction and amount: positive where the scan is denser than the
        rival would be.

    Raises
    ------
    ValueError
        If the mask does not fit the scans, a rival is not a cluster, or a scan holds NaN or
        infinity; the message then names its row.

    Notes
    -----
    x_B = x - c [g(f(x)) - g(mu_B)]. The decoder draws lesions where they typically lie, and blurs
    them; c, from 0 on, is the local regression of x - g(mu_B) on the bracket, in a Gaussian
    neighbourhood of .7 voxels. It is drawn towards 1, with a spread of .7, where the bracket is
    small beside what the decoder cannot draw of this scan.

    That the counterfactual differs somewhere is no evidence that the clustering looks there:
    the decoder draws what varies together. :func:`contrast_map` adds what the encoder sees.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> counterfactual(model, scans, 1, mask=np.ones((8, 8), bool)).shape
    (3, 8, 8)
    """
    n_scans, mask = len(images), checked_mask(images, mask)
    rivals = np.broadcast_to(np.asarray(rival), (n_scans,))
    check_clusters(rivals, model, "rival")
    check_whole("the number of scans", n_scans)
    check_whole("batch_size", batch_size)
    starts = range(0, n_scans, batch_size)
    parts = [slice(start, min(start + batch_size, n_scans)) for start in starts]
    changed = [
        read_as_rival(model, images[part], rivals[part], mask=mask, rows=range(n_scans)[part])
        for part in parts
    ]
    return np.concatenate(changed)


def read_as_rival(
    model: Any, images: NDArray, rivals: NDArray, *, mask: NDArray[np.bool_], rows: Rows
) -> NDArray[np.float32]:
    """Do :func:`counterfactual`'s work for some scans, told by their rows where one is broken."""
    with evaluation_mode(model):
        scans = read_scans(images, rows, model)
        changed = as_rival(model, scans, rivals, torch.tensor(mask, device=scans.device))
    check_answers(changed, rows, model)
    return changed.cpu().numpy().astype("float32")


def most_probable(model: Any, images: NDArray, *, batch_size: int = 8) -> NDArray[np.int64]:
    """Tell each scan's nearest, and so most probable, cluster.

    Parameters
    ----------
    model, images, batch_size
        As for :func:`counterfactual`.

    Returns
    -------
    array of int, shape (n_scans,)
        From 0.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> most_probable(model, np.zeros((3, 8, 8)))
    array([0, 0, 0])
    """
    check_whole("the number of scans", len(images))
    check_whole("batch_size", batch_size)
    nearest = []
    with evaluation_mode(model):
        for start in range(0, len(images), batch_size):
            some = images[start : start + batch_size]
            rows = range(start, start + len(some))
            log_q = log_probabilities(model, read_scans(some, rows, model))
            check_answers(log_q, rows, model)
            nearest.append(log_q.argmax(dim=1))
    return torch.cat(nearest).cpu().numpy()


def as_rival(model: Any, scans: Tensor, rivals: NDArray, lung: Tensor) -> Tensor:
    """Exchange, inside the lung, what is drawn of each scan for what is drawn of its rival."""
    drawn = model.decode(model.encode(scans)).reshape(scans.shape)
    asked = model.decode(model.centroids[torch.as_tensor(np.array(rivals))]).reshape(scans.shape)
    return scans - share_borne_out(scans, drawn, asked, lung) * (drawn - asked)


def share_borne_out(scans: Tensor, drawn: Tensor, asked: Tensor, lung: Tensor) -> Tensor:
    """Tell how much of the change to its rival each scan bears out; 0 outside the lung."""
    mask = lung.cpu().numpy()
    told = zip(*map(_float64, (drawn - asked, scans - drawn, scans - asked)), strict=True)
    share = np.stack([borne_out(of, undrawn, apart, mask) for of, undrawn, apart in told])
    return torch.as_tensor(share).to(drawn)


def _float64(values: Tensor) -> NDArray[np.float64]:
    return values.cpu().numpy().astype("float64")


def borne_out(
    change: NDArray, undrawn: NDArray, apart: NDArray, mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Tell how much of a drawn change a scan bears out, voxel by voxel.

    Parameters
    ----------
    change : array, shape (..., *grid)
        What is drawn of a scan, less what is drawn of its rival.
    undrawn : array, same shape
        The scan, less what is drawn of it: as large as this, differences may be chance.
    apart : array, same shape
        The scan, less what is drawn of its rival.
    mask : array of bool, shape (*grid)

    Returns
    -------
    array, same shape
        0 where the scan shows nothing of the change, 1 where it shows it as drawn, more where
        it shows more; 0 outside the mask.

    Examples
    --------
    >>> change, apart = np.ones((1, 9)), np.repeat([[1.0, 0.0]], [6, 3], axis=1)
    >>> borne_out(change, 0 * change, apart, np.ones(9, bool)).round(1)
    array([[1. , 1. , 1. , 1. , 1. , 0.8, 0.2, 0. , 0. ]])
    """
    grid = tuple(range(-mask.ndim, 0))
    n_near = (4 * np.pi * NEIGHBOURHOOD**2) ** (mask.ndim / 2)
    chance = np.square(undrawn).mean(axis=grid, where=mask, keepdims=True)
    doubt = chance / (n_near * EXPECTED_SPREAD**2) * _nearby(mask.astype(float), mask)
    agreement, amount = _nearby(apart * change, mask), _nearby(change**2, mask)
    share = np.ones_like(change)
    np.divide(agreement + doubt, amount + doubt, out=share, where=amount + doubt > 0)
    return np.where(mask, np.maximum(share, 0), 0)


def _nearby(values: NDArray, mask: NDArray[np.bool_]) -> NDArray:
    """Add up what lies near each voxel, inside the mask."""
    grid = tuple(range(-mask.ndim, 0))
    return gaussian_filter(values * mask, NEIGHBOURHOOD, mode="constant", axes=grid)
