"""Groups of scans that a person drew and named, kept in a table that any program opens."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clamlab.viewers.person_table import Row, read_rows, turn, write_rows

NEEDED = ("group", "subject_id")
COLUMNS = (*NEEDED, "note", "made_at")
LONGEST = 120  # letters of a name
# What no table may hold: control characters, and halves of characters.
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class Group:
    """Subjects that a person put together; ``made_at`` is when, in UTC."""

    name: str
    subjects: tuple[str, ...]
    note: str
    made_at: str


class Groups:
    """Keep groups of subjects by name in a CSV file, written whole at every change.

    One row for each subject of a group. What somebody else writes into the file stays, further
    columns and slips too; of two windows that are open on it one saves after the other, and none
    over what it has not shown.

    Parameters
    ----------
    path : str, Path or None
        Table with the columns `group`, `subject_id`, `note` and `made_at`; made when the first
        group is kept. None keeps groups in memory only.

    Raises
    ------
    ValueError
        If the file is there and is no such table; it is not touched.

    Examples
    --------
    >>> groups = Groups(None)
    >>> groups.keep("dense bases", ["S1", "S4"], note="both sides")
    >>> groups.rename("dense bases", "dense, lower")
    >>> groups.names, groups["dense, lower"].subjects
    (['dense, lower'], ('S1', 'S4'))
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._rows: list[Row] = []
        self._read()

    @property
    def names(self) -> list[str]:
        """Names of the groups, in the order of the file."""
        return list(self._groups)

    @property
    def said(self) -> str:
        """What is odd about the file, in a sentence; empty if nothing is."""
        odd = sum(not (_name(row["group"]) and row["subject_id"]) for row in self._rows)
        file = self.path.name if self.path else "the table"
        return f"Rows of {file} without a group or a subject, not counted: {odd}." if odd else ""

    def __getitem__(self, name: str) -> Group:
        """Return a group, or raise ValueError."""
        if name not in self._groups:
            raise ValueError(f"there is no group {name!r}: expected one of {self.names}")
        return self._groups[name]

    def keep(self, name: str, subjects: Sequence[str], *, note: str = "") -> None:
        """Save a new group.

        Raises
        ------
        ValueError
            If it has no name or no subjects, or there is one of that name.
        OSError
            If the disk refuses; the file is what it was.
        """
        subjects = list(dict.fromkeys(str(subject) for subject in subjects))
        if not subjects:
            raise ValueError("the group is empty: choose scans first")
        name, note = _new_name(name), _new_note(note)
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._turn():
            self._refuse_twice(name)
            told = {"group": name, "note": note, "made_at": made_at}
            self._write([*self._rows, *({**told, "subject_id": subject} for subject in subjects)])

    def rename(self, old: str, new: str) -> None:
        """Give a group another name; raises as :meth:`keep`, and if it was changed elsewhere."""
        new = _new_name(new)
        with self._turn(of=old):
            if new != old:
                self._refuse_twice(new, but=old)
            self._change(old, group=new)

    def note(self, name: str, note: str) -> None:
        """Write a note about a group; raises as :meth:`rename`."""
        note = _new_note(note)
        with self._turn(of=name):
            self._change(name, note=note)

    def delete(self, name: str) -> None:
        """Take a group out of the table; raises as :meth:`rename`."""
        with self._turn(of=name):
            self._write([row for row in self._rows if _name(row["group"]) != name])

    def check(self, name: str) -> None:
        """Raise ValueError, as :meth:`rename` does, if a group is no more what it was here."""
        with self._turn(of=name):
            pass

    def _change(self, name: str, **cells_of: str) -> None:
        self._write([{**r, **cells_of} if _name(r["group"]) == name else r for r in self._rows])

    def _refuse_twice(self, name: str, *, but: str | None = None) -> None:
        """On some disks names that differ in capital letters would share one folder."""
        alike = [known for known in self.names if _alike(known) == _alike(name) and known != but]
        if alike:
            raise ValueError(
                f"there is a group {alike[0]!r} already, of {len(self[alike[0]].subjects)} "
                "subjects: choose another name, or rename or delete that one first"
            )

    @contextmanager
    def _turn(self, *, of: str | None = None) -> Iterator[None]:
        """Wait for our turn and read again; refuse to go on from what nobody here has seen."""
        seen = None if of is None else self[of]
        if self.path is None:
            yield
            return
        with turn(self.path):
            self._read()
            if of is not None and self._groups.get(of) != seen:
                raise ValueError(
                    f"{of!r} was changed somewhere else meanwhile: what stands in the file is "
                    "shown now; do it again if you still want it"
                )
            yield

    def _write(self, rows: list[Row]) -> None:
        if self.path is not None:
            write_rows(self.path, rows, COLUMNS)
        self._rows = rows
        self._read()

    def _read(self) -> None:
        if self.path is not None:
            self._rows = read_rows(self.path, NEEDED, expected="groups")
        rows_of: dict[str, list[Row]] = {}
        for row in self._rows:
            if (name := _name(row["group"])) and row["subject_id"]:
                rows_of.setdefault(name, []).append(row)
        self._groups = {name: _group(name, rows) for name, rows in rows_of.items()}


def _group(name: str, rows: list[Row]) -> Group:
    """Put a group together from its rows; notes that differ stand below one another."""
    notes = dict.fromkeys(row.get("note", "").strip() for row in rows)
    return Group(
        name,
        tuple(dict.fromkeys(row["subject_id"] for row in rows)),
        "\n".join(filter(None, notes)),
        max(row.get("made_at", "") for row in rows),
    )


def _name(text: str) -> str:
    """Return a name as it is compared: one space where there are several, none at the ends."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _new_name(text: str) -> str:
    if not (name := _name(text)):
        raise ValueError("the group has no name: give it one")
    if len(name) > LONGEST:
        raise ValueError(f"the name has {len(name)} letters: shorten it to {LONGEST} or fewer")
    return _writable(name, "the name")


def _new_note(text: str) -> str:
    return _writable(text, "the note").strip()


def _writable(text: str, what: str) -> str:
    if found := _NO_TEXT.search(text):
        raise ValueError(
            f"{what} holds a character that no text file holds, {found[0]!r}: type it again"
        )
    return text
