"""What a person does in widgets is heard one thing after the other, in the order it was done."""

from typing import Any


def hear_in_order() -> None:
    """Let the kernel hear all widgets in its main thread, as cells run there.

    JupyterLab speaks to widgets over a second shell of the kernel, and ipykernel from 7.4 on hears
    each widget where it last said something: some in the main thread, some in that of the second
    shell. A name that was typed could then be heard after the button that keeps what it names, and
    a box that is ticked change a result while it is being written. While a cell runs widgets wait,
    as they do in every kernel without a second shell, and say so.

    Outside of a kernel, and in one that does not part widgets so, nothing is done.
    """
    try:
        from ipykernel.comm.comm import BaseComm
    except ImportError:
        return
    if hasattr(BaseComm, "_reply_subshell_for"):
        BaseComm._reply_subshell_for = _main_shell  # type: ignore[method-assign]


def _main_shell(comm: Any, data: Any, default: str | None) -> None:
    """Name the shell that hears a message to a widget; the main one has no name."""
