"""The committed results of the study of maps as the tables of docs/contrast_map.md.

make bench maps_summary     a second; reads maps.csv, blind_spots.csv and volume_maps.csv
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from summary import settings_of, show

HERE = Path(__file__).parent
PART = ["scenario", "n_true", "slices"]
FILLS = ("donor", "template", "mean")
SHOWN = (
    "contrast",
    "perfect",
    "gradients",
    "activation",
    "deviation",
    "occlusion",
    "mean_difference",
)
WHERE = {"iou_worst_cluster": "max", "peak_px": "min"}
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
    "perfect_shuffled",
    "seeds",
    "flips",
    "hu_sign",
    "hu_error",
)


def slices_of(settings: str) -> str:
    """Name the anatomy of a cohort, and whether its lesions vary in place."""
    told = settings_of(settings)
    return f"{told['anatomy']}, jittered" if "jitter_px" in told else told["anatomy"]


def across_trainings(rows: pd.DataFrame) -> pd.DataFrame:
    """Tell what each kind of map reaches in each cohort: mean over trainings, lowest, highest."""
    values = rows.groupby([*PART, "kind"], sort=False)["value"]
    told = values.agg(["mean", "min", "max"]).round(2).astype(str)
    told["text"] = told["mean"] + " (" + told["min"] + " to " + told["max"] + ")"
    wide = told.pivot_table("text", PART, "kind", aggfunc="first", sort=False)
    return wide.fillna("").reset_index()


def gaps(table: pd.DataFrame, fill: str) -> pd.DataFrame:
    """Take insertion less deletion under one fill, for every training and kind of map."""
    curves = table.pivot_table("value", [*PART, "seed", "kind"], "measure", sort=False)
    gap = curves[f"insertion_{fill}"] - curves[f"deletion_{fill}"]
    return gap.dropna().rename("value").reset_index()


def leads(gap: pd.DataFrame) -> pd.DataFrame:
    """Tell by how much contrast maps beat each other kind, in the same trainings.

    Mean over the trainings and, after the sign, its standard error: less than that is a tie.
    """
    wide = gap.pivot_table("value", [*PART, "seed"], "kind", sort=False)
    lead = wide.drop(columns="contrast").rsub(wide["contrast"], axis=0).groupby(PART, sort=False)
    mean, error = lead.mean().round(3).astype(str), lead.sem().round(3).astype(str)
    return (mean + " ± " + error).reset_index()


def overview(table: pd.DataFrame) -> pd.DataFrame:
    """Tell what contrast maps reach in each cohort."""
    rows = table[(table["kind"] == "contrast") & table["measure"].isin(MEASURES)]
    return side_by_side(rows.groupby([*PART, "measure"])["value"].mean(), MEASURES)


def by_kind(rows: pd.DataFrame, best: str = "max") -> pd.DataFrame:
    """Tell what each kind of map reaches in each cohort; of gradient maps, the best of the three.

    Which is best is seen only afterwards: it is a rival that nobody could have chosen.
    """
    means = rows.groupby([*PART, "kind"])["value"].mean().reset_index()
    means["kind"] = means["kind"].str.replace("gradients_.*", "gradients", regex=True)
    return side_by_side(means.groupby([*PART, "kind"])["value"].agg(best), SHOWN)


def side_by_side(means: pd.Series, columns: Sequence[str]) -> pd.DataFrame:
    """Put what was reached on sharp and on smooth anatomy, in this order, into one cell."""
    told = means.dropna().round(2).astype(str).rename("text").reset_index()
    told["slices"] = told["slices"].str.replace("sharp|smooth", "", regex=True).str.lstrip(", ")
    *cohort, heading = told.columns.drop("text")
    cells = told.groupby([*cohort, heading])["text"].agg(", ".join).reset_index()
    wide = cells.pivot_table("text", cohort, heading, aggfunc="first").reindex(columns=columns)
    return wide.dropna(axis=1, how="all").fillna("").reset_index()


if __name__ == "__main__":
    table = pd.read_csv(HERE / "maps.csv")
    table["slices"] = table["settings"].map(slices_of)
    show("contrast maps; sharp, smooth anatomy", overview(table))
    for fill in FILLS:
        show(f"insertion less deletion, {fill}; sharp, smooth anatomy", by_kind(gaps(table, fill)))
    for measure, best in WHERE.items():
        rows = table[table["measure"] == measure]
        show(f"{measure}; sharp, smooth anatomy", by_kind(rows, best))
    for measure in MEASURES:
        show(measure, across_trainings(table[table["measure"] == measure]))
    for fill in FILLS:
        gap = gaps(table, fill)
        show(f"insertion less deletion, filled with {fill}", across_trainings(gap))
        show(f"lead of contrast maps, filled with {fill}", leads(gap))
    for name in ("blind_spots", "volume_maps"):
        if (path := HERE / f"{name}.csv").exists():
            show(name, pd.read_csv(path))
