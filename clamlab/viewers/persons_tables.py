"""Tables that a person keeps beside a study, as people and their spreadsheets save them."""

import csv
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clamlab import cells
from clamlab.io import read_bytes

MOST = 1 << 26  # bytes of what people write by hand
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


def read_persons_table(
    path: Path, needed: Sequence[str], *, expected: str, row_of: str | None = None
) -> pd.DataFrame:
    r"""Read a person's CSV, whoever saved it last; refuse what would not come back whole.

    Parameters
    ----------
    path : Path
        A file that is not there is a table without rows.
    needed : sequence of str
        Columns that it should have; others stay.
    expected : str
        What it is: "decisions".
    row_of : str, optional
        The column in which no two rows say the same.

    Returns
    -------
    DataFrame of str
        Ids without spaces around them, cells without the guards of `clamlab.cells`.

    Raises
    ------
    ValueError
        If it is no such table, or cut; the sentence names the file and says what to do.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "groups.csv"
    >>> _ = path.write_text("group;subject_id\nodd;S1\n")
    >>> read_persons_table(path, ("group", "subject_id"), expected="groups").iloc[0].tolist()
    ['odd', 'S1']
    """
    if not os.path.lexists(path):
        return pd.DataFrame(columns=list(needed), dtype=object)
    try:
        table = _table(read_bytes(path, expected=expected, most=MOST), needed)
        if row_of is not None and (twice := table[row_of][table[row_of].duplicated()]).any():
            raise ValueError(
                f"should have one row for a subject, and has two for {twice.iloc[0]!r}"
            )
    except ValueError as error:
        raise ValueError(
            f"{path.name} {error}; correct the file, or move it away to start a new one "
            f"(it lies in {path.parent})"
        ) from error
    return table


def refuse_what_no_file_holds(text: str, what: str) -> None:
    r"""Raise ValueError for letters with which a table could not be read again.

    Examples
    --------
    >>> refuse_what_no_file_holds("a\x07", "the note")
    Traceback (most recent call last):
    ValueError: the note holds a character that no text file holds: '\x07'; type it again
    """
    if found := re.search(f"{_NO_TEXT.pattern}|[\ud800-\udfff]", text):
        raise ValueError(
            f"{what} holds a character that no text file holds: {found[0]!r}; type it again"
        )


def _table(data: bytes, needed: Sequence[str]) -> pd.DataFrame:
    r"""Read the cells of a CSV, whatever separates them.

    Examples
    --------
    >>> _table(b"subject_id;decision\nS1;reject", ("subject_id",)).iloc[0].tolist()
    ['S1', 'reject']
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if _NO_TEXT.search(text):
        raise ValueError("holds bytes that are no text")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    lines = io.StringIO(text, newline=None)  # also those of old Macs
    # Strict: a quote that nobody closed would make a note of all rows that follow.
    reader = csv.reader(lines, delimiter=separator, strict=True)
    read: list[list[str]] = []
    begins = 1
    try:
        for row in reader:
            read.append(row)
            begins = reader.line_num + 1  # the reader only knows where a broken row ends
    except csv.Error as error:
        raise ValueError(
            f'should close every quote (") that opens a cell, and does not from line {begins} on'
        ) from error
    names, *rows = [row for row in read if row] or [[]]
    if not set(needed) <= set(names):
        found = ", ".join(names)[:100]
        raise ValueError(f"should have the columns {', '.join(needed)}, and has {found!r}")
    if len(set(names)) < len(names):
        raise ValueError("should name each column once")
    if rows and len(rows[-1]) < len(names) and not text.endswith(("\n", "\r")):
        raise ValueError("is cut: it ends within its last row")
    for number, row in enumerate(rows, start=2):
        if len(row) > len(names):
            raise ValueError(
                f"has more cells in row {number} than columns: a note with a comma needs quotes"
            )
    filled = [[*row, *[""] * (len(names) - len(row))] for row in rows]
    table = cells.unguarded(pd.DataFrame(filled, columns=names, dtype=object))
    table["subject_id"] = table["subject_id"].str.strip()
    return table
