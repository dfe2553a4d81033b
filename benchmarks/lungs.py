"""How right the lungs are: on drawn chests of every build, and on real scans with painted disease.

    make bench lungs          about ten minutes on two cores

Every drawn chest is measured clean and with one disease in turn, the real one with each four
times (CLAMLAB_DATA names the folder of real scans; without it they are left out). The rules were
chosen on drawn chests with other seeds. Truth of the real scan is ``tests/data``. Missing is lung
that is not in the labels; said is what ``lung_qc`` says of it. Results stay in lungs.csv beside
this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from itertools import chain
from pathlib import Path

import pandas as pd

from studies.chests.measuring import drawn_chests, real_chests

RESULT = Path(__file__).with_suffix(".csv")
REPOSITORY = Path(__file__).parents[1]
SEEDS = list(range(5000, 5110))
CLEAN, SICK, WITHIN = 0.97, 0.93, 0.2
SAID = ("not seen", "gas beside")  # of the sentences that this benchmark is about


def main() -> None:
    """Measure, keep and tell."""
    folder = Path(os.environ.get("CLAMLAB_DATA", REPOSITORY.parent / "shared" / "data"))
    scans = real_chests(folder) if folder.is_dir() else iter(())
    rows: list[dict] = []
    for measured in chain(scans, drawn_chests(SEEDS)):
        rows += measured
        table = pd.DataFrame(rows)
        table.to_csv(RESULT, index=False, float_format="%.4g")  # what is done stays, if stopped
    told = [
        {"chests": kind, "painted": painted or "nothing"} | summary(rows)
        for (kind, painted), rows in table.groupby(
            [table["chest"].str.split().str[0], "painted"], sort=False
        )
    ]
    print(pd.DataFrame(told).to_string(index=False))


def summary(rows: pd.DataFrame) -> dict[str, object]:
    """Count what is right in rows of one kind."""
    dice = rows[["dice_right", "dice_left"]].min(axis=1)
    flagged = rows["flags"].map(lambda text: any(words in text for words in SAID))
    within = pd.concat(
        [
            abs(rows[f"{side}_missing_said_ml"] / rows[f"{side}_missing_true_ml"] - 1)[
                rows[f"dice_{side}"] < SICK
            ]
            for side in ("right", "left")
        ]
    )
    return {
        "n": len(rows),
        "least dice": round(dice.min(), 3),
        f"dice >= {CLEAN}": int((dice >= CLEAN).sum()),
        f"dice >= {SICK}": int((dice >= SICK).sum()),
        f"sides below {SICK}": len(within),
        "of these ml within 20 %": int((within <= WITHIN).sum()),
        "flagged": int(flagged.sum()),
    }


if __name__ == "__main__":
    main()
