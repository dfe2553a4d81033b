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
from clamlab.ingest.reading.course import course_notes
from clamlab.ingest.reading.hu import check_hu
from clamlab.ingest.reading.mixing import lie_in_turn
from clamlab.ingest.scan import Scan
from clamlab.io import FileError, explained, open_nifti


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
        image: Any = open_nifti(path)
        image = nibabel.funcs.squeeze_image(image)
        check_geometry(image.shape, image.affine)
        image = nibabel.as_closest_canonical(image)
        with explained(path, "a NIfTI image"):
            volume = np.asanyarray(image.dataobj)
        notes = check_hu(volume) + course_notes(volume) + _turn_notes(volume)
    except IngestError as error:
        raise IngestError(f"{path.name}: {str(error).removeprefix(path.name + ': ')}") from None
    except FileError as error:
        raise IngestError(f"{path.name}: {error.sentence}") from error
    return to_hu(volume), np.asarray(image.affine, "float64"), notes


def _turn_notes(volume: NDArray) -> list[str]:
    where = lie_in_turn(list(np.moveaxis(volume, 2, 0)))
    if where is None:
        return []
    return [
        f"some of slices {where[0] + 1} to {where[1] + 1} (from the feet) differ by turns from "
        "those beside them: they are out of order, or slices of two scans lie in turn"
    ]
