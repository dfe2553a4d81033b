"""Read a DICOM folder: its best CT series, every slice laid where its own header places it."""

import os
from typing import Any

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError
from clamlab.ingest.headers import quietly
from clamlab.ingest.reading.checks import check_geometry, to_hu
from clamlab.ingest.reading.choice import (
    MIN_COVERAGE_MM,
    choose_series,
    has_contrast,
    refuse_partial,
)
from clamlab.ingest.reading.course import course_notes
from clamlab.ingest.reading.held import hold_against_headers
from clamlab.ingest.reading.hu import check_hu
from clamlab.ingest.reading.laying import CHANGING, Laid, lay
from clamlab.ingest.reading.mixing import lie_in_turn
from clamlab.ingest.reading.pixels import stored_pixels
from clamlab.ingest.reading.rescale import rescale
from clamlab.ingest.reading.series import Series, find_series
from clamlab.ingest.scan import Scan


@quietly()
def read_dicom(
    path: str | os.PathLike,
    *,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    series_number: int | None = None,
    study: int | None = None,
) -> Scan:
    """Choose a subject's best CT series and lay it as HU in RAS+ order.

    Parameters
    ----------
    path : path
        A folder, searched with its subfolders, or one DICOM file.
    min_coverage_mm : float
        Least extent from feet to head.
    series_number : int or None
        Which series to take, where a person has chosen.
    study : int or None
        Which study to take, by date from 1, where there are several.

    Raises
    ------
    IngestError
        If there is no usable CT series, or its slices make no proper volume of HU.
    """
    series, log = choose_series(
        find_series(path),
        min_coverage_mm=min_coverage_mm,
        series_number=series_number,
        study=study,
    )
    stored = stored_pixels(series.frames)
    series = series.without([i for i, pixels in enumerate(stored) if pixels is None])
    refuse_partial(series, min_coverage_mm)
    images, mended = rescale(series.frames, [pixels for pixels in stored if pixels is not None])
    laid = lay(series, images)
    check_geometry(laid.volume.shape, laid.affine)
    noted = check_hu(laid.volume) + course_notes(laid.volume)
    _refuse_mixed(images)
    laid = Laid(to_hu(laid.volume), laid.affine, laid.resampled, laid.filled)
    facts = _facts(series, laid) | {"hu_difference": hold_against_headers(series, laid)}
    notes = series.told + mended + noted + log[1:]
    if CHANGING in laid.resampled:  # a damaged header may be why
        notes.append("the slices have a field of view that changes; they were resampled")
    return Scan(laid.volume, laid.affine, facts, notes, log)


def _refuse_mixed(images: list[NDArray[np.int16]]) -> None:
    """Refuse slices of two scans that lie in turn and whose headers do not tell them apart."""
    if where := lie_in_turn(images):
        raise IngestError(
            f"expected slices of one scan, found that some of slices {where[0] + 1} to "
            f"{where[1] + 1} (as they lie) differ by turns from those beside them: phases or "
            "reconstructions that their headers do not tell apart; export them as series of "
            "their own"
        )


def _facts(series: Series, laid: Laid) -> dict[str, Any]:
    """Pick acquisition facts by name: what is not asked for here cannot leak."""
    return {
        "format": "DICOM",
        "slices": len(series.frames),
        "slices_left_out": series.left_out,
        "slices_filled": laid.filled,
        "resampled": laid.resampled or "no",
        "thickness_mm": round(series.thickness_mm, 3),
        "spacing_mm": " x ".join(f"{size:.3g}" for size in voxel_sizes(laid.affine)),
        "coverage_mm": round(series.coverage_mm, 1),
        "kernel": series.kernel or None,
        "contrast": "yes" if has_contrast(series) else "not recorded",
        "manufacturer": series.words("Manufacturer") or None,
        "scanner_model": series.words("ManufacturerModelName") or None,
        "kvp": series.frames[0].number("KVP"),
        "image_type": "/".join(_image_type(series)) or None,
    }


def _image_type(series: Series) -> list[str]:
    values = series.get("ImageType") or []
    return [values] if isinstance(values, str) else [str(kind) for kind in values]
