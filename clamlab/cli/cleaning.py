"""Texts of a study without its subjects, and without the places of this machine."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from clamlab import resources
from clamlab.cli.parameters import parameters_of
from clamlab.schema.contracts import ANNOTATIONS
from clamlab.study import Study, StudyError
from clamlab.traces import is_telling

SOMEBODY = "(a subject)"
# Of the parameters of clamlab's notebooks these take ids, and files that may be called after
# somebody; all others take numbers, columns and words of its own.
NAMING = ("scans", "template", "anatomy")
# What sentences of the program call methods: nobody is meant who has the same name.
METHODS = ("equal variances (HC3)", "HC3 does not exist")
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
    either = f"{_any_of(METHODS)}|(?P<id>{_any_of(telling)})"
    somebody = re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)
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
        text = somebody.sub(lambda m: SOMEBODY if m["id"] else m[0], _PLACE.sub("", text))
        return named.sub(rf"\1{SOMEBODY}", text)

    return clean


def may_name(stage: str, parameter: str) -> bool:
    """Tell whether a parameter on record may name a subject, as those of one's own notebooks may.

    >>> may_name("07_explore", "scans"), may_name("09_associations", "covariance")
    (True, False)
    """
    return parameter in NAMING or parameter.upper() not in _taken_by(stage)


@cache
def _taken_by(stage: str) -> frozenset[str]:
    path = resources.notebooks() / f"{stage}.ipynb"
    return frozenset(parameters_of(nbformat.read(path, as_version=4)))


def cleaned_record(
    stage: str, record: Mapping[str, Any], clean: Callable[[Any], Any]
) -> dict[str, Any]:
    """Clean of a stage's record what a person may have written: all else is the program's."""
    parameters = record.get("parameters", {}).items()
    own = {name: clean(v) if may_name(stage, name) else v for name, v in parameters}
    return {**record, "parameters": own}


def cleaned_contract(rule: Any, clean: Callable[[Any], Any], *, of_columns: bool = False) -> Any:
    """Clean titles and descriptions of a contract: levels, units and kinds are no subjects.

    Examples
    --------
    >>> stage = {"title": "as of S-07", "enum": ["1", "2"]}
    >>> contract = {"properties": {"title": stage}}
    >>> cleaned_contract(contract, cleaner(Path("/data"), ["S-07", "1"]))
    {'properties': {'title': {'title': 'as of (a subject)', 'enum': ['1', '2']}}}
    """
    if isinstance(rule, list):
        return [cleaned_contract(member, clean) for member in rule]
    if not isinstance(rule, Mapping):
        return rule
    return {
        key: clean(member)
        if key in ANNOTATIONS and not of_columns
        else cleaned_contract(member, clean, of_columns=key == "properties" and not of_columns)
        for key, member in rule.items()
    }


def _any_of(texts: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(texts, key=len, reverse=True))) or '(?!)'})"
