"""What a reader writes about scans, kept in a table that any program opens."""

import os
from pathlib import Path

import pandas as pd

from clamlab import cells
from clamlab.atomic import whole_file
from clamlab.io import read_csv


class Notes:
    """Keep one note per subject in a CSV file, written whole at every change.

    Parameters
    ----------
    path : str, Path or None
        Table with the columns `subject_id` and `note`; made when the first note is saved. None
        keeps notes in memory only.

    Raises
    ------
    ValueError
        If the file is there and lacks one of the columns.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._notes = self._read()

    def __getitem__(self, subject: str) -> str:
        """Return the subject's note, empty if there is none."""
        return self._notes.get(subject, "")

    def __setitem__(self, subject: str, note: str) -> None:
        """Save a note; an empty one takes the subject out of the table."""
        self._notes = self._read() | {subject: note.strip()}  # another notebook may have written
        self._notes = {name: text for name, text in self._notes.items() if text}
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            table = pd.DataFrame(self._notes.items(), columns=["subject_id", "note"])
            with whole_file(self.path) as temporary:
                cells.write_csv(table, temporary)

    def _read(self) -> dict[str, str]:
        if self.path is None or not os.path.lexists(self.path):
            return getattr(self, "_notes", {})
        table = cells.unguarded(
            read_csv(self.path, expected="notes", dtype=str, keep_default_na=False)
        )
        if not {"subject_id", "note"} <= set(table.columns):
            raise ValueError(
                f"{self.path}: expected the columns subject_id and note, "
                f"found {list(table.columns)}; move the file away to start a new one"
            )
        return dict(zip(table["subject_id"], table["note"], strict=True))
