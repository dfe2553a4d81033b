"""What of a study is theirs who leave it: rows, files of their own, and what shows scans."""

import hashlib
import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clamlab.atomic import whole_file
from clamlab.paths import path_part
from clamlab.study import arrays
from clamlab.study.catalogue import STAGES, Artefact, artefacts_of
from clamlab.study.files import Json, is_there, members, read_file
from clamlab.study.fingerprints import sha_of
from clamlab.study.provenance import place_of, record_of
from clamlab.study.publishing import UNFINISHED
from clamlab.study.withdrawal.mentions import without_names, without_rows

CHUNK_BYTES = 1 << 26


@dataclass(frozen=True)
class Leaving:
    """Who leaves, and where they stand in the list of scans.

    Attributes
    ----------
    ids : frozenset of str
    rows : tuple of int
        Their positions in ``scans.csv``.
    n_scans : int
    before, after : str or None
        The sha256 of ``scans.csv`` with them and without.
    earlier_lists : frozenset of str
        The sha256 that the list of who has withdrawn may have had before them.
    """

    ids: frozenset[str]
    rows: tuple[int, ...] = ()
    n_scans: int = 0
    before: str | None = None
    after: str | None = None
    earlier_lists: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, root: Path, ids: Collection[str], *, earlier_lists: Collection[str] = ()
    ) -> "Leaving":
        """Look them up in the list of scans."""
        path = place_of(root, "scans")
        if not path.is_file():
            return cls(frozenset(ids), earlier_lists=frozenset(earlier_lists))
        data = path.read_bytes()
        left, rows = without_rows(data, ids)
        return cls(
            frozenset(ids),
            tuple(rows),
            len(read_file(path)),
            _sha256(data),
            _sha256(left),
            frozenset(earlier_lists),
        )

    def are_seen(self, root: Path) -> bool:
        """Tell whether what was learned from scans may have been learned from theirs."""
        known = {self.before, self.after}
        lists = [was for s in STAGES for was in record_of(root, s).get("scans", {}).values()]
        return bool(self.rows) or any(sha_of(was) not in known for was in lists)


@dataclass
class Share:
    """What of some files is theirs.

    Attributes
    ----------
    files : dict of str to bytes
        Tables and lists that name them, and what is left of each.
    entries : list of str
        Files and folders of their own, within the stage's folders.
    arrays : list of str
        Arrays with rows of theirs.
    whole : list of Artefact
        What goes as a whole.
    n_rows : int
        Rows of tables.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=list)
    whole: list[Artefact] = field(default_factory=list)
    n_rows: int = 0

    @classmethod
    def of(
        cls, base: Path, own: Collection[Artefact], leaving: Leaving, record: Json, *, seen: bool
    ) -> "Share":
        """Find it in the files of one stage."""
        share, lists = cls(), record.get("scans", {})
        for artefact in own:
            path = base / artefact.file
            if not is_there(path):
                continue
            if artefact.shows_scans:
                # What a person keeps is as old as it may be: no record tells of which scans.
                share.whole += [artefact] if seen or artefact.personal else []
            elif artefact.made_of and _names_one(base / artefact.made_of, leaving.ids):
                share.whole.append(artefact)
            elif path.suffix == ".csv":
                share._add_table(artefact, path, leaving.ids)
            elif path.suffix == ".json":
                share._add_list(artefact, path, leaving.ids)
            elif artefact.per_scan:
                share._add_array(artefact, path, leaving, sha_of(lists.get(artefact.name)))
            names = [n.format(path_part(i)) for n in artefact.of_subject for i in leaving.ids]
            share.entries += [f"{artefact.file}/{n}" for n in names if (path / n).exists()]
        return share

    def _add_table(self, artefact: Artefact, path: Path, ids: Collection[str]) -> None:
        left, rows = without_rows(path.read_bytes(), ids)
        if rows:
            self.files[artefact.file] = left
            self.n_rows += len(rows)

    def _add_list(self, artefact: Artefact, path: Path, ids: Collection[str]) -> None:
        try:
            value = read_file(path)
        except ValueError:  # a person's, with a slip: the last look shows it to them
            return
        if (left := without_names(value, ids)) != value:
            self.files[artefact.file] = (json.dumps(left, indent=2) + "\n").encode()

    def _add_array(self, artefact: Artefact, path: Path, leaving: Leaving, of: str | None) -> None:
        """Cut an array whose rows are known; of another one, any row may be theirs."""
        if of is not None and of == leaving.before and _length(path) == leaving.n_scans:
            self.arrays += [artefact.file] if leaving.rows else []
        elif of is None or of != leaving.after:
            self.whole.append(artefact)

    def __bool__(self) -> bool:
        return bool(self.files or self.entries or self.arrays or self.whole)

    @property
    def tops(self) -> set[str]:
        """The folders that change inside."""
        inside = [*self.entries, *(file for file in self.files if "/" in file)]
        return {file.split("/")[0] for file in inside}

    def take_away(self, source: Path, target: Path, rows: Collection[int]) -> None:
        """Leave in ``target`` what is not theirs; folders lie there already."""
        for entry in self.entries:
            remove(target / entry)
        for file, left in self.files.items():
            with whole_file(target / file) as temporary:
                temporary.write_bytes(left)
        for file in self.arrays:
            _copy_without(source / file, target / file, rows)


def _names_one(path: Path, ids: Collection[str]) -> bool:
    """Tell whether a list names one of some subjects; one that cannot be read may."""
    try:
        return path.is_file() and without_names(read_file(path), ids) != read_file(path)
    except ValueError:
        return True


def names_of(root: Path, ids: Collection[str]) -> set[str]:
    """Tell which of some ids any table, list or folder of the study knows."""
    return {name for name in ids if any(_knows(root, stage, name) for stage in STAGES)}


def _knows(root: Path, stage: str, name: str) -> bool:
    own = [a for a in artefacts_of(stage) if not a.file.endswith(".npy")]
    for base in (root / stage, root / stage / UNFINISHED):
        share = Share.of(base, own, Leaving(frozenset([name])), {}, seen=False)
        if share.files or share.entries:
            return True
    return False


def _copy_without(source: Path, target: Path, rows: Collection[int]) -> None:
    array = read_file(source)
    kept = np.setdiff1d(np.arange(len(array)), list(rows))
    step = max(1, CHUNK_BYTES // max(1, array[:1].nbytes))
    shape = (len(kept), *array.shape[1:])
    with arrays.filled(target, shape, array.dtype, run="cut", done=None) as left:
        for start in range(0, len(kept), step):
            left[start : start + step] = array[kept[start : start + step]]


def _length(path: Path) -> int | None:
    try:
        return len(read_file(path))
    except ValueError:  # no array any more
        return None


def files_at(path: Path) -> list[Path]:
    """List what lies at a path: a file, a folder, or a family ``name.*``."""
    return members(path) if path.suffix == ".*" else [path]


def remove(path: Path) -> None:
    """Take away a file, a folder or a family, if it is there."""
    for member in files_at(path):
        if member.is_dir() and not member.is_symlink():
            shutil.rmtree(member)
        else:
            member.unlink(missing_ok=True)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
