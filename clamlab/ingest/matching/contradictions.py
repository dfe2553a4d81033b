"""Headers that speak against a match: another patient's id, sex, age or date of study.

Reasons name the field, never its value.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial

import pandas as pd

from clamlab.ingest.matching.finding import Found, Header
from clamlab.ingest.matching.writing import numeric

# So many rows must agree before one that does not is believed to be wrong: else the column, or the
# hospital's numbers, mean something else.
MOST = 0.8
FEW = 10  # of so few scans many may be wrong by themselves
YEARS_APART = 5
DAYS_APART = 1
SEX = "PatientSex"
_SEX = {
    **dict.fromkeys(("m", "male", "man", "mann", "männlich", "homme"), "M"),
    **dict.fromkeys(("f", "female", "woman", "w", "frau", "weiblich", "femme"), "F"),
}
_SEX_NAMES = ("sex", "gender", "geschlecht", "sexe")
_AGE_NAMES = ("age", "alter")
_STUDY_NAMES = ("study", "scan", "ct", "exam", "examination", "acquisition", "imaging")
_DATE_NAMES = ("date", "datum")


def contradictions(
    table: pd.DataFrame,
    ids: Sequence[str],
    scans: Mapping[str, Sequence[Found]],
    *,
    stated: bool = False,
) -> tuple[dict[str, str], list[str]]:
    """Tell which rows' scans have headers that contradict the row, and by which field.

    Parameters
    ----------
    table : DataFrame
        One row per id, in their order.
    ids : sequence of str
    scans : mapping of str to sequence of Found
        The scans of each matched row.
    stated : bool
        A person said which scan is whose: PatientIDs that are other rows' throughout are then the
        hospital's own numbers.

    Returns
    -------
    dict of str to str
        By id a reason.
    list of str
        What differs for so many rows that it refuses none.

    Raises
    ------
    ValueError
        If nobody said which scan is whose, and the sexes say that many scans are others'.
    """
    headers = {own: [h for scan in found for h in scan.headers] for own, found in scans.items()}
    rows = table.set_index(pd.Index(ids))
    told = _same_study(headers, stated=stated) | _other_patients(headers, ids, stated=stated)
    for own, why in _other_numbers(rows, headers).items():
        told.setdefault(own, why)
    doubts = []
    sex = _column(table, _SEX_NAMES)
    sexes = _SEX if sex is None else _codes_of_sex(rows[sex], headers) | _SEX
    compared: list[tuple[str, str | None, Callable]] = [
        (SEX, sex, partial(_sex_differs, sexes)),
        ("PatientAge", _column(table, _AGE_NAMES), _age_differs),
        ("StudyDate", _column(table, _STUDY_NAMES, _DATE_NAMES), _date_differs),
    ]
    for field, column, differs in compared:
        if column is None:
            continue
        answers = {own: differs(rows[column][own], found) for own, found in headers.items()}
        known = {own: answer for own, answer in answers.items() if answer is not None}
        wrong = [own for own, answer in known.items() if answer]
        believed = len(known) - len(wrong) >= MOST * len(known)
        if field == SEX and not (believed or stated or len(known) < FEW):
            raise ValueError(
                f"{field} in the headers is not that of the table's {column!r} for {len(wrong)} of "
                f"{len(known)} rows: the scans are those of other rows, or the column is wrong. "
                "Look at some; if the ids do stand there, say so (--match RULE), and only these "
                "rows are left out"
            )
        if believed or field == SEX:
            for own in wrong:
                told.setdefault(own, f"its header's {field} is not that of the table's {column!r}")
        else:
            doubts.append(
                f"{field} in the headers is not that of the table's {column!r} for {len(wrong)} of "
                f"{len(known)} rows: nobody was left out for it; does the column mean something "
                "else, or are the scans those of other rows?"
            )
    return told, doubts


def _same_study(headers: Mapping[str, list[Header]], *, stated: bool) -> dict[str, str]:
    """Find rows that have one study together: one of them has another person's scan."""
    owners: dict[str, list[str]] = {}
    for own, found in headers.items():
        for study in {h.study for h in found} - {""}:
            owners.setdefault(study, []).append(own)
    shared = [same for same in owners.values() if len(same) > 1]
    if stated and sum(map(len, shared)) > (1 - MOST) * len(headers):
        return {}  # whoever took the names out gave many the same UID
    why = "its header's StudyInstanceUID is that of {} too"
    return {
        own: why.format(", ".join(repr(other) for other in same if other != own))
        for same in shared
        for own in same
    }


def _other_patients(
    headers: Mapping[str, list[Header]], ids: Sequence[str], *, stated: bool
) -> dict[str, str]:
    """Find rows whose scan bears another row's id, or another than all the others bear."""
    rows = {numeric(own): own for own in ids}
    patients = {own: {numeric(h.patient) for h in found} - {""} for own, found in headers.items()}
    patients = {own: found for own, found in patients.items() if found}
    agree = sum(numeric(own) in found for own, found in patients.items())
    several = [own for own, found in patients.items() if len(found) > 1]
    told = dict.fromkeys(several, "its headers hold the PatientIDs of several patients")
    others = {
        own: rows[min(found)]
        for own, found in patients.items()
        if len(found) == 1 and rows.get(min(found), own) != own
    }
    if not (stated and len(others) > (1 - MOST) * len(patients)):
        told |= {own: f"its header's PatientID is that of {i!r}" for own, i in others.items()}
    if agree >= MOST * len(patients):
        strange = [own for own, found in patients.items() if numeric(own) not in found]
        why = "its header's PatientID is not its id, as all the others' are"
        told = {**dict.fromkeys(strange, why), **told}
    return told


def _other_numbers(rows: pd.DataFrame, headers: Mapping[str, list[Header]]) -> dict[str, str]:
    """Find rows whose scan bears the number that a column gives to another row, as few do."""
    told: dict[str, str] = {}
    for column in rows:
        given = {own: numeric(str(v).strip()) for own, v in rows[column].items() if pd.notna(v)}
        known = set(given.values())
        if len(known) < len(given):  # it numbers nobody
            continue
        for keyword, field in (("PatientID", "patient"), ("AccessionNumber", "accession")):
            said = {own: {numeric(getattr(h, field)) for h in headers[own]} for own in headers}
            said = {own: found & known for own, found in said.items() if own in given}
            other = [own for own, found in said.items() if found and given[own] not in found]
            if sum(given[own] in found for own, found in said.items()) > len(other):
                why = f"its header's {keyword} is that of another row's {str(column)!r}"
                told |= dict.fromkeys(other, why)
    return told


def _column(table: pd.DataFrame, *names: Iterable[str]) -> str | None:
    """Find the column whose name holds one of each names; none where several do."""
    found = [
        column
        for column in table
        if all(set(re.findall(r"[^\W\d_]+", str(column).lower())) & set(some) for some in names)
    ]
    return found[0] if len(found) == 1 else None


def _codes_of_sex(column: pd.Series, headers: Mapping[str, list[Header]]) -> dict[str, str]:
    """Learn what two codes, such as 1 and 2, mean, if nearly all scans of each say so."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for own, value in column[column.notna()].items():
        told[_word(value)] += Counter(_sexes(headers.get(str(own), [])))
    meant = {
        code: sex
        for code, found in told.items()
        for sex, n in found.most_common(1)
        if n >= MOST * found.total()
    }
    return meant if len(told) == 2 and set(meant.values()) == {"M", "F"} else {}


def _word(value: object) -> str:
    return str(value).strip().lower()


def _sexes(headers: list[Header]) -> set[str]:
    return {h.sex.upper() for h in headers} & {"M", "F"}


def _sex_differs(sexes: Mapping[str, str], value: object, headers: list[Header]) -> bool | None:
    own, said = sexes.get(_word(value)), _sexes(headers)
    return own not in said if own and said else None


def _age_differs(value: object, headers: list[Header]) -> bool | None:
    own = pd.to_numeric(value, errors="coerce")
    ages = [age for age in map(_age, headers) if age is not None]
    if pd.isna(own) or not ages:
        return None
    return all(abs(own - age) > YEARS_APART for age in ages)


def _age(header: Header) -> float | None:
    if match := re.fullmatch(r"(\d{1,3})([YMWD])", header.age.upper()):
        return int(match[1]) / {"Y": 1, "M": 12, "W": 52.18, "D": 365.25}[match[2]]
    born, seen = dates(header.born), dates(header.date)
    return (seen[0] - born[0]).days / 365.25 if born and seen else None


def _date_differs(value: object, headers: list[Header]) -> bool | None:
    own = dates(str(value).strip()) if pd.notna(value) else []
    said = [d for h in headers for d in dates(h.date)]
    if not own or not said:
        return None
    return all(abs((a - b).days) > DAYS_APART for a in own for b in said)


def dates(text: str) -> list[date]:
    """Read a date; one whose day and month could be exchanged is two."""
    found = []
    if match := re.match(r"(\d{4})[-./]?(\d{1,2})[-./]?(\d{1,2})(?!\d)", text):
        found = [(match[1], match[2], match[3])]
    elif match := re.match(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})(?!\d)", text):
        day_first, month_first = (match[4], match[3], match[1]), (match[4], match[1], match[3])
        found = [day_first] if match[2] == "." else [day_first, month_first]
    days = [_day(*map(int, parts)) for parts in found]
    return [day for day in days if day is not None]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
