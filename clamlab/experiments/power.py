"""How many scans, and how strong a lesion, it takes to find clusters, their number and site."""

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy.stats import binomtest

from clamlab.experiments.found import what_features_show, what_was_found
from clamlab.experiments.methods import fitter_of
from clamlab.experiments.resuming import once_each, resumed_rows, settings_text
from clamlab.simulate import cluster_features, lung_slices

FEATURES = "features"
OF_SLICES = ("n_scans", "contrast_hu", "radius_px", "noise_sd", "jitter_px", "anatomy")
# What features are drawn with unless the grid says otherwise.
OF_FEATURES = {"n_scans": 300, "apart_sd": 5.0}
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
        What tells the clusters apart, and their true number, as `lung_slices` takes them; or
        "features": no scans are drawn and no network is trained; `recommended_n_clusters` is
        asked about features in clusters of equal size, a known distance apart
        (`cluster_features`).
    grid : mapping of keywords to values
        Every combination is tried, such as ``{"n_scans": [50, 300], "contrast_hu": [50, 200]}``;
        also radius_px, noise_sd, jitter_px, anatomy. For "features" n_scans (else 300) and
        apart_sd (else 5): the distance in standard deviations within a cluster.
    seeds : iterable of int
        Cohorts drawn for each combination.
    channels, pretrain_epochs, cluster_epochs
        Width and length of the training, at most. Pre-training stops when a held-out tenth of the
        scans is no longer drawn better: after more epochs where there are fewer scans. Not
        used for "features".
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
        recommended K is the true one; never of fewer than 12 scans), "site" (at the true K, the
        map of every cluster with a lesion peaks within 6 px of its centre: contrast maps for
        deep, difference of means for linear; of two locations any map shows both, so that sites
        need three). For "features", which is the method too: "number", and "any" (more than one
        cluster was seen; of n_clusters=1 the false alarms). `power_summary` makes shares of it.

    Raises
    ------
    ValueError
        If there is no seed or no combination, a seed is there twice, or a keyword cannot be varied.

    Examples
    --------
    >>> table = power(
    ...     "intensity", 2, {"contrast_hu": [300], "n_scans": [20]}, seeds=[1000],
    ...     channels=(2, 2, 4), pretrain_epochs=1, cluster_epochs=1, k_max=3, progress=False,
    ... )
    >>> table.loc[3:, ["contrast_hu", "method", "target", "found"]].to_numpy().tolist()
    [[300, 'linear', 'clusters', True], [300, 'linear', 'number', True],
     [300, 'linear', 'site', True]]

    Halves of 24 scans are seen 12 standard deviations apart, and 1 apart they are not:

    >>> grid = {"n_scans": [24], "apart_sd": [12, 1]}
    >>> table = power("features", 2, grid, seeds=[1000], k_max=3, progress=False)
    >>> table[["apart_sd", "target", "found"]].to_numpy().tolist()
    [[12, 'number', True], [12, 'any', True], [1, 'number', False], [1, 'any', False]]
    """
    training = {
        "channels": tuple(channels),
        "pretrain_epochs": pretrain_epochs,
        "cluster_epochs": cluster_epochs,
    }
    if scenario == FEATURES:
        training = {}  # nothing is trained: the same cohorts whatever these are
    cohorts = [
        Cohort(scenario, n_clusters, seed, cell, training, k_max)
        for cell, seed in itertools.product(_cells(scenario, grid), once_each("seed", seeds))
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


def _cells(scenario: str, grid: Mapping[str, Sequence]) -> list[dict[str, Any]]:
    varied = OF_FEATURES if scenario == FEATURES else OF_SLICES
    unknown = [name for name in grid if name not in varied]
    if unknown:
        raise ValueError(
            f"for scenario {scenario!r} grid may vary {', '.join(varied)}; "
            f"found {', '.join(unknown)}"
        )
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _cohort_rows(cohort: Cohort) -> pd.DataFrame:
    """Draw one cohort and search it with every method."""
    searched = _searched_features if cohort.scenario == FEATURES else _searched_slices
    rows = [
        {"method": method, "target": name, "found": hit}
        for method, found in searched(cohort)
        for name, hit in found.items()
    ]
    known = dict(zip(COHORT, cohort.key, strict=True))
    return pd.DataFrame(rows).assign(**known, **cohort.cell)


def _searched_slices(cohort: Cohort) -> Iterator[tuple[str, dict[str, bool]]]:
    drawn = lung_slices(cohort.scenario, cohort.n_true, seed=cohort.seed, **cohort.cell)
    for method in ("deep", "linear"):
        fitter = fitter_of(method, drawn, seed=cohort.seed, **cohort.training)
        yield method, what_was_found(fitter, drawn, k_max=cohort.k_max, seed=cohort.seed)


def _searched_features(cohort: Cohort) -> Iterator[tuple[str, dict[str, bool]]]:
    shares = [1 / cohort.n_true for _ in range(cohort.n_true)]
    drawn, _ = cluster_features(shares, seed=cohort.seed, **OF_FEATURES | cohort.cell)
    yield FEATURES, what_features_show(drawn, cohort.n_true, k_max=cohort.k_max, seed=cohort.seed)


def _rows_of(cohorts: list[Cohort], table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of these cohorts in their order, with the values as they were asked for."""
    known = dict(list(table.groupby(COHORT)))
    columns = ["scenario", "n_true", *cohorts[0].cell, "seed", "method", "target", "found"]
    return pd.concat(
        [known[cohort.key].assign(**cohort.cell) for cohort in cohorts], ignore_index=True
    )[[*columns, "settings"]]
