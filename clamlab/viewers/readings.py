"""What readers saw in scans, kept in a table that any program opens."""

from datetime import datetime
from pathlib import Path

from clamlab.viewers.person_table import Row, read_rows, told_of, turn, write_rows

NEEDED = ("subject_id", "reader", "score", "value")
COLUMNS = (*NEEDED, "read_at", "repeat")
Key = tuple[str, str, str, str]


class Readings:
    """Keep one value per scan, reader, score and look in a CSV file, whole at every change.

    What other readers and other programs write into the file stays, further columns too.

    Parameters
    ----------
    path : Path
        Made when the first value is saved.

    Raises
    ------
    ValueError
        If the file is there and is no such table; it is not touched. No message names a subject.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = self._read()

    def value(self, subject: str, reader: str, score: str, *, repeat: int) -> str:
        """Return what was read, as it is written; empty if it was not."""
        row = self.rows.get((subject, reader, score, str(repeat)))
        return row["value"].strip() if row else ""

    def save(self, subject: str, reader: str, score: str, *, repeat: int, value: str) -> None:
        """Save a value in the place of the one before.

        Raises
        ------
        ValueError
            If the file is no such table any more; it is not touched.
        OSError
            If the disk refuses; the file is what it was.
        """
        key = (subject, reader, score, str(repeat))
        told = dict(zip(("subject_id", "reader", "score", "repeat"), key, strict=True))
        with turn(self.path):
            self.rows = self._read()  # another program may have written
            now = datetime.now().astimezone().isoformat(timespec="seconds")
            row = {**self.rows.get(key, {}), **told, "value": value, "read_at": now}
            rows = {**self.rows, key: row}
            write_rows(self.path, list(rows.values()), COLUMNS)
            self.rows = rows

    def _read(self) -> dict[Key, Row]:
        rows: dict[Key, Row] = {}
        for number, row in enumerate(read_rows(self.path, NEEDED, expected="readings"), start=2):
            # A spreadsheet may save the first look as 1.0; a table of one look each has none.
            repeat = row.get("repeat", "").strip().removesuffix(".0") or "1"
            key = (row["subject_id"], row["reader"].strip(), row["score"].strip(), repeat)
            if key in rows:
                with told_of(self.path):
                    raise ValueError(
                        "should have one row for a scan, reader, score and repeat, and has a "
                        f"second in row {number}"
                    )
            rows[key] = row
        return rows
