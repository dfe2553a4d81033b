"""Write a first contract for a table that has none."""

import pandas as pd

from clamlab.schema.guessing.column import guess_column
from clamlab.schema.guessing.twins import without_twins
from clamlab.schema.subjects import subject_column

ROLE_SOURCES = {
    "demographic": "external",
    "outcome": "external",
    "scanner": "external",
    "staging": "reader",
    "visual_score": "reader",
}
_NOTE = (
    "Drafted from the table: check the type, the role and the source, fill in x-units, "
    "and put the levels in their order."
)


def draft_schema(table: pd.DataFrame, *, id_column: str | None = None) -> dict:
    """Start the contract of a new table from the table itself.

    Every column is guessed from its name and values, and its ``description`` says why; a person
    corrects the guesses (see `describe_contract`). The table keeps the contract drafted from it.

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
        A contract: types (with ``null`` where values are missing), ``x-role`` and
        ``x-source`` where they can be guessed, ``enum`` for few-valued columns with a role
        (spellings that differ in capital letters and blanks are one level), ``x-units`` of the
        cells or else blank, ``x-missing`` where words such as "unknown" stand among the values.
        Numeric columns without a better guess are outcomes. Names, dates, free text, identifiers,
        numbers as persons and places have, and whatever a person has to decide first (-999,
        "<0.1", "1,234") have no role, and of their values none stands in the contract. Nor has
        the second of two measures that say the same (`without_twins`).

    Raises
    ------
    ValueError
        If no column can name the subjects, or the one given does not; where subjects have several
        rows, which and what to do.

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["S1", "S2", "S3", "S4"], "Sex": ["m", "f", "f ", "M"],
    ...                       "DLCO": ["17.5 %", None, "20", "n.d."]})
    >>> contract = draft_schema(table)
    >>> contract["properties"]["Sex"]["x-role"], contract["properties"]["Sex"]["enum"]
    ('demographic', ['f', 'm'])
    >>> rule = contract["properties"]["DLCO"]
    >>> rule["type"], rule["x-role"], rule["x-units"], rule["x-missing"]
    (['number', 'null'], 'outcome', '%', ['n.d.'])
    """
    chosen = subject_column(table, id_column)
    id_rule = {"type": "string", "minLength": 1, "title": "Subject", "x-role": "id"}
    id_rule["description"] = "Drafted: it names the subjects, one a row."
    units, labels = table.attrs.get("units", {}), table.attrs.get("labels", {})
    rules = {
        str(name): id_rule
        if name == chosen
        else _draft_column(table[name], units.get(name, ""), labels.get(name, ""))
        for name in table.columns
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "participants",
        "description": _NOTE,
        "type": "object",
        "properties": without_twins(rules, table),
        "required": [str(name) for name in table.columns],
        "additionalProperties": True,
    }


def _draft_column(series: pd.Series, units: str, label: str) -> dict:
    guess = guess_column(series, units=units)
    missing = bool(series.isna().any() or guess.missing)
    rule: dict = {"type": [guess.kind, "null"] if missing else guess.kind}
    if guess.levels and guess.role:  # levels of a column that nobody has looked at may be names
        rule["enum"] = [*guess.levels, None] if missing else guess.levels
    rule["title"] = label or str(series.name).replace("_", " ").strip().capitalize()
    rule["description"] = f"Drafted: {guess.why}."
    if guess.kind in ("number", "integer"):
        rule["x-units"] = guess.units
    if guess.missing:
        rule["x-missing"] = guess.missing
    if guess.role:
        rule["x-role"] = guess.role
        rule["x-source"] = ROLE_SOURCES[guess.role]
    return rule
