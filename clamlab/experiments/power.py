"""How many scans, and how strong a lesion, it takes to find clusters, their number and site."""

import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from tqdm.auto import tqdm

from clamlab.contrast import contrast_map
from clamlab.evaluation import clustering_accuracy, localization
from clamlab.experiments.methods import Baseline, fitter_of
from clamlab.selection import recommended_n_clusters
from clamlab.simulate import lung_slices

FOUND_ACCURACY = 0.95
SITE_PX = 6
EXPLAINED_SCANS = 5


def power(
    scenario: str,
    n_clusters: int,
    grid: Mapping[str, Sequence],
    *,
    seeds: Iterable[int],
    channels: Sequence[int] = (32, 64, 128),
    pretrain_epochs: int = 200,
    cluster_epochs: int = 500,
    k_max: int = 8,
    progress: bool = True,
) -> pd.DataFrame:
    """Plan a study: learn how often a cohort like this would show its clusters.

    Parameters
    ----------
    scenario, n_clusters
        What tells the clusters apart, and their true number, as `lung_slices` takes them.
    grid : mapping of `lung_slices` keywords to values
        Every combination is tried, such as ``{"n_scans": [50, 300], "contrast_hu": [50, 200]}``;
        also noise_sd, jitter_px, anatomy.
    seeds : iterable of int
        Cohorts drawn for each combination.
    channels, pretrain_epochs, cluster_epochs
        Width and length of the training.
    k_max : int
        Largest number of clusters considered (less in cohorts of few scans).
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row per combination, method ("deep", "linear") and target: share found, low and high
        (95 % Wilson limits), n_runs. Targets: "clusters" (at the true K, at least 95 % of scans
        right), "number" (the recommended K is the true one), "site" (the map of every cluster
        with a lesion peaks within 6 px of its centre, at the true K: contrast maps for deep,
        difference of means for linear).

    Raises
    ------
    ValueError
        If there is no seed or no combination.

    Examples
    --------
    >>> table = power(
    ...     "location", 2, {"n_scans": [20]}, seeds=[1000], channels=(2, 2, 4),
    ...     pretrain_epochs=1, cluster_epochs=1, k_max=3, progress=False,
    ... )
    >>> table[["method", "target"]].to_numpy().tolist()[:3]
    [['deep', 'clusters'], ['deep', 'number'], ['deep', 'site']]
    """
    seeds = list(seeds)
    cells = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    if not seeds or not cells:
        raise ValueError("power needs at least one seed and one value for every grid keyword")
    training = {
        "channels": channels,
        "pretrain_epochs": pretrain_epochs,
        "cluster_epochs": cluster_epochs,
    }
    rows = []
    for cell, seed in tqdm(
        list(itertools.product(cells, seeds)), desc="cohorts", disable=not progress
    ):
        cohort = lung_slices(scenario, n_clusters, seed=seed, **cell)
        for method in ("deep", "linear"):
            fitter = fitter_of(method, cohort, seed=seed, **training)
            found = _found(fitter, cohort, n_clusters, k_max, seed)
            rows += [
                {**cell, "method": method, "target": target, "found": hit}
                for target, hit in found.items()
            ]
    cases = pd.DataFrame(rows).groupby([*grid, "method", "target"], sort=False, dropna=False)
    found = cases["found"].agg(share="mean", found="sum", n_runs="count")
    limits = [
        binomtest(int(hits), int(n)).proportion_ci(method="wilson")
        for hits, n in zip(found.pop("found"), found["n_runs"], strict=True)
    ]
    return found.assign(
        low=[limit.low for limit in limits], high=[limit.high for limit in limits]
    ).reset_index()


def _found(fitter, cohort, n_clusters: int, k_max: int, seed: int) -> dict[str, bool]:
    labels, _ = fitter.cluster(n_clusters)
    k_max = min(k_max, (len(labels) - 1) // 2)
    number, _ = recommended_n_clusters(fitter.features, seed=seed, k_max=k_max)
    return {
        "clusters": clustering_accuracy(cohort.labels, labels) >= FOUND_ACCURACY,
        "number": number == n_clusters,
        "site": _site_found(fitter, cohort, labels),
    }


def _site_found(fitter, cohort, labels) -> bool:
    """Whether every cluster's map peaks at a lesion that most of its scans have."""
    for k in np.unique(labels):
        lesion = cohort.lesion_masks[labels == k].mean(0) > 0.5
        if not lesion.any():
            continue
        seen = _cluster_map(fitter, cohort, labels, k)
        distance = localization(seen, lesion, cohort.lung_mask)["peak_distance_mm"].iloc[0]
        if not distance <= SITE_PX:
            return False
    return len(np.unique(labels)) > 1


def _cluster_map(fitter, cohort, labels, k: int) -> np.ndarray:
    if isinstance(fitter, Baseline):
        own = cohort.images[labels == k].mean(0)
        return np.abs(own - cohort.images[labels != k].mean(0))
    some = np.flatnonzero(labels == k)[:EXPLAINED_SCANS]
    with warnings.catch_warnings():
        # A map without evidence is a site that was not found: it counts below.
        warnings.simplefilter("ignore", UserWarning)
        maps = contrast_map(
            fitter.model,
            fitter.images[some],
            mask=cohort.lung_mask,
            clusters=labels[some],
            rivals=np.unique(labels).tolist(),
        )
    return maps[:, k].mean(0)
