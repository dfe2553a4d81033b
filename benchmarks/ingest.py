"""What a scan costs on its way to the grid: seconds and memory by step.

    make bench ingest                                     about a quarter of an hour
    python benchmarks/ingest.py FOLDER [FOLDER ...]       DICOM series of your own besides

Simulated chests of a usual size (512 x 512 x 120) are written as DICOM and ingested at 6 mm
(affine) and at 3 mm (SyN), with one process and with two, each in a fresh interpreter. Figures are
per subject. Steps are told for one process; with two, only what the whole took. CPU seconds are
those of the processes, so that others' work on the machine counts little. Results stay in
ingest.csv beside this file.
"""

import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pandas as pd

from clamlab.ingest import ingest_cohort
from clamlab.ingest.cohort import pipeline, steps
from clamlab.simulate import lung_cohort, write_dicom

RESULT = Path(__file__).with_suffix(".csv")
SETTINGS = ((6.0, "affine"), (3.0, "syn"))
N, SHAPE, SEED = 4, (512, 512, 120), 1
SPACING = tuple(mm / side for mm, side in zip((384, 384, 336), SHAPE, strict=True))
STEPS = {
    "read": [(steps, "read_scan")],
    "segment": [(steps, "find_air"), (steps, "label_lungs")],
    "register": [(steps, "register")],
    "warp": [(steps, name) for name in ("warp_image", "warp_labels", "fill_lungs")],
    "write": [(steps, "save_nifti"), (steps, "_save_transform")],
    "picture": [(steps, "draw_subject")],
    "template": [(pipeline, "own_template")],
}


def clock() -> tuple[float, float]:
    """Read the wall's and the processor's clock, children that have ended included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(u.ru_utime + u.ru_stime for u in used)


def timed(taken: dict, step: str, work):
    """Add what each call takes to its step."""

    @functools.wraps(work)
    def measured(*arguments, **options):
        before = clock()
        found = work(*arguments, **options)
        taken[step] += [now - then for now, then in zip(clock(), before, strict=True)]
        return found

    return measured


def one_run(cohort: pd.DataFrame, spacing: float, kind: str, n_jobs: int) -> dict:
    """Ingest in this process, and say what it took."""
    taken: dict = defaultdict(lambda: pd.Series([0.0, 0.0]))
    if n_jobs == 1:
        for step, places in STEPS.items():
            for module, name in places:
                setattr(module, name, timed(taken, step, getattr(module, name)))
    import ants  # noqa: F401 - three seconds once a process, whatever the number of scans

    before = clock()
    with tempfile.TemporaryDirectory() as folder:
        qc = ingest_cohort(
            cohort, folder, spacing_mm=spacing, registration=kind, n_jobs=n_jobs, seed=SEED,
            progress=False,
        )  # fmt: skip
    if n_jobs > 1:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)  # only then their seconds are known
    taken["all"] += [now - then for now, then in zip(clock(), before, strict=True)]
    peaks = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return {
        "steps": {step: list(both) for step, both in taken.items()},
        "peak_gib": max(peaks) / 2**20,
        "dice": qc["dice"].mean(),
        "used": int((qc["status"] != "excluded").sum()),
    }


def write_scans(root: Path) -> None:
    """Simulate scans as a scanner delivers them."""
    cohort = lung_cohort(N, spacing_mm=SPACING, shape=SHAPE, seed=SEED)
    for i in range(N):
        volume, affine, _, _ = cohort.scan(i)
        write_dicom(volume, root / f"S-{i}", affine=affine, subject_id=f"S-{i}")


def rows_of(name: str, folders: list[Path], spacing: float, kind: str, n_jobs: int) -> list[dict]:
    """Measure one setting in an interpreter of its own."""
    n = len(folders)
    cohort = {"subject_id": [folder.name for folder in folders], "scan": [str(f) for f in folders]}
    options = json.dumps([cohort, spacing, kind, n_jobs])
    done = subprocess.run(
        [sys.executable, __file__, "--one", options], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    about = {"scans": name, "n": n, "spacing_mm": spacing, "registration": kind, "n_jobs": n_jobs}
    rows = [
        about | {"step": step, "wall_s": wall / n, "cpu_s": cpu / n}
        for step, (wall, cpu) in found.pop("steps").items()
    ]
    rows[-1] |= found  # of the whole
    print(pd.DataFrame(rows).round(2).to_string(index=False), flush=True)
    return rows


def main() -> None:
    """Measure the simulated scans, then those that are given."""
    rows = []
    with tempfile.TemporaryDirectory() as root:
        # In a process of its own: a child's peak of memory counts from its parent's on.
        subprocess.run([sys.executable, __file__, "--write", root], check=True)
        kinds = {"simulated": sorted(Path(root).iterdir())}
        if sys.argv[1:]:
            kinds["given"] = [Path(folder) for folder in sys.argv[1:]]
        for name, folders in kinds.items():
            for spacing, kind in SETTINGS:
                for n_jobs in (1, 2)[: len(folders)]:
                    rows += rows_of(name, folders, spacing, kind, n_jobs)
    pd.DataFrame(rows).to_csv(RESULT, index=False, float_format="%.3g")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        rows, *options = json.loads(sys.argv[2])
        print(json.dumps(one_run(pd.DataFrame(rows), *options)))
    elif sys.argv[1:2] == ["--write"]:
        write_scans(Path(sys.argv[2]))
    else:
        main()
