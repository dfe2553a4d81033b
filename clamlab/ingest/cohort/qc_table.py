"""One row per subject: what came of it, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from clamlab.ingest.cohort.decisions import Decision, judged

FACTS = (
    "format", "slices", "slices_left_out", "slices_filled", "resampled", "hu_difference",
    "thickness_mm", "spacing_mm", "coverage_mm", "kernel", "contrast", "manufacturer",
    "scanner_model", "kvp", "image_type", "lung_mask",
)  # fmt: skip
MEASURES = (
    "right_ml", "left_ml", "mean_lung_hu", "right_missing_ml", "left_missing_ml", "pleural_air_ml",
)  # fmt: skip
FAILED = ("failed", "unexpected")


@dataclass
class Found:
    """The records of the steps, by subject.

    Attributes
    ----------
    read : dict
        Of every subject.
    series : dict
        Of those among whose series a person may want to choose.
    registered : dict
        Of those that were registered.
    sample : list of str
        The subjects that the template was made from.
    """

    read: dict[str, dict]
    series: dict[str, dict]
    registered: dict[str, dict] = field(default_factory=dict)
    sample: list[str] = field(default_factory=list)


def qc_table(
    subjects: Sequence[str], found: Found, decided: Mapping[str, Decision]
) -> pd.DataFrame:
    """Tell for every subject, in their order, what was found, what was decided, and what holds."""
    twins = _twins(found.read)
    rows = [_row(name, found, twins.get(name, []), decided.get(name)) for name in subjects]
    counts = ("slices", "slices_left_out", "slices_filled", "series_number")
    measures = ("hu_difference", "dice", "filled_fraction")
    kinds = dict.fromkeys(counts, "Int64") | dict.fromkeys(measures, float)
    return pd.DataFrame(rows).astype(kinds)


def _twins(records: dict[str, dict]) -> dict[str, list[str]]:
    """Find subjects whose scans are the same image."""
    owners: dict[str, list[str]] = {}
    for subject, record in records.items():
        if record.get("pixels"):
            owners.setdefault(record["pixels"], []).append(subject)
    return {
        subject: [other for other in same if other != subject]
        for same in owners.values()
        if len(same) > 1
        for subject in same
    }


def _row(subject: str, found: Found, twins: list[str], decision: Decision | None) -> dict[str, Any]:
    read, fit = found.read[subject], found.registered.get(subject, {})
    failed = next((r for r in (read, fit) if r.get("status") in FAILED), None)
    reasons = [failed["reason"]] if failed else []
    reasons += read.get("flags", []) + fit.get("flags", [])
    if twins:
        reasons.append(f"the same image as {', '.join(twins)}")
    image_id = read.get("pixels")
    status, reasons = judged(reasons, decision, failed=failed is not None, image_id=image_id)
    facts, measures, log = read.get("facts", {}), read.get("measures", {}), read.get("log", [])
    taken = decision.series_number if decision else None
    return {
        "subject_id": subject,
        "status": status,
        "reason": "; ".join(reasons),
        "decision": decision.kind if decision else None,
        "series_number": taken,
        **{name: facts.get(name) for name in FACTS},
        **{name: measures.get(name) for name in MEASURES},
        "dice": fit.get("dice"),
        "filled_fraction": fit.get("filled_fraction"),
        "in_template": subject in found.sample,
        "series": "; ".join(log),
        "other_series": _others(found.series.get(subject, {}), log, taken),
        "image_id": image_id,
        "seconds": round(read["seconds"] + fit.get("seconds", 0.0), 2),
    }


def _others(known: dict[str, Any], log: list[str], taken: int | None) -> str:
    """Name the series that were not taken."""
    listed = known.get("series", [])
    if taken is not None:
        return "; ".join(series for series in listed if not series.startswith(f"series {taken} ("))
    if known.get("n_series", 0) < 2:
        return ""
    return "; ".join(series for series in listed if f"chose {series}" not in "".join(log[:1]))
