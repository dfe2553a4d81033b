"""Hold a table against its contract: every violation at once, by subject."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clamlab.schema.contracts import (
    ANNOTATIONS,
    check_contract,
    columns_with_role,
    kinds,
    levels,
    nullable,
)
from clamlab.schema.conversion import coerce, is_number, typed, why_no_number
from clamlab.schema.soundness import is_finite
from clamlab.schema.validators import is_named, validator_of

_FIELDS = ["subject_id", "row", "column", "value", "rule", "message"]
_IDS_SHOWN = 5

# A column ruled by these alone is an interval: its smallest and largest value speak for all.
LARGEST = 2**63  # whole numbers are kept in 64 bits
_INTERVAL = {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
# Keywords of the whole contract that are checked column by column, or say nothing of rows.
_HANDLED = {"$schema", "$id", "type", "properties", "required", "additionalProperties"}


class TableError(ValueError):
    """A table breaks its contract; ``violations`` lists each breach with its subject.

    Attributes
    ----------
    violations : DataFrame
        One row per breach: ``subject_id`` (missing where the table has no id column), ``row``
        (position from 0; missing where the whole column is meant), ``column``, ``value``,
        ``rule`` (the JSON Schema keyword, or ``unique``, ``reference``, ``finite``) and
        ``message``.
    """

    def __init__(self, violations: pd.DataFrame, *, name: str = "the table"):
        self.violations = violations
        super().__init__(_summary(violations, name))


def check_table(
    table: pd.DataFrame,
    schema: dict,
    *,
    references: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Get a typed table that keeps its contract, or learn everything that is wrong with it.

    A text file holds no types, so the contract's types are applied first: "12" becomes a number
    where a number is asked for, 12 becomes "12" where a text is. Its other words are heeded, too:
    codes of ``x-missing`` become missing, "60 y" becomes 60 where ``x-units`` is years, and "M "
    the level "m". A bound such as "<0.1" is never a number.

    Parameters
    ----------
    table : DataFrame
        One row per object of the contract.
    schema : dict
        The contract (see `load_schema`). A missing value is allowed exactly where ``type``
        names ``null``.
    references : mapping of column name to DataFrame, optional
        Tables that must know every value of that column, under the same column name.

    Returns
    -------
    DataFrame
        A copy with the same rows and columns. Integers are ``Int64`` (nullable), numbers
        ``float64``, texts ``str``, columns with ``enum`` categories in the contract's order
        (``ordered`` for stages and visual scores). Columns that the contract does not name
        are left unchanged. ``attrs["said"]`` tells how many cells were made missing or a level.

    Raises
    ------
    TableError
        With all violations, if there are any.
    ValueError
        If the contract itself is wrong.

    Examples
    --------
    >>> contract = {"properties": {"subject_id": {"type": "string", "x-role": "id"},
    ...                            "age": {"type": "number", "minimum": 0, "x-units": "years"}}}
    >>> table = pd.DataFrame({"subject_id": ["S1", "S2"], "age": [61.0, -3.0]})
    >>> try:
    ...     check_table(table, contract)
    ... except TableError as error:
    ...     print(error)
    the table breaks its contract in 1 place:
      age: -3.0 years is below the minimum of 0 years (1 value; S2)
    """
    schema = check_contract(schema)
    rules = schema.get("properties", {})
    coerced = table.copy()
    for name in table.columns.intersection(list(rules)):
        coerced[name] = coerce(table[name], rules[name])
    found = list(_violations(coerced, schema, references or {}))
    if found:
        violations = pd.DataFrame(found, columns=_FIELDS).astype({"row": "Int64"})
        raise TableError(violations, name=schema.get("title", "the table"))
    said = [s for name in coerced.columns.intersection(list(rules))
            for s in _said(name, table[name], coerced[name])]  # fmt: skip
    for name in coerced.columns.intersection(list(rules)):
        coerced[name] = typed(coerced[name], rules[name])
    if said:
        coerced.attrs["said"] = [*table.attrs.get("said", []), *said]
    return coerced


def _said(name: str, before: pd.Series, after: pd.Series) -> Iterator[str]:
    """Say which cells were made missing or written as a level by the contract."""
    given = before.notna() & np.array([bool(str(value).strip()) for value in before], dtype=bool)
    gone = before[given & after.isna()]
    if len(gone):
        yield f"{name}: {_cells(gone)} taken as missing"
    other = before.astype(object) != after.astype(object)
    respelt = before[other & given & after.notna() & _are_texts(before) & _are_texts(after)]
    if len(respelt):
        yield f"{name}: {_cells(respelt)} taken as a level that is written otherwise"


def _are_texts(values: pd.Series) -> np.ndarray:
    return np.array([isinstance(value, str) for value in values], dtype=bool)


def _cells(values: pd.Series) -> str:
    shown = ", ".join(repr(value) for value in values.astype(object).unique()[:_IDS_SHOWN])
    return f"{len(values)} cell{'s' if len(values) > 1 else ''} ({shown})"


def _violations(table: pd.DataFrame, schema: dict, references: Mapping) -> Iterator[tuple]:
    rules = schema.get("properties", {})
    id_column = next((c for c in columns_with_role(schema, "id") if c in table), None)
    ids = table[id_column].to_numpy(dtype=object) if id_column else np.full(len(table), None)

    def at(positions, column, value, rule, message):
        return [(ids[i], i, column, value, rule, message) for i in positions]

    yield from _column_violations(table, schema)
    contract = validator_of(schema)
    for name in table.columns.intersection(list(rules)):
        own = contract.evolve(schema=rules[name])
        for positions, value, rule, message in _value_violations(table[name], rules[name], own):
            yield from at(positions, name, value, rule, message)
    for i, error in _row_violations(table, schema):
        column = str(error.absolute_path[0]) if error.absolute_path else ""
        # A row as a whole is everything known of a person: it is not repeated in a message.
        whole = isinstance(error.instance, dict)
        message = (
            error.message.replace(repr(error.instance), "the row") if whole else _in_words(error)
        )
        value = None if whole else error.instance
        yield from at([i], column, value, str(error.validator), message)
    if id_column:
        for value, positions in _places(table[id_column]):
            if len(positions) > 1:
                yield from at(positions, id_column, value, "unique", f"{value!r} is not unique")
    for name, other in references.items():
        for value, positions in _unknown(table, name, other):
            message = f"{value!r} is not in the table it refers to"
            yield from at(positions, name, value, "reference", message)


def _column_violations(table: pd.DataFrame, schema: dict) -> Iterator[tuple]:
    missing = f"the column is missing (there are: {', '.join(map(str, table.columns))})"
    for name in schema.get("required", []):
        if name not in table:
            yield None, None, name, None, "required", missing
    if schema.get("additionalProperties") is False:
        unknown = "the contract has no such column"
        for name in table.columns:
            if not is_named(name, schema):
                yield None, None, name, None, "additionalProperties", unknown


def _value_violations(
    series: pd.Series, rule: dict, validator: Draft202012Validator
) -> Iterator[tuple]:
    """Yield (positions, value, keyword, message) for each distinct value that breaks the rule."""
    missing = np.flatnonzero(series.isna())
    if len(missing) and not nullable(rule):
        yield missing, None, "type", "a value is missing, and the contract asks for one"
    given = series.dropna()
    if _only_bounded(given, rule) and _ends_fit(given, validator):
        return
    for value, positions in _places(series):
        for keyword, message in _errors(validator, value):
            yield positions, value, keyword, message


def _places(series: pd.Series) -> Iterator[tuple]:
    """Yield each distinct value with its positions in the table."""
    codes, values = pd.factorize(series.to_numpy(dtype=object))
    for code, positions in pd.Series(codes).groupby(codes).indices.items():
        if code >= 0:
            yield values[code], positions


def _only_bounded(series: pd.Series, rule: dict) -> bool:
    keywords = {k for k in rule if not k.startswith("x-")} - ANNOTATIONS
    whole = "number" in kinds(rule) or series.dtype.kind in "iu"
    return (
        is_numeric_dtype(series) and not is_bool_dtype(series) and whole and keywords <= _INTERVAL
    )


def _ends_fit(values: pd.Series, validator: Draft202012Validator) -> bool:
    return not any(_errors(validator, end) for end in (values.min(), values.max()))


def _errors(validator: Draft202012Validator, value) -> list[tuple[str, str]]:
    value = value.item() if isinstance(value, np.generic) else value
    if is_number(value) and not is_finite(value):
        return [("finite", f"{value!r} is not a finite number")]
    if is_number(value) and kinds(validator.schema) == {"integer"} and abs(value) >= LARGEST:
        return [("finite", f"{value!r} is a whole number of more digits than can be kept")]
    return [(str(e.validator), _in_words(e)) for e in validator.iter_errors(value)]


def _in_words(error: ValidationError) -> str:
    """Say what is wrong with a value, with its unit."""
    if not isinstance(error.schema, dict):
        return error.message
    limit, unit = error.validator_value, error.schema.get("x-units")
    unit = f" {unit}" if unit and is_number(error.instance) else ""
    if error.instance is None and error.validator == "type":
        return "a value is missing, and the contract asks for one"
    value = f"{error.instance!r}{unit}"
    phrases = {
        "minimum": f"{value} is below the minimum of {limit}{unit}",
        "maximum": f"{value} is above the maximum of {limit}{unit}",
        "exclusiveMinimum": f"{value} must be more than {limit}{unit}",
        "exclusiveMaximum": f"{value} must be less than {limit}{unit}",
        "enum": f"{value} is not one of {', '.join(map(repr, levels(error.schema)))}",
        "type": f"{value} is not a {' or '.join(sorted(kinds(error.schema)))}{_why(error)}",
    }
    return phrases.get(str(error.validator), error.message)


def _why(error: ValidationError) -> str:
    asked = kinds(error.schema) <= {"number", "integer"}
    if not asked or not isinstance(error.instance, str):
        return ""
    return why_no_number(error.instance, error.schema.get("x-units", ""))


def _row_violations(table: pd.DataFrame, schema: dict) -> Iterator[tuple[int, ValidationError]]:
    """Check what a contract says about several columns together (if/then, anyOf, ...)."""
    annotations = ANNOTATIONS | {k for k in schema if k.startswith("x-")}
    together = {k: v for k, v in schema.items() if k not in _HANDLED | annotations}
    if not together:
        return
    validator = validator_of(schema).evolve(schema=together)
    objects = table.astype(object).where(table.notna(), None)
    for i, row in enumerate(objects.to_dict("records")):
        for error in validator.iter_errors(row):
            yield i, error


def _unknown(table: pd.DataFrame, name: str, other: pd.DataFrame) -> Iterator[tuple]:
    for side, columns in (("this table", table.columns), ("the other table", other.columns)):
        if name not in columns:
            raise ValueError(f"reference {name!r}: {side} has no such column")
    known = set(other[name].dropna().astype(str))
    return ((value, where) for value, where in _places(table[name]) if str(value) not in known)


def _summary(violations: pd.DataFrame, name: str) -> str:
    count = len(violations)
    lines = [f"{name} breaks its contract in {count} place{'s' if count > 1 else ''}:"]
    for (column, _), group in violations.groupby(["column", "rule"], sort=False):
        lines.append(f"  {column}: {group['message'].iloc[0]}{_who(group)}")
    return "\n".join(lines)


def _who(group: pd.DataFrame) -> str:
    """Count the values of a group and name its first subjects."""
    if group["row"].isna().all():
        return ""
    names = group["subject_id"].where(
        group["subject_id"].notna(), "row " + group["row"].astype(str)
    )
    more = ", ..." if len(names) > _IDS_SHOWN else ""
    plural = "s" if len(group) > 1 else ""
    return f" ({len(group)} value{plural}; {', '.join(map(str, names[:_IDS_SHOWN]))}{more})"
