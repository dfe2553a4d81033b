"""A study on disk: opened as a whole, worked on one stage at a time."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

from clamlab import resources
from clamlab.schema import check_table, load_schema
from clamlab.study.catalogue import ARTEFACTS, STAGES, Artefact
from clamlab.study.errors import StudyError
from clamlab.study.files import (
    Json,
    fingerprint,
    is_there,
    partial_name,
    put_in_place,
    read_file,
    write_file,
)
from clamlab.study.provenance import (
    OUTSIDE_PREFIX,
    RECORD,
    SCHEMA_PREFIX,
    place_of,
    status_of,
    versions,
)

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
        return place_of(self.root, _artefact(name).name)

    def read(self, name: str) -> Any:
        """Read any artefact, for work of your own; arrays come back read-only.

        Raises
        ------
        StudyError
            If it is not there; the message names the notebook that makes it.
        """
        artefact = _artefact(name)
        path = self.path(name)
        if not is_there(path):
            raise StudyError(
                f"{name!r} is not there yet: run notebook {artefact.stage} first (expected {path})"
            )
        value = read_file(path)
        if artefact.per_scan:
            self._check_rows(artefact, value, f"run notebook {artefact.stage} again")
        return value

    def write(self, name: str, value: Any) -> None:
        """Write an artefact outside of any run of its stage, for instance a person's choice."""
        self._write(_artefact(name), value)

    def status(self) -> pd.DataFrame:
        """Tell which stages are fresh, stale, partial or missing, and why."""
        return status_of(self.root)

    def _write(self, artefact: Artefact, value: Any) -> None:
        if artefact.per_scan:
            self._check_rows(artefact, value, "row i of every array belongs to row i of scans.csv")
        if artefact.schema is not None:
            check_table(value, self.schema(artefact.schema))
        write_file(self.path(artefact.name), value)

    def _check_rows(self, artefact: Artefact, value: Any, advice: str) -> None:
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


class Stage:
    """One stage at work: what it reads and writes goes on record.

    Parameters
    ----------
    study : Study
    name : str
    parameters : dict
    """

    def __init__(self, study: Study, name: str, parameters: Json) -> None:
        self.study, self.name, self.parameters = study, name, parameters
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, str | None] = {}

    def read(self, name: str) -> Any:
        """Read an artefact of this or an earlier stage.

        Raises
        ------
        StudyError
            If a later stage writes it (data flow one way), or it is not there.
        """
        artefact = _artefact(name)
        if artefact.stage > self.name:
            raise StudyError(
                f"stage {self.name} may not read {name!r}: {artefact.stage} writes it, and data "
                "flow one way"
            )
        value = self.study.read(name)
        self._remember_input(name)
        return value

    def previous(self, name: str) -> Any:
        """Return what an earlier run of this stage wrote, or None."""
        path = self.study.path(self._own(name).name)
        return read_file(path) if is_there(path) else None

    def folder(self, name: str) -> Path:
        """Return a folder or file that an earlier stage wrote, to be read by its path."""
        artefact = _artefact(name)
        path = self.study.path(name)
        if artefact.stage > self.name or not is_there(path):
            raise StudyError(f"{name!r} is not there for {self.name}: run {artefact.stage} first")
        self._remember_input(name)
        return path

    def schema(self, name: str) -> Json:
        """Return a contract of the study, and put on record which version was used."""
        schema = self.study.schema(name)
        self.inputs[SCHEMA_PREFIX + name] = fingerprint(
            place_of(self.study.root, SCHEMA_PREFIX + name)
        )
        return schema

    def outside(self, path: str | Path) -> Path:
        """Return a file or folder outside of the study's stages, and put it on record."""
        path = self.study.root / path
        if not is_there(path):
            raise StudyError(f"{path} is not there, but {SETTINGS} names it: correct it there")
        try:
            key = path.relative_to(self.study.root)
        except ValueError:
            key = path
        self.inputs[f"{OUTSIDE_PREFIX}{key}"] = fingerprint(path)
        return path

    def write(self, name: str, value: Any) -> None:
        """Write one of this stage's artefacts, whole or not at all.

        Raises
        ------
        StudyError
            If it belongs to another stage, has not one row for each scan where it should, or the
            disk refuses.
        TableError
            If a table breaks its contract; every violation is listed.
        """
        self.study._write(self._own(name), value)
        self._record(name)

    def path(self, name: str) -> Path:
        """Return where to write a folder, or a figure in several formats (without its suffix)."""
        artefact = self._own(name)
        path = self.study.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.suffix:
            path.mkdir(exist_ok=True)
        self._record(name)
        return path.with_suffix("") if artefact.file.endswith(".*") else path

    @contextmanager
    def new_array(
        self, name: str, shape: tuple[int, ...], dtype: DTypeLike = "float32"
    ) -> Iterator[NDArray]:
        """Fill a large array on disk, row by row; an interrupted run finds its rows again.

        Float arrays start as NaN: what is not NaN is done. The unfinished array of a run with
        other inputs or parameters is not gone on with.
        """
        artefact = self._own(name)
        if artefact.per_scan:
            self.study._check_rows(artefact, range(shape[0]), "one row for each scan")
        path = self.study.path(name)
        unfinished, note = partial_name(path), partial_name(path).with_suffix(".json")
        run = {"shape": list(shape), "dtype": str(np.dtype(dtype)), "made_from": self._run_id()}
        try:
            if unfinished.is_file() and note.is_file() and read_file(note) == run:
                array = np.lib.format.open_memmap(unfinished, mode="r+")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                array = np.lib.format.open_memmap(unfinished, "w+", np.dtype(dtype), shape)
                if np.issubdtype(array.dtype, np.floating):
                    array[:] = np.nan
                write_file(note, run)
            yield array
            array.flush()
            put_in_place(unfinished, path)
        except OSError as error:
            raise StudyError(f"could not write {path}: {error.strerror or error}") from error
        note.unlink(missing_ok=True)
        self._record(name)

    def checkpoint(self) -> Path:
        """Return the file that this stage's training resumes from."""
        path = self.study.root / self.name / ".checkpoint.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _own(self, name: str) -> Artefact:
        artefact = _artefact(name)
        if artefact.stage != self.name:
            raise StudyError(
                f"stage {self.name} may not write {name!r}: it belongs to {artefact.stage}"
            )
        return artefact

    def _remember_input(self, name: str) -> None:
        if _artefact(name).stage != self.name:
            self.inputs[name] = fingerprint(self.study.path(name))

    def _run_id(self) -> str:
        return sha256(repr((sorted(self.inputs.items()), self.parameters)).encode()).hexdigest()

    def _record(self, name: str) -> None:
        path = self.study.path(name)
        self.outputs[name] = fingerprint(path) if path.is_file() else None
        record = {
            "stage": self.name,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "parameters": self.parameters,
            "versions": versions(),
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
        write_file(self.study.root / self.name / RECORD, record)


def _artefact(name: str) -> Artefact:
    if name not in ARTEFACTS:
        raise StudyError(f"a study holds no {name!r}: expected one of {', '.join(ARTEFACTS)}")
    return ARTEFACTS[name]
