"""The associations again, for the clusters that other samples of the scans might have given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clamlab.stats.outcomes.associations import PAIR, outcome_associations, pairwise_rows

COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "title units transform source difference low high across_low across_high same_sign below_05 "
    "n_partitions note"
).split()
NEVER = "in none of the partitions could these clusters be compared"


def associations_across(
    table: pd.DataFrame,
    schema: dict,
    partitions: ArrayLike,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
    covariance: str = "classical",
) -> pd.DataFrame:
    """See how much a difference between clusters owes to where their border happened to fall.

    A confidence interval takes the clusters for granted. Here every difference is estimated again
    for each of many partitions of the same scans.

    Parameters
    ----------
    table, schema, group, covariates, covariance
        As for :func:`outcome_associations`.
    partitions : array of int, shape (n_partitions, n_rows)
        Clusters of the table's rows, from 0, numbered as in the column of clusters
        (`selection.resampled_partitions`).

    Returns
    -------
    DataFrame
        One row per outcome and pair of clusters: outcome, title, units, transform, source, group,
        other_group; difference with its 95 % interval low to high for the reported clusters;
        across_low and across_high, between which 95 % of the partitions' differences lie;
        same_sign, the share of partitions whose difference has the sign of the reported one;
        below_05, the share whose p is below .05 (missing for outcomes derived from the image);
        n_partitions in which the pair could be compared; note, in words. An outcome without pairs
        keeps one row, with its note.

    Raises
    ------
    ValueError
        If a partition has not one cluster for every row, or as :func:`outcome_associations`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 30)})
    >>> table["fvc"] = 3 - 0.5 * table["cluster"] + rng.normal(0, 0.4, 60)
    >>> schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome"}}}
    >>> others = np.array([np.roll(table["cluster"], shift) for shift in (-2, 0, 3)])
    >>> told = associations_across(table, schema, others).iloc[0]
    >>> float(told["same_sign"]), bool(told["across_low"] < told["difference"])
    (1.0, True)
    """
    partitions = np.asarray(partitions)
    if partitions.ndim != 2 or partitions.shape[1] != len(table):
        raise ValueError(
            f"expected partitions of {len(table)} rows, found an array of shape {partitions.shape}"
        )
    options: dict[str, Any] = {
        "group": group,
        "covariates": covariates,
        "covariance": covariance,
    }
    reported = outcome_associations(table, schema, **options)
    # Where clusters come back, many partitions are one.
    distinct, which = np.unique(partitions, axis=0, return_inverse=True)
    others = (table.assign(**{group: labels}) for labels in distinct)
    found = [pairwise_rows(outcome_associations(other, schema, **options)) for other in others]
    again = [found[i] for i in which.ravel()]
    pairs = _spread(pairwise_rows(reported), pd.concat([pairwise_rows(reported)[:0], *again]))
    named = ["outcome", "title", "units", "transform", "source", "note"]
    said = reported.loc[reported["part"] == "omnibus", named]
    told = said.merge(pairs, on="outcome", how="left").reindex(columns=[*PAIR, *COLUMNS])
    told["n_partitions"] = told["n_partitions"].fillna(0).astype(int)
    never = told["group"].notna() & (told["n_partitions"] == 0)
    told["note"] = told["note"].where(~never, [f"{NEVER}; {n}".strip("; ") for n in told["note"]])
    return told.astype(dict.fromkeys(["group", "other_group"], "Int64"))


def _spread(reported: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Tell between which values the reported differences lie when they are estimated again."""
    by_pair = again.groupby(level=PAIR, sort=False)
    same = np.sign(again["difference"]) == np.sign(reported["difference"].reindex(again.index))
    told = reported[["difference", "low", "high"]].assign(
        across_low=by_pair["difference"].quantile(0.025),
        across_high=by_pair["difference"].quantile(0.975),
        same_sign=same.groupby(level=PAIR).mean(),
        below_05=(again["p"] < 0.05).where(again["p"].notna()).groupby(level=PAIR).mean(),
        n_partitions=by_pair["difference"].count(),
    )
    told["below_05"] = told["below_05"].astype(float)
    return told.reset_index()
