"""Files that may be opened: no wait without end, no memory filled, and every refusal a sentence."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

COPY_AGAIN = "copy it again from where it comes"
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_SHOWN = 200  # letters of what a library says


class FileError(ValueError):
    """A file cannot be read: which, what was expected, what was found, and what to do.

    Parameters
    ----------
    path : path
    expected, found, advice : str
        Parts of one sentence; a room with words of its own takes them from the attributes.

    Examples
    --------
    >>> print(FileError("a.npy", "an array of numbers", "an empty file", "export it again"))
    a.npy: expected an array of numbers, found an empty file; export it again
    """

    def __init__(self, path: str | os.PathLike, expected: str, found: str, advice: str) -> None:
        super().__init__(os.fspath(path), expected, found, advice)  # what pickle makes it anew from
        self.path, self.expected, self.found, self.advice = Path(path), expected, found, advice

    def __str__(self) -> str:
        """Return the one sentence."""
        return f"{self.path}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """All but the file's name."""
        return f"expected {self.expected}, found {self.found}; {self.advice}"


def regular_file(path: str | os.PathLike, *, expected: str = "a file") -> Path:
    """Make sure of a file that can be opened and ends, before anything opens it.

    A named pipe would be waited for without end, and a device may never end.

    Parameters
    ----------
    path : path
    expected : str
        What it should be, for the sentence where it is not.

    Returns
    -------
    Path

    Raises
    ------
    FileError
        If it is missing, a link to nothing, no regular file, empty, or may not be read.

    Examples
    --------
    >>> import tempfile
    >>> regular_file(tempfile.gettempdir(), expected="a table")
    Traceback (most recent call last):
    clamlab.io.files.FileError: ...: expected a table, found a folder; give the path of a file
    """
    path = Path(path)
    try:
        state = path.stat()
        if stat.S_ISREG(state.st_mode):
            path.open("rb").close()
    except FileNotFoundError as error:
        if path.is_symlink():
            found, advice = "a link to nothing", "correct the link, or give the file itself"
        else:
            found, advice = "no file there", "correct the path, or put the file there"
        raise FileError(path, expected, found, advice) from error
    except PermissionError as error:
        found, advice = "a file that may not be read", "its owner has to allow it"
        raise FileError(path, expected, found, advice) from error
    except (OSError, ValueError) as error:  # a link to itself, a name that no disk takes
        found = f"a path that cannot be followed ({getattr(error, 'strerror', None) or error})"
        raise FileError(path, expected, found, "correct the path") from error
    if not stat.S_ISREG(state.st_mode):
        found = _KINDS.get(stat.S_IFMT(state.st_mode), "something that is no file")
        raise FileError(path, expected, found, "give the path of a file")
    if not state.st_size:
        raise FileError(path, expected, "an empty file", COPY_AGAIN)
    return path


@contextmanager
def explained(path: str | os.PathLike, expected: str, advice: str = COPY_AGAIN) -> Iterator[None]:
    """Put whatever a library throws at a damaged file in our words.

    Parameters
    ----------
    path : path
        The file that the block reads.
    expected : str
        What it should be.
    advice : str
        What to do where it is not.

    Yields
    ------
    None

    Raises
    ------
    FileError
        In the place of any other error.

    Examples
    --------
    >>> with explained("study.json", "a study's record"):
    ...     {}["name"]
    Traceback (most recent call last):
    clamlab.io.files.FileError: study.json: expected a study's record, found a damaged file
    (KeyError: 'name'); copy it again from where it comes
    """
    try:
        yield
    except FileError:
        raise
    except MemoryError as error:
        found = "one for which the memory does not suffice"
        raise FileError(path, expected, found, f"{advice}, or use a larger machine") from error
    except RecursionError as error:
        raise FileError(path, expected, "one that is nested too deeply", advice) from error
    except Exception as error:  # whatever a library says of a damaged file
        said = " ".join(f"{type(error).__name__}: {error}".split())[:_SHOWN]
        raise FileError(path, expected, f"a damaged file ({said})", advice) from error


def room_for(
    path: str | os.PathLike, needed: int, *, expected: str, most: int | None = None
) -> None:
    """Refuse what a file claims to hold where there is no room for it, before memory is taken.

    Parameters
    ----------
    path : path
    needed : int
        Bytes of memory.
    expected : str
    most : int, optional
        Bytes that such a file takes at most, however large the machine is.

    Raises
    ------
    FileError

    Examples
    --------
    >>> room_for("scan.nii.gz", 8 * 10**9, expected="a volume", most=10**9)
    Traceback (most recent call last):
    clamlab.io.files.FileError: scan.nii.gz: expected a volume of at most 1000.0 MB, found one of
    8000.0 MB; see that it is the right file, or copy it again from where it comes
    """
    advice = f"see that it is the right file, or {COPY_AGAIN}"
    if most is not None and needed > most:
        limited = f"{expected} of at most {megabytes(most)}"
        raise FileError(path, limited, f"one of {megabytes(needed)}", advice)
    free = psutil.virtual_memory().available
    if needed > free:
        fitting = f"{expected} that fits the memory ({megabytes(free)} are free)"
        found = f"one that needs {megabytes(needed)}"
        raise FileError(path, fitting, found, f"{advice}, or use a larger machine")


def read_bytes(path: str | os.PathLike, *, expected: str, most: int) -> bytes:
    """Read a small file whole; one that is greater than any such file is refused unread.

    Parameters
    ----------
    path : path
    expected : str
    most : int
        Bytes that such a file has at most.

    Returns
    -------
    bytes

    Raises
    ------
    FileError

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "notes.csv"
    >>> _ = file.write_bytes(b"subject_id,note")
    >>> read_bytes(file, expected="notes", most=100)
    b'subject_id,note'
    """
    path = regular_file(path, expected=expected)
    room_for(path, path.stat().st_size, expected=expected, most=most)
    with explained(path, expected):
        return path.read_bytes()


def megabytes(size: float) -> str:
    """Write a size.

    Examples
    --------
    >>> megabytes(2_500_000)
    '2.5 MB'
    """
    return f"{size / 1e6:.1f} MB"
