"""Which files of a folder hold DICOM images, and which of those are whole."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from clamlab.ingest.reading.frames import Frame, UnusableFrame, frames_of

TAGS = [
    "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "Manufacturer",
    "ManufacturerModelName", "SeriesDescription", "PatientID", "BodyPartExamined",
    "SliceThickness", "KVP", "ConvolutionKernel", "ContrastBolusAgent", "RescaleIntercept",
    "RescaleSlope", "RescaleType", "ModalityLUTSequence", "PhotometricInterpretation",
    "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "AcquisitionTime",
    "AcquisitionDateTime", "ContentTime", "InstanceNumber", "TemporalPositionIdentifier",
    "NominalPercentageOfCardiacPhase", "FrameOfReferenceUID", "ReconstructionDiameter",
    "FilterType", "ImagePositionPatient", "ImageOrientationPatient", "NumberOfFrames", "Rows",
    "Columns", "PixelSpacing", "BitsAllocated", "SamplesPerPixel",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "StudyInstanceUID",
    "StudyDate", "StudyTime",
]  # fmt: skip
# A file without the preamble begins with its first group.
WITHOUT_PREAMBLE = (b"\x02\x00", b"\x08\x00")
PIXELS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
ITEM, END_OF_ITEMS = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
DEFLATED = b"1.2.840.10008.1.2.1.99"
LARGEST_INFLATED = 1 << 30  # bytes; more is no CT series
BITS = (8, 16, 32)


def image_files(path: Path) -> Iterator[Path]:
    """Yield a folder's regular files at any depth: a pipe would be waited for without end."""
    if path.is_file():
        yield path
    for folder, subfolders, names in os.walk(path):
        subfolders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if not name.startswith(".") and name != "DICOMDIR" and _is_regular(file):
                yield file


def _is_regular(file: Path) -> bool:
    try:
        return S_ISREG(file.stat().st_mode)
    except OSError:  # a link to nothing
        return False


def read_frames(file: Path) -> list[Frame]:
    """Read the header of one file; no frames where it is no DICOM image.

    Raises
    ------
    UnusableFrame
        If it is one and cannot be used.
    """
    uid = None
    try:
        with file.open("rb") as stream:
            header = read_header(stream, TAGS)
            if header is None or not ("Rows" in header or "Columns" in header):
                return []
            uid = str(header.get("SeriesInstanceUID", ""))
            frames = frames_of(file, header)
            _check_pixels(stream, header, len(frames))
        return frames
    except UnusableFrame as error:
        raise UnusableFrame(str(error), uid) from None
    except OSError as error:
        raise UnusableFrame(f"cannot be read ({error.strerror})", uid) from None
    except Exception as error:  # a damaged header raises whatever its damage leads to
        raise UnusableFrame(f"cannot be read ({type(error).__name__})", uid) from None


def read_header(stream: BinaryIO, tags: list[str]) -> Any:
    """Return some elements of a DICOM file, up to its pixels; None where it is none.

    Raises
    ------
    UnusableFrame
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
    while chunk := stream.read(1 << 16):
        while chunk and not inflating.eof:
            size += len(inflating.decompress(chunk, 1 << 20))
            chunk = inflating.unconsumed_tail
            if size > LARGEST_INFLATED:
                raise UnusableFrame(f"inflates to more than {LARGEST_INFLATED >> 20} MiB")
    if not inflating.eof:
        raise UnusableFrame("is truncated")


def _check_pixels(stream: BinaryIO, header: Any, n_frames: int) -> None:
    """Refuse a file whose pixels end before they should; its header alone cannot tell."""
    from pydicom.pixels import get_decoder

    bits = int(header.get("BitsAllocated") or 16)
    if bits not in BITS:
        raise UnusableFrame(f"holds pixels of {bits} bits")
    if "ModalityLUTSequence" in header:
        raise UnusableFrame("gives its values by a table")
    needed = header.Rows * header.Columns * n_frames * bits // 8
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is not None and syntax.is_private is False and syntax.is_deflated:
        _check_deflated(stream.name, needed)
        return
    start, tag = stream.tell(), stream.read(4)
    if tag not in PIXELS:
        raise UnusableFrame("holds no pixels")
    if syntax is not None and not get_decoder(syntax).is_available:
        raise UnusableFrame(f"holds pixels stored as {syntax.name}, which cannot be read")
    implicit, little = header.original_encoding
    stream.seek(start + (4 if implicit else 8))
    length = int.from_bytes(stream.read(4), "little" if little else "big")
    if length == 0xFFFFFFFF:
        complete = syntax is not None and _items_end(stream)
    else:
        complete = min(length, os.fstat(stream.fileno()).st_size - stream.tell()) >= needed
    if not complete:
        raise UnusableFrame("is truncated")


def _check_deflated(name: str, needed: int) -> None:
    import pydicom

    if len(pydicom.dcmread(name, force=True).get("PixelData", b"")) < needed:
        raise UnusableFrame("is truncated")


def _items_end(stream: BinaryIO) -> bool:
    """Go from one compressed piece to the next until their end is marked."""
    size = os.fstat(stream.fileno()).st_size
    while (tag := stream.read(4)) == ITEM:
        stream.seek(int.from_bytes(stream.read(4), "little"), os.SEEK_CUR)
        if stream.tell() > size:
            return False
    return tag == END_OF_ITEMS
