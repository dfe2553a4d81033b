"""Arrays of numbers, whose headers are believed only where the file's size says the same."""

import math
import os
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.io.files import FileError, explained, megabytes, regular_file
from clamlab.io.texts import parsed_json

MADE_AGAIN = "make it again, or put it back from a copy"
_ARRAY = "an array of numbers (.npy)"
_WEIGHTS = "named arrays (.safetensors)"
_MOST_HEADER = 1 << 21  # bytes; of a network, and of thousands of epochs of its training


def open_array(path: str | os.PathLike) -> NDArray[Any]:
    """Map an array's file into memory, read-only; nothing of it is read before it is used.

    Parameters
    ----------
    path : path
        A ``.npy`` file of plain numbers, kept row by row in this machine's order of bytes.

    Returns
    -------
    array

    Raises
    ------
    FileError
        If the file is not exactly as long as its header says, or kept in a way that this library
        never writes.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "a.npy"
    >>> np.save(file, np.arange(3))
    >>> open_array(file).tolist()
    [0, 1, 2]
    >>> _ = file.write_bytes(file.read_bytes()[:-1])
    >>> open_array(file)
    Traceback (most recent call last):
    clamlab.io.files.FileError: ...a.npy: expected 24 bytes of int64 (3,) after the header, found
    23; make it again, or put it back from a copy
    """
    path = regular_file(path, expected=_ARRAY)
    with explained(path, _ARRAY, MADE_AGAIN), path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise FileError(path, f"{_ARRAY} of version 1.0", "{}.{}".format(*version), MADE_AGAIN)
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(file)
        start, size = file.tell(), path.stat().st_size
    if dtype.kind not in "biuf" or dtype.subdtype or not dtype.isnative:
        plain = "plain numbers in this machine's order of bytes"
        raise FileError(path, plain, f"the type {dtype.str!r}", MADE_AGAIN)
    if any(side < 0 for side in shape):
        raise FileError(path, "an array's sides", str(shape), MADE_AGAIN)
    if columns_first and sum(side > 1 for side in shape) > 1:
        found, advice = "one kept column by column", "save it again with np.ascontiguousarray"
        raise FileError(path, "an array kept row by row", found, advice)
    needed = math.prod(shape) * dtype.itemsize
    if size - start != needed:
        wanted = f"{needed} bytes of {dtype} {shape} after the header"
        raise FileError(path, wanted, str(size - start), MADE_AGAIN)
    with explained(path, _ARRAY, MADE_AGAIN):
        return np.load(path, mmap_mode="r", allow_pickle=False)


def read_safetensors(path: str | os.PathLike) -> dict[str, NDArray[Any]]:
    """Read named arrays, for instance a network's weights.

    Parameters
    ----------
    path : path
        A ``.safetensors`` file.

    Returns
    -------
    dict of str to array

    Raises
    ------
    FileError
        If the header is damaged, or does not account for every byte of the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from safetensors.numpy import save_file
    >>> file = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> save_file({"weight": np.ones(2)}, file)
    >>> read_safetensors(file)
    {'weight': array([1., 1.])}
    """
    from safetensors.numpy import load_file

    safetensors_header(path)
    with explained(path, _WEIGHTS, MADE_AGAIN):
        return load_file(path)


def safetensors_header(path: str | os.PathLike) -> dict[str, Any]:
    """Read what a file says of its arrays, and the ``__metadata__`` kept with them.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict

    Raises
    ------
    FileError

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from safetensors.numpy import save_file
    >>> file = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> save_file({"weight": np.ones(2)}, file, {"epoch": "3"})
    >>> safetensors_header(file)["__metadata__"]
    {'epoch': '3'}
    """
    path = regular_file(path, expected=_WEIGHTS)
    with explained(path, _WEIGHTS, MADE_AGAIN), path.open("rb") as file:
        size = path.stat().st_size
        (length,) = struct.unpack("<Q", file.read(8))
        most = min(size - 8, _MOST_HEADER)
        if length > most:
            wanted = f"{_WEIGHTS} with a header of at most {megabytes(most)}"
            raise FileError(path, wanted, f"one of {megabytes(length)}", MADE_AGAIN)
        header = parsed_json(path, file.read(length), expected=_WEIGHTS, advice=MADE_AGAIN)
        ends = [entry["data_offsets"][1] for n, entry in header.items() if n != "__metadata__"]
    needed, found = max(ends, default=0), size - 8 - length
    if needed != found:
        raise FileError(path, f"{needed} bytes after the header", str(found), MADE_AGAIN)
    return header
