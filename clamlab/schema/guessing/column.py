"""Guess what one column is, trying what it may be in turn."""

from collections import Counter

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clamlab.schema.guessing import numbers, words
from clamlab.schema.guessing.guess import CODED, NO_ROLE, Guess, role_of_name, told_by_name
from clamlab.schema.naming import looks_like_id, looks_private
from clamlab.schema.quantities import is_unknown, unit_of_name


def guess_column(series: pd.Series, *, units: str = "") -> Guess:
    """Guess what one column is.

    Parameters
    ----------
    series : Series
        As `read_table` gives it.
    units : str
        The unit that the file names for it.

    Returns
    -------
    Guess
        Without a role wherever a person has to decide first.

    Examples
    --------
    >>> guess_column(pd.Series(["60 y", "55", "unknown"], name="age")).missing
    ['unknown']
    >>> guess_column(pd.Series([3.1, 2.9, -999.0], name="FVC")).role is None
    True
    """
    name = str(series.name)
    units = units or unit_of_name(name)
    kind = "number" if is_numeric_dtype(series) and not is_bool_dtype(series) else "string"
    if looks_like_id(name):
        return Guess(kind, f"its name says that it identifies somebody{NO_ROLE}")
    if looks_private(name):
        return Guess(
            kind,
            f"its name says that it holds names, addresses, numbers, dates or remarks{NO_ROLE}",
        )
    if series.notna().sum() == 0:
        return Guess(kind, f"it is empty{NO_ROLE}")
    role = role_of_name(name)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return words.labelled(series, role)
    if is_bool_dtype(series):
        told = told_by_name(role, "no role, since its name tells none")
        return Guess("boolean", f"true or false{told}", role=role)
    if kind == "number":
        return numbers.numeric(series.dropna(), role, units)
    return _textual(series.dropna().astype(str), role, units)


def _textual(texts: pd.Series, role: str | None, units: str) -> Guess:
    known = texts[~texts.map(is_unknown)]
    unknown = Counter(texts[texts.map(is_unknown)])
    if known.empty:
        guess = Guess("string", f"no cell holds a value{NO_ROLE}")
    elif role in CODED and known.map(lambda t: t.isdecimal() and str(int(t)) == t).all():
        guess = numbers.numeric(known.astype(float), role, units)
        guess.odd = [f"{code:g}" for code in guess.odd]
    else:
        guess = (
            words.dates(known)
            or words.truths(known, role)
            or numbers.measured(known, role, units)
            or words.levels(known, role)
        )
    if unknown:
        guess.missing = list(unknown)
        guess.odd = [*guess.odd, *unknown]
        guess.why += "; taken as missing: " + ", ".join(f"{w!r} ({n})" for w, n in unknown.items())
    return guess
