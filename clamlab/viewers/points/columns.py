"""What a column of a table holds, as a person reads it: levels, numbers, names and units."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

FEW = 12  # a numeric column with no more whole values than this is shown as levels


def as_levels(column: pd.Series) -> tuple[list[str], list]:
    """Turn a column into level names and codes, or into plain numbers without levels.

    Missing values are None.

    Examples
    --------
    >>> as_levels(pd.Series([1.5, None]))
    ([], [1.5, None])
    >>> as_levels(pd.Series([2_000_001, 2_000_002]))
    (['2000001', '2000002'], [0, 1])
    """
    if isinstance(column.dtype, pd.CategoricalDtype):  # in the order its contract gives
        codes, levels = column.cat.codes, column.cat.categories
    else:
        codes, levels = pd.factorize(_comparable(column), sort=True)
    yes_or_no = pd.api.types.is_bool_dtype(levels)
    numbers = pd.api.types.is_numeric_dtype(levels) and not yes_or_no
    if numbers and (len(levels) > FEW or not all(float(v).is_integer() for v in levels)):
        values = pd.to_numeric(column.astype(object), errors="coerce")
        return [], [float(v) if np.isfinite(v) else None for v in values]
    names = [f"{v:.0f}" if numbers else str(v) for v in levels]
    return names, [None if c < 0 else int(c) for c in codes]


def _comparable(column: pd.Series) -> pd.Series:
    """Give words for values of several kinds, which have no order."""
    column = column.infer_objects()
    if column.dtype != object:
        return column
    return column.map(str, na_action="ignore").where(column.notna(), None)


def described(name: str, contract: Mapping[str, Any] | None) -> tuple[str, str]:
    """Give a column's title and units, as far as a contract tells them.

    Examples
    --------
    >>> described("fvc", {"properties": {"fvc": {"title": "FVC", "x-units": "litres"}}})
    ('FVC', 'litres')
    >>> described("fvc", None)
    ('fvc', '')
    """
    rule = (contract or {}).get("properties", {}).get(name, {})
    return str(rule.get("title") or name), str(rule.get("x-units") or "")


def titled(contract: Mapping[str, Any] | None, name: str, title: str) -> dict[str, Any]:
    """Give the contract in which a column has another title.

    Examples
    --------
    >>> described("fvc", titled({"properties": {"fvc": {"x-units": "litres"}}}, "fvc", "FVC"))
    ('FVC', 'litres')
    """
    contract = contract or {}
    rules = contract.get("properties", {})
    return {**contract, "properties": {**rules, name: {**rules.get(name, {}), "title": title}}}


def in_words(value: Any) -> str:
    """Write one value as a person reads it; "" where it is missing.

    Examples
    --------
    >>> [in_words(v) for v in (71.0, 2.0499999523162842, 12345678.9, True, "M", None, np.nan)]
    ['71', '2.05', '12345679', 'True', 'M', '', '']
    """
    if not isinstance(value, str) and pd.isna(value):
        return ""
    if not isinstance(value, float | np.floating):
        return str(value)
    number = float(value)
    if not np.isfinite(number) or not 1e-4 <= abs(number) < 1e15:
        return f"{value:.6g}"
    whole_digits = max(1, int(np.floor(np.log10(abs(number)))) + 1)
    written = f"{number:.{max(0, 6 - whole_digits)}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
