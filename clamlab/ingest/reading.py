"""Read a subject's scan, DICOM or NIfTI, into one upright volume in HU."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError
from clamlab.ingest.resampling import voxel_sizes
from clamlab.ingest.series_choice import MIN_COVERAGE_MM
from clamlab.ingest.volume_checks import check_geometry, check_hu, to_hu

NIFTI_ENDINGS = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Scan:
    """A chest CT as ingestion sees it.

    Attributes
    ----------
    volume : array of int16, shape (x, y, z)
        HU, RAS+ order, -1024 to 3071.
    affine : array, shape (4, 4)
        Voxel to mm.
    facts : dict
        Acquisition facts from a fixed list; nothing that names a patient, a date or a place.
    notes : list of str
        What a person should look at.
    log : list of str
        Why this series was taken.
    """

    volume: NDArray[np.int16]
    affine: NDArray[np.float64]
    facts: dict[str, Any]
    notes: list[str]
    log: list[str]


def is_nifti(path: str | os.PathLike) -> bool:
    """Tell a NIfTI file by its name."""
    return str(path).lower().endswith(NIFTI_ENDINGS)


def read_scan(
    path: str | os.PathLike,
    *,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    series_number: int | None = None,
) -> Scan:
    """Read a DICOM folder or a NIfTI file into HU in RAS+ order.

    Parameters
    ----------
    path : path
        A folder with DICOM files (nested or not), one DICOM file, or a .nii or .nii.gz file.
    min_coverage_mm : float
        Least extent from feet to head; 0 accepts any.
    series_number : int or None
        Which series to take, where a person has chosen.

    Raises
    ------
    IngestError
        If the scan cannot be used; the message says why and what to do.
    """
    path = Path(path)
    if not path.exists():
        raise IngestError(
            f"expected a scan at {path}, found nothing; check the cohort table's column 'scan' "
            "and scans_root"
        )
    if is_nifti(path):
        return _read_nifti(path, min_coverage_mm)
    from clamlab.ingest.dicom import read_dicom

    return read_dicom(path, min_coverage_mm=min_coverage_mm, series_number=series_number)


def _read_nifti(path: Path, min_coverage_mm: float) -> Scan:
    volume, affine = load_volume(path)
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
    return Scan(volume, affine, facts, [], [])


def load_volume(path: str | os.PathLike) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Load a NIfTI CT, checked, as int16 HU in RAS+ order.

    Raises
    ------
    IngestError
        For 4-D, unoriented, skewed or empty images, and values that are not HU.
    """
    path = Path(path)
    try:
        image: Any = nibabel.load(path)
        header = image.header
        if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
            raise IngestError(
                f"{path.name}: expected an oriented image, found sform_code 0 and qform_code 0, so "
                "left and right cannot be told; write it again with its affine"
            )
        image = nibabel.funcs.squeeze_image(image)
        check_geometry(image.shape, image.affine)
        image = nibabel.as_closest_canonical(image)
        volume = np.asanyarray(image.dataobj)
        check_hu(volume)
    except IngestError as error:
        raise IngestError(f"{path.name}: {str(error).removeprefix(path.name + ': ')}") from None
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise IngestError(f"{path.name}: expected a NIfTI image, found {error}") from error
    return to_hu(volume), np.asarray(image.affine, "float64")
