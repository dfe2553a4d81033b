"""From a folder of scans to a cohort on one grid, subject by subject, resumable."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clamlab.ingest.alignment.registration import KINDS
from clamlab.ingest.cohort.cohort_template import (
    common_grid,
    draw_sample,
    given_template,
    own_template,
)
from clamlab.ingest.cohort.decisions import decisions_by_subject, is_rejected, with_series
from clamlab.ingest.cohort.files import writing
from clamlab.ingest.cohort.other_series import list_series, may_have_series
from clamlab.ingest.cohort.qc_pages import write_index
from clamlab.ingest.cohort.qc_table import Found, qc_table
from clamlab.ingest.cohort.rows import cohort_subjects, refused_subjects, subject_names
from clamlab.ingest.cohort.steps import align, prepare
from clamlab.ingest.cohort.subjects import Settings, Subject, failure, subject_folder
from clamlab.ingest.cohort.workers import ending_with
from clamlab.ingest.lungs.given import NAMES as MASK_LABELS
from clamlab.ingest.reading.choice import MIN_COVERAGE_MM
from clamlab.volumes import load_nifti


def ingest_cohort(
    cohort: pd.DataFrame,
    folder: str | os.PathLike,
    *,
    decisions: pd.DataFrame | None = None,
    scans_root: str | os.PathLike | None = None,
    spacing_mm: float = 3.0,
    registration: str = "syn",
    template: str | os.PathLike | None = None,
    template_share: float = 0.1,
    min_coverage_mm: float = MIN_COVERAGE_MM,
    mask_labels: str | None = None,
    n_jobs: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """Turn every subject's scan into an HU volume on one grid, and say which need a look.

    Three passes, each parallel over subjects and each resumable: read and segment; make the
    template from a share of the subjects; register to it. A subject that fails is recorded with
    its reason and the cohort goes on. Running again computes only what is missing or has changed.

    Parameters
    ----------
    cohort : DataFrame
        ``subject_id`` and ``scan`` (DICOM folder or file, or NIfTI), one row per subject. Optional:
        ``lung_mask`` (NIfTI; see ``mask_labels``) instead of our segmentation, ``series_number``
        where a person chose among series, ``study`` (its number by date) where the folder holds
        several studies of the patient.
    folder : path
        Receives ``scans/<subject>/``, ``template.nii.gz`` and ``qc/`` (a picture per subject and
        ``index.html``).
    decisions : DataFrame or None
        What a person decided: ``subject_id``, ``decision`` (accept, reject or series),
        ``series_number``, and optional ``note``, ``reason`` (what had been found then) and
        ``image_id`` (which image was looked at). Who is rejected is read and not registered; where
        another image or something else is found than was accepted, it is to be reviewed again.
    scans_root : path or None
        What relative paths start from; None is the working folder.
    spacing_mm : float
        Voxel side of the grid.
    registration : {"syn", "affine", "none"}
        "none": the scans already lie on one common grid; they are checked and taken as they are.
    template : path or None
        Lung labels (NIfTI, 1 right and 2 left) to register to; None makes them from this cohort.
        With ``registration="none"``: the grid's lung mask; None takes the majority of the
        segmentations.
    template_share : float
        Share of the subjects the template is made from, at least three where there are so many.
    min_coverage_mm : float
        Scans with less extent from feet to head do not hold whole lungs and are excluded.
    mask_labels : {"lungs", "lungmask-lobes", "totalsegmentator", "totalsegmentator-v1", "binary"}
        What the labels of lung masks mean; None tells it by the labels and where they lie.
    n_jobs : int or None
        Processes; None is one, or what ``joblib.parallel_config`` says (a Dask cluster, say).
    seed : int
        Of the template's sample and of ANTs.
    progress : bool

    Returns
    -------
    DataFrame
        One row per subject, in the cohort's order: ``subject_id``, ``status`` (ok, review or
        excluded), ``reason`` (every reason, in plain words, a person's first), ``decision`` and
        ``series_number`` (a person's), acquisition facts, ``lung_mask`` (what a mask from
        elsewhere was taken for), ``right_ml``, ``left_ml``, ``mean_lung_hu``,
        ``right_missing_ml``, ``left_missing_ml`` and ``pleural_air_ml`` (of the scan itself, see
        :func:`lung_qc`), ``dice`` (with the template, after registration), ``filled_fraction``
        (how much of the template's lungs lies outside the scan's own, and shows these mirrored),
        ``in_template``, ``series`` (why this one), ``other_series`` (what else could be taken),
        ``image_id`` (a digest of the image that was read), ``seconds``.

    Raises
    ------
    ValueError
        If the cohort table lacks a column or names a subject twice; if a decision is about nobody
        in the cohort; for a bad argument; for ready-made scans on different grids (all are named).
    OSError
        If the folder cannot be written; finished subjects are kept.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clamlab.volumes import save_nifti
    >>> folder = Path(tempfile.mkdtemp())
    >>> affine = np.diag([7.0, 7, 7, 1])
    >>> chest = np.full((48, 32, 40), 40, "int16")
    >>> x, y, z = np.indices(chest.shape)
    >>> for side in (12, 35):
    ...     chest[((x - side) / 9) ** 2 + ((y - 16) / 11) ** 2 + ((z - 20) / 18) ** 2 < 1] = -850
    >>> chest[:, 30:] = -1000
    >>> chest += np.random.default_rng(0).normal(0, 20, chest.shape).astype("int16")
    >>> for name in ("S-1", "S-2"):
    ...     path = save_nifti(folder / f"{name}.nii.gz", chest, affine)
    >>> cohort = pd.DataFrame({"subject_id": ["S-1", "S-2"], "scan": ["S-1.nii.gz", "S-3.nii.gz"]})
    >>> qc = ingest_cohort(cohort, folder / "out", scans_root=folder, spacing_mm=7,
    ...                    registration="affine", progress=False)
    >>> qc["status"].tolist()
    ['ok', 'excluded']
    """
    settings = Settings(
        spacing_mm=float(spacing_mm),
        registration=registration,
        min_coverage_mm=float(min_coverage_mm),
        seed=int(seed),
        segment=not (registration == "none" and template),
        mask_labels=mask_labels,
    )
    folder, root = Path(folder), Path(scans_root or ".")
    check_arguments(settings, template_share)
    decided = decisions_by_subject(decisions, subject_names(cohort))
    cohort = with_series(cohort, decided)
    refused = refused_subjects(cohort, root)
    subjects = cohort_subjects(cohort, folder, root, refused=refused)
    with writing(folder):
        (folder / "qc").mkdir(parents=True, exist_ok=True)

    def each(step: Callable, chosen: Iterable[Subject], name: str, *arguments: Any) -> list[dict]:
        listed = tqdm(list(chosen), desc=name, unit="scan", disable=not progress)
        steps = (delayed(ending_with)(os.getpid(), step, one, *arguments) for one in listed)
        return Parallel(n_jobs=n_jobs)(steps)

    read = each(prepare, subjects, "read and segment", settings)
    readable = [s for s, record in zip(subjects, read, strict=True) if record["status"] == "done"]
    usable = [s for s in readable if not is_rejected(decided, s.subject_id)]
    records = {name: failure(why) for name, why in refused.items()}
    records |= {s.subject_id: record for s, record in zip(subjects, read, strict=True)}
    odd = [s for s in subjects if may_have_series(s, records[s.subject_id])]
    listed = each(list_series, odd, "list series")
    found = Found(records, series={s.subject_id: r for s, r in zip(odd, listed, strict=True)})
    if usable:
        if registration == "none":
            lungs = common_grid(folder, usable, records, template)
        elif template:
            lungs = given_template(folder, Path(template), settings)
        else:
            chosen = draw_sample(readable, records, template_share, seed, decided=decided)
            found.sample = [s.subject_id for s in chosen]
            lungs = own_template(folder, chosen, records, settings, n_jobs, progress)
        aligned = each(align, usable, "register", settings, lungs)
        found.registered = {s.subject_id: r for s, r in zip(usable, aligned, strict=True)}
    qc = qc_table(subject_names(cohort), found, decided)
    write_index(qc, folder / "qc")
    return qc


def stack(qc: pd.DataFrame, folder: str | os.PathLike, out: NDArray) -> NDArray:
    """Copy the registered volumes into an array, row by row, one in memory at a time.

    Parameters
    ----------
    qc : DataFrame
        From :func:`ingest_cohort`; excluded subjects have no row in ``out``.
    folder : path
        The folder it was made in.
    out : array of int16, shape (n_used, *grid)
        Usually a memory map that the caller has opened for writing.

    Returns
    -------
    array
        ``out``; row i is the i-th subject of ``qc`` that is not excluded.

    Raises
    ------
    ValueError
        If ``out`` has another shape than the volumes.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clamlab.volumes import save_nifti
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, hu in (("S-1", -850), ("S-3", -790)):
    ...     (folder / "scans" / name).mkdir(parents=True)
    ...     volume = np.full((2, 2, 2), hu, "int16")
    ...     _ = save_nifti(folder / "scans" / name / "registered.nii.gz", volume, np.eye(4))
    >>> qc = pd.DataFrame({"subject_id": ["S-1", "S-2", "S-3"], "status": ["ok", "excluded", "ok"]})
    >>> stack(qc, folder, np.zeros((2, 2, 2, 2), "int16"))[:, 0, 0, 0].tolist()
    [-850, -790]
    """
    used = qc.loc[qc["status"] != "excluded", "subject_id"]
    if len(out) != len(used):
        raise ValueError(f"expected room for {len(used)} volumes, found {len(out)} rows")
    for row, subject in enumerate(used):
        volume, _ = load_nifti(subject_folder(Path(folder), str(subject)) / "registered.nii.gz")
        if volume.shape != out.shape[1:]:
            raise ValueError(
                f"{subject}: expected a volume of {out.shape[1:]}, found {volume.shape}"
            )
        out[row] = volume
    return out


def check_arguments(settings: Settings, template_share: float) -> None:
    """Raise ValueError for settings that no subject could be ingested with."""
    if settings.registration not in KINDS:
        raise ValueError(
            f"registration must be one of {', '.join(KINDS)}, found {settings.registration!r}"
        )
    if settings.mask_labels not in (None, *MASK_LABELS):
        raise ValueError(
            f"mask_labels must be one of {', '.join(MASK_LABELS)}, found {settings.mask_labels!r}"
        )
    if not settings.spacing_mm > 0:
        raise ValueError(f"spacing_mm must be positive, found {settings.spacing_mm}")
    if not 0 < template_share <= 1:
        raise ValueError(f"template_share must be above 0 and at most 1, found {template_share}")
