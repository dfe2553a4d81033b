"""What a contract says of each column, as a table that a person reads and edits."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.atomic import whole_file
from clamlab.io import read_json
from clamlab.schema.checking import TableError, check_table
from clamlab.schema.contracts import (
    ROLES,
    check_contract,
    columns_with_role,
    kinds,
    levels,
    nullable,
)
from clamlab.schema.drafting import ROLE_SOURCES
from clamlab.schema.guessing.column import guess_column

SEPARATOR = " | "  # levels may hold commas
# What of a column may be chosen from a list; all else is text.
_CHOICES = {"role": ["", *ROLES], "type": ["number", "integer", "string", "boolean"]}
_EDITABLE = ("role", "type", "units", "levels", "reference", "missing_codes")
_SHOWN = 3
_WORD = re.compile(r"(?!#).*[^\W\d_]{3}")  # but for what a spreadsheet says of itself: #DIV/0!
_UNNAMED: dict = {"description": "Not in the contract, so not analysed: give it a role to add it."}


def describe_contract(contract: dict, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """See at a glance what a contract says of each column, and which cells to look at.

    Parameters
    ----------
    contract : dict
        See `draft_schema` and `load_schema`.
    table : DataFrame, optional
        The table that it is for; with it, columns that the contract does not name have a row,
        too, and the last column names the cells that a person should look at, with their values,
        counts and first subjects.

    Returns
    -------
    DataFrame
        One row per column, texts (``role`` and ``type`` categorical, with what there is to choose
        from): ``column``, ``role``, ``type``, ``units``, ``levels`` (in
        their order, between vertical bars), ``reference``, ``missing_codes`` (cells that stand for
        a missing value), ``why`` and, with a table, ``look_at``.

    Examples
    --------
    >>> from clamlab.schema import draft_schema
    >>> table = pd.DataFrame({"id": ["S1", "S2", "S3"], "sex": ["m", "f", "M"],
    ...                       "crp": ["5 mg", "2,5", "<0.1"]})
    >>> told = describe_contract(draft_schema(table), table).set_index("column")
    >>> told.loc["sex", ["role", "levels", "look_at"]].tolist()
    ['demographic', 'f | m', "'M' (1: S3)"]
    >>> told.loc["crp", ["role", "type", "look_at"]].tolist()
    ['', 'string', "'<0.1' (1: S3)"]
    """
    rules = contract.get("properties", {})
    others = [] if table is None else [str(name) for name in table.columns if name not in rules]
    rows = [_row(name, rule) for name, rule in [*rules.items(), *((n, _UNNAMED) for n in others)]]
    told = pd.DataFrame(rows, dtype=str)
    for part, known in _CHOICES.items():
        told[part] = pd.Categorical(told[part], list(dict.fromkeys([*known, *told[part]])))
    if table is not None:
        told["look_at"] = [_cells(name, contract, table) for name in told["column"]]
    return told


def _row(name: str, rule: dict) -> dict[str, str]:
    reference = rule.get("x-reference")
    return {
        "column": name,
        "role": rule.get("x-role", ""),
        "type": " or ".join(sorted(kinds(rule))),
        "units": rule.get("x-units", ""),
        "levels": SEPARATOR.join(map(str, levels(rule))),
        "reference": "" if reference is None else str(reference),
        "missing_codes": SEPARATOR.join(rule.get("x-missing", [])),
        "why": rule.get("description", ""),
    }


def _cells(name: str, contract: dict, table: pd.DataFrame) -> str:
    people = next(iter(columns_with_role(contract, "id")), None)
    if name not in table or name == people:
        return ""
    ids = table[people].astype(str) if people in table else "row " + table.index.astype(str)
    kept = bool(contract["properties"].get(name, _UNNAMED).get("x-role"))
    told = []
    for value in guess_column(table[name]).odd:
        who = pd.Series(ids)[(table[name].astype(object) == value).to_numpy()]
        more = ", ..." if len(who) > _SHOWN else ""
        told.append(f"{_shown(value, kept=kept)} ({len(who)}: {', '.join(who[:_SHOWN])}{more})")
    return "; ".join(told)


def _shown(value: Any, *, kept: bool) -> str:
    """Write a cell; words of a column that the study does not keep may be anybody's name."""
    if isinstance(value, float):
        return f"{value:g}"
    if not kept and _WORD.match(str(value)):
        return f"a text of {len(str(value))} characters"
    return repr(value)


def save_contract(rows: pd.DataFrame, path: str | Path, table: pd.DataFrame) -> dict[str, str]:
    """Write what a person has changed of a contract, if the contract and its table allow it.

    Parameters
    ----------
    rows : DataFrame
        As `describe_contract` gives them; ``why`` and ``look_at`` are not read.
    path : path
        The contract's file: what the rows do not speak of stays as it is.
    table : DataFrame
        The table that has to keep it. A column that gets its first role, and no levels, gets those
        that stand in it.

    Returns
    -------
    dict of str to str
        What is wrong, by column ("" for the contract as a whole); empty if it was saved.

    Examples
    --------
    >>> import tempfile
    >>> from clamlab.schema import draft_schema
    >>> file = Path(tempfile.mkdtemp()) / "participants.schema.json"
    >>> table = pd.DataFrame({"id": ["S1", "S2", "S3"], "fvc": [3.1, 2.9, -999.0]})
    >>> contract = draft_schema(table)
    >>> _ = file.write_text(json.dumps(contract))
    >>> rows = describe_contract(contract).set_index("column")
    >>> rows.loc["fvc", ["role", "missing_codes"]] = ["outcome", "999 | -999"]
    >>> save_contract(rows.reset_index(), file, table)
    {}
    >>> json.loads(file.read_text())["properties"]["fvc"]["x-missing"]
    ['999', '-999']
    """
    file = Path(path)
    contract = read_json(file, expected="a contract")
    wrong: dict[str, str] = {}
    columns = dict(contract["properties"])
    for row in rows.to_dict("records"):
        name = row["column"]
        try:
            written = _row(name, columns.get(name, _UNNAMED))
            if all(row[part] == written[part] for part in _EDITABLE):
                continue
            row = _with_levels(row, written, table)
            if name not in columns:
                row["type"] = row["type"] or guess_column(table[name]).kind
            columns[name] = edited(columns.get(name, _UNNAMED), row)
            check_contract({**contract, "properties": {name: columns[name]}, "required": []})
        except (ValueError, KeyError) as error:
            wrong[name] = str(error)
    changed = {**contract, "properties": columns}
    for name in columns_with_role(contract, "id"):
        if columns[name].get("x-role") != "id":
            wrong[name] = "it names the subjects, and has to keep the role id"
    if not wrong:
        wrong = _violations(changed, table)
    if not wrong:
        with whole_file(file) as temporary:
            temporary.write_text(json.dumps(changed, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return wrong


def _with_levels(row: dict, written: dict[str, str], table: pd.DataFrame) -> dict:
    """Give a column its levels with its first role: a draft keeps them back, they may be names."""
    if written["role"] or not row["role"] or row["levels"].strip() or row["column"] not in table:
        return row
    guess = guess_column(table[row["column"]])
    if guess.kind != row["type"]:
        return row
    return {**row, "levels": SEPARATOR.join(map(str, guess.levels))}


def _violations(contract: dict, table: pd.DataFrame) -> dict[str, str]:
    try:
        check_table(table, contract)
    except TableError as error:
        found = error.violations.astype({"column": str})
        return {
            column: "; ".join(f"{group['message'].iloc[0]} ({len(group)})" for _, group in
                              part.groupby("rule", sort=False))
            for column, part in found.groupby("column", sort=False)
        }  # fmt: skip
    except ValueError as error:
        return {"": str(error)}
    return {}


def edited(rule: dict, row: Mapping[str, Any]) -> dict:
    """Return a column's rule with what a row of `describe_contract` says of it.

    Examples
    --------
    >>> row = {"role": "staging", "type": "integer", "units": "", "levels": "0 | 1 | 2",
    ...        "reference": "0", "missing_codes": "9"}
    >>> rule = edited({"type": "number", "title": "Stage", "x-units": ""}, row)
    >>> rule["enum"], rule["type"], rule["x-reference"]
    ([0, 1, 2, None], ['integer', 'null'], 0)
    """
    kept = {k: v for k, v in rule.items() if k not in ("type", "enum") and k[:2] != "x-"}
    kept |= {k: v for k, v in rule.items() if k == "x-transform"}
    kept["description"] = "Set by hand."
    kind = row["type"]
    kinds_of = kind.split(" or ")
    codes, order = _split(row["missing_codes"]), _split(row["levels"])
    own = [_as(kind, level) for level in order if level not in codes]
    empty = nullable(rule) or bool(codes)
    kept["type"] = [*kinds_of, "null"] if empty else kinds_of if len(kinds_of) > 1 else kind
    if own:
        kept["enum"] = [*own, None] if empty else own
    if set(kinds_of) <= {"number", "integer"} or row["units"]:
        kept["x-units"] = row["units"].strip()
    if row["reference"].strip():
        kept["x-reference"] = _as(kind, row["reference"].strip())
    if codes:
        kept["x-missing"] = codes
    if row["role"]:
        kept["x-role"] = row["role"]
        source = rule.get("x-source", ROLE_SOURCES.get(row["role"]))
        kept |= {"x-source": source} if source else {}
    return kept


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(SEPARATOR.strip()) if part.strip()]


def _as(kind: str, text: str) -> Any:
    """Read a level or reference as the column's type."""
    if set(kind.split(" or ")) <= {"number", "integer"}:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a {kind}") from None
        return int(value) if value.is_integer() else value
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.casefold(), text)
    return text
