"""What a person decides about scans, kept in a table that any program opens."""

from pathlib import Path

import pandas as pd
from filelock import FileLock

from clamlab import cells
from clamlab.atomic import whole_file
from clamlab.viewers.persons_tables import read_persons_table

NEEDED = ("subject_id", "decision", "series_number", "note")
COLUMNS = (*NEEDED, "reason", "image_id", "decided_by")
PATIENCE = 5  # seconds to wait for another window's turn
Row = dict[str, str]


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
        table = read_persons_table(self.path, NEEDED, expected="decisions", row_of="subject_id")
        return dict(zip(table["subject_id"], table.to_dict("records"), strict=True))


def _filled(row: Row | None) -> Row | None:
    """Return a row without its empty cells: a new column of others changes no decision."""
    return row and {name: cell for name, cell in row.items() if cell}
