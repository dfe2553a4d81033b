"""The paper's claims about its maps, each held against our own numbers."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.stats import kruskal

from clamlab.evaluation import localization
from clamlab.experiments.areas import area_by_threshold
from clamlab.experiments.claims import agrees, table_of
from clamlab.experiments.explained import ExplainedRun

NEAR_HALF = (0.4, 0.6)
NEAR_ONE = 0.9
NEAR_PX = 2.0
ALPHA = 0.001
DIFFERS = 0.05


def map_claims(runs: Mapping[str, ExplainedRun]) -> pd.DataFrame:
    """See which of the paper's claims about its maps come true here.

    Parameters
    ----------
    runs : mapping of str to ExplainedRun
        By scenario: any of "intensity", "location" and "size", as `explain_scenario` gives them;
        the paper's own have five clusters.

    Returns
    -------
    DataFrame
        As of `assignment_claims`. A focus is a connected part of the lung above half the map's
        maximum. Tests compare the clusters that were simulated, not those found, so that their p
        is legitimate.

    References
    ----------
    Ryan et al., section 4.2, figures 4 and 5.

    Examples
    --------
    >>> from clamlab.experiments import explain_scenario
    >>> run = explain_scenario(
    ...     "intensity", 2, seed=1000, n_scans=10, channels=(2, 2, 4), pretrain_epochs=1,
    ...     cluster_epochs=1, progress=False,
    ... )
    >>> list(map_claims({"intensity": run}).columns)
    ['claim', 'paper', 'ours', 'agrees', 'why']
    """
    about = {"intensity": _intensity_rows, "location": _location_rows, "size": _size_rows}
    return table_of(row for name, rows in about.items() if name in runs for row in rows(runs[name]))


def _intensity_rows(run: ExplainedRun) -> Iterator[tuple]:
    averages, lung = run.averages, run.cohort.lung_mask
    lesion = run.cohort.lesion_masks.any(axis=0)
    inside, outside = averages["Overall"][lesion].mean(), averages["Overall"][lung & ~lesion].mean()
    yield (
        "intensity, all scans: importance everywhere, most at the lesion",
        "higher there",
        f"{inside:.2f} at the lesion, {outside:.2f} elsewhere",
        agrees(inside > outside),
        "where the anatomy itself activates the network, it outshines the lesion",
    )
    mean = averages["Cluster 1"][lung].mean()
    yield (
        "intensity, cluster 1 (no lesion): the whole lung is highlighted",
        "mean near .5",
        f"mean {mean:.2f}, {_count(_foci(averages['Cluster 1'], lung), 'focus')}",
        agrees(NEAR_HALF[0] <= mean <= NEAR_HALF[1], mean >= 0.25),
        "vessels and hilum activate the network more than the noise does; each map is scaled "
        "to its own maximum",
    )
    last = f"Cluster {len(run.examples)}"
    foci, top = _foci(averages[last], lung), averages[last][lung].max()
    distance = _peak_distances(run)[last]
    yield (
        f"intensity, {last.lower()} (brightest): one focus, maximum 1",
        "1 focus, 1",
        f"{_count(foci, 'focus')}, {top:.2f}, {distance:.1f} px from the lesion",
        agrees(foci == 1 and top >= NEAR_ONE and distance <= NEAR_PX, distance <= NEAR_PX),
        "anatomy activates the network beside the lesion",
    )


def _location_rows(run: ExplainedRun) -> Iterator[tuple]:
    averages, lung = run.averages, run.cohort.lung_mask
    foci = _foci(averages["Overall"], lung)
    yield (
        "location, all scans: as many foci as places",
        str(len(run.examples)),
        str(foci),
        agrees(foci == len(run.examples), foci > 1),
        "some places are averaged to less than half of the brightest",
    )
    distances = _peak_distances(run)
    single = [_foci(averages[name], lung) == 1 and d <= NEAR_PX for name, d in distances.items()]
    yield (
        f"location: one focus per cluster, within {NEAR_PX:.0f} px of its lesion",
        f"{len(single)}/{len(single)}",
        f"{sum(single)}/{len(single)}, peaks at most {max(distances.values()):.1f} px away",
        agrees(all(single), any(single)),
        "foci on the hilum and its vessels, which every cluster shares",
    )
    areas = _areas(run)
    yield (
        "location: the activated area differs between clusters, though no size does",
        "p < .001",
        "; ".join(f"above {row.threshold}: {_p(row.p)}" for row in areas.itertuples()),
        agrees((areas["p"] < ALPHA).all(), (areas["p"] < ALPHA).any()),
        "the area depends on the threshold, which the paper does not give",
    )
    images, labels = run.cohort.images[:, lung], run.cohort.labels
    p = kruskal(*(images[labels == k].mean(1) for k in np.unique(labels))).pvalue
    yield (
        "location: the mean HU of the lung does not differ",
        "p = .605",
        _p(p),
        agrees(p > DIFFERS),
        "one cohort in twenty shows a difference by chance",
    )


def _size_rows(run: ExplainedRun) -> Iterator[tuple]:
    foci = _foci(run.averages["Overall"], run.cohort.lung_mask)
    yield (
        "size, all scans: the one region of interest",
        "1 focus",
        _count(foci, "focus"),
        agrees(foci == 1),
        "where the lesion is small, other parts of the lung reach the same importance",
    )
    near = [d <= NEAR_PX for d in _peak_distances(run).values()]
    yield (
        "size: the same region in every cluster's map",
        f"{len(near)}/{len(near)}",
        f"{sum(near)}/{len(near)} peak within {NEAR_PX:.0f} px of the lesion",
        agrees(all(near), any(near)),
        "the smallest lesions stand out no more than noise and anatomy do",
    )
    areas = _areas(run)
    grows = (areas["rho"] > 0) & (areas["p"] < ALPHA)
    yield (
        "size: the activated area grows with the lesion",
        "p < .001",
        "; ".join(f"above {row.threshold}: rho {row.rho:+.2f}" for row in areas.itertuples()),
        agrees(grows.all(), grows.any()),
        "a map is scaled to its own maximum, so that the direction depends on the threshold",
    )


def _foci(importance: np.ndarray, lung: np.ndarray) -> int:
    shown = np.where(lung, importance, 0)
    return int(ndimage.label(shown > shown.max() / 2)[1])


def _peak_distances(run: ExplainedRun) -> dict[str, float]:
    """How far from its lesion each cluster's average map has its maximum, in pixels."""
    averages, distances = run.averages, {}
    for name, scan in run.examples.items():
        lesion = run.cohort.lesion_masks[scan]
        if lesion.any():
            found = localization(averages[name][None], lesion[None], run.cohort.lung_mask)
            distances[name] = float(found["peak_distance_mm"].iloc[0])  # a pixel counts as 1 mm
    return distances


def _areas(run: ExplainedRun) -> pd.DataFrame:
    areas = area_by_threshold(run.importance, run.cohort.labels, run.cohort.lung_mask)
    return areas.drop_duplicates("threshold")


def _count(n: int, what: str) -> str:
    return f"{n} {what if n == 1 else 'foci'}"


def _p(p: float) -> str:
    return "p < .001" if p < ALPHA else f"p = {p:.3f}".replace("0.", ".")
