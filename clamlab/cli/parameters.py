"""What notebooks take: their parameters, and which of the given ones each of them gets."""

import ast
import re
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from clamlab.cli.kinds import Kind, is_of_kind, kind_of, name_of
from clamlab.study import StudyError

TAG = "parameters"
INJECTED = "injected-parameters"
Notebooks = Mapping[str, NotebookNode]  # by the name of their file


def parse_parameter(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE, or 05.NAME=VALUE; the value is a Python literal, or else text.

    Examples
    --------
    >>> parse_parameter("SPACING_MM=6"), parse_parameter("REGISTRATION=affine")
    (('SPACING_MM', 6), ('REGISTRATION', 'affine'))
    """
    name, separator, value = text.partition("=")
    if not separator or not re.fullmatch(r"([0-9]{2}\.)?[^\W\d]\w*", name):
        raise ArgumentTypeError(
            f"expected NAME=VALUE, or 05.NAME=VALUE for notebook 05 alone, found {text!r}"
        )
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def parameters_of(notebook: NotebookNode) -> dict[str, Any]:
    """Return the parameters of a notebook and their defaults."""
    return {name: default for name, default, _ in _declared(notebook)}


def _declared(notebook: NotebookNode) -> Iterator[tuple[str, Any, Kind]]:
    """Read the name, the default and the kind of every parameter of a notebook."""
    cell = parameter_cell(notebook)
    for statement in ast.parse(cell.source).body if cell else []:
        if isinstance(statement, ast.AnnAssign) and statement.value:
            targets: Sequence[ast.expr] = [statement.target]
            written = statement.annotation
        elif isinstance(statement, ast.Assign):
            targets, written = statement.targets, None
        else:
            continue
        for name in [target.id for target in targets if isinstance(target, ast.Name)]:
            default = _literal(statement.value, name)
            yield name, default, kind_of(default, written)


def taken_by(file: str, notebook: NotebookNode, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Choose what of the given parameters a notebook gets: NAME, or 05.NAME for 05 alone.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> cell = new_code_cell("EPOCHS = 500", metadata={"tags": [TAG]})
    >>> given = {"EPOCHS": 60, "05.EPOCHS": 90, "SEED": 7}
    >>> taken_by("05_clusters.ipynb", new_notebook(cells=[cell]), given)
    {'EPOCHS': 90}
    """
    own = {name: f"{file[:2]}.{name}" for name in parameters_of(notebook)}
    return {
        name: parameters[alone if alone in parameters else name]
        for name, alone in own.items()
        if alone in parameters or name in parameters
    }


def check_taken(notebooks: Notebooks, parameters: Mapping[str, Any]) -> None:
    """Refuse what no notebook takes, or could not take, before hours of work lie in front of it.

    Raises
    ------
    StudyError
        It names the parameter, and what was expected.
    """
    known = {name for notebook in notebooks.values() for name in parameters_of(notebook)}
    alone = {f"{file[:2]}.{p}" for file, book in notebooks.items() for p in parameters_of(book)}
    if unknown := sorted(set(parameters) - known - alone):
        raise StudyError(
            f"no notebook of this run takes {', '.join(unknown)}: expected one of "
            f"{', '.join(sorted(known))}"
        )
    wrong = [
        f"  {Path(file).stem} takes {name} as {name_of(kind)} (default {default!r}): found "
        f"{taken[name]!r}"
        for file, notebook in notebooks.items()
        for taken in [taken_by(file, notebook, parameters)]
        for name, default, kind in _declared(notebook)
        if name in taken and not is_of_kind(taken[name], kind)
    ]
    if wrong:
        raise StudyError("nothing was run, for want of values that fit:\n" + "\n".join(wrong))


def in_several(notebooks: Notebooks, parameters: Mapping[str, Any]) -> list[str]:
    """Say which parameter more than one notebook gets: its name may mean two things in them."""
    said = []
    for name, value in parameters.items():
        files = [f for f, n in notebooks.items() if name in parameters_of(n)]
        got = [Path(f).stem for f in files if f"{f[:2]}.{name}" not in parameters]
        if len(got) > 1:
            alone = f"{got[-1][:2]}.{name}=VALUE"
            said.append(f"{name} = {value!r} in {', '.join(got)} (one alone: -p {alone})")
    return said


def _literal(value: ast.expr, name: str) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError as error:
        raise StudyError(
            f"the parameter {name} is {ast.unparse(value)!r}: expected a number, text, tuple or "
            "None, so that a run can put another value in its place"
        ) from error


def parameter_cell(notebook: NotebookNode) -> NotebookNode | None:
    """Return the cell that is tagged as holding the parameters; None where there is none."""
    tagged = [c for c in notebook.cells if TAG in c.metadata.get("tags", [])]
    return tagged[0] if tagged else None
