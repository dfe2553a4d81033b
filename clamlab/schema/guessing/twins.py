"""Columns that say the same: an age in years and in months, an outcome that was pasted twice."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from clamlab.schema.conversion import coerce

_SAME = 0.999  # |r|; before and after a drug, or beside each other in a blood count, it is lower
_FEWEST = 12  # subjects with both, and of as many values: two that count up agree by chance


def without_twins(rules: Mapping[str, dict], table: pd.DataFrame) -> dict[str, dict]:
    """Take the role from measures that say what one before them says: each would count twice.

    Parameters
    ----------
    rules : mapping of str to dict
        The drafted rule of each column, in the table's order.
    table : DataFrame

    Returns
    -------
    dict of str to dict
        The same rules; that of a twin names the other in its description.

    Examples
    --------
    >>> age = pd.Series([61.0, 47, 55, 38, 70, 66, 59, 44, 52, 73, 35, 41, 64])
    >>> rule = {"type": "number", "x-role": "demographic", "x-source": "external"}
    >>> both = {"age": rule, "age_months": rule}
    >>> found = without_twins(both, pd.DataFrame({"age": age, "age_months": age * 12}))
    >>> "x-role" in found["age"], found["age_months"]["description"][:43]
    (True, "Drafted: it says the same as 'age' (r = 1.0")
    """
    before: dict[str, pd.Series] = {}
    found = {}
    for name, rule in rules.items():
        found[name] = rule
        if not rule.get("x-role") or "number" not in np.atleast_1d(rule["type"]):
            continue
        values = pd.to_numeric(coerce(table[name], rule), errors="coerce")
        twin = next((told for o, v in before.items() if (told := _same(o, v, values))), None)
        if twin is None:
            before[name] = values
        else:
            kept = {k: v for k, v in rule.items() if k not in ("x-role", "x-source")}
            found[name] = kept | {
                "description": f"Drafted: it says the same as {twin}; no role, since it would be "
                "counted twice. Give the role to one of the two."
            }
    return found


def _same(name: str, one: pd.Series, other: pd.Series) -> str | None:
    both = pd.DataFrame({"one": one, "other": other}).dropna().astype(float)
    if both.nunique().min() < _FEWEST:
        return None
    r = np.corrcoef(both["one"], both["other"])[0, 1]
    return f"{name!r} (r = {r:.4f})" if abs(r) > _SAME else None
