"""Run Python modules at once: in processes forked from one that has all imports behind it.

    python warm.py serve SOCKET               wait for what is to be run
    python warm.py SOCKET MODULE ARGUMENTS    as ``python -m MODULE ARGUMENTS``

The imports of a stage cost five seconds, and a sweep runs hundreds of stages.
"""

import json
import os
import runpy
import signal
import socket
import sys


def ask(place: str, arguments: list[str]) -> int:
    """Have a module run, in this process's folder and environment, with its output; wait for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which a kernel gets with its end
    asked = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        socket.send_fds(line, [json.dumps(asked).encode()], [0, 1, 2])
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(1)
    return answer[0] if answer else signal.SIGKILL


def serve(place: str) -> None:
    """Import what stages need, then fork for everyone who asks."""
    import ipykernel.kernelapp  # noqa: F401

    from clamlab import (  # noqa: F401
        clam,
        contrast,
        evaluation,
        figures,
        ingest,
        selection,
        simulate,
        stats,
        training,
        viewers,
        volumes,
    )  # fmt: skip

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        while True:
            line, _ = server.accept()
            if os.fork() == 0:
                server.close()
                answer(line)
            line.close()


def answer(line: socket.socket) -> None:
    """Become the process that was asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, descriptors, _, _ = socket.recv_fds(line, 1 << 20, 3)
    while part := line.recv(1 << 20):
        text += part
    asked = json.loads(text)
    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(asked["folder"])
    os.environ.clear()
    # A kernel ends itself where its parent is not the process that it is told.
    os.environ.update({k: v for k, v in asked["environment"].items() if k != "JPY_PARENT_PID"})
    import sitecustomize

    sitecustomize.join()
    module, *sys.argv[1:] = asked["arguments"]
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush(), sys.stderr.flush()
    line.send(bytes([code]))
    os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
