"""The paper's claims about assignments and features, each held against our own numbers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from clamlab.experiments.explained import ExplainedRun
from clamlab.experiments.picks import best_after
from clamlab.selection.criteria import kmeans, separation

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
    return table_of(_assignment_rows(deep))


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
        agrees(as_asked == len(fitted), as_asked > 1),
        "a short clustering phase moves the scans little: groups that are there stay",
    )
    return table_of([row])


def _list(numbers) -> str:
    return ", ".join(map(str, numbers))


def _groups(features: np.ndarray, numbers) -> int:
    scores = {k: separation(features, kmeans(features, k, seed=0).labels_)[0] for k in numbers}
    return max(scores, key=lambda k: scores[k])


def table_of(rows) -> pd.DataFrame:
    """Make a table of claims; what agrees needs no reason."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(why=table["why"].where(table["agrees"] != "yes", ""))


def _assignment_rows(deep: pd.DataFrame) -> Iterator[tuple]:
    at_truth = deep[deep["n_fitted"] == deep["n_true"]]
    exact, n = int((at_truth["accuracy"] == 1).sum()), len(at_truth)
    yield (
        "every scan is assigned rightly at the true K",
        "9/9",
        f"{exact}/{n}",
        agrees(exact == n, at_truth["accuracy"].mean() > 0.99),
        f"accuracy {at_truth['accuracy'].min():.4f} or more, mean "
        f"{at_truth['accuracy'].mean():.4f}: a few scans lie between two clusters",
    )
    right = int((at_truth["pick_silhouette"] == at_truth["n_true"]).sum())
    yield (
        "the silhouette before clustering finds K in most scenarios",
        "7/9",
        f"{right}/{n}",
        agrees(right / n >= 7 / 9, right / n > 0.5),
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
        agrees(right / len(best) <= 0.5),
        "clustering began at centroids so well apart that the features kept their true groups",
    )
    # Location is left out, as the paper speaks of size and intensity.
    more = wrong[wrong["scenario"] != "location"]
    empty = int((more["n_empty"] > 0).sum())
    yield (
        "fitted with too large a K, the extra clusters stay empty (size, intensity)",
        "interestingly so",
        f"{empty}/{len(more)} fits",
        agrees(empty == len(more), empty > 0),
        "k-means starts every cluster in the midst of scans, and few epochs empty none",
    )


def agrees(fully: bool, partly: bool = False) -> str:
    """Say how far a claim comes true."""
    return "yes" if fully else "partly" if partly else "no"
