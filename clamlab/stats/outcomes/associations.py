"""Figure 10 of the paper for any cohort: do outcomes differ between clusters, adjusted."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from clamlab.stats.outcomes.fitting import OutcomeModel, fit_outcomes, left_out_rows
from clamlab.stats.tables.comparisons import adjust_p
from clamlab.stats.variables import DERIVED_REASON

ASSOCIATION_COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "part outcome title units transform source group other_group n n_missing test statistic df1 "
    "df2 p p_holm p_bh p_tukey effect effect_size difference se low high ratio ratio_low "
    "ratio_high standardised standardised_low standardised_high covariance covariates note"
).split()
PAIR = ["outcome", "group", "other_group"]
_P = ("statistic", "df1", "df2", "p", "p_tukey", "p_holm")
_TEXT = (  # noqa: SIM905
    "part outcome title units transform source test effect covariates note"
).split()
_WHOLE = ("group", "other_group", "n", "n_missing")


def outcome_associations(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    covariance: str = "classical",
) -> pd.DataFrame:
    """Learn which outcomes differ between clusters once demographics are accounted for.

    One linear model per outcome: outcome ~ covariates + cluster, on the rows complete
    for that outcome.

    Parameters
    ----------
    table : DataFrame
        One row per scan: the clinical columns and the column of clusters.
    schema : dict
        The table's contract. Columns with role "outcome" are analysed, on the log scale
        where ``x-transform`` says so (values that have no logarithm then count as missing).
    group : str
        Column of clusters, whole numbers from 0.
    covariates : sequence of str, optional
        Columns to adjust for; by default all with role "demographic". ``()`` for none.
    covariance : {"classical", "HC3"}
        HC3 does not assume equal variances (MacKinnon and White 1985).

    Returns
    -------
    DataFrame
        One long table; ``part`` tells what a row is:

        - ``group``: n used and n_missing overall (``group`` missing) and by cluster;
        - ``omnibus``: F test of cluster given the covariates: statistic, df1, df2, p,
          p_holm and p_bh (the family is all outcomes tested; what readers saw in the images,
          ``x-source`` "reader", is a family of its own), effect ("partial eta squared") and
          effect_size;
        - ``pairwise``: cluster ``group`` minus cluster ``other_group``: difference, se and
          95 % interval low to high on the modelled scale, ratio of geometric means for a
          log outcome, standardised (the difference in residual standard deviations) with
          interval; for more than two clusters p_tukey and p_holm over the outcome's pairs.

        ``note`` says what was left out and why. Clusters are numbered from 0.

    Raises
    ------
    ValueError
        If a covariate is unknown, or a row has no cluster.

    Notes
    -----
    The p-values test association with this partition; they say nothing about the truth of
    the partition itself. Outcomes derived from the clustered images get none.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 20), "age": rng.normal(50, 9, 40)})
    >>> table["fvc"] = 3 - 0.5 * table["cluster"] + rng.normal(0, 0.4, 40)
    >>> rule = {"type": "number"}
    >>> schema = {"properties": {"age": {**rule, "x-role": "demographic"},
    ...                          "fvc": {**rule, "x-role": "outcome"}}}
    >>> tidy = outcome_associations(table, schema)
    >>> tidy.loc[tidy["part"] == "pairwise", ["difference", "p"]].round(3).values.tolist()
    [[0.534, 0.001]]
    """
    models, left_out = fit_outcomes(
        table, schema, group=group, covariates=covariates, covariance=covariance
    )
    return associations_of(models, schema, left_out=left_out, covariance=covariance)


def associations_of(
    models: Sequence[OutcomeModel], schema: dict, *, left_out: dict[str, str], covariance: str
) -> pd.DataFrame:
    """Tell the associations of models that were fitted already."""
    records = [record for model in models for record in _association_rows(model)]
    records += [{"part": "omnibus", **row} for row in left_out_rows(schema, left_out)]
    tidy = tidy_frame(records, ASSOCIATION_COLUMNS, covariance)
    omnibus = tidy[tidy["part"] == "omnibus"]
    for _, family in omnibus.groupby("source", sort=False)["p"]:
        tidy.loc[family.index, "p_holm"] = adjust_p(family, "holm")
        tidy.loc[family.index, "p_bh"] = adjust_p(family, "bh")
    return tidy


def pairwise_rows(tidy: pd.DataFrame) -> pd.DataFrame:
    """Pick the differences between clusters, one row for each `PAIR`."""
    return tidy[tidy["part"] == "pairwise"].set_index(PAIR)


def _association_rows(model: OutcomeModel) -> list[dict]:
    rows = [{"part": "group", **size} for size in _sizes(model)]
    rows.append({"part": "omnibus", "n": int(model.present.sum()), "note": model.note})
    rows[-1]["n_missing"] = int((~model.present).sum())
    if model.result is not None:
        rows[-1] |= _omnibus(model)
        rows += _pairs(model)
    if model.outcome.source == "derived":
        rows = [{key: value for key, value in row.items() if key not in _P} for row in rows]
        for row in rows:
            if row["part"] == "omnibus":
                row["note"] = "; ".join([*model.notes, DERIVED_REASON])
    return [{**model.name, **row} for row in rows]


def _sizes(model: OutcomeModel) -> list[dict]:
    used, clusters = model.present, model.clusters
    whole = {"n": int(used.sum()), "n_missing": int((~used).sum())}
    by_cluster = [
        {
            "group": code,
            "n": int(used[clusters == code].sum()),
            "n_missing": int((~used)[clusters == code].sum()),
        }
        for code in sorted(clusters.unique())
    ]
    return [whole, *by_cluster]


def _omnibus(model: OutcomeModel) -> dict:
    columns = model.cluster_columns
    if not columns:
        return {}
    test = model.result.f_test(model.selector(columns))
    y, covariates = model.result.model.endog, model.design.matrix.drop(columns=columns)
    return {
        "test": "F of cluster given covariates",
        "statistic": float(np.squeeze(test.fvalue)),
        "df1": float(test.df_num),
        "df2": float(test.df_denom),
        "p": float(test.pvalue),
        "effect": "partial eta squared",
        "effect_size": 1 - model.result.ssr / sm.OLS(y, covariates.to_numpy()).fit().ssr,
    }


def _pairs(model: OutcomeModel) -> list[dict]:
    """Differences of adjusted means, with p adjusted for their number beyond two clusters."""
    codes = [code for alike in model.alike if len(alike) > 1 for code in alike]
    pairs = sorted(pair for alike in model.alike for pair in combinations(alike, 2))
    rows = [_pair(model, first, second) for first, second in pairs]
    if len(codes) > 2:
        spread = [abs(row["statistic"]) * np.sqrt(2) for row in rows]
        tukey = stats.studentized_range.sf(spread, len(codes), model.result.df_resid)
        holm = adjust_p([row["p"] for row in rows], "holm")
        for row, p_tukey, p_holm in zip(rows, tukey, holm, strict=True):
            row |= {"p_tukey": float(p_tukey), "p_holm": float(p_holm)}
    return rows


def _pair(model: OutcomeModel, first: int, second: int) -> dict:
    test = model.estimate(model.mean_at(first) - model.mean_at(second))
    difference, error = float(np.squeeze(test.effect)), float(np.squeeze(test.sd))
    low, high = map(float, np.squeeze(test.conf_int()))
    row = {
        "part": "pairwise",
        "group": first,
        "other_group": second,
        "test": "t",
        "statistic": float(np.squeeze(test.tvalue)),
        "df2": float(model.result.df_resid),
        "p": float(np.squeeze(test.pvalue)),
        "difference": difference,
        "se": error,
        "low": low,
        "high": high,
        **_standardised(model, difference, error),
    }
    if model.outcome.transform == "log":
        ratio, ratio_low, ratio_high = np.exp([difference, low, high])
        row |= {"ratio": ratio, "ratio_low": ratio_low, "ratio_high": ratio_high}
    return row


def _standardised(model: OutcomeModel, difference: float, error: float) -> dict:
    """Difference in residual standard deviations; the interval counts that SD's error too."""
    sigma, df = np.sqrt(model.result.scale), model.result.df_resid
    effect = difference / sigma
    margin = stats.t.ppf(0.975, df) * np.sqrt((error / sigma) ** 2 + effect**2 / (2 * df))
    return {
        "standardised": effect,
        "standardised_low": effect - margin,
        "standardised_high": effect + margin,
    }


def tidy_frame(records: list[dict], columns: list[str], covariance: str) -> pd.DataFrame:
    """Give records all columns of a tidy table, each of its own kind."""
    tidy = pd.DataFrame(records).reindex(columns=columns)
    tidy["covariance"] = covariance
    text = [column for column in _TEXT if column in columns]
    tidy[text] = tidy[text].astype(object).where(tidy[text].notna(), "")
    whole = [column for column in _WHOLE if column in columns]
    tidy[whole] = tidy[whole].astype("Int64")
    numbers = [c for c in columns if c not in (*text, *whole, "covariance")]
    tidy[numbers] = tidy[numbers].astype(float)
    return tidy
