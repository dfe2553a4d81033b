"""How long training will take, before it starts."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from clamlab.clustering.checks import check_whole
from clamlab.forecast import forecast
from clamlab.training.embedding import embed, read_batch


def training_forecast(
    model: nn.Module,
    images: NDArray,
    *,
    epochs: int,
    batch_size: int = 32,
    clustering: bool = False,
    spacing_mm: Sequence[float] | None = None,
) -> str:
    """Say what training will take at most, from one step on a copy of the network.

    With ``clustering`` the pass over all scans is counted that every epoch's target needs.

    Parameters
    ----------
    model : ConvAutoencoder
        It is left as it was.
    images, epochs, batch_size
        As for :func:`pretrain`.
    clustering : bool
        Whether the forecast is for :func:`fit_clusters`.
    spacing_mm : sequence of float, optional
        Spacing of the scans' grid, to tell what twice that spacing would save and lose.

    Returns
    -------
    str
        Time, memory of this process, and disk for the weights, in one line.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> training_forecast(model, np.zeros((5, 8, 8), "float32"), epochs=10)
    'At most ...'
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        check_whole(name, value)
    check_whole("the number of scans", len(images))
    model = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters())
    batch = read_batch(images, np.arange(min(batch_size, len(images))), model)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(batch), batch).backward()
        optimizer.step()
        if clustering:
            embed(model, images[: len(batch)], batch_size=batch_size)

    n_weights = sum(p.numel() for p in model.parameters())
    return forecast(
        step,
        epochs * -(-len(images) // batch_size),
        disk_bytes=4 * n_weights,
        spacing_mm=spacing_mm,
    )
