"""Where a study's texts name subjects, and the texts without them: tables, lists, notebooks."""

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab import cells
from clamlab.atomic import whole_file
from clamlab.io import read_json
from clamlab.traces import is_telling

SOMEBODY = "(withdrawn)"
ID, REASON = "subject_id", "reason"
# Cells that a run from the command line put in, under the name that they have everywhere.
INJECTED = "injected-parameters"
_TWINS = re.compile(r"(?<=the same image as )[^;]+")  # subjects, and nothing else
NOTEBOOK = 1 << 30  # bytes that a notebook has at most, with all that it shows


def without_rows(data: bytes, ids: Collection[str]) -> tuple[bytes, list[int]]:
    r"""Take the rows of some subjects out of a CSV file; all others stay byte for byte.

    But for reasons that name a subject who goes ("the same image as S1"): there stands
    "(withdrawn)" then.

    Parameters
    ----------
    data : bytes
        The file.
    ids : collection of str

    Returns
    -------
    (bytes, list of int)
        What is left, and the positions of the rows that went.

    Examples
    --------
    >>> without_rows(b'subject_id,reason\nS1,\nS2,"as S1, small"\n', ["S1"])
    (b'subject_id,reason\nS2,"as (withdrawn), small"\n', [0])
    """
    text = data.decode("utf-8", "surrogateescape")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    head, *records = [(row, own) for row, own in _records(text, delimiter) if row] or [([], "")]
    names = [name.removeprefix("\ufeff") for name in head[0]]
    if ID not in names:
        return data, []
    place = names.index(ID)
    known = [_unguarded(row[place]) if place < len(row) else "" for row, _ in records]
    gone = [i for i, name in enumerate(known) if name in ids]
    if not gone:
        return data, []
    struck = striking({known[i] for i in gone}, known)
    stay = sorted({*range(len(known))} - {*gone})
    left = [_said(records[i], names, struck, delimiter) for i in stay]
    return "".join([head[1], *left]).encode("utf-8", "surrogateescape"), gone


def _records(text: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield every row of a CSV text: its cells, and the letters that they were read from."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    for row in csv.reader(lines(), delimiter=delimiter):
        yield row, "".join(taken)
        taken.clear()


def _unguarded(cell: str) -> str:
    return cell[1:] if cells.GUARDED.match(cell) else cell


def _said(
    record: tuple[list[str], str], names: list[str], struck: Callable[[str], str], delimiter: str
) -> str:
    """Return a row as it was written, unless its reason names somebody who goes."""
    row, own = record
    said = [struck(c) if n == REASON else c for n, c in zip(names, row, strict=False)]
    if said == row[: len(said)]:
        return own
    written = io.StringIO()
    end = own[len(own.rstrip("\r\n")) :]
    csv.writer(written, delimiter=delimiter, lineterminator=end).writerow(said)
    return written.getvalue()


def striking(gone: Collection[str], known: Collection[str]) -> Callable[[str], str]:
    """Return what puts "(withdrawn)" in the place of ids that go; longer ids that hold one stay.

    Ids that may be there by chance, such as 12, go where a reason lists subjects: "12 slices" is
    nobody.

    Examples
    --------
    >>> striking({"12"}, {"12", "13"})("12 slices are filled; the same image as 12, 13")
    '12 slices are filled; the same image as (withdrawn), 13'
    """
    telling = {name for name in gone if is_telling(name)}
    longest_first = sorted({*known, *telling} - {""}, key=len, reverse=True)
    words = "|".join(map(re.escape, longest_first)) or "(?!)"
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")

    def struck(text: str) -> str:
        return pattern.sub(lambda m: SOMEBODY if m[0] in telling else m[0], text)

    def listed(twins: re.Match[str]) -> str:
        return ", ".join(SOMEBODY if name in gone else name for name in twins[0].split(", "))

    return lambda text: struck(_TWINS.sub(listed, text))


def without_subjects(table: pd.DataFrame, column: str, gone: Collection[str]) -> pd.DataFrame:
    """Do to a table what :func:`without_rows` does to its file."""
    known = [plain_id(value) for value in table[column]]
    stay = [i for i, name in enumerate(known) if name not in gone]
    left = table.iloc[stay].reset_index(drop=True)
    if REASON in left:
        struck = striking(set(gone), known)
        left = left.assign(**{REASON: left[REASON].map(struck, na_action="ignore")})
        left[REASON] = left[REASON].astype(table[REASON].dtype)
    return left


def plain_id(value: Any) -> str:
    """Return an id as a cohort writes it."""
    return "" if pd.isna(value) else str(value).strip()


def without_names(value: Any, ids: Collection[str]) -> Any:
    """Take ids out of all lists of a JSON value.

    Examples
    --------
    >>> without_names({"made_from": ["S1", "S2"], "next": "S1"}, ["S1"])
    {'made_from': ['S2'], 'next': 'S1'}
    """
    if isinstance(value, dict):
        return {key: without_names(member, ids) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [without_names(m, ids) for m in value if not (isinstance(m, str) and m in ids)]
    return value


def clear_notebook(path: Path) -> bool:
    """Take out of a notebook what its runs left: outputs, counts, widgets, injected parameters.

    Returns
    -------
    bool
        Whether there was any.
    """
    try:
        book = read_json(path, expected="a notebook", most=NOTEBOOK)
        cleared = _cleared(book)
    except (ValueError, TypeError, KeyError, AttributeError):  # no notebook: the last look shows it
        return False
    if cleared == book:
        return False
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(cleared, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return True


def _cleared(book: dict[str, Any]) -> dict[str, Any]:
    kept = [c for c in book["cells"] if INJECTED not in c["metadata"].get("tags", [])]
    empty: dict[str, Any] = {"outputs": [], "execution_count": None}
    done = [{**c, **empty} if c["cell_type"] == "code" else c for c in kept]
    metadata = {name: value for name, value in book["metadata"].items() if name != "widgets"}
    return {**book, "cells": done, "metadata": metadata}
