"""What a run finds of the runs before it: work on single subjects, and large arrays half filled."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from clamlab.study.files import writing

SEEDED = ".seeded"


def clear(unfinished: Path, *, keep: Collection[str]) -> None:
    """Throw away what an interrupted run left, but for work that says itself what it is of.

    That are the files to ``keep``, arrays with a note beside them, and what is hidden.
    """
    for path in list(unfinished.glob("*")):  # nothing where there is no such folder
        noted = (unfinished / f".{path.stem}.json").is_file()
        if path.name.startswith(".") or path.name in keep or noted:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def seed_from(folder: Path, unfinished: Path, names: Collection[str]) -> None:
    """Lay the earlier run's files and folders out again, unless a run went on from them already.

    They are linked, not copied: whoever changes one writes it anew, whole.

    Raises
    ------
    StudyError
        If the disk refuses them.
    """
    if (unfinished / SEEDED).exists():
        return
    with writing(unfinished):
        unfinished.mkdir(parents=True, exist_ok=True)
        for name in names:
            if (folder / name).exists():
                _lay_out(folder / name, unfinished / name)
        (unfinished / SEEDED).touch()


def _lay_out(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    for path in [source, *source.rglob("*")]:  # a folder comes before what lies in it
        place = target / path.relative_to(source)
        place.mkdir() if path.is_dir() else _link(path, place)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copy2(source, target)
