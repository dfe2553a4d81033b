"""How many scans, and how strong a lesion, it takes to find clusters, their number and site."""

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy.stats import binomtest

from clamlab.experiments.found import what_was_found
from clamlab.experiments.methods import fitter_of
from clamlab.experiments.resuming import resumed_rows, settings_text
from clamlab.simulate import lung_slices

VARIED = ("n_scans", "contrast_hu", "radius_px", "noise_sd", "jitter_px", "anatomy")
COHORT = ["scenario", "n_true", "settings", "seed"]


@dataclass(frozen=True)
class Cohort:
    """One cohort to draw, and how it is searched."""

    scenario: str
    n_true: int
    seed: int
    cell: dict[str, Any]
    training: dict[str, Any]
    k_max: int

    @property
    def key(self) -> tuple:
        """What tells this cohort's rows from all others."""
        settings = {**dict(sorted(self.cell.items())), **self.training, "k_max": self.k_max}
        return self.scenario, self.n_true, settings_text(settings), self.seed


def power(
    scenario: str,
    n_clusters: int,
    grid: Mapping[str, Sequence],
    *,
    seeds: Iterable[int],
    channels: Sequence[int] = (32, 64, 128),
    pretrain_epochs: int = 200,
    cluster_epochs: int = 10,
    k_max: int = 8,
    n_jobs: int = 1,
    path: str | os.PathLike | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Plan a study: learn whether cohorts like this would show their clusters.

    Parameters
    ----------
    scenario, n_clusters
        What tells the clusters apart, and their true number, as `lung_slices` takes them.
    grid : mapping of `lung_slices` keywords to values
        Every combination is tried, such as ``{"n_scans": [50, 300], "contrast_hu": [50, 200]}``;
        also radius_px, noise_sd, jitter_px, anatomy.
    seeds : iterable of int
        Cohorts drawn for each combination.
    channels, pretrain_epochs, cluster_epochs
        Width and length of the training, at most. Pre-training stops when a held-out tenth of the
        scans is no longer drawn better: after more epochs where there are fewer scans.
    k_max : int
        Largest number of clusters considered (less in cohorts of few scans).
    n_jobs : int
        Cohorts at a time, each in a process of its own.
    path : path, optional
        CSV that is written after every cohort; an interrupted run goes on where it was. Rows of
        other settings in the same file are kept and not returned.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row per combination, seed, method ("deep", "linear") and target: found, settings.
        Targets: "clusters" (at the true K, at least 95 % of scans right), "number" (the
        recommended K is the true one), "site" (at the true K, the map of every cluster with a
        lesion peaks within 6 px of its centre: contrast maps for deep, difference of means for
        linear; of two locations any map shows both, so that sites need three). `power_summary`
        makes shares of it.

    Raises
    ------
    ValueError
        If there is no seed or no combination, or a keyword cannot be varied.

    Examples
    --------
    >>> table = power(
    ...     "intensity", 2, {"contrast_hu": [300], "n_scans": [20]}, seeds=[1000],
    ...     channels=(2, 2, 4), pretrain_epochs=1, cluster_epochs=1, k_max=3, progress=False,
    ... )
    >>> table.loc[3:, ["contrast_hu", "method", "target", "found"]].to_numpy().tolist()
    [[300, 'linear', 'clusters', True], [300, 'linear', 'number', True],
     [300, 'linear', 'site', True]]
    """
    training = {
        "channels": tuple(channels),
        "pretrain_epochs": pretrain_epochs,
        "cluster_epochs": cluster_epochs,
    }
    cohorts = [
        Cohort(scenario, n_clusters, seed, cell, training, k_max)
        for cell, seed in itertools.product(_cells(grid), list(seeds))
    ]
    if not cohorts:
        raise ValueError("power needs at least one seed and one value for every grid keyword")
    table = resumed_rows(
        _cohort_rows,
        cohorts,
        key=COHORT,
        path=path,
        n_jobs=n_jobs,
        title="cohorts",
        progress=progress,
    )
    return _rows_of(cohorts, table)


def power_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Count how often each target was found, with how far chance may have moved the count.

    Parameters
    ----------
    table : DataFrame
        Of `power`, or the CSV that it wrote.

    Returns
    -------
    DataFrame
        One row per combination, method and target: share found, low and high (95 % Wilson
        limits), n_runs (seeds).

    Examples
    --------
    >>> runs = {"n_scans": 50, "method": "deep", "target": "site", "seed": [1, 2, 3, 4]}
    >>> summary = power_summary(pd.DataFrame({**runs, "found": [True, True, True, False]}))
    >>> summary[["n_scans", "share", "low", "high", "n_runs"]].round(2).to_numpy().tolist()
    [[50.0, 0.75, 0.3, 0.95, 4.0]]
    """
    cell = [name for name in table if name not in ("seed", "found")]
    counts = table.groupby(cell, sort=False, dropna=False)["found"].agg(["sum", "count"])
    limits = [
        binomtest(int(hits), int(n)).proportion_ci(method="wilson")
        for hits, n in counts.itertuples(index=False)
    ]
    return pd.DataFrame(
        {
            "share": counts["sum"] / counts["count"],
            "low": [limit.low for limit in limits],
            "high": [limit.high for limit in limits],
            "n_runs": counts["count"],
        }
    ).reset_index()


def _cells(grid: Mapping[str, Sequence]) -> list[dict[str, Any]]:
    unknown = [name for name in grid if name not in VARIED]
    if unknown:
        raise ValueError(f"grid may vary {', '.join(VARIED)}; found {', '.join(unknown)}")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _cohort_rows(cohort: Cohort) -> pd.DataFrame:
    """Draw one cohort and search it with every method."""
    drawn = lung_slices(cohort.scenario, cohort.n_true, seed=cohort.seed, **cohort.cell)
    rows = []
    for method in ("deep", "linear"):
        fitter = fitter_of(method, drawn, seed=cohort.seed, **cohort.training)
        found = what_was_found(fitter, drawn, k_max=cohort.k_max, seed=cohort.seed)
        rows += [{"method": method, "target": name, "found": hit} for name, hit in found.items()]
    known = dict(zip(COHORT, cohort.key, strict=True))
    return pd.DataFrame(rows).assign(**known, **cohort.cell)


def _rows_of(cohorts: list[Cohort], table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of these cohorts in their order, with the values as they were asked for."""
    known = dict(list(table.groupby(COHORT)))
    columns = ["scenario", "n_true", *cohorts[0].cell, "seed", "method", "target", "found"]
    return pd.concat(
        [known[cohort.key].assign(**cohort.cell) for cohort in cohorts], ignore_index=True
    )[[*columns, "settings"]]
