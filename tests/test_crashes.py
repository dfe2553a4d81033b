"""A run that is killed at any step leaves one whole run, never a mixture."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from clamlab.study import Study

IDS = ["a", "b"]
STEPS = ("fsync", "replace", "unlink", "rmdir", "mkdir", "link")
KILLED = 9


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


def values(study):
    """Every value that the stage's files hold: one, if they are of one run."""
    found = {int(study.read("volumes").min()), int(study.read("volumes").max())}
    found |= {int(study.read("grid")["spacing_mm"][0]), *map(int, study.read("qc")["reason"])}
    found |= {int(study.path("template").read_text())}
    return found | {int(p.read_text()) for p in study.path("subjects").rglob("state.json")}


def killed_at(number, after, study, value):
    """Run in a process of its own that dies at its n-th step; tell whether it got that far."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    count = 0

    def dying(real):
        def step(*args, **kwargs):
            nonlocal count
            count += 1
            now = count == number
            if now and not after:
                os._exit(KILLED)
            try:
                return real(*args, **kwargs)
            finally:
                if now:
                    os._exit(KILLED)

        return step

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))
    run(study, value)
    os._exit(0)


@pytest.mark.parametrize(
    ("earlier", "after"), [(None, False), (1, False), (1, True), (2, False)],
    ids=["first run", "changed", "changed, after", "as before"],
)  # fmt: skip
def test_a_kill_at_every_step(tmp_path, earlier, after):
    """The new run has the value 2; the earlier one, where there is one, the same or another."""
    origin = Study.create(tmp_path / "origin")
    cohort = origin.stage("01_cohort")
    cohort.write("cohort", pd.DataFrame({"subject_id": IDS, "scan": IDS}))
    cohort.write("exclusions", pd.DataFrame({"subject_id": ["c"], "reason": ["no scan"]}))
    cohort.publish()
    if earlier is not None:
        run(origin, earlier)
    number, outcomes = 0, set()
    while True:
        number += 1
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
