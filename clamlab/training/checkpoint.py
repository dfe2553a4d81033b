"""Weights, optimiser and history in one file, so that a killed run goes on where it was."""

import json
import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from torch import Tensor, nn

from clamlab.atomic import whole_file
from clamlab.io import explained, safetensors_header

SAVE_EVERY_SECONDS = 20.0
VERSION = 1  # raise it when training changes: no epoch of before is one of today's
History = list[dict[str, float]]


class Checkpoint:
    """The file a killed run goes on from.

    Parameters
    ----------
    path : path or None
        The file; with None nothing is kept.
    settings : dict
        Whatever the result depends on. A file made under other settings, or with another torch, is
        not gone on with.
    images : array
        The cohort; its fingerprint is one of the settings.
    model : Module
        As training begins: its weights are one of the settings, too.
    """

    def __init__(
        self,
        path: str | os.PathLike | None,
        settings: dict[str, Any],
        images: NDArray,
        model: nn.Module,
    ) -> None:
        self.path = None if path is None else Path(path)
        if self.path is not None:
            programs = {"version": VERSION, "torch": str(torch.__version__)}
            begun = {"images": _fingerprint(images), "weights": _weights(model)}
            settings = {**settings, **begun, **programs}
        self.settings = json.dumps(settings, sort_keys=True, default=str)
        self.saved = time.monotonic()

    def load(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        best: dict[str, Tensor],
        *,
        epochs: int,
        over: Callable[[History], bool],
    ) -> History:
        """Bring model, optimiser and best weights to where the file left them; give history.

        A training that went on for longer than ``epochs``, or longer than until it was ``over``,
        is not gone on with.

        Raises
        ------
        FileError
            If the file is damaged.
        """
        if self.path is None or not os.path.lexists(self.path):
            return []
        advice = "delete it: training begins anew"
        with explained(self.path, "what a training goes on from", advice):
            metadata = safetensors_header(self.path)["__metadata__"]
            history = json.loads(metadata["history"])
            if metadata["settings"] != self.settings or len(history) > epochs:
                return []
            if any(over(history[:n]) for n in range(len(history))):
                return []
            # Into memory of their own: where they lie in the file, sums may round otherwise.
            tensors = {key: value.clone() for key, value in load_file(self.path).items()}
            model.load_state_dict(_under("model", tensors))
            best.update(_under("best", tensors))
            n_parameters = len(optimizer.param_groups[0]["params"])
            state = {i: _under(f"optimizer.{i}", tensors) for i in range(n_parameters)}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        return history

    def save(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        history: History,
        best: dict[str, Tensor],
        *,
        now: bool = False,
    ) -> None:
        """Replace the file by the present state, a few times a minute or at once, never by half.

        Raises
        ------
        OSError
            If the disk refuses it; the earlier file stays.
        """
        soon = time.monotonic() - self.saved < SAVE_EVERY_SECONDS
        if self.path is None or (soon and not now):
            return
        tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
        tensors |= {f"best.{key}": value for key, value in best.items()}
        for i, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{key}": value for key, value in state.items()}
        tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        metadata = {"settings": self.settings, "history": json.dumps(history)}
        try:
            with whole_file(self.path) as temporary:
                # Written by ourselves: the library tells a full disk in words of its own.
                temporary.write_bytes(save(tensors, metadata))
        except OSError as error:
            raise OSError(
                f"could not write {self.path}: {error.strerror or error}. Make room or correct the "
                "folder's rights, then run it again: training goes on from where it was last saved"
            ) from error
        self.saved = time.monotonic()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _weights(model: nn.Module) -> str:
    crc = 0
    for value in model.state_dict().values():
        crc = zlib.crc32(np.ascontiguousarray(value.detach().cpu().numpy()).data, crc)
    return f"{crc:08x}"


def _fingerprint(images: NDArray) -> str:
    crc = 0
    for image in images:
        crc = zlib.crc32(np.ascontiguousarray(image).data, crc)
    return f"{np.shape(images)}-{crc:08x}"
