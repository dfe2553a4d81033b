"""The paper's simulation study (section 4), with baselines beside it."""

import dataclasses
import os
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_score

from clamlab.evaluation import adjusted_rand, clustering_accuracy
from clamlab.experiments.methods import HELD_OUT, METHODS, PATIENCE, fitter_of
from clamlab.experiments.resuming import (
    once_each,
    results_of,
    settings_text,
    store_table,
    stored_table,
)
from clamlab.selection.choice import every_pick
from clamlab.simulate import lung_slices

PAPER_SCENARIOS = tuple((name, k) for name in ("intensity", "location", "size") for k in (3, 4, 5))
PRETRAIN_EPOCHS, CLUSTER_EPOCHS = 60, 10
K_MAX = 8
RUN = ["method", "scenario", "n_true", "seed", "settings"]


@dataclasses.dataclass(frozen=True)
class Run:
    """One cohort given to one method, and the numbers of clusters still to be fitted."""

    method: str
    scenario: str
    n_true: int
    seed: int
    n_scans: int
    slices: dict
    training: dict
    n_gap: int
    fitted: tuple[int, ...]

    @property
    def settings(self) -> str:
        """Everything else that would change the rows, in words that a CSV can hold."""
        told = {"n_scans": self.n_scans, **dict(sorted(self.slices.items()))}
        if self.method == "deep":
            told |= self.training | {"held_out": HELD_OUT, "patience": PATIENCE}
        return settings_text(told | {"n_gap": self.n_gap})

    @property
    def key(self) -> tuple:
        """What tells this run from all others."""
        return self.method, self.scenario, self.n_true, self.seed, self.settings


def simulation_study(
    scenarios: Iterable[tuple[str, int]],
    seeds: Iterable[int],
    *,
    fitted: Sequence[int] | None = tuple(range(2, 9)),
    methods: Sequence[str] = METHODS,
    n_scans: int = 300,
    slices: dict | None = None,
    channels: Sequence[int] = (32, 64, 128),
    pretrain_epochs: int = PRETRAIN_EPOCHS,
    cluster_epochs: int = CLUSTER_EPOCHS,
    n_gap: int = 20,
    n_jobs: int = 1,
    path: str | os.PathLike | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Learn how often known clusters, and their number, are found.

    Each cohort is drawn anew; the autoencoder is pre-trained once for all fitted K. The number
    of clusters is chosen on the features before clustering.

    Parameters
    ----------
    scenarios : iterable of (name, true number of clusters)
        As `lung_slices` takes them; `PAPER_SCENARIOS` are the paper's nine. Of cohorts without
        clusters only the number is asked.
    seeds : iterable of int
        One cohort and one training each.
    fitted : sequence of int, optional
        Numbers of clusters to fit; None fits the true one alone.
    methods : sequence of {"deep", "linear", "texture"}
        The paper's method; k-means on principal components of the pixels; k-means on
        first-order and co-occurrence texture.
    n_scans : int
    slices : dict, optional
        More keywords of `lung_slices`: anatomy, noise_sd, contrast_hu, radius_px, jitter_px.
    channels, pretrain_epochs, cluster_epochs
        Width and length of the training, at most. Pre-training stops when a held-out tenth of the
        scans is no longer drawn better: the paper's 200 epochs memorise the noise. The clusters
        stand long before the paper's 500 epochs.
    n_gap : int
        Reference data sets of the Gap statistic.
    n_jobs : int
        Runs at a time, each in a process of its own.
    path : path, optional
        CSV that is written after every run; an interrupted study goes on where it was, and more
        K are added to the runs that are there. Rows of other settings in the same file are kept
        and not returned. The features of the deep runs before clustering are kept beside it, in a
        folder of the same name, for other rules to be tried on.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row per method, scenario, true K, seed and fitted K: accuracy (after matching), ari,
        n_empty (clusters without scans), silhouette_after (of the features that the fit left),
        seconds (of the fit), pick_* (K by each criterion before clustering, the same for every
        fitted K of a run), settings. A cohort without clusters has one row, with no fit.

    Raises
    ------
    ValueError
        For an unknown method, or a scenario or a seed that is there twice.

    Examples
    --------
    >>> table = simulation_study(
    ...     [("location", 2)], [1000], fitted=[2], methods=["linear"], n_scans=20, n_gap=2,
    ...     progress=False,
    ... )
    >>> float(table["accuracy"].iloc[0])
    1.0
    """
    unknown = set(methods) - set(METHODS)
    if unknown:
        raise ValueError(f"methods must be among {METHODS}; found {sorted(unknown)}")
    training = {
        "channels": tuple(channels),
        "pretrain_epochs": pretrain_epochs,
        "cluster_epochs": cluster_epochs,
    }
    scenarios, seeds = once_each("scenario", scenarios), once_each("seed", seeds)
    runs = [
        Run(method, name, k, seed, n_scans, slices or {}, training, n_gap, _wanted(fitted, k))
        for seed in seeds
        for name, k in scenarios
        for method in methods
    ]
    table = stored_table(path)
    if len(table):
        table["n_fitted"] = table["n_fitted"].astype("Int64")
    todo = [left for run in runs if (left := _left(run, table)) is not None]
    done = len(runs) - len(todo)
    for run, rows, features in results_of(
        run_rows, todo, n_jobs=n_jobs, n_done=done, title="runs", progress=progress
    ):
        table = pd.concat([table, rows], ignore_index=True) if len(table) else rows
        store_table(table.sort_values([*RUN, "n_fitted"]), path)
        _keep_features(run, features, path)
    fits = {(*run.key, k) for run in runs for k in run.fitted or (0,)}
    wanted = table[[*RUN, "n_fitted"]].fillna({"n_fitted": 0}).apply(tuple, axis=1).isin(fits)
    return table[wanted].sort_values([*RUN, "n_fitted"], ignore_index=True)


def run_rows(run: Run) -> tuple[Run, pd.DataFrame, np.ndarray]:
    """Draw one cohort, and give a row for every K that is fitted to it, and the features."""
    cohort = lung_slices(run.scenario, run.n_true, n_scans=run.n_scans, seed=run.seed, **run.slices)
    fitter = fitter_of(run.method, cohort, seed=run.seed, **run.training)
    features = fitter.features
    k_max = min(K_MAX, (len(features) - 1) // 2)
    found = every_pick(features, seed=run.seed, k_max=k_max, n_gap=run.n_gap)
    picks = {f"pick_{name}": k for name, k in found.items()}
    rows = pd.DataFrame([_fit(fitter, cohort.labels, k) for k in run.fitted or (None,)])
    named = pd.DataFrame([run.key[:4]] * len(rows), columns=RUN[:4])
    rows = rows.astype({"n_fitted": "Int64"}).round(4)
    return run, named.join(rows.assign(**picks, settings=run.settings)), features


def _fit(fitter, truth, n_clusters: int | None) -> dict:
    if n_clusters is None:
        return dict.fromkeys(
            ["n_fitted", "accuracy", "ari", "n_empty", "silhouette_after", "seconds"], np.nan
        )
    started = time.perf_counter()
    labels, features = fitter.cluster(n_clusters)
    seconds = time.perf_counter() - started
    n_found = len(np.unique(labels))
    return {
        "n_fitted": n_clusters,
        "accuracy": clustering_accuracy(truth, labels),
        "ari": adjusted_rand(truth, labels),
        "n_empty": n_clusters - n_found,
        "silhouette_after": silhouette_score(features, labels) if n_found > 1 else np.nan,
        "seconds": round(seconds, 1),
    }


def _wanted(fitted: Sequence[int] | None, n_true: int) -> tuple[int, ...]:
    if n_true == 1:
        return ()
    return (n_true,) if fitted is None else tuple(fitted)


def _left(run: Run, table: pd.DataFrame) -> Run | None:
    """Tell what of a run is not in the table yet."""
    if table.empty:
        return run
    rows = table[(table[RUN].apply(tuple, axis=1) == run.key)]
    fitted = tuple(k for k in run.fitted if k not in set(rows["n_fitted"]))
    return dataclasses.replace(run, fitted=fitted) if fitted or rows.empty else None


def features_file(path, scenario: str, n_true: int, seed: int, settings: str) -> Path:
    """Give the place where a deep run's features before clustering are kept."""
    tag = zlib.crc32(settings.encode())
    return Path(path).with_suffix("") / f"{scenario}_{n_true}_{seed}_{tag:08x}.npy"


def _keep_features(run: Run, features: np.ndarray, path) -> None:
    if path is None or run.method != "deep":
        return
    kept = features_file(path, *run.key[1:])
    kept.parent.mkdir(exist_ok=True)
    np.save(kept, features)
