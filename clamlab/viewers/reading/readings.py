"""What readers saw in scans and chose of pictures, kept in tables that any program opens."""

from pathlib import Path

from clamlab.viewers.person_table import KeyedRows, Row, now

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
    """Keep one answer per trial and reader in a CSV file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, (*CHOSEN, "chosen_at"), needed=CHOSEN, key=_key_of_choice)


def _key_of_choice(row: Row) -> tuple[str, ...]:
    return row["kind"].strip(), row["subject_id"], row["about"].strip(), row["reader"].strip()
