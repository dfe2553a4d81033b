"""The committed results as the tables of docs/validation.md and docs/n_clusters.md.

make bench summary     a second; reads simulation.csv, n_clusters.csv, stability.csv and claims.csv
"""

from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from clamlab.experiments import number_picks, who_was_right
from n_clusters import SHARES, with_limits
from simulation import TUNED_ON, settings_of
from studies.clouds import FAMILIES

HERE = Path(__file__).parent


def part_of(row: pd.Series) -> str:
    """Name the part of the study that a row belongs to, and its anatomy."""
    told = settings_of(row["settings"])
    part = "as the paper"
    if row["seed"] in TUNED_ON:
        part = "tuning"
    elif row["n_true"] == 1:
        part = row["scenario"]
    elif "noise_sd" in told:
        part = "harder"
    elif "jitter_px" in told:
        part = "jittered"
    return f"{part}, {told['anatomy']}"


def assignment(study: pd.DataFrame) -> pd.DataFrame:
    """Tell how well each method assigns the scans when it is given the true K."""
    at_truth = study[study["n_fitted"] == study["n_true"]]
    grouped = at_truth.groupby(["part", "method"])
    table = grouped["accuracy"].agg(["count", "min", "mean"]).round(4)
    exact = grouped["accuracy"].apply(lambda a: int((a == 1).sum()))
    return table.assign(exact=exact, empty=grouped["n_empty"].sum().astype(int))


def number(study: pd.DataFrame) -> pd.DataFrame:
    """Count where each rule for K, read off the network's features, was right."""
    deep = study[study["method"] == "deep"]
    counted = {
        part: who_was_right(number_picks(rows))["deep"] for part, rows in deep.groupby("part")
    }
    return pd.DataFrame(counted).fillna("")


def fitted(study: pd.DataFrame) -> pd.DataFrame:
    """Tell what comes of every fitted K: accuracy after matching, and empty clusters."""
    deep = study[(study["method"] == "deep") & study["n_fitted"].notna()]
    n_fits = deep.groupby(["part", "scenario", "n_true", "seed"])["n_fitted"].transform("size")
    table = deep[n_fits > 1].pivot_table(
        index=["part", "scenario", "n_true"], columns="n_fitted", values="accuracy"
    )
    return table.round(3)


def seen(table: pd.DataFrame) -> pd.DataFrame:
    """Tell how often clusters that are there are seen, and rightly counted, with 95 % limits."""
    planted = table[table["family"].isin(SHARES)]
    cells = planted.groupby(["family", "apart_sd", "other_sd", "n_scans"], as_index=False).sum()
    for name in ("any", "right"):
        told = with_limits(cells, name)
        cells[name] = [
            f"{row.share:.2f} ({row.low:.2f} to {row.high:.2f})" for row in told.itertuples()
        ]
    return cells.drop(columns="block")


def false_alarms(table: pd.DataFrame) -> pd.DataFrame:
    """Tell how often one cloud is called clusters, with the upper 95 % limit (exact)."""
    clouds = table[~table["family"].isin(SHARES)]
    cells = clouds.groupby(["family", "n_scans"], sort=False, as_index=False).sum()
    cells["found"] = [
        f"{hits} of {n} (.{round(1000 * binomtest(hits, n).proportion_ci().high):03d})"
        for hits, n in zip(cells["any"], cells["cohorts"], strict=True)
    ]
    order = [family for family in FAMILIES if family in set(cells["family"])]
    table = cells.pivot_table(index="family", columns="n_scans", values="found", aggfunc="first")
    return table.loc[order].fillna("")


def show(title: str, table: pd.DataFrame) -> None:
    """Print a table as Markdown."""
    print(f"\n{title}\n\n{table.to_markdown(index=False)}")


if __name__ == "__main__":
    study = pd.read_csv(HERE / "simulation.csv", dtype={"n_fitted": "Int64"})
    study["part"] = study.apply(part_of, axis=1)
    show("Assignment at the true K", assignment(study).reset_index())
    show("Number of clusters", number(study).reset_index(names="rule"))
    show("Every fitted K", fitted(study).reset_index())
    rule = pd.read_csv(HERE / "n_clusters.csv")
    show("Clusters a known distance apart", seen(rule))
    show("Cohorts of one cloud: called clusters", false_alarms(rule).reset_index())
    for path in (HERE / "stability.csv", HERE / "claims.csv"):
        if path.exists():
            show(path.stem.capitalize(), pd.read_csv(path))
