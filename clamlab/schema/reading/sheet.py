"""The cells of a file as they stand, before anyone has said which of them are the table."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pandas as pd

SHOWN = 5
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\xad"))
_LITERAL = re.compile(r'"[^"]*"|\\.')
_MOST_CELLS = 20_000_000
_MOST_BLANK = 200_000
_BLANKS = 10  # for each cell that stands in the file: a sparse table


@dataclass
class Sheet:
    """One sheet: its cells and what else is known of them.

    Rows and columns are numbered from 1, as spreadsheets show them; blank ones are left out.
    ``cells`` holds None where a cell is blank. ``merged``, ``blank_formulas``,
    ``never_calculated`` and ``percents`` (shown as 45 %, kept as 0.45) pair the rows that are meant
    with the place ("B5"). ``levels`` are the
    labels of a statistics program by column, in their order, ``labels`` its titles of columns.
    """

    name: str
    cells: pd.DataFrame
    hidden: bool = False
    said: list[str] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    merged: list[tuple[range, str]] = field(default_factory=list)
    never_calculated: list[tuple[int, str]] = field(default_factory=list)
    blank_formulas: list[tuple[int, str]] = field(default_factory=list)
    percents: list[tuple[int, str]] = field(default_factory=list)
    levels: dict[str, list] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    commas_separate: bool = False

    @classmethod
    def of_rows(cls, name: str, rows: Iterable[tuple[int, Sequence[Any]]], **known: Any) -> "Sheet":
        """Make a sheet from its rows and their numbers; they may be of any lengths."""
        cleaned = {number: [_stripped(cell) for cell in row] for number, row in rows}
        width = max(map(len, cleaned.values()), default=0)
        padded = [row + [None] * (width - len(row)) for row in cleaned.values()]
        cells = pd.DataFrame(padded, index=list(cleaned), columns=range(1, width + 1), dtype=object)
        cells = cells.astype(object).where(cells.notna(), None)
        filled = cells.notna()
        return cls(name, cells.loc[filled.any(axis=1), filled.any(axis=0)], **known)


def _stripped(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.translate(_INVISIBLE).strip() or None
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time().isoformat() != "00:00:00" else f"{cell:%Y-%m-%d}"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int | float):
        return None if cell != cell else cell
    return None if cell is None or cell is pd.NaT else str(cell).strip() or None


def is_endless(cells: int, standing: int) -> bool:
    """Tell a sheet that reaches farther than any table: nearly all of its cells stand nowhere.

    Parameters
    ----------
    cells : int
        All to the farthest corner.
    standing : int
        Those that the file holds.

    Examples
    --------
    >>> is_endless(1_000 * 300, 60_000), is_endless(1_100 * 16_000, 62)
    (False, True)
    """
    return cells > _MOST_CELLS or cells - standing > max(_MOST_BLANK, _BLANKS * standing)


def shows_percent(number_format: str) -> bool:
    r"""Tell whether a spreadsheet's format shows 0.45 as 45 %; a quoted sign is only written.

    Examples
    --------
    >>> shows_percent("0.0%"), shows_percent('0.0"%"'), shows_percent(r"0.0\%")
    (True, False, False)
    """
    return "%" in _LITERAL.sub("", number_format)


def name_of(cell: Any) -> str:
    r"""Write a column's name in one line.

    Examples
    --------
    >>> name_of("Age\n(years)")
    'Age (years)'
    """
    return " ".join(str(cell).split())


def letters(column: int) -> str:
    """Name a column as spreadsheets do.

    Examples
    --------
    >>> letters(1), letters(28)
    ('A', 'AB')
    """
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def ranges(numbers: Iterable[int]) -> str:
    """Write numbers briefly.

    Examples
    --------
    >>> ranges([5, 6, 7, 9])
    '5-7, 9'
    """
    ordered = sorted(set(numbers))
    breaks = [i + 1 for i, (a, b) in enumerate(pairwise(ordered)) if b != a + 1]
    runs = [ordered[i:j] for i, j in pairwise([0, *breaks, len(ordered)]) if j > i]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def listed(things: Iterable[Any]) -> str:
    """Name the first few things of many.

    Examples
    --------
    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    names = [str(thing) for thing in things]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def counted(number: int, thing: str) -> str:
    """Count things.

    Examples
    --------
    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"
