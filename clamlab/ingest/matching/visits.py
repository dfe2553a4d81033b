"""Which of a patient's studies is meant, where there are several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from clamlab.ingest.matching.contradictions import dates
from clamlab.ingest.matching.finding import Found, Header
from clamlab.ingest.matching.writing import numeric

FIRST, LAST, NEAREST = "first", "last", "nearest:"
HOW = "say which: --visit first, last, nearest:COLUMN, or a column that names it"


class Undecided(ValueError):
    """Several studies could be meant; the message says why none was taken."""


@dataclass
class Study:
    """One study of a patient: an examination with its series, or one NIfTI file."""

    scans: list[Found] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)

    @property
    def when(self) -> tuple[str, str]:
        """Date and time as the headers write them; empty where they do not."""
        return min(((h.date, h.time) for h in self.headers), default=("", ""))

    @property
    def day(self) -> date | None:
        """The day, where it is known."""
        return next(iter(dates(self.when[0])), None)

    @property
    def names(self) -> set[str]:
        """What a column may call it: accession number, UID, date, or a name along its path."""
        told = {text for h in self.headers for text in (h.accession, h.study, h.study_id)}
        parts = {part for scan in self.scans for name in scan.names for part in name.split("_")}
        parts |= {name for scan in self.scans for name in scan.names}
        sessions = {part.removeprefix("ses-") for part in parts}
        return {numeric(text) for text in told | parts | sessions if text}


def studies_of(scans: Sequence[Found]) -> list[Study]:
    """Sort a patient's scans into studies, the earliest first."""
    found: dict[str, Study] = {}
    for scan in scans:
        if scan.is_nifti:
            found[scan.path.as_posix()] = Study([scan])
        for header in scan.headers:
            study = found.setdefault(header.study, Study())
            study.headers.append(header)
            if scan not in study.scans:
                study.scans.append(scan)
    return [study for _, study in sorted(found.items(), key=lambda item: (item[1].when, item[0]))]


def choose_study(studies: list[Study], visit: str | None, row: Mapping[str, object]) -> int:
    """Choose a study by a person's rule; return its number in the list.

    Parameters
    ----------
    studies : list of Study
        From :func:`studies_of`.
    visit : str or None
        "first", "last", "nearest:COLUMN" with a column of dates, or a column that holds a date,
        an accession number, a study's UID or a session's name.
    row : mapping
        The patient's row of the table.

    Raises
    ------
    Undecided
        If none, or more than one, is what the rule says.
    """
    if visit is not None and visit not in (FIRST, LAST) and not visit.startswith(NEAREST):
        return _named(studies, visit, row)
    if len(studies) == 1:
        return 0
    if visit is None:
        raise Undecided(f"{len(studies)} studies could be meant; {HOW}")
    if visit in (FIRST, LAST):
        return _first_or_last(studies, visit)
    return _nearest(studies, visit.removeprefix(NEAREST), row)


def _first_or_last(studies: list[Study], visit: str) -> int:
    whens = [study.when for study in studies]
    wanted = min(whens) if visit == FIRST else max(whens)
    if not all(day for day, _ in whens) or whens.count(wanted) > 1:
        raise Undecided(f"{len(studies)} studies could be meant, and no dates tell them apart")
    return whens.index(wanted)


def _nearest(studies: list[Study], column: str, row: Mapping[str, object]) -> int:
    own = dates(str(row[column]).strip())
    days = [study.day for study in studies]
    if len(own) != 1 or None in days:
        what = "no one date" if len(own) != 1 else "studies without a date"
        raise Undecided(f"{len(studies)} studies could be meant, and {column!r} meets {what}")
    distances = [abs((day - own[0]).days) for day in days if day is not None]
    if distances.count(min(distances)) > 1:
        raise Undecided(f"two of {len(studies)} studies are as near to {column!r}")
    return distances.index(min(distances))


def _named(studies: list[Study], column: str, row: Mapping[str, object]) -> int:
    value = "" if pd.isna(row[column]) else str(row[column]).strip()
    own = set(dates(value))
    # A cell may be blank, and headers without a date, where there is nothing to choose.
    if len(studies) == 1 and (not value or (own and studies[0].day is None)):
        return 0
    # Such as the patient's id.
    of_all = set.intersection(*(study.names for study in studies)) if len(studies) > 1 else set()
    meant = [
        i
        for i, study in enumerate(studies)
        if numeric(value) in study.names - of_all or (study.day is not None and study.day in own)
    ]
    if len(meant) != 1:
        if len(studies) == 1:
            raise Undecided(f"its one study is not that which {column!r} names")
        many = f"{len(meant)} of" if meant else "none of"
        raise Undecided(f"{column!r} names {many} its {len(studies)} studies")
    return meant[0]
