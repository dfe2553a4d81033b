"""What lies in a study folder: read and written by name, rows and contracts checked."""

from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.schema import check_table, load_schema, read_table
from clamlab.study.catalogue import Artefact, artefact_of
from clamlab.study.errors import StudyError
from clamlab.study.files import Json, fingerprint, is_there, read_file, write_file
from clamlab.study.provenance import SCHEMA_PREFIX, place_of, record_of

SETTINGS = "study.json"


class Contents:
    """The files of one study, by the names of the catalogue.

    Parameters
    ----------
    root : path
        The study's folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).resolve()

    @property
    def settings(self) -> Json:
        """What ``study.json`` says: name, simulated or not, grid, template, inputs."""
        path = self.root / SETTINGS
        return read_file(path) if path.is_file() else {}

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

        Raises
        ------
        StudyError
            If it is not there; the message names the notebook that makes it.
        """
        artefact = artefact_of(name)
        path = self.path(name)
        if not is_there(path):
            raise StudyError(
                f"{name!r} is not there yet: run notebook {artefact.stage} first (expected {path})"
            )
        value = read_table(path) if artefact.clinical else read_file(path)
        if artefact.per_scan:
            self._check_list_of_scans(artefact)
            self.check_rows(artefact, value, f"run notebook {artefact.stage} again")
        return value

    def put(self, artefact: Artefact, value: Any) -> None:
        """Write what a stage hands over, once its rows and its contract are checked."""
        if artefact.per_scan:
            self.check_rows(artefact, value, "row i of every array belongs to row i of scans.csv")
        if artefact.schema is not None:
            check_table(value, self.schema(artefact.schema))
        write_file(self.path(artefact.name), value)

    def _check_list_of_scans(self, artefact: Artefact) -> None:
        record = record_of(self.root, artefact.stage)
        if record["scans"].get(artefact.name) != fingerprint(self.path("scans")):
            raise StudyError(
                f"{artefact.name!r} was made for another list of scans than scans.csv holds now: "
                f"run notebook {artefact.stage} again"
            )

    def check_rows(self, artefact: Artefact, value: Any, advice: str) -> None:
        """Raise StudyError unless row i of a value belongs to row i of ``scans.csv``."""
        scans = self.read("scans")
        if len(value) != len(scans):
            raise StudyError(
                f"{artefact.name!r} has {len(value)} rows, but scans.csv lists {len(scans)} scans: "
                f"{advice}"
            )
        if isinstance(value, pd.DataFrame):
            ids = value["subject_id"].astype("string").tolist()
            wrong = [
                i for i, (a, b) in enumerate(zip(ids, scans["subject_id"], strict=True)) if a != b
            ]
            if wrong:
                raise StudyError(
                    f"{artefact.name!r} is not in the order of scans.csv: row {wrong[0] + 1} is "
                    f"{ids[wrong[0]]!r}, expected {scans['subject_id'][wrong[0]]!r}; {advice}"
                )
