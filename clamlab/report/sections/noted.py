"""What stands beside the numbers of the tables: why one is not there, or rests on less."""

from collections.abc import Iterable

import pandas as pd

from clamlab.report.found import Found, NotFoundError
from clamlab.report.sections.outcomes import told
from clamlab.stats.disclosure import mask_table_one
from clamlab.stats.disclosure.masking import MASKED, as_made
from clamlab.stats.disclosure.partitions import CUT

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
    """Split the notes of tables; one of a grouping or characteristic says of which."""
    notes: dict[str, None] = {}
    for table in tables:
        told = table.dropna(subset="note") if "note" in table else table.iloc[:0]
        of = told["title"] if {"baseline", "variable"} & {*told} else [""] * len(told)
        for title, cell in zip(of, told["note"], strict=True):
            own = [note.strip() for note in str(cell).split("; ")]
            kept = [note for note in own if note and note not in _OF_REPORT]
            notes |= dict.fromkeys(f"{title}: {note}" if title else note for note in kept)
    return list(notes)


def _table_one(found: Found) -> pd.DataFrame | None:
    tidy = found.get("table_one")
    if tidy is None or found.small_counts:
        return tidy
    return mask_table_one(as_made(tidy))


def _outcomes(found: Found) -> list[pd.DataFrame | None]:
    if found.hides_averages:
        return []
    try:
        return [*told(found), found.get("partitions_compared")]
    except NotFoundError:
        return [found.get("partitions_compared")]
