"""What is said of other groups of the same scans, without counts that are single persons."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clamlab.stats.disclosure.masking import as_made, mask_rows
from clamlab.stats.disclosure.rounding import told_less_exactly
from clamlab.stats.disclosure.sentences import without_counts
from clamlab.stats.disclosure.small_counts import hidden_cells, is_small
from clamlab.stats.variables import BASES, describe_variable

SCANNER = "scanner: "  # names of groups that are facts, with sizes that the report prints
CLUSTERS = "clusters"
CUT = "cut to one decimal"
_INDICES = ["adjusted_rand", "adjusted_mutual_information"]


def mask_agreement(
    found: pd.DataFrame, partitions: pd.DataFrame, clusters: ArrayLike
) -> pd.DataFrame:
    """Get a table of agreement that may leave the study: no count in it is of one to four persons.

    Parameters
    ----------
    found : DataFrame
        From :func:`clamlab.baselines.agreement`.
    partitions : DataFrame
        The groups that were compared, one column for each ``baseline``, missing where unknown.
    clusters : array of int, shape (n_scans,)
        The network's.

    Returns
    -------
    DataFrame
        The same rows. Of groups that are known of one to four scans, or not known of so many, the
        count goes. Where a scanner made one to four scans of a cluster, the indices are cut to one
        decimal: with the sizes of clusters and scanners known, exact ones give the count back.

    Examples
    --------
    >>> from clamlab.baselines import agreement
    >>> clusters = np.repeat([0, 1], 20)
    >>> parts = pd.DataFrame({"scanner: site": np.where(np.arange(40) < 22, "a", "b")})
    >>> found = agreement(parts, clusters)
    >>> found["adjusted_rand"].round(2).tolist()
    [0.81]
    >>> mask_agreement(found, parts, clusters)["adjusted_rand"].tolist()
    [0.8]
    """
    found = as_made(found)
    masked, n_scans = found.copy(), len(np.asarray(clusters))
    for place, row in zip(masked.index, found.itertuples(), strict=True):
        if is_small([row.n, n_scans - row.n]).any():
            masked.loc[place, "n"] = pd.NA
        masked.loc[place, "note"] = _without_known(row.note)
        if row.baseline.startswith(SCANNER) and _has_few(partitions.get(row.baseline), clusters):
            masked.loc[place, _INDICES] = np.trunc(masked.loc[place, _INDICES].astype(float) * 10)
            masked.loc[place, _INDICES] /= 10
            masked.loc[place, "note"] = "; ".join(filter(None, [masked.loc[place, "note"], CUT]))
    return told_less_exactly(masked, found)


def _has_few(groups: pd.Series | None, clusters: ArrayLike) -> bool:
    if groups is None:  # nobody can tell
        return True
    table = pd.crosstab(groups.to_numpy(), np.asarray(clusters))
    return bool(is_small(table.to_numpy()).any())


def _without_known(note: str) -> str:
    """Say of how many scans something is known only where neither they nor the rest are a few."""

    def told(found: re.Match) -> str:
        known, n = int(found[1]), int(found[2] or 0)
        if not is_small([known, n - known]).any():
            return found[0]
        return "known of too few scans" if known < n / 2 or not n else "not known of all scans"

    return without_counts(re.sub(r"known of (\d+)(?: of (\d+))? scans", told, note))


def mask_partitions(
    compared: pd.DataFrame,
    table: pd.DataFrame,
    schema: dict,
    partitions: pd.DataFrame,
    *,
    covariates: Sequence[str] = (),
) -> pd.DataFrame:
    """Get a comparison of partitions that may leave the study: no number is of one to four persons.

    Parameters
    ----------
    compared : DataFrame
        From :func:`clamlab.stats.outcomes.compare_partitions`.
    table : DataFrame
        The one that was compared in, with ``subject_id`` and ``cluster``.
    schema : dict
        Its contract: a value that a model cannot use, such as 0 on the log scale, is none.
    partitions : DataFrame
        The groups, with ``subject_id``; columns are named as in ``compared``.
    covariates : sequence of str
        Columns without which a row was left out.

    Returns
    -------
    DataFrame
        The same rows. An outcome of which a cluster has one to four values keeps no number, nor
        does a partition of which a group has so few; where one to four are missing, counts go.

    Raises
    ------
    ValueError
        If an outcome or partition of ``compared`` is in none of the tables.

    Examples
    --------
    >>> from clamlab.stats.outcomes import compare_partitions
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"subject_id": [f"S{i}" for i in range(40)], "cluster": [0, 1] * 20})
    >>> table["fvc"] = rng.normal(3, 1, 40)
    >>> parts = table[["subject_id"]].assign(volume=[0] * 3 + [1] * 37)
    >>> schema = {"properties": {"fvc": {"x-role": "outcome"}}}
    >>> compared = compare_partitions(table, schema, parts)
    >>> told = mask_partitions(compared, table, schema, parts)
    >>> told[["partition", "adjusted_r2"]].values.tolist()
    [['mean alone', 0.0], ['clusters', 0.05], ['volume', nan]]
    """
    compared = as_made(compared)
    masked = compared.copy()
    used = set(compared["partition"]) - {CLUSTERS, *BASES}
    groups = partitions.set_index("subject_id")[[n for n in partitions if n in used]]
    if absent := sorted((used - {*groups}) | ({*compared["outcome"]} - {*table})):
        raise ValueError(
            f"expected the outcomes and groups that were compared, found no column "
            f"{', '.join(absent)}: run notebook 09 again"
        )
    rows = table.join(groups, on="subject_id")
    grouped = rows[[*groups]].notna().all(axis=1)
    described = pd.Series(True, index=rows.index)
    for name in covariates:
        described &= describe_variable(rows, schema, name).values(rows).notna()
    known = grouped & described
    for outcome in compared["outcome"].unique():
        modelled = describe_variable(rows, schema, outcome).transformed(rows)
        there, own = known & modelled.notna(), masked["outcome"] == outcome
        by_cluster = pd.crosstab(there, rows["cluster"]).reindex([True, False], fill_value=0)
        few = bool(is_small(by_cluster.loc[True]).any())
        # Beside the rows of the associations, these tell of how many no group is known.
        ungrouped = int((described & modelled.notna() & ~grouped).sum())
        if few or hidden_cells(by_cluster).any() or is_small(ungrouped):
            mask_rows(masked, own, few=few)
        for name in () if few else groups:
            if is_small(rows.loc[there, name].value_counts()).any():
                mask_rows(masked, own & (masked["partition"] == name), few=True)
    gaps = is_small(compared[["n", "n_missing"]].fillna(0).astype(int)).any(axis=1)
    mask_rows(masked, pd.Series(gaps, index=masked.index), few=False)
    masked["note"] = [
        _once("; ".join(map(_without_known, note.split("; ")))) for note in masked["note"]
    ]
    return told_less_exactly(masked, compared)


def _once(note: str) -> str:
    return "; ".join(dict.fromkeys(note.split("; ")))
