"""Whether clusters follow how scans were made rather than what they show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clamlab.stats.tables.characteristics import table_one

# Large after Cohen. Both are corrected for their bias: eight scanners in twenty scans give a plain
# V of .6 by chance alone.
CORRECTED = {"Cramer's V": "corrected Cramer's V", "eta squared": "epsilon squared"}
LARGE = {"corrected Cramer's V": 0.3, "epsilon squared": 0.14}
LEVEL = 0.05


def shortcut_alarm(
    table: pd.DataFrame,
    schema: dict[str, Any],
    *,
    group: str = "cluster",
    acquisition: Sequence[str] = (),
    derived: Sequence[str] = (),
    preset: str = "recommended",
) -> pd.DataFrame:
    """Be warned where clusters may be of scanners, not of patients.

    A network clusters by whatever varies most. If clusters go along with the scanner, the
    site, the kernel, the slice thickness or the size of the lung, a disease may not be behind them.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with the column of clusters.
    schema : dict
        Contract of the table: columns with the role "scanner" are examined.
    group : str
        Column of clusters.
    acquisition : sequence of str
        More columns on how the scan was made (spacing, kernel, site), which need no contract: text
        counts as categories, numbers as measurements.
    derived : sequence of str
        Columns measured on the scan itself, such as lung volume: never tested.
    preset : str
        As of `table_one`.

    Returns
    -------
    DataFrame
        One row per variable: variable, n, n_missing, effect ("corrected Cramer's V" or "epsilon
        squared"), effect_size, test, p (none for derived ones), alarm, and message, in plain
        words. The alarm is raised by a p below .05; for derived ones by a large effect (epsilon
        squared of .14 or more, V of .3 or more, after Cohen).

    Raises
    ------
    ValueError
        If a column is missing from the table.

    References
    ----------
    Bergsma, J. Korean Stat. Soc. 42(3), 323-328 (2013), for the correction of Cramer's V.

    Examples
    --------
    >>> kernels = ["B70"] * 10 + ["B30"] * 10
    >>> table = pd.DataFrame({"cluster": [0] * 10 + [1] * 10, "kernel": kernels})
    >>> shortcut_alarm(table, {}, acquisition=["kernel"])[["variable", "alarm"]].values.tolist()
    [['kernel', True]]
    """
    missing = [name for name in (*acquisition, *derived) if name not in table]
    if missing:
        raise ValueError(
            f"columns {', '.join(missing)} are not in the table, which has {', '.join(table)}"
        )
    known = schema.get("properties", {})
    examined = {name: rule for name, rule in known.items() if rule.get("x-role") == "scanner"}
    examined |= {name: _rule(table[name], "external") for name in acquisition}
    examined |= {name: _rule(table[name], "derived") for name in derived}
    tidy = table_one(table, {"properties": examined}, group=group, preset=preset, roles=["scanner"])
    omnibus = tidy[tidy["part"] == "omnibus"].set_index("variable")
    rows = [_row(name, omnibus.loc[name], table[[name, group]]) for name in omnibus.index]
    columns = ["variable", "n", "n_missing", "effect", "effect_size", "test", "p"]
    return pd.DataFrame(rows, columns=[*columns, "alarm", "message"])


def _rule(values: pd.Series, source: str) -> dict[str, str]:
    kind = "number" if pd.api.types.is_numeric_dtype(values) else "string"
    return {"type": kind, "x-role": "scanner", "x-source": source}


def _row(name: str, omnibus: pd.Series, columns: pd.DataFrame) -> dict[str, Any]:
    present = columns.dropna()
    row = {
        "variable": name,
        "n": len(present),
        "n_missing": len(columns) - len(present),
        "test": omnibus["test"],
        "p": omnibus["p"],
    }
    if pd.isna(omnibus["effect_size"]):
        return row | {"alarm": False, "message": f"{name}: {omnibus['note'] or 'not examined'}."}
    effect = CORRECTED[omnibus["effect"]]
    size = _corrected(omnibus, n=len(present), n_clusters=present.iloc[:, 1].nunique())
    row |= {"effect": effect, "effect_size": size}
    large, tested = bool(size >= LARGE[effect]), not pd.isna(omnibus["p"])
    alarm = bool(omnibus["p"] < LEVEL) if tested else large
    p = f" (p {omnibus['p']:.3f})" if tested else ""
    told = f"{name}: {effect} {size:.2f}{p}"
    if alarm:
        told += (
            f". The clusters may be of {name}: look at it within the clusters, adjust for it, or "
            "harmonise the scans."
        )
    elif large:
        told += ", a large effect that chance may give among so few scans."
    else:
        told += ", no sign that clusters follow it."
    return row | {"alarm": alarm, "message": told}


def _corrected(omnibus: pd.Series, *, n: int, n_clusters: int) -> float:
    """Take from an effect what chance alone gives it."""
    size = float(omnibus["effect_size"])
    if omnibus["effect"] == "eta squared":
        return max(0.0, 1 - (1 - size) * (n - 1) / (n - n_clusters))
    across = n_clusters - 1
    down = omnibus["df1"] / across
    by_chance = across * down / (n - 1)
    left = max(0.0, size**2 * min(across, down) - by_chance)
    return float(np.sqrt(left / min(across - across**2 / (n - 1), down - down**2 / (n - 1))))
