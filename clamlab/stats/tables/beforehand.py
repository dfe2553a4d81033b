"""What is known of scans before anything is looked for in them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from clamlab.stats.tables.scan_facts import scan_facts

# Who looks at outcomes, stages or scores when choosing clusters may not test them afterwards.
ROLES = ("scanner", "demographic")
MOST_LEVELS = 10
SCAN = " (scan)"


def known_beforehand(table: pd.DataFrame, schema: dict[str, Any], qc: pd.DataFrame) -> pd.DataFrame:
    """Gather what features may follow instead of disease: how, and of whom, a scan was made.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with ``subject_id`` and the columns of its person.
    schema : dict
        The table's contract: columns with the role scanner or demographic are taken.
    qc : DataFrame
        The quality table of the volumes: the facts of :func:`scan_facts`, and the measured volume
        of the lungs as ``lung_ml``.

    Returns
    -------
    DataFrame
        The rows of ``table``: numbers, and names of which there are ten or fewer; what is the same
        for all scans is left out. Ten or fewer whole numbers with the role scanner are names, as
        codes of sites are. Where both tables have a column of one name, that of the scan
        has " (scan)" behind it.

    Raises
    ------
    ValueError
        If a scan has not one row in ``qc``.

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["a", "b"], "age": [61, 70], "fvc": [3.1, 2.4]})
    >>> schema = {"properties": {"age": {"x-role": "demographic"}, "fvc": {"x-role": "outcome"}}}
    >>> qc = pd.DataFrame({"subject_id": ["b", "a"], "right_ml": [2000, 2500],
    ...                    "left_ml": [1800, 2100], "kvp": 120})
    >>> known_beforehand(table, schema, qc).to_dict("list")
    {'age': [61.0, 70.0], 'lung_ml': [4600.0, 3800.0]}
    """
    subjects = table["subject_id"]
    facts = scan_facts(qc)
    measured = qc.set_index("subject_id")
    if {"right_ml", "left_ml"} <= set(measured):
        facts = facts.assign(lung_ml=measured["right_ml"] + measured["left_ml"])
    if not facts.index.is_unique or not subjects.isin(facts.index).all():
        raise ValueError("expected one row of qc for each scan: run notebook 02 again")
    rules = schema.get("properties", {})
    names = [n for role in ROLES for n, rule in rules.items() if rule.get("x-role") == role]
    people = table.filter(items=names)
    codes = [n for n in people if rules[n]["x-role"] == "scanner" and _are_codes(people[n])]
    people = people.astype(dict.fromkeys(codes, object))
    facts = facts.rename(columns={name: name + SCAN for name in people})
    facts = facts.loc[subjects].set_axis(table.index)
    columns = {n: _plain(column) for n, column in people.join(facts).items()}
    known = pd.DataFrame(columns, index=table.index)
    return known[[name for name in known if _may_explain(known[name])]]


def columns_named(known: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Take columns by name, and learn which there are where one is not.

    Parameters
    ----------
    known : DataFrame
        From :func:`known_beforehand`.
    names : sequence of str
        What to take; none gives a table without columns.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If there is no such column; the message lists those there are.

    Examples
    --------
    >>> columns_named(pd.DataFrame({"age": [61], "kvp": [120]}), ("kvp",)).to_dict("list")
    {'kvp': [120]}
    """
    if isinstance(names, str):
        names = (names,)
    if missing := [repr(name) for name in names if name not in known]:
        raise ValueError(
            f"expected names of columns that are known of the scans, found {', '.join(missing)}; "
            f"there are {', '.join(map(str, known)) or 'none'}"
        )
    return known[list(names)]


def _are_codes(column: pd.Series) -> bool:
    """Tell whether numbers may be names: nothing is known of their order, or of steps between."""
    if not pd.api.types.is_numeric_dtype(column):
        return False
    known = column.dropna()
    return bool(known.nunique() <= MOST_LEVELS and (known % 1 == 0).all())


def _plain(column: pd.Series) -> pd.Series:
    """Bring numbers to floats and everything else to names, without levels that nobody has."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64").astype(float)
    return column.astype(object).where(column.notna(), None)


def _may_explain(column: pd.Series) -> bool:
    levels = column.nunique()
    return levels > 1 and (pd.api.types.is_numeric_dtype(column) or levels <= MOST_LEVELS)
