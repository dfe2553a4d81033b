"""How often the rule for K sees clusters that are there, and clusters that are not.

    make bench n_clusters                        hours; stopped, it goes on where it was
    python benchmarks/n_clusters.py planted      only clusters a known distance apart
    python benchmarks/n_clusters.py clouds       only cohorts of one cloud

Synthetic features of seeds from 7000 on; the rule was chosen on seeds below 1000. n_clusters.csv
beside this file holds a row for every hundred cohorts of a cell: how many, in how many any clusters
were seen, and in how many the right number. The figure goes to docs.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from clamlab.experiments import power_summary
from clamlab.figures import save_figure
from clamlab.figures.validation import power_panel
from clamlab.selection import recommended_n_clusters
from clamlab.simulate import cluster_features
from studies.clouds import NAMED, OTHERS, cloud_features

RESULT = Path(__file__).with_suffix(".csv")
PICTURE = Path(__file__).parents[1] / "docs" / "n_clusters" / "power"
FIRST_SEED, BLOCK, K_MAX = 7000, 100, 8
HALVES, FIFTH, THIRDS, FOURTHS = (0.5, 0.5), (0.8, 0.2), (1 / 3,) * 3, (0.25,) * 4


@dataclass(frozen=True)
class Cell:
    """Cohorts of one make, and which hundred of them."""

    family: str
    n_scans: int
    apart_sd: float
    other_sd: float
    block: int

    def number(self, seed: int) -> int:
        """Draw one cohort, and ask the rule."""
        if self.family in SHARES:
            features, _ = cluster_features(
                SHARES[self.family],
                apart_sd=self.apart_sd,
                other_sd=self.other_sd,
                n_scans=self.n_scans,
                seed=seed,
            )
        else:
            features = cloud_features(self.family, self.n_scans, seed=seed)
        return recommended_n_clusters(
            features, seed=seed, k_max=min(K_MAX, (self.n_scans - 1) // 2 - 1)
        )


SHARES = {"halves": HALVES, "a fifth": FIFTH, "thirds": THIRDS, "fourths": FOURTHS}
# (family, distance, spread of the direction without clusters), numbers of scans
PLANTED = {
    ("halves", 5.0, 2.0): (24, 48),
    ("halves", 6.0, 2.0): (24, 48),
    ("halves", 4.0, 2.0): (48, 100),
    ("a fifth", 5.0, 2.0): (48,),
    ("thirds", 6.0, 2.0): (48,),
    ("thirds", 5.0, 2.0): (100,),
    ("halves", 5.0, 3.0): (48,),
    ("fourths", 6.0, 2.0): (100,),
    ("halves", 3.0, 2.0): (48, 100),
}


def planted() -> list[Cell]:
    """Two hundred cohorts for each distance, share and size."""
    return [
        Cell(family, n, apart, other, block)
        for block in range(2)
        for (family, apart, other), sizes in PLANTED.items()
        for n in sizes
    ]


def clouds() -> list[Cell]:
    """Four hundred cohorts of each family of the reference, a hundred of each other."""
    sizes = (24, 48, 100, 300)
    named = [Cell(f, n, 0.0, 0.0, b) for b in range(4) for n in sizes for f in NAMED]
    return named + [Cell(family, n, 0.0, 0.0, 0) for n in sizes for family in OTHERS]


def main(parts: list[str]) -> None:
    """Fill the table, a cell at a time, on two processes."""
    table = pd.read_csv(RESULT) if RESULT.exists() else pd.DataFrame()
    done = (
        set(zip(*(table[key] for key in asdict(planted()[0])), strict=True)) if len(table) else ()
    )
    cells = [cell for part in parts for cell in PARTS[part]()]
    for cell in sorted(cells, key=lambda cell: cell.block):
        if tuple(asdict(cell).values()) in done:
            continue
        seeds = range(FIRST_SEED + BLOCK * cell.block, FIRST_SEED + BLOCK * (cell.block + 1))
        found = Parallel(n_jobs=2)(delayed(cell.number)(seed) for seed in seeds)
        true = len(SHARES.get(cell.family, (1,)))
        row = asdict(cell) | {
            "cohorts": len(found),
            "any": sum(number > 1 for number in found),
            "right": sum(number == true for number in found),
        }
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
        table.to_csv(RESULT, index=False)
        print(row, flush=True)
    draw(table)


def draw(table: pd.DataFrame) -> None:
    """Draw the number of scans against the distance of two halves."""
    halves = table[(table["family"] == "halves") & (table["other_sd"] == 2)]
    runs = [
        {"n_scans": row.n_scans, "apart_sd": row.apart_sd, "target": "any", "seed": i,
         "found": i < row["any"]}
        for _, row in halves.groupby(["n_scans", "apart_sd"])[["cohorts", "any"]].sum()
        .reset_index().iterrows()
        for i in range(int(row.cohorts))
    ]  # fmt: skip
    if runs:
        summary = power_summary(pd.DataFrame(runs))
        save_figure(power_panel(summary, "n_scans", lines="apart_sd"), PICTURE, formats=["png"])


PARTS = {part.__name__: part for part in (planted, clouds)}


if __name__ == "__main__":
    main(sys.argv[1:] or list(PARTS))
