"""See whether a whole new training finds the same clusters."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from clamlab.evaluation import adjusted_rand, match_clusters

BORDERLINE = 0.8


@dataclass(frozen=True)
class RetrainingStability:
    """Agreement between runs.

    Attributes
    ----------
    pairs : DataFrame
        One row per pair of runs: run_a, run_b (seeds), ari.
    clusters : DataFrame
        One row per cluster of the reference run: cluster, n_scans, jaccard (mean over the other
        runs, of the cluster matched to it; 0 where none is).
    scans : DataFrame
        One row per scan: scan, cluster (of the reference run), agreement (share of the other
        runs that put it in the matched cluster), borderline (agreement below 0.8).
    labels : DataFrame
        One column per run (its seed), one row per scan.
    reference : int
        Seed of the run that agrees best with the others.
    """

    pairs: pd.DataFrame
    clusters: pd.DataFrame
    scans: pd.DataFrame
    labels: pd.DataFrame
    reference: int


def retraining_stability(
    fit: Callable[[int], np.ndarray], n_repeats: int, *, seed: int, progress: bool = True
) -> RetrainingStability:
    """Train again and again, and see which clusters and scans come back.

    Agreement after clustering says that the training finds its way, not that clusters exist: a
    continuum is cut alike by every run. `selection` answers the second question.

    Parameters
    ----------
    fit : callable seed -> labels, shape (n_scans,)
        One whole run. Where pre-training is too dear to repeat, a run with a frozen encoder: say
        so when you report it.
    n_repeats : int
        Runs, at least 2; their seeds are seed, seed + 1, ...
    seed : int
    progress : bool
        Show a progress bar.

    Returns
    -------
    RetrainingStability

    Raises
    ------
    ValueError
        For fewer than two runs, or runs of different lengths.

    Examples
    --------
    >>> truth = np.repeat([0, 1], 5)
    >>> found = retraining_stability(lambda seed: (truth + seed) % 2, 3, seed=0, progress=False)
    >>> found.pairs["ari"].tolist(), int(found.scans["borderline"].sum())
    ([1.0, 1.0, 1.0], 0)
    """
    if n_repeats < 2:
        raise ValueError(f"n_repeats must be at least 2 runs to compare; found {n_repeats}")
    runs = {}
    for run in tqdm(range(seed, seed + n_repeats), desc="runs", disable=not progress):
        runs[run] = np.asarray(fit(run))
        if runs[run].shape != runs[seed].shape or runs[run].ndim != 1:
            raise ValueError(
                f"fit must give one label per scan; run {seed} gave shape {runs[seed].shape}, "
                f"run {run} {runs[run].shape}"
            )
    pairs = pd.DataFrame(
        [(a, b, adjusted_rand(runs[a], runs[b])) for a, b in itertools.combinations(runs, 2)],
        columns=["run_a", "run_b", "ari"],
    )
    mean_ari = {
        run: pairs.loc[(pairs["run_a"] == run) | (pairs["run_b"] == run), "ari"].mean()
        for run in runs
    }
    reference = max(mean_ari, key=lambda run: mean_ari[run])
    own = runs[reference]
    others = [_renamed(own, runs[run]) for run in runs if run != reference]
    agreement = np.mean([other == own for other in others], axis=0)
    clusters = [
        {
            "cluster": k,
            "n_scans": int((own == k).sum()),
            "jaccard": np.mean(
                [((own == k) & (o == k)).sum() / ((own == k) | (o == k)).sum() for o in others]
            ),
        }
        for k in np.unique(own).tolist()
    ]
    scans = pd.DataFrame({"scan": range(len(own)), "cluster": own, "agreement": agreement})
    scans["borderline"] = scans["agreement"] < BORDERLINE
    return RetrainingStability(
        pairs, pd.DataFrame(clusters), scans, pd.DataFrame(runs), int(reference)
    )


def _renamed(own, other) -> np.ndarray:
    """Give another run's clusters the reference run's names; surplus ones match nothing."""
    names = match_clusters(own, other)
    return np.array([names.get(label, -1) for label in other.tolist()])
