"""Who has withdrawn, remembered without a list of names.

``withdrawn.json`` holds one slow hash for each of them, under a random salt of the study. Whoever
has the participants' table can recognise who of it has withdrawn; whoever has it not can only try
ids, a hundredth of a second each. An id that is written in another way ("7" for "007") is another
subject to the study.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.atomic import whole_file
from clamlab.study.catalogue import Artefact
from clamlab.study.errors import StudyError
from clamlab.study.files import Json, read_file
from clamlab.study.provenance import SETTINGS, settings_of
from clamlab.study.withdrawal.mentions import ID, plain_id

WITHDRAWN, PENDING = "withdrawn", "withdrawing"  # in study.json: where the list lies; who is going
LIST = "withdrawn.json"
ENTRIES = ("00_simulate", "01_cohort")  # through which people enter a study


def withdrawn(root: Path, ids: Iterable[Any]) -> set[str]:
    """Tell which of some ids have withdrawn from a study."""
    known = _remembered(root)
    if not known["digests"]:
        return set()
    return {i for i in set(map(plain_id, ids)) if _digest(i, known["salt"]) in known["digests"]}


def remember(root: Path, ids: Collection[str]) -> set[str]:
    """Put subjects on the list; return the sha256 that it may have had before they were on it."""
    known = _remembered(root)
    own = {_digest(i, known["salt"]) for i in ids}
    earlier = [known, {**known, "digests": sorted({*known["digests"]} - own)}]
    if not own <= {*known["digests"]}:
        # In order, so that the list does not tell who was the last.
        known = {**known, "digests": sorted({*known["digests"], *own})}
        with whole_file(root / LIST) as temporary:
            temporary.write_bytes(_written(known))
    return {hashlib.sha256(_written(was)).hexdigest() for was in earlier}


def refuse_withdrawn(root: Path, artefact: Artefact, value: Any) -> None:
    """Refuse a table that would bring a subject back who has withdrawn.

    Raises
    ------
    StudyError
        It tells the rows and no names: what a notebook says stays in the study.
    """
    if artefact.stage not in ENTRIES or not isinstance(value, pd.DataFrame) or ID not in value:
        return
    if gone := withdrawn(root, value[ID]):
        rows = [str(row) for row, i in enumerate(value[ID], start=1) if plain_id(i) in gone]
        raise StudyError(
            f"{artefact.file} would hold {len(gone)} subject{'s' * (len(gone) > 1)} who withdrew "
            f"from the study (row {', '.join(rows)}): expected study.without_withdrawn(table), as "
            f"the notebook {artefact.stage} of this version of clamlab writes it; copy it from "
            "there into the study's notebooks"
        )


def refuse_while_pending(root: Path) -> None:
    """Let nobody work on a study out of which a subject is being taken."""
    if told := pending(root):
        raise StudyError(told)


def pending(root: Path) -> str:
    """Say that a withdrawal has begun and not ended, and what to do; nothing where none has."""
    if not settings_of(root).get(PENDING):
        return ""
    return (
        f"a withdrawal from {root} has begun and not ended: finish it with "
        f"'clamlab withdraw {root}', then go on"
    )


def _remembered(root: Path) -> Json:
    path = root / LIST
    if path.is_file():
        return read_file(path)
    if WITHDRAWN in settings_of(root):
        raise StudyError(
            f"{path} is gone, and {SETTINGS} says that subjects withdrew: put it back from a "
            "backup, or withdraw them again after taking the line out of study.json"
        )
    return {"salt": secrets.token_hex(16), "digests": []}


def _written(known: Json) -> bytes:
    return (json.dumps(known, indent=2) + "\n").encode()


@cache  # slow on purpose, and a run asks for the same ids again and again
def _digest(text: str, salt: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=bytes.fromhex(salt), n=2**12, r=8, p=1, dklen=32).hex()
