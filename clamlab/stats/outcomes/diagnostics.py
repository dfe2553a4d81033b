"""Whether the linear models behind the associations may be believed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.outliers_influence import variance_inflation_factor

from clamlab.stats.outcomes.covariance import ALONE, with_covariance
from clamlab.stats.outcomes.fitting import (
    OutcomeModel,
    fit_outcomes,
    fits_without_error,
    left_out_rows,
)

COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "outcome title source n residual_skew normality_p equal_variance_p max_leverage max_cook "
    "influential alone max_vif vif_term p rank_p covariance advice note"
).split()
LEVEL, HIGH_VIF, LARGE_COOK = 0.05, 5.0, 0.5
MANY = 30  # with more scans, the means are normal enough whatever the residuals are


def model_diagnostics(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    covariance: str = "classical",
    subject: str = "subject_id",
) -> pd.DataFrame:
    """Check the models of `outcome_associations` before a reviewer does.

    Parameters
    ----------
    table, schema, group, covariates, covariance
        As for `outcome_associations`.
    subject : str
        Column that names influential scans; the row's index where the table has none.

    Returns
    -------
    DataFrame
        One row per outcome: outcome, title, source, n;

        - residual_skew, and normality_p of Shapiro and Wilk's test of the residuals;
        - equal_variance_p of Breusch and Pagan's test (studentised, as Koenker);
        - max_leverage, max_cook (Cook's distance), influential (scans whose distance exceeds 4/n,
          the largest three), alone (scans of leverage 1, which no other scan is like);
        - max_vif, vif_term: the largest variance inflation among the terms, and whose;
        - p of cluster in the model, and rank_p, the same on ranks of outcome and numeric
          covariates, which outliers and skew hardly move, both with the covariance asked for; none
          for outcomes derived from the image;
        - advice, in plain words; note, why there is no model, or what was left out of it.

    Raises
    ------
    ValueError
        As `outcome_associations`.

    References
    ----------
    Breusch & Pagan, Econometrica 47(5), 1287 (1979); Koenker, J. Econometrics 17(1), 107 (1981);
    Conover & Iman, Biometrics 38(3), 715 (1982), for the analysis of covariance on ranks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 30), "crp": rng.lognormal(0, 1.2, 60)})
    >>> schema = {"properties": {"crp": {"type": "number", "x-role": "outcome"}}}
    >>> told = model_diagnostics(table, schema).iloc[0]
    >>> bool(told["normality_p"] < 0.05), bool(told["residual_skew"] > 1)
    (True, True)
    """
    models, left_out = fit_outcomes(
        table, schema, group=group, covariates=covariates, covariance=covariance
    )
    names = table[subject] if subject in table else pd.Series(table.index, index=table.index)
    rows = [_diagnose(model, table, names, covariance) for model in models]
    rows += left_out_rows(schema, left_out)
    return pd.DataFrame(rows, columns=COLUMNS).assign(covariance=covariance)


def _diagnose(model: OutcomeModel, table: pd.DataFrame, names: pd.Series, covariance: str) -> dict:
    row = {
        "outcome": model.outcome.name,
        "title": model.outcome.title,
        "source": model.outcome.source,
        "n": int(model.present.sum()),
        "note": model.note,
    }
    if model.fit is None:
        return row
    row |= _residuals(model) | _influence(model, names) | _inflation(model)
    if model.result is not None and model.cluster_columns and model.outcome.source != "derived":
        row["p"] = _cluster_p(model, model.result)
        on_ranks, why = _fit_on_ranks(model, table, covariance)
        row["note"] = "; ".join([*why, *model.notes])
        if on_ranks is not None:
            row["rank_p"] = _cluster_p(model, on_ranks)
    return row | {"advice": _advice(row, model, covariance)}


def _residuals(model: OutcomeModel) -> dict:
    residuals, matrix = model.fit.resid, model.design.matrix
    row = {}
    if len(residuals) > 2:  # two residuals are one number and its mirror image
        row["residual_skew"] = float(stats.skew(residuals))
        row["normality_p"] = float(stats.shapiro(residuals).pvalue)
    if matrix.shape[1] > 1 and np.ptp(residuals**2) > 1e-12 * np.max(residuals**2):
        row["equal_variance_p"] = float(het_breuschpagan(residuals, matrix)[1])
    return row


def _influence(model: OutcomeModel, names: pd.Series) -> dict:
    influence = model.fit.get_influence()
    leverage = pd.Series(influence.hat_matrix_diag, index=model.design.matrix.index)
    alone = leverage > ALONE
    with np.errstate(divide="ignore", invalid="ignore"):
        # A scan that alone has its level of a factor has no residual, and so no distance.
        distances = pd.Series(influence.cooks_distance[0], index=leverage.index)[~alone]
    largest = distances.nlargest(3)
    marked = largest[largest > 4 / len(distances)]
    return {
        "max_leverage": float(leverage.max()),
        "alone": ", ".join(names[leverage.index[alone]].astype(str)),
        "max_cook": float(distances.max()),
        "influential": ", ".join(names[marked.index].astype(str)),
    }


def _inflation(model: OutcomeModel) -> dict:
    """Largest variance inflation; of a model with one term there is none."""
    matrix = model.design.matrix
    terms = np.flatnonzero(np.ptp(matrix.to_numpy(), axis=0) > 0)
    if len(terms) < 2:
        return {}
    with np.errstate(divide="ignore"):  # a term all but told by the others: infinite
        values = [variance_inflation_factor(matrix.to_numpy(), i) for i in terms]
    worst = int(np.argmax(values))
    return {
        "max_vif": float(values[worst]),
        "vif_term": model.design.words[matrix.columns[terms[worst]]],
    }


def _fit_on_ranks(
    model: OutcomeModel, table: pd.DataFrame, covariance: str
) -> tuple[Any, list[str]]:
    """Fit the same model to ranks of the outcome and of every numeric covariate, or say why not.

    Of few scans, two covariates may have the same ranks.
    """
    cannot = ["ranks of so few scans cannot tell the terms apart: no rank_p"]
    matrix = model.design.matrix.copy()
    for variable in model.covariates:
        if variable.name in matrix:
            matrix[variable.name] = matrix[variable.name].rank()
    ranks = model.outcome.values(table)[model.present].rank()
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        return None, cannot
    fit = sm.OLS(ranks, matrix).fit()
    if fits_without_error(fit):
        return None, cannot
    robust, why = with_covariance(fit, covariance)
    return robust, [f"of ranks, {reason}" for reason in why]


def _cluster_p(model: OutcomeModel, result) -> float:
    return float(result.f_test(model.selector(model.cluster_columns)).pvalue)


def _advice(row: dict, model: OutcomeModel, covariance: str) -> str:
    found = []
    not_normal = row.get("normality_p", 1) < LEVEL
    if not_normal and row["n"] <= MANY:
        remedy = "rely on rank_p" if "rank_p" in row else "no rank_p to rely on"
        found.append(f"residuals are not normal and scans are few: {remedy}")
    if not_normal and row["residual_skew"] > 1 and not model.outcome.transform:
        found.append("residuals are skewed to the right: consider x-transform log")
    if row.get("equal_variance_p", 1) < LEVEL and covariance == "classical":
        found.append("variances differ: use covariance HC3")
    if row["max_cook"] > LARGE_COOK and row["influential"]:
        found.append(f"one scan moves the result: look at {row['influential'].split(', ')[0]}")
    if row["alone"]:
        found.append(f"{row['alone']}: alone with a level of a factor, so says nothing here")
    if row.get("max_vif", 0) > HIGH_VIF:
        found.append(f"{row['vif_term']} is nearly told by the other terms: its share is unclear")
    if "rank_p" in row and (row["p"] < LEVEL) != (row["rank_p"] < LEVEL):
        found.append("ranks say otherwise than means: report both")
    return "; ".join(found) or "no objection"
