"""What readers saw in scans and chose of pictures, kept in tables that any program opens."""

from collections.abc import Iterable
from pathlib import Path

from clamlab.viewers.person_table import KeyedRows, Row, now
from clamlab.viewers.reading.choice_trials import Trial

NEEDED = ("subject_id", "reader", "score", "value")
COLUMNS = (*NEEDED, "read_at", "repeat")
CHOSEN = ("subject_id", "reader", "kind", "about", "side", "correct")


class Readings(KeyedRows):
    """Keep one value per scan, reader, score and look in a CSV file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, COLUMNS, needed=NEEDED, key=_key)

    def value(self, subject: str, reader: str, score: str, *, repeat: int) -> str:
        """Return what was read, as it is written; empty if it was not."""
        row = self.rows.get((subject, reader, score, str(repeat)))
        return row["value"].strip() if row else ""

    def put(self, subject: str, reader: str, score: str, *, repeat: int, value: str) -> None:
        """Save a value in the place of the one before; of that, the one that is known here."""
        seen = {"value": self.value(subject, reader, score, repeat=repeat)}
        told = {"subject_id": subject, "reader": reader, "score": score, "value": value}
        self.save({**told, "read_at": now(), "repeat": str(repeat)}, seen=seen)


def _key(row: Row) -> tuple[str, ...]:
    # A spreadsheet may save the first look as 1.0; a table of one look each has none.
    repeat = row.get("repeat", "").strip().removesuffix(".0") or "1"
    return row["subject_id"], row["reader"].strip(), row["score"].strip(), repeat


class Choices(KeyedRows):
    """Keep one answer per trial, with its pictures, and reader in a CSV file.

    Answers about pictures of an earlier run of the study stay, beside those about the new ones.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        columns = (*CHOSEN, "chosen_at", "pictures")
        super().__init__(path, columns, needed=CHOSEN, key=lambda row: (*_asked(row), _who(row)))

    def answer(self, trial: Trial, reader: str) -> Row | None:
        """Return what a reader answered to a trial with just these pictures."""
        return self.rows.get((*trial.identity, reader))

    def split(
        self, trials: Iterable[Trial], *, reader: str | None = None
    ) -> tuple[list[Row], list[Row]]:
        """Return the answers to some trials, and those about other pictures; of one or of all."""
        asked = {trial.identity for trial in trials}
        rows = [row for row in self.rows.values() if reader in (None, _who(row))]
        theirs = [row for row in rows if _asked(row) in asked]
        return theirs, [row for row in rows if _asked(row) not in asked]


def _asked(row: Row) -> tuple[str, ...]:
    """Tell as `Trial.identity` what was asked; answers from before pictures were told fit none."""
    pictures = row.get("pictures", "").strip()
    return row["kind"].strip(), row["subject_id"], row["about"].strip(), pictures


def _who(row: Row) -> str:
    return row["reader"].strip()
