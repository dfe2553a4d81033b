"""Whether values are missing more often in one cluster than in another."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clamlab.stats.tables.comparisons import adjust_p, compare_counts
from clamlab.stats.variables import TABLE_ROLES, cluster_labels, select_variables

MISSING, PRESENT = "missing", "present"


def missing_by_cluster(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    roles: Sequence[str] = (*TABLE_ROLES, "outcome"),
    preset: str = "recommended",
) -> pd.DataFrame:
    """See whether complete cases stand for all: whether values are missing by cluster.

    Tables and models use the scans whose values are there. If the sick miss a breathing test more
    often, and fill one cluster, that cluster looks better than it is.

    Parameters
    ----------
    table, schema, group, preset
        As for `table_one`.
    roles : sequence of str
        Roles of the columns to look at.

    Returns
    -------
    DataFrame
        One row per variable that has missing values, those most unevenly missing first: variable,
        title, role, n_missing, percent_missing, one column of percentages per cluster (named by
        its number, from 0), test, p, p_holm (the family is all rows).

    Examples
    --------
    >>> table = pd.DataFrame({"cluster": [0] * 8 + [1] * 8, "fvc": [None] * 6 + [3.0] * 10})
    >>> schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome"}}}
    >>> told = missing_by_cluster(table, schema)
    >>> told.round(3)[["variable", 0, 1, "test", "p"]].values.tolist()
    [['fvc', 75.0, 0.0, 'Fisher exact', 0.007]]
    """
    clusters = cluster_labels(table, group)
    variables, _ = select_variables(table, schema, roles)
    codes = sorted(clusters.unique())
    rows = []
    for variable in variables:
        gone = variable.values(table).isna()
        if not gone.any():
            continue
        counts = pd.crosstab(np.where(gone, MISSING, PRESENT), clusters.to_numpy())
        test = compare_counts(counts.to_numpy(), preset)
        shares = (100 * gone.groupby(clusters).mean()).to_dict()
        rows.append(
            {
                "variable": variable.name,
                "title": variable.title,
                "role": variable.role,
                "n_missing": int(gone.sum()),
                "percent_missing": 100 * float(gone.mean()),
                **shares,
                "test": test.get("test", test.get("note", "")),
                "p": test.get("p", np.nan),
            }
        )
    first = ["variable", "title", "role", "n_missing", "percent_missing"]
    told = pd.DataFrame(rows, columns=[*first, *codes, "test", "p"])
    told["p_holm"] = adjust_p(told["p"], "holm")
    return told.sort_values("p", ignore_index=True)
