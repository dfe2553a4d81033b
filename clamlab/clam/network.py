"""A network at work: in evaluation mode, on its own device, upsampled as eq. 8 asks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clamlab.clustering import log_soft_assignment
from clamlab.clustering.checks import Rows, check_scans
from clamlab.models import DeepClustering
from clamlab.models import evaluation_mode as evaluation_mode  # for rooms that know this one only

UPSAMPLING = {1: "linear", 2: "bilinear", 3: "trilinear"}


def read_scans(scans: NDArray, rows: Rows, model: Any) -> Tensor:
    """Copy scans to where the model is; refuse those without numbers, by their rows in the cohort.

    >>> from clamlab.models import ConvAutoencoder
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> read_scans(np.full((1, 8, 8), np.inf), [5], model)
    Traceback (most recent call last):
    ValueError: the scan in row 5 (counted from 0) holds inf at voxel (0, 0): ...
    """
    scans = np.asarray(scans)
    check_scans(scans, rows)
    return to_tensor(scans, model)


def to_tensor(images: NDArray, model: Any) -> Tensor:
    """Copy scans to where the model is, in its precision."""
    centroids = model.centroids
    return torch.as_tensor(np.array(images), dtype=centroids.dtype).to(centroids.device)


def log_probabilities(model: Any, images: Tensor) -> Tensor:
    """Return the log-probability of each cluster for each scan: the function sigma of eq. 3.

    A network of this library that assigns in a way of its own is asked itself.
    """
    own = isinstance(model, DeepClustering) and (
        type(model).soft_assign is not DeepClustering.soft_assign or "soft_assign" in vars(model)
    )
    if own:
        return model.soft_assign(images).log()
    return log_soft_assignment(model.encode(images), model.centroids)


def interpolate(maps: Tensor, shape: Sequence[int]) -> Tensor:
    """Enlarge maps (n, 1, *grid) linearly with half-pixel centres."""
    return nn.functional.interpolate(
        maps, size=tuple(shape), mode=UPSAMPLING[len(shape)], align_corners=False
    )
