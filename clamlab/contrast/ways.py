"""The way from a scan to a rival cluster, as the decoder draws it, step by step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from clamlab.clam.network import evaluation_mode, log_probabilities, read_scans
from clamlab.clustering import log_soft_assignment
from clamlab.clustering.checks import check_answers, check_number, check_whole
from clamlab.contrast.checks import check_clusters, checked_mask
from clamlab.contrast.counterfactuals import share_borne_out

AIR = -1024  # HU where the decoder draws nothing that could be looked at


@dataclass(frozen=True)
class WayStep:
    """One step from a scan to a rival cluster.

    Attributes
    ----------
    fraction : float
        How far along: 0 at the scan, 1 at the rival's centroid.
    image : array, shape (*grid)
        The scan, changed as far as it bears the drawn change out.
    drawn : array, shape (*grid)
        What the decoder draws of this point of the way.
    soft_assignment : array, shape (n_clusters,)
        Probabilities of the clusters at this point of the feature space.
    read_again : array, shape (n_clusters,)
        Probabilities that the network gives ``image`` when it reads it as if it were a scan.

    Examples
    --------
    >>> q = np.array([0.9, 0.1])
    >>> WayStep(0.0, np.zeros((8, 8)), np.zeros((8, 8)), q, q).soft_assignment.argmax().item()
    0
    """

    fraction: float
    image: NDArray
    drawn: NDArray
    soft_assignment: NDArray[np.float64]
    read_again: NDArray[np.float64]


def way(
    model: Any, image: NDArray, rival: int, *, mask: ArrayLike, steps: int = 9
) -> Iterator[WayStep]:
    """See a scan turn into what a rival cluster would have, one step after the other.

    The way is the straight line from the scan's features to the rival's centroid.

    Parameters
    ----------
    model : DeepClustering, or any module with ``encode``, ``decode`` and ``centroids``
        It is put in evaluation mode for each step and left as it was.
    image : array, shape (*grid) or (channels, *grid)
        One scan on the network's scale.
    rival : int
        The cluster to arrive at, from 0.
    mask : array of bool, shape (*grid)
        The lung; outside it nothing changes.
    steps : int
        Pictures, the scan itself and its counterfactual among them; 2 or more.

    Returns
    -------
    iterator of WayStep
        A step is worked out when it is asked for. The first is the scan, the last what
        :func:`counterfactual` makes of it.

    Raises
    ------
    ValueError
        If the model has no ``decode``, or as :func:`counterfactual`; before the first step.

    Notes
    -----
    x(t) = x - c [g(f(x)) - g(z(t))] with z(t) = f(x) + t (mu_B - f(x)). c is that of
    :func:`counterfactual`, found once, at the far end: how much of the whole change the scan bears
    out. Found anew at every step it would follow small changes, which a scan can neither bear out
    nor deny, and what has appeared would have to go again.

    The decoder draws what it has learned to draw together: the way shows what the network takes for
    a change from one cluster to another, not how a lung changes.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scan = np.random.default_rng(0).normal(size=(8, 8)).astype("float32")
    >>> [step.fraction for step in way(model, scan, 1, mask=np.ones((8, 8), bool), steps=3)]
    [0.0, 0.5, 1.0]
    """
    image = np.asarray(image)
    mask = checked_mask(image[None], mask)
    check_whole("steps", steps, least=2)
    check_clusters(np.array([rival]), model, "rival")
    if not callable(getattr(model, "decode", None)):
        raise ValueError(
            f"{type(model).__name__} has no `decode`: it cannot draw what lies between a scan and "
            "a cluster; give a model that draws scans from features"
        )
    return _walk(model, image, rival, mask, np.linspace(0, 1, steps))


def ways_hu(
    model: Any,
    images: NDArray,
    volumes: NDArray,
    *,
    mask: ArrayLike,
    hu_per_unit: float,
    steps: int = 9,
) -> Callable[[int, int], Iterator[WayStep]]:
    """Offer the way of any scan of a cohort to any cluster, in HU, to a viewer.

    Parameters
    ----------
    model, mask, steps
        As for :func:`way`.
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale.
    volumes : array of int16, shape (n_scans, *grid)
        The same scans in HU.
    hu_per_unit : float
        HU of one unit of ``images``: the ``scale`` of the scaling rule.

    Returns
    -------
    callable(scan, rival)
        Row of the scan and cluster, both from 0, to an iterator of :class:`WayStep` whose
        ``image`` and ``drawn`` are int16 HU; the last image is that of
        :func:`counterfactual_hu`. Outside the lung, ``drawn`` is -1024.

    Raises
    ------
    ValueError
        If ``hu_per_unit`` is not above 0; as :func:`way` when a way is asked for.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scan, hu = np.zeros((1, 8, 8), "float32"), np.full((1, 8, 8), -850, "int16")
    >>> ways = ways_hu(model, scan, hu, mask=np.ones((8, 8), bool), hu_per_unit=100.0)
    >>> bool((next(ways(0, 1)).image == hu[0]).all())
    True
    """
    check_number("hu_per_unit", hu_per_unit, positive=True)
    lung = np.asarray(mask).astype(bool)

    def of(scan: int, rival: int) -> Iterator[WayStep]:
        image, hu = np.asarray(images[scan]), np.asarray(volumes[scan], "float64")
        walk = way(model, image, rival, mask=mask, steps=steps)

        def in_hu(picture: NDArray) -> NDArray[np.int16]:
            changed = hu + hu_per_unit * (picture - image)
            return np.clip(np.rint(changed), -1024, 3071).astype("int16")

        return (
            replace(
                step,
                image=in_hu(step.image),
                drawn=np.where(lung, in_hu(step.drawn), np.int16(AIR)),
            )
            for step in walk
        )

    return of


def _walk(
    model: Any, image: NDArray, rival: int, mask: NDArray[np.bool_], fractions: NDArray
) -> Iterator[WayStep]:
    """Work out one step after the other; between two of them the model is as it was."""
    with evaluation_mode(model):
        scan = read_scans(image[None], [0], model)
        begin, end = model.encode(scan), model.centroids[[rival]]
        check_answers(begin, [0], model)
        drawn, asked = (model.decode(z).reshape(scan.shape) for z in (begin, end))
        share = share_borne_out(scan, drawn, asked, torch.tensor(mask, device=scan.device))
    for t in fractions:
        with evaluation_mode(model):
            point = torch.lerp(begin, end, float(t))  # exact at both ends
            now = model.decode(point).reshape(scan.shape)
            changed = scan - share * (drawn - now) if t else scan
            step = WayStep(
                float(t),
                _numbers(changed[0]).astype("float32"),
                _numbers(now[0]).astype("float32"),
                _numbers(log_soft_assignment(point, model.centroids).exp()[0]),
                _numbers(log_probabilities(model, changed).exp()[0]),
            )
        yield step


def _numbers(values: Tensor) -> NDArray:
    return values.cpu().numpy().astype("float64")
