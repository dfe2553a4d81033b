"""What a crash leaves of a study: every stage's real notebook, stopped at each kind of step.

    make bench crashes        two hours on one core. Stopped, it goes on where it was:
                              crashes.csv holds the trials done so far

Each trial starts from a copy of an undisturbed study (simulated, 10 subjects, a 14 mm grid) in
which the stage was not run yet ("first run"), was run with the same parameters ("as before") or
with others ("changed"). ``clamlab run`` is stopped at one step, ``clamlab status --verify`` is
asked what stands there, and ``clamlab run`` makes the stage again.

A step is a file opened for writing, or a call of those in ``studies/crashing/sitecustomize.py``.
Steps of one operation in one folder are of one kind (subjects' folders are one; the record, the
journal of a publication and the lock are kinds of their own). Of each kind the first is taken, and
for "changed" the last, and a middle one where there is one for each subject; "first run" and "as
before" take every second kind each. What a crash after a step leaves, a crash before the next one
finds. A crash at an fsync leaves what one at the rename after it does, and the lock and the
notebooks are every stage's: these are taken for stage 01 alone.

"killed": the command, its kernel and its workers at once ("then run as before it": with the
parameters of the earlier run, whose bytes must come again); "ended": the process that takes the
step alone; "full disk": from the step on nothing can be written but the notebook, in which it is
told (column said); "killed by the clock": at random moments. A power cut, which may lose what was
written and not yet synced, is not tried.

Parameters, contract and grid are the quickest that pass the notebooks' own checks. Bytes are
compared but for what holds times: ``stage.json``, and the seconds that a subject or an epoch took
(``qc.csv``, ``state.json``, ``history.csv``); notebooks hold outputs, and are compared by name.
With its one parameter stage 01 makes the same files, so there "changed" is told by its record
alone. Processes are forked from one that has imported what stages need
(``studies/crashing/warm.py``); workers start anew, as always. Needs Linux. Results stay in
crashes.csv beside this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from clamlab.study import Study
from clamlab.study.catalogue import STAGES
from clamlab.study.files import write_file

RESULT = Path(__file__).with_suffix(".csv")
CRASHING = Path(__file__).parent / "studies" / "crashing"
# Undisturbed studies, and what goes on in one trial; a stopped sweep goes on with them.
WORK = Path(os.environ.get("CRASHES_FOLDER", Path(tempfile.gettempdir()) / "clamlab_crashes"))
SOCKET = WORK / "warm"
PARAMETERS = {
    "00": {"N_SUBJECTS": 10, "SPACING_MM": (8.0, 8.0, 10.0)},
    "01": {"MIN_SUBJECTS": 10},
    "02": {"SPACING_MM": 14, "REGISTRATION": "affine", "N_JOBS": 1},
    "03": {"CHANNELS": (8, 16, 32), "BATCH_SIZE": 2, "HELD_OUT": 0, "EPOCHS": 120},
    "04": {"N_CLUSTERS": 2, "K_MAX": 3, "N_BOOTSTRAP": 5},
    "05": {"EPOCHS": 20, "BATCH_SIZE": 5},
    "06": {"TRUST_SCANS": 1},
    "07": {"PER_CLUSTER": 1},
    "08": {},
    "09": {"N_BOOTSTRAP": 20, "COVARIATES": ("age_years",)},
}
OTHERS = {
    "00": {"SEED": 2},
    "01": {"MIN_SUBJECTS": 9},
    "02": {"SPACING_MM": 16},
    "03": {"EPOCHS": 121},
    "04": {"K_MAX": 4},
    "05": {"EPOCHS": 10},
    "06": {"LAYER": -2},
    "07": {"PER_CLUSTER": 2},
    "08": {"PRESET": "paper"},
    "09": {"COVARIANCE": "HC3", "N_BOOTSTRAP": 30},
}
STARTS = ("changed", "first run", "as before")
BACK = "killed, then run as before it"
N_OUTCOMES = 2
NEEDS_ROOM = ("open", "mkdir", "link", "posix_fallocate")
N_MOMENTS = 3  # of each stage and start that are killed by the clock
RESUMING = ("02", "03", "05", "06")  # whose runs go on from what an interrupted one left
COMMON = re.compile(r"^(\.|notebooks/|study\.json)")
COMMON_IN = "01"
# What is one of a kind; other files are told apart by their folder alone.
OWN_KIND = re.compile(r"(stage|\.publishing|\.lock)\.json$|\.seeded$|\.checkpoint|\.lock$")
SECONDS = re.compile(r'"seconds": [\d.e-]+')


@dataclass(frozen=True)
class Trial:
    """One crash."""

    stage: str
    start: str
    event: str
    step: str  # the operation, and the kind of file
    which: str
    at: str  # the step itself: operation, file, how many times by then

    def key(self) -> tuple[str, ...]:
        """Return what names it in the results."""
        return (self.stage, self.start, self.event, self.at)


# Running a stage ----------------------------------------------------------------------------------


@contextmanager
def warm() -> Iterator[None]:
    """Have a process that runs modules without importing anything anew."""
    kernel = WORK / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True, exist_ok=True)
    argv = [*asking("ipykernel_launcher"), "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "warm"}))
    SOCKET.unlink(missing_ok=True)
    server = subprocess.Popen(
        [sys.executable, CRASHING / "warm.py", "serve", SOCKET],
        env=environment(), stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while not SOCKET.exists():
            if server.poll() is not None:
                raise SystemExit("the process that runs stages did not start")
            time.sleep(0.1)
        yield
    finally:
        server.kill()


def asking(*command: str) -> list[str]:
    """Return the command by which a module is run by the warm process."""
    return [sys.executable, "-S", "-E", str(CRASHING / "warm.py"), str(SOCKET), *command]


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of what is run: this repository's library, and the crashing."""
    path = os.pathsep.join([str(CRASHING), str(CRASHING.parents[2])])
    known = {k: v for k, v in os.environ.items() if not k.startswith("CRASH_")}
    return known | {"PYTHONPATH": path, "JUPYTER_PATH": str(WORK / "jupyter")} | settings


def run(root: Path, nn: str, *, others: bool = False, more: dict | None = None, **crash: str):
    """Run one stage with ``clamlab run``; return the process, its output in files."""
    values = PARAMETERS[nn] | (OTHERS[nn] if others else {}) | (more or {})
    told = [part for name, value in values.items() for part in ("-p", f"{name}={value}")]
    for left in (root.parent / "log", root.parent / "log.members", root.parent / "log.full"):
        left.unlink(missing_ok=True)
    settings = {"CRASH_STUDY": str(root), "CRASH_LOG": str(root.parent / "log")}
    settings |= {f"CRASH_{name.upper()}": value for name, value in crash.items()}
    with (root.parent / "said").open("w") as said:
        return subprocess.Popen(
            asking("clamlab", "run", str(root), "--from", nn, "--to", nn, *told),
            env=environment(**settings), stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip


def kill_all(root: Path) -> None:
    """Kill whoever took part in the last run, and wait for the end of all: one has the lock."""
    noted = root.parent / "log.members"
    members = noted.read_text().split() if noted.exists() else []
    for member in members:
        with suppress(ProcessLookupError):
            os.kill(int(member), signal.SIGKILL)
    while any(Path("/proc", member).exists() for member in members):
        time.sleep(0.01)


def whole_run(root: Path, nn: str, **how) -> float:
    """Run a stage to its end; return the seconds it took."""
    start = time.monotonic()
    if run(root, nn, **how).wait():
        raise SystemExit(f"{nn} stopped in {root}:\n{(root.parent / 'said').read_text()}")
    return time.monotonic() - start


# What lies there ----------------------------------------------------------------------------------


def contents(root: Path, nn: str) -> dict[str, str]:
    """Return what a stage's files hold, times left out; what is hidden is a run's own."""
    folder = root / stage_of(nn)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    named = {path.relative_to(folder): path for path in files}
    return {
        str(name): digest(path)
        for name, path in named.items()
        if name.parts[0] not in ("unfinished", "stage.json") and not name.parts[0].startswith(".")
    }


def digest(path: Path) -> str:
    """Return the sha256 of a file without the seconds that its work took."""
    content = path.read_bytes()
    if path.name in ("qc.csv", "history.csv"):
        content = pd.read_csv(path, dtype=str).drop(columns="seconds").to_csv().encode()
    if path.name == "state.json":
        content = SECONDS.sub("", content.decode()).encode()
    return hashlib.sha256(content).hexdigest()


def names(root: Path) -> list[str]:
    """Return all that lies in a study."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def stage_of(nn: str) -> str:
    """Return a stage by its two digits."""
    return next(stage for stage in STAGES if stage.startswith(nn))


# Undisturbed studies ------------------------------------------------------------------------------


def origin(nn: str, start: str) -> Path:
    """Return where the undisturbed study lies that trials of a stage start from."""
    return WORK / f"{nn} {start}" / "study"


def prepare() -> None:
    """Make the studies that trials start from, and what undisturbed runs make of them."""
    before = WORK / "empty" / "study"
    if not before.exists():
        empty_study(before)
    for nn in PARAMETERS:
        same = origin(nn, "as before")
        for start in STARTS:
            place = origin(nn, start)
            if not (place.parent / "undisturbed.json").exists():
                shutil.rmtree(place.parent, ignore_errors=True)
                shutil.copytree(before, place)
                if start != "first run":
                    whole_run(place, nn, others=start == "changed")
                undisturbed(place, nn)
        before = same


def empty_study(root: Path) -> None:
    """Make a study with few outcomes."""
    root.parent.mkdir(parents=True, exist_ok=True)
    made = root.with_name("half made")
    shutil.rmtree(made, ignore_errors=True)
    study = Study.create(
        made, name="study", simulated=True, participants="00_simulate/participants.csv",
        scans="00_simulate/dicom", id_column="subject_id", path_column=None,
    )  # fmt: skip
    contract = study.schema("participants")
    outcomes = [rule for rule in contract["properties"].values() if rule.get("x-role") == "outcome"]
    for rule in outcomes[N_OUTCOMES:]:
        del rule["x-role"]
    write_file(made / "schemas" / "participants.schema.json", contract)
    made.rename(root)


def undisturbed(place: Path, nn: str) -> None:
    """Keep what an undisturbed run makes of a study, step by step."""
    root = place.parent / "again" / "study"
    shutil.copytree(place, root)
    seconds = whole_run(root, nn)
    kept = {
        "seconds": seconds,
        "earlier": contents(place, nn),
        "new": contents(root, nn),
        "names before": names(place),
        "names": names(root),
        "steps": (root.parent / "log").read_text().splitlines(),
    }
    (place.parent / "undisturbed.json").write_text(json.dumps(kept, indent=1))
    shutil.rmtree(root.parent)


def known(nn: str, start: str) -> dict:
    """Return what an undisturbed run makes."""
    return json.loads((origin(nn, start).parent / "undisturbed.json").read_text())


# Trials -------------------------------------------------------------------------------------------


def planned() -> list[Trial]:
    """List the trials: first those of every kind of step, then more of each."""
    trials = [trial for nn in PARAMETERS for start in STARTS for trial in at_steps(nn, start)]
    trials += [trial for nn in PARAMETERS for trial in by_the_clock(nn)]
    trials += in_workers()
    trials += [trial for nn in RESUMING for trial in going_back(nn)]
    order = ["first", "back", "random", "worker", "last", "middle"]
    shuffled = random.Random(0).sample(trials, len(trials))
    return sorted(shuffled, key=lambda t: (t.event == "full disk", order.index(t.which)))


def at_steps(nn: str, start: str) -> Iterator[Trial]:
    """List a stage's trials at steps."""
    kinds: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for step in known(nn, start)["steps"]:
        counts[step] = counts.get(step, 0) + 1
        kinds.setdefault(kind_of(step), []).append(f"{step} {counts[step]}")
    for number, (kind, steps) in enumerate(kinds.items()):
        operation, file = kind.split(" ", 1)
        if nn != COMMON_IN and (COMMON.match(file) or operation == "fsync"):
            continue
        if start != "changed" and number % 2 != STARTS.index(start) % 2:
            continue
        event = "ended" if start == "as before" else "killed"
        chosen = {"first": steps[0]}
        if start == "changed":
            chosen |= {"last": steps[-1]}
        if start == "changed" and "SUBJECT" in kind:
            chosen |= {"middle": steps[len(steps) // 2]}
        for at, which in {at: which for which, at in reversed(chosen.items())}.items():
            yield Trial(nn, start, event, kind, which, at)
        if start == "changed" and operation in NEEDS_ROOM:
            yield Trial(nn, start, "full disk", kind, "first", steps[0])


def kind_of(step: str) -> str:
    """Return a step without what tells files of one folder, and folders of subjects, apart."""
    operation, file = step.split(" ", 1)
    folder, _, name = re.sub(r"sim\d+/", "SUBJECT/", file).rpartition("/")
    hidden = re.match(r"(\.partial-)?\.?", name).group()
    if "." in name.lstrip(".") and not OWN_KIND.search(name):
        name = f"{hidden}*"
    name = re.sub(r"sim\d+$", "SUBJECT", name)
    return f"{operation} {folder}/{name}".replace(" /", " ")


def by_the_clock(nn: str) -> Iterator[Trial]:
    """List a stage's trials at random moments."""
    moments = random.Random(nn)
    for start in STARTS:
        for _ in range(N_MOMENTS if start == "changed" else 1):
            share = f"{moments.uniform(0.05, 1):.3f} of the run"
            yield Trial(nn, start, "killed by the clock", "", "random", share)


def in_workers() -> Iterator[Trial]:
    """List trials at steps that workers take, where ingestion has two of them."""
    for file in ("image.nii.gz", "registered.nii.gz", "state.json"):
        at = f"replace 02_volumes/unfinished/scans/sim006/{file} 1"
        for event in ("killed", "ended"):
            yield Trial("02", "changed", f"{event}, two workers", kind_of(at[:-2]), "worker", at)


def going_back(nn: str) -> Iterator[Trial]:
    """List trials after which the stage is run as it was before, not as the run that crashed."""
    seen: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for step in known(nn, "changed")["steps"]:
        counts[step] = counts.get(step, 0) + 1
        if "/unfinished/" in step and not step.startswith("fsync"):
            seen.setdefault(re.sub(r"sim\d+", "SUBJECT", step), []).append(f"{step} {counts[step]}")
    by_kind: dict[str, tuple[str, str]] = {}
    for name, steps in seen.items():
        kind = name if "SUBJECT" in name else kind_of(name)
        by_kind.setdefault(kind, (kind, steps[len(steps) // 2]))
    for kind, at in by_kind.values():
        yield Trial(nn, "changed", BACK, kind, "back", at)


def row_of(trial: Trial) -> dict[str, str]:
    """Crash, look, and run again."""
    folder = WORK / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "study"
    shutil.copytree(origin(trial.stage, trial.start), root)
    expected = known(trial.stage, trial.start)
    crash(trial, root, expected["seconds"])
    said = words(root)
    found = found_in(root, trial, expected)
    back = trial.event == BACK
    then = run_again(root, trial.stage, expected, back=back)
    told = said if trial.event == "full disk" else ""
    return asdict(trial) | {"found": found, "then": then, "said": told}


def run_again(root: Path, nn: str, expected: dict, *, back: bool) -> str:
    """Run a stage to its end after a crash; say whether all is as without one."""
    if run(root, nn, others=back).wait():
        return f"STOPPED: {words(root)}"
    if odd := difference(contents(root, nn), expected["earlier" if back else "new"]):
        return f"OTHER BYTES: {odd}"
    state = state_of(root, nn)
    if state["status"] != "fresh":
        return f"NOT FRESH: {state['status']}, {state['why']}"
    left = set(names(root)) ^ set(expected["names before" if back else "names"])
    return f"LEFT OVER: {', '.join(sorted(left)[:3])}" if left else "the same bytes"


def crash(trial: Trial, root: Path, seconds: float) -> None:
    """Run a stage and let it crash."""
    if trial.event == "killed by the clock":
        process = run(root, trial.stage)
        time.sleep(float(trial.at.split()[0]) * seconds)
    else:
        how = {"k": "together", "e": "alone", "f": "full"}[trial.event[0]]
        more = {"N_JOBS": 2} if "workers" in trial.event else {}
        process = run(root, trial.stage, more=more, at=trial.at, how=how)
        process.wait()
    kill_all(root)
    process.wait()


def words(root: Path) -> str:
    """Return what the command said at its end."""
    said = (root.parent / "said").read_text(errors="replace").replace(str(root), "STUDY")
    at = said.rfind("clamlab: ")
    return " ".join(said[at:].split())[:400] if at >= 0 else ""


def found_in(root: Path, trial: Trial, expected: dict) -> str:
    """Say what a crash left, as the study's own status tells it and as it is."""
    state = state_of(root, trial.stage)
    if state["status"] != "fresh":
        return state["status"] if state["why"] else f"UNSAID: {state['status']}"
    held = contents(root, trial.stage)
    record = json.loads((root / stage_of(trial.stage) / "stage.json").read_text())
    if held == expected["earlier"] == expected["new"]:
        return "one run whole, either gives these bytes"
    if held == expected["new"]:
        return "new run whole"
    if held == expected["earlier"]:
        return "earlier run whole"
    return f"MIXTURE: {difference(held, expected['new'])}, recorded as of {record['time']}"


def state_of(root: Path, nn: str) -> dict[str, str]:
    """Ask a study how a stage stands, every byte looked at."""
    table = Study.open(root).status(verify=True).fillna("").set_index("stage")
    return table.loc[stage_of(nn)].to_dict()


def difference(held: dict[str, str], expected: dict[str, str]) -> str:
    """Name files that are not as expected."""
    odd = sorted({name for name, _ in held.items() ^ expected.items()})
    return ", ".join(odd[:3])


def main() -> None:
    """Do what is left to do, one row after the other, and sum up."""
    WORK.mkdir(parents=True, exist_ok=True)
    with warm():
        prepare()
        done = pd.read_csv(RESULT, dtype=str).fillna("") if RESULT.exists() else pd.DataFrame()
        known = done.reindex(columns=["stage", "start", "event", "at"])
        keys = set(known.itertuples(index=False, name=None))
        todo = [trial for trial in planned() if trial.key() not in keys]
        print(f"{len(keys)} done, {len(todo)} to do", flush=True)
        for number, trial in enumerate(todo):
            start = time.monotonic()
            row = row_of(trial)
            pd.DataFrame([row]).to_csv(RESULT, mode="a", header=not RESULT.exists(), index=False)
            print(number, round(time.monotonic() - start, 1), *row.values(), sep=" | ", flush=True)
    summarise()


def summarise() -> None:
    """Print how often each outcome was found, by operation."""
    table = pd.read_csv(RESULT, dtype=str).fillna("")
    operation = table["step"].str.split().str[0].fillna("a moment")
    outcome = table["found"] + ", then " + table["then"]
    print(pd.crosstab([table["event"], operation], outcome.str.slice(0, 80)).to_string())


if __name__ == "__main__":
    main()
