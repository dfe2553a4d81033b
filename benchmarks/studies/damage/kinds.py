"""What may have become of any file: it is none, it is longer or shorter, parts of it are others."""

import os
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

Change = Callable[[bytes], bytes]
Damages = Iterator[tuple[str, str, Change]]  # the kind, what is done, and how


def put(at: int, what: bytes) -> Change:
    """Overwrite bytes."""
    return lambda data: data[:at] + what + data[at + len(what) :]


def instead(old: bytes, new: bytes, count: int = 1) -> Change:
    """Replace bytes."""
    return lambda data: data.replace(old, new, count)


def only(new: bytes) -> Change:
    """Have something else in the file."""
    return lambda data: new


def flips(whole: bytes, n: int) -> Damages:
    """Single bits, where a check sum can tell."""
    rng = random.Random(len(whole))
    for i in range(n):
        at, bit = rng.randrange(len(whole)), 1 << rng.randrange(8)
        yield "a bit", f"{i}: byte {at}", put(at, bytes([whole[at] ^ bit]))


def anywhere(whole: bytes, *, values: bool = True) -> Damages:
    """Damages that any format may have; without ``values`` its start alone is overwritten."""
    for start in (0, len(whole) // 3) if values else (0,):
        yield (
            "structure",
            f"zeros from byte {start}",
            put(start, bytes(min(40, len(whole) - start))),
        )
    quarter = len(whole) // 4
    exchanged = whole[quarter : 2 * quarter] + whole[:quarter] + whole[2 * quarter :]
    yield "structure", "quarters exchanged", only(exchanged)
    yield "structure", "random bytes", only(random.Random(1).randbytes(len(whole)))


LENGTHS: dict[str, Change] = {
    "cut to a fifth": lambda data: data[: len(data) // 5],
    "cut to a half": lambda data: data[: len(data) // 2],
    "cut by its last byte": lambda data: data[:-1],
    "cut by 3 bytes": lambda data: data[:-3],
    "garbage after it": lambda data: data + b"\x07garbage\xff" * 9,
}


def _socket(file: Path) -> None:
    # The name of a socket may not be long: it is bound from within its folder.
    here = os.getcwd()
    os.chdir(file.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(file.name)
    finally:
        os.chdir(here)


def _unreadable(file: Path) -> None:
    file.write_bytes(b"closed")
    file.chmod(0)


# What stands in the place of a file.
PLACES: dict[str, Callable[[Path], None]] = {
    "named pipe": os.mkfifo,
    "socket": _socket,
    "folder": Path.mkdir,
    "link to nothing": lambda file: file.symlink_to("nowhere"),
    "link to itself": lambda file: file.symlink_to(file.name),
    "device": lambda file: file.symlink_to("/dev/zero"),
    "empty": Path.touch,
}
if os.geteuid():  # root may read everything
    PLACES["not to be read"] = _unreadable
