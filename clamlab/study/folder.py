"""A study on disk: made, opened, read, and worked on one stage at a time."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab import resources
from clamlab.schema import check_table, load_schema, read_table
from clamlab.study.catalogue import STAGES, Artefact, artefact_of
from clamlab.study.errors import StudyError
from clamlab.study.files import Json, fingerprint, is_there, read_file, write_file
from clamlab.study.provenance import SCHEMA_PREFIX, place_of, record_of, status_of
from clamlab.study.stage import Stage

SETTINGS = "study.json"


class Study:
    """A folder that holds one study, from the scans' table to the paper's figures.

    Make one with :meth:`create`, come back to it with :meth:`open`.

    Parameters
    ----------
    root : path
        The study's folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).resolve()

    @classmethod
    def create(cls, root: str | Path, *, name: str | None = None, **settings: Any) -> "Study":
        """Make an empty study: its settings, its contracts, and its own copies of the notebooks.

        Parameters
        ----------
        root : path
            A folder that does not exist yet, or is empty.
        name : str, optional
            The study's name; the folder's name by default.
        **settings
            Kept in ``study.json``, for instance ``simulated=True``.

        Returns
        -------
        Study

        Raises
        ------
        StudyError
            If the folder holds something, or cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> study = Study.create(Path(tempfile.mkdtemp()) / "lungs", simulated=True)
        >>> study.settings["name"]
        'lungs'
        """
        study = cls(root)
        if study.root.exists() and any(study.root.iterdir()):
            raise StudyError(
                f"{study.root} is not empty: a new study wants a folder of its own; choose another "
                "name, or open the study that is there"
            )
        # A study holds patients' scans: whatever folder it lies in, git must not see it.
        try:
            study.root.mkdir(parents=True, exist_ok=True)
            (study.root / ".gitignore").write_text("*\n")
            shutil.copytree(resources.notebooks(), study.root / "notebooks")
            shutil.copytree(resources.schemas(), study.root / "schemas")
        except OSError as error:
            raise StudyError(f"could not make a study at {study.root}: {error}") from error
        study.update(name=name or study.root.name, **settings)
        return study

    @classmethod
    def open(cls, root: str | Path | None = None) -> "Study":
        """Open a study; without a path, the one that the working folder lies in.

        Raises
        ------
        StudyError
            If there is no study.
        """
        start = Path.cwd() if root is None else Path(root).resolve()
        candidates = [start, *start.parents] if root is None else [start]
        for folder in candidates:
            if (folder / SETTINGS).is_file():
                return cls(folder)
        raise StudyError(
            f"no study at {start}: expected a folder with {SETTINGS}; make one with "
            "'clamlab init' or 'clamlab simulate'"
        )

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

    def stage(self, stage: str, **parameters: Any) -> "Stage":
        """Work on one stage; its parameters are kept in its ``stage.json``."""
        if stage not in STAGES:
            raise StudyError(f"there is no stage {stage!r}: expected one of {', '.join(STAGES)}")
        return Stage(self, stage, parameters)

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

    def write(self, name: str, value: Any) -> None:
        """Write an artefact outside of any run of its stage, for instance a person's choice."""
        self.put(artefact_of(name), value)

    def status(self) -> pd.DataFrame:
        """Tell which stages are fresh, stale, partial or missing, and why."""
        return status_of(self.root)

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
