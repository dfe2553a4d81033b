"""A table that a person keeps: read strictly, written whole, one program after the other."""

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pandas as pd
from filelock import FileLock

from clamlab import cells
from clamlab.atomic import whole_file
from clamlab.io import FileError, read_bytes

PATIENCE = 5  # seconds to wait for another window's turn
MOST = 1 << 26  # bytes of such a table
Row = dict[str, str]
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait until no other window writes the file, and let none do so within the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=PATIENCE):
        yield


def read_rows(path: Path, needed: Sequence[str], *, expected: str) -> list[Row]:
    """Read the rows of a file, as texts; none where there is no file.

    Raises
    ------
    ValueError
        If the file is no such table, with the row's number and never a subject's id.
    """
    if not os.path.lexists(path):
        return []
    with told_of(path):
        return rows_of(read_bytes(path, expected=expected, most=MOST), needed)


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Say of which file an error is, and what to do about it."""
    try:
        yield
    except FileError:
        raise  # says all that
    except ValueError as error:
        raise ValueError(
            f"{path.name} {error}; correct the file, or move it away to start a new one "
            f"(it lies in {path.parent})"
        ) from error


def write_rows(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Write rows, further columns too; the file is whole or what it was."""
    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    table = pd.DataFrame(list(rows), columns=list(names), dtype=object).fillna("")
    with whole_file(path) as temporary:
        cells.write_csv(table, temporary)


class ChangedElsewhere(ValueError):
    """Something stands in a table that the person here has not seen: it is kept."""


class KeyedRows:
    """Keep one row for each key in a CSV file, written whole at every change.

    What other people and programs write into the file stays, further columns too; of two windows
    that are open on it one saves after the other, and none over what it has not shown.

    Parameters
    ----------
    path : Path
        Made when the first row is saved.
    columns : sequence of str
        Of a new file, in order.
    needed : sequence of str
        Without which a file is no such table.
    key : callable
        Gives of a row what no other has.

    Raises
    ------
    ValueError
        If the file is there and is no such table; it is not touched. No message names a subject.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        needed: Sequence[str],
        key: Callable[[Row], tuple[str, ...]],
    ) -> None:
        self.path, self._columns, self._needed, self._key = path, columns, needed, key
        self.rows = self._read()

    def save(self, row: Row, *, seen: Row) -> None:
        """Save a row in the place of the one with its key.

        Parameters
        ----------
        row : dict
        seen : dict
            Cells of the row before as far as the person knows, empty where there was none.

        Raises
        ------
        ChangedElsewhere
            If something else stands there by now: it is kept, and in ``rows``.
        ValueError
            If the file is no such table any more; it is not touched.
        OSError
            If the disk refuses; the file is what it was.
        """
        with turn(self.path):
            self.rows = self._read()  # another program may have written
            key = self._key(row)
            before = self.rows.get(key, {})
            if any(before.get(name, "").strip() != cell.strip() for name, cell in seen.items()):
                raise ChangedElsewhere("something else was written there meanwhile; it is kept")
            rows = {**self.rows, key: {**before, **row}}
            write_rows(self.path, list(rows.values()), self._columns)
            self.rows = rows

    def _read(self) -> dict[tuple[str, ...], Row]:
        rows: dict[tuple[str, ...], Row] = {}
        read = read_rows(self.path, self._needed, expected=self.path.stem)
        for number, row in enumerate(read, start=2):
            if (key := self._key(row)) in rows:
                with told_of(self.path):
                    raise ValueError(f"says the same thing twice: again in row {number}")
            rows[key] = row
        return rows


def now() -> str:
    """Tell the time as tables keep it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def rows_of(data: bytes, needed: Sequence[str]) -> list[Row]:
    r"""Read a CSV as people and their spreadsheets save it; refuse what would not come back whole.

    Examples
    --------
    >>> rows_of(b"subject_id;note\nS1 ;moved", ["subject_id", "note"])
    [{'subject_id': 'S1', 'note': 'moved'}]
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if _NO_TEXT.search(text):
        raise ValueError("holds bytes that are no text")
    names, *rows = [row for row in _records(text) if row] or [[]]
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
    return table.to_dict("records")


def _records(text: str) -> list[list[str]]:
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
    return read
