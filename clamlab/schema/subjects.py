"""The column that names the subjects, and what is wrong where none does."""

import re

import pandas as pd

from clamlab.schema.naming import called_like_ids, looks_like_id
from clamlab.schema.visits import order_of, visit_column

_SHOWN = 5
# A long number as Excel shortens it: its last digits are lost.
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


def subject_column(table: pd.DataFrame, given: str | None = None) -> str:
    """Return the column that names the subjects, one row of the table each.

    Parameters
    ----------
    table : DataFrame
    given : str, optional
        Left out: the first complete column without repeats whose name says so; a scan's or a
        case's only where none is called like a person's.

    Raises
    ------
    ValueError
        If no column can, or the one given does not: which ids are missing or repeated, and what
        to do.

    Examples
    --------
    >>> subject_column(pd.DataFrame({"age": [61], "Patient No.": ["007"]}))
    'Patient No.'
    """
    if table.empty:
        raise ValueError("the table has a header and no row below it: expected one row per subject")
    if given is not None and given not in table:
        raise ValueError(f"id_column {given!r} is not in the table: {list(table.columns)}")
    called = [given] if given else called_like_ids(table)
    if not called:
        raise ValueError(
            "no column names the subjects (a complete column without repeats, called "
            f"'subject_id' or the like); give id_column, one of {list(table.columns)}"
        )
    fitting = [n for n in called if _names_rows(table[n])]
    if not fitting:
        raise ValueError(_fault(table, max(called, key=lambda n: table[n].nunique())))
    ids = table[fitting[0]].astype(str)
    if len(lost := ids[ids.map(lambda i: _SHORTENED.fullmatch(i) is not None)]):
        raise ValueError(
            f"column {fitting[0]!r}: {_listed(lost)} are numbers that a spreadsheet has shortened, "
            "so their last digits are lost: format the column as text, and fill it in again"
        )
    return fitting[0]


def _names_rows(column: pd.Series) -> bool:
    return bool(column.notna().all() and column.is_unique)


def _fault(table: pd.DataFrame, name: str) -> str:
    column = table[name]
    rows = [str(i + 1) for i in range(len(column)) if pd.isna(column.iloc[i])]
    told = [f"no id in {len(rows)} of {len(column)} rows (below the header: {_listed(rows)})"] * (
        len(rows) > 0
    )
    counts = column.value_counts()
    repeated = counts[counts > 1]
    if len(repeated):
        shown = [f"{who} ({n} rows)" for who, n in repeated.items()]
        told.append(
            f"{column.nunique()} subjects in {len(column)} rows, repeated: {_listed(shown)}"
        )
    advice = _advice(table, name, len(repeated) > 0)
    other = next((n for n in table.columns if looks_like_id(n) and _names_rows(table[n])), None)
    if other is not None:
        advice += f"; or, if each row of {other!r} is another subject, give id_column {other!r}"
    return f"column {name!r} does not name the subjects, one a row: {'; '.join(told)}; {advice}"


def _advice(table: pd.DataFrame, name: str, repeated: bool) -> str:
    if not repeated:
        return "fill in the ids"
    several = table[table[name].duplicated(keep=False)]
    if len(several.drop_duplicates()) == several[name].nunique():
        return "these rows are the same in every column: delete the second of each"
    visit = visit_column(table, name)
    if visit is None:
        return (
            "correct the ids; if these are visits, add a column that tells them apart, and choose "
            "one with --visits COLUMN=VALUE"
        )
    value = table[visit].dropna().iloc[0]
    value = f"{value:g}" if isinstance(value, float) else value
    ends = "" if order_of(table[visit]) is None else f"first:{visit}, last:{visit} or "
    return (
        f"column {visit!r} tells the rows apart: if these are visits, choose one with --visits "
        f"{ends}{visit}={value}"
    )


def _listed(things: pd.Series | list[str]) -> str:
    names = [str(thing) for thing in things]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
