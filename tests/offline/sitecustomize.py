"""Refuse the network to every Python process that finds this file on its path, and keep a record.

Python imports it at its start, so kernels and workers obey too. It acts while the variable
OFFLINE_LOG names a file; whatever was tried is added there, since a library may keep its errors to
itself, and beside it (``.processes``) who was under guard. Loopback and Unix sockets stay open:
notebooks talk to their kernels over them. What compiled code opens by itself is not seen.
"""

import ipaddress
import os
import sys

# Where in the arguments of an event the other machine stands.
EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}


def is_outside(address) -> bool:
    """Tell whether an address, (host, port, ...) or a host alone, is another machine's."""
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes | bytearray):
        host = bytes(host).decode("latin-1")
    # None is this machine, a number the system itself.
    if not isinstance(host, str) or host in ("", "localhost"):
        return False
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return True


def refuse(event: str, arguments: tuple) -> None:
    log = os.environ.get("OFFLINE_LOG")
    if not log or event not in EVENTS:
        return
    address = arguments[EVENTS[event]]
    through_a_file = EVENTS[event] == 1 and not isinstance(address, tuple)  # a Unix socket
    if through_a_file or not is_outside(address):
        return
    record(log, f"{event} {address!r}")
    raise PermissionError(f"no network here: {event} {address!r}")


def record(log: str, what: str) -> None:
    with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{what} by {' '.join(sys.orig_argv)}\n")


sys.addaudithook(refuse)
if os.environ.get("OFFLINE_LOG"):
    record(f"{os.environ['OFFLINE_LOG']}.processes", "guarded")
