"""Who is in each cluster: the paper's Table 2."""

import pandas as pd

from clamlab.report.blocks import Block, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.report.words import listed
from clamlab.stats.disclosure import SMALLEST, mask_table_one
from clamlab.stats.disclosure.masking import MASKED, as_made
from clamlab.stats.tables import render_table_one, table_notes


def make(found: Found) -> list[Block]:
    """Print the table as notebook 08 made it; counts that are persons are masked."""
    whole = as_made(found.need("table_one"))
    tidy = whole if found.small_counts else mask_table_one(whole)
    cells, notes = render_table_one(tidy), table_notes(tidy)
    if not found.small_counts:
        gone = _emptied(render_table_one(whole), cells)
        notes = [*_without_masks(notes), *_told_masks(tidy), *gone]
    return [Table("Characteristics by cluster.", cells, notes)]


def _emptied(whole: pd.DataFrame, masked: pd.DataFrame) -> list[str]:
    """Say of which columns masking left nothing: an empty one looks as if nothing was there."""
    empty = [name for name in masked if masked[name].eq("").all() and whole[name].ne("").any()]
    return [f"{listed(empty)}: masked, since they would tell what is masked."] if empty else []


def _without_masks(notes: list[str]) -> list[str]:
    return [note for note in notes if MASKED not in note]


def _told_masks(tidy: pd.DataFrame) -> list[str]:
    """Say once what is masked, and of which characteristics."""
    own = tidy[tidy["note"].astype(str).str.contains(MASKED, regex=False)]
    names = listed(list(dict.fromkeys(own["title"])))
    where = f" Masked in: {names}." if names else ""
    return [
        f"Counts of one to {SMALLEST - 1} persons, and what would tell them, are masked; other "
        f"numbers beside them have three digits.{where}"
    ]


SECTION = Section("table_two", "Who is in each cluster", make, needs=("table_one",))
