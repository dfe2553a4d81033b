"""A run that is killed at any step leaves one whole run, never a mixture."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ingest_phantom import AFFINE, chest

from clamlab.study import Study, StudyError
from clamlab.volumes import save_nifti

IDS = ["a", "b"]
STEPS = ("fsync", "replace", "unlink", "rmdir", "mkdir", "link")
NEEDS_ROOM = ("fsync", "link")
KILLED, FULL = 9, 28
# Every third step, so that reads, writes and renames come in turn; CLAMLAB_EVERY_STEP=1: all.
EVERY = int(os.environ.get("CLAMLAB_EVERY_STEP", "3"))


def run(study, value):
    """Run stage 02: plain files, an array filled by rows, and a folder that runs go on from."""
    stage = study.stage("02_volumes", value=value)
    stage.read("cohort")
    folder = stage.path("subjects")
    for subject in IDS:
        (folder / subject).mkdir(exist_ok=True)
        written = folder / subject / f".{value}"
        written.write_text(str(value))
        os.replace(written, folder / subject / "state.json")
    stage.write("scans", pd.DataFrame({"subject_id": IDS}))
    stage.write("lung_mask", np.full((2, 2, 2), value > 0))
    stage.write("qc", pd.DataFrame({"subject_id": IDS, "status": "ok", "reason": str(value)}))
    stage.write("grid", {"spacing_mm": [value] * 3})
    stage.path("template").unlink(missing_ok=True)
    stage.path("template").write_text(str(value))
    with stage.new_array("volumes", (2, 2, 2, 2), "int16") as volumes:
        volumes[:] = value
    stage.publish()


def study_after(root, earlier):
    """Make a study in which stage 02 was run, or not yet."""
    study = Study.create(root)
    cohort = study.stage("01_cohort")
    cohort.write("cohort", pd.DataFrame({"subject_id": IDS, "scan": IDS}))
    cohort.write("exclusions", pd.DataFrame({"subject_id": ["c"], "reason": ["no scan"]}))
    cohort.publish()
    if earlier is not None:
        run(study, earlier)
    return study


def values(study):
    """Every value that the stage's files hold: one, if they are of one run."""
    found = {int(study.read("volumes").min()), int(study.read("volumes").max())}
    found |= {int(study.read("grid")["spacing_mm"][0]), *map(int, study.read("qc")["reason"])}
    found |= {int(study.path("template").read_text())}
    return found | {int(p.read_text()) for p in study.path("subjects").rglob("state.json")}


def at_step(number, steps, happens):
    """Let something happen at this process's n-th step, which ``happens`` takes as a call."""
    count = 0

    def wrapped(real):
        def step(*args, **kwargs):
            nonlocal count
            count += 1
            return happens(lambda: real(*args, **kwargs), count - number)

        return step

    for name in steps:
        setattr(os, name, wrapped(getattr(os, name)))


def code_of(work):
    """Return what a process of its own ends with that does the work."""
    child = os.fork()
    if not child:
        os._exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(number, after, study, value):
    """Run in a process that dies at its n-th step; tell whether it got that far."""

    def dying(call, beyond):
        if beyond == 0 and not after:
            os._exit(KILLED)
        try:
            return call()
        finally:
            if beyond == 0:
                os._exit(KILLED)

    def work():
        at_step(number, STEPS, dying)
        run(study, value)
        return 0

    return code_of(work) == KILLED


def told_full_at(number, study, value):
    """Run in a process whose disk is full from its n-th step on; tell whether it got that far."""

    def refusing(call, beyond):
        if beyond < 0:
            return call()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def work():
        at_step(number, NEEDS_ROOM, refusing)
        try:
            run(study, value)
        except StudyError as error:
            assert "No space left on device" in str(error) and "make room" in str(error)
            return FULL
        return 0

    code = code_of(work)
    assert code in (0, FULL)
    return code == FULL


@pytest.mark.parametrize(
    ("earlier", "after"), [(None, False), (1, False), (1, True), (2, False)],
    ids=["first run", "changed", "changed, after", "as before"],
)  # fmt: skip
def test_a_kill_at_every_step(tmp_path, earlier, after):
    """The new run has the value 2; the earlier one, where there is one, the same or another."""
    origin = study_after(tmp_path / "origin", earlier)
    outcomes = set()
    for number in itertools.count(1, EVERY):
        root = tmp_path / f"study{number}"
        shutil.copytree(origin.root, root)
        if not killed_at(number, after, Study(root), 2):
            break
        study = Study.open(root)
        state = study.status(verify=True).set_index("stage").loc["02_volumes"]
        if state["status"] == "fresh":
            (held,) = values(study)  # of one run, whichever
            outcomes.add("new" if held == 2 else "earlier")
        else:
            assert earlier is None and state["status"] == "missing", (number, state.to_dict())
            outcomes.add("none")
        run(study, 2)  # and whoever runs it again gets what an undisturbed run gives
        assert values(study) == {2}
        assert study.status(verify=True).set_index("stage")["status"]["02_volumes"] == "fresh"
        assert not (root / "02_volumes" / "unfinished").exists()
        shutil.rmtree(root)
    assert number > 20
    assert outcomes == {{None: "none", 1: "earlier", 2: "new"}[earlier], "new"}


def test_a_full_disk_at_every_step(tmp_path):
    """It is told in a sentence, one whole run stands, and all goes on when there is room."""
    origin = study_after(tmp_path / "origin", 1)
    outcomes = set()
    for number in itertools.count(1, EVERY):
        root = tmp_path / f"study{number}"
        shutil.copytree(origin.root, root)
        if not told_full_at(number, Study(root), 2):
            break
        study = Study.open(root)
        state = study.status(verify=True).set_index("stage").loc["02_volumes"]
        assert state["status"] == "fresh", (number, state.to_dict())
        (held,) = values(study)
        outcomes.add(held)
        run(study, 2)
        assert values(study) == {2}
        shutil.rmtree(root)
    assert number > 20
    assert outcomes == {1, 2}


def until(found, seconds=60):
    """Wait for something to be found."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value


def test_workers_end_with_the_process_that_they_work_for(tmp_path):
    """It is killed for want of memory, say: the study is free then, and nobody may write on."""
    for subject in IDS:
        save_nifti(tmp_path / f"{subject}.nii.gz", chest()[0], AFFINE)
    code = f"""
        import pandas as pd
        from clamlab.ingest import ingest_cohort
        cohort = pd.DataFrame({{"subject_id": {IDS}, "scan": [f"{{i}}.nii.gz" for i in {IDS}]}})
        ingest_cohort(cohort, "study", scans_root=".", n_jobs=2)
    """
    run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path)
    folders = [tmp_path / "study" / "scans" / subject for subject in IDS]
    until(lambda: all(folder.is_dir() and any(folder.iterdir()) for folder in folders))
    tasks = Path(f"/proc/{run.pid}/task").glob("*/children")
    workers = [Path("/proc", pid) for task in tasks for pid in task.read_text().split()]
    begun = [worker for worker in workers if "LokyProcess" in (worker / "cmdline").read_text()]
    run.kill()
    run.wait()
    assert len(begun) == 2
    until(lambda: not any(worker.exists() for worker in begun), seconds=10)
