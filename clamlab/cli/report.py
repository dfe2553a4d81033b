"""A study's report: one page, a paper's draft, references and a manifest, in its own folder."""

import argparse
import json
from hashlib import sha256
from pathlib import Path

from clamlab.atomic import partial_name, put_in_place, sync_folder
from clamlab.cli.collecting import collect, ids_of
from clamlab.cli.naming import name_nobody
from clamlab.io import FileError, read_json
from clamlab.report import (
    Report,
    bibliography,
    manifest_of,
    report_of,
    to_document,
    to_page,
)
from clamlab.study import Study, StudyError, lock
from clamlab.study.catalogue import REPORT
from clamlab.study.files import writing
from clamlab.study.withdrawal.remembering import refuse_while_pending

PAGE, DRAFT, REFERENCES, MANIFEST = REPORT
SECTION_FAILED = 3  # 1 is an error after which there is no report, 2 is argparse's


def report(options: argparse.Namespace) -> int:
    """Write the report of a study as it stands; say what of it could not be made.

    Returns
    -------
    int
        0, also where sections are missing because the study has not come so far; 3 where a
        section failed.
    """
    study = Study.open(options.study)
    with lock.taken(study.root, "clamlab report"):
        refuse_while_pending(study.root)
        check_untouched(study.root)
        files, made = made_of(study, small_counts=options.small_counts, scans=options.scans)
        _publish(study.root, files)
    _say(study.root, files, made.summary()[0], options)
    return 0 if made.is_sound else SECTION_FAILED


def made_of(
    study: Study, *, small_counts: bool = False, scans: bool = False, names: bool = True
) -> tuple[dict[str, bytes], Report]:
    """Make the files of a report, by their places within the study.

    Without names of those who decided, the manifest holds no sha256 of the study's files either:
    it is handed on, and a hash confirms to whoever guesses a small file whole that it is so.

    Raises
    ------
    StudyError
        If no stage was run, or the finished files name a subject.
    """
    found = collect(study, small_counts=small_counts, scans=scans, names=names)
    if not found.records:
        raise StudyError(f"there is nothing to report yet: run 'clamlab run {study.root}' first")
    made = report_of(found, scans=scans)
    files = {
        PAGE: to_page(made).encode(),
        DRAFT: to_document(made),
        REFERENCES: bibliography(made.numbers).encode(),
    }
    told = manifest_of(
        found,
        made,
        files={_name(p): data for p, data in files.items()},
        scans=scans,
        fingerprints=names,
    )
    files[MANIFEST] = (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
    name_nobody({_name(p): data for p, data in files.items()}, made, told, ids_of(study))
    return files, made


def _name(place: str) -> str:
    return place.rpartition("/")[2]


def check_untouched(root: Path) -> None:
    """Refuse to write over a report that a person went on with.

    Raises
    ------
    StudyError
        If a file is not what its manifest says; it is untouched.
    """
    # One that was stopped between its files has left its own manifest, whole, beside the last.
    known = _told_by(root / MANIFEST) | _told_by(partial_name(root / MANIFEST))
    for path in (root / place for place in (PAGE, DRAFT, REFERENCES)):
        if path.is_file() and (path.name, sha256(path.read_bytes()).hexdigest()) not in known:
            raise StudyError(
                f"{path} was changed since clamlab wrote it: expected what {MANIFEST} says; rename "
                "or move it, so that it is kept, and run the command again"
            )


def _told_by(manifest: Path) -> set[tuple[str, str]]:
    try:
        told = read_json(manifest, expected="what clamlab report wrote")["report"]["files"]
        return set({**told}.items())
    except (FileError, KeyError, TypeError):
        return set()  # there is none, or none that could tell


def _publish(root: Path, files: dict[str, bytes]) -> None:
    """Write all files beside their places first, then put them there, the manifest last.

    Stopped between two of them, the others stay beside their places: the next run knows by them
    whose the first ones are.
    """
    paths = {root / place: data for place, data in files.items()}
    folder = (root / MANIFEST).parent
    with writing(folder):
        folder.mkdir(exist_ok=True)
        try:
            for path, data in paths.items():
                partial_name(path).write_bytes(data)
        except BaseException:
            for path in paths:
                partial_name(path).unlink(missing_ok=True)
            raise
        for path in paths:
            put_in_place(partial_name(path), path)
        sync_folder(folder)


def _say(root: Path, files: dict[str, bytes], summary: str, options: argparse.Namespace) -> None:
    print(f"{(root / MANIFEST).parent}:")
    for place, data in files.items():
        print(f"  {_name(place)}: {len(data) / 1e6:.2f} MB")
    print(summary)
    if options.scans:
        print("It shows single scans: treat it as patient data.")
    if not options.small_counts:
        print("Counts of one to four persons are masked (--small-counts shows them).")
