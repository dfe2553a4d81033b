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
    tidy = as_made(found.need("table_one"))
    notes = table_notes(tidy)
    if not found.small_counts:
        tidy = mask_table_one(tidy)
        notes = [*_without_masks(table_notes(tidy)), *_told_masks(tidy)]
    return [Table("Characteristics by cluster.", render_table_one(tidy), notes)]


def _without_masks(notes: list[str]) -> list[str]:
    return [note for note in notes if MASKED not in note]


def _told_masks(tidy: pd.DataFrame) -> list[str]:
    """Say once what is masked, and of which characteristics."""
    own = tidy[tidy["note"].astype(str).str.contains(MASKED, regex=False)]
    names = listed(list(dict.fromkeys(own["title"])))
    where = f" Masked in: {names}." if names else ""
    return [
        f"Counts of one to {SMALLEST - 1} persons, and what would tell them, are masked; numbers "
        f"have three digits.{where}"
    ]


SECTION = Section("table_two", "Who is in each cluster", make, needs=("table_one",))
