"""Whether a file is still what it was: told by its stamp where that is enough, else by content."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from clamlab.study.files import members

CHUNK = 1 << 22
# Of the scans so much is read at the start, in the middle and at the end: headers
# and check sums lie there, and a folder of scans may be larger than any disk reads in an hour.
SAMPLE = 1 << 16

Fingerprint = dict[str, str]
Place = Path | Mapping[str, Path]  # a file, a folder, a family, or files by a name for each


def fingerprint(place: Place, *, sampled: bool = False) -> Fingerprint:
    """Return what tells a file, folder, family ``name.*`` or list from any other, and its stamp.

    The stamp (names, sizes, times) is quick to compare and changes when a study is copied; the
    sha256 is of names and contents alone, and stays.
    """
    return {"sha256": _content(place, sampled), "stamp": _stamp(place)}


def unchanged(
    place: Place, was: Fingerprint | str, *, sampled: bool = False, verify: bool = False
) -> bool:
    """Tell whether a file is what its fingerprint says; ``verify`` reads it in any case."""
    if not verify and isinstance(was, dict) and was.get("stamp") == _stamp(place):
        return True
    return _content(place, sampled) == sha_of(was)


def sha_of(was: Fingerprint | str | None) -> str | None:
    """Return the sha256 of a recorded file; before there were stamps, it stood there alone."""
    return was["sha256"] if isinstance(was, dict) else was


def _stamp(place: Place) -> str:
    states = [(name, member.stat()) for name, member in _named(place)]
    return _digest(f"{name}:{s.st_size}:{s.st_mtime_ns};".encode() for name, s in states)


def _content(place: Place, sampled: bool) -> str:
    if isinstance(place, Path) and place.is_file():
        return _file_content(place, sampled)
    parts = (f"{name}:{_file_content(member, sampled)};" for name, member in _named(place))
    return _digest(part.encode(errors="surrogateescape") for part in parts)


def _named(place: Place) -> list[tuple[str, Path]]:
    """List files with the names that they have within a folder or family, in one order."""
    if isinstance(place, Mapping):
        return sorted((name, path) for name, path in place.items() if os.path.isfile(path))
    if place.is_file():
        return [("", place)]
    within = place.parent if place.suffix == ".*" else place
    return sorted((member.relative_to(within).as_posix(), member) for member in members(place))


def _file_content(path: Path, sampled: bool) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        if not sampled or size <= 3 * SAMPLE:
            return _digest(iter(lambda: file.read(CHUNK), b""))
        samples = [f"{size};".encode()]
        for start in (0, size // 2, size - SAMPLE):
            file.seek(start)
            samples.append(file.read(SAMPLE))
    return _digest(samples)


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
