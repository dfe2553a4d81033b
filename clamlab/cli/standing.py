"""Stages that no longer stand: found and told in one way, whoever asks."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.io import FileError, read_json
from clamlab.study import ARTEFACTS, Study, StudyError
from clamlab.study.catalogue import REPORT, STAGES, artefacts_of
from clamlab.study.errors import RecordError
from clamlab.study.files import is_there
from clamlab.study.fingerprints import fingerprint, unchanged
from clamlab.study.provenance import record_of, still
from clamlab.study.withdrawal.remembering import WITHDRAWN

MANIFEST = REPORT[-1]
DECIDED = ("decisions", "choice")  # what a person decides that a report tells of
UNSOUND = ("stale", "altered", "partial")
EXPLORED = ("explored_tables", "explored_outcomes")
LARGE = (".npy", ".safetensors")  # never exported


def unsound(states: pd.DataFrame) -> pd.DataFrame:
    """Pick the stages that were made and no longer stand, of those that ``status`` told."""
    return states[states["status"].isin(UNSOUND)]


def listed(states: pd.DataFrame) -> str:
    """Say of each stage how it is, and why."""
    return "\n".join(f"  {row.stage} is {row.status}: {row.why}" for row in states.itertuples())


def allowing(states: pd.DataFrame) -> str:
    """Write the option that allows stages by name."""
    return f"--stale {','.join(states['stage'].str[:2])}"


def explored(study: Study) -> list[str]:
    """Say where tables and figures are kept that somebody has looked for, and how many."""
    said = []
    for name in EXPLORED:
        place = study.path(name)
        kept = sorted(p for p in place.iterdir() if p.is_dir()) if place.is_dir() else []
        if kept:
            where = place.relative_to(study.root).as_posix()
            said.append(f"{where}: {len(kept)} kept by a person, exploratory; never made again")
    return said


def older_report(study: Study) -> list[str]:
    """Say of which stages and decisions the report tells otherwise than they are now."""
    path = study.root / MANIFEST
    if not path.is_file():
        return []
    try:
        told = read_json(path, expected="what clamlab report wrote")
        stages, by_hand = told["stages"], told["choices"]["by_hand"] or {}
        other = [stage for stage in STAGES if _hashes(study, stage) != _told(stages, stage)]
        other += [
            f"{ARTEFACTS[name].stage}/{ARTEFACTS[name].file}"
            for name in DECIDED
            if _hash_of(study.path(name)) != by_hand.get(name)
        ]
    except (FileError, KeyError, TypeError, AttributeError):
        return [f"{MANIFEST} cannot be read: run 'clamlab report {study.root}'"]
    if not other:
        return []
    return [
        f"{MANIFEST.rpartition('/')[0]}/ tells of an earlier state of {', '.join(other)}: run "
        f"'clamlab report {study.root}'"
    ]


def _hashes(study: Study, stage: str) -> dict[str, str] | None:
    try:
        outputs = record_of(study.root, stage).get("outputs", {})
    except RecordError:
        return None  # damaged since
    return {name: was if isinstance(was, str) else was["sha256"] for name, was in outputs.items()}


def _told(stages: Mapping[str, Any], stage: str) -> dict[str, str]:
    return dict(stages.get(stage, {}).get("outputs", {}))


def _hash_of(path: Path) -> str | None:
    return fingerprint(path)["sha256"] if is_there(path) else None


def changed_since(study: Study, stage: str, names: Iterable[str]) -> list[str]:
    """Name those of some inputs of a stage that are not what they were when it was run."""
    inputs = record_of(study.root, stage).get("inputs", {})
    return [n for n in names if n in inputs and not still(study.root, n, inputs[n], verify=True)]


def check_standing(study: Study, states: pd.DataFrame) -> None:
    """Refuse to hand on what no longer stands, or is not what a notebook wrote.

    Raises
    ------
    StudyError
        If a stage is not fresh and not allowed by name, or at all once subjects have withdrawn; if
        a file has another content than its notebook gave it, whatever its time says.
    """
    odd = unsound(states)
    refused = odd[~odd["stage"].str[:2].isin(study.allowed_stale)]
    if len(refused):
        raise StudyError(
            f"an export would hold what is no longer so:\n{listed(refused)}\nRun them again, or "
            f"allow it by name ({allowing(refused)})"
        )
    if len(odd) and study.settings.get(WITHDRAWN):
        raise StudyError(
            f"subjects have withdrawn from the study, and this may rest on them:\n{listed(odd)}\n"
            "Run them again"
        )
    fresh = states.loc[states["status"] == "fresh", "stage"]
    if altered := [file for stage in fresh for file in _altered(study, stage)]:
        raise StudyError(
            "what a notebook wrote has changed since, although size and time are the same: "
            f"{', '.join(altered)}. Run it again"
        )


def _altered(study: Study, stage: str) -> list[str]:
    outputs = record_of(study.root, stage)["outputs"]
    kept = [a for a in artefacts_of(stage) if not (a.personal or a.resumed)]
    small = [a for a in kept if a.name in outputs and not a.file.endswith(LARGE)]
    changed = (a for a in small if not unchanged(study.path(a.name), outputs[a.name], verify=True))
    return [f"{stage}/{artefact.file}" for artefact in changed]
