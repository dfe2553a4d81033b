"""All that a study's numbers rest on, in one file for a machine: data, programs, choices."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from clamlab.report.composing import count_states
from clamlab.report.found import Found
from clamlab.report.report import Report

FORMAT = 1
_SEED = "seed"


def manifest_of(
    found: Found,
    report: Report,
    *,
    files: Mapping[str, bytes],
    scans: bool = False,
    fingerprints: bool = True,
) -> dict[str, Any]:
    """Write down data, versions, machines, seeds, parameters and choices of a study.

    Parameters
    ----------
    found : Found
        What was read of the study.
    report : Report
        What was made of it.
    files : mapping of str to bytes
        The report's files, by name.
    scans : bool
        Whether the report shows single scans.
    fingerprints : bool
        Whether it holds the sha256 of the study's files. Whoever guesses a small file whole (who
        was excluded, a table before it was masked) could confirm the guess by it.

    Returns
    -------
    dict
        ``format``, ``study``, ``stages`` (parameters, seed, versions, machine, sha256 of inputs,
        outputs and the notebook's code), ``choices`` (who decided what) and ``report`` (how each
        section came out, sha256 of its files); as ``data_schemas/manifest.schema.json`` says. No
        date but those of the stages, no subject and no place of a machine: the same study gives
        the same manifest.

    Examples
    --------
    >>> import pandas as pd
    >>> from clamlab.report import report_of
    >>> stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    >>> found = Found("lungs", stages, {})
    >>> sorted(manifest_of(found, report_of(found), files={}))
    ['choices', 'format', 'report', 'stages', 'study']
    """
    states = found.stages.set_index("stage")
    return {
        "format": FORMAT,
        "study": {
            "name": found.name,
            "settings": dict(found.settings),
            "n_scans": None if found.get("scans") is None else len(found.get("scans")),
        },
        "stages": {
            str(stage): _stage(found, str(stage), row)
            | (_fingerprints(found, str(stage)) if fingerprints else {})
            for stage, row in states.iterrows()
        },
        "choices": {
            **_choices(found),
            "by_hand": found.get("by_hand") if fingerprints else None,
        },
        "report": {
            "small_counts": found.small_counts,
            "single_scans": scans,
            "counts": count_states(report.parts),
            "sections": [
                {
                    "key": part.section.key,
                    "title": part.section.title,
                    "state": part.state,
                    "why": part.why,
                }
                for part in report.parts
            ],
            "files": {name: sha256(data).hexdigest() for name, data in files.items()},
        },
    }


def _stage(found: Found, stage: str, row: Any) -> dict[str, Any]:
    record = found.records.get(stage)
    told = {"status": row["status"], "why": row["why"]}
    if record is None:
        return told
    parameters = dict(record.get("parameters", {}))
    return {
        **told,
        "finished": record.get("time"),
        "parameters": parameters,
        "seed": parameters.get(_SEED),
        "versions": record.get("versions", {}),
        "machine": record.get("machine"),
        "notebook": (found.get("notebooks") or {}).get(stage),
        "built_on_stale": record.get("built_on_stale", []),
    }


def _fingerprints(found: Found, stage: str) -> dict[str, Any]:
    """Return the hashes of what a stage read and wrote; none of one that left no record."""
    record = found.records.get(stage)
    if record is None:
        return {}
    timeless = found.get("without_times") or {}
    return {
        "inputs": _hashes(record.get("inputs", {})),
        "outputs": _hashes(record.get("outputs", {})),
        "without_times": {n: sha for n, sha in timeless.items() if found.stage_of.get(n) == stage},
    }


def _hashes(files: Mapping[str, Any]) -> dict[str, str]:
    return {name: was["sha256"] if isinstance(was, Mapping) else was for name, was in files.items()}


def _choices(found: Found) -> dict[str, Any]:
    """Say what people decided, and who; what they wrote beside it stays in the study."""
    choice = found.get("choice") or {}
    rule = choice.get("recommended") or {}
    return {
        "n_clusters": {
            "n_clusters": choice.get("n_clusters"),
            "decided_by": choice.get("decided_by"),
            "recommended": rule.get("n_clusters"),
            "answer": rule.get("answer"),
        }
        if choice
        else None,
        "decisions": found.get("decided"),
        "contract": found.get("contract"),
    }
