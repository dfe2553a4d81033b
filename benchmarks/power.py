"""How large a study must be: how often clusters, their number and their sites are found.

    make bench power     about twenty minutes; stopped, it goes on where it was

Three places of a lesion, at a quarter of the paper's network width. Number of scans, contrast,
size and noise are varied one against the number of scans. Results stay in power.csv beside this
file, one row per cohort, method and target; its figures go to docs.
"""

from pathlib import Path

from clamlab.experiments import power, power_summary
from clamlab.figures import save_figure
from clamlab.figures.validation import power_panel

RESULT = Path(__file__).with_suffix(".csv")
PICTURES = Path(__file__).parents[1] / "docs" / "simulation"
SEEDS = range(5000, 5006)
N_SCANS = (50, 100, 200, 300)
FAINT = {"contrast_hu": [100], "radius_px": [3], "noise_sd": [80]}
VARIED = {"contrast_hu": [50, 100, 200], "radius_px": [2, 3, 4], "noise_sd": [60, 80, 120]}


def main() -> None:
    """Vary contrast, size and noise in turn, each with the number of scans."""
    for name, values in VARIED.items():
        table = power(
            "location",
            3,
            {"n_scans": N_SCANS, **FAINT, name: values},
            seeds=SEEDS,
            channels=(8, 16, 32),
            n_jobs=2,
            path=RESULT,
        )
        deep = table[table["method"] == "deep"]
        figure = power_panel(power_summary(deep), "n_scans", lines=name)
        save_figure(figure, PICTURES / f"power_by_{name}", formats=["png"])


if __name__ == "__main__":
    main()
