"""The epochs that both phases run: seeded batches, optimiser steps, plateau, history."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm.auto import tqdm

from clamlab.clustering.checks import check_number, check_seed, check_whole
from clamlab.training.checkpoint import Checkpoint
from clamlab.training.embedding import read_batch
from clamlab.training.held_out import HeldOut, watched_losses

if TYPE_CHECKING:
    from lightning_fabric import Fabric

OnEpoch = Callable[[pd.DataFrame], None]
Parts = dict[str, Any]


@dataclass(frozen=True)
class Schedule:
    """How long and in which steps a phase trains; ValueError where that makes no sense."""

    epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    seed: int

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            check_whole(name, getattr(self, name))
        check_number("learning_rate", self.learning_rate, positive=True)
        check_seed(self.seed)


def one_process() -> "Fabric":
    """Make the default way to run: this process, on a GPU where there is one."""
    from lightning_fabric import Fabric  # opens the compiler of torch: where something is trained

    return Fabric(accelerator="auto", devices=1)


def run_epochs(
    model: nn.Module,
    images: NDArray,
    parts_of: Callable[[nn.Module, Tensor, NDArray], Parts],
    *,
    objective: Callable[[Parts, int], Any],
    schedule: Schedule,
    fabric: "Fabric",
    checkpoint: Checkpoint,
    held_out: HeldOut,
    before_epoch: Callable[[], dict[str, float]] = dict,
    on_epoch: OnEpoch | None = None,
    progress: bool = True,
    title: str,
) -> pd.DataFrame:
    """Train until the loss has levelled off, and tell how it went.

    ``parts_of(network, batch, rows)`` gives the means over a batch that make up the loss;
    ``objective(parts, n_scans)`` joins them. Every process takes its share of each batch, weighted
    so that the step is the one a single process would make. Where scans are held out, their loss
    decides when to stop, and the weights of its best epoch are given back.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate)

    def over(history: list[dict[str, float]]) -> bool:
        return has_levelled_off(watched_losses(history), schedule.patience, held_out.least_fall)

    history = checkpoint.load(model, optimizer, held_out.best, epochs=schedule.epochs, over=over)
    network, optimizer = fabric.setup(model, optimizer)
    model.train()
    show = progress and fabric.is_global_zero
    bar = tqdm(
        range(len(history) + 1, schedule.epochs + 1),
        title,
        unit="epoch",
        disable=not show,
    )
    for epoch in bar:
        if over(history):
            break
        start, watched = time.monotonic(), before_epoch()
        sums: dict[str, float] = {}
        for rows, weight, n in batches(held_out.training_rows, schedule, epoch, fabric):
            parts = parts_of(network, read_batch(images, rows, model), rows)
            optimizer.zero_grad()
            fabric.backward(objective(parts, n) * weight)
            optimizer.step()
            for name, mean in parts.items():
                sums[name] = sums.get(name, 0.0) + mean.item() * n * weight / fabric.world_size
        n_trained = len(held_out.training_rows)
        means = {name: _over_processes(fabric, s) / n_trained for name, s in sums.items()}
        loss = objective(means, n_trained)
        _check_finite(loss, epoch, schedule)
        watched |= held_out.look(model, history)
        seconds = time.monotonic() - start
        history.append({"epoch": epoch, "loss": loss, **means, **watched, "seconds": seconds})
        bar.set_postfix(loss=f"{loss:.4g}")
        if fabric.is_global_zero:
            checkpoint.save(model, optimizer, history, held_out.best)
            if on_epoch is not None:
                on_epoch(pd.DataFrame(history))
    bar.close()
    if fabric.is_global_zero:
        checkpoint.save(model, optimizer, history, held_out.best, now=True)
    held_out.give_back(model)
    return pd.DataFrame(history)


def batches(
    rows: NDArray, schedule: Schedule, epoch: int, fabric: "Fabric"
) -> Iterator[tuple[NDArray, float, int]]:
    """Yield this process's rows of each batch, their weight, and the size of the batch.

    The order depends on seed and epoch alone, so that a resumed run goes on exactly.
    """
    order = np.random.default_rng([schedule.seed, epoch]).permutation(rows)
    for start in range(0, len(rows), schedule.batch_size):
        batch = order[start : start + schedule.batch_size]
        own = batch[fabric.global_rank :: fabric.world_size]
        weight = fabric.world_size * len(own) / len(batch)
        # A process without a share still has to take part in the step, with weight 0.
        yield (own if len(own) else batch[:1]), weight, len(batch)


def has_levelled_off(losses: list[float], patience: int, least_fall: float) -> bool:
    """Tell whether the last ``patience`` epochs brought the loss no further down by a share."""
    if len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience]) * (1 - least_fall)


def check_reduction(reduction: str) -> None:
    """Raise ValueError unless the reduction is "mean" or "sum"."""
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', found {reduction!r}")


def _over_processes(fabric: "Fabric", value: float) -> float:
    total = fabric.all_reduce(torch.tensor(value, dtype=torch.float64), reduce_op="sum")
    return float(cast(Tensor, total))


def _check_finite(loss: float, epoch: int, schedule: Schedule) -> None:
    if not np.isfinite(loss):
        raise ValueError(
            f"training came apart in epoch {epoch}: expected a finite loss, found {loss}; take a "
            f"learning rate below {schedule.learning_rate:g}, and see that the scans are scaled"
        )
