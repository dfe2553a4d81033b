"""What a run measured, in a file where a person decides the rest: on record apart from it."""

import json
from hashlib import sha256
from pathlib import Path

from clamlab.study.catalogue import Artefact
from clamlab.study.files import Json, read_file
from clamlab.study.fingerprints import Fingerprint, fingerprint

MEASURED = "measured"


def output_of(artefact: Artefact, path: Path) -> Fingerprint:
    """Return what goes on record of a file that a run wrote."""
    told = fingerprint(path)
    return told | {MEASURED: _sha_of(_part(artefact, path))} if artefact.measured else told


def is_as_measured(artefact: Artefact, path: Path, was: Fingerprint | str) -> bool:
    """Tell whether a person's file still says what its run measured, or nothing of it.

    Raises
    ------
    FileError
        If it cannot be read.
    """
    if not isinstance(was, dict) or MEASURED not in was:  # published before it went on record
        return True
    part = _part(artefact, path)
    # A decision that was written alone, into a file of its own, passes no number for measured.
    return not part or _sha_of(part) == was[MEASURED]


def _part(artefact: Artefact, path: Path) -> Json:
    value = read_file(path)
    return {name: value[name] for name in artefact.measured if name in value}


def _sha_of(part: Json) -> str:
    """Hash what is said, not how: order and spaces do not count, and 1.0 is 1 to some programs."""
    said = json.loads(json.dumps(part), parse_int=float)
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
