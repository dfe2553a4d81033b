"""How a variable is described in any table: counts and shares, or mean, median and their spread."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clamlab.stats.variables import Variable

Members = tuple[Any, pd.Series]


def summaries(variable: Variable, values: pd.Series, groups: Iterable[Members]) -> list[dict]:
    """Describe a variable in each group: one row, or one for each of its levels.

    Parameters
    ----------
    variable : Variable
    values : Series
        As :meth:`Variable.values` gives them.
    groups : iterable of (label, Series of bool)
        The group's label, which comes back as ``group``, and who is in it.

    Returns
    -------
    list of dict
        ``part`` ("summary"), ``group``, n, n_missing, and mean, sd, median, q1, q3; or level,
        is_reference, count and percent of the values present.

    Examples
    --------
    >>> bmi = Variable("bmi", "BMI", "demographic", "external")
    >>> values = pd.Series([20.0, 30.0, None])
    >>> rows = summaries(bmi, values, [("all", values.index >= 0)])
    >>> float(rows[0]["mean"]), rows[0]["n"], rows[0]["n_missing"]
    (25.0, 2, 1)
    """
    one = _levels if variable.is_categorical else _moments
    return [
        {"part": "summary", "group": label, **row}
        for label, members in groups
        for row in one(variable, values[members])
    ]


def named(variable: Variable, rows: Sequence[dict]) -> list[dict]:
    """Write on each row of a table which variable it is about."""
    name = {
        "variable": variable.name,
        "title": variable.title,
        "role": variable.role,
        "source": variable.source,
        "kind": "categorical" if variable.is_categorical else "numeric",
    }
    return [{**name, **row} for row in rows]


def _moments(variable: Variable, inside: pd.Series) -> list[dict]:
    present = inside.dropna().to_numpy()
    counts = {"n": len(present), "n_missing": len(inside) - len(present)}
    if len(present) == 0:
        return [counts]
    q1, median, q3 = np.quantile(present, [0.25, 0.5, 0.75])
    sd = np.std(present, ddof=1) if len(present) > 1 else np.nan
    spread = {"mean": present.mean(), "sd": sd, "median": median, "q1": q1, "q3": q3}
    return [counts | spread]


def _levels(variable: Variable, inside: pd.Series) -> list[dict]:
    n = int(inside.notna().sum())
    rows = []
    for level in variable.levels:
        count = int((inside == level).sum())
        rows.append(
            {
                "level": level,
                "is_reference": level == variable.reference,
                "n": n,
                "n_missing": len(inside) - n,
                "count": count,
                "percent": 100 * count / n if n else np.nan,
            }
        )
    return rows
