"""What groups of scans are like that somebody drew by eye: described, and never tested."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from clamlab.stats.tables.describing import named, summaries
from clamlab.stats.tables.digits import decimals_for
from clamlab.stats.tables.rendering import INDENT, MARKS, variable_lines
from clamlab.stats.variables import TABLE_ROLES, Variable, select_variables

OTHERS, EVERYBODY = "All others", "All scans"
SMALL = 5  # a group of fewer scans is said to be small
COLUMNS = (
    "part", "group", "variable", "title", "role", "source", "kind", "level", "is_reference", "n",
    "n_missing", "count", "percent", "mean", "sd", "median", "q1", "q3",
)  # fmt: skip
WHY_NO_P = (
    "No p-values: the groups were drawn by eye in a picture that was made of the same scans, so a "
    "test would find differences whatever the truth. Exploratory: an idea to be tried on others."
)
_MARK_NOTES = {
    "reader": "Read from an image by a person.",
    "derived": "Derived from the scans in which the groups were drawn: what was drawn is seen.",
}


class GroupDescription(NamedTuple):
    """A description of groups: as numbers, as printed, and the footnotes it needs."""

    numbers: pd.DataFrame
    printed: pd.DataFrame
    notes: list[str]


def describe_groups(
    table: pd.DataFrame,
    schema: dict,
    groups: Mapping[str, Sequence[int]],
    *,
    roles: Sequence[str] = (*TABLE_ROLES, "outcome"),
    decimals: int = 2,
) -> GroupDescription:
    """Read what groups drawn by eye are like, beside all other scans: described as in Table 2.

    Parameters
    ----------
    table : DataFrame
        One row per scan.
    schema : dict
        The table's contract, as for :func:`table_one`.
    groups : mapping of str to sequence of int
        Rows of each group, counted from 0; groups may share rows.
    roles : sequence of str
        Roles to describe, in this order.
    decimals : int
        Least decimals of means, medians and their spread, as in Table 2.

    Returns
    -------
    GroupDescription
        ``numbers``: one row per variable (and level) and column: ``part`` (size, summary),
        ``group``, n, n_missing, mean, sd, median, q1, q3, or count and percent. ``printed``: first
        column the characteristic, then a column per group, "All others" (rows in no group, if
        there are any) and "All scans". ``notes``: why there is no p-value, which groups are small
        or share scans, and what a mark means.

    Raises
    ------
    ValueError
        If there are no groups, a group is empty, or names a row that the table has not.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [40, 50, 60, 45, 70.]})
    >>> schema = {"properties": {"age": {"title": "Age", "x-role": "demographic"}}}
    >>> told = describe_groups(table, schema, {"upper left": [1, 2]})
    >>> told.printed.to_dict("list")["upper left"]
    ['2', '55.00 (7.07)', '55.00 [52.50, 57.50]']
    >>> told.notes[2].split(". ")[0]
    'Small (fewer than 5 scans): upper left (2), All others (3)'
    """
    members = _members(groups, len(table))
    columns = [*members.items(), *_around(members, len(table))]
    headings = list(members) + _free_headings(list(members), len(columns) - len(members))
    masks = [pd.Series(inside, index=table.index) for _, inside in columns]
    variables, left_out = select_variables(table, schema, roles)
    sizes = [int(mask.sum()) for mask in masks]
    rows = [{"part": "size", "group": h, "n": n} for h, n in zip(headings, sizes, strict=True)]
    lines, said = [["Scans", *map(str, sizes)]], list(left_out.values())
    for variable in variables:
        values = variable.values(table)
        rows += named(variable, summaries(variable, values, zip(headings, masks, strict=True)))
        if why := variable.undeclared(table):
            said.append(f"{variable.title}: {why}.")
    numbers = _tidy(rows)
    summary = numbers[numbers["part"] == "summary"]
    for _, own in summary.groupby("variable", sort=False):
        lines += _lines(own, summary, decimals)
    printed = pd.DataFrame(lines, columns=["", *headings])
    sized = dict(zip(headings[:-1], sizes[:-1], strict=True))
    notes = [*_notes(members, sized, len(table)), *_marks(variables), *said]
    return GroupDescription(numbers, printed, notes)


def _members(groups: Mapping[str, Sequence[int]], n: int) -> dict[str, np.ndarray]:
    """Turn rows into masks; refuse rows that are not there."""
    if not groups:
        raise ValueError("expected at least one group to describe, found none")
    masks = {}
    for name, chosen in groups.items():
        rows = np.asarray(chosen)
        if not len(rows):
            raise ValueError(f"group {name!r} is empty: there is nothing to describe")
        if rows.dtype.kind not in "iu":
            raise ValueError(f"group {name!r}: expected numbers of rows, found {rows[0]!r}")
        if rows.min() < 0 or rows.max() >= n:
            wrong = rows[(rows < 0) | (rows >= n)][0]
            raise ValueError(f"group {name!r} names row {wrong}; the table has rows 0 to {n - 1}")
        masks[str(name)] = np.isin(np.arange(n), rows)
    return masks


def _around(members: Mapping[str, np.ndarray], n: int) -> list[tuple[str, np.ndarray]]:
    """Return what the groups are held against: the rows in none of them, and all."""
    others = ~np.any(list(members.values()), axis=0)
    return [*([(OTHERS, others)] if others.any() else []), (EVERYBODY, np.ones(n, bool))]


def _free_headings(taken: list[str], n: int) -> list[str]:
    """Name the last columns, also where a person named a group so."""
    names = [OTHERS, EVERYBODY][-n:]
    while set(names) & set(taken):
        names = [f"{name} (of the table)" if name in taken else name for name in names]
    return names


def _lines(rows: pd.DataFrame, everything: pd.DataFrame, decimals: int) -> list[list[str]]:
    """Print one variable as Table 2 does, its median, and what is missing where anything is."""
    by_column = rows.drop_duplicates("group")
    lines = variable_lines(rows, everything, decimals)
    first = rows.iloc[0]
    if first["kind"] == "numeric":
        title = f"{first['title']}{MARKS.get(first['source'], '')} (median [IQR])"
        digits = decimals_for(rows["sd"].max(), least=decimals)
        lines.append([title, *(_median_text(row, digits) for row in rows.itertuples())])
    if by_column["n_missing"].any():
        missing = f"{INDENT}{first['title']}: missing"
        lines.append([missing, *map(str, by_column["n_missing"])])
    return lines


def _median_text(row, decimals: int) -> str:
    if pd.isna(row.median):
        return "-"
    return f"{row.median:.{decimals}f} [{row.q1:.{decimals}f}, {row.q3:.{decimals}f}]"


def _notes(members: Mapping[str, np.ndarray], sizes: Mapping[str, int], n: int) -> list[str]:
    notes = [
        "Counts (%) of the values present, or mean (standard deviation) and median [quartiles].",
        WHY_NO_P,
    ]
    small = [f"{name} ({k})" for name, k in sizes.items() if k < SMALL]
    if small:
        told = "What they are like is what these few are like."
        notes.append(f"Small (fewer than {SMALL} scans): {', '.join(small)}. {told}")
    for (one, a), (other, b) in combinations(members.items(), 2):
        if shared := int((a & b).sum()):
            notes.append(
                f"{one} and {other} share {shared} of their {a.sum()} and {b.sum()} scans, which "
                "count in both columns."
            )
    if np.any(list(members.values()), axis=0).all():
        notes.append(f"All {n} scans are in a group: there are no others.")
    return notes


def _marks(variables: Sequence[Variable]) -> list[str]:
    sources = {variable.source for variable in variables}
    return [f"{MARKS[s]} {note}" for s, note in _MARK_NOTES.items() if s in sources]


def _tidy(rows: list[dict]) -> pd.DataFrame:
    tidy = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    whole = ["n", "n_missing", "count"]
    return tidy.astype(dict.fromkeys(whole, "Int64") | {"is_reference": "boolean"})
