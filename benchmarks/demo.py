"""How long the demonstration takes, stage by stage: `make demo` as it stands, in a new folder."""

import csv
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

RESULT = Path(__file__).with_suffix(".csv")
DONE = re.compile(r"^(\w+): done in (\d+) s$", re.MULTILINE)


def main() -> None:
    """Run the demonstration and keep the seconds of each stage, of the report and of all."""
    # The limit of a measurement's own process is not the demonstration's.
    surroundings = {name: os.environ[name] for name in os.environ if name != "OMP_NUM_THREADS"}
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        run = subprocess.run(
            ["make", "demo", f"STUDY={folder}/study"],
            check=True,
            env=surroundings,
            stdout=subprocess.PIPE,
            text=True,
        )
        total = time.monotonic() - start
    stages = [(name, int(seconds)) for name, seconds in DONE.findall(run.stdout)]
    rest = round(total - sum(seconds for _, seconds in stages))
    rows = [*stages, ("opening and report", rest), ("total", round(total))]
    with RESULT.open("w", newline="") as file:
        csv.writer(file).writerows([("step", "seconds"), *rows])
    print(RESULT.read_text())


if __name__ == "__main__":
    main()
