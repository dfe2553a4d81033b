"""What a reader writes about scans, kept in a table that any program opens."""

from pathlib import Path

from clamlab.viewers.person_table import KeyedRows

COLUMNS = ("subject_id", "note")


class Notes:
    """Keep one note per subject in a CSV file, written whole at every change.

    What other people and programs write into the file stays, further columns too; nobody writes
    over a note that they have not seen.

    Parameters
    ----------
    path : str, Path or None
        Table with the columns `subject_id` and `note`; made when the first note is saved. None
        keeps notes in memory only.

    Raises
    ------
    ValueError
        If the file is there and is no such table; it is not touched.

    Examples
    --------
    >>> notes = Notes(None)
    >>> notes.save("A", "fissure, probably real", seen="")
    >>> notes["A"], notes["B"]
    ('fissure, probably real', '')
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._in_memory: dict[str, str] = {}
        self._file = None
        if self.path is not None:
            self._file = KeyedRows(
                self.path, COLUMNS, needed=COLUMNS, key=lambda row: (row["subject_id"],)
            )

    def __getitem__(self, subject: str) -> str:
        """Return the subject's note, empty if there is none."""
        if self._file is None:
            return self._in_memory.get(subject, "")
        return self._file.rows.get((subject,), {}).get("note", "").strip()

    def save(self, subject: str, note: str, *, seen: str) -> None:
        """Save a note; an empty one stays as an empty cell of the subject's row.

        Parameters
        ----------
        subject, note : str
        seen : str
            The note before as far as the person knows, empty if there was none.

        Raises
        ------
        ChangedElsewhere
            If another note stands there by now: it is kept, and what the subject has here.
        ValueError
            If the file is no such table any more; it is not touched.
        OSError
            If the disk refuses; the file is what it was.
        """
        if self._file is None:
            self._in_memory[subject] = note.strip()
        else:
            row = {"subject_id": subject, "note": note.strip()}
            self._file.save(row, seen={"note": seen})
