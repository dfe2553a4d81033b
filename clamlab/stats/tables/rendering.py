"""Table 2 as a reader sees it: strings, clusters counted from 1, marks and footnotes."""

from collections.abc import Sequence

import pandas as pd

from clamlab.stats.tables.digits import decimals_for, decimals_left
from clamlab.stats.variables import DERIVED_REASON, printed_name

MASKED = "masked"
INDENT = "\u2003"
MARKS = {"reader": "†", "derived": "‡"}
_MARK_NOTES = {
    "reader": "read from an image by a person: not independent of the images that were clustered",
    "derived": DERIVED_REASON,
}
TEST_COLUMNS = {
    "p": "P-value",
    "p_holm": "P (Holm)",
    "p_bh": "P (BH)",
    "test": "Test",
    "effect_size": "Effect size",
}
COLUMN_SETS = {
    "paper": ("p",),
    "recommended": ("missing", "p", "p_holm", "p_bh", "smd", "test"),
}


def render_table_one(
    tidy: pd.DataFrame, *, columns: Sequence[str] | None = None, decimals: int = 2
) -> pd.DataFrame:
    """Give the description of the clusters the look of a paper's Table 2.

    Parameters
    ----------
    tidy : DataFrame
        From :func:`table_one`.
    columns : sequence of str, optional
        What stands to the right of the clusters, out of missing, p, p_holm, p_bh, test,
        effect_size, smd. By default p alone for preset "paper", and all but effect_size
        for "recommended".
    decimals : int
        Least decimals of means and standard deviations; a variable has more where its largest
        standard deviation needs them to show two digits. A number that was rounded, because
        counts are masked, has those that are left.

    Returns
    -------
    DataFrame of str
        First column the characteristic (no title), then Overall, Cluster 1, ..., then
        ``columns``. A two-level variable takes one row, that of its printed level, with its title
        where the level is no name ("Sex: 2"). ``smd`` gives one column per pair of clusters, with
        its 95 % interval; ``missing`` gives the number of missing values, by cluster in brackets.

    Raises
    ------
    ValueError
        If a column is not one of those above.

    Examples
    --------
    >>> from clamlab.stats.tables import table_one
    >>> table = pd.DataFrame({"age": [40, 50, 60, 45, 70.], "cluster": [0, 0, 1, 1, 1]})
    >>> schema = {"properties": {"age": {"title": "Age", "x-role": "demographic"}}}
    >>> render_table_one(table_one(table, schema, preset="paper")).iloc[1].tolist()
    ['Age (mean (sd))', '53.00 (12.04)', '45.00 (7.07)', '58.33 (12.58)', '0.278']
    """
    columns = _chosen(tidy, columns)
    sizes = tidy[tidy["part"] == "size"]
    rows = [["Sample Size", *map(_number_text, sizes["n"])]]
    extras: list[dict] = [{}]
    summaries = tidy[tidy["part"] == "summary"]
    for name, rows_of_one in summaries.groupby("variable", sort=False):
        lines = variable_lines(rows_of_one, summaries, decimals)
        rows += lines
        extra = _extras(tidy[tidy["variable"] == name], columns)
        extras += [extra] + [{}] * (len(lines) - 1)
    groups = ["Overall", *(cluster_name(code) for code in sizes["group"].dropna())]
    body = pd.DataFrame(rows, columns=["", *groups])
    right = pd.DataFrame(extras, columns=list(dict.fromkeys(key for e in extras for key in e)))
    return pd.concat([body, right.astype(object).fillna("")], axis=1)


def table_notes(tidy: pd.DataFrame, *, columns: Sequence[str] | None = None) -> list[str]:
    """List the footnotes a rendered table needs: tests, missing values, marks, reservations.

    Parameters
    ----------
    tidy : DataFrame
        From :func:`table_one`.
    columns : sequence of str, optional
        As given to :func:`render_table_one`.

    Returns
    -------
    list of str
        Sentences in the order they should be printed.

    Examples
    --------
    >>> from clamlab.stats.tables import table_one
    >>> table = pd.DataFrame({"age": [40, 50, 60, 45, 70.], "cluster": [0, 0, 1, 1, 1]})
    >>> schema = {"properties": {"age": {"title": "Age", "x-role": "demographic"}}}
    >>> table_notes(table_one(table, schema, preset="paper"))[-1]
    'Tests: pooled t (one-way ANOVA).'
    """
    columns = _chosen(tidy, columns)
    notes = ["Counts (%) of the values present, or mean (standard deviation)."]
    omnibus = tidy[tidy["part"] == "omnibus"]
    tests = [test for test in dict.fromkeys(omnibus["test"]) if test]
    if tests:
        notes.append(f"Tests: {', '.join(tests)}.")
    if {"p_holm", "p_bh"} & set(columns) and tests:
        notes.append("P (Holm) and P (BH) are adjusted for all variables of the table.")
    if "smd" in columns and (tidy["part"] == "pairwise").any():
        notes.append("SMD: standardised mean difference with its 95 % interval.")
    if "missing" in columns:
        notes.append("Missing: all (by cluster).")
    else:
        notes += _missing_note(tidy)
    for source, mark in MARKS.items():
        if (omnibus["source"] == source).any():
            notes.append(f"{mark} {_MARK_NOTES[source][0].upper()}{_MARK_NOTES[source][1:]}.")
    said = omnibus[(omnibus["note"] != "") & (omnibus["source"] != "derived")]
    return notes + [f"{row.title}: {row.note}." for row in said.itertuples()]


def _chosen(tidy: pd.DataFrame, columns: Sequence[str] | None) -> Sequence[str]:
    """Choose the columns right of the clusters: those of the preset unless others are asked."""
    chosen = COLUMN_SETS[tidy["preset"].iloc[0]] if columns is None else columns
    known = ("missing", *TEST_COLUMNS, "smd")
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise ValueError(f"columns {unknown} are not known: choose from {', '.join(known)}")
    return chosen


def _missing_note(tidy: pd.DataFrame) -> list[str]:
    overall = tidy[(tidy["part"] == "summary") & tidy["group"].isna() & (tidy["n_missing"] > 0)]
    counts = overall.drop_duplicates("variable")
    if counts.empty:
        return []
    listed = ", ".join(f"{row.title} {row.n_missing}" for row in counts.itertuples())
    return [f"Missing values, left out: {listed}."]


def cluster_name(code: int) -> str:
    """Name a cluster as a reader counts it.

    >>> cluster_name(0)
    'Cluster 1'
    """
    return f"Cluster {int(code) + 1}"


def p_text(p: float) -> str:
    """Print a p-value as papers do; empty where there is none.

    >>> p_text(0.00031), p_text(0.0451), p_text(float("nan"))
    ('<0.001', '0.045', '')
    """
    if pd.isna(p):
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def variable_lines(rows: pd.DataFrame, everything: pd.DataFrame, decimals: int) -> list[list[str]]:
    """Print one variable of a table: one line, or a heading and a line per level."""
    first = rows.iloc[0]
    mark = MARKS.get(first["source"], "")
    if first["kind"] == "numeric":
        digits = decimals_for(rows["sd"].max(), least=decimals)
        cells = [_mean_text(row, digits) for row in rows.itertuples()]
        return [[f"{first['title']}{mark} (mean (sd))", *cells]]
    counts = {
        level: [_count_text(row) for row in part.itertuples()]
        for level, part in rows.groupby("level", sort=False)
    }
    if len(counts) == 2:
        (shown,) = rows.loc[~rows["is_reference"], "level"].unique()
        (other,) = counts.keys() - {shown}
        others = everything[everything["variable"] != first["variable"]]
        elsewhere = {*others["title"].str.lower(), *others["level"].dropna().str.lower()}
        name = printed_name(first["title"], shown, other=other, elsewhere=elsewhere)
        return [[f"{name}{mark} (%)", *counts[shown]]]
    heading = [f"{first['title']}{mark} (%)", *[""] * rows["group"].nunique(dropna=False)]
    return [heading, *([INDENT + level, *cells] for level, cells in counts.items())]


def _number_text(count: object) -> str:
    return MASKED if pd.isna(count) else str(count)


def _mean_text(row, decimals: int) -> str:
    if pd.isna(row.mean):
        return MASKED if pd.isna(row.n) else "-"
    digits = getattr(row, "digits", None)  # of a table that may leave the study
    mean, sd = (f"{v:.{decimals_left(v, decimals, digits)}f}" for v in (row.mean, row.sd))
    return f"{mean} ({'-' if pd.isna(row.sd) else sd})"


def _count_text(row) -> str:
    if pd.isna(row.count):
        return MASKED
    if pd.isna(row.percent):
        return "-" if row.count == 0 else str(row.count)
    return f"{row.count} ({row.percent:.1f})"


def _extras(rows: pd.DataFrame, columns: Sequence[str]) -> dict[str, str]:
    """Cells to the right of the clusters, for the first line of one variable."""
    omnibus = rows[rows["part"] == "omnibus"].iloc[0]
    cells = {}
    for column in columns:
        if column == "missing":
            cells["Missing"] = _missing_text(rows)
        elif column == "smd":
            cells |= _smd_cells(rows[rows["part"] == "pairwise"])
        elif column == "test":
            cells["Test"] = omnibus["test"]
        elif column == "effect_size":
            size = omnibus["effect_size"]
            cells["Effect size"] = "" if pd.isna(size) else f"{size:.3f} ({omnibus['effect']})"
        else:
            cells[TEST_COLUMNS[column]] = p_text(omnibus[column])
    return cells


def _missing_text(rows: pd.DataFrame) -> str:
    summary = rows[rows["part"] == "summary"]
    one_level = summary[summary["level"] == summary["level"].iloc[0]]
    total, *by_cluster = one_level["n_missing"].tolist()
    if pd.notna(total) and total == 0:
        return "0"
    if pd.isna([total, *by_cluster]).all():
        return MASKED
    return f"{_number_text(total)} ({', '.join(map(_number_text, by_cluster))})"


def _smd_cells(pairs: pd.DataFrame) -> dict[str, str]:
    cells = {}
    for pair in pairs.itertuples():
        name = "SMD" if len(pairs) == 1 else f"SMD {pair.group + 1} - {pair.other_group + 1}"
        interval = f"{pair.smd:.2f} ({pair.smd_low:.2f}, {pair.smd_high:.2f})"
        cells[name] = "" if pd.isna(pair.smd) else interval
    return cells
