"""What a contract may say, and where contracts are found."""

import os
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from clamlab.io import explained, read_json
from clamlab.schema.soundness import check_form, check_rules, target

ROLES = ("id", "demographic", "outcome", "staging", "visual_score", "scanner")
SOURCES = ("external", "reader", "derived")

# None: any text.
_KEYWORDS = {
    "x-role": ROLES,
    "x-source": SOURCES,
    "x-transform": ("log", "log1p"),
    "x-units": None,
    "x-reference": None,
    "x-missing": None,
}

ANNOTATIONS = {"title", "description", "default", "examples", "$comment"}
# Of a whole contract, what does not speak of several columns at once.
_OF_COLUMNS = {"$schema", "$defs", "title", "description", "type"}
_SUFFIX = ".schema.json"
_CONTRACT = "a contract"
_CORRECT = "correct it, or put it back from a copy"


def load_schema(path: str | Path) -> dict:
    """Open a contract, and know that the contract itself makes sense.

    Parameters
    ----------
    path : str or Path
        A ``*.schema.json`` file, or the bare name of a contract that comes with the
        package (``"participants"``, ``"assignments"``, ...).

    Returns
    -------
    dict
        The contract as written; only where a column's rule is a reference, what it refers to
        stands in its place.

    Raises
    ------
    FileNotFoundError
        If there is no such file or name; the message lists the names there are.
    ValueError
        If the file is no JSON, no JSON Schema, or misuses a keyword of ours; if a reference leads
        outside of the file (nothing is ever fetched) or in a circle; if a pattern could take
        for ever.

    Examples
    --------
    >>> load_schema("assignments")["properties"]["confidence"]["maximum"]
    1
    """
    file = _locate(path)
    contract = read_json(file, expected=_CONTRACT, advice=_CORRECT)
    with explained(file, _CONTRACT, _CORRECT):
        try:
            return check_contract(contract)
        except ValueError as error:  # in our own words
            told = str(error)
    raise ValueError(f"{file}: {told}; {_CORRECT}")


def _locate(path: str | Path) -> Path:
    if Path(path).is_file():
        return Path(path)
    package = Path(__file__).parents[1]
    # Installed, the contracts travel inside the package; in a clone they stand beside it.
    folders = [package / "_schemas", package.parent / "data_schemas"]
    known = {f.name.removesuffix(_SUFFIX): f for d in folders for f in d.glob(f"*{_SUFFIX}")}
    name = str(path).removesuffix(_SUFFIX)
    if name not in known and os.path.lexists(path):
        return Path(path)  # no file: told where it is read
    if name not in known:
        raise FileNotFoundError(
            f"no contract {str(path)!r}: give a file, or one of {', '.join(sorted(known))}"
        )
    return known[name]


def check_contract(schema: dict) -> dict:
    """Refuse a contract that cannot be used; return it with its columns' references written out."""
    check_form(schema)
    try:
        Draft202012Validator.check_schema(schema, format_checker=None)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path)) or "the top level"
        raise ValueError(f"not a valid JSON Schema at {place}: {error.message}") from error
    check_rules(schema)
    columns = {n: _written_out(n, rule, schema) for n, rule in schema.get("properties", {}).items()}
    for name, rule in columns.items():
        _check_keywords(name, rule)
    ids = columns_with_role({"properties": columns}, "id")
    if len(ids) > 1:
        raise ValueError(f"one column may have x-role 'id', found {', '.join(ids)}")
    return {**schema, "properties": columns} if columns else schema


def _written_out(name: str, rule: dict, schema: dict) -> dict:
    """Put a rule in the place of a reference to it: type and role are read from the column."""
    while "$ref" in rule:
        meant = target(schema, rule["$ref"], f"properties/{name}/$ref")
        own = {keyword: value for keyword, value in rule.items() if keyword != "$ref"}
        for keyword in (own.keys() & meant.keys()) - ANNOTATIONS:
            if own[keyword] != meant[keyword] and not keyword.startswith("x-"):
                raise ValueError(
                    f"column {name!r}: {keyword} is {own[keyword]!r} here and {meant[keyword]!r} "
                    f"at {rule['$ref']!r}: write it once"
                )
        rule = {**meant, **own}
    return rule


def _check_keywords(name: str, rule: dict) -> None:
    for keyword, value in rule.items():
        if not keyword.startswith("x-"):
            continue
        if keyword not in _KEYWORDS:
            raise ValueError(
                f"column {name!r} has an unknown keyword {keyword!r}: known are "
                + ", ".join(_KEYWORDS)
            )
        allowed = _KEYWORDS[keyword]
        if allowed and value not in allowed:
            raise ValueError(
                f"column {name!r}: {keyword} is {value!r}, expected one of {', '.join(allowed)}"
            )
    codes = rule.get("x-missing", [])
    if not isinstance(codes, list) or not all(isinstance(c, str) and c.strip() for c in codes):
        raise ValueError(
            f"column {name!r}: x-missing is {codes!r}, expected the cells that stand for a missing "
            'value as a list of texts, such as ["-999", "unknown"]'
        )
    reference = rule.get("x-reference")
    if reference is not None and reference not in levels(rule):
        raise ValueError(
            f"column {name!r}: x-reference {reference!r} is not among its levels {levels(rule)}"
        )


def columns_with_role(schema: dict, role: str) -> list[str]:
    """List the columns that play a role, in the contract's order."""
    return [n for n, rule in schema.get("properties", {}).items() if rule.get("x-role") == role]


def analysed(schema: dict) -> dict:
    """Narrow a contract to the columns with a role: all that a study keeps of the user's table.

    Names, dates of birth and notes have none, so they enter no file of a study.

    Parameters
    ----------
    schema : dict
        The table's contract.

    Returns
    -------
    dict
        A contract of these columns alone, without rules between columns: those hold for the
        whole table, and are checked there.

    Examples
    --------
    >>> columns = {"subject_id": {"x-role": "id"}, "name": {}, "age": {"x-role": "demographic"}}
    >>> list(analysed({"properties": columns})["properties"])
    ['subject_id', 'age']
    """
    rules = {n: rule for n, rule in schema.get("properties", {}).items() if "x-role" in rule}
    kept = {keyword: schema[keyword] for keyword in schema if keyword in _OF_COLUMNS}
    required = [name for name in schema.get("required", []) if name in rules]
    return {**kept, "properties": rules, "required": required}


def columns_of_kind(schema: dict, kind: str) -> list[str]:
    """List the columns that may hold a JSON type and, null apart, no other."""
    return [n for n, rule in schema.get("properties", {}).items() if kinds(rule) == {kind}]


def levels(rule: dict) -> list:
    """List a column's allowed levels in their order; empty where any value will do."""
    return [level for level in rule.get("enum", []) if level is not None]


def kinds(rule: dict) -> set[str]:
    """Name the JSON types a column may hold, without null."""
    declared = rule.get("type")
    if declared is None:
        return {_kind(level) for level in levels(rule)}
    return {declared} - {"null"} if isinstance(declared, str) else set(declared) - {"null"}


def _kind(level) -> str:
    if isinstance(level, bool):
        return "boolean"
    if isinstance(level, int):
        return "integer"
    return "number" if isinstance(level, float) else "string"


def nullable(rule: dict) -> bool:
    """Tell whether a value may be missing: where the type names null, or nothing is said."""
    declared = rule.get("type")
    if declared is None:
        return "enum" not in rule or None in rule["enum"]
    return "null" in declared if isinstance(declared, list) else declared == "null"
