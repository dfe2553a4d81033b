"""What a column holds: identifiers and words as they stand, numbers where every cell is one."""

import math
import re
from typing import Any

import pandas as pd

from clamlab.schema.naming import looks_like_id
from clamlab.schema.quantities import (
    DECIMAL_COMMA,
    LEADING_ZERO,
    NUMBER,
    UNCLEAR_COMMA,
    UNCLEAR_POINT,
    points_are_unclear,
    read_quantities,
)

# "None" is not here: it is a level of its own in many clinical tables.
MISSING = {"", "NA", "N/A", "n/a", "na", "NaN", "nan", "#N/A", "NULL", "null", "."}

_WHOLE = re.compile(r"(0|[1-9]\d*)([.,]0+)?", re.ASCII)
_MOST_OF_A_NUMBER = 10**15


def without_missing(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take away what programs write where there is no value, and say how often."""
    counts: dict[str, int] = {}

    def cleaned(cell: Any) -> Any:
        if isinstance(cell, str) and cell in MISSING:
            counts[cell] = counts.get(cell, 0) + 1
            return None
        return cell

    cells = cells.map(cleaned)
    if not counts:
        return cells, []
    words = ", ".join(f"{word!r} ({n})" for word, n in sorted(counts.items()))
    return cells, [f"taken as missing: {words}"]


def without_decimals(cells: pd.DataFrame, names: dict[int, str]) -> tuple[pd.DataFrame, list[str]]:
    """Write ids as they were before a program took them for numbers: "7.0" is 7; say which."""
    said = []
    for c, name in names.items():
        ids = [cell for cell in cells[c].dropna() if isinstance(cell, str)]
        decimal = [i for i in ids if "." in i or "," in i]
        if not decimal or not looks_like_id(name) or not all(map(_WHOLE.fullmatch, ids)):
            continue
        whole = cells[c].map(lambda i: re.split("[.,]", i)[0] if isinstance(i, str) else i)
        cells = cells.copy()
        cells[c] = whole
        said.append(f"column {name!r}: ids such as {decimal[0]!r} are read without their decimals")
    return cells, said


def check_marks(cells: pd.DataFrame, names: dict[int, str]) -> None:
    """Refuse numbers whose point may mark thousands, in a file that has decimal commas elsewhere.

    Raises
    ------
    ValueError
        With the column and one of its cells.
    """
    texts = {c: [t for t in cells[c].dropna() if isinstance(t, str)] for c in names}
    commas = {c for c, found in texts.items() if any(_is_decimal_comma(t) for t in found)}
    for c in texts.keys() - commas if commas else ():
        points = [t for t in texts[c] if NUMBER.fullmatch(t) and "." in t]
        if points and all(UNCLEAR_POINT.fullmatch(t) for t in points):
            raise ValueError(
                f"column {names[c]!r}: {points[0]!r} may be {points[0]} or "
                f"{points[0].replace('.', '')}, since column {names[min(commas)]!r} has decimal "
                "commas: export the table without marks of thousands"
            )


def has_decimal_points(cells: pd.DataFrame, names: dict[int, str]) -> bool:
    """Tell whether a point somewhere in a table is a decimal one for certain.

    Where commas part the cells it mostly is; "72,5" in quotes beside "1.234" tells otherwise.
    """
    texts = (t for c in names for t in cells[c].dropna() if isinstance(t, str) and "." in t)
    return any(NUMBER.fullmatch(t) and not UNCLEAR_POINT.fullmatch(t) for t in texts)


def taken_for_decimal(cells: pd.DataFrame, names: dict[int, str]) -> list[str]:
    """Say which points are read as decimal ones, though nothing in their column tells it."""
    said = []
    for c, name in names.items():
        texts = [t for t in cells[c].dropna() if isinstance(t, str)]
        points = [t for t in texts if "." in t]
        if looks_like_id(name) or points_are_unclear(texts):  # kept as they stand
            continue
        if points and all(UNCLEAR_POINT.fullmatch(t) for t in points):
            text = points[0]
            said.append(
                f"column {name!r}: {text!r} is read as {text}, not as {text.replace('.', '')}; if "
                "its point marks thousands, export the table without"
            )
    return said


def _is_decimal_comma(text: str) -> bool:
    return DECIMAL_COMMA.fullmatch(text) is not None and not UNCLEAR_COMMA.fullmatch(text)


def column_of(name: str, values: pd.Series, *, decimal_comma: bool) -> pd.Series:
    """Type one column: numbers if every value is one for certain, else texts.

    Parameters
    ----------
    name : str
        What is called like an identifier stays text.
    values : Series
        Cells, None where they are blank.
    decimal_comma : bool
        Whether a comma within a cell may be a decimal mark.
    """
    given = values.dropna()
    if looks_like_id(name):
        _check_digits(name, given)
    texts = given[given.map(lambda v: isinstance(v, str))]
    if len(given) and given.map(lambda v: isinstance(v, bool)).all():
        return values.astype("boolean")
    if not looks_like_id(name) and len(given):
        numbers = _numbers(given, texts, decimal_comma=decimal_comma)
        if numbers is not None:
            return pd.to_numeric(numbers.reindex(values.index))
    return values.map(_text, na_action="ignore").astype("str")


def _check_digits(name: str, ids: pd.Series) -> None:
    long = [i for i in ids if isinstance(i, int | float) and abs(i) >= _MOST_OF_A_NUMBER]
    if long:
        raise ValueError(
            f"column {name!r}: {long[0]:.0f} is a number of more digits than a spreadsheet keeps "
            "(15), so the last ones are lost: format the column as text, and fill it in again"
        )


def _numbers(given: pd.Series, texts: pd.Series, *, decimal_comma: bool) -> pd.Series | None:
    others = given.drop(texts.index)
    if not others.map(lambda v: isinstance(v, int | float) and not isinstance(v, bool)).all():
        return None
    if decimal_comma and points_are_unclear(texts):
        return None
    if decimal_comma and texts.map(lambda v: "." not in v).all():
        commas = texts[texts.map(lambda v: DECIMAL_COMMA.fullmatch(v) is not None)]
        known = read_quantities([*commas, *others.map(str)])
        if any(known[text].kind == "unclear" for text in commas):
            return None
        points = texts.map(lambda v: v.replace(",", "."))
        texts = texts.where(~texts.index.isin(commas.index), points)
    return pd.concat([others, texts]) if texts.map(_is_plain).all() else None


def _is_plain(text: str) -> bool:
    return (
        NUMBER.fullmatch(text) is not None
        and LEADING_ZERO.match(text) is None
        and math.isfinite(float(text))
    )


def _text(cell: Any) -> str:
    # Excel keeps an identifier such as 12 as the number 12.0.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
