"""Large arrays, filled on disk row by row; an interrupted run finds its rows again."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clamlab import io
from clamlab.atomic import partial_name, put_in_place
from clamlab.study.files import read_file, write_file, writing
from clamlab.study.publishing import sync_all


def run_of(
    inputs: Mapping[str, Any], parameters: Mapping[str, Any], shape: tuple, dtype: DTypeLike
) -> str:
    """Name a run by all that its array depends on."""
    contents = sorted((key, was["sha256"]) for key, was in inputs.items())
    made_from = (contents, dict(parameters), list(shape), str(np.dtype(dtype)))
    return sha256(repr(made_from).encode()).hexdigest()


@contextmanager
def filled(
    path: Path, shape: tuple[int, ...], dtype: DTypeLike, *, run: str, done: Path | None
) -> Iterator[NDArray]:
    """Open an array for writing, with the rows of the same run where there are any.

    Parameters
    ----------
    path : path
        Where it will lie when the block has ended.
    shape, dtype
    run : str
        From :func:`run_of`.
    done : path or None
        The same run's array, if it was finished before; it is copied, so that it stays whole.
    """
    partial, note = partial_name(path), path.with_name(f".{path.stem}.json")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = path if path.is_file() else partial
        if not _is_of(note, kept, run=run, shape=shape, dtype=dtype):
            for old in (note, path, partial):
                old.unlink(missing_ok=True)
            if done is not None:
                shutil.copyfile(done, partial)
                sync_all(partial)  # on the disk before the note that it is this run's
            else:
                _reserve(partial, shape, dtype)
            write_file(note, {"run": run})
        elif kept == path:
            path.replace(partial)
        array = np.lib.format.open_memmap(partial, mode="r+")
    yield array
    with writing(path):
        array.flush()
        put_in_place(partial, path)


def _is_of(note: Path, kept: Path, *, run: str, shape: tuple[int, ...], dtype: DTypeLike) -> bool:
    """Tell a whole array of this run from another's, and from one that was damaged meanwhile.

    One that was cut would be opened for writing as if zeros stood where it is missing.
    """
    try:
        array = io.open_array(kept)
        same = read_file(note).get("run") == run
    except io.FileError:
        return False
    return same and array.shape == tuple(shape) and array.dtype == np.dtype(dtype)


def _reserve(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Make an array for which the disk really has room: a full disk would kill the process later.

    Floats start as NaN.
    """
    try:
        array = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
        if hasattr(os, "posix_fallocate"):
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    if np.issubdtype(array.dtype, np.floating):
        array[:] = np.nan
    array.flush()
