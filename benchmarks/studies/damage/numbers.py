"""Damages of volumes and arrays."""

import gzip
import struct
from typing import Any

import nibabel
import numpy as np

from studies.damage.kinds import Damages, anywhere, flips, instead, only, put


def gz(whole: bytes) -> Damages:
    """Yield what may have become of a file packed with gzip."""
    yield from anywhere(whole)
    yield from flips(whole, 14)
    inside = gzip.decompress(whole)
    for name, new in {
        "1 byte more than it says": inside + b"\0", "1 byte less than it says": inside[:-1],
        "half of what it says": inside[: len(inside) // 2], "packed twice": whole,
    }.items():  # fmt: skip
        yield "length", name, only(gzip.compress(new, 1))
    yield "bomb", "500 MB more than it says", _with_zeros
    yield "structure", "not packed", only(inside)
    yield "structure", "a second member", only(whole + gzip.compress(b"more"))
    yield "structure", "another check sum", put(len(whole) - 8, b"\1\2\3\4")


def _with_zeros(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data) + bytes(500_000_000), 1)


def nifti(whole: bytes) -> Damages:
    """Yield what may have become of a volume; a changed voxel is nobody's to see."""
    yield from anywhere(whole, values=False)
    yield from _fields(whole)
    yield "structure", "packed", only(gzip.compress(whole))


def nifti_gz(whole: bytes) -> Damages:
    """Yield what may have become of a packed volume."""
    yield from gz(whole)
    inside = gzip.decompress(whole)
    for kind, name, change in _fields(inside):
        yield kind, name, only(gzip.compress(change(inside), 1))


# By field: what it says instead, in pairs where it is one of several numbers.
_HEADER: dict[str, list[Any]] = {
    "dim": [(0, 0), (0, 2), (0, 8), (0, -1), (1, 0), (1, -30), (1, 29), (1, 31), (2, 25), (3, 39),
            (3, 20), (3, 30000), (1, 32767), (4, 2)],
    "datatype": [0, 1, 2, 8, 16, 64, 128, 768, 1792, 999],
    "bitpix": [0, 1, 8, 32, 64],
    "vox_offset": [0, 348, 351, 353, 400, 352.5, 1e9, float("nan"), float("inf"), -352],
    "scl_slope": [float("inf"), float("-inf")],
    "scl_inter": [float("inf"), -1024.0],
    "pixdim": [(1, 0), (1, -0.8), (2, 1.8), (3, float("nan")), (3, 25), (1, 0.4), (3, 12.5)],
    "sform_code": [-1, 9, 256],
    "qform_code": [-2, 7, 512],
    "xyzt_units": [1, 3, 4],
    "srow_x": [(0, -0.8), (1, 0.9), (0, float("nan")), (1, float("inf")), (1, 0), (0, 1e30)],
    "srow_z": [(2, -2.5), (2, 5.0), (2, 0.0)],
    "quatern_b": [0.9, float("nan"), 2.0],
    "magic": [b"ni1", b"xyz", b""],
    "sizeof_hdr": [0, 349, 400, -1],
}  # fmt: skip


def _fields(whole: bytes) -> Damages:
    kind = nibabel.Nifti1Header if whole[:2] == struct.pack("<h", 348) else nibabel.Nifti2Header
    size = kind.template_dtype.itemsize
    own = kind(whole[:size], check=False)
    # What makes as good a header as before is nobody's to see.
    alike: list[tuple[str, Any]] = []
    if own["scl_slope"] == 1:
        alike.append(("scl_inter", -1024.0))
    if not own["qform_code"]:
        alike += [("srow_x", (1, 0.9)), ("srow_z", (2, -2.5))]
    for field, values in _HEADER.items():
        for value in values:
            header = own.copy()
            fields = header.structarr
            if isinstance(value, tuple):
                fields[field][value[0]] = value[1]
            elif fields[field].dtype.kind == "i":  # version 2 keeps whole numbers where 1 does not
                fields[field] = np.nan_to_num(value, posinf=2**40)
            else:
                fields[field] = value
            block = header.binaryblock
            if block != whole[:size] and (field, value) not in alike:
                yield "a header's field", f"{field} {value}", put(0, block)


def npy(whole: bytes) -> Damages:
    """Yield what may have become of an array of 30 x 20 numbers."""
    yield from anywhere(whole, values=False)
    for name, old, new in (
        ("rows", b"(30, 20)", b"(31, 20)"), ("fewer rows", b"(30, 20)", b"(3, 20) "),
        ("minus", b"(30, 20)", b"(30,-20)"), ("8 GB", b"(30, 20), }", b"(99999, 9999), }"),
        ("other numbers", b"<f8", b"<f4"), ("other order", b"<f8", b">f8"),
        ("objects", b"'<f8'", b"'|O' "), ("texts", b"<f8", b"<U2"), ("dates", b"'<f8'", b"'<M8'"),
        ("by columns", b"False", b"True "), ("no dict", b"{", b"["), ("no shape", b"pe", b"de"),
        ("code", b"(30, 20)", b"exit(1) "), ("nested", b"(30, 20)", b"((((((()"),
    ):  # fmt: skip
        yield "a header's field", name, instead(old, new)
    for version in ((2, 0), (3, 0), (9, 9)):
        yield "a header's field", f"version {version}", put(6, bytes(version))
    yield "bomb", "a header of 64 KB", only(whole[:8] + b"\xff\xff" + b"(" * 65_535)
    long = whole[:6] + b"\2\0" + struct.pack("<I", 60_000_000) + b"(" * 60_000_000
    yield "bomb", "a header of 60 MB", only(long)
