"""Write a first contract for a table that has none."""

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clamlab.schema.reading import looks_like_id, words_of

_ROLE_WORDS = {
    "scanner": {"scanner", "manufacturer", "vendor", "kernel", "ct"},
    "staging": {"stage", "staging", "scadding", "grade", "gold"},
    "visual_score": {
        *("visual", "ground", "glass", "ggo", "fibrosis", "honeycombing", "emphysema"),
        *("reticulation", "consolidation", "nodules", "oberstein"),
    },
    "demographic": {
        *("age", "sex", "gender", "race", "ethnicity", "hispanic", "white", "bmi"),
        *("height", "weight", "smoker", "smoking", "smoked", "education", "pack"),
    },
}
_ROLE_SOURCES = {
    "demographic": "external",
    "outcome": "external",
    "scanner": "external",
    "staging": "reader",
    "visual_score": "reader",
}
# More levels than this, and a text is free text; scanner models are many.
_MOST_LEVELS = {"scanner": 40}
_MOST_LEVELS_ELSEWHERE = 10

_NOTE = (
    "Drafted from the table: check the type, the role and the source, fill in x-units, "
    "and put the levels in their order."
)


def draft_schema(table: pd.DataFrame, *, id_column: str | None = None) -> dict:
    """Start the contract of a new table from the table itself.

    Every column is guessed from its name and values; a person corrects the guesses, which each
    ``description`` says. The table keeps the contract drafted from it.

    Parameters
    ----------
    table : DataFrame
        One row per subject (see `read_table`).
    id_column : str, optional
        The column that names the subjects. Left out: the first complete column without
        repeats whose name says so.

    Returns
    -------
    dict
        A contract: types (with ``null`` where values are missing), ``enum`` for few-valued
        columns, ``x-role`` and ``x-source`` where they can be guessed, ``x-units`` left blank.
        Numeric columns without a better guess are outcomes.

    Raises
    ------
    ValueError
        If no column can name the subjects, or the one given does not.

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["S1", "S2", "S3"], "Sex": ["m", "f", "f"],
    ...                       "DLCO": [17.5, None, 20.0]})
    >>> contract = draft_schema(table)
    >>> contract["properties"]["Sex"]["x-role"], contract["properties"]["Sex"]["enum"]
    ('demographic', ['f', 'm'])
    >>> contract["properties"]["DLCO"]["type"], contract["properties"]["DLCO"]["x-role"]
    (['number', 'null'], 'outcome')
    """
    chosen = _id_column(table, id_column)
    rules = {str(name): _draft_column(table[name]) for name in table.columns if name != chosen}
    id_rule = {"type": "string", "minLength": 1, "title": "Subject", "x-role": "id"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "participants",
        "description": _NOTE,
        "type": "object",
        "properties": {
            str(name): id_rule if name == chosen else rules[str(name)] for name in table.columns
        },
        "required": [str(name) for name in table.columns],
        "additionalProperties": True,
    }


def _id_column(table: pd.DataFrame, given: str | None) -> str:
    if given is None:
        fitting = [n for n in table.columns if looks_like_id(n) and _names_subjects(table[n])]
        if not fitting:
            raise ValueError(
                "no column names the subjects (a complete column without repeats, called "
                f"'subject_id' or the like); give id_column, one of {list(table.columns)}"
            )
        return fitting[0]
    if given not in table:
        raise ValueError(f"id_column {given!r} is not in the table: {list(table.columns)}")
    if not _names_subjects(table[given]):
        repeated = table[given][table[given].duplicated()].astype(str).unique()[:5]
        raise ValueError(
            f"id_column {given!r} does not name the subjects: "
            f"{table[given].isna().sum()} missing, repeated: {', '.join(repeated) or 'none'}"
        )
    return given


def _names_subjects(series: pd.Series) -> bool:
    return bool(series.notna().all() and series.is_unique)


def _draft_column(series: pd.Series) -> dict:
    role = _role(series)
    found = _levels(series, role)
    kind = _kind(series, found)
    missing = bool(series.isna().any())
    rule: dict = {"type": [kind, "null"] if missing else kind}
    if found:
        rule["enum"] = [*found, None] if missing else found
    rule["title"] = str(series.name).replace("_", " ").strip().capitalize()
    rule["description"] = _NOTE
    if kind in ("number", "integer"):
        rule["x-units"] = ""
    if role:
        rule["x-role"] = role
        rule["x-source"] = _ROLE_SOURCES[role]
    return rule


def _role(series: pd.Series) -> str | None:
    words = set(words_of(series.name))
    for role, known in _ROLE_WORDS.items():
        if words & known:
            return role
    if looks_like_id(series.name) or not is_numeric_dtype(series) or is_bool_dtype(series):
        return None
    return "outcome"


def _levels(series: pd.Series, role: str | None) -> list:
    """Find the levels of a few-valued column; empty for a measured one."""
    values = series.dropna()
    if is_bool_dtype(values) or looks_like_id(series.name):
        return []
    found = sorted(values.unique().tolist(), key=lambda v: (str(type(v)), v))
    most = _MOST_LEVELS.get(role or "", _MOST_LEVELS_ELSEWHERE)
    if is_numeric_dtype(values):
        whole = bool((values % 1 == 0).all())
        few = whole and (role in ("staging", "visual_score", "scanner") or len(found) == 2)
        found = [int(v) for v in found] if whole else found
    else:
        # As many levels as rows would be names, not categories.
        few = len(found) < len(values) and all(isinstance(v, str) for v in found)
    return found if few and len(found) <= most else []


def _kind(series: pd.Series, found: list) -> str:
    if is_bool_dtype(series):
        return "boolean"
    if not is_numeric_dtype(series):
        return "string"
    # Measured whole numbers are drafted as numbers: the next scan may bring a fraction.
    return "integer" if found else "number"
