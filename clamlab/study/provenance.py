"""Where every file came from, and whether that is still so."""

import importlib.metadata
import json
import os
import platform
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab import cells
from clamlab.io import FileError
from clamlab.schema.reading.read import read_own
from clamlab.study.catalogue import ARTEFACTS, STAGES, Artefact, artefact_of, artefacts_of
from clamlab.study.errors import RecordError, StudyError
from clamlab.study.files import Json, is_there, read_file
from clamlab.study.fingerprints import Fingerprint, Place, fingerprint, sha_of, unchanged
from clamlab.study.measured import is_as_measured, is_sealed
from clamlab.study.publishing import RECORD, UNFINISHED, is_publishing

SETTINGS = "study.json"
# Those that numbers depend on, and those that write what a study holds to the last byte.
PACKAGES = (
    "clamlab", "numpy", "pandas", "scipy", "scikit-learn", "scikit-image", "numba",
    "torch", "lightning-fabric", "safetensors",
    "nibabel", "pydicom", "python-gdcm", "antspyx",
    "openpyxl", "xlrd", "pyreadstat",
    "statsmodels", "tableone", "matplotlib", "python-docx", "jinja2",
)  # fmt: skip
# What stands in study.json, where it stands there; a library's own words come of anything else.
KINDS: dict[str, tuple[type, ...]] = {
    "simulated": (bool,),
    "header": (int, type(None)),
    "withdrawing": (list,),
    **dict.fromkeys(("name", "participants", "scans", "id_column"), (str,)),
    **dict.fromkeys(
        ("path_column", "sheet", "visits", "match", "visit", "mask_labels", "withdrawn"),
        (str, type(None)),
    ),
}
KIND_NAMES = {
    bool: "true or false", int: "a whole number", list: "a list", str: "text", type(None): "null",
}  # fmt: skip
SCHEMA_PREFIX = "schema:"
OUTSIDE_PREFIX = "outside:"
SETTING_PREFIX = "setting:"
SCANS = OUTSIDE_PREFIX + "scans"
MASKS = OUTSIDE_PREFIX + "lung_mask"  # wherever the column of this name of the cohort says
SAMPLED = (SCANS, MASKS)  # images: all of them may take hours to read


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):  # numba may be missing
            found[package] = importlib.metadata.version(package)
    return found


def without_place(value: Any) -> Any:
    """Keep of a path on this machine its last part: records travel, and folders tell names."""
    if isinstance(value, str) and os.path.isabs(value):
        return Path(value).name
    return value


def place_of(root: Path, key: str) -> Path:
    """Return where a recorded input or output lies."""
    if key.startswith(OUTSIDE_PREFIX):
        return outside_place(root, key.removeprefix(OUTSIDE_PREFIX))
    if key.startswith(SCHEMA_PREFIX):
        return root / "schemas" / f"{key.removeprefix(SCHEMA_PREFIX)}.schema.json"
    return root / ARTEFACTS[key].stage / ARTEFACTS[key].file


def outside_place(root: Path, name: str) -> Path:
    """Return where ``study.json`` says that something outside the stages lies."""
    settings = settings_of(root)
    if not (settings.get(name) and isinstance(settings[name], str)):
        raise StudyError(
            f"{root / SETTINGS} names no {name!r}: expected a path there, relative to the study or "
            "absolute"
        )
    return root / settings[name]  # an absolute path stays what it is


def settings_of(root: Path) -> Json:
    """Return what ``study.json`` says.

    Raises
    ------
    StudyError
        If it is broken, or says something of another kind than it may.
    """
    advice = "put it back from a backup, or correct it"
    settings = _read(root / SETTINGS, advice)
    for name, kinds in KINDS.items():
        if name in settings and type(settings[name]) not in kinds:
            expected = " or ".join(KIND_NAMES[kind] for kind in kinds)
            why = f"expected {expected} for {name}, found {json.dumps(settings[name])[:40]}"
            raise _broken(root / SETTINGS, why, advice)
    return settings


def record_of(root: Path, stage: str) -> Json:
    """Return what a stage's ``stage.json`` says; nothing where it was not run.

    Raises
    ------
    RecordError
        If it is broken.
    """
    path, advice = root / stage / RECORD, f"move it away, and run notebook {stage[:2]} again"
    try:
        record = _read(path, advice)
        if record and not all(isinstance(record.get(key), dict) for key in ("inputs", "outputs")):
            raise _broken(path, "inputs and outputs are missing", advice)
    except StudyError as error:
        raise RecordError(str(error)) from error
    return record


def _read(path: Path, advice: str) -> Json:
    """Read what the study has written down about itself; a file that was broken is told."""
    if not os.path.lexists(path):
        return {}
    try:
        return read_file(path)
    except FileError as error:
        raise _broken(path, f"found {error.found}", advice) from error


def _broken(path: Path, why: str, advice: str) -> StudyError:
    return StudyError(f"{path} is not what clamlab wrote there ({why}): {advice}")


def status_of(root: Path, *, verify: bool = False) -> pd.DataFrame:
    """Tell how each stage stands, and why.

    Parameters
    ----------
    root : path
        The study's folder.
    verify : bool
        Read every file and compare it with its record; otherwise files whose size and time are as
        recorded are taken for what they were.

    Returns
    -------
    DataFrame
        One row per stage: ``stage``, ``status``, ``why``, ``finished`` (when).

        - "fresh": what lies there is what its notebook wrote, from what lies there now;
        - "stale": an input has changed since, or a stage it rests on is not fresh;
        - "altered": a file is not what the notebook wrote, or the stage's record is broken;
        - "partial": a file is missing, or a publication is under way;
        - "missing": not run yet, or never to its end.
    """
    rows: dict[str, Json] = {}
    for stage in STAGES:  # in order, so that upstream is known first
        try:
            state, why = _state(root, stage, rows, verify)
            finished = record_of(root, stage).get("time")
        except RecordError as error:
            state, why, finished = "altered", str(error), None
        rows[stage] = {"stage": stage, "status": state, "why": why, "finished": finished}
    return pd.DataFrame(rows.values())


def _state(root: Path, stage: str, upstream: dict[str, Json], verify: bool) -> tuple[str, str]:
    begun = (root / stage / UNFINISHED).exists()
    if is_publishing(root / stage):
        return "partial", "its files are being put in place just now"
    record = record_of(root, stage)
    if not record:
        left = f"its run did not come to its end; what it made is in {stage}/{UNFINISHED}"
        return "missing", left if begun else "not run yet"
    if not is_sealed(record):
        return "altered", f"what {RECORD} says of its run is not what the notebook wrote"
    own = artefacts_of(stage)
    absent = [a.file for a in own if a.required and not _stands(root, a, record)]
    if absent:
        return "partial", f"without {', '.join(absent)}"
    for artefact in own:
        was = record["outputs"].get(artefact.name)
        if was and (altered := _alteration(root, artefact, was, verify)) is not None:
            return "altered", altered
    for key, was in record["inputs"].items():
        if (change := _change(root, key, was, verify)) is not None:
            return "stale", change
    for key in record["inputs"]:
        # What a person keeps is there whether the notebook beside it was run or not.
        made = key in ARTEFACTS and not ARTEFACTS[key].by_hand
        source = ARTEFACTS[key].stage if made else None
        if source in upstream and upstream[source]["status"] != "fresh":
            return "stale", f"{source} is {upstream[source]['status']}"
    return "fresh", "a later run of it did not come to its end" if begun else ""


def _alteration(root: Path, artefact: Artefact, was: Fingerprint | str, verify: bool) -> str | None:
    """Say what in a file is not what the notebook wrote there; None where all is."""
    path, what = place_of(root, artefact.name), artefact.file
    if not artefact.personal:
        stands = unchanged(path, was, verify=verify)
    else:
        what = f"what was measured in {artefact.file} ({', '.join(artefact.measured)})"
        try:
            stands = is_as_measured(artefact, path, was)
        except FileError as error:
            return f"{artefact.file} cannot be read: found {error.found}"
    return None if stands else f"{what} is not what the notebook wrote"


def as_it_is(root: Path, key: str) -> Fingerprint:
    """Return what goes on record of an input, for :func:`still` to compare."""
    if key.startswith(SETTING_PREFIX):
        value = settings_of(root).get(key.removeprefix(SETTING_PREFIX))
        return {"sha256": sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}
    return fingerprint(_files(root, key), sampled=key in SAMPLED)


def outside_inputs(root: Path, name: str, stage: str) -> dict[str, Fingerprint]:
    """Return what goes on record of what lies outside; with scans, of the cohort's masks too."""
    own = OUTSIDE_PREFIX + name
    keys = [own, MASKS] if own == SCANS and stage > artefact_of("cohort").stage else [own]
    return {key: as_it_is(root, key) for key in keys}


def still(root: Path, key: str, was: Fingerprint | str, *, verify: bool = False) -> bool:
    """Tell whether a recorded input is what it was."""
    if key.startswith(SETTING_PREFIX):
        return sha_of(was) == as_it_is(root, key)["sha256"]
    return unchanged(_files(root, key), was, sampled=key in SAMPLED, verify=verify)


def _files(root: Path, key: str) -> Place:
    return _masks(root) if key == MASKS else place_of(root, key)


def _masks(root: Path) -> dict[str, Path]:
    """Find the lung masks that the cohort names, as ingestion does, by what the cohort says."""
    cohort, start = place_of(root, "cohort"), outside_place(root, "scans")
    table = cells.unguarded(read_own(cohort)) if cohort.is_file() else pd.DataFrame()
    given = table["lung_mask"].dropna() if "lung_mask" in table else ()
    return {name: start / name for name in map(str, given)}


def _stands(root: Path, artefact: Artefact, record: Json) -> bool:
    return artefact.name in record["outputs"] and is_there(place_of(root, artefact.name))


def _change(root: Path, key: str, was: Fingerprint | str, verify: bool) -> str | None:
    """Say what has become of an input; None where it is what it was."""
    outside = key.startswith(OUTSIDE_PREFIX)
    name = key.removeprefix(OUTSIDE_PREFIX)
    if outside and key != MASKS and name not in settings_of(root):
        return f"{name} was at a place that study.json does not name: run it again"
    if still(root, key, was, verify=verify):  # also what was not there, and is not
        return None
    if key.startswith(SETTING_PREFIX):
        return f"{key.removeprefix(SETTING_PREFIX)} in {SETTINGS} has changed since"
    if key != MASKS and not is_there(place_of(root, key)):
        moved = f"; moved? write its new place into {SETTINGS}" if outside else ""
        return f"{name} is gone{moved}"
    return f"{name} has changed since"
