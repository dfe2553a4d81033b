"""The associations again, with missing values imputed instead of left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from clamlab.stats.outcomes.associations import PAIR, outcome_associations, pairwise_rows
from clamlab.stats.outcomes.chained_equations import columns_not_filled, fill, gaps_like_nobody
from clamlab.stats.outcomes.fitting import choose_covariates, find_outcomes
from clamlab.stats.variables import TRANSFORMS, Variable, cluster_labels

NAMED = ["title", "units", "transform", "source", "covariance"]
JOINED = ["difference", "se", "df2", "low", "high", "p"]
COMPLETE = {"difference": "complete_difference", "p": "complete_p"}
COLUMNS = [*PAIR, *NAMED, *JOINED, *COMPLETE.values(), "missing_information", "n_imputed", "note"]


def imputed_associations(
    table: pd.DataFrame,
    schema: dict,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    covariance: str = "classical",
    n_imputations: int = 20,
    seed: int,
) -> pd.DataFrame:
    """See whether differences between clusters survive when no scan is left out for a gap.

    Gaps are filled several times by chained equations (predictive mean matching, so that only
    values that occur are filled in), from all outcomes, covariates and the cluster; every filled
    table gives its differences, and Rubin's rules join them.

    Parameters
    ----------
    table, schema, group, covariates, covariance
        As for `outcome_associations`.
    n_imputations : int
        Filled tables, at least 2.
    seed : int

    Returns
    -------
    DataFrame
        One row per outcome and pair of clusters: outcome, group, other_group, title, units,
        transform, source, covariance; difference, se, df2, low, high and p of the joined tables
        on the modelled scale (no p for outcomes derived from the image); complete_difference and
        complete_p, those of `outcome_associations`, which uses complete rows; missing_information,
        the share of the variance that the gaps are to blame for; n_imputed, filled values of the
        outcome; note, in words: gaps that stay open, and why. An outcome of which no gap could be
        filled has no joined numbers; one without pairs keeps one row, with its note.

    Raises
    ------
    ValueError
        If there are fewer than two imputations, or as `outcome_associations`.

    Notes
    -----
    It assumes that what is missing can be told from what is there ("missing at random"). Nominal
    covariates of several levels are matched by their order in the contract. What nobody like the
    missing ever had cannot be filled in: matching does not go beyond the values that are there,
    and a gap stays open if nobody with a value has that scan's level of a factor.

    A column is filled if it has ten values or more, and two more than there are predictors (all
    other outcomes and covariates, and the cluster). Rows with a gap that stays open are left out
    wherever that column is needed.

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
    options: dict[str, Any] = dict(group=group, covariates=covariates, covariance=covariance)
    complete = outcome_associations(table, schema, **options)
    outcomes, _ = find_outcomes(table, schema)
    adjust, unusable = choose_covariates(table, schema, covariates)
    gaps = _find_gaps(table, [*outcomes, *adjust], cluster_labels(table, group).rename(group))
    draws = [
        outcome_associations(filled, schema, **options)
        for filled in _filled(table, gaps, n_imputations, np.random.default_rng(seed))
    ]
    said = {variable.name: gaps.said_of(variable) for variable in gaps.variables}
    shared = [*(note for variable in adjust for note in said[variable.name]), *unusable]
    rows = []
    for name, whole in complete.groupby("outcome", sort=False):
        notes = [*said.get(name, []), *shared]
        drawn = [draw[draw["outcome"] == name] for draw in draws]
        n_imputed = gaps.n_filled(name) if name in said else pd.NA
        rows += [
            {**row, "n_imputed": n_imputed, "note": _each_once([*notes, row["note"]])}
            for row in _rows(whole, drawn, none_filled=gaps.none_filled(name))
        ]
    told = pd.DataFrame(rows).reindex(columns=COLUMNS)
    whole_numbers = ["group", "other_group", "n_imputed"]
    return told.astype(dict.fromkeys(whole_numbers, "Int64"))


def _each_once(notes: list[str]) -> str:
    """Join notes; the tables may say again what was said of all of them."""
    return "; ".join(dict.fromkeys(filter(None, "; ".join(notes).split("; "))))


@dataclass
class _Gaps:
    """Which gaps of a table can be filled, and why the others cannot.

    ``coded`` holds the columns as numbers; ``refused`` the columns that cannot be filled at all,
    and ``apart`` the rows of the others that are like nobody with a value, each with the reason.
    """

    variables: list[Variable]
    coded: pd.DataFrame
    factors: set[str]
    refused: dict[str, str]
    apart: dict[str, dict[int, set[str]]]

    def fillable(self, name: str) -> np.ndarray:
        """Tell the rows whose gap in a column is filled."""
        gaps = self.coded[name].isna().to_numpy() & (name not in self.refused)
        gaps[list(self.apart.get(name, {}))] = False
        return gaps

    def n_filled(self, name: str) -> int:
        """Count the filled gaps of a column."""
        return int(self.fillable(name).sum())

    def none_filled(self, name: str) -> bool:
        """Whether a column has gaps and all of them stay open."""
        return name in self.coded and self.coded[name].isna().any() and not self.n_filled(name)

    def said_of(self, variable: Variable) -> list[str]:
        """Say which gaps of a variable stay open, why, and what to do."""
        name, n = variable.name, int(self.coded[variable.name].isna().sum())
        if name in self.refused:
            why = self.refused[name]
        elif name in self.apart:
            titles = {v.name: v.title for v in self.variables}
            blamed = set().union(*self.apart[name].values())
            names = " and ".join(titles.get(c, c) for c in self.coded.columns if c in blamed)
            why = f"nobody with a value is like these scans in {names}"
        else:
            return []
        left = f"{n - self.n_filled(name)} of {n} gaps stay open"
        return [f"{variable.title}: {left}: {why}; report complete rows"]


def _find_gaps(table: pd.DataFrame, variables: list[Variable], clusters: pd.Series) -> _Gaps:
    """Code the columns as numbers, and learn which gaps can be filled."""
    coded = pd.DataFrame({v.name: _coded(v, table).to_numpy() for v in variables})
    coded[clusters.name] = clusters.to_numpy(float)
    factors = {str(clusters.name), *(v.name for v in variables if v.is_categorical)}
    refused = columns_not_filled(coded, factors)
    apart = gaps_like_nobody(coded.drop(columns=list(refused)), factors)
    return _Gaps(variables, coded, factors, refused, apart)


def _filled(
    table: pd.DataFrame, gaps: _Gaps, n: int, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Fill what can be filled n times; the other gaps stay."""
    for values in fill(gaps.coded.drop(columns=list(gaps.refused)), gaps.factors, n=n, rng=rng):
        filled = table.copy()
        for variable in gaps.variables:
            rows = gaps.fillable(variable.name)
            if rows.any():
                column = variable.values(table).to_numpy(copy=True)
                column[rows] = _decoded(variable, values[variable.name].to_numpy()[rows])
                filled[variable.name] = column
        yield filled


def _coded(variable: Variable, table: pd.DataFrame) -> pd.Series:
    if not variable.is_categorical:
        return variable.transformed(table)
    codes = {level: float(i) for i, level in enumerate(variable.levels)}
    return variable.values(table).map(codes).astype(float)


def _decoded(variable: Variable, values: np.ndarray) -> np.ndarray:
    if variable.is_categorical:
        return np.array([variable.levels[int(code)] for code in values], object)
    _, back = TRANSFORMS[variable.transform]
    return back(values)


def _rows(whole: pd.DataFrame, drawn: list[pd.DataFrame], *, none_filled: bool) -> list[dict]:
    """Give one outcome's rows: its pairs of clusters, or the reason why there are none."""
    complete, pairs = pairwise_rows(whole), [pairwise_rows(draw) for draw in drawn]
    said = (whole if none_filled else drawn[0]).query("part == 'omnibus'").iloc[0]
    keys = list(dict.fromkeys(key for part in (complete, *pairs) for key in part.index))
    if not keys:
        return [said[["outcome", *NAMED, "note"]].to_dict()]
    rows = []
    for key in keys:
        row = dict(zip(PAIR, key, strict=True)) | said[[*NAMED, "note"]].to_dict()
        if key in complete.index:
            row |= {COMPLETE[name]: complete.loc[key, name] for name in COMPLETE}
        draws = pd.DataFrame([part.loc[key] for part in pairs if key in part.index])
        if none_filled:
            row["note"] = "; ".join(filter(None, ["nothing was filled in", row["note"]]))
        elif len(draws) == len(drawn):
            row |= _join(draws)
        else:
            why = f"only {len(draws)} of {len(drawn)} filled tables can compare these clusters"
            row["note"] = "; ".join(filter(None, [why, row["note"]]))
        rows.append(row)
    return rows


def _join(draws: pd.DataFrame) -> dict:
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
    tested = draws["p"].notna().all()  # not those derived from the image
    return {
        "difference": difference,
        "se": error,
        "df2": df,
        "low": difference - margin,
        "high": difference + margin,
        "p": 2 * stats.t.sf(abs(difference) / error, df) if tested else np.nan,
        "missing_information": share,
    }
