"""Why the silhouette alone fails: the number it picks against the length of pre-training.

    make bench training_length     about half an hour at the paper's full network width

Results stay in training_length.csv beside this file; the figures go to docs.
"""

from pathlib import Path

import pandas as pd

from clamlab.experiments import training_length
from clamlab.figures import save_figure
from clamlab.figures.validation import silhouette_by_training

RESULT = Path(__file__).with_suffix(".csv")
PICTURES = Path(__file__).parents[1] / "docs" / "simulation"
SCENARIOS = (("intensity", 5), ("size", 5))
SEED = 5000


def main() -> None:
    """Look at the features of one long training every other epoch."""
    tables = [training_length(name, k, seed=SEED, epochs=40, every=2) for name, k in SCENARIOS]
    pd.concat(tables).to_csv(RESULT, index=False)
    for table in tables:
        name = f"training_length_{table['scenario'].iloc[0]}"
        save_figure(silhouette_by_training(table), PICTURES / name, formats=["png"])


if __name__ == "__main__":
    main()
