"""What ingesting a cohort will take, from one of its scans."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from clamlab.forecast import forecast
from clamlab.ingest.alignment.template import template_grid
from clamlab.ingest.cohort.pipeline import check_arguments, cohort_subjects
from clamlab.ingest.cohort.steps import align, prepare
from clamlab.ingest.cohort.subjects import Settings, Subject, Template
from clamlab.ingest.reading.choice import MIN_COVERAGE_MM
from clamlab.volumes import load_nifti

TRIES = 5
ROUNDS = 7  # registrations of each of the template's subjects, a usual count
STRETCH = 1.15


def ingest_forecast(
    cohort: pd.DataFrame,
    *,
    scans_root: str | os.PathLike | None = None,
    spacing_mm: float = 3.0,
    registration: str = "syn",
    template: str | os.PathLike | None = None,
    template_share: float = 0.1,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    mask_labels: str | None = None,
    n_jobs: int = 1,
) -> str:
    """Learn what :func:`ingest_cohort` will cost before starting it, from one scan.

    The first usable scan is really read, segmented and registered (to its own lungs, stretched);
    the rest is multiplication.

    Parameters
    ----------
    cohort, scans_root, spacing_mm, registration, template, template_share, n_jobs
        As for :func:`ingest_cohort`.
    min_coverage_mm, mask_labels
        As there, too.

    Returns
    -------
    str
        Time, memory of one process and disk, and what twice the spacing would save and lose; or
        why that cannot be told.

    Raises
    ------
    ValueError
        For a bad cohort table.

    Examples
    --------
    >>> from clamlab.volumes import save_nifti
    >>> folder = Path(tempfile.mkdtemp())
    >>> chest = np.full((48, 32, 1), 40, "int16")  # one slice through both lungs
    >>> chest[27:44, 6:26] = chest[4:21, 6:26] = -850
    >>> chest[:, 30:] = -1000
    >>> scan = save_nifti(folder / "S-1.nii.gz", chest, np.diag([7.0, 7, 7, 1]))
    >>> ids = [f"S-{i}" for i in range(1, 501)]
    >>> cohort = pd.DataFrame({"subject_id": ids, "scan": str(scan)})
    >>> print(ingest_forecast(cohort, spacing_mm=7, registration="none"))
    At most ..., ... GiB of memory, ... GiB on disk. At 14 mm instead of 7 mm it would be
    about ...; what is smaller than 28 mm would be lost.
    """
    settings = Settings(
        float(spacing_mm), registration, float(min_coverage_mm), 0, mask_labels=mask_labels
    )
    check_arguments(settings, template_share)
    with tempfile.TemporaryDirectory() as name:
        folder, root = Path(name), Path(scans_root or ".")
        subjects = cohort_subjects(cohort, folder, root)
        found = _first_usable(subjects, settings)
        if found is None:
            return f"No forecast: none of the first {TRIES} scans can be used."
        subject, target = found

        def step() -> None:
            (subject.folder / "state.json").unlink(missing_ok=True)
            prepare(subject, settings)
            align(subject, settings, target)

        step()
        disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        making = 0 if template or registration == "none" else ROUNDS * template_share
        steps = len(subjects) * (1 + making) / n_jobs
        spacing = [settings.spacing_mm] * 3
        return forecast(step, steps, disk_bytes=disk * len(subjects), spacing_mm=spacing)


def _first_usable(subjects: list[Subject], settings: Settings) -> tuple[Subject, Template] | None:
    for subject in subjects[:TRIES]:
        if prepare(subject, settings)["status"] == "done":
            lungs, affine = load_nifti(subject.folder / "lungs.nii.gz")
            if settings.registration != "none":
                stretched = np.diag([STRETCH, STRETCH, STRETCH, 1.0]) @ affine
                lungs, affine = template_grid(lungs, stretched, spacing_mm=settings.spacing_mm)
            return subject, Template(lungs, affine, "forecast")
    return None
