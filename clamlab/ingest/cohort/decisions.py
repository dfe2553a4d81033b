"""What a person decided about scans, and what that makes of what ingestion found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

REJECT, ACCEPT, SERIES = "reject", "accept", "series"
FILE = "decisions.csv"  # where people find the table
NAMED = 10  # so many ids stand in a message before "and N more"


@dataclass(frozen=True)
class Decision:
    """What a person decided about one subject.

    Attributes
    ----------
    kind : {"accept", "reject", "series"}
    series_number : int or None
        The series that is taken; also of a scan that was accepted or rejected after it was chosen.
    note : str
    reason : str
        What ingestion had found when it was decided; empty where that is not known.
    image_id : str
        Which image was looked at; empty where that is not known.
    """

    kind: str
    series_number: int | None = None
    note: str = ""
    reason: str = ""
    image_id: str = ""

    @property
    def words(self) -> str:
        """Say what was decided, as a reason of its own."""
        done = {
            ACCEPT: "a person accepted it",
            REJECT: "a person rejected it",
            SERIES: f"a person took series {self.series_number}",
        }[self.kind]
        # Reasons stand in one cell, parted by semicolons.
        return f"{done}: {self.note.replace(';', ',')}" if self.note else done


def decisions_by_subject(
    table: pd.DataFrame | None, subjects: Iterable[str]
) -> dict[str, Decision]:
    """Read a table of decisions; none may be lost on a subject that there is not.

    Raises
    ------
    ValueError
        If the table decides about a subject that is not in the cohort, or twice about one.
    """
    if table is None:
        return {}
    names = [str(name) for name in table["subject_id"]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{FILE}: expected one row for a subject, found two for {_few(twice)}")
    known = set(subjects)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"{FILE}: {_few(unknown)} {'is' if len(unknown) == 1 else 'are'} not in the cohort, "
            "so that what was decided would be lost: correct the id there, or take the "
            "row out (01_cohort/exclusions.csv says why a subject is not in the cohort)"
        )
    return {
        name: Decision(
            kind=str(row["decision"]),
            series_number=None if pd.isna(row["series_number"]) else int(row["series_number"]),
            note=_line(row.get("note")),
            reason=_line(row.get("reason")),
            image_id=_line(row.get("image_id")),
        )
        for name, row in zip(names, table.to_dict("records"), strict=True)
    }


def is_rejected(decided: Mapping[str, Decision], subject: str) -> bool:
    """Tell whether a person rejected a subject."""
    return subject in decided and decided[subject].kind == REJECT


def with_series(cohort: pd.DataFrame, decided: Mapping[str, Decision]) -> pd.DataFrame:
    """Put the series that a person took into the cohort's column ``series_number``."""
    taken = {name: d.series_number for name, d in decided.items() if d.series_number is not None}
    if not taken:
        return cohort
    before = cohort.get("series_number", pd.Series(None, cohort.index, dtype=object))
    numbers = [
        taken.get(str(name), was) for name, was in zip(cohort["subject_id"], before, strict=True)
    ]
    return cohort.assign(series_number=pd.Series(numbers, cohort.index, dtype=object))


def judged(
    found: list[str], decision: Decision | None, *, failed: bool, image_id: str | None = None
) -> tuple[str, list[str]]:
    """Return a subject's status and all reasons for it, a person's first.

    What was accepted is the image that was looked at, with what had been found then: where either
    is another since, a person has to look again.

    Parameters
    ----------
    found : list of str
        What ingestion found.
    decision : Decision or None
    failed : bool
        Whether the scan could not be used.
    image_id : str or None
        Which image it is; None where there is none.

    Examples
    --------
    >>> judged(["lung volume 900 ml"], Decision("accept", note="a child"), failed=False)
    ('ok', ['a person accepted it: a child', 'lung volume 900 ml'])
    >>> seen = Decision("accept", reason="lung volume 900 ml", image_id="1f")
    >>> judged(["the lungs are cut at the top of the scan"], seen, failed=False)[0]
    'review'
    >>> judged([], seen, failed=False, image_id="2e")
    ('review', ['a person accepted it (it is another image since: look again)'])
    """
    status = "excluded" if failed else "review" if found else "ok"
    if decision is None:
        return status, found
    said = decision.words
    new_image = bool(decision.image_id and image_id) and decision.image_id != image_id
    unseen = decision.reason and not _findings(*found) <= _findings(decision.reason)
    if decision.kind == REJECT:
        status = "excluded"
        said += " (it is another image since: look again)" if new_image else ""
    elif decision.kind == ACCEPT and failed:
        said += " (but it cannot be used)"
    elif decision.kind == ACCEPT and new_image:
        status, said = "review", f"{said} (it is another image since: look again)"
    elif decision.kind == ACCEPT and unseen:
        said += " (before all of this was found: look again)"
    elif decision.kind == ACCEPT:
        status = "ok"
    return status, [said, *found]


def _findings(*reasons: str) -> set[str]:
    return {part for reason in reasons for part in _line(reason).split("; ")}


def _line(text: object) -> str:
    return "" if pd.isna(text) else " ".join(str(text).split())


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
