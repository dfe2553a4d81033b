"""A stage's files appear as one: all of them and their record, or none.

What a stage writes lies in its folder ``unfinished`` until it is complete. Publishing first writes
down what is going to be moved (the journal), then moves it. A run that is killed before the journal
leaves the earlier stage as it was; one that is killed after it is finished by whoever opens the
study next.
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from clamlab.atomic import sync_folder, whole_file
from clamlab.io import read_json
from clamlab.study.errors import StudyError
from clamlab.study.files import writing

RECORD = "stage.json"
UNFINISHED, JOURNAL, REPLACED = "unfinished", ".publishing.json", ".replaced"


def publish(folder: Path, files: Iterable[str], *, keep: Iterable[str] = ()) -> None:
    """Bring a stage's files and folders from ``unfinished`` into its folder, the record last.

    Parameters
    ----------
    folder : path
        The stage's folder.
    files : iterable of str
        What the stage may hold; what this run does not have of it goes, but for
    keep : iterable of str
        files that stay where they are.

    Raises
    ------
    StudyError
        If the disk refuses something.
    """
    unfinished, files = folder / UNFINISHED, {*files, RECORD}
    moved = {path.name for path in unfinished.iterdir() if _belongs(path.name, files)}
    gone = {path.name for path in folder.iterdir() if _belongs(path.name, files)} - moved
    journal = {"moved": [*sorted(moved - {RECORD}), RECORD], "gone": sorted(gone - set(keep))}
    with writing(folder / JOURNAL):
        for name in moved:
            sync_all(unfinished / name)
        sync_folder(unfinished)
        with whole_file(folder / JOURNAL) as temporary:
            temporary.write_text(json.dumps(journal) + "\n", "utf-8")
        sync_folder(folder)
    finish(folder)


def _belongs(name: str, files: set[str]) -> bool:
    families = tuple(file.removesuffix("*") for file in files if file.endswith(".*"))
    tops = {file.split("/")[0] for file in files}
    return name in tops or (bool(families) and name.startswith(families))


def finish(folder: Path) -> None:
    """Finish a publication that has been written down; may itself be interrupted anywhere.

    Raises
    ------
    StudyError
        If the disk refuses something.
    """
    if not is_publishing(folder):
        return
    try:
        _move(folder, folder / JOURNAL)
    except OSError as error:
        raise StudyError(
            f"could not put the files of {folder} in place: {error.strerror or error}. None is "
            "lost: make room or correct the folder's rights, and open the study again ('clamlab "
            "status' will do), which goes on with it"
        ) from error


def _move(folder: Path, journal: Path) -> None:
    planned = read_json(journal, expected="what a run was putting in place")
    unfinished, replaced = folder / UNFINISHED, folder / REPLACED
    replaced.mkdir(exist_ok=True)
    for name in planned["moved"]:
        if (unfinished / name).exists():
            _set_aside(folder / name, replaced / name)
            os.replace(unfinished / name, folder / name)
    for name in planned["gone"]:
        _set_aside(folder / name, replaced / name, files_too=True)
    sync_folder(folder)
    shutil.rmtree(replaced)
    shutil.rmtree(unfinished, ignore_errors=True)
    # Last: until then whoever comes next goes on here.
    journal.unlink()
    sync_folder(folder)


def is_publishing(folder: Path) -> bool:
    """Tell whether a publication was begun and is not finished."""
    return (folder / JOURNAL).is_file()


def _set_aside(old: Path, place: Path, *, files_too: bool = False) -> None:
    """Make way for a folder, which no rename can replace; a file is replaced in one step."""
    if old.is_dir() or (files_too and old.exists()):
        if place.is_dir():
            shutil.rmtree(place)
        os.replace(old, place)


def sync_all(path: Path) -> None:
    """Push a file, or all files of a folder, to the disk."""
    for member in [path] if path.is_file() else path.rglob("*"):
        if member.is_dir():
            sync_folder(member)
            continue
        with member.open("rb") as file:
            os.fsync(file.fileno())
    if path.is_dir():
        sync_folder(path)
