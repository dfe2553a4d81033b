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
from clamlab.study.fingerprints import unchanged
from clamlab.study.provenance import place_of, record_of, versions
from clamlab.study.publishing import sync_all

VERSION = 1  # raise it when what fills an array changes: rows of before are no result of today


def run_of(
    inputs: Mapping[str, Any], parameters: Mapping[str, Any], shape: tuple, dtype: DTypeLike
) -> str:
    """Name a run by all that its array depends on, the programs among it."""
    contents = sorted((key, was["sha256"]) for key, was in inputs.items())
    programs = (VERSION, sorted(versions().items()))
    made_from = (contents, dict(parameters), list(shape), str(np.dtype(dtype)), programs)
    return sha256(repr(made_from).encode()).hexdigest()


def finished(root: Path, stage: str, name: str, run: str) -> Path | None:
    """Return the published array of the same run, if it is still what that run wrote."""
    record, path = record_of(root, stage), place_of(root, name)
    same = record.get("runs", {}).get(name) == run
    return path if same and unchanged(path, record["outputs"].get(name)) else None


def rows_kept(array: NDArray) -> str:
    """Say how many rows of an array stand already, which will not be computed anew.

    Parameters
    ----------
    array : array of float
        As ``stage.new_array`` gives it, before anything is filled in.

    Returns
    -------
    str

    Examples
    --------
    >>> rows_kept(np.array([[1, 2], [3, np.nan]]))
    '1 of 2 rows kept of an earlier run with the same inputs, parameters and versions.'
    """
    n_kept = sum(not np.isnan(row).any() for row in array)
    return (
        f"{n_kept} of {len(array)} rows kept of an earlier run with the same inputs, parameters "
        "and versions."
    )


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
