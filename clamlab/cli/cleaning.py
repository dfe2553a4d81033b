"""Texts of a study without its subjects, and without the places of this machine."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from clamlab.study import Study, StudyError
from clamlab.traces import is_telling

SOMEBODY = "(a subject)"
_PERSONAL = "subject|patient|person|participant|scan|id"
_PLACE = re.compile(r"(?<![\w.:/])/(?:[^\s/:;,'\")]+/)+|\b[A-Za-z]:\\(?:[^\\\s:;,'\")]+\\)+")


def ids_of(study: Study) -> set[str]:
    """List all subjects that the study's own tables know, as far as these can be read."""
    known: set[str] = set()
    for name in ("cohort", "exclusions", "qc", "scans"):
        try:
            known |= set(map(str, study.read(name)["subject_id"]))
        except (StudyError, ValueError, KeyError):
            continue
    return known


def cleaner(root: Path, ids: Iterable[str]) -> Callable[[Any], Any]:
    """Return what takes subjects and places of this machine out of texts, lists and dicts.

    Parameters
    ----------
    root : path
        The study's folder.
    ids : iterable of str
        All its subjects.

    Returns
    -------
    callable
        Keeps the keys of dicts, and what is no text.

    Examples
    --------
    >>> clean = cleaner(Path("/data/lungs"), ["S-07", "12"])
    >>> clean("/data/lungs/01_cohort/scans.csv: scan 12 of 12 is like S-07")
    '01_cohort/scans.csv: scan (a subject) of 12 is like (a subject)'
    """
    telling = set(filter(is_telling, ids))
    somebody = re.compile(rf"(?<![A-Za-z0-9]){_any_of(telling)}(?![A-Za-z0-9])", re.IGNORECASE)
    # A short number or word is somebody's id only where the words around it make it one.
    others = set(ids) - set(telling)
    named = re.compile(
        rf"(\b(?:{_PERSONAL})s?[ :=]+|['\"]){_any_of(others)}(?![A-Za-z0-9]|\.\d)", re.IGNORECASE
    )

    def clean(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: clean(member) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [clean(member) for member in value]
        if not isinstance(value, str):
            return value
        if value in others:
            return SOMEBODY
        text = value.replace(f"{root}/", "").replace(str(root), "the study")
        return named.sub(rf"\1{SOMEBODY}", somebody.sub(SOMEBODY, _PLACE.sub("", text)))

    return clean


def _any_of(texts: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(texts, key=len, reverse=True))) or '(?!)'})"
