"""Read the header of one DICOM file, whatever the file is."""

import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from clamlab.ingest.errors import UnusableFile

# A file without the preamble begins with its first group.
WITHOUT_PREAMBLE = (b"\x02\x00", b"\x08\x00")
DEFLATED = b"1.2.840.10008.1.2.1.99"
# Bytes a deflated file may hold, and how many for each of its own: a CT image shrinks to a third,
# one that is mostly air to a twentieth, zeros to a thousandth.
ALWAYS_INFLATED, LARGEST_RATIO, LARGEST_INFLATED = 1 << 26, 64, 1 << 30


@contextmanager
def quietly() -> Iterator[None]:
    """Keep pydicom's warnings away: they quote values of headers, which may be a patient's."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        yield


def read_header(stream: BinaryIO, tags: list[str]) -> Any:
    """Return some elements of a DICOM file, up to its pixels; None where it is none.

    Raises
    ------
    UnusableFile
        If it would fill the memory.
    """
    import pydicom

    start = stream.read(4096)
    if start[128:132] != b"DICM" and start[:2] not in WITHOUT_PREAMBLE:
        return None
    if DEFLATED in start:
        _check_inflated(stream, start)
    stream.seek(0)
    return pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=tags, force=True)


def _check_inflated(stream: BinaryIO, start: bytes) -> None:
    """Inflate piece by piece, keeping nothing: a small file may hold a thousand times its size."""
    (length,) = struct.unpack("<L", start[140:144])  # of the group before what is deflated
    stream.seek(144 + length)
    inflating, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    whole = os.fstat(stream.fileno()).st_size
    most = min(max(ALWAYS_INFLATED, LARGEST_RATIO * whole), LARGEST_INFLATED)
    while chunk := stream.read(1 << 16):
        while chunk and not inflating.eof:
            size += len(inflating.decompress(chunk, 1 << 20))
            chunk = inflating.unconsumed_tail
            if size > most:
                raise UnusableFile(f"inflates to more than {most >> 20} MiB")
    if not inflating.eof:
        raise UnusableFile("is truncated")
