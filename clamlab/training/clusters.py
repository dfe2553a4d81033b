"""Phase 2: features are pulled into clusters while the scans can still be drawn from them."""

import copy
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from clamlab.clustering import clustering_loss, soft_assignment, target_distribution
from clamlab.clustering.checks import check_number, check_whole
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.training.checkpoint import Checkpoint
from clamlab.training.checks import check_cohort
from clamlab.training.embedding import embed_cohort
from clamlab.training.held_out import HeldOut
from clamlab.training.loop import (
    OnEpoch,
    Parts,
    Schedule,
    check_reduction,
    one_process,
    run_epochs,
)

if TYPE_CHECKING:
    from lightning_fabric import Fabric

N_STARTS = 20


def fit_clusters(
    autoencoder: ConvAutoencoder,
    images: NDArray,
    n_clusters: int,
    *,
    epochs: int = 500,
    gamma: float = 0.1,
    batch_size: int = 32,
    learning_rate: float = 1e-4,
    patience: int = 20,
    reduction: str = "mean",
    seed: int = 0,
    checkpoint: str | os.PathLike | None = None,
    on_epoch: OnEpoch | None = None,
    progress: bool = True,
    fabric: "Fabric | None" = None,
) -> tuple[DeepClustering, pd.DataFrame]:
    """Find clusters of scans, and features in which they stand apart.

    k-means places the centroids; then network and centroids are trained together on
    reconstruction + gamma x KL(P || Q). The target P is taken over the whole cohort at the start
    of every epoch. The clusters come back ordered from the densest scans to the least dense.

    Parameters
    ----------
    autoencoder : ConvAutoencoder
        Pre-trained; it is copied, so that one pre-training serves several numbers of clusters.
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale.
    n_clusters : int
        Number of clusters, at most the number of scans that differ.
    epochs, batch_size, learning_rate, patience, seed, checkpoint, on_epoch, progress, fabric
        As for :func:`pretrain`.
    gamma : float
        Weight of the clustering loss.
    reduction : {"mean", "sum"}
        "mean": squared error per voxel and KL per scan. "sum": both summed, as eq. 2 and 6 print
        them; the weight that gamma then really has, in terms of means, is ``effective_gamma``.

    Returns
    -------
    model : DeepClustering
    history : DataFrame
        One row per epoch: ``epoch``, ``loss``, ``reconstruction_loss``, ``clustering_loss``
        (nats per scan), ``effective_gamma``, and as found before the epoch's first step
        ``smallest_cluster`` (scans), ``entropy`` (of q, in nats, mean over scans),
        ``centroid_distance`` (smallest), ``labels_changed`` (share); ``seconds``.

    Raises
    ------
    ValueError
        If there are fewer different scans than clusters, a setting is out of its range, or a scan
        holds NaN or infinity, before anything is fitted; if the loss is no longer a number.

    Warns
    -----
    UserWarning
        If clusters are empty, or two centroids are closer than eq. 4 can tell apart.

    References
    ----------
    Ryan et al., section 2.2, eq. 3-7.

    Examples
    --------
    >>> from clamlab.training import pretrain
    >>> scans = np.random.default_rng(0).normal(size=(8, 8, 8)).astype("float32")
    >>> scans[4:] += 3
    >>> autoencoder = ConvAutoencoder((8, 8), channels=(4, 4, 4), n_features=3)
    >>> _ = pretrain(autoencoder, scans, epochs=30, learning_rate=1e-2, progress=False)
    >>> model, history = fit_clusters(autoencoder, scans, 2, epochs=2, progress=False)
    >>> model.soft_assign(torch.from_numpy(scans)).argmax(dim=1)
    tensor([1, 1, 1, 1, 0, 0, 0, 0])
    """
    check_reduction(reduction)
    schedule = Schedule(epochs, batch_size, learning_rate, patience, seed)
    check_number("gamma", gamma)
    check_whole("n_clusters", n_clusters)
    n_different = check_cohort(images) if n_clusters <= len(images) else len(images)
    if n_clusters > n_different:
        raise ValueError(
            f"n_clusters must lie between 1 and the number of scans that differ, {n_different}; "
            f"found {n_clusters}"
        )
    fabric = fabric or one_process()
    n_voxels = int(np.prod(np.shape(images)[1:]))
    model = DeepClustering(copy.deepcopy(autoencoder), n_clusters)
    fabric.to_device(model)
    features = embed_cohort(fabric, model, images, batch_size)
    # k-means runs once and is shared: two processes need not break a tie alike.
    start = initial_centroids(features.cpu().numpy(), n_clusters, seed=seed)
    with torch.no_grad():
        model.centroids.copy_(torch.from_numpy(fabric.broadcast(start)))
    cohort = _Cohort(fabric, model, images, batch_size)

    def parts_of(network: nn.Module, batch: Tensor, rows: NDArray) -> Parts:
        drawn, log_q = network(batch)
        return {
            "reconstruction_loss": nn.functional.mse_loss(drawn, batch),
            "clustering_loss": clustering_loss(cohort.target[rows], log_q).mean(),
        }

    def objective(parts: Parts, n_scans: int) -> Any:
        reconstruction, clustering = (
            parts["reconstruction_loss"],
            parts["clustering_loss"],
        )
        if reduction == "sum":
            return n_scans * (n_voxels * reconstruction + gamma * clustering)
        return reconstruction + gamma * clustering

    settings = {
        "phase": "clusters",
        "model": model.config,
        "gamma": gamma,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "reduction": reduction,
        "seed": seed,
        "processes": fabric.world_size,
        "start": start.tolist(),
    }
    history = run_epochs(
        model,
        images,
        parts_of,
        objective=objective,
        schedule=schedule,
        fabric=fabric,
        checkpoint=Checkpoint(checkpoint, settings, images, model),
        held_out=HeldOut(images, 0, seed=seed, batch_size=batch_size),
        before_epoch=cohort.refresh,
        on_epoch=on_epoch,
        progress=progress,
        title=f"{n_clusters} clusters",
    )
    history["effective_gamma"] = gamma / n_voxels if reduction == "sum" else gamma
    cohort.refresh()
    _order_by_density(model, images, cohort.labels)
    _warn_of_degeneracy(np.bincount(cohort.labels, minlength=n_clusters), model.centroids)
    return model, history


def initial_centroids(features: NDArray, n_clusters: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Place the centroids where k-means finds them, the best of 20 starts.

    Examples
    --------
    >>> initial_centroids(np.array([[0.0], [2.0], [10.0]]), 1)
    array([[4.]], dtype=float32)
    """
    # On a busy machine the threads of k-means wait for one another far longer than they work.
    with threadpool_limits(1):
        kmeans = KMeans(n_clusters, n_init=N_STARTS, random_state=seed).fit(features)
    return kmeans.cluster_centers_.astype("float32")


class _Cohort:
    """What is known of all scans at once: the target, the labels, and signs of collapse."""

    def __init__(
        self, fabric: "Fabric", model: DeepClustering, images: Any, batch_size: int
    ) -> None:
        self.fabric, self.model, self.images, self.batch_size = (
            fabric,
            model,
            images,
            batch_size,
        )
        self.target = torch.empty(0)
        self.labels = np.empty(0, int)

    @torch.no_grad()
    def refresh(self) -> dict[str, float]:
        features = embed_cohort(self.fabric, self.model, self.images, self.batch_size)
        q = soft_assignment(features, self.model.centroids)
        self.target = target_distribution(q)
        before, self.labels = self.labels, q.argmax(dim=1).cpu().numpy()
        changed = float(np.mean(before != self.labels)) if len(before) else np.nan
        sizes = np.bincount(self.labels, minlength=self.model.n_clusters)
        return {
            "smallest_cluster": int(sizes.min()),
            "entropy": float(torch.special.entr(q).sum(dim=1).mean()),
            "centroid_distance": _smallest_distance(self.model.centroids),
            "labels_changed": changed,
        }


def _smallest_distance(centroids: Tensor) -> float:
    distances = torch.pdist(centroids.detach())
    return float(distances.min()) if len(distances) else np.nan


@torch.no_grad()
def _order_by_density(model: DeepClustering, images: NDArray, labels: NDArray) -> None:
    """Put the densest cluster first; empty clusters go last.

    All scans share one mask and one background, so the mean of the whole image orders them as the
    mean HU of the lungs does.
    """
    density = np.array([float(np.mean(image)) for image in images])
    means = [
        density[labels == k].mean() if np.any(labels == k) else -np.inf
        for k in range(model.n_clusters)
    ]
    order = np.argsort(-np.array(means), kind="stable")
    model.centroids.copy_(model.centroids[torch.from_numpy(order)])


def _warn_of_degeneracy(sizes: NDArray, centroids: Tensor) -> None:
    empty, distance = int(np.sum(sizes == 0)), _smallest_distance(centroids)
    if empty:
        warnings.warn(
            f"{empty} of {len(sizes)} clusters are empty: no scan is nearest to them. Fewer "
            "clusters would tell the same; choose a smaller number.",
            stacklevel=3,
        )
    if distance < 1:
        warnings.warn(
            f"two centroids lie {distance:.2g} apart, closer than eq. 4 can tell apart (its scale "
            "is 1): the clusters have collapsed into one another. Train the autoencoder longer, "
            "scale the volumes by z-score, or choose fewer clusters.",
            stacklevel=3,
        )
