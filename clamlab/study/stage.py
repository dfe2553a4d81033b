"""One stage at work: what it reads and writes goes on record, and appears as one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import DTypeLike, NDArray

from clamlab.study import arrays, lock
from clamlab.study.catalogue import ARTEFACTS, Artefact, artefact_of, artefacts_of
from clamlab.study.contents import Contents, check_rows
from clamlab.study.errors import StudyError
from clamlab.study.files import Json, is_there, write_file, writing
from clamlab.study.fingerprints import Fingerprint, fingerprint, unchanged
from clamlab.study.machine import made_with
from clamlab.study.measured import output_of, sealed
from clamlab.study.provenance import (
    SCHEMA_PREFIX,
    SETTING_PREFIX,
    as_it_is,
    outside_inputs,
    outside_place,
    record_of,
    status_of,
    still,
    without_place,
)
from clamlab.study.publishing import RECORD, UNFINISHED, finish, publish
from clamlab.study.seeding import clear, seed_from


class Stage:
    """One stage at work: what it reads and writes goes on record.

    What it writes lies in the stage's folder ``unfinished`` until :meth:`publish` brings all of
    it into place at once.

    Parameters
    ----------
    study : Contents
    name : str
    parameters : dict

    Examples
    --------
    >>> import tempfile
    >>> from clamlab.study import Study
    >>> study = Study.create(Path(tempfile.mkdtemp()) / "lungs")
    >>> stage = study.stage("01_cohort", min_subjects=1)
    >>> stage.write("cohort", pd.DataFrame({"subject_id": ["S1"], "scan": ["S1.nii.gz"]}))
    >>> stage.write("exclusions", pd.DataFrame({"subject_id": ["S2"], "reason": ["no scan"]}))
    >>> stage.publish()
    >>> study.read("exclusions")["reason"].item()
    'no scan'
    """

    def __init__(self, study: Contents, name: str, parameters: Json) -> None:
        self.study, self.name, self.parameters = study, name, parameters
        self._folder = study.root / name
        self.unfinished = self._folder / UNFINISHED
        self.inputs: dict[str, Fingerprint] = {}
        self.written: set[str] = set()
        self.runs: dict[str, str] = {}
        self._earlier: dict[str, Fingerprint] = {}
        self._begun = self._published = False
        self._states: pd.DataFrame | None = None

    def read(self, name: str) -> Any:
        """Read an artefact of an earlier stage, or one that this run has written.

        Raises
        ------
        StudyError
            If a later stage writes it (data flow one way), it is not there, or its stage is not
            fresh.
        """
        artefact = artefact_of(name)
        if artefact.stage == self.name:
            return self._read_own(artefact)
        if artefact.stage > self.name:
            why = f"{artefact.stage} writes it, and data flow one way"
            raise StudyError(f"{self.name} may not read {name!r}: {why}")
        value = self.study.read(name)
        self._remember_input(artefact)
        return value

    def previous(self, name: str) -> Any:
        """Return what an earlier run of this stage wrote, or a person since; None if nobody did."""
        artefact, path = self._own(name), self.study.path(name)
        self._earlier[name] = fingerprint(path)  # what is not there has one, too
        return self.study.by_hand(artefact, path)

    def folder(self, name: str) -> Path:
        """Return a folder or file that an earlier stage wrote, to be read by its path."""
        artefact = artefact_of(name)
        path = self.study.path(name)
        if artefact.stage >= self.name or not is_there(path):
            raise StudyError(f"{name!r} is not there for {self.name}: run {artefact.stage} first")
        self._remember_input(artefact)
        return path

    def schema(self, name: str) -> Json:
        """Return a contract of the study, and put on record which version was used."""
        key = SCHEMA_PREFIX + name
        schema = self.study.schema(name)
        self.inputs[key] = as_it_is(self.study.root, key)
        return schema

    def outside(self, name: str, path: str | Path | None = None) -> Path:
        """Return a file or folder that ``study.json`` names, and put its content on record.

        With the scans go the cohort's lung masks. With a path, ``study.json`` is told that it is
        there: records hold no places of a machine.
        """
        if path is not None:
            self._begin()
            self.study.update(**{name: str(path)})
        place = outside_place(self.study.root, name)
        if not is_there(place):
            raise StudyError(
                f"{name} is not at {place}, where study.json says: write its new place there"
            )
        self.inputs |= outside_inputs(self.study.root, name, self.name)
        return place

    def settings(self, *names: str) -> Json:
        """Return lines of ``study.json`` (None where there is none), and put them on record."""
        keys = [SETTING_PREFIX + name for name in names]
        self.inputs |= {key: as_it_is(self.study.root, key) for key in keys}
        return {name: self.study.settings.get(name) for name in names}

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
        artefact = self._own(name)
        self.study.check(artefact, value, self._scans() if artefact.per_scan else None)
        self._begin()
        write_file(self._place(artefact), value)
        self.written.add(name)

    def path(self, name: str) -> Path:
        """Return where to write a folder, or a figure in several formats (without its suffix)."""
        artefact = self._own(name)
        if artefact.personal:  # what a person keeps is no part of what a run publishes
            return self.study.path(name)
        self._begin()
        path = self._place(artefact)
        with writing(path):
            folder = path.parent if path.suffix else path
            folder.mkdir(parents=True, exist_ok=True)
        self.written.add(name)
        return path.with_suffix("") if artefact.file.endswith(".*") else path

    @contextmanager
    def new_array(
        self, name: str, shape: tuple[int, ...], dtype: DTypeLike = "float32"
    ) -> Iterator[NDArray]:
        """Fill a large array on disk, row by row; an interrupted run finds its rows again.

        Float arrays start as NaN: what is not NaN is done, also when the same run is repeated.
        The array of a run with other inputs, parameters or versions is not gone on with.
        """
        artefact = self._own(name)
        if artefact.per_scan:
            check_rows(artefact, range(shape[0]), self._scans(), "one row for each scan")
        self._begin()
        run = arrays.run_of(self.inputs, self.parameters, shape, dtype)
        done = arrays.finished(self.study.root, self.name, name, run)
        with arrays.filled(self._place(artefact), shape, dtype, run=run, done=done) as array:
            yield array
        self.runs[name] = run
        self.written.add(name)

    def checkpoint(self) -> Path:
        """Return the file that this stage's training resumes from; gone once all is published."""
        self._begin()
        return self._folder / ".checkpoint.safetensors"

    def publish(self) -> None:
        """Let all that this run wrote take the place of the earlier run's, as one.

        Call it last, after the checks: what was not published is not there for later stages.

        Raises
        ------
        StudyError
            If something is missing that belongs to the stage, or an input or a person's decision
            was changed while the stage ran.
        """
        own = artefacts_of(self.name)
        absent = [a.file for a in own if a.required and a.name not in self.written]
        if absent:
            raise StudyError(
                f"{self.name} is not complete: this run has not written {', '.join(absent)}; run "
                "the notebook from its top"
            )
        self._begin()  # in a notebook that was left open, somebody else may have the turn by now
        self._check_nothing_moved()
        outputs = {name: self._place(ARTEFACTS[name]) for name in sorted(self.written)}
        record = {
            "stage": self.name,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "parameters": {name: without_place(v) for name, v in self.parameters.items()},
            **made_with(),
            "built_on_stale": sorted(self.study.allowed_stale),
            # What was read of the stage's own and not written anew is a person's: an input.
            "inputs": self.inputs | {k: v for k, v in self._earlier.items() if k not in outputs},
            "outputs": {name: output_of(ARTEFACTS[name], path) for name, path in outputs.items()},
            "scans": self._scans_of_arrays(),
            "runs": self.runs,
        }
        write_file(self.unfinished / RECORD, sealed(record))
        publish(self._folder, {a.file for a in own}, keep={a.file for a in own if a.personal})
        (self._folder / ".checkpoint.safetensors").unlink(missing_ok=True)
        self._begun, self._published, self.written = False, True, set()
        lock.give_back(self.study.root)

    def _own(self, name: str) -> Artefact:
        artefact = artefact_of(name)
        if artefact.stage != self.name:
            raise StudyError(f"{self.name} may not write {name!r}: it belongs to {artefact.stage}")
        return artefact

    def _place(self, artefact: Artefact) -> Path:
        return self.unfinished / artefact.file

    def _begin(self) -> None:
        """Take the study, and clear what an earlier run left unless this one can go on from it."""
        if not self._begun:
            self._check_nothing_moved()  # somebody else may have had the turn since it was read
        lock.take(self.study.root, self.name)
        if self._begun:
            return
        finish(self._folder)
        resumed = {a.file for a in artefacts_of(self.name) if a.resumed}
        clear(self.unfinished, keep=resumed)
        seed_from(self._folder, self.unfinished, resumed)
        self._begun = True

    def _read_own(self, artefact: Artefact) -> Any:
        if self._published and artefact.name not in self.written:
            return self.study.read(artefact.name)
        place = self._place(artefact)
        if artefact.name not in self.written or not is_there(place):
            raise StudyError(f"{artefact.name!r} has not been written by this run of {self.name}")
        value = self.study.load(artefact, place)
        if artefact.per_scan:
            check_rows(artefact, value, self._scans(), "run the notebook from its top")
        return value

    def _scans(self) -> pd.DataFrame:
        scans = artefact_of("scans")
        return self._read_own(scans) if scans.stage == self.name else self.study.read("scans")

    def _scans_of_arrays(self) -> dict[str, Fingerprint]:
        per_scan = [name for name in sorted(self.written) if artefact_of(name).per_scan]
        own = artefact_of("scans").stage == self.name
        path = self._place(artefact_of("scans")) if own else self.study.path("scans")
        return dict.fromkeys(per_scan, fingerprint(path)) if per_scan else {}

    def _remember_input(self, artefact: Artefact) -> None:
        """Put an input on record; refuse one whose own stage does not stand."""
        if self._states is None:
            self._states = status_of(self.study.root).set_index("stage")
        state = self._states.loc[artefact.stage]
        stands = state["status"] == "fresh" or artefact.stage[:2] in self.study.allowed_stale
        if not (stands or artefact.by_hand):
            raise StudyError(
                f"{self.name} would rest on {artefact.stage}, which is {state['status']} "
                f"({state['why']}): run notebook {artefact.stage} again, or allow it by name "
                f"(clamlab run --stale {artefact.stage[:2]})"
            )
        path = self.study.path(artefact.name)
        was = record_of(self.study.root, artefact.stage).get("outputs", {}).get(artefact.name)
        known = isinstance(was, dict) and unchanged(path, was)
        self.inputs[artefact.name] = was if known else fingerprint(path)

    def _check_nothing_moved(self) -> None:
        for key, was in self.inputs.items():
            if not still(self.study.root, key, was):
                raise StudyError(
                    f"{key.split(':')[-1]} was changed while {self.name} ran: run it again"
                )
        for name, was in self._earlier.items():
            if not unchanged(self.study.path(name), was):
                raise StudyError(
                    f"{artefact_of(name).file} was changed while {self.name} ran, by a person or "
                    "another program: run the notebook again, and it is taken into account"
                )
