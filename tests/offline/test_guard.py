"""The guard that refuses the network refuses it, keeps a record, and leaves this machine alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GUARD = Path(__file__).parent
# 192.0.2.1 is an address that belongs to nobody (RFC 5737).
OUTSIDE = {
    "connect": "socket.socket().connect(('192.0.2.1', 80))",
    "connect_ex": "socket.socket().connect_ex(('192.0.2.1', 80))",
    "sixth version": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "sendto": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "sendmsg": "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
    "getaddrinfo": "socket.getaddrinfo('hospital.example', 80)",
    "gethostbyname": "socket.gethostbyname('hospital.example')",
    "gethostbyname_ex": "socket.gethostbyname_ex('hospital.example')",
    "gethostbyaddr": "socket.gethostbyaddr('192.0.2.1')",
    "getnameinfo": "socket.getnameinfo(('192.0.2.1', 80), 0)",
    "urlopen": "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
    "asyncio": (
        "import asyncio; asyncio.run(asyncio.wait_for(asyncio.open_connection('192.0.2.1', 80), 1))"
    ),
}
INSIDE = """
import socket, threading
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
socket.create_connection(('localhost', server.getsockname()[1])).close()
one, other = socket.socketpair()
socket.getaddrinfo(None, 0), socket.getaddrinfo('127.0.0.1', 80)
quiet = socket.socket(socket.AF_UNIX)
quiet.connect_ex('/nowhere/at/all')
quiet.connect_ex('name.sock')
"""


def run(code, log):
    environment = os.environ | {"PYTHONPATH": str(GUARD), "OFFLINE_LOG": str(log)}
    return subprocess.run(
        [sys.executable, "-c", f"import socket; {code}"],
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("way", OUTSIDE)
def test_no_way_leads_outside(way, tmp_path):
    log = tmp_path / "log"
    done = run(OUTSIDE[way], log)
    assert done.returncode != 0 and "no network here" in done.stderr
    assert (
        "192.0.2.1" in log.read_text() or "example" in log.read_text() or "db8" in log.read_text()
    )


def test_what_is_tried_is_on_record_though_nobody_tells(tmp_path):
    log = tmp_path / "log"
    quiet = "\ntry: socket.create_connection(('192.0.2.1', 80))\nexcept OSError: pass"
    child = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', 'import socket' {quiet!r}])"
    )
    assert run(child, log).returncode == 0
    assert log.read_text().startswith("socket.getaddrinfo '192.0.2.1'")


def test_this_machine_can_be_reached(tmp_path):
    done = run(INSIDE, tmp_path / "log")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "log").exists()
    assert (tmp_path / "log.processes").read_text().startswith(f"guarded by {sys.executable} -c")
