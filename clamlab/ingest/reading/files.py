"""Which files of a folder hold DICOM images, and which of those are whole."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from clamlab.ingest.errors import UnusableFile
from clamlab.ingest.headers import read_header
from clamlab.ingest.reading.frames import Frame, frames_of
from clamlab.io import FileError, regular_file
from clamlab.io.folders import walk

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
    "PixelPaddingValue",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "StudyInstanceUID",
    "StudyDate", "StudyTime", "PatientPosition",
]  # fmt: skip
PIXELS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
ITEM, END_OF_ITEMS = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
BITS = (8, 16, 32)


def image_files(path: Path) -> Iterator[Path]:
    """Yield what may be a file in a folder, at any depth."""
    if not path.is_dir():
        yield path
    for folder, names in walk(path):
        for name in names:
            if not name.startswith(".") and name != "DICOMDIR":
                yield folder / name


def read_frames(file: Path) -> list[Frame]:
    """Read the header of one file; no frames where it is no DICOM image.

    Raises
    ------
    UnusableFile
        If it is one and cannot be used.
    """
    uid = None
    try:
        with regular_file(file).open("rb") as stream:
            header = read_header(stream, TAGS)
            if header is None or not ("Rows" in header or "Columns" in header):
                return []
            uid = str(header.get("SeriesInstanceUID", ""))
            for _ in header.iterall():  # what is damaged raises here, not where it is first used
                pass
            frames = frames_of(file, header)
            _check_pixels(stream, header, len(frames))
        return frames
    except UnusableFile as error:
        raise UnusableFile(str(error), uid) from None
    except FileError as error:  # its words alone: the name of a file may be a patient's
        raise UnusableFile(f"is {error.found}") from None
    except OSError as error:
        raise UnusableFile(f"cannot be read ({error.strerror})", uid) from None
    except Exception as error:  # a damaged header raises whatever its damage leads to
        raise UnusableFile(f"cannot be read ({type(error).__name__})", uid) from None


def _check_pixels(stream: BinaryIO, header: Any, n_frames: int) -> None:
    """Refuse a file whose pixels end before they should; its header alone cannot tell."""
    from pydicom.pixels import get_decoder

    bits = int(header.get("BitsAllocated") or 16)
    if bits not in BITS:
        raise UnusableFile(f"holds pixels of {bits} bits")
    if "ModalityLUTSequence" in header:
        raise UnusableFile("gives its values by a table")
    needed = header.Rows * header.Columns * n_frames * bits // 8
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is not None and syntax.is_private is False and syntax.is_deflated:
        _check_deflated(stream.name, needed)
        return
    start, tag = stream.tell(), stream.read(4)
    if tag not in PIXELS:
        raise UnusableFile("holds no pixels")
    if syntax is not None and not get_decoder(syntax).is_available:
        raise UnusableFile(f"holds pixels stored as {syntax.name}, which cannot be read")
    implicit, little = header.original_encoding
    stream.seek(start + (4 if implicit else 8))
    length = int.from_bytes(stream.read(4), "little" if little else "big")
    if length == 0xFFFFFFFF:
        complete = syntax is not None and _items_end(stream)
    else:
        complete = min(length, os.fstat(stream.fileno()).st_size - stream.tell()) >= needed
    if not complete:
        raise UnusableFile("is truncated")


def _check_deflated(name: str, needed: int) -> None:
    import pydicom

    if len(pydicom.dcmread(name, force=True).get("PixelData", b"")) < needed:
        raise UnusableFile("is truncated")


def _items_end(stream: BinaryIO) -> bool:
    """Go from one compressed piece to the next until their end is marked."""
    size = os.fstat(stream.fileno()).st_size
    while (tag := stream.read(4)) == ITEM:
        stream.seek(int.from_bytes(stream.read(4), "little"), os.SEEK_CUR)
        if stream.tell() > size:
            return False
    return tag == END_OF_ITEMS
