"""What of a study can come out again, by hashes: code without parameters, tables without times."""

from hashlib import sha256
from pathlib import Path

import nbformat

from clamlab.cli.parameters import INJECTED, TAG
from clamlab.io import FileError, read_csv
from clamlab.study import Study
from clamlab.study.catalogue import STAGES

TIMES = "seconds"  # a column that no other run has
TIMED = ("qc", "pretraining_history", "clustering_history")


def code_of(path: Path) -> str | None:
    """Return the sha256 of a notebook's code; None where it is no notebook.

    Parameters stand in the stage's record, and outputs are no code.
    """
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (OSError, ValueError, AttributeError):  # not there, or not to be read
        return None
    code = [
        "\n".join(line.rstrip() for line in cell.source.strip().splitlines())
        for cell in cells
        if cell.cell_type == "code" and not {TAG, INJECTED} & set(cell.metadata.get("tags", []))
    ]
    return sha256("\n\n".join(code).encode()).hexdigest()


def codes_in(folder: Path) -> dict[str, str | None]:
    """Return the hash of each stage's notebook in a folder."""
    return {stage: code_of(folder / f"{stage}.ipynb") for stage in STAGES}


def without_times(path: Path) -> str | None:
    """Return the sha256 of a table without the times that its run took; None where it is none."""
    try:
        table = read_csv(path, expected="a table of the study", dtype=str, keep_default_na=False)
    except (FileError, OSError, ValueError):
        return None
    return sha256(
        table.drop(columns=TIMES, errors="ignore").to_csv(index=False).encode()
    ).hexdigest()


def timeless(study: Study) -> dict[str, str]:
    """Return the hash without times of each table that holds some."""
    found = {name: without_times(study.path(name)) for name in TIMED}
    return {name: sha for name, sha in found.items() if sha}
