"""What ``clamlab init`` says of the user's table: what was taken of it, and what to look at."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.schema import describe_contract
from clamlab.schema.dates import read_dates


def told_of_reading(table: pd.DataFrame, path: Path, options: argparse.Namespace) -> str:
    """Say what was taken for the table and what was left out, before anything rests on it."""
    lines = [f"Table {path}: {len(table)} rows, {len(table.columns)} columns"]
    lines += table.attrs.get("said", [])
    if options.visits and not options.visit:
        lines.append(
            "a subject with several scans is left out unless they are told apart as well: "
            f"--visit {_visit_of_scans(table, options.visits)}"
        )
    return "\n  ".join(lines)


def _visit_of_scans(table: pd.DataFrame, rule: str) -> str:
    """Name the choice among scans that goes with a choice among rows."""
    end, _, column = rule.partition(":")
    column = column if end in ("first", "last") else rule.partition("=")[0]
    dated = read_dates(table[column].dropna().astype(str)) is not None
    return f"nearest:{column}" if dated else column


def told_of_draft(contract: dict[str, Any], table: pd.DataFrame) -> str:
    """List the columns with their roles, and below them what a person should look at."""
    described = describe_contract(contract, table)
    shown = described[["column", "role", "type", "units"]].astype(str).replace("", "-")
    odd = described[described["look_at"] != ""]
    lines = [f"  {row.column}: {row.look_at}\n    {row.why}" for row in odd.itertuples()]
    return "\n".join(
        [shown.to_string(index=False), *(["", "Cells to look at:", *lines] if lines else [])]
    )
