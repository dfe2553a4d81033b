"""NIfTI volumes, whose headers are held against the file and against themselves."""

import gzip
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.io.files import COPY_AGAIN, FileError, explained, regular_file, room_for

_VOLUME = "a NIfTI image (.nii or .nii.gz)"
_WRITE_AGAIN = "the header is damaged: copy the file again, or convert the scan again"
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_MOST = 1 << 32  # bytes of voxels: 2,000 slices of 1,024 x 1,024
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
          256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}  # fmt: skip
_MM = (0, 2)  # units that are mm, or not told
_ROUNDED = np.float64(-1e-6)  # what a sum of rounded squares may be less than nothing
_SHARE = 0.01  # of a voxel's side: what rounding leaves between one place and another
_APART = 0.5  # of the smallest side: what a quaternion's rounding leaves at a volume's corner


def open_nifti(path: str | os.PathLike) -> Any:
    """Open a volume whose header, length and check sum agree; its voxels are read when used.

    Parameters
    ----------
    path : path
        A ``.nii`` or ``.nii.gz`` file.

    Returns
    -------
    nibabel.Nifti1Image or nibabel.Nifti2Image

    Raises
    ------
    FileError
        If the file is cut, damaged or longer than its header says, if fields of the header
        contradict one another, or if it does not say where its voxels lie.

    Examples
    --------
    >>> import nibabel, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "scan.nii"
    >>> nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), "int16"), np.eye(4)), file)
    >>> open_nifti(file).shape
    (2, 2, 2)
    >>> _ = file.write_bytes(file.read_bytes() + b"more")
    >>> open_nifti(file)
    Traceback (most recent call last):
    clamlab.io.files.FileError: ...scan.nii: expected 368 bytes by its header (2 x 2 x 2 voxels of
    int16 from byte 352), found 372; copy it again from where it comes
    """
    import nibabel

    path = regular_file(path, expected=_VOLUME)
    with explained(path, _VOLUME):
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        if packed != path.name.lower().endswith(".gz"):
            wanted, found = ("packed", "not") if not packed else ("not packed", "packed")
            wanted = f"{_VOLUME} that is {wanted} with gzip, as its name says"
            raise FileError(path, wanted, f"one that is {found}", "correct its name")
        with gzip.open(path) if packed else path.open("rb") as file:
            header = _read_header(path, file)
            _check_values(path, header)
            _check_place(path, header)
            _check_length(path, header, file)
        return nibabel.load(path)


def _read_header(path: Path, file: Any) -> Any:
    """Read the header as it stands, in the order of bytes in which it knows its own size."""
    import nibabel

    start = file.read(nibabel.Nifti2Header.template_dtype.itemsize)
    for kind, magic in ((nibabel.Nifti1Header, b"n+1"), (nibabel.Nifti2Header, b"n+2")):
        size = kind.template_dtype.itemsize
        for sign in "<>":
            if np.frombuffer(start[:4].ljust(4), f"{sign}i4") == size and len(start) >= size:
                header = kind(start[:size], endianness=sign, check=False)
                found = header["magic"].item()[:3]
                if found != magic:
                    raise _contradiction(path, f"the mark {magic!r}", f"magic {found!r}")
                header.quaternion_threshold = _ROUNDED
                return header
    raise FileError(path, _VOLUME, "no NIfTI header at its start", COPY_AGAIN)


def _check_values(path: Path, header: Any) -> None:
    """Refuse a header that does not say in one way how many numbers there are and of which kind."""
    n_sides, kind = int(header["dim"][0]), int(header["datatype"])
    if not (1 <= n_sides <= 7 and all(side >= 1 for side in _sides(header))):
        raise _contradiction(path, "1 to 7 sides of 1 voxel or more", f"dim {header['dim']}")
    if kind not in _TYPES:
        raise FileError(
            path, f"{_VOLUME} of whole or real numbers", f"datatype {kind}",
            "convert it to int16 or float32",
        )  # fmt: skip
    bits = 8 * np.dtype(_TYPES[kind]).itemsize
    if int(header["bitpix"]) != bits:
        raise _contradiction(
            path, f"{bits} bits a voxel by datatype {kind}", f"bitpix {int(header['bitpix'])}"
        )
    offset, least = float(header["vox_offset"]), header.template_dtype.itemsize + 4
    if not (offset.is_integer() and offset >= least):
        raise _contradiction(path, f"voxels from byte {least} or later", f"vox_offset {offset:g}")
    slope, shift = float(header["scl_slope"]), float(header["scl_inter"])
    # Not scaled is written as a slope of 0, or, by nibabel, as NaN in both fields.
    unscaled = (slope == 0 or math.isnan(slope)) and (shift == 0 or math.isnan(shift))
    if not unscaled and not (slope and math.isfinite(slope) and math.isfinite(shift)):
        raise _contradiction(
            path, "a slope with its intercept, or neither", f"scl_slope {slope:g} and scl_inter "
            f"{shift:g}",
        )  # fmt: skip


def _check_place(path: Path, header: Any) -> None:
    """Refuse voxels without a place in space, and with two that are not one."""
    codes = {name: int(header[f"{name}_code"]) for name in ("sform", "qform")}
    if not all(0 <= code <= 5 for code in codes.values()) or not any(codes.values()):
        found = " and ".join(f"{name}_code {code}" for name, code in codes.items())
        found += ", so left and right cannot be told"
        raise _contradiction(path, "an oriented volume, by a code of 1 to 5", found)
    if (unit := int(header["xyzt_units"]) & 7) not in _MM:
        raise _contradiction(path, "lengths in mm", f"xyzt_units {unit}, another unit")
    sizes = header["pixdim"][1:4].astype(float)[: int(header["dim"][0])]
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        raise _contradiction(path, "voxel sides above 0 mm", f"pixdim {sizes.tolist()}")
    affines = {
        name: np.asarray(getattr(header, f"get_{name}")(), float)
        for name, code in codes.items() if code
    }  # fmt: skip
    for name, affine in affines.items():
        if not np.isfinite(affine).all() or not abs(np.linalg.det(affine)) > 0:
            found = f"the {name} {affine[:3].tolist()}"
            raise _contradiction(path, "an affine that gives each voxel a place", found)
        own = np.linalg.norm(affine[:3, : len(sizes)], axis=0)
        if not np.allclose(own, sizes, rtol=_SHARE, atol=0):
            found = f"{own.round(4).tolist()} by the {name}"
            raise _contradiction(
                path, f"voxel sides of {sizes.round(4).tolist()} mm by pixdim", found
            )
    if len(affines) == 2:
        _check_agreement(path, header, affines["sform"], affines["qform"])


def _check_agreement(path: Path, header: Any, sform: NDArray, qform: NDArray) -> None:
    import nibabel

    axes = ["".join(map(str, nibabel.aff2axcodes(affine))) for affine in (sform, qform)]
    if axes[0] != axes[1]:
        raise _contradiction(
            path, "sform and qform to place the voxels alike", f"axes towards {axes[0]} by the "
            f"sform and {axes[1]} by the qform, so left and right may be exchanged",
        )  # fmt: skip
    told = header.copy()
    told.quaternion_threshold = _ROUNDED
    told.set_qform(sform)  # what a qform can tell of it: it knows no shear
    sides = (*_sides(header), 1, 1)[:3]
    corners = np.array([(*index, 1) for index in np.ndindex(2, 2, 2)]) * [*np.subtract(sides, 1), 1]
    apart = np.linalg.norm(corners @ (told.get_qform() - qform).T, axis=1).max()
    if apart > _APART * header["pixdim"][1:4].min():
        raise _contradiction(
            path, "sform and qform to place the voxels alike", f"them {apart:.3g} mm apart at a "
            "corner",
        )  # fmt: skip


def _check_length(path: Path, header: Any, file: Any) -> None:
    """Refuse a file that is not as long as its header says; a packed one is unpacked, not kept."""
    kind, offset = np.dtype(_TYPES[int(header["datatype"])]), int(header["vox_offset"])
    voxels = math.prod(_sides(header)) * kind.itemsize
    room_for(path, voxels, expected=_VOLUME, most=_MOST)
    needed, found, more = offset + voxels, path.stat().st_size, ""
    if isinstance(file, gzip.GzipFile):
        while file.tell() <= needed and file.read(_CHUNK):  # to its check sum, at the end
            pass
        found, more = file.tell(), " or more" if file.tell() > needed else ""
    if found != needed:
        shape = f"{' x '.join(map(str, _sides(header)))} voxels of {kind} from byte {offset}"
        wanted = f"{needed} bytes by its header ({shape})"
        raise FileError(path, wanted, f"{found}{more}", COPY_AGAIN)


def _sides(header: Any) -> list[int]:
    return [int(side) for side in header["dim"][1 : int(header["dim"][0]) + 1]]


def _contradiction(path: Path, expected: str, found: str) -> FileError:
    return FileError(path, expected, found, _WRITE_AGAIN)
