"""Bring the values of a column to the types its contract names."""

import numpy as np
import pandas as pd

from clamlab.schema.contracts import kinds, levels
from clamlab.schema.soundness import is_finite


def coerce(series: pd.Series, rule: dict) -> pd.Series:
    """Apply the contract's types where a value allows it; leave every other value as it is."""
    wanted = kinds(rule)
    values = series.astype(object) if series.dtype == "category" else series
    if values.dtype.kind not in "OU" and not pd.api.types.is_string_dtype(values):
        return _as_text(values) if wanted == {"string"} else values
    values = values.astype(object).where(values.notna(), None)
    blank = values.map(lambda v: isinstance(v, str) and not v.strip())
    values = values.where(~blank, None)
    if wanted == {"string"}:
        return _as_text(values)
    if wanted and wanted <= {"number", "integer"}:
        return _as_numbers(values)
    if wanted == {"boolean"}:
        return values.map(lambda v: {"true": True, "false": False}.get(str(v).lower(), v))
    return values


def _as_text(values: pd.Series) -> pd.Series:
    def text(value):
        # A column of whole numbers with a gap arrives as 12.0: its text is "12".
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        return value if isinstance(value, str) else str(value)

    return values.astype(object).map(text, na_action="ignore").where(values.notna(), None)


def _as_numbers(values: pd.Series) -> pd.Series:
    texts = values.map(lambda v: isinstance(v, str))
    numbers = pd.to_numeric(values.where(texts), errors="coerce")
    mixed = values.where(numbers.isna(), numbers)
    # A whole number beyond all bounds fits no column; it is told as what it is.
    done = mixed.map(lambda v: is_number(v) and is_finite(v), na_action="ignore")
    done = done.fillna(True).astype(bool)
    return pd.to_numeric(mixed) if done.all() else mixed


def typed(series: pd.Series, rule: dict) -> pd.Series:
    """Give a checked column the dtype that its contract means."""
    wanted = kinds(rule)
    if levels(rule):
        ordered = rule.get("x-role") in ("staging", "visual_score")
        kind = pd.CategoricalDtype(levels(rule), ordered=ordered)
        return series.astype(object).astype(kind)
    dtypes = {
        "integer": "Int64",
        "number": "float64",
        "string": "str",
        "boolean": "boolean",
    }
    if wanted == {"integer", "number"}:
        return series.astype("float64")
    if len(wanted) != 1 or not wanted <= set(dtypes):
        return series
    return series.astype(dtypes[next(iter(wanted))])


def is_number(value) -> bool:
    """Tell a number from a truth value, which Python counts as one."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
