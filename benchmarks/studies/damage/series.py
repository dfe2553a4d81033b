"""Damages of one slice of a DICOM series."""

import io
import random
import struct
from typing import Any

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian

from studies.damage.kinds import Change, Damages, instead, only, put

PIXELS = b"\xe0\x7f\x10\x00"
# By field: what it says instead, which the pixels or the other slices contradict.
_HEADER: dict[str, list[Any]] = {
    "Rows": [0, 1, 25, 65535],
    "Columns": [0, 29, 65535],
    "NumberOfFrames": [0, 2, -1, 2**31 - 1],
    "BitsAllocated": [0, 1, 8, 32, 64, 65535],
    "SamplesPerPixel": [0, 3, 65535],
    "PhotometricInterpretation": ["RGB", "PALETTE COLOR", ""],
    "PixelSpacing": [[0.8], [0, 0], [-0.8, 0.9], ["1e300", "1e300"], [5, 5]],
    "ImagePositionPatient": [[0, 0], ["1e300", 0, 0], [500, 500, 500], []],
    "ImageOrientationPatient": [[0] * 6, [1, 0, 0, 1, 0, 0], [1, 0, 0], [0, 1, 0, 1, 0, 0]],
    "RescaleSlope": [0, "1e300", -1, ""],
    "RescaleIntercept": ["1e300", -32768],
    "PatientID": ["someone else", ""],
    "SeriesInstanceUID": ["1.2.3", ""],
    "SOPInstanceUID": [""],
}


def dicom(whole: bytes) -> Damages:
    """Yield what may have become of one slice; a changed pixel is nobody's to see."""
    header = whole.rindex(PIXELS)
    yield from _bytes(whole, header)
    for field, values in _HEADER.items():
        for value in values:
            yield "a header's field", f"{field} {value}", _with_field(field, value)
    for name, uid in (
        ("of no such kind", b"1.2.840.10008.1.2.7"), ("big endian", b"1.2.840.10008.1.2.2"),
        ("JPEG 2000", b"1.2.840.10008.1.2.4.90"), ("run lengths", b"1.2.840.10008.1.2.5"),
    ):  # fmt: skip
        yield "a header's field", f"pixels {name}", _with_syntax(uid.decode())
    yield "structure", "text", only(b"this slice was moved to the archive\n" * 99)
    yield "structure", "no preamble", only(whole[132:])
    yield "structure", "no mark", instead(b"DICM", b"XXXX")
    yield "structure", "no pixels", only(whole[:header])
    yield "bomb", "nested sequences", only(whole[:header] + _nested(3000) + whole[header:])
    yield "bomb", "400 MB of zeros, deflated", _deflated_with_zeros


def _bytes(whole: bytes, header: int) -> Damages:
    """Single and several bytes before the pixels, where every one of them means something."""
    rng = random.Random(1)

    def anywhere() -> int:
        return rng.randrange(132, header - 24)

    for i in range(16):
        at, bit = anywhere(), 1 << rng.randrange(8)
        yield "a bit", f"{i}: byte {at}", put(at, bytes([whole[at] ^ bit]))
    for i in range(5):
        at = anywhere()
        yield "structure", f"{i}: zeros from byte {at}", put(at, bytes(8))
        yield "length", f"{i}: greatest at byte {at}", put(at, b"\xff" * 4)
        new = rng.randbytes(1 + 5 * i)
        yield "structure", f"{i}: bytes put in at {at}", only(whole[:at] + new + whole[at:])
        yield "structure", f"{i}: bytes gone from {at}", only(whole[:at] + whole[at + 1 + i :])
    yield "length", "pixels without end", put(header + 8, b"\xff" * 4)
    yield "length", "pixels of 4 GB", put(header + 8, b"\xfe\xff\xff\xff")


def _with_field(field: str, value: Any) -> Change:
    def change(data: bytes) -> bytes:
        dataset = pydicom.dcmread(io.BytesIO(data))
        # As it stands in a damaged file: pydicom would not write it otherwise.
        with pydicom.config.disable_value_validation():
            setattr(dataset, field, value)
            return _written(dataset)

    return change


def _with_syntax(uid: str) -> Change:
    def change(data: bytes) -> bytes:
        start = data.index(b"1.2.840.10008.1.2.1")
        (length,) = struct.unpack("<H", data[start - 2 : start])
        padded = uid.encode() + b"\0" * (len(uid) % 2)
        group = data[140:144], len(padded) - length
        moved = struct.pack("<L", struct.unpack("<L", group[0])[0] + group[1])
        rest = data[144 : start - 2] + struct.pack("<H", len(padded)) + padded
        return data[:140] + moved + rest + data[start + length :]

    return change


def _deflated_with_zeros(data: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.PixelData = dataset.PixelData + bytes(400_000_000)
    return _written(dataset)


def _written(dataset: pydicom.Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def _nested(depth: int) -> bytes:
    """Return sequences in one another, none of which says how long it is."""
    begin = struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF)
    begin += b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return begin * depth + end * depth
