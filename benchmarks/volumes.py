"""What becomes of series that came in wrong at some hospital: right to the HU, or refused.

    make bench volumes      three minutes

Every series is a chest whose HU are known at every mm (tests/hospital_cases.py; the tests hold each
row). The table stays in volumes.csv beside this file: what came of the series, what a person is
told, the mean error against the truth (of HU changed on purpose, against the unchanged; of two
phases, against the nearer), how far slices decoded anew are from the volume, and how many were
used, left out and filled.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from clamlab.ingest import IngestError, read_scan

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hospital_cases import ENHANCED, NOTED, REFUSED, RIGHT, combined, error, scaled
from hospital_series import write_enhanced, write_series

RESULT = Path(__file__).with_suffix(".csv")
COMBINED = range(300, 360)
FACTS = ("hu_difference", "slices", "slices_left_out", "slices_filled", "resampled")


def main() -> None:
    """Read every series once."""
    rows = [outcome(kind, found) for kind, (found, *_) in RIGHT.items()]
    rows += [outcome(f"enhanced: {kind}", *case[:2]) for kind, case in ENHANCED.items()]
    rows += [outcome(kind, scaled(change)) for kind, (change, _) in NOTED.items()]
    rows += [outcome(kind, found) for kind, (found, _) in REFUSED.items()]
    several = (combined(seed) for seed in COMBINED)
    rows += [outcome(f"several at once: {words}", found) for found, words in several]
    table = pd.DataFrame(rows)
    table.to_csv(RESULT, index=False)
    print(table.drop(columns="message").to_string(index=False))


def outcome(kind: str, found: list, per_frame: tuple | None = None) -> dict:
    """Write a series, read it, and hold it against the truth."""
    with tempfile.TemporaryDirectory() as folder:
        if per_frame is None:
            write_series(folder, found, shuffled=True)
        else:
            write_enhanced(Path(folder) / "all.dcm", found, per_frame=per_frame)
        try:
            scan = read_scan(folder)
        except IngestError as refused:
            return {"series": kind, "outcome": "refused", "message": str(refused)}
    told = "; ".join(scan.notes)
    facts = {name: scan.facts[name] for name in FACTS}
    row = {"series": kind, "outcome": "told" if told else "right", "message": told}
    return row | {"mean_error_hu": round(min(error(scan), error(scan, above=40.0)), 2)} | facts


if __name__ == "__main__":
    main()
