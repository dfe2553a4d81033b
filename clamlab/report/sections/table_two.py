"""Who is in each cluster: the paper's Table 2."""

from clamlab.report.blocks import Block, Table
from clamlab.report.composing import Section
from clamlab.report.found import Found
from clamlab.stats.disclosure import SMALLEST, mask_table_one
from clamlab.stats.disclosure.masking import as_made
from clamlab.stats.tables import render_table_one, table_notes


def make(found: Found) -> list[Block]:
    """Print the table as notebook 08 made it; counts that are persons are masked."""
    tidy = as_made(found.need("table_one"))
    notes = []
    if not found.small_counts:
        tidy = mask_table_one(tidy)
        notes = [
            f"Masked: counts of one to {SMALLEST - 1} persons and what would tell them; numbers "
            "have three digits."
        ]
    return [
        Table("Characteristics by cluster.", render_table_one(tidy), [*table_notes(tidy), *notes])
    ]


SECTION = Section("table_two", "Who is in each cluster", make, needs=("table_one",))
