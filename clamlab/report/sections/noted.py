"""What stands beside the numbers of the tables: why one is not there, or rests on less."""

from collections.abc import Iterable

import pandas as pd

from clamlab.report.found import Found, NotFoundError
from clamlab.report.sections.outcomes import hidden, told
from clamlab.report.words import listed
from clamlab.stats.disclosure import mask_table_one
from clamlab.stats.disclosure.masking import MASKED, as_made
from clamlab.stats.disclosure.partitions import CUT

FEW_NAMES = 4
_OF_REPORT = (MASKED, CUT)  # said where it is done


def notes_of(found: Found) -> list[str]:
    """List the notes of all tables, each once by stage, as far as they may be shown."""
    tables = {
        "05_clusters": [found.get("agreement")],
        "08_table_one": [_table_one(found)],
        "09_associations": _outcomes(found),
    }
    return [
        f"{stage}: {note}."
        for stage, own in tables.items()
        for note in _notes(table for table in own if table is not None)
    ]


def _notes(tables: Iterable[pd.DataFrame]) -> list[str]:
    """Split the notes of tables; one that not all rows have says of which it is."""
    notes: dict[str, None] = {}
    for table in tables:
        if "note" not in table:
            continue
        cells = table.assign(own=table["note"].fillna("").astype(str).str.split("; "))
        cells = cells.explode("own").assign(own=lambda t: t["own"].str.strip())
        cells = cells[~cells["own"].isin(["", *_OF_REPORT])]
        for note, rows in cells.groupby("own", sort=False):
            notes[f"{_of(table, rows)}{note}"] = None
    return list(notes)


def _of(table: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Name the outcomes, or ways to group, that a note is of, unless it is of all."""
    names = [name for name in ("partition", "title") if name in table]
    of_one = {"baseline", "variable"} & {*table}
    parts = []
    for name in names:
        own, n = list(dict.fromkeys(rows[name])), table[name].nunique()
        if of_one or len(own) < n:
            parts.append(listed(own) if len(own) <= FEW_NAMES else f"{len(own)} of {n}")
    return "".join(f"{part}: " for part in parts)


def _table_one(found: Found) -> pd.DataFrame | None:
    tidy = found.get("table_one")
    if tidy is None or found.small_counts:
        return tidy
    return mask_table_one(as_made(tidy))


def _outcomes(found: Found) -> list[pd.DataFrame | None]:
    if hidden(found):
        return []
    try:
        return [*told(found), found.get("partitions_compared")]
    except NotFoundError:
        return [found.get("partitions_compared")]
