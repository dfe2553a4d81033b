"""Decide about scans, one key a scan: the picture, what was found, and what becomes of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets

from clamlab.paths import path_part
from clamlab.viewers.assets import read_together
from clamlab.viewers.deciding.decisions import Decisions
from clamlab.viewers.person_table import Row

ACCEPT, REJECT, SERIES = "accept", "reject", "series"
NOTHING = "nothing was found"  # what is accepted of a scan without a reason to look at it
RANKS = {"review": 0, "ok": 1, "excluded": 2}


class Review(anywidget.AnyWidget):
    """Decide about a cohort's scans by keys: accept, reject, or take another series, with a note.

    What is to be reviewed comes first. Each decision is in the file before the next scan is shown.
    Pictures come from the kernel one at a time, so that a thousand subjects open as fast as ten.
    The question mark in the widget lists the keys.

    Parameters
    ----------
    qc : DataFrame
        One row per subject: ``subject_id``, ``status`` (ok, review, excluded), ``reason``. Optional
        ``dice``, ``decision`` and ``series_number`` (a person's, as far as they are in effect),
        ``other_series`` ("series 4 (60 slices of 5 mm); series 5 ...") and ``image_id``.
    pictures : path or sequence of path
        Folders with a PNG per subject; the first that has it is taken.
    decisions : path
        The CSV file of the decisions, made with the first of them.
    decided_by : str
        Written beside each decision that is made here.

    Raises
    ------
    ValueError
        If the file of decisions is there and is no such table.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> qc = pd.DataFrame({"subject_id": ["S1", "S2"], "status": ["ok", "review"],
    ...                    "reason": ["", "left lung is 0.40 of the right"]})
    >>> review = Review(qc, folder, folder / "decisions.csv")
    >>> review.decide("S2", "reject", note="one lung")
    >>> [subject["id"] for subject in review.subjects], review.decisions[0]["decision"]
    (['S2', 'S1'], 'reject')
    """

    _esm = read_together("drawing.js", "deciding/review.js")
    _css = read_together("slice_viewer.css", "deciding/review.css")

    subjects: traitlets.List = traitlets.List().tag(sync=True)
    decisions: traitlets.List = traitlets.List().tag(sync=True)
    # Rows that wait for a decision.
    to_decide: traitlets.List = traitlets.List().tag(sync=True)
    # How many decisions are not in effect yet.
    changed = traitlets.Int(0).tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)
    # The picture of one row, so that a saved notebook shows something without Python.
    picture = traitlets.Bytes().tag(sync=True)
    picture_row = traitlets.Int(-1).tag(sync=True)

    def __init__(
        self,
        qc: pd.DataFrame,
        pictures: str | Path | Sequence[str | Path],
        decisions: str | Path,
        *,
        decided_by: str = "",
    ) -> None:
        folders = [pictures] if isinstance(pictures, str | Path) else pictures
        self._folders = [Path(folder) for folder in folders]
        self._file, self._decided_by = Decisions(Path(decisions)), decided_by
        self._done: list[tuple[str, Row | None, Row | None]] = []  # who, before and after
        subjects = [_subject(row) for row in _in_order(qc).to_dict("records")]
        self._places = {subject["id"]: place for place, subject in enumerate(subjects)}
        super().__init__(subjects=subjects)
        self._show()
        self.row = next(iter(self.to_decide), 0)
        self.picture, self.picture_row = self._picture(self.row), self.row
        self.on_msg(self._hear)

    def decide(
        self, subject: str, decision: str, *, series_number: int | None = None, note: str = ""
    ) -> None:
        """Save a decision about a subject.

        Raises
        ------
        ValueError
            If there is no such subject or decision, nothing that could be accepted, or no series;
            if somebody decided about the subject elsewhere since it was shown here.
        OSError
            If the disk refuses; the file is what it was.
        """
        if subject not in self._places:
            raise ValueError(f"expected one of the cohort's subjects, found {subject!r}")
        known = self.subjects[self._places[subject]]
        if decision not in (ACCEPT, REJECT, SERIES):
            raise ValueError(f"expected accept, reject or series, found {decision!r}")
        if decision == ACCEPT and known["failed"]:
            raise ValueError(f"{subject} could not be used: there is nothing to accept")
        if decision == SERIES and series_number is None:
            raise ValueError(f"{subject}: expected the number of a series")
        # What is accepted or rejected is the series that the picture shows.
        taken = series_number if decision == SERIES else known["series_number"]
        row = {
            "decision": decision,
            "series_number": "" if taken is None else str(taken),
            "note": note.strip(),
            "reason": known["reason"] or NOTHING,
            "image_id": known["image_id"],
            "decided_by": self._decided_by,
        }
        before = self._file.rows.get(subject)
        self._save(subject, row, seen=before)
        self._done.append((subject, before, self._file.rows[subject]))

    def undo(self) -> int | None:
        """Take back the last decision that was made here; return whose row it was."""
        if not self._done:
            return None
        subject, before, after = self._done[-1]
        self._save(subject, before, seen=after)
        self._done.pop()
        return self._places[subject]

    def _note_to_undo(self) -> str:
        """Return the words that an undo leaves without a decision, to be used for another one."""
        _, before, after = self._done[-1] if self._done else ("", None, None)
        return after["note"].strip() if after is not None and before is None else ""

    def _save(self, subject: str, row: Row | None, *, seen: Row | None) -> None:
        try:
            self._file.save(subject, row, seen=seen)
        finally:  # also when refused: somebody else's decision is shown then
            self._show()

    def _show(self) -> None:
        pairs = [(known, self._file.rows.get(known["id"])) for known in self.subjects]
        with self.hold_sync():
            self.decisions = [_shown(row) for _, row in pairs]
            self.to_decide = [place for place, pair in enumerate(pairs) if _waits(*pair)]
            self.changed = sum(_is_news(*pair) for pair in pairs)

    def _hear(self, _: Any, asked: dict[str, Any], __: Any) -> None:
        """Answer the browser: a picture, or what became of a decision."""
        wanted, row = asked["do"], int(asked.get("row", 0))
        if wanted == "picture":
            self.send({"picture": row}, [self._picture(row)])
            return
        try:
            if wanted == "undo":
                note = self._note_to_undo()
                undone = self.undo()
                self.send({"saved": undone, "next": undone, "note": note})
                return
            number = int(asked["series_number"]) if wanted == SERIES else None
            subject = self.subjects[row]["id"]
            self.decide(subject, wanted, series_number=number, note=asked["note"])
        except (ValueError, OSError) as error:
            self.send({"refused": f"Not saved: {error}"})
            return
        self.send({"saved": row, "next": row if asked.get("stay") else self._after(row)})

    def _after(self, row: int) -> int:
        """Return the next row to be reviewed; after another scan, its neighbour."""
        if self.subjects[row]["status"] != "review":
            return min(row + 1, len(self.subjects) - 1)
        later = (waiting for waiting in self.to_decide if waiting > row)
        return next(later, min(self.to_decide, default=row))

    def _picture(self, row: int) -> bytes:
        """Read a subject's picture; empty where there is none."""
        if row >= len(self.subjects):
            return b""
        name = f"{path_part(self.subjects[row]['id'])}.png"
        found = (folder / name for folder in self._folders if (folder / name).is_file())
        path = next(found, None)
        return b"" if path is None else path.read_bytes()


def _in_order(qc: pd.DataFrame) -> pd.DataFrame:
    """Sort: what is to be reviewed first, by the number of reasons, then by the lowest Dice."""
    keys = pd.DataFrame(
        {
            "rank": qc["status"].map(RANKS),
            "reasons": -qc["reason"].fillna("").str.count("; "),
            "dice": qc["dice"].astype(float) if "dice" in qc else float("nan"),
        }
    )
    return qc.loc[keys.sort_values(["rank", "reasons", "dice"], kind="stable").index]


def _subject(row: dict[str, Any]) -> dict[str, Any]:
    number = row.get("series_number")
    decision = _text(row.get("decision"))
    others = _text(row.get("other_series"))
    return {
        "id": str(row["subject_id"]),
        "status": row["status"],
        "reason": _text(row["reason"]),
        "image_id": _text(row.get("image_id")),
        "decision": decision,
        "series_number": None if number is None or pd.isna(number) else int(number),
        "others": others.split("; ") if others else [],
        "failed": row["status"] == "excluded" and decision != REJECT,
    }


def _shown(row: Row | None) -> Row | None:
    """Return of a decision what the browser shows; some programs save series 7 as 7.0."""
    shown = row and {name: row[name].strip() for name in ("decision", "series_number", "note")}
    return shown and shown | {"series_number": shown["series_number"].removesuffix(".0")}


def _is_news(known: dict[str, Any], row: Row | None) -> bool:
    """Tell whether a decision was made, changed or taken back since the notebook ran."""
    shown = _shown(row)
    if row is None or shown is None:
        return bool(known["decision"])
    in_effect = (known["decision"], _text(known["series_number"]))
    again = known["status"] == "review" and row.get("reason") == known["reason"]
    return again or (shown["decision"], shown["series_number"]) != in_effect


def _waits(known: dict[str, Any], row: Row | None) -> bool:
    """Tell whether a person has still to look: also where a decision did not settle it."""
    return known["status"] == "review" and (row is None or not _is_news(known, row))


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
