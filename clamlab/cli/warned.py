"""What the notebooks of a study warned of as they ran, and where one stopped, in a few words."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from clamlab.study.catalogue import STAGES

# As Python prints it: place, kind, words. The next line is code, and the place is this machine's.
# As it logs: level, library, words.
_WARNING = re.compile(
    r"(?:^|:\d+: )([A-Za-z]*Warning: [^\r\n]+)"
    r"|(?<![A-Za-z])((?:WARNING|ERROR|CRITICAL):[\w.]+:[^\r\n]+)",
    re.MULTILINE,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def warnings_in(text: str) -> list[str]:
    r"""Pick the warnings out of what a cell wrote to the terminal, bars and all; each once.

    Those of Python, and what a library logged as a warning or worse.

    Examples
    --------
    >>> warnings_in("60%|#  |\r/opt/a.py:7: UserWarning: 2 clusters are empty\n  warn(said)\n")
    ['UserWarning: 2 clusters are empty']
    >>> warnings_in("WARNING:nibabel.global:sform has no inverse\nINFO:root:all read\n")
    ['WARNING:nibabel.global:sform has no inverse']
    """
    found = ((match[1] or match[2]).strip() for match in _WARNING.finditer(_COLOUR.sub("", text)))
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Run:
    """What a notebook says of its last run: nothing where its outputs were cleared, or never were.

    Attributes
    ----------
    known : bool
        Whether any of its cells was run, so that what follows can be told.
    warnings : tuple of str
    error : str
        The kind of error that it stopped with; empty where it did not.
    """

    known: bool = False
    warnings: tuple[str, ...] = ()
    error: str = ""


def runs_of(folder: Path) -> dict[str, Run]:
    """Read what each stage's notebook says of its last run, by stage.

    Parameters
    ----------
    folder : path
        A study's notebooks, as they were last saved.

    Returns
    -------
    dict of str to Run
    """
    return {stage: _run_of(folder / f"{stage}.ipynb") for stage in STAGES}


def said_of(
    runs: Mapping[str, Run], *, small_counts: bool, stages: set[str], ran: Container[str]
) -> list[str]:
    """Make sentences of the warnings and errors of some stages, and of those that are not known.

    Parameters
    ----------
    runs : mapping of str to Run
    small_counts : bool
        Whether counts of one to four persons may be told.
    stages : set of str
        Those of which may be told.
    ran : container of str
        Those that have a record of a run.

    Returns
    -------
    list of str
    """
    # Statistics bring seconds of imports.
    from clamlab.stats.disclosure.sentences import without_few

    said = []
    told_of = {stage: run for stage, run in runs.items() if stage in stages}
    if silent := [stage for stage, run in told_of.items() if stage in ran and not run.known]:
        said.append(
            f"{', '.join(silent)}: what the run warned of is not known, since no outputs are left "
            "in the notebook (cleared, or copied anew)."
        )
    for stage, run in told_of.items():
        told = [text if small_counts else without_few(text) for text in run.warnings]
        said += [f"{stage} warned: {text.rstrip('.')}." for text in dict.fromkeys(told)]
        if run.error:
            said.append(
                f"{stage}: its notebook stopped with {run.error} when it was last run and saved; "
                + (
                    "what is shown of it is from an earlier run."
                    if stage in ran
                    else "nothing is shown of it."
                )
            )
    return said


def _run_of(path: Path) -> Run:
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (OSError, ValueError, AttributeError):  # not there, or not to be read
        return Run()
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    errors = [str(out.get("ename", "an error")) for out in outputs if out.output_type == "error"]
    streams = [
        text
        for out in outputs
        if out.output_type == "stream" and out.get("name") == "stderr"
        for text in warnings_in(out.text)
    ]
    return Run(
        known=bool(outputs) or any(cell.get("execution_count") for cell in cells),
        warnings=tuple(dict.fromkeys(streams)),
        error=errors[-1] if errors else "",
    )
