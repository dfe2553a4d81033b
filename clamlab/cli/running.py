"""Run a study's notebooks without a person: parameters in, progress out, outputs kept."""

import asyncio
import copy
import errno
import os
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell

from clamlab.atomic import whole_file
from clamlab.cli.parameters import INJECTED, check_taken, in_several, parameter_cell, taken_by
from clamlab.cli.warned import warnings_in
from clamlab.study import StudyError
from clamlab.study.files import writing

# Bars as text, since those that a browser draws could not be seen in a terminal; and what libraries
# log told by its level and their name: a report can pick it out.
PREPARED = (
    "import logging, tqdm.auto, tqdm.std\ntqdm.auto.tqdm = tqdm.std.tqdm\nlogging.basicConfig()"
)
# A kernel that only this process talks to need not warn that others could listen.
QUIET_KERNEL = ["--IPKernelApp.log_level=40"]


def run_notebooks(
    folder: Path,
    names: Sequence[str],
    parameters: dict[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run notebooks in order; each is saved with its outputs, also where it stops.

    Each runs as it is when its turn has come: a person may edit it while an earlier one runs.
    Their kernels have this process's environment and what ``environment`` adds to it.

    Raises
    ------
    StudyError
        If a parameter belongs to none of them or is of another kind than one of them takes (then
        nothing runs), or a cell fails.
    """
    notebooks = {name: nbformat.read(folder / name, as_version=4) for name in names}
    check_taken(notebooks, parameters)
    for line in in_several(notebooks, parameters):
        print(line)
    # Threads that wait for one another by spinning crawl as soon as anything else runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in names:
        notebook = nbformat.read(folder / name, as_version=4)
        print(f"\n{Path(name).stem}: {question_of(notebook)}", flush=True)
        start = time.monotonic()
        _run(notebook, folder / name, parameters, {**os.environ, **(environment or {})})
        print(f"{Path(name).stem}: done in {time.monotonic() - start:.0f} s", flush=True)


def question_of(notebook: NotebookNode) -> str:
    """Return the question that the notebook's first cell asks."""
    lines = [line for line in notebook.cells[0].source.splitlines() if line.strip()]
    return lines[1].strip("*_ ") if len(lines) > 1 else ""


def _run(
    notebook: NotebookNode, path: Path, parameters: dict[str, Any], environment: dict[str, str]
) -> None:
    running = copy.deepcopy(notebook)
    running.cells = [c for c in running.cells if INJECTED not in c.metadata.get("tags", [])]
    cell, taken = parameter_cell(running), taken_by(path.name, notebook, parameters)
    if cell is not None and taken:
        # The defaults stay readable above what this run put in their place.
        injected = new_code_cell("\n".join(f"{name} = {value!r}" for name, value in taken.items()))
        injected.metadata["tags"] = [INJECTED]
        running.cells.insert(running.cells.index(cell) + 1, injected)
    running.cells.insert(0, new_code_cell(PREPARED))
    client = _SpeakingClient(
        running,
        timeout=None,
        kernel_name="python3",
        extra_arguments=QUIET_KERNEL,
        resources={"metadata": {"path": path.parent}},
    )
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        if error.ename == "KeyboardInterrupt":
            raise KeyboardInterrupt from error
        raise StudyError(
            f"{path.stem} stopped: {error.ename}: {error.evalue}{_advice(error)}\n(the notebook "
            f"with its outputs so far is {path}; what was written before is untouched)"
        ) from error
    except (AssertionError, asyncio.CancelledError) as error:
        # How the client tells that it was interrupted: it has shut its kernel down then.
        if client.km is None or isinstance(error, asyncio.CancelledError):
            raise KeyboardInterrupt from error
        raise
    except DeadKernelError as error:
        raise StudyError(
            f"{path.stem} stopped: its process was killed, most likely for want of memory; take a "
            "coarser grid or fewer processes (N_JOBS), and run it again"
        ) from error
    finally:
        del running.cells[0]
        _keep(running, path, notebook)


def _advice(error: CellExecutionError) -> str:
    """Say what to do about a full disk where a library tells of it: of a figure, say."""
    full = error.evalue.startswith(f"[Errno {errno.ENOSPC}]")
    return ": make room, then run it again" if full else ""


def _keep(run: NotebookNode, path: Path, as_started: NotebookNode) -> None:
    """Save a run notebook; where a person has edited it meanwhile, beside theirs."""
    if nbformat.read(path, as_version=4) != as_started:
        edited, path = path, path.with_name(f"{path.stem}_as_run.ipynb")
        print(f"{edited.name} was edited while it ran: what ran is kept in {path}", flush=True)
    with writing(path), whole_file(path) as temporary:
        nbformat.write(run, temporary)
    _trust(path)


def _trust(path: Path) -> None:
    """Sign a notebook that was just run here, so that JupyterLab shows its pictures and viewers.

    Jupyter withholds them in notebooks that its user did not run; this user did.
    """
    try:
        NotebookNotary().sign(nbformat.read(path, as_version=4))
    except (OSError, sqlite3.Error) as error:
        print(
            f"{path.name} could not be signed ({error}): in JupyterLab, choose 'Trust Notebook' "
            "to see its viewers",
            file=sys.stderr,
        )


class _SpeakingClient(NotebookClient):
    """Shows in the terminal what cells say while they run, progress bars included."""

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> Any:
        content = msg["content"]
        if msg["msg_type"] == "stream":
            stream = sys.stderr if content["name"] == "stderr" else sys.stdout
            stream.write(content["text"])
            stream.flush()
            if content["name"] == "stderr":
                # Hundreds of states of a bar are not worth keeping; what was warned of is.
                if not (told := warnings_in(content["text"])):
                    return None
                msg = {**msg, "content": {**content, "text": "\n".join([*told, ""])}}
        return super().output(outs, msg, display_id, cell_index)
