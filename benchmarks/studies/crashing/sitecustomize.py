"""Crash, or meet a full disk, at a chosen step of work on a study.

A step is what changes files: opening one to write it, and the calls of STEPS. Python imports this
module at its start where its folder is on the path, so that kernels and workers obey too. It acts
while the environment says so:

CRASH_STUDY   the study; steps outside it are none
CRASH_LOG     where each step is noted, "operation path"; beside it (.members) who took part
CRASH_AT      at which step: "operation path n", the n-th of this operation on this file
CRASH_HOW     "together": all who take part are killed; "alone": the process that does the step
              ends; "full": the disk is full from then on

A crash comes before the step is done; where a file is opened, after: the file is there and empty.
What compiled code writes by itself is not seen.
"""

import builtins
import contextlib
import errno
import fcntl
import io
import os
import shutil  # noqa: F401 - it looks at the calls of os as they were made
import signal

STEPS = ("fsync", "replace", "rename", "unlink", "remove", "rmdir", "mkdir", "link",
         "posix_fallocate")  # fmt: skip
NEEDS_ROOM = ("open", "fsync", "mkdir", "link", "posix_fallocate")
KILLED = 9
_open = io.open


def concerned(name: str, args: tuple, kwargs: dict) -> str | None:
    """Return the file that a call changes, relative to the study; None if it changes none."""
    root = os.environ.get("CRASH_STUDY")
    if not root:
        return None
    path = args[1] if name in ("replace", "rename", "link") else args[0]
    if isinstance(path, int):
        path = os.readlink(f"/proc/self/fd/{path}")
    elif kwargs.get("dir_fd") is not None:
        path = os.path.join(os.readlink(f"/proc/self/fd/{kwargs['dir_fd']}"), os.fspath(path))
    path = os.path.abspath(os.fsdecode(path))
    there = os.path.lexists(path)
    if (name == "mkdir" and there) or (name in ("unlink", "remove", "rmdir") and not there):
        return None
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else None


def note(step: str) -> int:
    """Put a step on record, and tell how often it has been done by now, by whichever process."""
    with _open(os.environ["CRASH_LOG"], "a+", encoding="utf-8") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.seek(0)
        times = sum(line == f"{step}\n" for line in log) + 1
        log.write(f"{step}\n")
    return times


def crash() -> None:
    """End this process, and with it all others of the run if they go together."""
    if os.environ["CRASH_HOW"] == "together":
        with _open(f"{os.environ['CRASH_LOG']}.members", encoding="utf-8") as members:
            others = {int(line) for line in members} - {os.getpid()}
        for other in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
    os._exit(KILLED)


def is_full(name: str, path: str, now: bool) -> bool:
    """Tell whether a step finds no room; from the chosen one on, none does that needs any.

    But for notebooks, which are kept whatever happened: what the stage says is to be heard.
    """
    if os.environ.get("CRASH_HOW") != "full":
        return False
    mark = f"{os.environ['CRASH_LOG']}.full"
    if now:
        _open(mark, "w", encoding="utf-8").close()
    spared = path.startswith("notebooks/") and not now
    return name in NEEDS_ROOM and os.path.exists(mark) and not spared


def watched(name: str, real, changes=lambda args, kwargs: True):
    """Wrap a call that may be a step."""

    def call(*args, **kwargs):
        path = concerned(name, args, kwargs) if changes(args, kwargs) else None
        if path is None:
            return real(*args, **kwargs)
        step = f"{name} {path}"
        now = os.environ.get("CRASH_AT") == f"{step} {note(step)}"
        if is_full(name, path, now):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        if now and name != "open":
            crash()
        result = real(*args, **kwargs)
        if now:
            crash()
        return result

    return call


def writes(args: tuple, kwargs: dict) -> bool:
    """Tell whether ``open`` makes a file or empties it."""
    mode = args[1] if len(args) > 1 else kwargs.get("mode", "r")
    return not isinstance(args[0], int) and bool(set(mode) & set("wax"))


def makes(args: tuple, kwargs: dict) -> bool:
    """Tell whether ``os.open`` makes a file."""
    flags = args[1] if len(args) > 1 else kwargs.get("flags", 0)
    return bool(flags & os.O_CREAT)


def join() -> None:
    """Be one of those who take part in the run."""
    if os.environ.get("CRASH_LOG"):
        with _open(f"{os.environ['CRASH_LOG']}.members", "a", encoding="utf-8") as members:
            members.write(f"{os.getpid()}\n")


for _name in STEPS:
    setattr(os, _name, watched(_name, getattr(os, _name)))
os.open = watched("open", os.open, makes)
builtins.open = io.open = watched("open", _open, writes)
join()
