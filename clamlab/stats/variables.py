"""What a contract says about the columns: which to tabulate, how, and where each comes from."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

TABLE_ROLES = ("demographic", "scanner", "staging", "visual_score")
KNOWN_ROLES = (*TABLE_ROLES, "outcome", "id")
READ_FROM_IMAGE = ("staging", "visual_score")
SOURCES = ("external", "reader", "derived")
DERIVED_REASON = (
    "derived from the images that made the clusters: a test would call even noise significant, "
    "so only effect sizes are given"
)
# The way to a scale and back. log1p is for counts and concentrations that may be 0.
TRANSFORMS: dict[str, tuple[Callable, Callable]] = {
    "": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
}
# What models hold that are compared: each covariate is a demographic, or not, or there is none.
DEMOGRAPHICS, COVARIATES, NOTHING = "demographics", "covariates", "mean alone"
BASES = (DEMOGRAPHICS, COVARIATES, NOTHING)
_AFFIRMATIVE = {"yes", "true", "present", "positive"}
# A number, and words that every variable may have as a level.
_SAYS_LITTLE = re.compile(
    r"\W*\d|(no|not|none|never|ever|false|absent|negative|normal|abnormal|others?|unknown|n)\b",
    re.I,
)


@dataclass(frozen=True)
class Variable:
    """One column of the clinical table as its contract describes it.

    ``levels`` keeps the contract's order and is empty for a numeric variable;
    ``reference`` is the level that the others are compared with.
    """

    name: str
    title: str
    role: str
    source: str
    units: str = ""
    transform: str = ""
    levels: tuple[str, ...] = ()
    reference: str = ""

    @property
    def is_categorical(self) -> bool:
        """Whether the values are levels rather than measurements."""
        return bool(self.levels)

    @property
    def label(self) -> str:
        """Title with transform and units, as an axis or a table prints it."""
        title = f"{self.title} ({self.transform})" if self.transform else self.title
        return f"{title}, {self.units}" if self.units else title

    def values(self, table: pd.DataFrame) -> pd.Series:
        """Give the column as floats, or as strings for a category.

        What is absent is missing, and so is what is none of a category's levels.
        """
        column = table[self.name]
        if not self.is_categorical:
            return pd.to_numeric(column, errors="coerce").astype(float)
        names = {value: level_name(value) for value in column.dropna().unique()}
        declared = {value: name for value, name in names.items() if name in self.levels}
        return column.astype(object).map(declared).astype(object)

    def undeclared(self, table: pd.DataFrame) -> str:
        """Say how many values are none of the levels that the contract gives; empty if none is."""
        if not self.is_categorical:
            return ""
        count = int((table[self.name].notna() & self.values(table).isna()).sum())
        return f"{count} values are not declared levels: counted as missing" if count else ""

    def transformed(self, table: pd.DataFrame) -> pd.Series:
        """Give the column on the scale it is modelled on: logarithms where the contract asks."""
        values = self.values(table)
        if not self.transform:
            return values
        to_scale, _ = TRANSFORMS[self.transform]
        return to_scale(values.where(values > 0 if self.transform == "log" else values >= 0))


def level_name(value: object) -> str:
    """Print a level the same whether a file gave 2, 2.0 or '2'.

    >>> level_name(2.0), level_name("2"), level_name(True)
    ('2', '2', 'true')
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def printed_name(title: str, shown: str, *, other: str, elsewhere: Collection[str] = ()) -> str:
    """Name a two-level variable by the level a paper counts: 'Male', or 'Hispanic' for yes/no.

    The title stays where the level alone does not say which variable it is of.

    Parameters
    ----------
    title : str
    shown, other : str
        The level that is counted, and the one that is not.
    elsewhere : collection of str
        Levels and titles of other variables, in lower case.

    Returns
    -------
    str

    Examples
    --------
    >>> printed_name("Sex", "male", other="female"), printed_name("Hispanic", "yes", other="no")
    ('Male', 'Hispanic')
    >>> printed_name("Sex", "2", other="1"), printed_name("Diabetes", "false", other="true")
    ('Sex: 2', 'Diabetes: no')
    """
    if shown.lower() in _AFFIRMATIVE or (other, shown) == ("0", "1"):
        return title
    if _SAYS_LITTLE.match(shown) or shown.lower() in elsewhere:
        return f"{title}: {'no' if shown == 'false' else shown}"
    return shown[:1].upper() + shown[1:]


def select_variables(
    table: pd.DataFrame, schema: dict, roles: Sequence[str]
) -> tuple[list[Variable], dict[str, str]]:
    """Find the columns with the given roles, role by role, and why any other was left out.

    Returns
    -------
    variables : list of Variable
        Columns present in the table, in the order of ``roles`` and then of the contract.
    left_out : dict of str to str
        Column name to a sentence, for required columns that are not in the table and
        for columns whose role is unknown.
    """
    required = set(schema.get("required", ()))
    found: list[Variable] = []
    left_out: dict[str, str] = {}
    properties = schema["properties"]
    for name, rule in properties.items():
        role = rule.get("x-role")
        if role is not None and role not in KNOWN_ROLES:
            left_out[name] = f"x-role {role!r} is not one of {', '.join(KNOWN_ROLES)}: left out"
        elif role in roles and name not in table and name in required:
            left_out[name] = "the contract requires this column, the table has none: left out"
    for role in roles:
        names = [n for n, rule in properties.items() if rule.get("x-role") == role and n in table]
        found += [describe_variable(table, schema, name) for name in names]
    return found, left_out


def describe_variable(table: pd.DataFrame, schema: dict, name: str) -> Variable:
    """Read one column's contract: title, role, source, units, transform and levels.

    Raises
    ------
    ValueError
        If the source is not external, reader or derived, or the transform is unknown.
    """
    rule = schema["properties"][name]
    role = rule.get("x-role", "")
    source = rule.get("x-source", "reader" if role in READ_FROM_IMAGE else "external")
    if source not in SOURCES:
        raise ValueError(f"column {name!r}: x-source {source!r} is not one of {', '.join(SOURCES)}")
    transform = rule.get("x-transform") or ""
    if transform not in TRANSFORMS:
        raise ValueError(
            f"column {name!r}: x-transform {transform!r} is not known; use 'log' or 'log1p'"
        )
    levels = _levels(table, name, rule)
    reference = level_name(rule["x-reference"]) if "x-reference" in rule else (*levels, "")[0]
    if levels and reference not in levels:
        raise ValueError(
            f"column {name!r}: x-reference {reference!r} is not among its levels {levels}"
        )
    return Variable(
        name=name,
        title=title_of(schema, name),
        role=role,
        source=source,
        units=rule.get("x-units", ""),
        transform=transform,
        levels=levels,
        reference=reference,
    )


def title_of(schema: dict, name: str) -> str:
    """Title of a column; one that two columns share is told apart by their names."""
    titles = {other: rule.get("title", other) for other, rule in schema["properties"].items()}
    shared = list(titles.values()).count(titles[name]) > 1
    return f"{titles[name]} ({name})" if shared else titles[name]


def _levels(table: pd.DataFrame, name: str, rule: dict) -> tuple[str, ...]:
    """Levels in the contract's order; () for a numeric column."""
    types = rule.get("type", "number")
    types = {types} if isinstance(types, str) else set(types)
    if "enum" in rule:
        return tuple(level_name(level) for level in rule["enum"] if level is not None)
    if "boolean" in types:
        return ("false", "true")
    if "string" in types or rule.get("x-role") == "staging":
        # Without declared levels the observed ones stand in; an empty column keeps one.
        observed = sorted(table[name].dropna().unique())
        return tuple(level_name(level) for level in observed) or ("-",)
    return ()


def base_of(covariates: Sequence[Variable]) -> str:
    """Name what every model holds, and the smallest holds alone.

    >>> base_of([]), base_of([Variable("age", "Age", "demographic", "external")])
    ('mean alone', 'demographics')
    """
    if not covariates:
        return NOTHING
    of_people = all(variable.role == "demographic" for variable in covariates)
    return DEMOGRAPHICS if of_people else COVARIATES


def cluster_labels(table: pd.DataFrame, group: str) -> pd.Series:
    """Check the column of clusters and give it as integers.

    Raises
    ------
    ValueError
        If the column is absent, holds gaps, or is not made of whole numbers from 0.
    """
    if group not in table:
        raise ValueError(
            f"no column {group!r} in the table: join the cluster assignments first "
            f"(columns found: {', '.join(map(str, table.columns))})"
        )
    codes = pd.to_numeric(table[group], errors="coerce")
    wrong = codes.isna() | (codes < 0) | (codes % 1 != 0)
    if wrong.any():
        raise ValueError(
            f"column {group!r}: {int(wrong.sum())} of {len(codes)} rows hold no whole number "
            f"from 0 (first at index {codes.index[wrong][0]!r}): leave them out or assign them"
        )
    return codes.astype(int)
