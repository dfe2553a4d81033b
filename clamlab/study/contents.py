"""What lies in a study folder: read by name, rows and contracts checked."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab import cells
from clamlab.io import FileError
from clamlab.schema import check_table, load_schema
from clamlab.schema.contracts import columns_of_kind
from clamlab.schema.reading.read import read_own, read_table
from clamlab.study.catalogue import Artefact, artefact_of
from clamlab.study.errors import StudyError
from clamlab.study.files import Json, is_there, read_csv, read_file, write_file
from clamlab.study.fingerprints import unchanged
from clamlab.study.provenance import SCHEMA_PREFIX, SETTINGS, place_of, record_of, settings_of


class Contents:
    """The files of one study, by the names of the catalogue.

    Parameters
    ----------
    root : path
        The study's folder.
    stale : iterable of str
        Stages that may be built on although they are stale: their names or first two digits.
    """

    def __init__(self, root: str | Path, *, stale: Iterable[str] = ()) -> None:
        self.root = Path(root).resolve()
        self.allowed_stale = frozenset(stage[:2] for stage in stale)

    @property
    def settings(self) -> Json:
        """What ``study.json`` says: name, simulated or not, grid, template, inputs."""
        return settings_of(self.root)

    def update(self, **settings: Any) -> None:
        """Add to ``study.json``, or replace what is there."""
        write_file(self.root / SETTINGS, {**self.settings, **settings})

    def schema(self, name: str) -> Json:
        """Return a contract of this study, for instance "participants"."""
        return load_schema(place_of(self.root, SCHEMA_PREFIX + name))

    def path(self, name: str) -> Path:
        """Return where an artefact lies, whether it is there or not."""
        return place_of(self.root, artefact_of(name).name)

    def read(self, name: str) -> Any:
        """Read any artefact, for work of your own; arrays come back read-only.

        What a person may keep and nobody did (decisions, notes, readings) is None.

        Raises
        ------
        StudyError
            If it is not there, or damaged; the message names the notebook that makes it.
        """
        artefact = artefact_of(name)
        path = self.path(name)
        if artefact.by_hand:
            return self.by_hand(artefact, path)
        if not is_there(path):
            raise StudyError(
                f"{name!r} is not there yet: run notebook {artefact.stage} first (expected {path})"
            )
        try:
            value = self.load(artefact, path)
        except FileError as error:
            notebook = f"run notebook {artefact.stage} again"
            advice = "correct the file, or move it away" if artefact.personal else notebook
            raise StudyError(f"{error}; or {advice}") from error
        if artefact.per_scan:
            self._check_list_of_scans(artefact)
            check_rows(artefact, value, self.read("scans"), f"run notebook {artefact.stage} again")
        return value

    def load(self, artefact: Artefact, path: Path) -> Any:
        """Read one artefact's file, a clinical table with its ids and words as they are."""
        if artefact.clinical:
            # What a person may have saved with a spreadsheet is read as a person's; none of its
            # rows may be lost as a footnote.
            read = partial(read_table, header=1, footed=False) if artefact.personal else read_own
            return cells.unguarded(read(path))
        if artefact.schema is not None:
            return read_csv(path, texts=columns_of_kind(self.schema(artefact.schema), "string"))
        return read_file(path)

    def by_hand(self, artefact: Artefact, path: Path) -> Any:
        """Read what a person may have made; a slip in it, or in its name, is told."""
        if not is_there(path):
            _refuse_alike(artefact, path)
            return None
        schema = self.schema(artefact.schema) if artefact.schema else None
        try:
            value = self.load(artefact, path)
            if schema is None:
                return value
            if not set(schema.get("required", [])) <= set(value):
                raise ValueError(
                    f"expected the columns {', '.join(schema['required'])}, found "
                    f"{', '.join(map(str, value))!r}"
                )
            return check_table(value, schema)
        except ValueError as error:
            raise StudyError(
                f"{artefact.stage}/{artefact.file}: {error}; correct the file, or move it away"
            ) from error

    def check(self, artefact: Artefact, value: Any, scans: pd.DataFrame | None) -> None:
        """Refuse a value whose rows are not those of ``scans.csv``, or that breaks its contract."""
        if scans is not None:
            check_rows(artefact, value, scans, "row i of every array belongs to row i of scans.csv")
        if artefact.schema is not None:
            check_table(value, self.schema(artefact.schema))

    def _check_list_of_scans(self, artefact: Artefact) -> None:
        was = record_of(self.root, artefact.stage).get("scans", {}).get(artefact.name)
        if was is None or not unchanged(self.path("scans"), was):
            raise StudyError(
                f"{artefact.name!r} was made for another list of scans than scans.csv holds now: "
                f"run notebook {artefact.stage} again"
            )


def check_rows(artefact: Artefact, value: Any, scans: pd.DataFrame, advice: str) -> None:
    """Raise StudyError unless row i of a value belongs to row i of the list of scans."""
    if len(value) != len(scans):
        raise StudyError(
            f"{artefact.name!r} has {len(value)} rows, but scans.csv lists {len(scans)} scans: "
            f"{advice}"
        )
    if not isinstance(value, pd.DataFrame):
        return
    ids = value["subject_id"].astype("string").tolist()
    wrong = [i for i, (a, b) in enumerate(zip(ids, scans["subject_id"], strict=True)) if a != b]
    if wrong:
        raise StudyError(
            f"{artefact.name!r} is not in the order of scans.csv: row {wrong[0] + 1} is "
            f"{ids[wrong[0]]!r}, expected {scans['subject_id'][wrong[0]]!r}; {advice}"
        )


def _refuse_alike(artefact: Artefact, path: Path) -> None:
    """Refuse what only seems to be the file looked for: it would be passed over in silence."""
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    for other in sorted(beside):
        if other.name.lower().startswith(f"{path.stem.lower()}."):
            what = (
                "a link to nothing" if other.is_symlink() else "a folder" if other.is_dir() else ""
            )
            found = f"{what} of that name" if what else f"{other.name}"
            raise StudyError(
                f"{artefact.stage}/{artefact.file}: expected a file of this name, found {found}; "
                "save it under this name, or move it away"
            )
