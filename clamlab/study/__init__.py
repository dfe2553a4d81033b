"""The study folder: which stage writes which file, where each came from, fresh or stale."""

from clamlab.study.arrays import rows_kept
from clamlab.study.catalogue import ARTEFACTS, STAGES, Artefact
from clamlab.study.errors import StudyError
from clamlab.study.folder import Study
from clamlab.study.stage import Stage

__all__ = ["ARTEFACTS", "STAGES", "Artefact", "Stage", "Study", "StudyError", "rows_kept"]
