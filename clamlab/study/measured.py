"""What a run measured, beside what a person decides, and what it was run with: on record."""

import json
from hashlib import sha256
from pathlib import Path

from clamlab.study.catalogue import Artefact
from clamlab.study.files import Json, plain, read_file
from clamlab.study.fingerprints import Fingerprint, fingerprint

MEASURED = "measured"
SEAL = "seal"
# What a report tells of a run, and no file of the study can be compared with.
_SEALED = ("parameters", "versions", "machine", "built_on_stale", "time")


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


def sealed(record: Json) -> Json:
    """Return a stage's record with a hash of what it was run with, so that a slip in it shows."""
    return record | {SEAL: _sha_of({name: record.get(name) for name in _SEALED})}


def is_sealed(record: Json) -> bool:
    """Tell whether a record says of its run what was written; one from before has no seal."""
    return SEAL not in record or record[SEAL] == sealed(record)[SEAL]


def _part(artefact: Artefact, path: Path) -> Json:
    value = read_file(path)
    return {name: value[name] for name in artefact.measured if name in value}


def _sha_of(part: Json) -> str:
    """Hash what is said, not how: order and spaces do not count, and 1.0 is 1 to some programs."""
    said = json.loads(json.dumps(part, default=plain), parse_int=float)
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
