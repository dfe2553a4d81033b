"""What each command does."""

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from clamlab import resources
from clamlab.cli.running import run_notebooks
from clamlab.cli.standing import allowing, explored, listed, older_report, unsound
from clamlab.cli.summary import summarise
from clamlab.cli.table import told_of_draft, told_of_reading
from clamlab.schema import draft_schema, one_visit, read_table
from clamlab.study import Study, StudyError, lock
from clamlab.study.files import write_file
from clamlab.study.folder import STALE
from clamlab.study.withdrawal.remembering import pending

# Notebook 00 alone: its N_CLUSTERS is the truth, and that of notebook 04 a person's decision.
AGAIN = (
    "'clamlab run {0} --from 00 --to 00' with the parameters (-p) of the simulation begins it "
    "anew, then 'clamlab run {0}' goes on"
)


def init(options: argparse.Namespace) -> None:
    """Make a study from a table and a folder; say what was matched and what was not."""
    # Ingestion brings seconds of imports that no other command needs.
    from clamlab.ingest import match_scans
    from clamlab.ingest.lungs.given import NAMES

    if options.mask_labels not in (None, *NAMES):
        raise StudyError(
            f"--mask-labels: expected {', '.join(NAMES)}, found {options.mask_labels!r}"
        )
    table, scans = Path(options.participants).resolve(), Path(options.scans).resolve()
    participants = one_visit(
        read_table(table, sheet=options.sheet, header=options.header),
        options.visits,
        id_column=options.id_column,
    )
    contract = draft_schema(participants, id_column=options.id_column)
    print(told_of_reading(participants, table, options), end="\n\n")
    id_column = next(n for n, p in contract["properties"].items() if p.get("x-role") == "id")
    matching = match_scans(
        participants,
        scans,
        id_column=id_column,
        path_column=options.path_column,
        match=options.match,
        visit=options.visit,
    )
    study = Study.create(
        options.study,
        simulated=False,
        participants=str(table),
        sheet=options.sheet,
        header=options.header,
        visits=options.visits,
        scans=str(scans),
        id_column=id_column,
        path_column=options.path_column,
        match=options.match,  # a rule that was chosen is no rule that a person stated
        visit=options.visit,
        mask_labels=options.mask_labels,
    )
    drafted = study.root / "schemas" / "participants.schema.json"
    write_file(drafted, contract)
    print(matching.report())
    print(
        f"\nThe table's contract is drafted in {drafted}:\n{told_of_draft(contract, participants)}"
    )
    print(
        "Correct types, roles, units and levels in notebook 01; they decide what Table 2 and "
        "Figure 10 show, and roles what of a person the study keeps and may export. Then: clamlab "
        f"run {options.study}"
    )


def simulate(options: argparse.Namespace) -> None:
    """Make a simulated study: scans as DICOM, a clinical table, and the truth."""
    study = Study.create(
        options.study,
        simulated=True,
        participants="00_simulate/participants.csv",
        scans="00_simulate/dicom",
        id_column="subject_id",
        path_column=None,
    )
    with lock.taken(study.root, "clamlab simulate") as turn:
        run_notebooks(
            study.root / "notebooks",
            ["00_simulate.ipynb"],
            dict(options.parameters),
            environment=turn,
        )
    print(f"\nNext: clamlab run {options.study}")


def run(options: argparse.Namespace) -> None:
    """Run the study's notebooks, then say where the results are."""
    study = Study.open(options.study, stale=options.stale)
    names, others = _numbered(study.root / "notebooks")
    if others:
        print(f"Not run, as they are not clamlab's own: {', '.join(others)}. Open them yourself.")
    chosen = [name for name in names if options.first <= name[:2] <= options.last]
    if not chosen:
        raise StudyError(
            f"no notebook from {options.first} to {options.last}: there are {', '.join(names)}"
        )
    _check_foundations(study, chosen[0])
    told = {STALE: ",".join(sorted(study.allowed_stale))}
    with lock.taken(study.root, "clamlab run") as turn:
        run_notebooks(
            study.root / "notebooks", chosen, dict(options.parameters), environment=turn | told
        )
    print(f"\n{summarise(study)}")


def _numbered(folder: Path) -> tuple[list[str], list[str]]:
    """List the notebooks that a run takes, clamlab's own, and what else has a number."""
    own = {path.name for path in resources.notebooks().glob("[0-9][0-9]_*.ipynb")}
    there = sorted(path.name for path in folder.glob("[0-9][0-9]_*.ipynb"))
    return [n for n in there if n in own], [n for n in there if n not in own]


def _check_foundations(study: Study, first: str) -> None:
    """Refuse to build on stages that are not fresh, before anything runs."""
    states = study.status()
    if study.settings.get("simulated") and first[:2] != "00" and states["status"][0] == "missing":
        raise StudyError(
            f"the scans of {study.root} were not simulated to the end: " + AGAIN.format(study.root)
        )
    rests = unsound(states[states["stage"] < first[:2]])
    refused = rests[~rests["stage"].str[:2].isin(study.allowed_stale)]
    if refused.empty:
        return
    oldest = refused["stage"].iloc[0][:2]
    raise StudyError(
        f"{Path(first).stem} would rest on what is no longer so:\n{listed(refused)}\nGo on from "
        f"there (--from {oldest}), or allow it by name ({allowing(refused)})"
    )


def status(options: argparse.Namespace) -> None:
    """Print the state of every stage."""
    study = Study.open(options.study)
    table = study.status(verify=options.verify)
    if told := pending(study.root):
        print(told)
    with pd.option_context("display.max_colwidth", None, "display.width", 200):
        print(table.fillna("").to_string(index=False))
    for said in (*explored(study), *older_report(study)):
        print(said)


def export(options: argparse.Namespace) -> None:
    """Gather in a new folder what goes into a paper, and say what goes."""
    # Statistics and networks bring seconds of imports that few other commands need.
    from clamlab.cli.export import export as export_study

    export_study(options)


def report(options: argparse.Namespace) -> int:
    """Write the report of a study; return 3 where a section of it failed."""
    # Statistics and figures bring seconds of imports that few other commands need.
    from clamlab.cli.report import report as report_study

    return report_study(options)


def rerun(options: argparse.Namespace) -> int:
    """Make a study again from its manifest; return 4 where something came out otherwise."""
    # Ingestion brings seconds of imports that few other commands need.
    from clamlab.cli.rerun.command import rerun as rerun_study

    return rerun_study(options)


def lab(options: argparse.Namespace) -> None:
    """Open JupyterLab on the study's own notebooks, in place of this process."""
    study = Study.open(options.study)
    command = [sys.executable, "-m", "jupyterlab", str(study.root / "notebooks")]
    os.execv(sys.executable, [*command, *options.jupyter])
