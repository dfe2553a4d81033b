"""The associations again, with missing values imputed instead of left out."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.imputation.mice import MICEData

from clamlab.stats.outcomes.associations import PAIR, outcome_associations, pairwise_rows
from clamlab.stats.outcomes.fitting import choose_covariates, find_outcomes
from clamlab.stats.variables import TRANSFORMS, Variable, cluster_labels, level_name

SKIP = 5  # updates of all columns between two imputed tables, so that they differ


def imputed_associations(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    n_imputations: int = 20,
    seed: int,
) -> pd.DataFrame:
    """See whether differences between clusters survive when no scan is left out for a gap.

    Gaps are filled several times by chained equations (predictive mean matching, so that only
    values that occur are filled in), from all outcomes, covariates and the cluster; every filled
    table gives its differences, and Rubin's rules join them.

    Parameters
    ----------
    table, schema, group, covariates
        As for `outcome_associations`.
    n_imputations : int
        Filled tables, at least 2.
    seed : int

    Returns
    -------
    DataFrame
        One row per outcome and pair of clusters: outcome, title, transform, source, group,
        other_group; difference, se, df2, low, high and p of the joined tables on the modelled
        scale (no p for outcomes derived from the image); complete_difference and complete_p, those
        of `outcome_associations`, which uses complete rows; n_imputed, filled values of the
        outcome; missing_information, the share of the variance that the gaps are to blame for.

    Raises
    ------
    ValueError
        If there are fewer than two imputations, or as `outcome_associations`.

    Notes
    -----
    It assumes that what is missing can be told from what is there ("missing at random"). Nominal
    covariates of several levels are matched by their order in the contract. What nobody like the
    missing ever had cannot be filled in: matching does not go beyond the values that are there.

    References
    ----------
    van Buuren & Groothuis-Oudshoorn, J. Stat. Softw. 45(3) (2011); Barnard & Rubin, Biometrika
    86(4), 948 (1999), for the degrees of freedom.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 40), "age": rng.normal(60, 9, 80)})
    >>> table["fvc"] = 3 - 0.5 * table["cluster"] - 0.02 * table["age"] + rng.normal(0, 0.2, 80)
    >>> table.loc[::5, "age"] = np.nan
    >>> rule = {"type": "number"}
    >>> schema = {"properties": {"age": {**rule, "x-role": "demographic"},
    ...                          "fvc": {**rule, "x-role": "outcome"}}}
    >>> told = imputed_associations(table, schema, n_imputations=5, seed=1).iloc[0]
    >>> bool(told["low"] < 0.5 < told["high"]), int(told["n_imputed"])
    (True, 0)
    """
    if n_imputations < 2:
        raise ValueError(f"n_imputations must be at least 2, found {n_imputations}")
    options: dict[str, Any] = {"group": group, "covariates": covariates}
    complete = pairwise_rows(outcome_associations(table, schema, **options))
    outcomes, _ = find_outcomes(table, schema)
    adjust, _ = choose_covariates(table, schema, covariates)
    variables = [*outcomes, *adjust]
    draws = [
        pairwise_rows(outcome_associations(filled, schema, **options))
        for filled in _filled(table, variables, cluster_labels(table, group), n_imputations, seed)
    ]
    gaps = {variable.name: int(variable.transformed(table).isna().sum()) for variable in outcomes}
    rows = [
        _join(key, complete.loc[key], pd.DataFrame([draw.loc[key] for draw in draws]))
        for key in complete.index
    ]
    told = pd.DataFrame(rows, columns=None if rows else PAIR)
    return told.assign(n_imputed=told["outcome"].map(gaps))


def _filled(
    table: pd.DataFrame, variables: Sequence[Variable], clusters: pd.Series, n: int, seed: int
) -> Iterator[pd.DataFrame]:
    """Fill the gaps n times."""
    coded = pd.DataFrame(
        {f"v{i}": _coded(variable, table) for i, variable in enumerate(variables)},
        index=table.index,
    )
    for code in sorted(clusters.unique())[1:]:
        coded[f"k{code}"] = (clusters == code).astype(float)
    chain = MICEData(coded.reset_index(drop=True), rng=np.random.default_rng(seed))
    for _ in range(n):
        chain.update_all(SKIP)
        filled = table.copy()
        for i, variable in enumerate(variables):
            filled[variable.name] = _decoded(variable, chain.data[f"v{i}"].to_numpy())
        yield filled


def _coded(variable: Variable, table: pd.DataFrame) -> pd.Series:
    if not variable.is_categorical:
        return variable.transformed(table)
    codes = {level: float(i) for i, level in enumerate(variable.levels)}
    return variable.values(table).map(codes).astype(float)


def _decoded(variable: Variable, values: np.ndarray) -> np.ndarray:
    if variable.is_categorical:
        return np.array([level_name(variable.levels[int(code)]) for code in values], object)
    _, back = TRANSFORMS[variable.transform]
    return back(values)


def _join(key: tuple, complete: pd.Series, draws: pd.DataFrame) -> dict:
    """Join the differences of the filled tables by Rubin's rules."""
    m, difference = len(draws), float(draws["difference"].mean())
    within, between = float((draws["se"] ** 2).mean()), float(draws["difference"].var())
    extra = (1 + 1 / m) * between
    error = np.sqrt(within + extra)
    share = extra / (within + extra)
    df = float(draws["df2"].mean())
    df *= (df + 1) / (df + 3) * (1 - share)
    if share > 0:
        df = 1 / (1 / df + share**2 / (m - 1))
    margin = stats.t.ppf(0.975, df) * error
    return {
        **dict(zip(PAIR, key, strict=True)),
        **complete[["title", "transform", "source"]].to_dict(),
        "difference": difference,
        "se": error,
        "df2": df,
        "low": difference - margin,
        "high": difference + margin,
        "p": np.nan if pd.isna(complete["p"]) else 2 * stats.t.sf(abs(difference) / error, df),
        "complete_difference": complete["difference"],
        "complete_p": complete["p"],
        "missing_information": share,
    }
