"""Table 2, the outcomes' tables and the cohort's flow without counts that are single persons."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.stats.disclosure.nesting import hidden_scanner_rows
from clamlab.stats.disclosure.rounding import told_less_exactly
from clamlab.stats.disclosure.sentences import without_counts
from clamlab.stats.disclosure.small_counts import SMALLEST, hidden_cells, is_small

MASKED = (
    f"counts below {SMALLEST}, and what would tell them, are masked, "
    "and other numbers have three digits"
)
# Of a table with all totals known, any of these gives the counts back.
_TELLS = [
    *("statistic", "df1", "df2", "p", "p_holm", "p_bh", "p_tukey", "effect_size"),
    *("difference", "difference_low", "difference_high", "smd", "smd_low", "smd_high"),
]
_COUNTS = ["n", "n_missing"]
_FEWEST = "n_smallest"  # rows of a cluster: beside its size, it would tell how many are missing
# Functions of how many rows there were: R² and its adjusted form, or an effect and its p, give it.
_SIZES = [
    *("statistic", "df1", "df2", "aic", "bic"),
    *("r2", "f_cluster", "f_reader", "effect_size"),
]
_MOMENTS = ["mean", "sd", "median", "q1", "q3"]


def mask_table_one(tidy: pd.DataFrame) -> pd.DataFrame:
    """Get a Table 2 that may leave the study: no count in it is that of one to four persons.

    Parameters
    ----------
    tidy : DataFrame
        From :func:`clamlab.stats.tables.table_one`.

    Returns
    -------
    DataFrame
        The same rows; what is masked is missing, and the variable's ``note`` says so. Values that
        are missing count like a level, so their number is not told either. Where a level is a few
        persons, the tests of its variable go too: totals and a p-value give the counts back. Where
        a whole cluster is a few persons, nothing by cluster is left. Of several columns about
        scanners none keeps a count where one masks any: models nest in manufacturers. Numbers are
        rounded; ``digits`` says to how many digits estimates are.

    Examples
    --------
    >>> from clamlab.stats.tables import render_table_one, table_one
    >>> smokes = ["yes"] * 3 + ["no"] * 21 + ["yes"] * 10 + ["no"] * 14
    >>> table = pd.DataFrame({"smoker": smokes, "cluster": [0] * 24 + [1] * 24})
    >>> rule = {"type": "string", "enum": ["no", "yes"], "x-role": "demographic"}
    >>> tidy = mask_table_one(table_one(table, {"properties": {"smoker": rule}}))
    >>> render_table_one(tidy, columns=["p"]).iloc[1].tolist()
    ['smoker (%)', '13 (27.1)', 'masked', 'masked', '']
    """
    tidy = as_made(tidy)
    masked = tidy.copy()
    tiny_cluster = _some(tidy.loc[tidy["part"] == "size", "n"])
    if tiny_cluster:
        _mask_clusters(masked)
    for name in tidy.loc[tidy["part"] == "summary", "variable"].unique():
        _mask_variable(masked, tidy[tidy["variable"] == name], whole_only=tiny_cluster)
    _mask_nested(masked, hidden_scanner_rows(masked, tidy))
    masked["note"] = masked["note"].map(without_counts)
    return told_less_exactly(masked, tidy)


def mask_outcomes(
    associations: pd.DataFrame, adjusted: pd.DataFrame, comparison: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Get tables of outcomes that may leave the study: no number rests on one to four persons.

    Parameters
    ----------
    associations : DataFrame
        From :func:`clamlab.stats.outcomes.outcome_associations`.
    adjusted : DataFrame
        From :func:`clamlab.stats.outcomes.adjusted_means`, of the same models.
    comparison : DataFrame
        From :func:`clamlab.stats.outcomes.compare_models`.

    Returns
    -------
    tuple of three DataFrame
        An outcome of which a cluster has one to four values keeps no number, only a ``note``, nor
        do models that are compared on so few. Of one where one to four are missing, the counts go,
        and what is a function of them. Numbers are rounded; ``digits`` says to how many digits
        estimates are.

    Examples
    --------
    >>> from clamlab.stats.outcomes import adjusted_means, compare_models, outcome_associations
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"fvc": rng.normal(3, 1, 20), "cluster": [0] * 8 + [1] * 12})
    >>> table.loc[table.index[:5], "fvc"] = None
    >>> schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome"}}}
    >>> found = [f(table, schema) for f in (outcome_associations, adjusted_means, compare_models)]
    >>> mask_outcomes(*found)[1]["mean"].isna().all()
    np.True_
    """
    whole = [as_made(table) for table in (associations, adjusted, comparison)]
    tables = [table.copy() for table in whole]
    groups = tables[0][tables[0]["part"] == "group"]
    for outcome, rows in groups.groupby("outcome", sort=False):
        by_cluster = rows.dropna(subset="group")
        counts = by_cluster[["n", "n_missing"]].to_numpy(dtype=int).T
        if hidden_cells(counts).any():
            for table in tables:
                mask_rows(table, table["outcome"] == outcome, few=_some(by_cluster["n"]))
        own = whole[2]["outcome"] == outcome
        if _has_few(whole[2][own], by_cluster["n"]):
            mask_rows(tables[2], own, few=True)
        # Beside the rows of the associations, those of models tell how many lack a reader's term.
        fewer = is_small(by_cluster["n"].sum() - whole[2]["n"].fillna(0).astype(int))
        mask_rows(tables[2], own & fewer, few=False)
    compared = tables[2] = tables[2].drop(columns=_FEWEST, errors="ignore")
    gaps = is_small(compared[_COUNTS].fillna(0).astype(int)).any(axis=1)
    mask_rows(compared, pd.Series(gaps, index=compared.index), few=False)
    for table in tables:
        table["note"] = table["note"].map(without_counts)
    told = [told_less_exactly(*pair) for pair in zip(tables, whole, strict=True)]
    return told[0], told[1], told[2]


def _has_few(models: pd.DataFrame, rows: pd.Series) -> bool:
    """Tell whether a cluster may have one to four rows in models that are compared.

    They lose those of an outcome in which a reader's term is missing. Tables from before the
    fewest rows were counted leave it open of which cluster these were: of any.
    """
    there = rows[rows > 0]
    if _FEWEST in models:
        return _some(models[_FEWEST].fillna(0))
    return bool((there.min() - (there.sum() - models["n"]) < SMALLEST).any())


def mask_flow(flow: pd.DataFrame) -> pd.DataFrame:
    """Get a cohort flow that may leave the study: no step in it lost one to four persons.

    Parameters
    ----------
    flow : DataFrame
        ``n`` by step: all, those lost at each step, those who are left, and a part of these.

    Returns
    -------
    DataFrame
        The same steps; what is masked is missing. How many are left stands in Table 2 too, and so
        here in any case.

    Examples
    --------
    >>> mask_flow(pd.DataFrame({"n": [58, 10, 2, 0, 46, 12]}))["n"].tolist()
    [58, <NA>, <NA>, 0, 46, 12]
    """
    masked = flow.astype({"n": "Int64"})
    total, *lost, left, part = flow["n"]
    hidden = hidden_cells([[n] for n in lost])[:, 0]
    ends = [_some([sum(lost)]), *hidden, False, _some([part, left - part])]
    masked.loc[ends, "n"] = pd.NA
    return masked


def mask_trust(trust: pd.DataFrame) -> pd.DataFrame:
    """Get trust cards that may leave the study: none counts one to four persons' maps.

    Parameters
    ----------
    trust : DataFrame
        From :func:`clamlab.evaluation.trust_card`.

    Returns
    -------
    DataFrame
        The same rows; where one to four of the maps that were examined are empty, or are not, their
        number is missing.

    Examples
    --------
    >>> verdict = "Trust it for: nothing that was tested. 2 of 6 maps are empty."
    >>> card = {"n_examined": [6], "n_empty": [2], "verdict": [verdict]}
    >>> mask_trust(pd.DataFrame(card)).values.tolist()
    [[6, <NA>, 'Trust it for: nothing that was tested. a few of 6 maps are empty.']]
    """
    told = trust.assign(verdict=trust["verdict"].map(without_counts))
    if "n_empty" in told:
        few = is_small(told["n_empty"]) | is_small(told["n_examined"] - told["n_empty"])
        told["n_empty"] = told["n_empty"].astype("Int64").mask(few)
    return told


def as_made(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table that was read from its file the types that it was made with."""
    table = table.copy()
    for name, column in table.items():
        if column.dtype.kind == "O" or name == "note":
            table[name] = column.astype(object).where(column.notna(), "")
    whole = table.columns.intersection(["group", "other_group", "n", "n_missing", "count"])
    table[whole] = table[whole].astype("Int64")
    if "is_reference" in table:
        table["is_reference"] = table["is_reference"].replace("", None).astype("boolean")
    return table


def mask_rows(table: pd.DataFrame, rows: pd.Series, *, few: bool) -> None:
    """Take the counts out of some rows; with ``few``, every number. The note says so.

    With ``few`` it says no more: "Sex: one level only" would tell of everybody in such a row.
    """
    names = _numbers_of(table) if few else [*_COUNTS, *_SIZES]
    table.loc[rows, table.columns.intersection(names)] = np.nan
    table.loc[rows, "note"] = MASKED if few else table.loc[rows, "note"].map(and_masked)


def _mask_clusters(tidy: pd.DataFrame) -> None:
    by_cluster = tidy["part"].isin(["size", "summary"]) & tidy["group"].notna()
    tidy.loc[by_cluster, ["n", "n_missing", "count", "percent", *_MOMENTS]] = np.nan
    tidy.loc[tidy["part"].isin(["omnibus", "pairwise"]), _TELLS] = np.nan


def _mask_nested(tidy: pd.DataFrame, rows: pd.Series) -> None:
    """Empty columns of which one tells what another masks; one alone is safe by its own masks."""
    if tidy.loc[rows, "variable"].nunique() < 2:
        return
    tidy.loc[rows, tidy.columns.intersection([*_COUNTS, "count", "percent", *_TELLS])] = np.nan
    omnibus = rows & tidy["part"].eq("omnibus") & ~tidy["note"].str.contains(MASKED, regex=False)
    tidy.loc[omnibus, "note"] = tidy.loc[omnibus, "note"].map(and_masked)


def _mask_variable(tidy: pd.DataFrame, own: pd.DataFrame, *, whole_only: bool) -> None:
    """Mask one variable; ``whole_only``: there are no numbers by cluster to be masked."""
    summary, category = own[own["part"] == "summary"], own["kind"].iloc[0] == "categorical"
    groups = [part for _, part in summary.groupby("group", sort=False, dropna=False)]
    seen = groups[:1] if whole_only else groups[1:]
    counts = np.column_stack([_counts(part, category) for part in seen])
    printed = [*(~summary["is_reference"].fillna(False))[: len(counts) - 1], False]
    hidden = hidden_cells(counts, spare=np.logical_not(printed))
    if not hidden.any():
        return
    few = _some(counts[:-1]) or _some(counts[:-1].sum(axis=1))
    for part, cells in zip(groups, hidden.T, strict=False):
        _mask_group(tidy, part.index, cells, category=category, few=few)
    tests = own.index[own["part"].isin(["omnibus", "pairwise"])]
    tidy.loc[tests, tidy.columns.intersection(_TELLS if few else _SIZES)] = np.nan
    omnibus = own.index[own["part"] == "omnibus"]
    tidy.loc[omnibus, "note"] = tidy.loc[omnibus, "note"].map(and_masked)


def _counts(part: pd.DataFrame, category: bool) -> list[int]:
    """Count the subjects of one group: by level, or those with a value; and those without."""
    present = part["count"] if category else part["n"].iloc[:1]
    return [*present.astype(int), int(part["n_missing"].iloc[0])]


def _mask_group(
    tidy: pd.DataFrame, rows: pd.Index, hidden: NDArray, *, category: bool, few: bool
) -> None:
    *present, missing = hidden
    if category:
        tidy.loc[rows[present], ["count", "percent"]] = np.nan
    elif present[0]:
        tidy.loc[rows, ["n", *(_MOMENTS if few else [])]] = np.nan
    if missing:  # and what would tell it: a share of those present
        tidy.loc[rows, ["n", "n_missing", "percent"]] = np.nan


def _some(counts: ArrayLike) -> bool:
    return bool(is_small(np.asarray(counts, dtype=int)).any())


def _numbers_of(table: pd.DataFrame) -> list[str]:
    names = {"group", "other_group"}
    return [c for c in table.select_dtypes("number").columns if c not in names]


def and_masked(note: str) -> str:
    """Add to a note that something is masked."""
    return "; ".join(filter(None, [note, MASKED]))
