"""What an answer about the number of clusters costs, from 50 scans to 1,600.

    make bench choosing     three minutes

Of one cloud, halves and thirds 6 SD apart, in sixty features (twenty of them noise alone).
choosing.csv beside this file holds seconds, and how many times k-means into two to eight clusters
takes as long.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from clamlab.selection import choose_n_clusters
from clamlab.simulate import cluster_features

RESULT = Path(__file__).with_suffix(".csv")
COHORTS = {"one cloud": (1.0,), "halves": (0.5, 0.5), "thirds": (1 / 3,) * 3}
N_SCANS, APART_SD, N_NOISE, NOISE_SD, SEED = (50, 1600), 6.0, 20, 0.1, 7000


def main() -> None:
    """Ask about every cohort once, after one that is not counted."""
    timed("halves", N_SCANS[0])
    rows = [timed(name, n_scans) for n_scans in N_SCANS for name in COHORTS]
    table = pd.DataFrame(rows).round({"seconds": 1, "times_k_means": 0})
    table.to_csv(RESULT, index=False)
    print(table.to_string(index=False))


def timed(name: str, n_scans: int) -> dict:
    """Ask the rule, with all the criteria that stand beside it."""
    grouped, _ = cluster_features(COHORTS[name], apart_sd=APART_SD, n_scans=n_scans, seed=SEED)
    noise = np.random.default_rng(SEED).normal(0, NOISE_SD, (n_scans, N_NOISE))
    features = np.hstack([grouped, noise])
    start = time.perf_counter()
    _, found = choose_n_clusters(features, seed=SEED)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for k in range(2, 9):
        KMeans(k, n_init=10, random_state=SEED).fit(features)
    return {
        "cohort": name,
        "scans": n_scans,
        "answer": found["answer"],
        "n_clusters": found["n_clusters"],
        "seconds": seconds,
        "times_k_means": seconds / (time.perf_counter() - start),
    }


if __name__ == "__main__":
    main()
