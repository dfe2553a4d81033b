"""A second opinion: the same tests from the package tableone."""

import warnings

import numpy as np
import pandas as pd

from clamlab.stats.variables import cluster_labels, describe_variable

# Our name of a test, and how tableone's name of the same test begins. tableone always uses
# Yates' correction for two by two, and has neither Welch's ANOVA nor Monte Carlo tables.
_SAME_TEST = {
    "pooled t (one-way ANOVA)": "Pooled T-test",
    "one-way ANOVA": "One-way ANOVA",
    "Welch t": "Welch",
    "chi-squared (Yates)": "Chi-squared",
    "chi-squared": "Chi-squared",
    "Fisher exact": "Fisher's exact",
}


def check_with_tableone(
    tidy: pd.DataFrame, table: pd.DataFrame, schema: dict, *, group: str = "cluster"
) -> pd.DataFrame:
    """Compare every p-value of the description with the one the package tableone finds.

    Parameters
    ----------
    tidy : DataFrame
        From :func:`table_one`, made of the same ``table``, ``schema`` and ``group``.
    table, schema, group
        As in :func:`table_one`.

    Returns
    -------
    DataFrame
        One row per variable tested: variable, title, test, p, tableone_test, tableone_p,
        and ``agrees``: whether both are equal to 1e-6, missing where tableone offers no
        such test.

    Examples
    --------
    >>> from clamlab.stats.tables import table_one
    >>> table = pd.DataFrame({"age": [40, 50, 60, 45, 70.], "cluster": [0, 0, 1, 1, 1]})
    >>> schema = {"properties": {"age": {"type": "number", "x-role": "demographic"}}}
    >>> tidy = table_one(table, schema, preset="paper")
    >>> bool(check_with_tableone(tidy, table, schema)["agrees"].all())
    True
    """
    tested = tidy[(tidy["part"] == "omnibus") & tidy["p"].notna()]
    ours = tested[["variable", "title", "test", "p", "df1"]].set_index("variable")
    if ours.empty:
        return pd.DataFrame(
            columns=["variable", "title", "test", "p", "tableone_test", "tableone_p", "agrees"]
        )
    theirs = _tableone_tests(table, schema, list(ours.index), group, tidy["preset"].iloc[0])
    both = ours.join(theirs)
    same = [
        name.startswith(_SAME_TEST.get(test, "no such test"))
        and not (test == "chi-squared" and df == 1)
        for test, name, df in zip(both["test"], both["tableone_test"], both["df1"], strict=True)
    ]
    close = pd.Series(np.isclose(both["p"], both["tableone_p"], rtol=0, atol=1e-6), both.index)
    both["agrees"] = close.astype("boolean").where(same)
    return both.drop(columns="df1").reset_index()


def _tableone_tests(
    table: pd.DataFrame, schema: dict, names: list[str], group: str, preset: str
) -> pd.DataFrame:
    from tableone import TableOne

    variables = [describe_variable(table, schema, name) for name in names]
    plain = pd.DataFrame({variable.name: variable.values(table) for variable in variables})
    # A name of our own, so that no clinical column can collide with tableone's words.
    plain["cluster of the scan"] = cluster_labels(table, group)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of small counts, which the test names say
        made = TableOne(
            plain,
            columns=names,
            categorical=[variable.name for variable in variables if variable.is_categorical],
            groupby="cluster of the scan",
            pval=True,
            htest_name=True,
            # Otherwise a missing value becomes a level of its own and changes every test.
            include_null=False,
            ttest_equal_var=preset == "paper",
        )
    tests = made.htest_table[["Test", "P-Value"]]
    return tests.set_axis(["tableone_test", "tableone_p"], axis=1).astype({"tableone_p": float})
