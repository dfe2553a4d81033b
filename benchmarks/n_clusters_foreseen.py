"""Whether what is foretold of a cohort comes true: distances and numbers of scans.

    make bench n_clusters_foreseen     about ten minutes

Twenty cohorts of a kind, without clusters and with halves too near to be seen, seeds from 9000 on.
Each foretells from where halves would be seen, and how many scans 4 standard deviations take; what
is true was measured by drawing (`n_clusters.csv`, and the cells here). One row per cohort and truth
in n_clusters_foreseen.csv beside this file.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import ndtri

from clamlab.selection.foresight import foresee
from clamlab.selection.preparing import prepare
from clamlab.selection.presence import is_present, presence
from clamlab.simulate import cluster_features

RESULT = Path(__file__).with_suffix(".csv")
FIRST_SEED, COHORTS, DRAWN = 9000, 20, 200
HALVES = (0.5, 0.5)
# Where the power of the rule passes .8: two distances or sizes around it.
AROUND = {24: (5.0, 6.0), 48: (4.0, 5.0), 100: (3.5, 4.0)}
SIZES_AROUND = (70, 90)


def foretold(n_scans: int, apart_sd: float, seed: int) -> dict:
    """Ask one cohort."""
    x, _ = cluster_features(HALVES, apart_sd=apart_sd, n_scans=n_scans, seed=seed)
    scores = prepare(x).scores
    foresight = foresee(scores, presence(scores, seed=seed).critical, seed=seed)
    return {
        "n_scans": n_scans,
        "apart_sd": apart_sd,
        "seed": seed,
        "seen_from_sd": foresight.seen_from_sd,
        "n_scans_needed": foresight.n_scans_needed,
    }


def share_seen(n_scans: int, apart_sd: float) -> float:
    """Draw cohorts, and count in how many the clusters are seen."""
    return float(np.mean(Parallel(n_jobs=2)(
        delayed(_is_seen)(n_scans, apart_sd, FIRST_SEED + seed) for seed in range(DRAWN)
    )))  # fmt: skip


def _is_seen(n_scans: int, apart_sd: float, seed: int) -> bool:
    x, _ = cluster_features(HALVES, apart_sd=apart_sd, n_scans=n_scans, seed=seed)
    return is_present(prepare(x).scores, seed=seed)


def reaches(places: tuple[float, float], shares: list[float]) -> float:
    """Find where the power is .8, on a line between the normal scores of two shares.

    >>> round(reaches((4, 5), [0.7, 0.9]), 2)
    4.42
    """
    low, high = ndtri(np.clip(shares, 0.01, 0.99))
    return float(places[0] + (ndtri(0.8) - low) / (high - low) * (places[1] - places[0]))


if __name__ == "__main__":
    true_sd = {
        n: reaches(around, [share_seen(n, apart) for apart in around])
        for n, around in AROUND.items()
    }
    true_n = reaches(SIZES_AROUND, [share_seen(n, 4.0) for n in SIZES_AROUND])
    print(true_sd, true_n)
    told = Parallel(n_jobs=2)(
        delayed(foretold)(n, apart, FIRST_SEED + seed)
        for n in AROUND
        for apart in (0.0, 3.0)
        for seed in range(COHORTS)
    )
    table = pd.DataFrame(told)
    table["true_sd"] = table["n_scans"].map(true_sd).round(2)
    table["true_n_scans"] = round(true_n)
    table.to_csv(RESULT, index=False)
    told = table.groupby(["n_scans", "apart_sd"])[["seen_from_sd", "n_scans_needed"]]
    print(told.describe().T.round(1).to_string())
