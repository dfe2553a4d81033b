"""Read a subject's scan, DICOM or NIfTI, into one upright volume in HU."""

import os
from pathlib import Path

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.choice import MIN_COVERAGE_MM
from clamlab.ingest.reading.dicom import read_dicom
from clamlab.ingest.reading.nifti import read_nifti
from clamlab.ingest.scan import Scan, is_nifti

OTHER_FORMATS = (".mha", ".mhd", ".nrrd", ".nhdr", ".hdr", ".img")


def read_scan(
    path: str | os.PathLike,
    *,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    series_number: int | None = None,
    study: int | None = None,
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
    study : int or None
        Which study to take, by date from 1, where there are several.

    Returns
    -------
    Scan
        HU from -1024 to 3071 as int16, the affine (voxel to mm), and what is known of the scan.

    Raises
    ------
    IngestError
        If the scan cannot be used; the message says why and what to do.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clamlab.volumes import save_nifti
    >>> hu = np.full((4, 4, 40), -2000.0)  # padding, below what CT measures
    >>> hu[0], hu[1] = 40, -850  # on the right: x runs to the left in this file
    >>> path = save_nifti(Path(tempfile.mkdtemp()) / "S-1.nii", hu, np.diag([-5.0, 5, 5, 1]))
    >>> scan = read_scan(path)
    >>> scan.volume[:, 0, 0].tolist(), scan.facts["coverage_mm"]
    ([-1024, -1024, -850, 40], 200.0)
    """
    path = Path(path)
    if not path.exists():
        raise IngestError(
            f"expected a scan at {path}, found nothing; check the cohort table's column 'scan' "
            "and scans_root"
        )
    if is_nifti(path):
        return read_nifti(path, min_coverage_mm=min_coverage_mm)
    if path.is_file() and path.suffix.lower() in OTHER_FORMATS:
        raise IngestError(
            f"expected DICOM or NIfTI, found a {path.suffix.lower()} file; convert to NIfTI"
        )
    return read_dicom(
        path, min_coverage_mm=min_coverage_mm, series_number=series_number, study=study
    )
