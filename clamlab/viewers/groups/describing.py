"""What the panel's table says, with a contract or without, and how it looks on the page."""

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import pandas as pd

from clamlab.stats.tables.groups import GroupDescription
from clamlab.stats.tables.rendering import cluster_name
from clamlab.stats.variables import level_name

CLUSTER = "clusters of the scans"  # a name that no table has
FEW = 12  # a column of more different words than this is no description
FEW_NUMBERS = 5  # a column of no more different numbers than this is shown as levels
STYLE = (
    "<style>.clam-groups table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".clam-groups th,.clam-groups td{padding:1px 12px 1px 0;text-align:right;line-height:1.5;"
    "max-width:240px;overflow-wrap:anywhere}"
    ".clam-groups th{border-bottom:1px solid;vertical-align:bottom}"
    ".clam-groups th:first-child,.clam-groups td:first-child{text-align:left;max-width:340px}"
    ".clam-groups p{margin:2px 0;line-height:1.4;font-size:90%;max-width:70em}"
    "</style>"
)


def contract_and_table(
    table: pd.DataFrame, contract: dict | None, call: Callable[[int], str] = cluster_name
) -> tuple[dict, pd.DataFrame]:
    """Return what to describe, and how: by the contract, or as the columns look.

    The cluster comes first wherever there is one; ``call`` names it.

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["a", "b"], "age": [50.5, 60], "cluster": [1, 0]})
    >>> contract, told = contract_and_table(table, None)
    >>> {name: rule["title"] for name, rule in contract["properties"].items()}
    {'clusters of the scans': 'Cluster', 'age': 'age'}
    """
    table = table.reset_index(drop=True)
    if (twice := table.columns[table.columns.duplicated()]).size:
        raise ValueError(f"expected each column once, found {twice[0]!r} more than once")
    rules: dict[str, dict] = {}
    if "cluster" in table:
        if (unknown := table["cluster"].isna()).any():
            raise ValueError(
                f"expected each scan's cluster, found none in {unknown.sum()} of {len(table)} rows"
                f" (first in row {unknown.argmax()}): leave them out, or run notebook 05 again"
            )
        codes = sorted(int(k) for k in table["cluster"].unique())
        levels = [call(k) for k in codes]
        table = table.assign(**{CLUSTER: [call(int(k)) for k in table["cluster"]]})
        rules[CLUSTER] = _rule("Cluster", "derived") | {"enum": levels}
    own = _as_they_look(table) if contract is None else contract["properties"]
    return {**(contract or {}), "properties": {**rules, **own}}, table


def _as_they_look(table: pd.DataFrame) -> dict[str, dict]:
    """Draft rules for columns of numbers and of few words; the others describe nobody."""
    rules = {}
    for name in table.columns.drop(["subject_id", "cluster", CLUSTER], errors="ignore"):
        column = table[name].dropna()
        if not _has_levels(column):
            continue
        levels = _levels(column)
        numeric = pd.api.types.is_numeric_dtype(column) and column.dtype != bool
        if numeric and (len(levels) > FEW_NUMBERS or (column % 1 != 0).any()):
            rules[name] = _rule(str(name)) | {"type": "number"}
        elif 0 < len(levels) <= FEW:
            rules[name] = _rule(str(name)) | {"enum": levels}
    return rules


def _levels(column: pd.Series) -> list[str]:
    """List the values of a column, in the order of its categories if it has such."""
    ordered = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.categories if ordered else sorted(column.unique(), key=_sorting)
    return [level_name(value) for value in values]


def _has_levels(column: pd.Series) -> bool:
    """Whether values can be told apart at all: lists and the like cannot."""
    return all(map(pd.api.types.is_hashable, column))


def _sorting(value: object) -> tuple:
    number = isinstance(value, int | float | np.number)
    return (0, value, "") if number else (1, 0, str(value))


def _rule(title: str, source: str = "external") -> dict:
    return {"title": title, "x-role": "demographic", "x-source": source}


def description_html(description: GroupDescription | None, said: Sequence[str] = ()) -> str:
    """Print a description, with its footnotes below and what is to be said above."""
    above = "".join(f"<p><b>{escape(line)}</b></p>" for line in said)
    if description is None:
        return f'{STYLE}<div class="clam-groups">{above}</div>' if said else ""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in description.printed)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in description.printed.to_numpy(dtype=object)
    )
    below = "".join(f"<p>{escape(line)}</p>" for line in description.notes)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'{STYLE}<div class="clam-groups">{above}{table}{below}</div>'


def subjects_of(table: pd.DataFrame, n_scans: int) -> list[str]:
    """Return the subject of each scan; without ids, "Scan 1" and so on.

    Raises
    ------
    ValueError
        If there is not one row for each scan, or a subject has two.
    """
    if len(table) != n_scans:
        raise ValueError(f"one row per scan: found {len(table)} rows for {n_scans} volumes")
    if "subject_id" not in table:
        return [f"Scan {i + 1}" for i in range(n_scans)]
    names = table["subject_id"].astype(str)
    if (twice := names[names.duplicated()]).any():
        raise ValueError(
            f"groups are kept by subject, and {twice.iloc[0]!r} has two rows: expected one each. "
            "Give one scan of each, or each scan a subject_id of its own, such as S01-first and "
            "S01-later"
        )
    return names.tolist()
