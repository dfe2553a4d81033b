"""The channels of one scan weighed, by the quickest way that is right for network and scan."""

from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from clamlab.clam.network import evaluation_mode, read_scans
from clamlab.clam.passes import can_be_quick, confidence_under_masks
from clamlab.clam.precision import in_double, in_double_or_warn
from clamlab.clustering.checks import check_answers

# So far may a few channels' confidences be off in single precision: then all are within 1e-5.
ENOUGH = 3e-6
N_COMPARED = 4


class Asked(NamedTuple):
    """What is asked of every scan alike."""

    layer: int
    activated: bool
    background: float
    batch_size: int
    preview: int | None


class Way(NamedTuple):
    """How the scans of a cohort are weighed."""

    quick: bool
    """By what masked scans have in common (`clamlab.clam.quick_passes`)."""
    double: bool
    """In double precision."""


def choose_way(model: Any, image: NDArray, row: int, *, asked: Asked) -> Way:
    """Look at the network, and at one scan weighed by a few channels, before all of them are.

    The quick way is for networks that are exactly as built; it then compares every scan itself.
    Another network's numbers are compared with those of its copy in double precision.
    """

    def some(network: Any, few: Tensor) -> Tensor:
        scan = read_scans(image, [row], network)
        channels = _channels(network, scan, asked)[0][few]
        return _confidence(network, scan, channels, asked, quick=False)[0]

    if can_be_quick(model, asked.layer, asked.preview):
        return Way(quick=True, double=False)
    with evaluation_mode(model):
        scan = read_scans(image, [row], model)
        order = _channels(model, scan, asked)[1]
        if scan.dtype != torch.float32:
            return Way(quick=False, double=False)
        few = order[torch.linspace(0, len(order) - 1, N_COMPARED).long().unique()]
        single = some(model, few)
    double = in_double(model, lambda exact: some(exact, few))
    off = double is not None and bool((single - double).abs().max() > ENOUGH)
    return Way(quick=False, double=off)


def weigh(model: Any, image: NDArray, row: int, *, asked: Asked, way: Way) -> NDArray:
    """Return one scan's confidences (n_clusters, n_channels), in double precision if need be."""

    def again(exact: Any) -> Tensor:
        return weigh_once(exact, image, row, asked=asked, quick=False)[0]

    with evaluation_mode(model):
        confidence, sure = weigh_once(model, image, row, asked=asked, quick=way.quick)
    if way.double or not sure:
        confidence = in_double_or_warn(model, again, confidence)
    check_answers(confidence[None], [row], model)
    return confidence.float().cpu().numpy()


def weigh_once(
    model: Any, image: NDArray, row: int, *, asked: Asked, quick: bool
) -> tuple[Tensor, bool]:
    """Return one scan's confidences, and whether the network's precision is enough for them."""
    scan = read_scans(image, [row], model)
    channels, varied = _channels(model, scan, asked)
    weighed, sure = _confidence(model, scan, channels[varied], asked, quick=quick)
    varies = channels.flatten(1).var(dim=1, correction=0) > 0
    confidence = weighed.mean(dim=0) * varies[:, None]
    confidence[varied] = weighed
    return confidence.T, sure


def _channels(model: Any, scan: Tensor, asked: Asked) -> tuple[Tensor, Tensor]:
    """Return a scan's channels (n, 1, *layer_grid) and which are weighed, the most varied first."""
    channels = model.feature_maps(scan, asked.layer, asked.activated)[0].unsqueeze(1)
    spread = channels.flatten(1).var(dim=1, correction=0)
    return channels, spread.argsort(descending=True, stable=True)[: asked.preview]


def _confidence(
    model: Any, scan: Tensor, channels: Tensor, asked: Asked, *, quick: bool
) -> tuple[Tensor, bool]:
    return confidence_under_masks(
        model,
        scan,
        channels,
        background=asked.background,
        batch_size=asked.batch_size,
        quick=quick,
    )
