"""Values that tell who somebody is: dates, and numbers that persons and visits were given."""

import pandas as pd
from pandas.api.types import is_numeric_dtype

from clamlab.schema.dates import is_date
from clamlab.schema.naming import words_of

_LEAST_NUMBER = 10_000  # hospitals' numbers, postcodes and the days of spreadsheets are greater
_POSTCODES = range(10_000, 100_000)  # many live in the same place: these may repeat
_YEARS = ("1900-01-01", "2100-12-31")
# Day first or month first, as 2031951: a number has lost its leading zero.
_PACKED = {8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"), 6: ("%Y%m",)}
_MEASURES = {
    *("volume", "volumes", "volumen", "vol", "count", "counts", "anzahl", "cells", "zellen"),
    *("platelets", "thrombocytes", "thrombozyten", "leukocytes", "leukozyten", "dose", "dosis"),
    *("area", "density", "mass", "size", "steps", "ferritin", "bnp", "probnp"),
}


def names_somebody(values: pd.Series, *, units: str = "") -> str:
    """Learn whether a column tells who somebody is, whatever it is called.

    Parameters
    ----------
    values : Series
        Its name is heeded where it says that something is measured ("platelets").
    units : str
        Numbers with a unit are measured; dates are dates all the same.

    Returns
    -------
    str
        What most of the values are; empty where they may be measures or levels.

    Examples
    --------
    >>> names_somebody(pd.Series([20230402, 19510302])), names_somebody(pd.Series([2031951]))
    ('dates', 'dates')
    >>> names_somebody(pd.Series([7700001, 7700002], name="lab"))
    'whole numbers of five digits and more, as persons, visits and places have'
    >>> names_somebody(pd.Series([212000, 187000], name="platelets"))
    ''
    """
    given = values.dropna()
    if not is_numeric_dtype(given):
        texts = given.astype(str)
        dated = texts.isin([text for text in texts.unique() if is_date(text)])
        return "dates" if dated.mean() > 0.5 else ""
    given = given.astype(float)
    given = given[given != 0]  # a usual code for unknown
    if given.empty or (given % 1 != 0).any():
        return ""
    if _are_packed_dates(given):
        return "dates"
    if units or _MEASURES & set(words_of(str(values.name))):
        return ""
    long = given.abs() >= _LEAST_NUMBER
    alone = given.nunique() > len(given) / 2
    if long.mean() > 0.5 and (alone or given.isin(_POSTCODES).mean() > 0.5):
        return "whole numbers of five digits and more, as persons, visits and places have"
    return ""


def _are_packed_dates(numbers: pd.Series) -> bool:
    """Tell whether most numbers are dates in one order: 20240229, 9021951, 202402."""
    texts = numbers.map("{:.0f}".format)
    return any(
        pd.to_datetime(texts.str.zfill(length).where(texts.str.len() <= length), format=order,
                       errors="coerce").between(*_YEARS).mean() > 0.5
        for length, orders in _PACKED.items() for order in orders
    )  # fmt: skip
