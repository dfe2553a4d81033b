"""What a person decides about scans, kept in a table that any program opens."""

from collections import Counter
from pathlib import Path

from clamlab.viewers.person_table import Row, read_rows, told_of, turn, write_rows

NEEDED = ("subject_id", "decision", "series_number", "note")
COLUMNS = (*NEEDED, "reason", "image_id", "decided_by")


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
        with turn(self.path):
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
            write_rows(self.path, list(left.values()), COLUMNS)
            self.rows = self._read()

    def _read(self) -> dict[str, Row]:
        rows = read_rows(self.path, NEEDED, expected="decisions")
        often, times = next(
            iter(Counter(row["subject_id"] for row in rows).most_common(1)), ("", 0)
        )
        if times > 1:
            with told_of(self.path):
                raise ValueError(f"should have one row for a subject, and has two for {often!r}")
        return {row["subject_id"]: row for row in rows}


def _filled(row: Row | None) -> Row | None:
    """Return a row without its empty cells: a new column of others changes no decision."""
    return row and {name: cell for name, cell in row.items() if cell}
