"""Whether a study made again from its manifest is the same, with as many threads and with more.

    make bench rerun      half an hour on two cores

A study of sixteen simulated scans is run with one thread, from its DICOM series to Table 2 and
Figure 10, and reported. ``clamlab rerun`` makes it twice more from its manifest: with one thread
and with two. rerun.csv beside this file holds a row for each file or folder that a stage made:
identical to the last byte or not, and by how much it differs.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from clamlab.cli.rerun.command import DIFFERENT  # which is what is asked

RESULT = Path(__file__).with_suffix(".csv")
COHORT = ["-p", "N_SUBJECTS=16"]
RUN = ["-p", "SPACING_MM=8", "-p", "REGISTRATION=affine", "-p", "CHANNELS=(16, 32, 64)"]
RUN += ["-p", "BATCH_SIZE=8", "-p", "EPOCHS=60", "-p", "N_CLUSTERS=2", "-p", "N_BOOTSTRAP=100"]


def clamlab(command: str, *arguments: str, threads: int = 1) -> None:
    """Run one command with so many threads."""
    told = [sys.executable, "-m", "clamlab", command, *arguments]
    done = subprocess.run(told, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if done.returncode and (command, done.returncode) != ("rerun", DIFFERENT):
        raise SystemExit(f"clamlab {command} ended with {done.returncode}")


def made_again(study: Path, threads: int) -> list[dict]:
    """Make a study again, and read how each of its artefacts came out."""
    again = study.with_name(f"again_{threads}")
    manifest = str(study / "report" / "manifest.json")
    clamlab("rerun", manifest, "--study", str(again), "--against", str(study), threads=threads)
    told = json.loads((again / "report" / "rerun.json").read_text())
    return [
        {"threads": threads, "stage": stage, "artefact": name, "state": one.pop("state")}
        | {"told": json.dumps(one) if one else ""}
        for stage, made in told["stages"].items()
        for name, one in made["artefacts"].items()
    ]


def main() -> None:
    """Run, report, make again."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study"
        clamlab("simulate", str(study), *COHORT)
        clamlab("run", str(study), *RUN)
        clamlab("report", str(study))
        rows = [row for threads in (1, 2) for row in made_again(study, threads)]
    table = pd.DataFrame(rows)
    table.to_csv(RESULT, index=False)
    print(table.groupby("threads")["state"].value_counts().to_string())


if __name__ == "__main__":
    main()
