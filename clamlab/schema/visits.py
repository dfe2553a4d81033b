"""One row of each subject from a table with several: the visit that a rule names."""

import re
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype

from clamlab.schema.dates import read_dates
from clamlab.schema.naming import called_like_ids, folded, words_of

_VISIT_WORDS = {
    *("visit", "visite", "session", "timepoint", "time", "wave", "date", "datum", "baseline"),
    *("followup", "follow", "exam", "untersuchung", "month", "year", "event"),
}
_SHOWN = 5
_COUNTED = re.compile(r"(?P<before>[^\d.,]*?)[ .]?(?P<n>\d{1,3})(?P<after>[^\d.,]*)")


def one_visit(
    table: pd.DataFrame, rule: str | None, *, id_column: str | None = None
) -> pd.DataFrame:
    """Take one row of each subject from a table that has one for every visit.

    Parameters
    ----------
    table : DataFrame
        Several rows may have one id.
    rule : str or None
        ``"COLUMN=VALUE"`` takes the row with that value, ``"first:COLUMN"`` and ``"last:COLUMN"``
        that with the smallest or greatest number, date, or number after a word ("V2"). None: the
        table as it is, which has to have the column of ids.
    id_column : str, optional
        Left out: the first complete column that is called like an identifier, of a person before
        all others.

    Returns
    -------
    DataFrame
        At most one row of each subject, in the order of the table; who has none is named in
        ``attrs["said"]``.

    Raises
    ------
    ValueError
        If the rule fits no row, two rows of a subject, or a column that has no order.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["S1", "S1", "S2"], "visit": [1, 2, 1], "fvc": [3.1, 2.9, 4.0]})
    >>> one_visit(table, "last:visit")["fvc"].tolist()
    [2.9, 4.0]
    """
    called = [n for n in called_like_ids(table) if table[n].notna().all()]
    people = id_column or next(iter(called), "")
    if people not in table:
        raise ValueError(
            f"no column {people!r} names the subjects: there are {list(table.columns)}"
            if people
            else f"no column names the subjects: give id_column, one of {list(table.columns)}"
        )
    if rule is None:
        return table
    match = re.fullmatch(r"(?P<end>first|last):(?P<by>.+)|(?P<column>.+?)=(?P<value>.*)", rule)
    column = (match["by"] or match["column"]) if match else ""
    if match is None or column not in table:
        raise ValueError(
            f"--visits {rule!r}: expected COLUMN=VALUE, first:COLUMN or last:COLUMN, with one of "
            f"{', '.join(map(str, table.columns))}"
        )
    if match["end"]:
        chosen = _outermost(table, people, column, last=match["end"] == "last")
    else:
        chosen = _with_value(table[column], match["value"])
    rows = table[chosen]
    _check_one_each(rows, people, rule)
    kept = rows.reset_index(drop=True)
    kept.attrs["said"] = [*table.attrs.get("said", []), _said(table, rows, people, rule)]
    return kept


def _with_value(column: pd.Series, value: str) -> pd.Series:
    texts = column.map(lambda v: f"{v:g}" if isinstance(v, float) else str(v), na_action="ignore")
    found = texts.map(lambda v: folded(v) == folded(value), na_action="ignore").eq(True)
    if not found.any():
        there = ", ".join(map(repr, texts.dropna().unique()[:_SHOWN]))
        raise ValueError(f"--visits: no row has {value!r} in {column.name!r}: there are {there}")
    return found


def _outermost(table: pd.DataFrame, people: str, column: str, *, last: bool) -> pd.Series:
    order = order_of(table[column])
    if order is None:
        raise ValueError(
            f"--visits: {column!r} has no order that can be told (expected numbers, numbers after "
            f"one word, or dates of which day and month are clear): take {column}=VALUE"
        )
    ends = order.groupby(table[people]).transform("max" if last else "min")
    return order.notna() & (order == ends)


def order_of(column: pd.Series) -> pd.Series | None:
    """Return numbers in the order of a column's numbers or dates; None where it has no order.

    Examples
    --------
    >>> order_of(pd.Series(["V1", "V10", "V2"])).tolist()
    [1.0, 10.0, 2.0]
    >>> order_of(pd.Series(["baseline", "V2"])) is None
    True
    """
    if is_numeric_dtype(column):
        return column.astype(float)
    given = column.dropna().astype(str)
    counted = [_COUNTED.fullmatch(folded(text)) for text in given]
    if len({(m["before"], m["after"]) if m else None for m in counted} - {None}) == 1 and all(
        counted
    ):
        return pd.Series([float(m["n"]) for m in counted if m], given.index).reindex(column.index)
    dates: Sequence | None = read_dates(given)
    if dates is None or None in dates:
        return None
    return pd.Series([d.toordinal() for d in dates], given.index, float).reindex(column.index)


def _check_one_each(rows: pd.DataFrame, people: str, rule: str) -> None:
    twice = rows[people][rows[people].duplicated()].unique()
    if len(twice):
        names = ", ".join(map(str, twice[:_SHOWN]))
        raise ValueError(
            f"--visits {rule!r} leaves several rows of {len(twice)} subjects ({names}): expected a "
            "rule that fits one row of each"
        )


def _said(table: pd.DataFrame, rows: pd.DataFrame, people: str, rule: str) -> str:
    said = f"of {len(table)} rows those with {rule} are taken, one of each of {len(rows)} subjects"
    without = table[people][~table[people].isin(rows[people])].dropna().unique()
    if not len(without):
        return said
    more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
    return f"{said}; without such a row, left out: {', '.join(map(str, without[:_SHOWN]))}{more}"


def visit_column(table: pd.DataFrame, people: str) -> str | None:
    """Find a column that tells apart the rows of each subject, and is called like it or ordered."""
    several = table[table[people].duplicated(keep=False)]
    telling = [
        name for name in table.columns
        if name != people and several[name].notna().all()
        and not several.duplicated([people, name]).any()
    ]  # fmt: skip
    called = [name for name in telling if _VISIT_WORDS & set(words_of(name))]
    dated = [
        n for n in telling if not is_numeric_dtype(table[n]) and order_of(table[n]) is not None
    ]
    return next(iter(called + dated), None)
