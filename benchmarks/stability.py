"""Whether stability tells clusters from slices of one cloud: resampling beside whole retrainings.

    make bench stability     about half an hour at a quarter of the paper's network width

Cohorts with three to five clusters beside two without any, cut into three all the same. Results
stay in stability.csv beside this file, one row per cohort.
"""

from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from clamlab.experiments import retraining_stability
from clamlab.experiments.methods import Deep
from clamlab.selection import assignment_stability
from clamlab.simulate import lung_slices

RESULT = Path(__file__).with_suffix(".csv")
COHORTS = {
    ("location", 3): 3,
    ("intensity", 5): 5,
    ("size", 5): 5,
    ("none", 1): 3,
    ("continuum", 1): 3,
}
SEEDS = (5000, 5001, 5002)
N_REPEATS = 5
TRAINING = {"channels": (8, 16, 32), "pretrain_epochs": 60, "cluster_epochs": 10}


def row_of(scenario: str, n_true: int, fitted: int, seed: int) -> dict:
    """Cluster one cohort, resample its features, and train anew a few times."""
    cohort = lung_slices(scenario, n_true, seed=seed)
    features = Deep(cohort, **TRAINING, seed=seed).features
    resampled = assignment_stability(features, fitted, seed=seed)
    retrained = retraining_stability(
        lambda run: Deep(cohort, **TRAINING, seed=run).cluster(fitted)[0],
        N_REPEATS,
        seed=seed,
        progress=False,
    )
    return {
        "scenario": scenario,
        "n_true": n_true,
        "n_fitted": fitted,
        "seed": seed,
        "verdict": resampled.verdict,
        "resampled_ari": resampled.bootstraps["ari"].mean(),
        "one_cloud_ari": resampled.null_ari.mean(),
        "resampled_worst_jaccard": resampled.clusters["jaccard"].min(),
        "resampled_borderline": int(resampled.scans["borderline"].sum()),
        "retrained_ari": retrained.pairs["ari"].mean(),
        "retrained_worst_jaccard": retrained.clusters["jaccard"].min(),
        "retrained_borderline": int(retrained.scans["borderline"].sum()),
    }


if __name__ == "__main__":
    rows = Parallel(n_jobs=2, verbose=10)(
        delayed(row_of)(*cohort, fitted, seed)
        for cohort, fitted in COHORTS.items()
        for seed in SEEDS
    )
    pd.DataFrame(rows).round(4).to_csv(RESULT, index=False)
