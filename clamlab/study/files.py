"""Plain files, read as what they hold and written whole or not at all."""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clamlab import cells, io
from clamlab.atomic import whole_file
from clamlab.io.folders import walk
from clamlab.study.errors import StudyError

Json = dict[str, Any]


def read_file(path: Path) -> Any:
    """Read a file by its suffix: table, read-only array, JSON, named arrays, or NIfTI image.

    Raises
    ------
    FileError
        If it is damaged.
    """
    return _kind(path)[0](path)


def read_csv(path: Path, *, texts: Collection[str] = ()) -> pd.DataFrame:
    """Read a table of the study's own; the columns that are ``texts`` stay as they stand there."""
    # Identifiers such as 007 stay what they are, and "None" may be a level.
    kinds = {**dict.fromkeys(texts, object), "subject_id": "string"}
    reading: Json = {"dtype": kinds, "keep_default_na": False, "na_values": [""]}
    return cells.unguarded(io.read_csv(path, expected="a table of the study", **reading))


def write_file(path: Path, value: Any) -> None:
    """Write a file by its suffix: to a temporary name, to the disk, then in place of the old one.

    Raises
    ------
    StudyError
        If the disk is full or the folder cannot be written; the old file is untouched.
    """
    write = _kind(path)[1]
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            write(temporary, value)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one sentence that the disk refused what the block writes there, and what to do.

    Raises
    ------
    StudyError
        In the place of an error of the disk.
    """
    try:
        yield
    except OSError as error:
        raise StudyError(
            f"could not write {path}: {error.strerror or error}. What was there before is "
            "untouched; make room or correct the folder's rights, then run the notebook again."
        ) from error


def members(path: Path) -> list[Path]:
    """List the files of a folder or of a family ``name.*``; a file is its own only one.

    Linked folders belong to the folder, as to ingestion, which follows links too.
    """
    if path.is_file():
        return [path]
    if path.suffix == ".*":
        return [p for p in path.parent.glob(path.name) if p.is_file()]
    return [p for place, names in walk(path) for n in names if (p := place / n).is_file()]


def is_there(path: Path) -> bool:
    """Tell whether a file, or anything of a folder or family, exists."""
    return bool(members(path))


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    cells.write_csv(table, path)


def _read_json(path: Path) -> Json:
    return io.read_json(path, expected="what the study wrote there")


def _write_json(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value, indent=2, default=plain) + "\n", "utf-8")


def plain(value: Any) -> Any:
    """Return for JSON what its own writer does not know."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _write_npy(path: Path, value: Any) -> None:
    with path.open("wb") as file:
        np.save(file, np.asarray(value, order="C"), allow_pickle=False)


def _write_safetensors(path: Path, value: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save

    # Written by ourselves, so that a full disk is told as it is for every other file.
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in value.items()}))


def _write_nifti(path: Path, value: Any) -> None:
    import nibabel

    nibabel.save(value, path)


_KINDS: dict[str, tuple[Callable, Callable]] = {
    ".csv": (read_csv, _write_csv),
    ".json": (_read_json, _write_json),
    ".npy": (io.open_array, _write_npy),
    ".safetensors": (io.read_safetensors, _write_safetensors),
    ".nii.gz": (io.open_nifti, _write_nifti),
}


def _kind(path: Path) -> tuple[Callable, Callable]:
    for suffix, functions in _KINDS.items():
        if path.name.endswith(suffix):
            return functions
    raise StudyError(
        f"{path.name} is no table or array: take stage.path(name) and write the file there"
    )
