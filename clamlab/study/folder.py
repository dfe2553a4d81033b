"""A study on disk: made, opened, read, and worked on one stage at a time."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab import resources
from clamlab.study import lock
from clamlab.study.catalogue import STAGES, Artefact, artefact_of
from clamlab.study.contents import Contents
from clamlab.study.errors import StudyError
from clamlab.study.files import write_file
from clamlab.study.provenance import SETTINGS, status_of
from clamlab.study.publishing import finish, is_publishing
from clamlab.study.stage import Stage
from clamlab.study.withdrawal.mentions import ID, without_subjects
from clamlab.study.withdrawal.remembering import (
    WITHDRAWN,
    refuse_while_pending,
    refuse_withdrawn,
    withdrawn,
)

# How a run tells the notebooks that it starts which stale stages may be built on.
STALE = "CLAMLAB_STALE"


class Study(Contents):
    """A folder that holds one study, from the scans' table to the paper's figures.

    Make one with :meth:`create`, come back to it with :meth:`open`.

    Parameters
    ----------
    root : path
        The study's folder.

    Examples
    --------
    >>> import tempfile
    >>> study = Study.create(Path(tempfile.mkdtemp()) / "lungs")
    >>> study.write("choice", {"n_clusters": 2})
    >>> Study.open(study.root).read("choice")
    {'n_clusters': 2}
    >>> study.status().set_index("stage")["status"]["04_n_clusters"]
    'missing'
    """

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
    def open(cls, root: str | Path | None = None, *, stale: Iterable[str] = ()) -> "Study":
        """Open a study; without a path, the one that the working folder lies in.

        Parameters
        ----------
        root : path, optional
        stale : iterable of str
            Stages that may be built on although they are stale: names or first two digits.

        Returns
        -------
        Study

        Raises
        ------
        StudyError
            If there is no study.
        """
        start = Path.cwd() if root is None else Path(root).resolve()
        candidates = [start, *start.parents] if root is None else [start]
        for folder in candidates:
            if os.path.lexists(folder / SETTINGS):
                told = os.environ.get(STALE, "").split(",")
                study = cls(folder, stale=[*stale, *filter(None, told)])
                study.finish_publications()
                return study
        raise StudyError(
            f"no study at {start}: expected a folder with {SETTINGS}; make one with "
            "'clamlab init' or 'clamlab simulate'"
        )

    def finish_publications(self) -> None:
        """Finish what a killed run had begun to put in place; leave it to a run that is alive."""
        begun = [stage for stage in STAGES if is_publishing(self.root / stage)]
        if not begun:
            return
        with suppress(StudyError), lock.taken(self.root, "finishing a publication"):
            for stage in begun:
                finish(self.root / stage)

    def stage(self, stage: str, **parameters: Any) -> "Stage":
        """Work on one stage; its parameters are kept in its ``stage.json``."""
        if stage not in STAGES:
            raise StudyError(f"there is no stage {stage!r}: expected one of {', '.join(STAGES)}")
        refuse_while_pending(self.root)
        made = Stage(self, stage, parameters)
        if stage == "01_cohort" and WITHDRAWN in self.settings:
            made.outside(WITHDRAWN)  # who is left out is what the cohort is made from, too
        return made

    def without_withdrawn(self, table: pd.DataFrame, column: str = ID) -> pd.DataFrame:
        """Leave out of a table who has withdrawn from the study (``clamlab withdraw``).

        Where a ``reason`` of another row names them, "(withdrawn)" takes their place.

        Parameters
        ----------
        table : DataFrame
            One row per subject.
        column : str
            Where its ids stand.

        Returns
        -------
        DataFrame

        Examples
        --------
        >>> import tempfile
        >>> study = Study.create(Path(tempfile.mkdtemp()) / "lungs")
        >>> table = pd.DataFrame({"subject_id": ["S1", "S2"]})
        >>> len(study.without_withdrawn(table))  # nobody has
        2
        """
        return without_subjects(table, column, withdrawn(self.root, table[column]))

    def check(self, artefact: Artefact, value: Any, scans: pd.DataFrame | None) -> None:
        """Refuse also who has withdrawn, whatever notebook brings them back."""
        super().check(artefact, value, scans)
        refuse_withdrawn(self.root, artefact, value)

    def write(self, name: str, value: Any) -> None:
        """Write an artefact outside of any run of its stage, for instance a person's choice."""
        artefact = artefact_of(name)
        refuse_while_pending(self.root)
        self.check(artefact, value, self.read("scans") if artefact.per_scan else None)
        with lock.taken(self.root, f"writing {name}"):
            write_file(self.path(name), value)

    def status(self, *, verify: bool = False) -> pd.DataFrame:
        """Tell which stages are fresh, stale, altered, partial or missing, and why.

        Parameters
        ----------
        verify : bool
            Read every file and compare its sha256, not only its size and time.

        Returns
        -------
        DataFrame
            One row per stage: ``stage``, ``status``, ``why``, ``finished``.
        """
        return status_of(self.root, verify=verify)
