"""Phase 1: the autoencoder learns to draw every scan again."""

import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor, nn

from clamlab.training.checkpoint import Checkpoint
from clamlab.training.checks import check_cohort
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


def pretrain(
    model: nn.Module,
    images: NDArray,
    *,
    epochs: int = 200,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    patience: int = 20,
    reduction: str = "mean",
    held_out: float = 0.0,
    seed: int = 0,
    checkpoint: str | os.PathLike | None = None,
    on_epoch: OnEpoch | None = None,
    progress: bool = True,
    fabric: "Fabric | None" = None,
) -> pd.DataFrame:
    """Teach an autoencoder to draw every scan again from a few features.

    Parameters
    ----------
    model : ConvAutoencoder
        Trained in place.
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale.
    epochs : int
        Upper bound of passes over the cohort.
    batch_size, learning_rate
        Scans per step of Adam, and its step size.
    patience : int
        Stop when so many epochs brought the loss no further down: by a thousandth, or at all where
        scans are held out.
    reduction : {"mean", "sum"}
        Squared error averaged or summed over scans and voxels (eq. 2 prints the sum).
    held_out : float
        Share of the scans that training does not see. Their loss then decides when to stop, and
        the network goes back to its best epoch: a loss that only falls on the scans it is trained
        on is noise being memorised, which hides clusters. 0 trains on all scans, as the paper.
    seed : int
        Which scans are held out, and the order of the others. Same seed, machine and threads: the
        same weights, bit for bit.
    checkpoint : path, optional
        File that a killed run goes on from. It stays until its owner removes it, so that nothing
        is lost between training and storing.
    on_epoch : callable, optional
        Called with the history after each epoch, for a live curve.
    progress : bool
        Show a bar with the time left.
    fabric : Fabric, optional
        Where to run, several GPUs or nodes included; already launched by the caller.

    Returns
    -------
    DataFrame
        One row per epoch: ``epoch`` (from 1), ``loss``, ``reconstruction_loss`` (mean squared
        error per voxel, whatever the reduction), ``held_out_loss`` if scans are held out,
        ``seconds``.

    Raises
    ------
    ValueError
        If a setting is out of its range or a scan holds NaN or infinity, before the first epoch;
        if the scans do not fit the network, fewer than two differ, or the loss is no longer a
        number.

    References
    ----------
    Ryan et al., section 2.1 and eq. 2.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder
    >>> scans = np.random.default_rng(0).normal(size=(8, 8, 8)).astype("float32")
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> history = pretrain(model, scans, epochs=2, progress=False)
    >>> list(history["epoch"])
    [1, 2]
    """
    check_reduction(reduction)
    schedule = Schedule(epochs, batch_size, learning_rate, patience, seed)
    aside = HeldOut(images, held_out, seed=seed, batch_size=batch_size)
    check_cohort(images)
    fabric = fabric or one_process()
    n_voxels = int(np.prod(np.shape(images)[1:]))

    def parts_of(network: nn.Module, batch: Tensor, rows: NDArray) -> Parts:
        return {"reconstruction_loss": nn.functional.mse_loss(network(batch), batch)}

    def objective(parts: Parts, n_scans: int) -> Tensor:
        scans_and_voxels = n_scans * n_voxels if reduction == "sum" else 1
        return parts["reconstruction_loss"] * scans_and_voxels

    settings = {
        "phase": "pretrain",
        "model": getattr(model, "config", None),
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "reduction": reduction,
        "held_out": held_out,
        "seed": seed,
        "processes": fabric.world_size,
    }
    return run_epochs(
        model,
        images,
        parts_of,
        objective=objective,
        schedule=schedule,
        fabric=fabric,
        checkpoint=Checkpoint(checkpoint, settings, images, model),
        held_out=aside,
        on_epoch=on_epoch,
        progress=progress,
        title="autoencoder",
    )
