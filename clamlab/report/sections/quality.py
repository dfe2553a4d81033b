"""How good the scans are, and how they were made: counts, never a scan."""

import pandas as pd

from clamlab.report.blocks import Block, Heading, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.reasons import count_kinds
from clamlab.report.words import capital, count_of, counted, counts, number
from clamlab.stats.disclosure import SMALLEST
from clamlab.stats.tables.scan_facts import NOT_RECORDED, scan_facts

_STATUSES = {
    "ok": "passed the checks or were accepted",
    "review": "are marked for review",
    "excluded": "were left out",
}
_DECISIONS = {"accept": "accepted", "reject": "rejected", "series": "given another series"}
_MADE_WITH = {
    "manufacturer": "Manufacturer",
    "scanner_model": "Scanner",
    "kernel": "Kernel",
    "kvp": "Tube voltage (kVp)",
    "thickness_mm": "Slice thickness (mm)",
    "in_plane_mm": "Pixel size (mm)",
    "contrast": "Contrast agent",
}
_MOST_LEVELS = 8
_MEASURES = {
    "dice": ("Dice of the lungs with the template", 3),
    "filled_fraction": ("Share of the template's lungs that was filled", 3),
    "mean_lung_hu": ("Mean lung density (HU)", 0),
    "lung_ml": ("Lung volume (ml)", 0),
}


def make(found: Found) -> list[Block]:
    """Count what the checks found, what a person decided, and how scans were made."""
    qc, small = found.need("qc"), found.small_counts
    statuses = qc["status"].value_counts()
    told = counts([int(statuses.get(key, 0)) for key in _STATUSES], small=small)
    said = [f"Of the scans, {_in_words(told, _STATUSES)}", _decided(qc, small)]
    blocks: list[Block] = [Sentence(" ".join(said))]
    blocks += _findings(qc, small) + _measured(qc, small) + _made(qc, small)
    return blocks


def _decided(qc: pd.DataFrame, small: bool) -> str:
    """Count what a person decided; those without a decision are counted, and masked, with it."""
    column = (
        qc["decision"].astype(object).fillna("")
        if "decision" in qc
        else pd.Series("", index=qc.index)
    )
    decided = column[column != ""].value_counts()
    n, rest = int(decided.sum()), int((column == "").sum())
    if not n:
        return "No person has decided about a scan."
    *told, left = counts([*(int(decided.get(key, 0)) for key in _DECISIONS), rest], small=small)
    how_many = counted(n, "scan") if left == str(rest) else "some scans"
    return f"A person decided about {how_many}: {_in_words(told, _DECISIONS)}"


def _in_words(told: list[str], words: dict[str, str]) -> str:
    return f"{', '.join(f'{n} {word}' for n, word in zip(told, words.values(), strict=True))}."


def _findings(qc: pd.DataFrame, small: bool) -> list[Block]:
    used = qc.loc[qc["status"] != "excluded", "reason"]
    kinds = count_kinds(used)
    if kinds.empty:
        return [Sentence("The checks found nothing in the scans of the study.")]
    cells = pd.DataFrame(
        {
            "Finding": [capital(kind) for kind in kinds.index],
            "Scans": [count_of(n, len(used), small=small) for n in kinds],
        }
    )
    return [Table("Findings in the scans of the study; a scan may have several.", cells)]


def _measured(qc: pd.DataFrame, small: bool) -> list[Block]:
    """Describe what was measured, of ten scans or more: below that a quartile is somebody's."""
    used = qc[qc["status"] != "excluded"]
    if {"right_ml", "left_ml"} <= set(used):
        used = used.assign(lung_ml=used["right_ml"] + used["left_ml"])
    rows = []
    for name, (title, digits) in _MEASURES.items():
        column = used[name] if name in used else pd.Series(dtype=float)
        values = pd.to_numeric(column, errors="coerce").dropna()
        if len(values) >= 2 * SMALLEST:
            mean, sd = number(values.mean(), digits), number(values.std(), digits)
            n = count_of(len(values), len(used), small=small)
            rows.append([title, n, f"{mean} ({sd})"])
    if not rows:
        return []
    cells = pd.DataFrame(rows, columns=["", "Scans", "Mean (SD)"])
    return [Table("What was measured on the scans.", cells)]


def _made(qc: pd.DataFrame, small: bool) -> list[Block]:
    facts = scan_facts(qc[qc["status"] != "excluded"])
    rows = [row for name, title in _MADE_WITH.items() for row in _fact(facts, name, title, small)]
    if not rows:
        return [Note("How the scans were made is not recorded.")]
    cells = pd.DataFrame(rows, columns=["", "Level", "Scans"])
    notes = [] if small else [f"Levels of fewer than {SMALLEST} scans are put together as others."]
    return [Heading("How the scans were made"), Table("Acquisition.", cells, notes, wordy=True)]


def _fact(facts: pd.DataFrame, name: str, title: str, small: bool) -> list[list[str]]:
    """Print one fact level by level; rare levels are others, and few others are masked."""
    if name not in facts:
        return []
    levels = facts[name].map(_level).value_counts()
    least = 1 if small else SMALLEST
    kept = levels[levels >= least].head(_MOST_LEVELS)
    rest = int(levels.sum() - kept.sum())
    names, numbers = [*kept.index, *["others"] * bool(rest)], [*kept, *[rest] * bool(rest)]
    rows = list(zip(names, counts(numbers, small=small), strict=True))
    return [[title if i == 0 else "", *row] for i, row in enumerate(rows)]


def _level(value: object) -> str:
    if pd.isna(value) or value == "":
        return NOT_RECORDED
    return f"{value:g}" if isinstance(value, float) else str(value)


SECTION = Section("quality", "Quality of the scans", make, needs=("qc",))
