"""Each outcome's mean by cluster as if clusters had the same demographics, alone or with tests."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clamlab.stats.outcomes.associations import associations_of, tidy_frame
from clamlab.stats.outcomes.fitting import OutcomeModel, fit_outcomes, left_out_rows
from clamlab.stats.variables import TRANSFORMS

MEAN_COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "outcome title units transform source group n mean se low high response response_low "
    "response_high covariance covariates note"
).split()
NO_MEAN = "no mean at equal covariates"


def adjusted_means(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    covariance: str = "classical",
    weights: str = "equal",
) -> pd.DataFrame:
    """Estimate each outcome's mean per cluster as if clusters had the same demographics.

    The models are those of `outcome_associations`. Covariates are held at their mean
    over the rows used (estimated marginal means).

    Parameters
    ----------
    table, schema, group, covariates, covariance
        As in `outcome_associations`.
    weights : {"equal", "proportional"}
        How the levels of a factor count: all the same, as R's emmeans does, or by their
        share of the cohort, which suits a factor with a rare level. Differences between
        clusters are the same.

    Returns
    -------
    DataFrame
        One row per outcome and cluster: n, mean, se, and 95 % interval low to high on the
        modelled scale; response, response_low, response_high in the outcome's own units
        (for a log outcome the geometric mean). An outcome without model keeps one row
        with a ``note``. Where a covariate tells clusters apart exactly, no cluster has a mean at
        equal covariates: the rows keep their n, and the note says so (R's emmeans: nonEst).

    References
    ----------
    Searle, Speed and Milliken, Population marginal means in the linear model, 1980.

    Examples
    --------
    >>> table = pd.DataFrame({"cluster": [0, 0, 1, 1], "fvc": [3.0, 3.2, 2.4, 2.6]})
    >>> schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome"}}}
    >>> adjusted_means(table, schema)[["group", "mean"]].round(2).values.tolist()
    [[0, 3.1], [1, 2.5]]
    """
    if weights not in ("equal", "proportional"):
        raise ValueError(f"weights {weights!r} is neither 'equal' nor 'proportional'")
    models, left_out = fit_outcomes(
        table, schema, group=group, covariates=covariates, covariance=covariance
    )
    return _means_of(models, schema, left_out=left_out, covariance=covariance, weights=weights)


def associations_with_means(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    covariance: str = "classical",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Get both tables of Figure 10 in little more than the time of one: models are fitted once.

    Parameters
    ----------
    table, schema, group, covariates, covariance
        As in `outcome_associations`.

    Returns
    -------
    associations : DataFrame
        What `outcome_associations` gives.
    adjusted : DataFrame
        What `adjusted_means` gives.

    Examples
    --------
    >>> table = pd.DataFrame({"cluster": [0, 0, 1, 1], "fvc": [3.0, 3.2, 2.4, 2.6]})
    >>> schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome"}}}
    >>> associations, adjusted = associations_with_means(table, schema)
    >>> adjusted.equals(adjusted_means(table, schema))
    True
    """
    models, left_out = fit_outcomes(
        table, schema, group=group, covariates=covariates, covariance=covariance
    )
    return (
        associations_of(models, schema, left_out=left_out, covariance=covariance),
        _means_of(models, schema, left_out=left_out, covariance=covariance),
    )


def _means_of(
    models: Sequence[OutcomeModel],
    schema: dict,
    *,
    left_out: dict[str, str],
    covariance: str,
    weights: str = "equal",
) -> pd.DataFrame:
    records = [record for model in models for record in _mean_rows(model, weights)]
    records += left_out_rows(schema, left_out)
    return tidy_frame(records, MEAN_COLUMNS, covariance)


def _mean_rows(model: OutcomeModel, weights: str) -> list[dict]:
    if model.result is None:
        return [{**model.name, "n": int(model.present.sum()), "note": model.note}]
    rows = []
    _, back = TRANSFORMS[model.outcome.transform]
    for code in model.codes:
        n, at = int(model.present[model.clusters == code].sum()), model.mean_at(code, weights)
        row = {**model.name, "group": code, "n": n, "note": model.note}
        if not model.is_told(at):
            rows.append({**row, "note": f"{NO_MEAN}; {model.note}"})
            continue
        estimate = model.estimate(at)
        mean = float(np.squeeze(estimate.effect))
        low, high = map(float, np.squeeze(estimate.conf_int()))
        rows.append(
            {
                **row,
                "mean": mean,
                "se": float(np.squeeze(estimate.sd)),
                "low": low,
                "high": high,
                "response": float(back(mean)),
                "response_low": float(back(low)),
                "response_high": float(back(high)),
            }
        )
    return rows
