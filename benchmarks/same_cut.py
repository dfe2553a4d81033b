"""Count how often k-means, with which the network begins, cuts across the clusters that are seen.

    make bench same_cut     some minutes

Halves of a cohort beside another direction that varies too. In how many cohorts does the rule's
best cut find the halves, does k-means in all features, and are the two told apart by `SAME`? Chosen
on seeds 300 to 329; results of seeds from 7000 on are in same_cut.csv beside this file.
"""

from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from clamlab.evaluation import adjusted_rand
from clamlab.selection.criteria import kmeans
from clamlab.selection.preparing import principal_scores
from clamlab.selection.same_cut import SAME, are_same, groups_seen
from clamlab.simulate import cluster_features

RESULT = Path(__file__).with_suffix(".csv")
SEEDS = range(7000, 7100)
# Scans, standard deviations between the halves, standard deviation of the other direction.
CELLS = [(24, 5, 2), (48, 4, 2), (48, 5, 2), (48, 5, 3), (100, 4, 2), (100, 4, 3), (300, 4, 3)]


def cohort(n_scans: int, apart_sd: float, other_sd: float, seed: int) -> dict:
    """Draw a cohort; hold both cuts against the truth, and against one another."""
    x, halves = cluster_features(
        [0.5, 0.5], apart_sd=apart_sd, other_sd=other_sd, n_scans=n_scans, seed=seed
    )
    scores = principal_scores(x)
    seen = groups_seen(scores, 2, seed=0)
    shown = kmeans(scores, 2, seed=0, n_init=10).labels_
    return {
        "scans": n_scans,
        "SD apart": apart_sd,
        "SD of the other direction": other_sd,
        "the best cut finds the halves": adjusted_rand(halves, seen) >= SAME,
        "k-means finds them": adjusted_rand(halves, shown) >= SAME,
        "called the same": are_same(seen, shown),
    }


if __name__ == "__main__":
    rows = Parallel(n_jobs=2)(delayed(cohort)(*cell, seed) for cell in CELLS for seed in SEEDS)
    table = pd.DataFrame(rows)
    cell = list(table.columns[:3])
    found = table[table["the best cut finds the halves"]]
    wrong = found["called the same"] != found["k-means finds them"]
    counted = table.groupby(cell)[list(table.columns[3:])].sum()
    counted["of the found, judged wrongly"] = wrong.groupby([found[name] for name in cell]).sum()
    counted.insert(0, "cohorts", table.groupby(cell).size())
    counted.reset_index().to_csv(RESULT, index=False)
    print(counted.reset_index().to_markdown(index=False))
