"""Convert the chosen slices of a DICOM folder with dcm2niix."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.checks import check_geometry, check_hu, to_hu
from clamlab.ingest.reading.choice import MIN_COVERAGE_MM, choose_series
from clamlab.ingest.reading.series import Series, find_series
from clamlab.ingest.scan import Scan

SECONDS_ALLOWED = 900


def read_dicom(
    path: str | os.PathLike,
    *,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    series_number: int | None = None,
    study: int | None = None,
) -> Scan:
    """Choose a subject's best CT series and convert it to HU in RAS+ order.

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
        If there is no usable CT series, or the conversion gives no proper volume.
    """
    series, log = choose_series(
        find_series(path),
        min_coverage_mm=min_coverage_mm,
        series_number=series_number,
        study=study,
    )
    volume, affine = _convert(series)
    notes = series.notes + log[1:]
    return Scan(volume, affine, _facts(series, affine), notes, log)


def _facts(series: Series, affine: NDArray) -> dict[str, Any]:
    """Pick acquisition facts by name: what is not asked for here cannot leak."""
    header = series.header
    return {
        "format": "DICOM",
        "slices": len(series.positions),
        "thickness_mm": round(series.thickness_mm, 3),
        "spacing_mm": " x ".join(f"{size:.3g}" for size in voxel_sizes(affine)),
        "coverage_mm": round(series.coverage_mm, 1),
        "kernel": series.kernel or None,
        "contrast": "yes" if header.get("ContrastBolusAgent") else "not recorded",
        "manufacturer": _word(header.get("Manufacturer")),
        "scanner_model": _word(header.get("ManufacturerModelName")),
        "kvp": float(header.get("KVP")) if header.get("KVP") else None,
        "image_type": "/".join(str(kind) for kind in header.get("ImageType") or []) or None,
    }


def _word(value: Any) -> str | None:
    return str(value) if value else None


def _convert(series: Series) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    with tempfile.TemporaryDirectory(prefix="clamlab-") as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        target.mkdir()
        for index, file in enumerate(series.files):
            _link(file.resolve(), source / f"{index:05d}.dcm")
        said = _run_dcm2niix(source, target)
        image: Any = nibabel.load(_pick(target, said))
        check_geometry(image.shape, image.affine)
        if image.shape[2] < len(series.positions):
            raise IngestError(
                f"expected {len(series.positions)} slices from dcm2niix, found {image.shape[2]}; "
                "export the series again"
            )
        image = nibabel.as_closest_canonical(image)
        volume = np.asanyarray(image.dataobj)
        check_hu(volume)
        return to_hu(volume), np.asarray(image.affine, "float64")


def _link(file: Path, name: Path) -> None:
    """Show dcm2niix only the chosen files; where links are not allowed, copy."""
    try:
        name.symlink_to(file)
    except OSError:
        shutil.copyfile(file, name)


def _run_dcm2niix(source: Path, target: Path) -> str:
    import dcm2niix

    # No sidecar (-b n): dcm2niix would write dates and institutions into it.
    command = [dcm2niix.bin, "-b", "n", "-z", "n", "-f", "volume", "-o", str(target), str(source)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_ALLOWED)
    except subprocess.TimeoutExpired:
        raise IngestError(f"dcm2niix did not finish in {SECONDS_ALLOWED} s") from None
    return run.stdout + run.stderr


def _pick(folder: Path, said: str) -> Path:
    """Pick the volume to trust, tilt-corrected, then equidistant, before raw."""
    outputs = sorted(folder.glob("*.nii"))
    raw = [path for path in outputs if not {"Eq", "Tilt"} & set(path.stem.split("_"))]
    if not outputs or len(raw) > 1:
        complaint = [line for line in said.splitlines() if "rror" in line or "arning" in line]
        raise IngestError(
            f"expected one volume from dcm2niix, found {len(raw)}: "
            f"{'; '.join(complaint[:3]) or 'no message'}; export the series again"
        )
    return max(outputs, key=lambda path: ("_Tilt" in path.stem, "_Eq" in path.stem))
