"""Which map to believe: contrast maps beside seven other kinds, where the truth is known.

    make bench maps     hours at the paper's full network width; stopped, it goes on where it was

Five trainings of fresh cohorts, with five, three and two clusters, on both anatomies, and with
lesions that vary in place. How contrast maps are made was chosen on data of seeds 0 to 30; cohorts
and trainings here have seeds from 4000 on. Results stay in maps.csv and blind_spots.csv beside this
file, trained networks in networks/; pictures of the first training go to docs.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from clamlab import clam, contrast, figures
from studies.maps.blind_spots import blind_spots
from studies.maps.study import Cell, map_study

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "contrast"
DATA_SEED, SEEDS = 4000, tuple(range(4001, 4006))
CELLS = [(name, k) for k in (5, 3, 2) for name in ("location", "intensity", "size")]
ANATOMIES = [{"anatomy": "smooth"}, {"anatomy": "sharp"}]
JITTER_PX = 3


def main() -> None:
    """Study the maps, then what they say of places that cannot have driven the clusters."""
    study = {"data_seed": DATA_SEED, "seeds": SEEDS, "n_jobs": 2, "path": HERE / "maps.csv"}
    study |= {"networks": HERE / "networks"}
    map_study(CELLS, slices=ANATOMIES, **study)
    varying = [anatomy | {"jitter_px": JITTER_PX} for anatomy in ANATOMIES]
    map_study([("location", 5)], slices=varying, **study)
    tables = Parallel(n_jobs=2)(
        delayed(blind_spots)(data_seed=DATA_SEED, seed=seed, networks=HERE / "networks", **anatomy)
        for seed in SEEDS
        for anatomy in ANATOMIES
    )
    named = [(seed, anatomy["anatomy"]) for seed in SEEDS for anatomy in ANATOMIES]
    rows = [
        table.assign(seed=seed, anatomy=anatomy)
        for table, (seed, anatomy) in zip(tables, named, strict=True)
    ]
    pd.concat(rows).round(4).to_csv(HERE / "blind_spots.csv", index=False)
    for anatomy in ANATOMIES:
        draw(**anatomy)


def draw(anatomy: str) -> None:
    """Show one scan of each scenario, and why it lies in its cluster and not in the one before."""
    rows = {}
    for name in ("location", "intensity", "size"):
        slices = {"n_scans": 300, "anatomy": anatomy}
        cell = Cell(name, 5, DATA_SEED, SEEDS, slices, networks=HERE / "networks")
        cohort = cell.cohort()
        rows[name.capitalize()] = explained(cohort, cell.network(cohort, SEEDS[0]))
    figure = figures.explanation_panel(rows, mask=cohort.lung_mask)
    figures.save_figure(figure, PICTURES / f"why_{anatomy}", formats=["png"])


def explained(cohort, network, cluster: int = 3, rival: int = 2) -> tuple[np.ndarray, ...]:
    """Give a scan, the same as a rival would have it, and both maps."""
    shown, lung = np.flatnonzero(cohort.labels == cluster)[0], cohort.lung_mask
    scan, model = network.images[[shown]], network.model
    change = scan - contrast.counterfactual(model, scan, rival, mask=lung)
    activation = clam.own_importance(clam.cluster_activation_map(model, scan), [cluster])
    evidence = contrast.contrast_map(model, scan, mask=lung, clusters=[cluster])
    hu = cohort.images[shown]
    as_rival = hu - network.rule["scale"] * change[0]
    return hu, as_rival, clam.upsample(activation, lung.shape)[0], evidence[0, rival]


if __name__ == "__main__":
    main()
