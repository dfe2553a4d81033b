"""What leaves a study: aggregates for a paper; of single subjects nothing, unless asked for."""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clamlab.atomic import whole_folder
from clamlab.cli.standing import allowing, listed, unsound
from clamlab.cli.subject_tables import subject_tables
from clamlab.selection.decision import RULE
from clamlab.stats.disclosure import SMALLEST, mask_outcomes, mask_table_one
from clamlab.study import Study, StudyError
from clamlab.study.files import members, write_file
from clamlab.study.withdrawal.remembering import refuse_while_pending

CAPTION = "Characteristics by cluster"
OUTCOMES = ("associations", "adjusted_means", "model_comparison")


def export(options: argparse.Namespace) -> None:
    """Gather in a new folder what goes into a paper, and say what goes."""
    study, folder = Study.open(options.study, stale=options.stale), Path(options.folder)
    if folder.exists():
        raise StudyError(f"{folder} exists: choose a folder that does not")
    refuse_while_pending(study.root)
    stages = _sound_stages(study)
    if not stages:
        raise StudyError(f"there is nothing to export yet: run 'clamlab run {options.study}' first")
    tables = subject_tables(study) if options.subjects else {}
    with whole_folder(folder) as temporary:
        for stage in stages:
            WRITERS[stage](study, temporary, options.small_counts)
        for name, table in tables.items():
            write_file(temporary / "subjects" / f"{name}.csv", table)
        names = sorted(p.relative_to(temporary).as_posix() for p in members(temporary))
    print(f"{folder}: {', '.join(names)}")


def _sound_stages(study: Study) -> list[str]:
    """List the stages that there is something of; refuse those whose files no longer stand."""
    states = study.status()
    states = states[states["stage"].isin(WRITERS) & (states["status"] != "missing")]
    refused = unsound(states[~states["stage"].str[:2].isin(study.allowed_stale)])
    if len(refused):
        raise StudyError(
            f"an export would hold what is no longer so:\n{listed(refused)}\nRun them again, or "
            f"allow it by name ({allowing(refused)})"
        )
    return states["stage"].tolist()


def _number(study: Study, folder: Path, _: bool) -> None:
    """Write why there are so many clusters, without what a person wrote: names stay here."""
    _copy(study, folder, "criteria")
    choice = study.read("choice")
    if choice.get("decided_by", RULE) != RULE:
        told = {"n_clusters": choice["n_clusters"], "decided_by": "a person"}
        choice = told | {"recommended": choice.get("recommended")}
    _write(study, folder, "choice", choice)


def _maps(study: Study, folder: Path, small_counts: bool) -> None:
    if _shows_no_person(study, small_counts, "averages and trust cards"):
        _copy(study, folder, "trust", "averages")


def _pictures(study: Study, folder: Path, small_counts: bool) -> None:
    if _shows_no_person(study, small_counts, "pictures of averages"):
        _copy(study, folder, "figure_7", "average_viewer")


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
        return
    if not _shows_no_person(study, small_counts, "outcomes"):
        return
    from clamlab import figures

    associations, means, models = mask_outcomes(*(study.read(name) for name in OUTCOMES))
    for name, table in zip(OUTCOMES, (associations, means, models), strict=True):
        _write(study, folder, name, table)
    shown = means.dropna(subset="mean")
    if len(shown):
        stem = _place(study, folder, study.path("figure_10")).with_suffix("")
        figures.save_figure(figures.outcome_panel(shown, associations), stem)


WRITERS: dict[str, Callable[[Study, Path, bool], None]] = {
    "04_n_clusters": _number,
    "06_clam": _maps,
    "07_explore": _pictures,
    "08_table_one": _table_one,
    "09_associations": _outcomes,
}


def _shows_no_person(study: Study, small_counts: bool, what: str) -> bool:
    """Tell whether every cluster has enough scans for an average that is nobody's; else say so."""
    smallest = int(study.read("assignments")["cluster"].value_counts().min())
    if small_counts or smallest >= SMALLEST:
        return True
    print(f"without {what}: a cluster of fewer than {SMALLEST} scans (--small-counts takes them)")
    return False


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
