"""Read a NIfTI file that claims to be a chest CT."""

import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.checks import check_geometry, to_hu
from clamlab.ingest.reading.hu import check_hu
from clamlab.ingest.scan import Scan


def read_nifti(path: Path, *, min_coverage_mm: float) -> Scan:
    """Read one NIfTI file, long enough for whole lungs, into HU in RAS+ order."""
    volume, affine, notes = load_volume(path)
    sizes = voxel_sizes(affine)
    coverage = volume.shape[2] * sizes[2]
    if coverage < min_coverage_mm:
        raise IngestError(
            f"too short for whole lungs: expected at least {min_coverage_mm:g} mm from top to "
            f"bottom, found {coverage:.0f} mm ({volume.shape[2]} slices); give another scan, or "
            "lower min_coverage_mm"
        )
    facts = {
        "format": "NIfTI",
        "slices": volume.shape[2],
        "thickness_mm": round(float(sizes[2]), 3),
        "spacing_mm": " x ".join(f"{size:.3g}" for size in sizes),
        "coverage_mm": round(float(coverage), 1),
    }
    return Scan(volume, affine, facts, notes, [])


def load_volume(
    path: str | os.PathLike,
) -> tuple[NDArray[np.int16], NDArray[np.float64], list[str]]:
    """Load a NIfTI CT, checked, as int16 HU in RAS+ order, with notes for a person.

    Raises
    ------
    IngestError
        For 4-D, unoriented, skewed or empty images, and values that are not HU.
    """
    path = Path(path)
    try:
        image: Any = nibabel.load(path)
        check_header(image.header)
        image = nibabel.funcs.squeeze_image(image)
        check_geometry(image.shape, image.affine)
        image = nibabel.as_closest_canonical(image)
        volume = np.asanyarray(image.dataobj)
        notes = check_hu(volume)
    except IngestError as error:
        raise IngestError(f"{path.name}: {str(error).removeprefix(path.name + ': ')}") from None
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise IngestError(f"{path.name}: expected a NIfTI image, found {error}") from error
    return to_hu(volume), np.asarray(image.affine, "float64"), notes


def check_header(header: Any) -> None:
    """Refuse a header whose two ways of placing the voxels, or whose units, cannot be right.

    Raises
    ------
    IngestError
    """
    codes = int(header["sform_code"]), int(header["qform_code"])
    if codes == (0, 0):
        raise IngestError(
            "expected an oriented image, found sform_code 0 and qform_code 0, so left and right "
            "cannot be told; write it again with its affine"
        )
    if (unit := header.get_xyzt_units()[0]) not in ("mm", "unknown"):
        raise IngestError(f"expected mm, found the unit {unit} (xyzt_units); write it again in mm")
    if min(codes) > 0:
        _check_agreement(header.get_sform(), header.get_qform())
    elif codes[0] > 0:
        _check_sizes("sform", header.get_sform(), "pixdim", header.get_zooms()[:3])


def _check_agreement(sform: NDArray, qform: NDArray) -> None:
    said = ["".join(map(str, nibabel.aff2axcodes(affine))) for affine in (sform, qform)]
    if said[0] != said[1]:
        raise IngestError(
            f"expected sform and qform to place the voxels alike, found axes towards {said[0]} by "
            f"the sform and {said[1]} by the qform: left and right may be exchanged; write it "
            "again with one affine"
        )
    _check_sizes("sform", sform, "qform", voxel_sizes(qform))


def _check_sizes(name: str, affine: NDArray, other: str, sizes: Any) -> None:
    own = voxel_sizes(affine)
    if not np.allclose(own, sizes, rtol=0.01):
        raise IngestError(
            f"expected one voxel size, found {own.round(3).tolist()} by the {name} and "
            f"{np.round(sizes, 3).tolist()} mm by the {other}; write it again with one affine"
        )
