"""The kinds of map that are held against each other, each made in the same few forms."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab import clam
from clamlab.contrast import contrast_map, counterfactual, integrated_gradients
from clamlab.evaluation import deviation_map, occlusion_map
from clamlab.simulate.slices import SliceCohort
from clamlab.volumes import scale
from studies.maps.networks import Network

STEPS = 16
BLOCK = 3


@dataclass(frozen=True)
class Examined:
    """Scans of a clustered cohort that are to be explained.

    Attributes
    ----------
    model : DeepClustering
        Its cluster k stands for the true cluster k.
    images : array, shape (n, *grid)
        On the network's scale.
    own : array of int, shape (n,)
    mask : array of bool, shape (*grid)
    template, mean : array, shape (*grid)
        The healthy lung, and the mean of all scans; on the network's scale.
    cluster_means : array, shape (n_clusters, *grid)
        Mean image of each cluster found.
    """

    model: Any
    images: NDArray
    own: NDArray
    mask: NDArray
    template: NDArray
    mean: NDArray
    cluster_means: NDArray

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.cluster_means)

    @property
    def others(self) -> NDArray:
        """A cluster that is not its own for each scan, all of them in turn."""
        step = 1 + np.arange(len(self.own)) % (self.n_clusters - 1)
        return (self.own + step) % self.n_clusters


def some_of_each(labels: NDArray, n: int) -> NDArray:
    """Choose scans to examine, equally many of each cluster."""
    per_cluster = n // len(np.unique(labels))
    return np.concatenate([np.flatnonzero(labels == k)[:per_cluster] for k in np.unique(labels)])


def examined(network: Network, cohort: SliceCohort, scans: NDArray) -> Examined:
    """Take some scans of a clustered cohort, with what the maps need."""
    images, clusters, lung = network.images, network.clusters, cohort.lung_mask
    # A true cluster that was not found has the mean of all scans for its own.
    means = [
        images[clusters == k if (clusters == k).any() else slice(None)].mean(0)
        for k in np.unique(cohort.labels)
    ]
    template = scale(cohort.template[None], lung, network.rule)[0]
    return Examined(
        network.model,
        images[scans],
        clusters[scans],
        lung,
        np.asarray(template),
        images.mean(0),
        np.stack(means),
    )


@dataclass(frozen=True)
class Maps:
    """One kind of map of the same scans.

    Attributes
    ----------
    shown : array, shape (n, *grid)
        For one cluster of each scan, the scan's own or another.
    pairs : array, shape (n, n_clusters, *grid), optional
        Why that cluster and not cluster k; empty for itself. None where the kind has none.
    """

    shown: NDArray
    pairs: NDArray | None = None


def activation_maps(seen: Examined, clusters: NDArray) -> Maps:
    """Give the paper's map, upsampled and scaled."""
    sums = clam.cluster_activation_map(seen.model, seen.images)
    return Maps(clam.upsample(clam.own_importance(sums, clusters), seen.mask.shape))


def contrast_maps(seen: Examined, clusters: NDArray, **options) -> Maps:
    """Give the contrast maps; for another cluster, of the scan as that cluster would have it."""
    images, moved = seen.images.copy(), clusters != seen.own
    if moved.any():
        images[moved] = counterfactual(seen.model, images[moved], clusters[moved], mask=seen.mask)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty maps are counted by the measures
        pairs = contrast_map(seen.model, images, mask=seen.mask, clusters=clusters, **options)
    each = np.arange(len(clusters))
    shown = pairs[each, clusters]
    pairs[each, clusters] = 0
    return Maps(shown, pairs)


def deviation_maps(seen: Examined, clusters: NDArray) -> Maps:
    """Give |scan - template|, the same for every cluster: no network."""
    return Maps(deviation_map(seen.images, seen.template, mask=seen.mask))


def mean_difference_maps(seen: Examined, clusters: NDArray) -> Maps:
    """Give the difference of the clusters' mean images: no network, and no scan of its own."""
    apart = np.abs(seen.cluster_means[:, None] - seen.cluster_means[None])
    apart = np.where(seen.mask, apart, 0)
    cores = np.stack([_geometric_mean(np.delete(apart[k], k, axis=0)) for k in range(len(apart))])
    return Maps(cores[clusters], apart[clusters])


def gradient_maps(start: str) -> Callable[[Examined, NDArray], Maps]:
    """Give integrated gradients of log q from the template or the mean on."""

    def maps(seen: Examined, clusters: NDArray) -> Maps:
        starts = np.where(seen.mask, getattr(seen, start), seen.images)
        shares = integrated_gradients(
            seen.model, starts, seen.images, clusters=clusters, rivals=None, steps=STEPS
        )
        return Maps(_positive(shares, seen.mask))

    return maps


def log_odds_gradient_maps(seen: Examined, clusters: NDArray) -> Maps:
    """Give integrated gradients of the log-odds of two clusters from the template on."""
    starts = np.where(seen.mask, seen.template, seen.images)
    pairs = np.zeros((len(seen.images), seen.n_clusters, *seen.mask.shape))
    for k in range(seen.n_clusters):
        rows = np.flatnonzero(clusters != k)
        shares = integrated_gradients(
            seen.model,
            starts[rows],
            seen.images[rows],
            clusters=clusters[rows],
            rivals=k,
            steps=STEPS,
        )
        pairs[rows, k] = _positive(shares, seen.mask)
    cores = [
        _geometric_mean(np.delete(of_rivals, k, axis=0))
        for of_rivals, k in zip(pairs, clusters, strict=True)
    ]
    return Maps(np.stack(cores), pairs)


def occlusion_maps(seen: Examined, clusters: NDArray) -> Maps:
    """Give what a cluster loses when the template covers a block of the scan."""
    shown = occlusion_map(
        seen.model, seen.images, seen.template, mask=seen.mask, clusters=clusters, size=BLOCK
    )
    return Maps(np.maximum(shown, 0))


# Each makes the maps of the scans for one cluster of each.
KINDS: dict[str, Callable[[Examined, NDArray], Maps]] = {
    "contrast": contrast_maps,
    "activation": activation_maps,
    "deviation": deviation_maps,
    "mean_difference": mean_difference_maps,
    "gradients_template": gradient_maps("template"),
    "gradients_mean": gradient_maps("mean"),
    "gradients_log_odds": log_odds_gradient_maps,
    "occlusion": occlusion_maps,
}


def _positive(shares: NDArray, mask: NDArray) -> NDArray:
    return np.where(mask, np.maximum(shares, 0), 0)


def _geometric_mean(maps: NDArray) -> NDArray:
    with np.errstate(divide="ignore"):
        return np.exp(np.log(maps).mean(axis=0))
