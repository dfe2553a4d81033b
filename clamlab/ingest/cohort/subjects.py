"""A subject, what decides its results, and the record that lets an interrupted cohort go on."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.cohort.files import DiskError, read_json, write_json, writing
from clamlab.ingest.errors import IngestError
from clamlab.paths import path_part, writable

STATE = "state.json"


@dataclass(frozen=True)
class Subject:
    """One row of the cohort as the steps need it."""

    subject_id: str
    scan: Path
    folder: Path
    lung_mask: Path | None = None
    series_number: int | None = None
    study: int | None = None


@dataclass(frozen=True)
class Settings:
    """What decides a subject's results besides its scan.

    ``segment`` is asked for unless ready-made volumes come with their mask; ``mask_labels`` says
    what the labels of lung masks from elsewhere mean.
    """

    spacing_mm: float
    registration: str
    min_coverage_mm: float
    seed: int
    segment: bool = True
    mask_labels: str | None = None


@dataclass(frozen=True)
class Template:
    """The study's lungs on the study's grid."""

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    key: str


def subject_folder(study: Path, subject_id: str) -> Path:
    """Return where a subject's files are."""
    return study / "scans" / path_part(subject_id)


def failure(reason: str) -> dict[str, Any]:
    """Return the record of a subject that cannot be used."""
    # A reason may quote a file's name, which need not be text.
    return {"status": "failed", "reason": writable(reason), "seconds": 0.0}


def recorded(
    subject: Subject, step: str, key: str, work: Callable[..., dict], *arguments: Any
) -> dict[str, Any]:
    """Do a step unless its record is there; a failure is recorded too, and the cohort goes on."""
    with writing(subject.folder):
        subject.folder.mkdir(parents=True, exist_ok=True)
    path = subject.folder / STATE
    state = read_json(path) | {"subject_id": subject.subject_id}
    old = state.get(step, {})
    kept = all((subject.folder / name).exists() for name in old.get("files", []))
    if old.get("key") == key and old.get("status") in ("done", "failed") and kept:
        return old
    if old:
        # Its files are about to change: a run that is killed on the way must not leave them under
        # the old record, for which another run with the old settings would take them.
        write_json(path, state | {step: {}})
    start = time.perf_counter()
    try:
        record = work(subject, *arguments) | {"status": "done"}
    except DiskError:
        raise
    except IngestError as error:
        record = failure(_without_places(str(error), subject))
    except Exception as error:  # one subject must not stop the others; it is tried again next time
        reason = _without_places(f"{type(error).__name__}: {error}", subject)
        record = failure(reason) | {"status": "unexpected"}
    record |= {"key": key, "seconds": round(time.perf_counter() - start, 2)}
    write_json(path, state | {step: record})
    return record


def _without_places(reason: str, subject: Subject) -> str:
    """Leave out where a subject's files lie: a reason is read, and passed on, by others."""
    places = {
        subject.scan: "its scan",
        subject.lung_mask: "its lung mask",
        subject.folder: "its folder",
    }
    for place, words in places.items():
        if place is not None and len(place.parts) > 1:
            reason = re.sub(rf"{re.escape(str(place))}/[^\s'\":;,]+", f"a file of {words}", reason)
            reason = reason.replace(str(place), words)
            # The name of a file alone may be a patient's too; that of a folder may be a number.
            reason = reason.replace(place.name, words) if place.suffix else reason
    return reason
