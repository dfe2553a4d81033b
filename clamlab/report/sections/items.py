"""Which items of the reporting guidelines this study can fill, and where; the rest by name."""

from collections.abc import Mapping, Sequence

import pandas as pd

from clamlab.report.blocks import Block, Note, Sentence, Table
from clamlab.report.composing import Part
from clamlab.report.guidelines import AUTHORS, CLAIM, TRIPOD, Item
from clamlab.report.references import cite

_PARTS = {"made": "", "partial": " (in part)", "stale": " (stale)"}


def items(parts: Sequence[Part]) -> list[Block]:
    """Hold both checklists against the sections that were made.

    Parameters
    ----------
    parts : sequence of Part
        All other sections of the report.

    Returns
    -------
    list of Block
    """
    by_key = {part.section.key: part for part in parts}
    claim, tripod = _filled(CLAIM, by_key), _filled(TRIPOD, by_key)
    both = [_count(table) for table in (claim, tripod)]
    return [
        Sentence(
            f"The study says something of {both[0]} of {len(claim)} items of CLAIM, 2024 update "
            f"{cite('tejani2024')}, and of {both[1]} of {len(tripod)} of TRIPOD+AI "
            f"{cite('collins2024')}; "
            "read what it says and complete it. The others are the authors' to write."
        ),
        Table("Items of CLAIM (2024 update).", claim, wordy=True),
        Table("Items of TRIPOD+AI.", tripod, wordy=True),
        Note(
            "Items in our own words, to be found by their number. TRIPOD+AI is made for prediction "
            "models: where clusters are no prediction, an item may not apply."
        ),
    ]


def _filled(rows: Sequence[Item], parts: Mapping[str, Part]) -> pd.DataFrame:
    told = [[number, asked, _where(key, parts)] for number, asked, key in rows]
    return pd.DataFrame(told, columns=["Item", "Asks for", "Where"])


def _where(key: str, parts: Mapping[str, Part]) -> str:
    part = parts.get(key)
    if part is None:
        return AUTHORS
    if part.state not in _PARTS:
        return f"{AUTHORS}: “{part.section.title}” could not be made"
    return f"“{part.section.title}”{_PARTS[part.state]}"


def _count(table: pd.DataFrame) -> int:
    return int((~table["Where"].str.startswith(AUTHORS)).sum())
