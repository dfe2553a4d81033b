"""One outcome's linear model, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from clamlab.stats.outcomes.design import Design, build_design, column_name
from clamlab.stats.variables import Variable, cluster_labels, select_variables

COVARIANCES = ("classical", "HC3")


@dataclass
class OutcomeModel:
    """A fitted model outcome ~ covariates + cluster.

    ``present`` tells the rows used; ``design`` and ``result`` are None where no model
    could be made, and ``notes`` says why and what was left out.
    """

    outcome: Variable
    group: str
    clusters: pd.Series
    present: pd.Series
    covariates: list[Variable]
    notes: list[str] = field(default_factory=list)
    design: Design = None  # type: ignore[assignment]
    result: Any = None

    @property
    def note(self) -> str:
        """All notes in one sentence."""
        return "; ".join(self.notes)

    @property
    def name(self) -> dict:
        """What every row of a tidy table says about the outcome."""
        return {
            "outcome": self.outcome.name,
            "title": self.outcome.title,
            "units": self.outcome.units,
            "transform": self.outcome.transform,
            "source": self.outcome.source,
            "covariates": ", ".join(variable.title for variable in self.covariates),
        }

    @property
    def cluster_columns(self) -> list[str]:
        """Columns of the design that mark clusters (the first cluster has none)."""
        return self.design.terms.get(self.group, [])

    @property
    def estimable(self) -> list[int]:
        """Clusters whose mean can be told: all but those collinear with a covariate."""
        first, *others = sorted(self.clusters[self.present].unique())
        return [first, *(c for c in others if self.column_of(c) in self.cluster_columns)]

    def column_of(self, code: int) -> str:
        """Name of the column that marks a cluster."""
        return column_name(self.group, code)

    def mean_at(self, code: int, weights: str = "equal") -> np.ndarray:
        """Coefficients of a cluster's adjusted mean, levels of factors weighted as asked."""
        # A dummy's mean is its level's share, so the column means weigh proportionally.
        at = self.design.weights if weights == "equal" else self.design.matrix.mean()
        at = at.copy()
        at[self.cluster_columns] = 0.0
        if self.column_of(code) in at:
            at[self.column_of(code)] = 1.0
        return at.to_numpy()

    def selector(self, columns: Sequence[str]) -> np.ndarray:
        """Matrix that picks the coefficients of some columns."""
        identity = np.eye(self.design.matrix.shape[1])
        return identity[self.design.matrix.columns.get_indexer(columns)]


def fit_outcomes(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str,
    covariates: Sequence[str] | None,
    covariance: str,
) -> tuple[list[OutcomeModel], dict[str, str]]:
    """Fit the model of every outcome; also names of columns left out, each with the reason."""
    if covariance not in COVARIANCES:
        raise ValueError(f"covariance {covariance!r} is not one of {', '.join(COVARIANCES)}")
    clusters = cluster_labels(table, group)
    outcomes, left_out = find_outcomes(table, schema)
    adjust, empty = choose_covariates(table, schema, covariates)
    models = [_fit(table, y, adjust, clusters=clusters, group=group) for y in outcomes]
    for model in models:
        model.notes += empty
        if covariance == "HC3" and model.result is not None:
            _make_robust(model)
    return models, left_out


def find_outcomes(table: pd.DataFrame, schema: dict) -> tuple[list[Variable], dict[str, str]]:
    """List the outcomes to be modelled; categories cannot be, and are named with the reason."""
    outcomes, left_out = select_variables(table, schema, ["outcome"])
    if not outcomes:
        raise ValueError("no column of the table has x-role 'outcome': mark one in the contract")
    for outcome in [y for y in outcomes if y.is_categorical]:
        left_out[outcome.name] = "a category has no linear model: left out"
        outcomes.remove(outcome)
    return outcomes, left_out


def choose_covariates(
    table: pd.DataFrame, schema: dict, names: Sequence[str] | None
) -> tuple[list[Variable], list[str]]:
    """Pick the columns to adjust for, and say which are empty and cannot be used."""
    known, _ = select_variables(table, schema, ["demographic", "scanner"])
    if names is None:
        chosen = [v for v in known if v.role == "demographic" and v.source != "derived"]
    else:
        by_name = {variable.name: variable for variable in known}
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise ValueError(
                f"covariates {unknown} are no demographic or scanner columns of this table; "
                f"there are {', '.join(by_name) or 'none'}"
            )
        chosen = [by_name[name] for name in names]
    empty = [v for v in chosen if v.values(table).isna().all()]
    notes = [f"{variable.title}: empty column, left out" for variable in empty]
    return [variable for variable in chosen if variable not in empty], notes


def cluster_variable(clusters: pd.Series, group: str) -> Variable:
    """Describe the column of clusters as a factor whose reference is the first cluster."""
    levels = tuple(str(code) for code in sorted(clusters.unique()))
    return Variable(group, group, "", "", levels=levels, reference=levels[0])


def complete_rows(table: pd.DataFrame, variables: Sequence[Variable]) -> pd.Series:
    """Tell the rows in which every variable has a value."""
    complete = pd.Series(True, index=table.index)
    for variable in variables:
        complete &= variable.values(table).notna()
    return complete


def _fit(
    table: pd.DataFrame,
    outcome: Variable,
    covariates: list[Variable],
    *,
    clusters: pd.Series,
    group: str,
) -> OutcomeModel:
    target = outcome.transformed(table)
    present = target.notna() & complete_rows(table, covariates)
    notes = transform_notes(table, outcome)
    model = OutcomeModel(outcome, group, clusters, present, covariates, notes)
    y = target[present]
    if y.nunique() < 2:
        model.notes.append(f"{'constant' if len(y) else 'no row is complete'}: no model")
        return model
    sizes = clusters[present].value_counts().sort_index()
    model.notes += [f"cluster {code + 1} has one row" for code in sizes.index[sizes == 1]]
    factor = [cluster_variable(clusters[present], group)]
    if len(sizes) == 1:
        factor = []
        model.notes.append("one cluster only: nothing to compare")
    model.design = build_design(table[present], [*covariates, *factor])
    model.notes += model.design.notes
    matrix = model.design.matrix
    if len(y) <= matrix.shape[1]:
        model.notes.append(f"{len(y)} rows for {matrix.shape[1]} coefficients: no model")
        return model
    result = sm.OLS(y, matrix).fit()
    if result.ssr < 1e-20 * result.centered_tss:
        model.notes.append("the model fits without any error: no test")
        return model
    model.result = result
    return model


def transform_notes(table: pd.DataFrame, outcome: Variable) -> list[str]:
    """Say how many values a logarithm cannot take."""
    lost = int(outcome.values(table).notna().sum() - outcome.transformed(table).notna().sum())
    if not lost:
        return []
    if outcome.transform == "log1p":
        return [f"{lost} values below 0 count as missing: log1p needs 0 or more"]
    return [
        f"{lost} values of 0 or less have no logarithm and count as missing "
        "(below a detection limit? give half the limit, or x-transform log1p, instead)"
    ]


def _make_robust(model: OutcomeModel) -> None:
    """Swap in HC3 with t tests, unless a row fits itself and HC3 does not exist."""
    leverage = model.result.get_influence().hat_matrix_diag
    if leverage.max() > 1 - 1e-8:
        row = model.design.matrix.index[int(np.argmax(leverage))]
        model.notes.append(f"leverage 1 at index {row!r}: HC3 does not exist, no model")
        model.result = None
        return
    model.result = model.result.get_robustcov_results("HC3", use_t=True)
