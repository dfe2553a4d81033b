"""How the statistics grow: twelve outcomes of 300 people with 2,000 draws, and of 100,000 people.

    make bench cohort_statistics     a few minutes

Results stay in cohort_statistics.csv beside this file: seconds, and how many least-squares fits of
one outcome take as long.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from clamlab import stats
from clamlab.schema import load_schema
from clamlab.simulate import OUTCOMES, clinical_table

RESULT = Path(__file__).with_suffix(".csv")
ROWS, MANY_ROWS, DRAWS, SEED = 300, 100_000, 2000, 1


def main() -> None:
    """Time what notebooks 08 and 09 do, on a cohort like the paper's and on a very large one."""
    contract = load_schema("participants")
    rows = [row for n in (ROWS, MANY_ROWS) for row in timed(n, contract)]
    table = pd.DataFrame(rows).round({"seconds": 2, "fits": 0})
    table.to_csv(RESULT, index=False)
    print(table.to_string(index=False))


def timed(n: int, contract: dict):
    """Yield one row for each step."""
    labels = np.random.default_rng(SEED).integers(0, 2, n)
    table = clinical_table(labels, seed=SEED).assign(cluster=labels)
    draws = DRAWS if n == ROWS else 0
    steps = {
        "table_one": lambda: stats.tables.table_one(table, contract, seed=SEED),
        "outcome_associations": lambda: stats.outcomes.outcome_associations(table, contract),
        "adjusted_means": lambda: stats.outcomes.adjusted_means(table, contract),
        "compare_models": lambda: stats.outcomes.compare_models(
            table, contract, n_bootstrap=draws, seed=SEED
        ),
    }
    design = np.random.default_rng(SEED).normal(size=(n, 12))
    one_fit = seconds_of(lambda: np.linalg.lstsq(design, design[:, 0], rcond=None), repeats=5)
    for name, step in steps.items():
        seconds = seconds_of(step)
        yield {
            "step": name,
            "rows": n,
            "outcomes": len(OUTCOMES),
            "draws": draws if name == "compare_models" else 0,
            "seconds": seconds,
            "fits": seconds / one_fit,
        }


def seconds_of(work, repeats: int = 1) -> float:
    """Take the quickest of some runs."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    main()
