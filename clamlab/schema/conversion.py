"""Bring the values of a column to the types its contract names."""

import numpy as np
import pandas as pd

from clamlab.schema.contracts import kinds, levels
from clamlab.schema.naming import folded
from clamlab.schema.quantities import NUMBER, canonical_unit, read_quantities
from clamlab.schema.soundness import is_finite

# The words of a yes or no, in a few languages.
YES = {"yes", "y", "ja", "j", "oui", "si", "sí", "true", "wahr", "vrai", "1"}
NO = {"no", "n", "nein", "non", "false", "falsch", "faux", "0"}


def coerce(series: pd.Series, rule: dict) -> pd.Series:
    """Apply the contract's types where a value allows it; leave every other value as it is.

    The codes of ``x-missing`` become missing, numbers lose the unit that the contract names,
    levels take the contract's spelling where they differ in capital letters and blanks only.
    """
    wanted = kinds(rule)
    values = series.astype(object) if series.dtype == "category" else series
    values = _without_codes(values, rule.get("x-missing", []))
    if wanted == {"boolean"}:
        return values.astype(object).map(_as_truth).where(values.notna(), None)
    if values.dtype.kind not in "OU" and not pd.api.types.is_string_dtype(values):
        return _as_text(values) if wanted == {"string"} else values
    values = values.astype(object).where(values.notna(), None)
    blank = values.map(lambda v: isinstance(v, str) and not v.strip())
    values = values.where(~blank, None)
    if wanted == {"string"}:
        return _as_levels(_as_text(values), levels(rule))
    if wanted and wanted <= {"number", "integer"}:
        return _as_numbers(values, rule.get("x-units", ""))
    return values


def _without_codes(values: pd.Series, codes: list[str]) -> pd.Series:
    """Make missing what the contract calls so: "-999" in text and number, words in any case."""
    if not codes:
        return values
    words = {folded(code) for code in codes}
    numbers = {float(code) for code in codes if NUMBER.fullmatch(code.strip())}

    def is_code(value) -> bool:
        if isinstance(value, str):
            return folded(value) in words or (
                NUMBER.fullmatch(value.strip()) is not None and float(value) in numbers
            )
        return is_number(value) and float(value) in numbers

    return values.mask(values.map(is_code, na_action="ignore").eq(True).fillna(False).astype(bool))


def _as_truth(value):
    word = folded(str(int(value) if is_number(value) and value in (0, 1) else value))
    return True if word in YES else False if word in NO else value


def _as_levels(texts: pd.Series, known: list) -> pd.Series:
    """Give each text the spelling of the one level that it differs from in case or blanks only."""
    alike: dict[str, list[str]] = {}
    for level in known:
        alike.setdefault(folded(str(level)), []).append(level)

    def level_of(text: str) -> str:
        own = alike.get(folded(text), [])
        return own[0] if text not in known and len(own) == 1 else text

    return texts.map(level_of, na_action="ignore").where(texts.notna(), None) if known else texts


def _as_text(values: pd.Series) -> pd.Series:
    def text(value):
        # A column of whole numbers with a gap arrives as 12.0: its text is "12".
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        return value if isinstance(value, str) else str(value)

    return values.astype(object).map(text, na_action="ignore").where(values.notna(), None)


def _as_numbers(values: pd.Series, unit: str) -> pd.Series:
    texts = [v for v in values if isinstance(v, str)]
    said = read_quantities(texts)
    own = canonical_unit(str(unit)) or folded(str(unit))

    def number(value):
        quantity = said[value] if isinstance(value, str) else None
        if quantity and quantity.kind == "number" and quantity.unit in ("", own):
            return quantity.number
        return value

    mixed = values.map(number, na_action="ignore").where(values.notna(), None)
    # A whole number beyond all bounds fits no column; it is told as what it is.
    done = mixed.map(lambda v: is_number(v) and is_finite(v), na_action="ignore")
    done = done.where(mixed.notna(), True).astype(bool)
    return pd.to_numeric(mixed) if done.all() else mixed


def why_no_number(text: str, unit: str = "") -> str:
    """Say why a cell that should be a number is not taken for one; empty for any other word.

    Examples
    --------
    >>> why_no_number("<0.1")
    ': it is a bound, and no number is known'
    >>> why_no_number("60 y", "months")
    ": its unit is years, the contract's is months"
    """
    quantity = read_quantities([text])[text]
    if quantity.kind == "error":
        return ": the spreadsheet could not calculate it"
    if quantity.kind == "bound":
        return ": it is a bound, and no number is known"
    if quantity.kind == "unclear" or (quantity.kind == "number" and not quantity.unit):
        return ": its mark may be a decimal one or that of thousands"
    if quantity.kind == "number":
        return f": its unit is {quantity.unit}, the contract's is {unit or 'none'}"
    return ""


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
