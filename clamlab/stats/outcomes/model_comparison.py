"""Tell whether the cluster says more about an outcome than a reader's stage or scores do."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from clamlab.stats.outcomes.candidates import SMALLEST, Candidate
from clamlab.stats.outcomes.design import build_design
from clamlab.stats.outcomes.fitting import (
    NO_ERROR,
    ONE_CLUSTER,
    choose_covariates,
    cluster_variable,
    complete_rows,
    find_outcomes,
    fits_without_error,
    left_out_rows,
    size_notes,
    too_few_rows,
    transform_notes,
    usable,
)
from clamlab.stats.variables import (
    DERIVED_REASON,
    READ_FROM_IMAGE,
    Variable,
    cluster_labels,
    select_variables,
)

COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "outcome title transform outcome_source model covariates reader reader_title reader_role "
    "has_cluster source n n_missing n_smallest n_parameters r2 adjusted_r2 aic bic added_r2 "
    "added_low added_high f_cluster p_cluster f_reader p_reader note"
).split()


def compare_models(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    readers: Sequence[str] = READ_FROM_IMAGE,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """See how much of each outcome the cluster explains beyond demographics and beyond staging.

    For every outcome these models are fitted to the same rows, those complete for all of
    them: the covariates (the mean alone, if there are none); + cluster; and for each variable that
    a person read from an image (stage as a factor, visual scores): + that variable, and + cluster
    + that variable.

    Parameters
    ----------
    table, schema, group, covariates
        As in :func:`outcome_associations`.
    readers : sequence of str
        Roles of the variables the cluster is compared with; those derived from the image
        are left out.
    n_bootstrap : int
        Bootstrap samples for the interval of the added R squared; 0 for none.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row per outcome and model: n, n_missing (rows left out), n_smallest (rows of the
        cluster that has fewest), n_parameters, r2, adjusted_r2, aic, bic; added_r2 over the
        smallest model with its 95 % percentile interval added_low to added_high; f_cluster,
        p_cluster and f_reader, p_reader: the nested F tests of the cluster, and of the reader's
        variable, given all else in that model.
        ``model`` calls covariates "demographics" where each is one, and ``covariates`` names them.
        ``source`` names the least independent term: "reader" for models with a variable
        read from the image, "derived" for the cluster alone, "external" for neither. ``note``
        says what was left out and why. An outcome that no model can be made of keeps the row of
        the smallest, with its note and without numbers.

    Raises
    ------
    ValueError
        If a covariate is unknown, or a row has no cluster.

    Notes
    -----
    Raw R squared never falls when a term is added, so adjusted R squared (or AIC) decides
    which of two models explains more. For the same reason the bootstrap interval of the
    added R squared never reaches below 0: read its width, not its distance from 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 30), "stage": np.tile([0, 1, 2], 20)})
    >>> table["fvc"] = 3 - 0.5 * table["cluster"] + rng.normal(0, 0.4, 60)
    >>> schema = {"properties": {"fvc": {"x-role": "outcome"}, "stage": {"x-role": "staging"}}}
    >>> compare_models(table, schema, n_bootstrap=0)[["model", "adjusted_r2"]].round(2)
                 model  adjusted_r2
    0       mean alone         0.00
    1          cluster         0.18
    2            stage        -0.03
    3  cluster + stage         0.16
    """
    clusters = cluster_labels(table, group)
    outcomes, left_out = find_outcomes(table, schema)
    adjust, notes = choose_covariates(table, schema, covariates)
    read, _ = select_variables(table, schema, readers)
    read = [variable for variable in read if variable.source != "derived"]
    read, unusable = usable(table, read)
    notes += unusable
    records: list[dict] = []
    for outcome in outcomes:
        rows = complete_rows(table, [*adjust, *read]) & outcome.transformed(table).notna()
        kept = table[rows].assign(**{group: clusters[rows]})
        found = _compare(kept, outcome, adjust, read, group, n_bootstrap, seed)
        why = transform_notes(table, outcome) + size_notes(clusters, rows) + notes
        for row in found:
            row["n_missing"] = int((~rows).sum())
            row["note"] = "; ".join(filter(None, [row["note"], *why]))
        records += found
    records += [
        {**row, "outcome_source": row["source"], **SMALLEST.describe(adjust)}
        for row in left_out_rows(schema, left_out)
    ]
    return _frame(records)


def _compare(
    table: pd.DataFrame,
    outcome: Variable,
    adjust: list[Variable],
    read: list[Variable],
    group: str,
    n_bootstrap: int,
    seed: int,
) -> list[dict]:
    """All models of one outcome on one set of rows."""
    name = {
        "outcome": outcome.name,
        "title": outcome.title,
        "transform": outcome.transform,
        "outcome_source": outcome.source,
        "n": len(table),
        "n_smallest": table[group].value_counts().min(),
    }
    y = outcome.transformed(table)
    if y.nunique() < 2:
        why = "constant" if len(y) else "no row is complete"
        return [{**name, **SMALLEST.describe(adjust), "note": f"{why}: no model"}]
    factor = cluster_variable(table[group], group)
    candidates = [Candidate(c, reader) for reader in (None, *read) for c in (False, True)]
    fits: dict[Candidate, Any] = {}
    noted: dict[Candidate, list[str]] = {}
    for candidate in candidates:
        if candidate.has_cluster and len(factor.levels) == 1:
            noted[candidate] = [ONE_CLUSTER]
            continue
        terms = [*adjust]
        terms += [factor] if candidate.has_cluster else []
        terms += [candidate.reader] if candidate.reader else []
        design = build_design(table, terms)
        noted[candidate] = design.notes
        if len(y) <= design.matrix.shape[1]:
            noted[candidate] = [too_few_rows(*design.matrix.shape), *design.notes]
            continue
        fit = sm.OLS(y.to_numpy(), design.matrix.to_numpy()).fit()
        if fits_without_error(fit):
            noted[candidate] = [NO_ERROR, *design.notes]
            continue
        fits[candidate] = fit
    if SMALLEST not in fits:  # then no larger model could be made either
        why = "; ".join(["no comparison", *noted[SMALLEST]])
        return [{**name, **SMALLEST.describe(adjust), "note": why}]
    draws = _bootstrap_r2(fits, n_bootstrap, seed)
    rows = [candidate.describe(adjust) for candidate in candidates]
    for row, candidate in zip(rows, candidates, strict=True):
        if candidate in fits:
            row |= _numbers(candidate, fits, draws, outcome.source)
        row |= {**name, "note": "; ".join(noted[candidate])}
    return rows


def _numbers(candidate: Candidate, fits: dict, draws: dict, outcome_source: str) -> dict:
    fit, base = fits[candidate], fits[SMALLEST]
    reader = candidate.reader
    constant = fit.df_model == 0  # explains nothing; the sums leave 1e-16 of either sign
    row = {
        "n_parameters": int(fit.df_model) + 1,
        "r2": 0.0 if constant else fit.rsquared,
        "adjusted_r2": 0.0 if constant else fit.rsquared_adj,
        "aic": fit.aic,
        "bic": fit.bic,
    }
    if fit is not base:
        row["added_r2"] = fit.rsquared - base.rsquared
    if draws and fit is not base:
        added = draws[candidate] - draws[SMALLEST]
        row["added_low"], row["added_high"] = np.quantile(added, [0.025, 0.975])
    if outcome_source == "derived":
        return row
    if candidate.has_cluster:
        row |= _nested_f(fit, fits[Candidate(False, reader)], "cluster")
    if reader:
        row |= _nested_f(fit, fits[Candidate(candidate.has_cluster, None)], "reader")
    return row


def _nested_f(larger: Any, smaller: Any, name: str) -> dict:
    """F test of what the larger model adds; both stand on the same rows by construction."""
    if larger.df_model == smaller.df_model:
        return {}
    f, p, _ = larger.compare_f_test(smaller)
    return {f"f_{name}": float(f), f"p_{name}": float(p)}


def _bootstrap_r2(fits: dict, n_bootstrap: int, seed: int) -> dict[Candidate, np.ndarray]:
    """R squared of every model in the same bootstrap samples of the rows.

    A sample is a weight per row, so all samples of a model are one matrix product and one
    batch of small linear systems.
    """
    y = next(iter(fits.values())).model.endog
    y = (y - y.mean()) / y.std()
    n = len(y)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_bootstrap)
    weights = weights.astype(float)
    total = weights @ y**2 - (weights @ y) ** 2 / n
    varied = total > 1e-9 * n  # a sample of few rows may hold one value only
    weights, total = weights[varied], total[varied]
    if not len(total):
        return {}
    draws = {}
    for candidate, fit in fits.items():
        x = fit.model.exog
        x = np.column_stack([x[:, 0], (x[:, 1:] - x[:, 1:].mean(0)) / x[:, 1:].std(0)])
        k = x.shape[1]
        products = (x[:, :, None] * x[:, None, :]).reshape(n, -1)
        # A level may miss from a sample; the tiny ridge then gives it coefficient 0.
        gram = (weights @ products).reshape(-1, k, k) + 1e-9 * n * np.eye(k)
        moment = weights @ (x * y[:, None])
        coefficients = np.linalg.solve(gram, moment[..., None])[..., 0]
        left = weights @ y**2 - np.sum(coefficients * moment, axis=1)
        draws[candidate] = 1 - left / total
    return draws


def _frame(records: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(records).reindex(columns=COLUMNS)
    text = [c for c in COLUMNS if c.startswith(("outcome", "title", "transform", "model"))]
    text += ["covariates", "reader", "reader_title", "reader_role", "source", "note"]
    frame[text] = frame[text].astype(object).where(frame[text].notna(), "")
    frame["has_cluster"] = frame["has_cluster"].astype("boolean")
    whole = ["n", "n_missing", "n_smallest", "n_parameters"]
    frame[whole] = frame[whole].astype("Int64")
    derived = frame["outcome_source"] == "derived"
    frame.loc[derived, "note"] = frame.loc[derived, "note"].map(
        lambda note: "; ".join(filter(None, [note, DERIVED_REASON]))
    )
    numbers = [c for c in COLUMNS if c not in (*text, *whole, "has_cluster")]
    frame[numbers] = frame[numbers].astype(float)
    return frame
