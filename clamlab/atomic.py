"""Files that are there whole or not at all, whatever happens while they are written."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UMASK = os.umask(0)
os.umask(UMASK)


def partial_name(path: Path) -> Path:
    """Return the name that a file has until it is whole; it keeps the suffix.

    Examples
    --------
    >>> partial_name(Path("maps.npy")).name
    '.partial-maps.npy'
    """
    return path.with_name(f".partial-{path.name}")


def put_in_place(temporary: Path, path: Path) -> None:
    """Push a file to the disk, then give it its name in one step.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "draft.txt").write_text("done")
    >>> put_in_place(folder / "draft.txt", folder / "final.txt")
    >>> [path.name for path in folder.iterdir()]
    ['final.txt']
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    # Some libraries make files that only their owner may read: one rule for all, the user's own.
    temporary.chmod(0o666 & ~UMASK)
    os.replace(temporary, path)


def sync_folder(folder: Path) -> None:
    """Push a folder's list of names to the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Lose no earlier file to a full disk or a kill: give the name to write the new one to.

    What was written takes the place of `path` when the block ends; if the block fails, it is
    thrown away, and the earlier file stays.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with whole_file(path) as temporary:
    ...     _ = temporary.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    temporary = partial_name(path)
    try:
        yield temporary
        put_in_place(temporary, path)
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give the name to make a new folder under; it gets its own name when the block has ended.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "paper"
    >>> with whole_folder(path) as temporary:
    ...     _ = (temporary / "table.txt").write_text("all of it")
    >>> [file.name for file in path.iterdir()]
    ['table.txt']
    """
    temporary = partial_name(path)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
