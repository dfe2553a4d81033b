"""One writer: a study is changed by one run at a time, and a second one is told whose turn it is.

The lock is the operating system's (package filelock): it goes with its owner, killed or not, and
holds between machines on a network disk. Who has it stands beside it, for the message.
"""

import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from clamlab.atomic import whole_file
from clamlab.io import FileError, read_json
from clamlab.study.errors import StudyError

LOCK, HOLDER = ".lock", ".lock.json"
# A run hands its turn on to the notebooks that it starts, under this name.
TURN = "CLAMLAB_TURN"

_held: dict[Path, FileLock] = {}


def take(root: Path, doing: str) -> None:
    """Take the study for this process, until :func:`give_back` or its end.

    Raises
    ------
    StudyError
        If another process has it; the message says which, where, since when and for what.
    """
    if root in _held or _has_our_turn(root):
        return
    lock = FileLock(root / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
        _tell_who(root, doing)
    except Timeout:
        if _has_our_turn(root):
            return
        raise StudyError(_taken(root)) from None
    except OSError as error:
        lock.release()
        raise StudyError(
            f"could not take {root} for writing: {error.strerror or error}; make room, correct the "
            "folder's rights, or copy the study to a disk that can be written"
        ) from error
    _held[root] = lock


def _tell_who(root: Path, doing: str) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "doing": doing,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "turn": uuid.uuid4().hex,
    }
    with whole_file(root / HOLDER) as temporary:
        temporary.write_text(json.dumps(holder) + "\n", "utf-8")


def give_back(root: Path) -> None:
    """Let the next one have the study; nothing happens where this process does not have it."""
    lock = _held.pop(root, None)
    if lock is not None:
        (root / HOLDER).unlink(missing_ok=True)
        lock.release()


@contextmanager
def taken(root: Path, doing: str) -> Iterator[dict[str, str]]:
    """Have the study for a block; give the environment in which started programs share the turn."""
    mine = root not in _held
    take(root, doing)
    try:
        yield {TURN: str(holder_of(root).get("turn", ""))}
    finally:
        if mine:
            give_back(root)


def holder_of(root: Path) -> dict[str, Any]:
    """Return who has the study, as far as that is written beside the lock."""
    try:
        return read_json(root / HOLDER, expected="who has the study")
    except FileError:
        return {}


def _has_our_turn(root: Path) -> bool:
    turn = os.environ.get(TURN)
    return bool(turn) and holder_of(root).get("turn") == turn


def _taken(root: Path) -> str:
    holder = holder_of(root)
    if not {"process", "host", "doing", "since"} <= set(holder):
        return f"{root} is being written by another process: try again when it has finished"
    return (
        f"{root} is being written by process {holder['process']} on {holder['host']} "
        f"({holder['doing']}, since {holder['since']}): wait for it, or end it; a notebook that is "
        "open in JupyterLab gives the study back when its last cell has run or its kernel is shut "
        "down"
    )
