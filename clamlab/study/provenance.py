"""Where every file came from, and whether that is still so."""

import importlib.metadata
import platform
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.study.catalogue import ARTEFACTS, STAGES
from clamlab.study.files import Json, fingerprint, is_there, read_file

RECORD = "stage.json"
PACKAGES = (
    "clamlab",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "torch",
    "statsmodels",
    "antspyx",
)
SCHEMA_PREFIX = "schema:"
OUTSIDE_PREFIX = "outside:"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    return {
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
    }


def place_of(root: Path, key: str) -> Path:
    """Return where a recorded input or output lies."""
    if key.startswith(OUTSIDE_PREFIX):
        return root / key.removeprefix(OUTSIDE_PREFIX)  # an absolute path stays what it is
    if key.startswith(SCHEMA_PREFIX):
        return root / "schemas" / f"{key.removeprefix(SCHEMA_PREFIX)}.schema.json"
    return root / ARTEFACTS[key].stage / ARTEFACTS[key].file


def status_of(root: Path) -> pd.DataFrame:
    """Tell for each stage whether it is fresh, stale, partial or missing, and why.

    A stage is stale when an input has changed since, or when any stage it rests on is not fresh.
    """
    current = cache(lambda key: fingerprint(place_of(root, key)))
    rows: dict[str, Json] = {}
    for stage in STAGES:  # in order, so that upstream is known first
        state, why = _state(root, stage, current, rows)
        record = record_of(root, stage)
        rows[stage] = {"stage": stage, "status": state, "why": why, "finished": record.get("time")}
    return pd.DataFrame(rows.values())


def record_of(root: Path, stage: str) -> Json:
    """Return what a stage's ``stage.json`` says; nothing where it was not run."""
    path = root / stage / RECORD
    return read_file(path) if path.is_file() else {}


def _state(root: Path, stage: str, current: Any, upstream: dict[str, Json]) -> tuple[str, str]:
    record = record_of(root, stage)
    if not record:
        return "missing", "not run yet"
    required = [a for a in ARTEFACTS.values() if a.stage == stage and a.required]
    absent = [
        artefact.file
        for artefact in required
        if artefact.name not in record["outputs"] or not is_there(place_of(root, artefact.name))
    ]
    if absent:
        return "partial", f"without {', '.join(absent)}"
    for key, was in record["inputs"].items():
        if not is_there(place_of(root, key)):
            return "stale", f"{key} is gone"
        if current(key) != was:
            return "stale", f"{key} has changed since"
    for key in record["inputs"]:
        source = ARTEFACTS[key].stage if key in ARTEFACTS else None
        if source in upstream and upstream[source]["status"] != "fresh":
            return "stale", f"{source} is {upstream[source]['status']}"
    return "fresh", ""
