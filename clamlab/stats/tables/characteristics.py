"""Table 2 of the paper for any cohort: who is in each cluster, and do the clusters differ."""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from clamlab.stats.tables.comparisons import (
    adjust_p,
    check_preset,
    compare_counts,
    compare_means,
    count_levels,
    difference_of_means,
    difference_of_shares,
)
from clamlab.stats.tables.describing import named, summaries
from clamlab.stats.variables import (
    DERIVED_REASON,
    TABLE_ROLES,
    Variable,
    cluster_labels,
    select_variables,
)

COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "part variable title role source kind level is_reference group other_group n n_missing count "
    "percent mean sd median q1 q3 test statistic df1 df2 p p_holm p_bh effect effect_size "
    "difference difference_low difference_high smd smd_low smd_high note preset"
).split()
_TEXT = ["part", "variable", "title", "role", "source", "kind", "level", "test", "effect", "note"]
_P = ["test", "statistic", "df1", "df2", "p"]


def table_one(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    preset: str = "recommended",
    roles: Sequence[str] = TABLE_ROLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Describe the cohort overall and by cluster, with tests and effect sizes, as numbers.

    Which columns appear, their order, levels and titles all come from the contract.

    Parameters
    ----------
    table : DataFrame
        One row per scan: the clinical columns and the column of clusters.
    schema : dict
        The table's contract (JSON Schema with ``x-role``, ``x-source`` and so on).
    group : str
        Column of clusters, whole numbers from 0. One cluster is allowed: nothing is tested then.
    preset : {"recommended", "paper"}
        "paper": chi-squared with Yates' correction for two by two, ANOVA with equal
        variances (pooled t); what R's tableone does by default and Table 2 reports.
        "recommended": Pearson's chi-squared, or Fisher's exact / Monte Carlo where an
        expected count is below 5, and Welch's test.
    roles : sequence of str
        Roles to tabulate, in this order.
    seed : int
        Seed of the Monte Carlo tests.

    Returns
    -------
    DataFrame
        One long table; ``part`` tells what a row is:

        - ``size``: scans in the cohort (``group`` missing) and in each cluster;
        - ``summary``: one variable (one level of it) in one group: n, n_missing, and
          mean, sd, median, q1, q3, or count and percent of the values present;
        - ``omnibus``: the test over all clusters: test, statistic, df1, df2, p, p_holm,
          p_bh (the family is every variable of the table), effect, effect_size;
        - ``pairwise``: cluster ``group`` minus cluster ``other_group``: difference (in
          units, or percentage points), smd, their 95 % intervals, and a p whose p_holm
          and p_bh are over the variable's pairs.

        ``note`` says why a number is missing. Clusters are numbered from 0 here, from 1
        in :func:`render_table_one`.

    Raises
    ------
    ValueError
        If the preset is unknown, or a row has no cluster.

    Notes
    -----
    Missing values are left out of percentages and tests, and counted. Variables derived
    from the images that made the clusters get no p-value: it would be small whatever the
    truth. Those a person read from an image are tested and marked.

    References
    ----------
    Ryan et al., Cluster Activation Mapping with Applications to Medical Imaging, Table 2.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [40, 50, 60, 45, 70.], "cluster": [0, 0, 1, 1, 1]})
    >>> schema = {"properties": {"age": {"type": "number", "x-role": "demographic"}}}
    >>> tidy = table_one(table, schema, preset="paper")
    >>> tidy.query("part == 'omnibus'")[["variable", "test", "p"]].round(3).values.tolist()
    [['age', 'pooled t (one-way ANOVA)', 0.278]]
    """
    check_preset(preset)
    clusters = cluster_labels(table, group)
    variables, left_out = select_variables(table, schema, roles)
    records = _sizes(clusters)
    for variable in variables:
        records += _describe(variable, table, clusters, preset, seed)
    records += [
        {"part": "omnibus", "variable": name, "title": name, "note": why}
        for name, why in left_out.items()
    ]
    return _tidy(records, preset)


def _sizes(clusters: pd.Series) -> list[dict]:
    whole = [{"part": "size", "n": len(clusters)}]
    counts = clusters.value_counts().sort_index()
    return whole + [{"part": "size", "group": code, "n": n} for code, n in counts.items()]


def _describe(
    variable: Variable, table: pd.DataFrame, clusters: pd.Series, preset: str, seed: int
) -> list[dict]:
    """All rows of one variable."""
    if variable.is_categorical:
        rows = _category_rows(variable, table, clusters, preset, seed)
    else:
        rows = _numeric_rows(variable, variable.values(table), clusters, preset)
    rows = named(variable, rows)
    return [_without_p(row) for row in rows] if variable.source == "derived" else rows


def _without_p(row: dict) -> dict:
    """Keep the description and effect sizes of an image-derived variable, drop its test."""
    kept = {key: value for key, value in row.items() if key not in _P}
    return {**kept, "note": DERIVED_REASON} if row["part"] == "omnibus" else kept


def _groups(clusters: pd.Series) -> list[tuple[int | None, pd.Series]]:
    everyone = pd.Series(True, index=clusters.index)
    return [(None, everyone), *((code, clusters == code) for code in _codes(clusters))]


def _codes(clusters: pd.Series) -> list[int]:
    return sorted(clusters.unique())


def _numeric_rows(
    variable: Variable, values: pd.Series, clusters: pd.Series, preset: str
) -> list[dict]:
    rows = summaries(variable, values, _groups(clusters))
    samples = {code: values[clusters == code].dropna().to_numpy() for code in _codes(clusters)}
    test = compare_means(list(samples.values()), preset)
    if all(len(sample) == 0 for sample in samples.values()):
        test = {"note": "empty: no test"}
    rows.append({"part": "omnibus", **test})
    for first, second in combinations(samples, 2):
        pair = difference_of_means(samples[first], samples[second], preset)
        test = compare_means([samples[first], samples[second]], preset)
        rows.append(_pair(first, second, test, pair))
    return rows


def _category_rows(
    variable: Variable, table: pd.DataFrame, clusters: pd.Series, preset: str, seed: int
) -> list[dict]:
    levels, values = variable.levels, variable.values(table)
    rows = summaries(variable, values, _groups(clusters))
    counts = count_levels(values, levels, clusters)
    test = compare_counts(counts, preset, seed=seed)
    if why := variable.undeclared(table):
        test["note"] = "; ".join(filter(None, [test["note"], why]))
    rows.append({"part": "omnibus", **test})
    names = _codes(clusters)
    reference_first = sorted(range(len(levels)), key=lambda i: levels[i] != variable.reference)
    for i, j in combinations(range(len(names)), 2):
        two = counts[:, [i, j]]
        pair = difference_of_shares(counts[reference_first][:, [i, j]])
        rows.append(_pair(names[i], names[j], compare_counts(two, preset, seed=seed), pair))
    return rows


def _pair(first: int, second: int, test: dict, pair: dict) -> dict:
    tested = {key: test[key] for key in _P if key in test}
    row = {"part": "pairwise", "group": first, "other_group": second, **tested, **pair}
    return {"note": test.get("note", ""), **row}


def _tidy(records: list[dict], preset: str) -> pd.DataFrame:
    """One frame with all columns, and p-values adjusted within their families."""
    tidy = pd.DataFrame(records).reindex(columns=COLUMNS)
    tidy["preset"] = preset
    tidy[_TEXT] = tidy[_TEXT].astype(object).where(tidy[_TEXT].notna(), "")
    tidy["is_reference"] = tidy["is_reference"].astype("boolean")
    whole = ["group", "other_group", "n", "n_missing", "count"]
    tidy[whole] = tidy[whole].astype("Int64")
    numbers = [c for c in COLUMNS if c not in (*_TEXT, *whole, "is_reference", "preset")]
    tidy[numbers] = tidy[numbers].astype(float)
    omnibus = tidy["part"] == "omnibus"
    families = [tidy.index[omnibus]]
    pairs = tidy[tidy["part"] == "pairwise"]
    families += list(pairs.groupby("variable", sort=False).groups.values())
    for family in families:
        tidy.loc[family, "p_holm"] = adjust_p(tidy.loc[family, "p"], "holm")
        tidy.loc[family, "p_bh"] = adjust_p(tidy.loc[family, "p"], "bh")
    return tidy
