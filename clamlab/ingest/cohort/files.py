"""Write so that an interruption leaves no half file, and a full disk a clear message."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clamlab import io
from clamlab.atomic import whole_file
from clamlab.io.folders import walk


class DiskError(OSError):
    """The study folder cannot be written; everything finished so far is kept."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system says about a failed write into what the user can do."""
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(
            f"cannot write to {folder}: {reason}. Free some space or choose another folder, then "
            "run again: finished subjects are kept"
        ) from error


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all."""
    with writing(path.parent), whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Return the content; empty where there is none that can be read: it is made again then."""
    try:
        return io.read_json(path, expected="a step's record")
    except io.FileError:
        return {}


def fingerprint(*parts: Any) -> str:
    """Return a short name that changes whenever any part does.

    Examples
    --------
    >>> fingerprint("a", 1) == fingerprint("a", 1), fingerprint("a", 1) == fingerprint("a", 2)
    (True, False)
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_stamp(path: Path) -> list[list]:
    """Return names, sizes and times of a scan's files: quick to read, changed when they change."""
    if path.is_file():
        files = [path]
    else:
        files = sorted(parent / name for parent, names in walk(path) for name in names)
    return [[file.name, *_size_and_time(file)] for file in files]


def _size_and_time(file: Path) -> tuple[int | None, int | None]:
    try:
        stat = file.stat()
    except OSError:  # a link to nothing: reading the scan tells whether it matters
        return None, None
    return stat.st_size, stat.st_mtime_ns
