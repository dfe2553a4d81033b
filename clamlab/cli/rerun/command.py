"""``clamlab rerun``: make a study again from its manifest, and say what came out otherwise."""

import argparse
from pathlib import Path

from clamlab.cli.rerun.comparing import compare, is_as_asked, kept_contract, told
from clamlab.cli.rerun.inputs import check_inputs, kept_by_hand, who_withdrew
from clamlab.cli.rerun.making import begin, lay_out
from clamlab.cli.rerun.plan import Plan, read_plan
from clamlab.cli.running import run_notebooks
from clamlab.paths import path_part
from clamlab.study import Study, lock
from clamlab.study.catalogue import RERUN
from clamlab.study.files import write_file

DIFFERENT = 4  # 1 is an error, 2 is argparse's, 3 a report's


def rerun(options: argparse.Namespace) -> int:
    """Make a study again; return 0 where all that was asked for is identical, 4 where it is not.

    Raises
    ------
    StudyError
        If the manifest or the inputs will not do (then nothing was run), or a notebook stops (then
        what was made up to there has been compared).
    """
    plan = read_plan(Path(options.manifest), last=options.last, given=dict(options.parameters))
    against = Study.open(options.against) if options.against else None
    table, scans, by_hand = (
        Path(given).resolve() if given else None
        for given in (options.table, options.scans, options.by_hand)
    )
    _say("Not as it was:", plan.told)
    check_inputs(plan, table, scans)
    kept, withdrawn = kept_by_hand(plan, by_hand, against), who_withdrew(plan, against)
    folder = Path(options.study or f"{path_part(plan.manifest['study']['name'])}_rerun").resolve()
    study = begin(plan, folder, table=table, scans=scans, withdrawn=withdrawn is not None)
    lay_out(plan, study, kept, withdrawn)
    try:
        _run(plan, study)
    finally:
        found = kept_contract(compare(plan, study, against))
        with lock.taken(study.root, "clamlab rerun"):
            write_file(study.root / RERUN, found)
        print("\n" + "\n".join([*told(found), f"All of it: {study.root / RERUN}"]))
    return 0 if is_as_asked(plan, found) else DIFFERENT


def _say(title: str, lines: list[str]) -> None:
    if lines:
        print("\n  ".join([title, *lines]), flush=True)


def _run(plan: Plan, study: Study) -> None:
    """Run the notebooks of all stages that are not there yet."""
    with lock.taken(study.root, "clamlab rerun") as turn:
        for stage, parameters in plan.parameters.items():
            if study.status().set_index("stage").loc[stage, "status"] == "fresh":
                continue
            folder = study.root / "notebooks"
            run_notebooks(folder, [f"{stage}.ipynb"], parameters, environment=turn)
