"""The template of a cohort: drawn from it, given, or the grid that ready-made volumes share."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clamlab.ingest.alignment.template import build_template, template_grid
from clamlab.ingest.alignment.transforms import LEFT, RIGHT, split
from clamlab.ingest.cohort.decisions import Decision, is_rejected
from clamlab.ingest.cohort.files import fingerprint, read_json, write_json, writing
from clamlab.ingest.cohort.subjects import Settings, Subject, Template
from clamlab.ingest.errors import IngestError
from clamlab.volumes import load_nifti, save_nifti

LEAST_SAMPLE = 3


def draw_sample(
    readable: list[Subject],
    records: dict[str, dict],
    share: float,
    seed: int,
    *,
    decided: Mapping[str, Decision],
) -> list[Subject]:
    """Draw the template's subjects, from those whose lungs look ordinary where there are enough.

    Decisions leave the draw as it is as long as it meets nobody who is rejected: with another
    template all would have to be registered anew.
    """
    plain = [
        s for s in readable if not records[s.subject_id]["flags"] and not _has_series(s, decided)
    ]
    drawn = _draw(readable, plain, share, seed)
    if not any(is_rejected(decided, s.subject_id) for s in drawn):
        return drawn
    readable, plain = (
        [s for s in some if not is_rejected(decided, s.subject_id)] for some in (readable, plain)
    )
    return _draw(readable, plain, share, seed)


def _has_series(subject: Subject, decided: Mapping[str, Decision]) -> bool:
    known = decided.get(subject.subject_id)
    return known is not None and known.series_number is not None


def _draw(usable: list[Subject], plain: list[Subject], share: float, seed: int) -> list[Subject]:
    pool = plain if len(plain) >= min(LEAST_SAMPLE, len(usable)) else usable
    size = min(len(pool), max(LEAST_SAMPLE, round(share * len(usable))))
    rows = np.random.default_rng(seed).choice(len(pool), size, replace=False)
    return [pool[row] for row in sorted(rows)]


def own_template(
    folder: Path,
    sample: list[Subject],
    records: dict[str, dict],
    settings: Settings,
    n_jobs: int | None,
    progress: bool,
) -> Template:
    """Make the template, or go on making it after an interruption."""
    inputs = [(s.subject_id, records[s.subject_id]["key"]) for s in sample]
    key = fingerprint(inputs, settings.spacing_mm, settings.registration, settings.seed)
    state, half_done = folder / "template.json", folder / ".template-so-far.nii.gz"
    known = read_json(state)
    finished = known.get("next") == "done"
    found = _stored(folder / "template.nii.gz" if finished else half_done, known, key)
    if found and finished:
        return Template(*found, key)
    start = (*found, known["next"]) if found else None
    bar = tqdm(desc="template", unit="iteration", disable=not progress)

    def keep(labels: NDArray, affine: NDArray, following: str) -> None:
        bar.update()
        with writing(folder):
            save_nifti(half_done, labels, affine)
        # "done" is only true once the template itself is written.
        if following != "done":
            content = _label_key(labels, affine)
            write_json(state, {"key": key, "next": following, "content": content})

    loaded = [load_nifti(s.folder / "lungs.nii.gz") for s in sample]
    labels, affine = build_template(
        [mask for mask, _ in loaded],
        [own for _, own in loaded],
        spacing_mm=settings.spacing_mm,
        kind=settings.registration,
        n_jobs=n_jobs,
        seed=settings.seed,
        start=start,
        checkpoint=keep,
    )
    bar.close()
    return _keep_template(folder, labels, affine, key, [s.subject_id for s in sample])


def _stored(path: Path, known: dict, key: str) -> tuple[NDArray, NDArray] | None:
    """Load a template only if it is the one its record was written for."""
    if known.get("key") != key or not path.exists():
        return None
    labels, affine = load_nifti(path)
    return (labels, affine) if _label_key(labels, affine) == known["content"] else None


def given_template(folder: Path, path: Path, settings: Settings) -> Template:
    """Lay the study's grid around the user's template.

    Raises
    ------
    ValueError
        If there is no such file, or it does not hold both lungs.
    """
    if not path.exists():
        raise ValueError(f"expected a template at {path}, found nothing")
    try:
        labels, affine = template_grid(*load_nifti(path), spacing_mm=settings.spacing_mm)
    except IngestError as error:
        raise IngestError(f"{path.name}: {error}") from None
    return _keep_template(folder, labels, affine, _label_key(labels, affine), [])


def _label_key(labels: NDArray, affine: NDArray) -> str:
    return fingerprint(labels.tobytes().hex(), affine.round(4).tolist())


def _keep_template(
    folder: Path, labels: NDArray, affine: NDArray, key: str, sample: list[str]
) -> Template:
    with writing(folder):
        save_nifti(folder / "template.nii.gz", labels, affine)
        (folder / ".template-so-far.nii.gz").unlink(missing_ok=True)
    write_json(
        folder / "template.json",
        {
            "key": key,
            "next": "done",
            "content": _label_key(labels, affine),
            "made_from": sample,
            "shape": list(labels.shape),
            "affine": affine.tolist(),
            "orientation": "RAS+",
        },
    )
    return Template(labels, affine, key)


def common_grid(
    folder: Path, usable: list[Subject], records: dict[str, dict], mask: str | os.PathLike | None
) -> Template:
    """Take the grid the ready-made volumes share; name those that do not share it."""
    grids = {s.subject_id: records[s.subject_id] for s in usable}
    if mask:
        labels, affine = load_nifti(mask)
    else:
        first = grids[usable[0].subject_id]
        labels, affine = np.zeros(first["shape"], "uint8"), np.array(first["affine"])
    odd = [
        f"{subject} {tuple(record['shape'])}"
        for subject, record in grids.items()
        if tuple(record["shape"]) != labels.shape
        or not np.allclose(record["affine"], affine, atol=1e-2)
    ]
    if odd:
        raise IngestError(
            "ready-made scans must lie on one grid: expected shape "
            f"{labels.shape} and the affine {affine.round(3).tolist()}, found another shape or "
            f"affine in {', '.join(odd[:10])}{' and more' * (len(odd) > 10)}; register them "
            "(registration='syn' or 'affine') or give scans of one grid"
        )
    if not mask:
        labels = _majority(usable, labels.shape)
    if not labels.any():
        raise IngestError("no lungs were found in the ready-made scans; give template=, their mask")
    labels = labels.astype("uint8")
    return _keep_template(folder, labels, affine, _label_key(labels, affine), [])


def _majority(usable: list[Subject], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    shares = np.zeros((2, *shape))
    for subject in usable:
        labels, _ = load_nifti(subject.folder / "lungs.nii.gz")
        shares += [labels == RIGHT, labels == LEFT]
    return split(*(shares / len(usable)))
