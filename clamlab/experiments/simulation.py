"""The paper's simulation study (section 4), with baselines beside it."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from clamlab.evaluation import adjusted_rand, clustering_accuracy
from clamlab.experiments.methods import Baseline, Deep, linear_features, texture_features
from clamlab.selection import choose_n_clusters
from clamlab.simulate import lung_slices

PAPER_SCENARIOS = tuple((name, k) for name in ("intensity", "location", "size") for k in (3, 4, 5))
METHODS = ("deep", "linear", "texture")
KEY = ["method", "scenario", "n_true", "seed", "settings"]


def simulation_study(
    scenarios: Iterable[tuple[str, int]],
    seeds: Iterable[int],
    *,
    fitted: Sequence[int] = tuple(range(2, 9)),
    methods: Sequence[str] = METHODS,
    n_scans: int = 300,
    slices: dict | None = None,
    channels: Sequence[int] = (32, 64, 128),
    pretrain_epochs: int = 200,
    cluster_epochs: int = 500,
    n_gap: int = 20,
    path: str | os.PathLike | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Learn how often known clusters, and their number, are found.

    Each cohort is drawn anew; the autoencoder is pre-trained once for all fitted K. The number
    of clusters is chosen on the features before clustering.

    Parameters
    ----------
    scenarios : iterable of (name, true number of clusters)
        As `lung_slices` takes them; `PAPER_SCENARIOS` are the paper's nine.
    seeds : iterable of int
        One cohort and one training each.
    fitted : sequence of int
        Numbers of clusters to fit.
    methods : sequence of {"deep", "linear", "texture"}
        The paper's method; k-means on principal components of the pixels; k-means on
        first-order and co-occurrence texture.
    n_scans : int
    slices : dict, optional
        More keywords of `lung_slices`: anatomy, noise_sd, contrast_hu, jitter_px.
    channels, pretrain_epochs, cluster_epochs
        Width and length of the training; the paper's by default.
    n_gap : int
        Reference data sets of the Gap statistic.
    path : path, optional
        CSV that is written after every run; an interrupted study goes on where it was. Runs
        with other settings in the same file are kept and not returned.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row per method, scenario, true K, seed and fitted K: accuracy (after matching),
        ari, n_empty (clusters without scans), pick_* (K by each criterion, the same for every
        fitted K of a run), seconds (of the fit), settings.

    Raises
    ------
    ValueError
        For an unknown method.

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
    slices = slices or {}
    settings = {
        method: _settings(n_scans, slices, fitted, n_gap)
        + (f" channels={tuple(channels)} epochs={pretrain_epochs}+{cluster_epochs}")
        * (method == "deep")
        for method in methods
    }
    runs = [
        (method, scenario, n_true, seed, settings[method])
        for scenario, n_true in scenarios
        for seed in seeds
        for method in methods
    ]
    table = _stored(path)
    done = set(map(tuple, table[KEY].to_numpy().tolist())) if len(table) else set()
    for run in tqdm(runs, desc="runs", disable=not progress):
        if run in done:
            continue
        method, scenario, n_true, seed, _ = run
        cohort = lung_slices(scenario, n_true, n_scans=n_scans, seed=seed, **slices)
        fitter = _fitter(method, cohort, channels, pretrain_epochs, cluster_epochs, seed)
        rows = _rows(fitter, cohort.labels, fitted, n_gap, seed)
        new = pd.DataFrame(rows).assign(**dict(zip(KEY, run, strict=True)))
        table = pd.concat([table, new], ignore_index=True) if len(table) else new
        _store(table, path)
    wanted = table[list(KEY)].apply(tuple, axis=1).isin(runs)
    front = [*KEY[:4], "n_fitted"]
    columns = [*front, *(c for c in table if c not in [*front, "settings"]), "settings"]
    return table.loc[wanted, columns].reset_index(drop=True)


def _settings(n_scans: int, slices: dict, fitted, n_gap: int) -> str:
    """Everything that would change a run's rows, in words that a CSV can hold."""
    more = "".join(f" {name}={slices[name]}" for name in sorted(slices))
    return f"n_scans={n_scans} fitted={list(fitted)} n_gap={n_gap}{more}"


def _fitter(method: str, cohort, channels, pretrain_epochs, cluster_epochs, seed: int):
    if method == "deep":
        return Deep(
            cohort,
            channels=channels,
            pretrain_epochs=pretrain_epochs,
            cluster_epochs=cluster_epochs,
            seed=seed,
        )
    features = {"linear": linear_features, "texture": texture_features}[method]
    return Baseline(features(cohort.images, cohort.lung_mask), seed=seed)


def _rows(fitter, truth, fitted, n_gap: int, seed: int) -> list[dict]:
    k_max = min(max(*fitted, 2), (len(truth) - 1) // 2)
    _, choice = choose_n_clusters(fitter.features, seed=seed, k_max=k_max, n_gap=n_gap)
    picks = {f"pick_{name}": k for name, k in choice["picks"].items()}
    rows = []
    for k in fitted:
        started = time.perf_counter()
        labels = fitter.cluster(k)
        rows.append(
            {
                "n_fitted": k,
                "accuracy": clustering_accuracy(truth, labels),
                "ari": adjusted_rand(truth, labels),
                "n_empty": k - len(np.unique(labels)),
                "seconds": time.perf_counter() - started,
                **picks,
            }
        )
    return rows


def _stored(path) -> pd.DataFrame:
    if path is None or not Path(path).exists():
        return pd.DataFrame()
    return pd.read_csv(path)


def _store(table: pd.DataFrame, path) -> None:
    if path is None:
        return
    # Whole or not at all: an interrupted write must not eat the runs before it.
    part = Path(path).with_suffix(".part")
    table.to_csv(part, index=False)
    part.replace(path)
