"""Simulated cohorts on disk, as a hospital would hand them over, with the truth beside them."""

import os
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from clamlab.paths import path_part
from clamlab.simulate.dicom import write_dicom
from clamlab.simulate.lungs import LungCohort
from clamlab.simulate.outcomes import OUTCOMES


def write_cohort(
    cohort: LungCohort, folder: str | os.PathLike, *, progress: bool = True, n_jobs: int = 1
) -> pd.DataFrame:
    """Write a cohort as DICOM series and a clinical table, ready for ingestion.

    Parameters
    ----------
    cohort : LungCohort
    folder : path
        Receives ``dicom/<subject_id>/``, ``participants.csv``, and in ``truth/`` the lesions and
        lungs of every subject (NIfTI), ``labels.csv`` and ``known_effects.csv``. Ids go into names
        by :func:`clamlab.paths.path_part`.
    progress : bool
        Show a bar with the time left.
    n_jobs : int
        Scans written at a time, by joblib.

    Returns
    -------
    DataFrame
        The clinical table as written.

    Examples
    --------
    >>> import tempfile
    >>> from clamlab.simulate import lung_cohort
    >>> table = write_cohort(
    ...     lung_cohort(2, spacing_mm=24, seed=1), tempfile.mkdtemp(), progress=False
    ... )
    >>> table["scan"].tolist()
    ['dicom/sim001', 'dicom/sim002']
    """
    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    bar = tqdm(range(len(cohort)), desc="simulated scans", disable=not progress)
    Parallel(n_jobs=n_jobs)(delayed(_write_subject)(cohort, i, folder) for i in bar)
    cohort.truth.to_csv(folder / "truth" / "labels.csv", index=False)
    OUTCOMES.to_csv(folder / "truth" / "known_effects.csv")
    # Last, so that a folder with a table is a whole cohort.
    scans = [f"dicom/{path_part(subject)}" for subject in cohort.participants["subject_id"]]
    participants = cohort.participants.assign(scan=scans)
    participants.to_csv(folder / "participants.csv", index=False)
    return participants


def _write_subject(cohort: LungCohort, i: int, folder: Path) -> None:
    subject = cohort.participants.iloc[i]
    own = path_part(subject["subject_id"])
    volume, affine, lesion, lungs = cohort.scan(i)
    write_dicom(
        volume,
        folder / "dicom" / own,
        affine=affine,
        subject_id=subject["subject_id"],
        scanner_model=subject["scanner_model"],
        seed=cohort.seed,
    )
    for name, array in (("lesion", lesion), ("lungs", lungs)):
        path = folder / "truth" / f"{own}_{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(array.astype(np.uint8), affine), path)
