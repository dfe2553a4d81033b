"""Small texts of the library's own: JSON and CSV, whole, in UTF-8, and said once."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from clamlab.io.files import COPY_AGAIN, FileError, explained, read_bytes, room_for

# Nested lists take some twenty times the room of their text.
_MOST_JSON = 1 << 21
_MOST_CSV = 1 << 30
_GROWS = 10  # times the room of its text that a table takes
_UTF8 = "utf-8-sig"  # as spreadsheets and editors may save it


def read_json(
    path: str | os.PathLike, *, expected: str, advice: str = COPY_AGAIN, most: int = _MOST_JSON
) -> dict[str, Any]:
    """Read a JSON object whose every name is said once.

    Parameters
    ----------
    path : path
    expected : str
        What it is: "a contract".
    advice : str
        What to do where it is not.
    most : int
        Bytes that such a file has at most.

    Returns
    -------
    dict

    Raises
    ------
    FileError

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "choice.json"
    >>> _ = file.write_text('{"n_clusters": 2, "n_clusters": 3}')
    >>> read_json(file, expected="a choice", advice="write it once")
    Traceback (most recent call last):
    clamlab.io.files.FileError: ...choice.json: expected a choice, found 'n_clusters' said twice;
    write it once
    """
    data = read_bytes(path, expected=expected, most=most)
    return parsed_json(path, data, expected=expected, advice=advice)


def parsed_json(
    path: str | os.PathLike, data: bytes, *, expected: str, advice: str
) -> dict[str, Any]:
    """Understand the bytes of a JSON object that was read somewhere in a file."""

    def said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        known = dict(pairs)
        if len(known) < len(pairs):
            (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
            raise FileError(path, expected, f"{twice!r} said twice", advice)
        return known

    with explained(path, expected, advice):
        try:
            value = json.loads(data.decode(_UTF8), object_pairs_hook=said_once)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise FileError(path, expected, f"no valid JSON ({place})", advice) from error
    if not isinstance(value, dict):
        raise FileError(path, f"{expected} in braces {{}}", _named(value), advice)
    return value


def _named(value: Any) -> str:
    if isinstance(value, str | list):
        return "a text" if isinstance(value, str) else "a list"
    return json.dumps(value) if isinstance(value, bool | None) else f"the number {value}"


def read_csv(path: str | os.PathLike, *, expected: str, **reading: Any) -> pd.DataFrame:
    r"""Read a table that was written whole: every row as long as the first, the last one ended.

    Parameters
    ----------
    path : path
        A CSV file with commas, in UTF-8.
    expected : str
        What it is: "notes".
    **reading
        How pandas is to read its cells.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileError

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "features.csv"
    >>> _ = file.write_text("subject_id,feature\nS1,0.25\nS2,0.2")
    >>> read_csv(file, expected="features")
    Traceback (most recent call last):
    clamlab.io.files.FileError: ...features.csv: expected features whose last line ends with a line
    break, found none after line 3; see that nothing is missing, and add it
    """
    data = read_bytes(path, expected=expected, most=_MOST_CSV)
    room_for(path, _GROWS * len(data), expected=expected)
    with explained(path, expected):
        _check_rows(path, expected, data)
        return pd.read_csv(io.BytesIO(data), encoding=_UTF8, **reading)


def _check_rows(path: str | os.PathLike, expected: str, data: bytes) -> None:
    lines = io.TextIOWrapper(io.BytesIO(data), _UTF8, newline="")
    rows = csv.reader(lines, strict=True)
    names = next(filter(None, rows), [])
    _check_names(path, expected, names)
    for row in rows:
        if row and len(row) != len(names):
            wanted = f"{expected} with {len(names)} cells in each row"
            found = f"{len(row)} in line {rows.line_num}"
            raise FileError(path, wanted, found, f"correct the line, or {COPY_AGAIN}")
    if b"\0" in data:
        raise FileError(path, expected, "bytes that are no text", COPY_AGAIN)
    if not data.endswith((b"\n", b"\r")):
        raise FileError(
            path, f"{expected} whose last line ends with a line break",
            f"none after line {rows.line_num}", "see that nothing is missing, and add it",
        )  # fmt: skip


def _check_names(path: str | os.PathLike, expected: str, names: Iterable[str]) -> None:
    """Refuse what pandas would give another name."""
    known = set()
    for name in names:
        if name in known:
            raise FileError(path, expected, f"two columns {name!r}", "name each column once")
        known.add(name)
