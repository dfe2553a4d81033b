"""A network at work: in evaluation mode, on its own device, upsampled as eq. 8 asks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

UPSAMPLING = {1: "linear", 2: "bilinear", 3: "trilinear"}


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


def to_tensor(images: NDArray, model: Any) -> Tensor:
    """Copy scans to where the model is, in its precision."""
    centroids = model.centroids
    return torch.as_tensor(np.array(images), dtype=centroids.dtype).to(centroids.device)


def interpolate(maps: Tensor, shape: Sequence[int]) -> Tensor:
    """Enlarge maps (n, 1, *grid) linearly with half-pixel centres."""
    return nn.functional.interpolate(
        maps, size=tuple(shape), mode=UPSAMPLING[len(shape)], align_corners=False
    )
