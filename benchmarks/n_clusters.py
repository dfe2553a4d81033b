"""How often the rule for K sees clusters that are there, and clusters that are not.

    make bench n_clusters                        hours; stopped, it goes on where it was
    python benchmarks/n_clusters.py planted      only clusters a known distance apart
    python benchmarks/n_clusters.py clouds       only cohorts of one cloud

Synthetic features of seeds from 7000 on; the rule was chosen on seeds below 1000. n_clusters.csv
beside this file holds a row for every hundred cohorts of a cell: how many, in how many any clusters
were seen, and in how many the right number. The figure goes to docs.
"""

import sys
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from clamlab.experiments.resuming import resumed_rows
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

    @property
    def key(self) -> tuple:
        """What tells this cell's row from all others."""
        return astuple(self)

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


KEY = [field.name for field in fields(Cell)]
SHARES = {"halves": HALVES, "a fifth": FIFTH, "thirds": THIRDS, "fourths": FOURTHS}
# (family, distance, spread of the direction without clusters), numbers of scans
PLANTED = {
    ("halves", 5.0, 2.0): (24, 48),
    ("halves", 6.0, 2.0): (24, 48),
    ("halves", 4.0, 2.0): (48, 100),
    ("a fifth", 5.0, 2.0): (48,),
    ("thirds", 6.0, 2.0): (48,),
    ("thirds", 5.0, 2.0): (100,),
    ("thirds", 5.0, 3.0): (100,),
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


def cell_row(cell: Cell) -> pd.DataFrame:
    """Ask the rule about a hundred cohorts."""
    seeds = range(FIRST_SEED + BLOCK * cell.block, FIRST_SEED + BLOCK * (cell.block + 1))
    found = [cell.number(seed) for seed in seeds]
    true = len(SHARES.get(cell.family, (1,)))
    counted = {
        "cohorts": len(found),
        "any": sum(number > 1 for number in found),
        "right": sum(number == true for number in found),
    }
    return pd.DataFrame([asdict(cell) | counted])


def with_limits(cells: pd.DataFrame, count: str) -> pd.DataFrame:
    """Put beside each count its share of the cohorts, and how far chance may have moved it."""
    limits = [
        binomtest(int(hits), int(n)).proportion_ci(method="wilson")
        for hits, n in zip(cells[count], cells["cohorts"], strict=True)
    ]
    return cells.assign(
        share=cells[count] / cells["cohorts"],
        low=[limit.low for limit in limits],
        high=[limit.high for limit in limits],
    )


def main(parts: list[str]) -> None:
    """Fill the table, two cells at a time, the first hundred of each before the second."""
    cells = [cell for part in parts for cell in PARTS[part]()]
    table = resumed_rows(
        cell_row,
        sorted(cells, key=lambda cell: cell.block),
        key=KEY,
        path=RESULT,
        n_jobs=2,
        title="cells",
        progress=True,
    )
    draw(table)


def draw(table: pd.DataFrame) -> None:
    """Draw the number of scans against the distance of two halves."""
    halves = table[(table["family"] == "halves") & (table["other_sd"] == 2)]
    cells = halves.groupby(["n_scans", "apart_sd"], as_index=False)[["cohorts", "any"]].sum()
    figure = power_panel(
        with_limits(cells, "any").assign(target="any"), "n_scans", lines="apart_sd"
    )
    save_figure(figure, PICTURE, formats=["png"])


PARTS = {part.__name__: part for part in (planted, clouds)}


if __name__ == "__main__":
    main(sys.argv[1:] or list(PARTS))
