"""Find out at full network width whether clusters that are known to be there are found.

    make bench simulation              everything; hours. Stopped, it goes on where it was
    python benchmarks/simulation.py paper grid     only these parts

Seeds from 5000 on were never used to tune anything: the rule for K was chosen on the cohorts of the
part "tuning", at a quarter of the width, and on synthetic features; the length of training on seeds
7, 11 to 13, 1007 and 1008, and after one of the seeds from 3000 on had stopped too early. Results
stay in simulation.csv beside this file, one row per method, cohort and fitted K.

The part "picks" asks the rule anew where the table has no answer of it, without clustering anew.
"""

import sys
from ast import literal_eval
from pathlib import Path

import numpy as np
import pandas as pd

from clamlab.experiments import simulation_study
from clamlab.experiments.methods import fitter_of
from clamlab.experiments.resuming import store_table
from clamlab.experiments.simulation import PAPER_SCENARIOS, RUN, features_file
from clamlab.selection import recommended_n_clusters
from clamlab.simulate import lung_slices

RESULT = Path(__file__).with_suffix(".csv")
SEEDS = tuple(range(5000, 5005))
TUNED_ON = (7, 1007, 1008)
ANATOMIES = ("smooth", "sharp")
NOISE_SD, CONTRAST_HU, JITTER_PX = 100.0, 150.0, 3
N_WITHOUT_CLUSTERS = 9
PICK = "pick_recommended"
DRAWN = ("n_scans", "anatomy", "noise_sd", "contrast_hu", "jitter_px")
TRAINING = ("channels", "pretrain_epochs", "cluster_epochs")


def paper(anatomy: str) -> None:
    """Nine scenarios, five seeds, the true K."""
    study(PAPER_SCENARIOS, SEEDS, anatomy=anatomy)


def without(anatomy: str) -> None:
    """Cohorts without clusters: the right number is 1."""
    seeds = range(SEEDS[0], SEEDS[0] + N_WITHOUT_CLUSTERS)
    study([("none", 1), ("continuum", 1)], seeds, anatomy=anatomy)


def harder(anatomy: str) -> None:
    """More noise everywhere, and fainter lesions where contrast is held still."""
    still = [cell for cell in PAPER_SCENARIOS if cell[0] != "intensity"]
    levels = [cell for cell in PAPER_SCENARIOS if cell[0] == "intensity"]
    study(levels, SEEDS[:1], anatomy=anatomy, noise_sd=NOISE_SD)
    study(still, SEEDS[:1], anatomy=anatomy, noise_sd=NOISE_SD, contrast_hu=CONTRAST_HU)


def jittered(anatomy: str) -> None:
    """Lesions that vary in place from scan to scan."""
    study(PAPER_SCENARIOS, SEEDS[:1], anatomy=anatomy, jitter_px=JITTER_PX)


def grid(anatomy: str) -> None:
    """Every fitted K from 2 to 8, as the paper: one seed."""
    study(PAPER_SCENARIOS, SEEDS[:1], fitted=range(2, 9), anatomy=anatomy)


def tuning(anatomy: str) -> None:
    """Draw the cohorts that the rule for K was chosen on: every rule is scanned openly."""
    cells = [*PAPER_SCENARIOS, ("none", 1), ("continuum", 1)]
    study(cells, TUNED_ON, channels=(8, 16, 32), anatomy=anatomy)


def picks(anatomy: str) -> None:
    """Ask the rule about the network's features wherever its pick is missing, the paper's first."""
    table = pd.read_csv(RESULT, dtype={"n_fitted": "Int64", PICK: "Int64"})
    asked = (table["method"] == "deep") & table["settings"].str.contains(f"anatomy={anatomy}")
    missing = table[asked & table[PICK].isna()]
    for key in missing[RUN].drop_duplicates().itertuples(index=False, name=None):
        found = pick_of(*key)
        table.loc[table[RUN].apply(tuple, axis=1) == key, PICK] = found
        store_table(table, RESULT)
        print(*key[:4], found, flush=True)


def pick_of(method: str, scenario: str, n_true: int, seed: int, settings: str) -> int:
    """Ask the rule for one run: of its features where they were kept, or trained anew."""
    kept = features_file(RESULT, scenario, n_true, seed, settings)
    if method == "deep" and kept.exists():
        features = np.load(kept)
    else:
        told = settings_of(settings)
        values = {
            name: told[name] if name == "anatomy" else literal_eval(told[name]) for name in told
        }
        drawn = {name: values[name] for name in values if name in DRAWN}
        cohort = lung_slices(scenario, n_true, seed=seed, **drawn)
        training = {name: values[name] for name in values if name in TRAINING}
        features = fitter_of(method, cohort, seed=seed, **training).features
    return recommended_n_clusters(features, seed=seed)


def settings_of(text: str) -> dict[str, str]:
    """Take the settings of a row apart."""
    return dict(word.split("=") for word in text.split())


def study(scenarios, seeds, *, fitted=None, channels=(32, 64, 128), **slices) -> None:
    """Run one part on two processes and keep its rows."""
    simulation_study(
        scenarios,
        seeds,
        fitted=fitted,
        slices=slices,
        channels=channels,
        n_jobs=2,
        path=RESULT,
    )


PARTS = {part.__name__: part for part in (paper, without, harder, jittered, grid, tuning, picks)}


if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        for anatomy in ANATOMIES:
            print(name, anatomy, flush=True)
            PARTS[name](anatomy)
