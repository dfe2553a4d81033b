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
from clamlab.experiments.methods import Deep
from clamlab.simulate import SliceCohort
from clamlab.volumes import scale

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


def some_of_each(labels: NDArray, n: int) -> NDArray:
    """Choose scans to examine, equally many of each cluster."""
    per_cluster = n // len(np.unique(labels))
    return np.concatenate([np.flatnonzero(labels == k)[:per_cluster] for k in np.unique(labels)])


def examined(fitter: Deep, cohort: SliceCohort, clusters: NDArray, scans: NDArray) -> Examined:
    """Take some scans of a cohort that was just clustered, with what the maps need."""
    images, lung = fitter.images, cohort.lung_mask
    # A true cluster that was not found has the mean of all scans for its own.
    means = [
        images[clusters == k if (clusters == k).any() else slice(None)].mean(0)
        for k in np.unique(cohort.labels)
    ]
    template = scale(cohort.template[None], lung, fitter.rule)[0]
    return Examined(
        fitter.model,
        images[scans],
        clusters[scans],
        lung,
        np.asarray(template),
        images.mean(0),
        np.stack(means),
    )


@dataclass(frozen=True)
class Maps:
    """One kind of map of the same scans; None where the kind has no such form.

    Attributes
    ----------
    clusters : array, shape (n, n_clusters, *grid)
        For every cluster, the scan's own and the others.
    pairs : array, shape (n, n_clusters, *grid), optional
        Why the scan's own cluster and not cluster k; the entry of its own is empty.
    """

    clusters: NDArray
    pairs: NDArray | None = None

    def own(self, seen: Examined) -> NDArray:
        """Pick each scan's map for its own cluster, shape (n, *grid)."""
        return self.clusters[np.arange(len(seen.own)), seen.own]


def activation_maps(seen: Examined) -> Maps:
    """Give the paper's map: upsampled and scaled, for each cluster."""
    sums = clam.cluster_activation_map(seen.model, seen.images)
    return Maps(clam.upsample(clam.importance(sums), seen.mask.shape))


def contrast_maps(seen: Examined, **options) -> Maps:
    """Give the contrast maps; for another cluster, of the scan as that cluster would have it."""

    def of(images, k):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # empty maps are counted by the measures
            return contrast_map(seen.model, images, mask=seen.mask, clusters=k, **options)

    pairs = of(seen.images, seen.own)
    each = np.arange(len(seen.own))
    clusters = np.empty_like(pairs)
    for k in range(seen.n_clusters):
        as_k = counterfactual(seen.model, seen.images, k, mask=seen.mask)
        clusters[:, k] = of(as_k, np.full(len(each), k))[:, k]
    clusters[each, seen.own] = pairs[each, seen.own]
    pairs[each, seen.own] = 0
    return Maps(clusters, pairs)


def deviation_maps(seen: Examined) -> Maps:
    """Give |scan - template|, the same for every cluster: no network."""
    apart = deviation_map(seen.images, seen.template, mask=seen.mask)
    return Maps(np.repeat(apart[:, None], seen.n_clusters, axis=1))


def mean_difference_maps(seen: Examined) -> Maps:
    """Give the difference of the clusters' mean images: no network, and no scan of its own."""
    apart = np.abs(seen.cluster_means[:, None] - seen.cluster_means[None])
    apart = np.where(seen.mask, apart, 0)
    cores = np.stack([_geometric_mean(np.delete(apart[k], k, axis=0)) for k in range(len(apart))])
    return Maps(np.repeat(cores[None], len(seen.own), axis=0), apart[seen.own])


def gradient_maps(start: str) -> Callable[[Examined], Maps]:
    """Give integrated gradients of log q from the template or the mean on, for each cluster."""

    def maps(seen: Examined) -> Maps:
        starts = np.where(seen.mask, getattr(seen, start), seen.images)
        shares = [
            _positive(
                integrated_gradients(
                    seen.model, starts, seen.images, clusters=k, rivals=None, steps=STEPS
                ),
                seen.mask,
            )
            for k in range(seen.n_clusters)
        ]
        return Maps(np.stack(shares, axis=1))

    return maps


def log_odds_gradient_maps(seen: Examined) -> Maps:
    """Give integrated gradients of the log-odds of two clusters from the template on."""
    starts = np.where(seen.mask, seen.template, seen.images)
    odds = np.zeros((seen.n_clusters, *seen.images.shape[:1], seen.n_clusters, *seen.mask.shape))
    for k in range(seen.n_clusters):
        for j in range(k):
            shares = integrated_gradients(
                seen.model, starts, seen.images, clusters=k, rivals=j, steps=STEPS
            )
            odds[k, :, j], odds[j, :, k] = (
                _positive(shares, seen.mask),
                _positive(-shares, seen.mask),
            )
    cores = [
        np.stack([_geometric_mean(np.delete(rows, k, axis=0)) for rows in odds[k]])
        for k in range(seen.n_clusters)
    ]
    return Maps(np.stack(cores, axis=1), odds[seen.own, np.arange(len(seen.own))])


def occlusion_maps(seen: Examined) -> Maps:
    """Give what the scan's own cluster loses when the template covers a block of the scan."""
    shown = occlusion_map(
        seen.model, seen.images, seen.template, mask=seen.mask, clusters=seen.own, size=BLOCK
    )
    clusters = np.zeros((len(shown), seen.n_clusters, *seen.mask.shape))
    clusters[np.arange(len(shown)), seen.own] = np.maximum(shown, 0)
    return Maps(clusters)


KINDS: dict[str, Callable[[Examined], Maps]] = {
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
