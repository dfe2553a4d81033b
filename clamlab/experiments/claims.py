"""The paper's claims about its simulation, each held against our own numbers."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.stats import kruskal

from clamlab.evaluation import localization
from clamlab.experiments.areas import area_by_threshold
from clamlab.experiments.explained import ExplainedRun
from clamlab.experiments.picks import best_after
from clamlab.selection.criteria import kmeans, separation

NEAR_HALF = (0.4, 0.6)
NEAR_ONE = 0.9
NEAR_PX = 2.0
ALPHA = 0.001
DIFFERS = 0.05
COLUMNS = ["claim", "paper", "ours", "agrees", "why"]


def assignment_claims(results: pd.DataFrame) -> pd.DataFrame:
    """See which of the paper's claims about assignments and their number come true here.

    Parameters
    ----------
    results : DataFrame
        As `simulation_study` gives it. Claims about fitted numbers of clusters other than the
        true one are left out if no such were fitted.

    Returns
    -------
    DataFrame
        One row per claim: claim, paper (its number), ours, agrees ("yes", "no" or "partly"), why
        (what stands behind a difference; empty if there is none).

    References
    ----------
    Ryan et al., section 4.2.

    Examples
    --------
    >>> results = pd.DataFrame({
    ...     "method": "deep", "scenario": "size", "n_true": 3, "seed": 1, "n_fitted": [3],
    ...     "accuracy": [1.0], "n_empty": [0], "silhouette_after": [0.9], "pick_silhouette": [2],
    ... })
    >>> assignment_claims(results)[["paper", "ours", "agrees"]]
      paper ours agrees
    0   9/9  1/1    yes
    1   7/9  0/1     no
    """
    deep = results[(results["method"] == "deep") & (results["n_true"] > 1)]
    return _table(_assignment_rows(deep))


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
    return _table(row for name, rows in about.items() if name in runs for row in rows(runs[name]))


def latent_claims(run: ExplainedRun) -> pd.DataFrame:
    """See whether features become as many groups as were asked for, whatever the truth.

    Parameters
    ----------
    run : ExplainedRun
        For which several numbers of clusters were fitted.

    Returns
    -------
    DataFrame
        As of `assignment_claims`. Features form as many groups as k-means on them has the largest
        average silhouette with, of two or more.

    References
    ----------
    Ryan et al., section 4.2, figure 3.

    Examples
    --------
    >>> from clamlab.experiments import explain_scenario
    >>> run = explain_scenario(
    ...     "intensity", 2, seed=1000, fitted=[2, 3], n_scans=20, channels=(2, 2, 4),
    ...     pretrain_epochs=1, cluster_epochs=1, progress=False,
    ... )
    >>> latent_claims(run)["paper"].item()
    '2/2'
    """
    fitted = sorted(run.features_after)
    formed = [_groups(run.features_after[k], range(2, max(fitted) + 1)) for k in fitted]
    as_asked = sum(groups == k for groups, k in zip(formed, fitted, strict=True))
    row = (
        "after clustering, features form as many groups as were asked for",
        f"{len(fitted)}/{len(fitted)}",
        f"{as_asked}/{len(fitted)}: {_list(formed)} for K = {_list(fitted)}",
        _agrees(as_asked == len(fitted), as_asked > 1),
        "a short clustering phase moves the scans little: groups that are there stay",
    )
    return _table([row])


def _list(numbers) -> str:
    return ", ".join(map(str, numbers))


def _groups(features: np.ndarray, numbers) -> int:
    scores = {k: separation(features, kmeans(features, k, seed=0).labels_)[0] for k in numbers}
    return max(scores, key=lambda k: scores[k])


def _table(rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(why=table["why"].where(table["agrees"] != "yes", ""))


def _assignment_rows(deep: pd.DataFrame) -> Iterator[tuple]:
    at_truth = deep[deep["n_fitted"] == deep["n_true"]]
    exact, n = int((at_truth["accuracy"] == 1).sum()), len(at_truth)
    yield (
        "every scan is assigned rightly at the true K",
        "9/9",
        f"{exact}/{n}",
        _agrees(exact == n, at_truth["accuracy"].mean() > 0.99),
        f"accuracy {at_truth['accuracy'].min():.4f} or more, mean "
        f"{at_truth['accuracy'].mean():.4f}: a few scans lie between two clusters",
    )
    right = int((at_truth["pick_silhouette"] == at_truth["n_true"]).sum())
    yield (
        "the silhouette before clustering finds K in most scenarios",
        "7/9",
        f"{right}/{n}",
        _agrees(right / n >= 7 / 9, right / n > 0.5),
        "the silhouette sinks, and its choice changes, with the length of pre-training",
    )
    wrong = deep[deep["n_fitted"] > deep["n_true"]]
    if wrong.empty:
        return
    best = best_after(deep, ["scenario", "n_true", "seed"])
    right = int((best["n_fitted"] == best["n_true"]).sum())
    yield (
        "the silhouette after clustering finds K in few scenarios only",
        "3/9",
        f"{right}/{len(best)}",
        _agrees(right / len(best) <= 0.5),
        "clustering began at centroids so well apart that the features kept their true groups",
    )
    # Location is left out, as the paper speaks of size and intensity.
    more = wrong[wrong["scenario"] != "location"]
    empty = int((more["n_empty"] > 0).sum())
    yield (
        "fitted with too large a K, the extra clusters stay empty (size, intensity)",
        "interestingly so",
        f"{empty}/{len(more)} fits",
        _agrees(empty == len(more), empty > 0),
        "k-means starts every cluster in the midst of scans, and few epochs empty none",
    )


def _intensity_rows(run: ExplainedRun) -> Iterator[tuple]:
    averages, lung = run.averages, run.cohort.lung_mask
    lesion = run.cohort.lesion_masks.any(axis=0)
    inside, outside = averages["Overall"][lesion].mean(), averages["Overall"][lung & ~lesion].mean()
    yield (
        "intensity, all scans: importance everywhere, most at the lesion",
        "higher there",
        f"{inside:.2f} at the lesion, {outside:.2f} elsewhere",
        _agrees(inside > outside),
        "where the anatomy itself activates the network, it outshines the lesion",
    )
    mean = averages["Cluster 1"][lung].mean()
    yield (
        "intensity, cluster 1 (no lesion): the whole lung is highlighted",
        "mean near .5",
        f"mean {mean:.2f}, {_count(_foci(averages['Cluster 1'], lung), 'focus')}",
        _agrees(NEAR_HALF[0] <= mean <= NEAR_HALF[1], mean >= 0.25),
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
        _agrees(foci == 1 and top >= NEAR_ONE and distance <= NEAR_PX, distance <= NEAR_PX),
        "anatomy activates the network beside the lesion",
    )


def _location_rows(run: ExplainedRun) -> Iterator[tuple]:
    averages, lung = run.averages, run.cohort.lung_mask
    foci = _foci(averages["Overall"], lung)
    yield (
        "location, all scans: as many foci as places",
        str(len(run.examples)),
        str(foci),
        _agrees(foci == len(run.examples), foci > 1),
        "some places are averaged to less than half of the brightest",
    )
    distances = _peak_distances(run)
    single = [_foci(averages[name], lung) == 1 and d <= NEAR_PX for name, d in distances.items()]
    yield (
        f"location: one focus per cluster, within {NEAR_PX:.0f} px of its lesion",
        f"{len(single)}/{len(single)}",
        f"{sum(single)}/{len(single)}, peaks at most {max(distances.values()):.1f} px away",
        _agrees(all(single), any(single)),
        "foci on the hilum and its vessels, which every cluster shares",
    )
    areas = _areas(run)
    yield (
        "location: the activated area differs between clusters, though no size does",
        "p < .001",
        "; ".join(f"above {row.threshold}: {_p(row.p)}" for row in areas.itertuples()),
        _agrees((areas["p"] < ALPHA).all(), (areas["p"] < ALPHA).any()),
        "the area depends on the threshold, which the paper does not give",
    )
    images, labels = run.cohort.images[:, lung], run.cohort.labels
    p = kruskal(*(images[labels == k].mean(1) for k in np.unique(labels))).pvalue
    yield (
        "location: the mean HU of the lung does not differ",
        "p = .605",
        _p(p),
        _agrees(p > DIFFERS),
        "one cohort in twenty shows a difference by chance",
    )


def _size_rows(run: ExplainedRun) -> Iterator[tuple]:
    foci = _foci(run.averages["Overall"], run.cohort.lung_mask)
    yield (
        "size, all scans: the one region of interest",
        "1 focus",
        _count(foci, "focus"),
        _agrees(foci == 1),
        "where the lesion is small, other parts of the lung reach the same importance",
    )
    near = [d <= NEAR_PX for d in _peak_distances(run).values()]
    yield (
        "size: the same region in every cluster's map",
        f"{len(near)}/{len(near)}",
        f"{sum(near)}/{len(near)} peak within {NEAR_PX:.0f} px of the lesion",
        _agrees(all(near), any(near)),
        "the smallest lesions stand out no more than noise and anatomy do",
    )
    areas = _areas(run)
    grows = (areas["rho"] > 0) & (areas["p"] < ALPHA)
    yield (
        "size: the activated area grows with the lesion",
        "p < .001",
        "; ".join(f"above {row.threshold}: rho {row.rho:+.2f}" for row in areas.itertuples()),
        _agrees(grows.all(), grows.any()),
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


def _agrees(fully: bool, partly: bool = False) -> str:
    return "yes" if fully else "partly" if partly else "no"


def _count(n: int, what: str) -> str:
    return f"{n} {what if n == 1 else 'foci'}"


def _p(p: float) -> str:
    return "p < .001" if p < ALPHA else f"p = {p:.3f}".replace("0.", ".")
