"""One outcome's linear model, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from clamlab.stats.outcomes.covariance import COVARIANCES, with_covariance
from clamlab.stats.outcomes.design import CLUSTER, Design, build_design, column_name
from clamlab.stats.variables import Variable, cluster_labels, select_variables, title_of

INFINITE = "holds infinite values: left out (correct the table)"
ONE_CLUSTER = "one cluster only: nothing to compare"
NO_ERROR = "the model fits without any error: no test"


@dataclass
class OutcomeModel:
    """A fitted model outcome ~ covariates + cluster.

    ``present`` tells the rows used; ``fit`` holds the least squares and ``result`` the same with
    the covariance asked for. What could not be made is None, and ``notes`` says why (first) and
    what was left out.
    """

    outcome: Variable
    group: str
    clusters: pd.Series
    present: pd.Series
    covariates: list[Variable]
    notes: list[str] = field(default_factory=list)
    design: Design = None  # type: ignore[assignment]
    fit: Any = None
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
            "covariates": ", ".join(variable.title for variable in self.adjusted),
        }

    @property
    def adjusted(self) -> list[Variable]:
        """Covariates that the model holds: one that does not vary in its rows is left out."""
        if self.design is None:
            return self.covariates
        return [variable for variable in self.covariates if self.design.terms[variable.name]]

    @property
    def cluster_columns(self) -> list[str]:
        """Columns of the design that mark clusters (the first cluster has none)."""
        return self.design.terms.get(self.group, [])

    @cached_property
    def codes(self) -> list[int]:
        """Clusters of the rows used."""
        return sorted(self.clusters[self.present].unique())

    @cached_property
    def alike(self) -> list[list[int]]:
        """Clusters in sets: two are compared if they share one, else covariates tell them apart."""
        sets: list[list[int]] = []
        for code in self.codes:
            at = self.mean_at(code)
            own = [known for known in sets if self.is_told(at - self.mean_at(known[0]))]
            if own:
                own[0].append(code)
            else:
                sets.append([code])
        return sets

    def mean_at(self, code: int, weights: str = "equal") -> pd.Series:
        """Coefficients of a cluster's adjusted mean, levels of factors weighted as asked.

        Clusters' columns that were left out as collinear are among them, for `is_told`.
        """
        # A dummy's mean is its level's share, so the column means weigh proportionally.
        at = self.design.weights if weights == "equal" else self.design.matrix.mean()
        marks = [column_name(self.group, other) for other in self.codes[1:]]
        at = at.reindex([*at.index, *(mark for mark in marks if mark not in at)])
        at[marks] = [float(other == code) for other in self.codes[1:]]
        return at

    def is_told(self, at: pd.Series) -> bool:
        """Whether the rows tell this mixture of coefficients, whichever columns were left out."""
        return all(
            abs(at[column] - mixture @ at[mixture.index]) < 1e-6
            for column, mixture in self.design.mixtures.items()
            if column in at
        )

    def estimate(self, at: pd.Series) -> Any:
        """Estimate and test a mixture of coefficients that the rows tell."""
        return self.result.t_test(at[self.design.matrix.columns].to_numpy())

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
    table = table.assign(**{group: clusters})  # as numbers, though a file may have kept "1.0"
    outcomes, left_out = find_outcomes(table, schema)
    adjust, unusable = choose_covariates(table, schema, covariates)
    complete = complete_rows(table, adjust)
    known = {"clusters": clusters, "group": group, "complete": complete}
    models = [_fit(table, y, adjust, **known) for y in outcomes]
    for model in models:
        model.notes += unusable
        if model.fit is not None:
            model.result, why = with_covariance(model.fit, covariance)
            model.notes = [*why, *model.notes]
    return models, left_out


def find_outcomes(table: pd.DataFrame, schema: dict) -> tuple[list[Variable], dict[str, str]]:
    """List the outcomes to be modelled; categories cannot be, and are named with the reason."""
    outcomes, left_out = select_variables(table, schema, ["outcome"])
    for outcome in [y for y in outcomes if y.is_categorical]:
        left_out[outcome.name] = "a category has no linear model: left out"
        outcomes.remove(outcome)
    for outcome in [y for y in outcomes if _is_infinite(y, table)]:
        left_out[outcome.name] = INFINITE
        outcomes.remove(outcome)
    return outcomes, left_out


def left_out_rows(schema: dict, left_out: dict[str, str]) -> list[dict]:
    """Give each column that has no model the row that says why."""
    return [
        {
            "outcome": name,
            "title": title_of(schema, name),
            "source": schema["properties"][name].get("x-source", "external"),
            "note": why,
        }
        for name, why in left_out.items()
    ]


def choose_covariates(
    table: pd.DataFrame, schema: dict, names: Sequence[str] | None
) -> tuple[list[Variable], list[str]]:
    """Pick the columns to adjust for, and say what of them cannot be used."""
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
    return usable(table, chosen)


def usable(table: pd.DataFrame, variables: Sequence[Variable]) -> tuple[list[Variable], list[str]]:
    """Leave out columns that are empty or infinite; say so, and where values are no levels."""
    unusable = {v: "empty column, left out" for v in variables if v.values(table).isna().all()}
    unusable |= {v: INFINITE for v in variables if _is_infinite(v, table)}
    said = [*unusable.items(), *((v, v.undeclared(table)) for v in variables)]
    notes = [f"{variable.title}: {why}" for variable, why in said if why]
    return [variable for variable in variables if variable not in unusable], notes


def _is_infinite(variable: Variable, table: pd.DataFrame) -> bool:
    return not variable.is_categorical and bool(np.isinf(variable.values(table)).any())


def cluster_variable(clusters: pd.Series, group: str) -> Variable:
    """Describe the column of clusters as a factor whose reference is the first cluster."""
    levels = tuple(str(code) for code in sorted(clusters.unique()))
    return Variable(group, group, CLUSTER, "", levels=levels, reference=levels[0])


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
    complete: pd.Series,
) -> OutcomeModel:
    """Fit one outcome, on the rows that are complete in the covariates and have it."""
    target = outcome.transformed(table)
    present = target.notna() & complete
    notes = transform_notes(table, outcome)
    model = OutcomeModel(outcome, group, clusters, present, covariates, notes)
    y = target[present]
    if y.nunique() < 2:
        model.notes.insert(0, f"{'constant' if len(y) else 'no row is complete'}: no model")
        return model
    model.notes += size_notes(clusters, present)
    factor = [cluster_variable(clusters[present], group)]
    if len(factor[0].levels) == 1:
        factor = []
        model.notes.append(ONE_CLUSTER)
    model.design = build_design(table[present], [*covariates, *factor])
    model.notes += [*model.design.notes, *_told_apart(model)]
    matrix = model.design.matrix
    if len(y) <= matrix.shape[1]:
        model.notes.insert(0, too_few_rows(*matrix.shape))
        return model
    result = sm.OLS(y, matrix).fit()
    if fits_without_error(result):
        model.notes.insert(0, NO_ERROR)
        return model
    model.fit = result
    return model


def _told_apart(model: OutcomeModel) -> list[str]:
    """Name the clusters of which covariates leave nothing to compare."""
    sets = [[str(code + 1) for code in codes] for codes in model.alike]
    if len(sets) == 1:
        return []
    named = [f"cluster{'s' if len(codes) > 1 else ''} {' and '.join(codes)}" for codes in sets]
    return [f"covariates tell {' from '.join(named)}: not compared"]


def too_few_rows(n_rows: int, n_coefficients: int) -> str:
    """Say why rows are too few for a model, and what helps."""
    return (
        f"{n_rows} rows for {n_coefficients} coefficients: no model (it needs more rows than "
        "coefficients: adjust for fewer covariates)"
    )


def fits_without_error(result: Any) -> bool:
    """Whether all that is left of an outcome is rounding, of which no test can be made."""
    return bool(result.ssr < max(1e-20 * result.centered_tss, 1e-26 * result.uncentered_tss))


def size_notes(clusters: pd.Series, present: pd.Series) -> list[str]:
    """Name the clusters of which one row is used, or none."""
    sizes = clusters[present].value_counts().reindex(sorted(clusters.unique()), fill_value=0)
    return [
        f"cluster {code + 1} has {'one row' if n else 'no complete row: not compared'}"
        for code, n in sizes.items()
        if n < 2
    ]


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
