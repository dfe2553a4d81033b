"""Text cells of a table that a spreadsheet takes for text, and never for a formula to be run."""

import csv
import re
from collections.abc import Callable
from os import PathLike
from typing import Any

import pandas as pd

# What spreadsheets run: the last four are the wide forms that those of East Asia take.
FORMULA = re.compile("[=+\\-@\t\r\n＝＋－＠]")
GUARDED = re.compile(f"'+{FORMULA.pattern}")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def guarded(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before every text that a spreadsheet would run as a formula.

    That is any text cell or column name that begins with ``=``, ``+``, ``-``, ``@``, a tab or a
    line break, unless it is a plain number. A text that looks as if it had such an apostrophe
    gets one more, so that `unguarded` gives back exactly what was there.

    Parameters
    ----------
    table : DataFrame
        Left as it is; its index is not looked at.

    Returns
    -------
    DataFrame
        A copy of the same types.

    Examples
    --------
    >>> guarded(pd.DataFrame({"note": ["=1+1", "-2.5", "-", "it's"]}))["note"].tolist()
    ["'=1+1", '-2.5', "'-", "it's"]
    """
    return _changed(table, guarded_text)


def unguarded(table: pd.DataFrame) -> pd.DataFrame:
    """Take away the apostrophes of `guarded`, and no other.

    Parameters
    ----------
    table : DataFrame
        Read from a file that was written guarded.

    Returns
    -------
    DataFrame
        The table as it was.

    Examples
    --------
    >>> table = pd.DataFrame({"=A1": ["=1+1", "'=1+1", "'"]})
    >>> unguarded(guarded(table)).equals(table)
    True
    """
    return _changed(table, lambda text: text[1:] if GUARDED.match(text) else text)


def guarded_text(text: str) -> str:
    """Guard one text.

    Examples
    --------
    >>> guarded_text("@SUM(A1)"), guarded_text("'=A1"), guarded_text("+1e-3")
    ("'@SUM(A1)", "''=A1", '+1e-3')
    """
    runs = FORMULA.match(text) and not NUMBER.fullmatch(text)
    return f"'{text}" if runs or GUARDED.match(text) else text


def write_csv(table: pd.DataFrame, path: str | PathLike[str]) -> None:
    r"""Write a table, guarded, as a CSV file whose rows stay rows.

    Parameters
    ----------
    table : DataFrame
        Written without its index.
    path : path

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = f"{mkdtemp()}/notes.csv"
    >>> write_csv(pd.DataFrame({"note": ["=1+1", "a\rb"]}), path)
    >>> unguarded(pd.read_csv(path))["note"].tolist()
    ['=1+1', 'a\rb']
    """
    safe = guarded(table)
    # A lone carriage return ends a row for most readers; Python quotes it from 3.13 on only.
    broken = any("\r" in str(name) for name in safe) or any(
        isinstance(cell, str) and "\r" in cell
        for _, column in safe.items()
        if column.dtype.kind == "O"
        for cell in column
    )
    quoting = csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL
    safe.to_csv(path, index=False, encoding="utf-8", quoting=quoting)


def _changed(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Change every text of a table, its columns' names too; a copy."""

    def changed(cell: Any) -> Any:
        return change(cell) if isinstance(cell, str) else cell

    result = table.rename(columns=changed)
    for position, (_, column) in enumerate(result.items()):
        if isinstance(column.dtype, pd.CategoricalDtype):
            result.isetitem(position, column.cat.rename_categories(changed))
        elif column.dtype.kind == "O":
            result.isetitem(position, column.map(changed).astype(column.dtype))
    return result
