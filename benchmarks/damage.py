"""What becomes of damaged files: every reader, every kind of damage.

    make bench damage      some minutes

A whole file of each kind that the library reads is damaged in all ways of ``studies/damage`` (it is
no file, its length, its structure, fields of headers that contradict one another or the data,
bombs) and read in a process of its own. "refused": in one sentence that names the file, or, of a
slice among others, in a note for which a person is asked to look; "same": what was read is what was
kept; "different": it is not. No reader can notice a value that is as good as the one before: a cell
of a CSV, a part of a contract. Formats without check sums (CSV, xls, sav, dta, xpt, JSON) are
"different" there; a volume or an array must never be. The peak is what the read takes beyond the
process that starts it; files of SPSS, Stata and SAS are read by a further process, whose memory is
not in it. Needs Linux.

The table stays in damage.csv beside this file; where DAMAGE_ENDINGS names a folder, each ending in
damage_endings.csv there.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
from pathlib import Path

import pandas as pd

from studies.damage.honest import readers
from studies.damage.trying import LONGEST, SPARE, damages, end_of

RESULT = Path(__file__).with_suffix(".csv")
ENDINGS = ("refused", "same", "different", "traceback", "hang")
NEVER_DIFFERENT = ("volume", "scan", "header", "warp", "array", "weights", "training")


def main() -> int:
    """Try all, write the table, and fail where something wrong passed as right."""
    rows = []
    for reader in readers(Path(tempfile.mkdtemp())):
        whole = end_of(reader, "", None)
        for kind, name, change in damages(reader):
            end = end_of(reader, name, change, whole.said)
            rows.append(
                {"reader": reader.name, "damage": kind, "what": name, "how": end.how,
                 "seconds": end.seconds, "mib": end.mib, "honest_mib": whole.mib,
                 "said": end.said}
            )  # fmt: skip
        print(f"{reader.name}: {len(rows)} files so far", flush=True)
    table = pd.DataFrame(rows)
    if folder := os.environ.get("DAMAGE_ENDINGS"):
        table.to_csv(Path(folder) / "damage_endings.csv", index=False)
    by = table.groupby(["reader", "damage"], sort=False)
    result = by.size().rename("files").to_frame()
    for how in ENDINGS:
        result[how] = by["how"].agg(lambda column, how=how: (column == how).sum())
    result["worst_seconds"] = by["seconds"].max().round(2)
    result["worst_mib"] = by["mib"].max().round(1)
    result["honest_mib"] = by["honest_mib"].first().round(1)
    result.reset_index().to_csv(RESULT, index=False)
    print(result.to_string())
    wrong = table[
        table["how"].isin(["traceback", "hang"])
        | ((table["how"] == "different") & table["reader"].str.startswith(NEVER_DIFFERENT))
        | (table["seconds"] > LONGEST)
        | (table["mib"] > 2 * table["honest_mib"] + SPARE)
    ]
    print(f"{len(table)} files, {len(wrong)} ended otherwise than they should")
    print(wrong.drop(columns="honest_mib").to_string(max_colwidth=150))
    return int(len(wrong) > 0)


if __name__ == "__main__":
    sys.exit(main())
