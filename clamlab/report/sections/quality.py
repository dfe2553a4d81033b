"""How good the scans are, and how they were made: counts, never a scan."""

import pandas as pd
from pandas.api.types import is_numeric_dtype

from clamlab.report.blocks import Block, Heading, Note, Sentence, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.reasons import count_kinds
from clamlab.report.words import capital, count_of, counted, counts, number
from clamlab.stats.disclosure import SMALLEST, mask_table_one
from clamlab.stats.disclosure.masking import as_made
from clamlab.stats.disclosure.nesting import hidden_scanner_rows
from clamlab.stats.disclosure.small_counts import is_small
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
_MOST_NAMES = SMALLEST - 1  # of a count that is told, five or more, so many names leave some open
_WITHOUT_COUNTS = (
    f"Without counts: a level is one to {SMALLEST - 1} scans, in all or in a cluster; as models "
    "nest in manufacturers, other counts would tell it. The first levels of the alphabet are "
    "named; numbers of which one is rare are not told."
)
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
    blocks += _findings(qc, small) + _measured(qc, small) + _made(found)
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


def _made(found: Found) -> list[Block]:
    """Print the facts level by level: with counts, or where one might be told, by name alone."""
    qc = found.need("qc")
    facts = scan_facts(qc[qc["status"] != "excluded"])
    names = [name for name in _MADE_WITH if name in facts]
    if not names:
        return [Note("How the scans were made is not recorded.")]
    levels = {name: facts[name].map(_level).value_counts() for name in names}
    few = any(is_small(n).any() for n in levels.values()) or _are_masked(found.get("table_one"))
    if found.small_counts or not few:
        rows = [row for name in names for row in _counted(_MADE_WITH[name], levels[name])]
        table = Table(
            "Acquisition.", pd.DataFrame(rows, columns=["", "Level", "Scans"]), wordy=True
        )
    else:
        numeric = {name for name in names if is_numeric_dtype(facts[name])}
        rows = [[_MADE_WITH[n], _named(levels[n], numeric=n in numeric)] for n in names]
        cells = pd.DataFrame(rows, columns=["", "Levels"])
        table = Table("Acquisition.", cells, [_WITHOUT_COUNTS], wordy=True)
    return [Heading("How the scans were made"), table]


def _are_masked(table_one: pd.DataFrame | None) -> bool:
    """Tell whether Table 2 masks a scanner: counts of the same scans would tell it."""
    if table_one is None:
        return False
    whole = as_made(table_one)
    return bool(hidden_scanner_rows(mask_table_one(whole), whole).any())


def _counted(title: str, levels: pd.Series) -> list[list[str]]:
    """Print one fact level by level; those beyond the most frequent are others."""
    kept = levels.head(_MOST_LEVELS)
    rest = int(levels.sum() - kept.sum())
    rows = [*kept.items(), *[("others", rest)] * bool(rest)]
    return [[title if i == 0 else "", level, str(n)] for i, (level, n) in enumerate(rows)]


def _named(levels: pd.Series, *, numeric: bool) -> str:
    """Name some levels, whose order and choice tell nothing of how frequent they are.

    A mean in Table 2 would tell how often a rare number occurs, so that is not named.
    """
    if numeric and is_small(levels).any():
        return "not told"
    names = sorted(levels.index)
    return ", ".join([*names[:_MOST_NAMES], *["others"] * (len(names) > _MOST_NAMES)])


def _level(value: object) -> str:
    if pd.isna(value) or value == "":
        return NOT_RECORDED
    return f"{value:g}" if isinstance(value, float) else str(value)


SECTION = Section("quality", "Quality of the scans", make, needs=("qc",))
