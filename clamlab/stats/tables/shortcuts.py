"""Whether clusters follow how scans were made rather than what they show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clamlab.stats.tables.comparisons import adjust_p, check_preset, compare_counts, compare_means
from clamlab.stats.tables.scan_facts import NOT_RECORDED
from clamlab.stats.variables import cluster_labels

# Large after Cohen. Both are corrected for their bias: eight scanners in twenty scans give a plain
# V of .6 by chance alone.
CRAMER, EPSILON = "corrected Cramer's V", "epsilon squared"
LARGE = {CRAMER: 0.3, EPSILON: 0.14}
LEVEL = 0.05
MOST_VALUES = 10  # a number with more of them is compared by its quarters


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

    How a scan was made is compared by levels; of a number with more than ten values, by its
    quarters. A test of means has no answer where a fact never varies within a cluster, and that is
    the plainest shortcut of all. What is not recorded is a level too: some sites strip headers.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with the column of clusters.
    schema : dict
        Contract of the table: columns with the role "scanner" are examined.
    group : str
        Column of clusters.
    acquisition : sequence of str
        More columns on how the scan was made (kernel, spacing, site), which need no contract;
        those of :func:`scan_facts`, for instance.
    derived : sequence of str
        Numbers measured on the scan itself, such as lung volume and the filled fraction: never
        tested.
    preset : str
        As of `table_one`.

    Returns
    -------
    DataFrame
        One row per variable: variable, n, n_missing, effect ("corrected Cramer's V" or "epsilon
        squared"), effect_size, test, p, p_holm (none for derived ones), alarm, and message, in
        plain words. The alarm is raised by a p below .05 after Holm's correction for the number of
        facts; for derived ones by a large effect (epsilon squared of .14 or more, V of .3 or more,
        after Cohen).

    Raises
    ------
    ValueError
        If a column is missing from the table, or a scan has no cluster.

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
    check_preset(preset)
    known = schema.get("properties", {})
    scanner = [name for name, rule in known.items() if rule.get("x-role") == "scanner"]
    made = list(dict.fromkeys([*(name for name in scanner if name in table), *acquisition]))
    missing = [name for name in (*made, *derived) if name not in table]
    if missing:
        raise ValueError(
            f"columns {', '.join(missing)} are not in the table, which has {', '.join(table)}"
        )
    table = table.reset_index(drop=True)
    clusters = cluster_labels(table, group)
    rows = [_of_scanner(table[name], clusters, preset) for name in made]
    rows += [_of_image(table[name], clusters) for name in derived]
    columns = ["variable", "n", "n_missing", "effect", "effect_size", "test", "p"]
    found = pd.DataFrame(rows, columns=[*columns, "note"])
    found["p_holm"] = adjust_p(found["p"].astype(float), "holm")
    found["alarm"] = [_is_alarm(row) for row in found.to_dict("records")]
    found["message"] = [_message(row) for row in found.to_dict("records")]
    return found.drop(columns="note")


def _of_scanner(values: pd.Series, clusters: pd.Series, preset: str) -> dict[str, Any]:
    """Compare how the scans of the clusters were made."""
    levels = _levels(values)
    if levels.nunique() > len(levels) / 2:
        note = f"{levels.nunique()} values among {len(levels)} scans: too many to compare"
        return _counted(values) | {"note": note}
    return _counted(values) | _compared(levels, clusters, preset)


def _of_image(values: pd.Series, clusters: pd.Series) -> dict[str, Any]:
    """Give the size of an effect on what is measured on the images, without a test."""
    present = values.dropna()
    if present.nunique() <= MOST_VALUES:  # it may be constant within a cluster
        found = _compared(present.map(str), clusters[present.index], "paper")
    else:
        samples = [sample.to_numpy(float) for _, sample in present.groupby(clusters)]
        found = compare_means(samples, "paper")
        if "effect_size" in found:
            n, k = len(present), sum(len(sample) > 1 for sample in samples)
            unexplained = (1 - found["effect_size"]) * (n - 1) / (n - k)
            found |= {"effect": EPSILON, "effect_size": max(0.0, 1 - unexplained)}
    return _counted(values) | found | {"test": "", "p": np.nan}


def _levels(values: pd.Series) -> pd.Series:
    """Bring a fact to levels: a number with many values to its quarters."""
    present = values.dropna()
    if pd.api.types.is_numeric_dtype(values) and present.nunique() > MOST_VALUES:
        cuts = np.unique(np.quantile(present, [0.25, 0.5, 0.75]))
        # A value that many scans share may be a cut: then it is a level of its own.
        place = np.searchsorted(cuts, present, "left") + np.searchsorted(cuts, present, "right")
        present = pd.Series(place, index=present.index)
    if present.empty:
        return present
    return present.map(str).reindex(values.index, fill_value=NOT_RECORDED)


def _compared(levels: pd.Series, clusters: pd.Series, preset: str) -> dict[str, Any]:
    counts = pd.crosstab(levels, clusters.reindex(levels.index)).to_numpy()
    found = compare_counts(counts, preset)
    if "effect_size" in found:
        found |= {"effect": CRAMER, "effect_size": _corrected(found["effect_size"], counts)}
    return found


def _corrected(size: float, counts: np.ndarray) -> float:
    """Take from Cramer's V what chance alone gives it."""
    n, (down, across) = counts.sum(), np.subtract(counts.shape, 1)
    left = max(0.0, size**2 * min(across, down) - across * down / (n - 1))
    return float(np.sqrt(left / min(across - across**2 / (n - 1), down - down**2 / (n - 1))))


def _counted(values: pd.Series) -> dict[str, Any]:
    return {
        "variable": values.name,
        "n": int(values.notna().sum()),
        "n_missing": int(values.isna().sum()),
    }


def _is_alarm(row: dict[str, Any]) -> bool:
    if pd.isna(row["effect_size"]):
        return False
    large = row["effect_size"] >= LARGE[row["effect"]]
    return bool(large if pd.isna(row["p"]) else row["p_holm"] < LEVEL)


def _message(row: dict[str, Any]) -> str:
    name = row["variable"]
    if pd.isna(row["effect_size"]):
        return f"{name}: not recorded." if not row["n"] else f"{name}: {row['note']}."
    told = f"{name}: {row['effect']} {row['effect_size']:.2f}"
    if not pd.isna(row["p"]):
        told += f" (p {row['p']:.3f}, {row['p_holm']:.3f} among all facts)"
    if row["n_missing"]:
        told += f", not recorded for {row['n_missing']} scans"
    if row["alarm"]:
        return told + (
            f". The clusters may be of {name}: look at it within the clusters, adjust for it, or "
            "harmonise the scans."
        )
    if row["effect_size"] >= LARGE[row["effect"]]:
        return told + ", a large effect that chance may give among so few scans."
    return told + ", no sign that clusters follow it."
