"""A participant withdraws: nothing of the subject stays in the study, and what does is told."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clamlab.cli.standing import listed, unsound
from clamlab.study import Study, StudyError
from clamlab.study.withdrawal.remembering import PENDING
from clamlab.study.withdrawal.run import withdraw as take_out
from clamlab.traces import find, is_telling

OUTSIDE = ("participants", "scans")  # where study.json says that the user's own things lie


def withdraw(options: argparse.Namespace) -> None:
    """Take subjects out of a study; say what went, what stays to be done, and by whom.

    Raises
    ------
    StudyError
        If the study does not know a subject, the disk refuses, or something still names one.
    """
    # Ingestion brings seconds of imports that no other command needs.
    from clamlab.ingest.cohort.qc_pages import write_index

    study = Study.open(options.study)
    try:
        gone, counts = take_out(study.root, options.subjects, draw_pages=write_index)
    except (OSError, StudyError) as error:
        if not study.settings.get(PENDING):
            raise
        raise StudyError(
            f"a withdrawal has begun and not ended: {error} When that is put right, finish it with "
            f"'clamlab withdraw {options.study}'"
        ) from error
    print(f"Out of {study.root}: {', '.join(gone)}. Taken away:")
    print("\n".join(f"  {w}: {n}" for w, n in counts.items()) or "  nothing, it was done before")
    print(f"\n{_what_is_stale(study, options.study)}\n{_not_ours(study)}")
    _look_for_traces(study.root, gone, [str(i) for i in _known_now(study)])


def _what_is_stale(study: Study, name: str) -> str:
    states = study.status()
    rests = unsound(states[states["stage"] > "01"])
    if rests.empty:
        return "Nothing in the study had been learned from them: all else stands."
    first = str(rests["stage"].iloc[0])[:2]
    return (
        "What was learned from them is no longer so; its numbers and networks are replaced when "
        f"it is run again:\n{listed(rests)}\nGo on with: clamlab run {name} --from {first} (and "
        "the -p of the earlier run)"
    )


def _not_ours(study: Study) -> str:
    places = [study.root / str(study.settings[n]) for n in OUTSIDE if study.settings.get(n)]
    own = [str(place) for place in places if not place.is_relative_to(study.root)]
    lines = ["Yours to do:"]
    if own:
        lines.append(
            f"  - {' and '.join(own)} still hold them: take out both the row and the scans. (The "
            "study leaves them out in any case.)"
        )
    drafts = sorted(p.name for p in (study.root / "report").glob("*") if p.is_file())
    if drafts:
        lines.append(
            f"  - {', '.join(drafts)} in report/ {'is' if len(drafts) == 1 else 'are'} of a "
            "person's hand, and may show averages that they were in;"
        )
    return "\n".join(
        [
            *lines,
            "  - backups, copies and earlier exports of the study are not reached from here;",
            "  - a notebook that is open in JupyterLab still shows what it showed: close it "
            "without saving, and shut its kernel down.",
        ]
    )


def _known_now(study: Study) -> pd.Series:
    path = study.path("cohort")
    return study.read("cohort")["subject_id"] if path.is_file() else pd.Series(dtype="string")


def _look_for_traces(root: Path, gone: Sequence[str], others: Sequence[str]) -> None:
    """Search the whole study for the ids; what is found is a person's to judge."""
    short = [name for name in gone if not is_telling(name)]
    if short:
        print(
            f"\n{', '.join(short)} could stand anywhere by chance: looked for in names of files "
            "and in columns of ids only, not in texts."
        )
    if not (found := find(root, gone, others=others)):
        print(
            "\nNothing that was looked into tells of them any more (not looked into: drawn texts, "
            "voxels, and other packings than gzip, zip and PDF's)."
        )
        return
    listed = "\n".join(f"  {file}: {text}" for file, text in found)
    raise StudyError(
        "all that the study itself had written is gone, but these files still name them, or could "
        f"not be looked into; they are yours to look at and to change or delete:\n{listed}"
    )
