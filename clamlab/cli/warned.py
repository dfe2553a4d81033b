"""What the notebooks of a study warned of as they ran, and where one stopped, in a few words."""

import re
from collections.abc import Mapping
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


def runs_of(folder: Path) -> dict[str, tuple[list[str], str]]:
    """Read of each stage's notebook what it warned of and the kind of error that it stopped with.

    Parameters
    ----------
    folder : path
        A study's notebooks, as they were last saved.

    Returns
    -------
    dict of str to (list of str, str)
        By stage; an empty text where the notebook did not stop.
    """
    return {stage: _run_of(folder / f"{stage}.ipynb") for stage in STAGES}


def said_of(
    runs: Mapping[str, tuple[list[str], str]], *, small_counts: bool, stages: set[str]
) -> list[str]:
    """Make sentences of the warnings and errors of some stages."""
    # Statistics bring seconds of imports.
    from clamlab.stats.disclosure.sentences import without_few

    said = []
    for stage, (warnings, error) in runs.items():
        if stage not in stages:
            continue
        told = [text if small_counts else without_few(text) for text in warnings]
        said += [f"{stage} warned: {text.rstrip('.')}." for text in dict.fromkeys(told)]
        if error:
            said.append(
                f"{stage}: its notebook stopped with {error} when it was last run and saved; what "
                "is shown of this stage is from an earlier run, if there was one."
            )
    return said


def _run_of(path: Path) -> tuple[list[str], str]:
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (OSError, ValueError, AttributeError):  # not there, or not to be read
        return [], ""
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    errors = [str(out.get("ename", "an error")) for out in outputs if out.output_type == "error"]
    streams = [
        text
        for out in outputs
        if out.output_type == "stream" and out.get("name") == "stderr"
        for text in warnings_in(out.text)
    ]
    return list(dict.fromkeys(streams)), errors[-1] if errors else ""
