"""How long the demonstration takes and how much memory its largest process needs."""

import csv
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULT = Path(__file__).with_suffix(".csv")
NOTEBOOKS = [f"{number:02d}" for number in range(1, 10)]
COHORT = ["-p", "N_SUBJECTS=48"]
RUN = ["-p", "SPACING_MM=6", "-p", "REGISTRATION=affine", "-p", "CHANNELS=(16, 32, 64)"]
RUN += ["-p", "BATCH_SIZE=8"]


def timed(*arguments: str) -> float:
    """Run one command of clamlab and return its seconds."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", "clamlab", *arguments], check=True)
    return time.monotonic() - start


def parameters_for(number: str) -> list[str]:
    """Return those parameters that this notebook takes."""
    takes = {"02": RUN[:4], "03": RUN[4:], "05": RUN[6:]}
    return takes.get(number, [])


def main() -> None:
    """Run the demonstration notebook by notebook and keep the figures."""
    folder = Path(tempfile.mkdtemp())
    study = str(folder / "study")
    rows = [("simulate", timed("simulate", study, *COHORT))]
    for number in NOTEBOOKS:
        seconds = timed("run", study, "--from", number, "--to", number, *parameters_for(number))
        rows.append((number, seconds))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    rows += [("total", sum(seconds for _, seconds in rows)), ("peak_gib", peak)]
    with RESULT.open("w", newline="") as file:
        csv.writer(file).writerows([("step", "value"), *((n, f"{v:.2f}") for n, v in rows)])
    print(RESULT.read_text())
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
