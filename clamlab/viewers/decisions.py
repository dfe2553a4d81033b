"""What a person decides about scans, kept in a table that any program opens."""

import csv
import io
import os
import re
from pathlib import Path

import pandas as pd
from filelock import FileLock

from clamlab import cells
from clamlab.atomic import whole_file
from clamlab.io import read_bytes

NEEDED = ("subject_id", "decision", "series_number", "note")
COLUMNS = (*NEEDED, "reason", "image_id", "decided_by")
PATIENCE = 5  # seconds to wait for another window's turn
MOST = 1 << 26  # bytes of decisions
Row = dict[str, str]
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


class Decisions:
    """Keep one decision per subject in a CSV file, written whole at every change.

    What somebody else writes into the file stays, further columns too; of two windows that are open
    on it one saves after the other, and none over what it has not shown.

    Parameters
    ----------
    path : Path
        Made when the first decision is saved.

    Raises
    ------
    ValueError
        If the file is there and is no such table; it is not touched.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = self._read()

    def save(self, subject: str, row: Row | None, *, seen: Row | None) -> None:
        """Save what was decided about a subject, or take it out.

        Parameters
        ----------
        subject : str
        row : dict or None
        seen : dict or None
            What stood there as far as the person knows.

        Raises
        ------
        ValueError
            If something else stands there by now: it is kept, and in ``rows``.
        OSError
            If the disk refuses; the file is what it was.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=PATIENCE):
            rows = self.rows = self._read()
            before = rows.get(subject)
            if _filled(before) != _filled(seen):
                raise ValueError(
                    f"{subject} was decided somewhere else meanwhile: what stands in the file is "
                    "shown now; decide again if you want it otherwise"
                )
            left = {name: known for name, known in rows.items() if name != subject}
            if row is not None:
                left[subject] = {**(before or {}), **row, "subject_id": subject}
            self._write(list(left.values()))
            self.rows = self._read()

    def _write(self, rows: list[Row]) -> None:
        columns = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
        table = pd.DataFrame(rows, columns=list(columns), dtype=object).fillna("")
        with whole_file(self.path) as temporary:
            cells.write_csv(table, temporary)

    def _read(self) -> dict[str, Row]:
        if not os.path.lexists(self.path):
            return {}
        try:
            table = _table(read_bytes(self.path, expected="decisions", most=MOST))
        except ValueError as error:
            raise ValueError(
                f"{self.path.name} {error}; correct the file, or move it away to start a new one "
                f"(it lies in {self.path.parent})"
            ) from error
        return dict(zip(table["subject_id"], table.to_dict("records"), strict=True))


def _filled(row: Row | None) -> Row | None:
    """Return a row without its empty cells: a new column of others changes no decision."""
    return row and {name: cell for name, cell in row.items() if cell}


def _table(data: bytes) -> pd.DataFrame:
    r"""Read a CSV as people and their spreadsheets save it; refuse what would not come back whole.

    Examples
    --------
    >>> _table(b"subject_id;decision;series_number;note\nS1;reject;;moved").iloc[0].tolist()
    ['S1', 'reject', '', 'moved']
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
    if not set(NEEDED) <= set(names):
        found = ", ".join(names)[:100]
        raise ValueError(f"should have the columns {', '.join(NEEDED)}, and has {found!r}")
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
    if (twice := table["subject_id"][table["subject_id"].duplicated()]).any():
        raise ValueError(f"should have one row for a subject, and has two for {twice.iloc[0]!r}")
    return table
