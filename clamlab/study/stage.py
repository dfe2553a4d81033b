"""One stage at work: what it reads and writes goes on record."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clamlab.atomic import partial_name, put_in_place
from clamlab.study.catalogue import ARTEFACTS, Artefact, artefact_of
from clamlab.study.contents import Contents
from clamlab.study.errors import StudyError
from clamlab.study.files import (
    Json,
    fingerprint,
    is_there,
    read_file,
    write_file,
)
from clamlab.study.provenance import OUTSIDE_PREFIX, RECORD, SCHEMA_PREFIX, place_of, versions


class Stage:
    """One stage at work: what it reads and writes goes on record.

    Parameters
    ----------
    study : Contents
        The study that it belongs to.
    name : str
    parameters : dict

    Examples
    --------
    >>> import tempfile
    >>> from clamlab.study import Study
    >>> study = Study.create(Path(tempfile.mkdtemp()) / "lungs")
    >>> stage = study.stage("04_n_clusters", k_max=8)
    >>> stage.write("choice", {"n_clusters": 2})
    >>> stage.read("choice"), stage.parameters
    ({'n_clusters': 2}, {'k_max': 8})
    >>> stage.read("maps")
    Traceback (most recent call last):
    clamlab.study.errors.StudyError: stage 04_n_clusters may not read 'maps': 06_clam writes it...
    """

    def __init__(self, study: Contents, name: str, parameters: Json) -> None:
        self.study, self.name, self.parameters = study, name, parameters
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, str | None] = {}
        self.scans: dict[str, str] = {}

    def read(self, name: str) -> Any:
        """Read an artefact of this or an earlier stage.

        Raises
        ------
        StudyError
            If a later stage writes it (data flow one way), or it is not there.
        """
        artefact = artefact_of(name)
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
        artefact = artefact_of(name)
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
            raise StudyError(f"{path} is not there, but study.json names it: correct it there")
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
        self.study.put(self._own(name), value)
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

        Float arrays start as NaN: what is not NaN is done, also when the same run is repeated.
        The array of a run with other inputs or parameters is not gone on with.
        """
        artefact = self._own(name)
        if artefact.per_scan:
            self.study.check_rows(artefact, range(shape[0]), "one row for each scan")
        path = self.study.path(name)
        unfinished, note = partial_name(path), path.with_name(f".{path.stem}.json")
        run = {"shape": list(shape), "dtype": str(np.dtype(dtype)), "made_from": self._run_id()}
        try:
            known = note.is_file() and read_file(note) == run
            there = next((p for p in (unfinished, path) if known and p.is_file()), None)
            if there is not None:
                array = np.lib.format.open_memmap(there, mode="r+")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                array = np.lib.format.open_memmap(unfinished, "w+", np.dtype(dtype), shape)
                if np.issubdtype(array.dtype, np.floating):
                    array[:] = np.nan
                array.flush()
                write_file(note, run)
            yield array
            array.flush()
            if unfinished.is_file():
                put_in_place(unfinished, path)
        except OSError as error:
            raise StudyError(f"could not write {path}: {error.strerror or error}") from error
        self._record(name)

    def checkpoint(self) -> Path:
        """Return the file that this stage's training resumes from; gone once all is written."""
        path = self.study.root / self.name / ".checkpoint.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _own(self, name: str) -> Artefact:
        artefact = artefact_of(name)
        if artefact.stage != self.name:
            raise StudyError(
                f"stage {self.name} may not write {name!r}: it belongs to {artefact.stage}"
            )
        return artefact

    def _remember_input(self, name: str) -> None:
        if artefact_of(name).stage != self.name:
            self.inputs[name] = fingerprint(self.study.path(name))

    def _run_id(self) -> str:
        return sha256(repr((sorted(self.inputs.items()), self.parameters)).encode()).hexdigest()

    def _record(self, name: str) -> None:
        path = self.study.path(name)
        self.outputs[name] = fingerprint(path) if path.is_file() else None
        if artefact_of(name).per_scan:
            self.scans[name] = fingerprint(self.study.path("scans"))
        record = {
            "stage": self.name,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "parameters": self.parameters,
            "versions": versions(),
            "inputs": self.inputs,
            "outputs": self.outputs,
            "scans": self.scans,
        }
        write_file(self.study.root / self.name / RECORD, record)
        required = {a.name for a in ARTEFACTS.values() if a.stage == self.name and a.required}
        if required <= set(self.outputs):
            self.checkpoint().unlink(missing_ok=True)
