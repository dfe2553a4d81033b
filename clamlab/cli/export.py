"""What leaves a study: aggregates for a paper; of single subjects nothing, unless asked for."""

import argparse
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.atomic import whole_folder
from clamlab.cli.baselines import told_agreement, told_comparison
from clamlab.cli.choice import numbers_of, told_choice
from clamlab.cli.standing import changed_since, check_standing, explored
from clamlab.cli.subject_tables import NAMES, subject_tables
from clamlab.schema import analysed, check_table, join_subjects
from clamlab.stats.disclosure import mask_flow, mask_outcomes, mask_table_one, mask_trust
from clamlab.stats.disclosure.averages import sizes_of_maps, sizes_of_outcomes, why_hidden
from clamlab.stats.disclosure.masking import as_made
from clamlab.study import Study, StudyError, lock
from clamlab.study.catalogue import REPORT, artefact_of
from clamlab.study.files import members, write_file
from clamlab.study.withdrawal.remembering import refuse_while_pending

CAPTION = "Characteristics by cluster"
OUTCOMES = ("associations", "adjusted_means", "model_comparison")


def export(options: argparse.Namespace) -> None:
    """Gather in a new folder what goes into a paper, and say what goes."""
    study, folder = Study.open(options.study, stale=options.stale), Path(options.folder)
    if folder.exists():
        raise StudyError(f"{folder} exists: choose a folder that does not")
    if folder.resolve().is_relative_to(study.root):
        raise StudyError(
            f"{folder} lies in the study: choose a folder elsewhere, to which no withdrawal from "
            "the study has to reach"
        )
    # Nobody changes what is being gathered; what cannot be written, nobody can change.
    writable = os.access(study.root, os.W_OK)
    with lock.taken(study.root, "clamlab export") if writable else nullcontext():
        refuse_while_pending(study.root)
        _gather(study, folder, options)


def _gather(study: Study, folder: Path, options: argparse.Namespace) -> None:
    states = study.status().set_index("stage", drop=False)
    made = [stage for stage in WRITERS if states["status"][stage] != "missing"]
    if not made:
        raise StudyError(f"there is nothing to export yet: run 'clamlab run {options.study}' first")
    of_subjects = {artefact_of(name).stage for name in NAMES} if options.subjects else set()
    needed = {"01_cohort", *made, *of_subjects}  # the cohort's flow begins with who has no scan
    check_standing(study, states[states["stage"].isin(needed)])
    tables = subject_tables(study) if options.subjects else {}
    with whole_folder(folder) as temporary:
        for stage in made:
            WRITERS[stage](study, temporary, options.small_counts)
        for name, table in tables.items():
            write_file(temporary / "subjects" / f"{name}.csv", table)
        told = states.loc[list(WRITERS), ["stage", "status", "why", "finished"]]
        write_file(temporary / "stages.csv", told)
        _report(study, temporary, options)
        names = sorted(p.relative_to(temporary).as_posix() for p in members(temporary))
    print(f"{folder}: {', '.join(names)}")
    if absent := [stage for stage in WRITERS if stage not in made]:
        print(f"without {', '.join(absent)}: not run to the end")
    for kept in explored(study):
        print(
            f"without {kept}: beside the planned tables, those of a few scans less can tell of "
            "single subjects, and no small count in them is masked"
        )


def _report(study: Study, folder: Path, options: argparse.Namespace) -> None:
    """Make the report anew for who has made one: names of those who decided stay in the study."""
    if not any((study.root / name).is_file() for name in REPORT):
        return
    from clamlab.cli.report import made_of

    files, _ = made_of(study, small_counts=options.small_counts, names=False)
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)


def _flow(study: Study, folder: Path, small_counts: bool) -> None:
    """Write how many subjects came how far."""
    from clamlab.ingest.cohort.flow import cohort_flow

    flow = cohort_flow(study.read("qc"), study.read("exclusions"))
    flow = (flow if small_counts else mask_flow(flow)).rename_axis("step").reset_index()
    write_file(_place(study, folder, study.path("qc").with_name("cohort_flow.csv")), flow)


def _number(study: Study, folder: Path, _: bool) -> None:
    """Write why there are so many clusters, without what a person wrote: names stay here."""
    _copy(study, folder, "criteria")
    choice = study.read("choice")
    _write(study, folder, "choice", numbers_of(choice) | told_choice(choice, names=False))


def _baselines(study: Study, folder: Path, small_counts: bool) -> None:
    """Write how far groups that needed no network agree; who is in which stays here."""
    if not study.path("baselines").is_file():
        print("without baselines.csv: notebook 05 of this version makes it")
    elif small_counts:
        _copy(study, folder, "baselines")
    else:
        tables = (study.read(name) for name in ("baselines", "baseline_partitions", "assignments"))
        _write(study, folder, "baselines", told_agreement(*tables, small_counts=False))


def _comparison(study: Study, folder: Path, small_counts: bool) -> None:
    """Write what these groups explain of the outcomes."""
    if not study.path("baseline_comparison").is_file():
        print("without baseline_comparison.csv: notebook 09 of this version makes it")
    elif small_counts:
        _copy(study, folder, "baseline_comparison")
    else:
        contract = analysed(study.schema("participants"))
        people = check_table(study.read("cohort"), contract)
        joined = join_subjects(study.read("assignments"), people)[0]
        compared, groups = study.read("baseline_comparison"), study.read("baseline_partitions")
        try:
            told = told_comparison(study, compared, groups, joined, contract=contract)
        except StudyError as error:
            print(f"without baseline_comparison.csv: {error}")
        else:
            _write(study, folder, "baseline_comparison", told)


def _maps(study: Study, folder: Path, small_counts: bool) -> None:
    trust = study.read("trust")
    if not _shows_no_person(study, sizes_of_maps(trust), small_counts, "averages and trust cards"):
        return
    _copy(study, folder, "trust", "averages")
    if not small_counts:
        _write(study, folder, "trust", mask_trust(trust))


def _pictures(study: Study, folder: Path, small_counts: bool) -> None:
    # What they are of stands in no table: only of today's clusters it is known.
    changed = changed_since(study, "07_explore", ["assignments"])
    sizes = None if changed else _sizes(study)
    if _shows_no_person(study, sizes, small_counts, "pictures of averages"):
        _copy(study, folder, "figure_7", "average_viewer")
    if study.path("person_viewer").exists():
        print(f"without {study.path('person_viewer').name}: it holds a row for each scan")


def _table_one(study: Study, folder: Path, small_counts: bool) -> None:
    if small_counts:
        _copy(study, folder, "table_one_print")
        return
    from clamlab.stats import tables

    tidy = mask_table_one(study.read("table_one"))
    _write(study, folder, "table_one", tidy)
    pages = [_place(study, folder, p) for p in members(study.path("table_one_print"))]
    tables.export_table(
        tables.render_table_one(tidy),
        [page for page in pages if page.suffix != ".csv"],
        caption=CAPTION,
        notes=tables.table_notes(tidy),
    )


def _outcomes(study: Study, folder: Path, small_counts: bool) -> None:
    if small_counts:
        _copy(study, folder, *OUTCOMES, "figure_10")
        _comparison(study, folder, small_counts)
        return
    sizes = sizes_of_outcomes(as_made(study.read("associations")))
    if not _shows_no_person(study, sizes, small_counts, "outcomes"):
        return
    from clamlab import figures

    _comparison(study, folder, small_counts)

    associations, means, models = mask_outcomes(*(study.read(name) for name in OUTCOMES))
    for name, table in zip(OUTCOMES, (associations, means, models), strict=True):
        _write(study, folder, name, table)
    shown = means.dropna(subset="mean")
    if len(shown):
        stem = _place(study, folder, study.path("figure_10")).with_suffix("")
        figures.save_figure(figures.outcome_panel(shown, associations), stem)


WRITERS: dict[str, Callable[[Study, Path, bool], None]] = {
    "02_volumes": _flow,
    "04_n_clusters": _number,
    "05_clusters": _baselines,
    "06_clam": _maps,
    "07_explore": _pictures,
    "08_table_one": _table_one,
    "09_associations": _outcomes,
}


def _shows_no_person(
    study: Study, made_of: pd.Series | None, small_counts: bool, what: str
) -> bool:
    """Tell whether every cluster has enough scans for an average that is nobody's; else say so."""
    why = "" if small_counts else why_hidden(made_of, _sizes(study))
    if why:
        print(f"without {what}: {why} (--small-counts takes them)")
    return not why


def _sizes(study: Study) -> pd.Series:
    return study.read("assignments")["cluster"].value_counts()


def _copy(study: Study, folder: Path, *names: str) -> None:
    for name in names:
        for file in members(study.path(name)):
            shutil.copyfile(file, _place(study, folder, file))


def _write(study: Study, folder: Path, name: str, value: Any) -> None:
    write_file(_place(study, folder, study.path(name)), value)


def _place(study: Study, folder: Path, path: Path) -> Path:
    """Return where a file of the study lies in the export; its folder is made."""
    place = folder / path.relative_to(study.root)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
