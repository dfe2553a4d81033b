"""Scans kept aside, which tell when a network begins to memorise the noise of the others."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clamlab.clustering.checks import check_number
from clamlab.training.embedding import read_batch

# The loss of scans that are trained on falls for ever, if only by their noise: it has levelled off
# when it no longer falls by a thousandth. That of scans aside rises again by itself, and a small
# lesion, of which it is mostly noise, lowers it by less than a thousandth.
LEAST_FALL = 1e-3


class HeldOut:
    """Watch the scans that training does not see, and keep the weights that draw them best.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
        The whole cohort.
    share : float
        Share of the scans that is kept aside, below .5; with 0 nothing is.
    seed : int
    batch_size : int
    """

    def __init__(self, images: NDArray, share: float, *, seed: int, batch_size: int) -> None:
        check_number("held_out", share)
        if share >= 0.5:
            raise ValueError(f"held_out must be a share of the scans from 0 to .5; found {share}")
        n_aside = round(share * len(images))
        if share and not n_aside:
            raise ValueError(
                f"held_out={share} of {len(images)} scans is not even one scan: keep more aside, "
                "or none (0)"
            )
        order = np.random.default_rng(seed).permutation(len(images))
        self.rows, self.training_rows = np.sort(order[:n_aside]), np.sort(order[n_aside:])
        self.images, self.batch_size = images, batch_size
        self.best: dict[str, Tensor] = {}
        self.least_fall = 0.0 if n_aside else LEAST_FALL

    @torch.no_grad()
    def look(self, model: nn.Module, history: list[dict[str, float]]) -> dict[str, float]:
        """Tell the mean squared error of the scans aside; keep the weights if it is the least."""
        if not len(self.rows):
            return {}
        model.eval()
        batches = np.split(self.rows, range(self.batch_size, len(self.rows), self.batch_size))
        total = 0.0
        for rows in batches:
            images = read_batch(self.images, rows, model)
            total += len(rows) * nn.functional.mse_loss(model(images), images).item()
        model.train()
        loss = total / len(self.rows)
        if all(loss < row["held_out_loss"] for row in history):
            self.best = {name: value.clone() for name, value in model.state_dict().items()}
        return {"held_out_loss": loss}

    def give_back(self, model: nn.Module) -> None:
        """Bring the model to its best epoch."""
        if self.best:
            model.load_state_dict(self.best)


def watched_losses(history: list[dict[str, Any]]) -> list[float]:
    """Choose the losses that decide when to stop: of the scans aside, where there are any."""
    return [row.get("held_out_loss", row["loss"]) for row in history]
