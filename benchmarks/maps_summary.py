"""The committed results of the study of maps as the tables of docs/contrast_map.md.

make bench maps_summary     a second; reads maps.csv, blind_spots.csv and volume_maps.csv
"""

from pathlib import Path

import pandas as pd
from summary import show

HERE = Path(__file__).parent
PART = ["scenario", "n_true", "slices"]
FILLS = ("donor", "template", "mean")
MEASURES = (
    "own_other",
    "pair_correlation",
    "perfect_pair_correlation",
    "pair_iou",
    "iou",
    "iou_worst_cluster",
    "peak_px",
    "untrained",
    "shuffled",
    "seeds",
    "flips",
    "hu_sign",
    "hu_error",
)


def slices_of(settings: str) -> str:
    """Name the anatomy of a cohort, and whether its lesions vary in place."""
    told = dict(word.split("=") for word in settings.split())
    return f"{told['anatomy']}, jittered" if "jitter_px" in told else told["anatomy"]


def measured(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Tell what each kind of map reaches in each cohort: mean over trainings, lowest, highest."""
    values = table[table["measure"] == measure].groupby([*PART, "kind"], sort=False)["value"]
    told = values.agg(["mean", "min", "max"]).round(2).astype(str)
    told["text"] = told["mean"] + " (" + told["min"] + " to " + told["max"] + ")"
    wide = told.pivot_table("text", PART, "kind", aggfunc="first", sort=False)
    return wide.fillna("").reset_index()


def faithful(table: pd.DataFrame, fill: str) -> pd.DataFrame:
    """Tell by how much contrast maps beat each other kind: insertion less deletion, same trainings.

    Mean over the trainings and, after the sign, its standard error: less than that is a tie.
    """
    curves = table.pivot_table("value", [*PART, "seed"], ["measure", "kind"], sort=False)
    gap = curves[f"insertion_{fill}"] - curves[f"deletion_{fill}"]
    lead = gap.drop(columns="contrast").rsub(gap["contrast"], axis=0).groupby(PART, sort=False)
    mean, error = lead.mean().round(3).astype(str), lead.sem().round(3).astype(str)
    return (mean + " ± " + error).reset_index()


if __name__ == "__main__":
    table = pd.read_csv(HERE / "maps.csv")
    table["slices"] = table["settings"].map(slices_of)
    for measure in MEASURES:
        show(measure, measured(table, measure))
    for fill in FILLS:
        show(f"lead of contrast maps, filled with {fill}", faithful(table, fill))
    for name in ("blind_spots", "volume_maps"):
        if (path := HERE / f"{name}.csv").exists():
            show(name, pd.read_csv(path))
