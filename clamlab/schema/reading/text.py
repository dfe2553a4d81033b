"""The cells of a text file: which encoding, which separator, and every line in full."""

import csv
import io
import re
import unicodedata
from collections import Counter
from pathlib import Path

from clamlab.io import room_for
from clamlab.schema.reading.formats import encoding_of_units
from clamlab.schema.reading.sheet import Sheet, counted, listed, ranges

_GROWS = 30  # times the room of its text that a table of texts takes
_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "vertical bars", ",": "commas"}
_STRANGE = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_FEWEST_CUT = 3  # cells that a line usually has; of two, the last may be blank
_NO_LETTERS = ("Cn", "Co")  # what Unicode has not given to any script
_LOOKED_AT = 200  # lines that the separator is chosen by


def read_text(file: Path, separator: str | None = None) -> list[Sheet]:
    """Return the one sheet of a text file; its separator is chosen where none is given.

    Raises
    ------
    ValueError
        If it holds two encodings, letters that no text has, or rows that do not fit.
    """
    room_for(file, _GROWS * file.stat().st_size, expected="a table")
    text, said = _decoded(file, file.read_bytes())
    if strange := next((letter for letter in dict.fromkeys(text) if _is_strange(letter)), ""):
        line = text.count("\n", 0, text.index(strange)) + 1
        raise ValueError(
            f"{file} holds a character that no text has (number {ord(strange)}) in line {line}: "
            "the file is damaged, or no text; export the table again"
        )
    told: list[str] = []
    if separator is None:
        separator, text, told = _separator(text)
    rows = _rows(file, text, separator)
    if rows:
        _check_separated(file, rows)
    sheet = Sheet.of_rows("", rows, commas_separate=separator == ",")
    sheet.said = said + told + _short(rows) + _end(file, text, rows)
    return [sheet]


def _is_strange(letter: str) -> bool:
    return _STRANGE.match(letter) is not None or unicodedata.category(letter) in _NO_LETTERS


def _decoded(file: Path, raw: bytes) -> tuple[str, list[str]]:
    units = encoding_of_units(raw)
    try:
        if units:
            return raw.decode(units), [f"the text is in {units.upper()}"]
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    if units:
        raise ValueError(f"{file} is cut or damaged: it begins as {units.upper()} text and does "
                         "not go on so; export the table again")  # fmt: skip
    _check_one_encoding(file, raw)
    encoding = "latin-1" if set(raw) & set(b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    text = raw.decode(encoding)
    foreign = sorted({letter for letter in text if not letter.isascii()})
    return text, [
        f"the text is not UTF-8: read as {encoding}, in which its other letters are "
        f"{listed(foreign)}; if they are wrong, export the table as UTF-8"
    ]


def _check_one_encoding(file: Path, raw: bytes) -> None:
    """Refuse lines in UTF-8 among lines that are not: one of the two would be read wrong."""
    right, wrong = [], []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            right += [number] if not line.decode("utf-8").isascii() else []
        except UnicodeDecodeError:
            wrong.append(number)
    if right and wrong:
        raise ValueError(
            f"{file} holds two encodings: {counted(len(right), 'line')} in UTF-8 (first line "
            f"{right[0]}), {counted(len(wrong), 'line')} not (first line {wrong[0]}); save it in "
            "one, UTF-8"
        )


def _separator(text: str) -> tuple[str, str, list[str]]:
    """Choose the separator that most lines hold equally often, quoted cells aside."""
    if told := re.match(r"sep=([^\w\s]|\t)[;,\t]*\r?\n", text, re.IGNORECASE):
        return told[1], "\n" + text[told.end() :], []
    unquoted = re.sub(r'"[^"]*"', "", text[:1_000_000])
    lines = [line for line in unquoted.splitlines() if line.strip()][:_LOOKED_AT]

    def agreement(separator: str) -> tuple[int, int]:
        counts = Counter(line.count(separator) for line in lines if separator in line)
        often, number = max(((n, c) for c, n in counts.items()), default=(0, 0))
        return often, number

    best = max(_SEPARATORS, key=agreement)
    often = agreement(best)[0]
    rivals = [s for s in _SEPARATORS if s != best and agreement(s)[0] == often and often]
    said = []
    if rivals and len(lines) > 1:
        names = " or ".join(_SEPARATORS[s] for s in rivals)
        said = [f"the cells are taken as separated by {_SEPARATORS[best]} (not {names})"]
    return best, text, said


def _rows(file: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    rows, line = [], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f'{file}: the quotes (") do not fit from line {line} on: expected each that opens a '
            f'cell to close it, and "" within one ({error})'
        ) from error
    return rows


def _check_separated(file: Path, rows: list[tuple[int, list[str]]]) -> None:
    """Refuse lines that are one cell because they are separated otherwise than the rest, or all."""
    lengths = Counter(len(row) for _, row in rows)
    usual = max((n for n in lengths if n > 1), key=lengths.__getitem__, default=1)
    alone = {line: row[0] for line, row in rows if len(row) == 1}
    if usual > 1:
        wrong = [line for line, cell in alone.items() if usual in _parts(cell)]
        if wrong:
            raise ValueError(
                f"{file}: line {wrong[0]} holds one cell where others hold {usual}, and looks as "
                "if its own were separated otherwise: export the table again, with one separator "
                "and no quotes around whole lines"
            )
    elif any(
        n > 1 for n in set.intersection(*({*_parts(c), len(c.split())} for c in alone.values()))
    ):
        raise ValueError(
            f"{file} holds one column, in which each cell ({rows[0][1][0]!r}) looks like several: "
            "expected commas, semicolons, tabs or | between cells, and no quotes around whole lines"
        )


def _parts(cell: str) -> set[int]:
    """Count the parts of a cell by each separator; one before a blank belongs to a sentence."""
    return {len(re.split(re.escape(separator) + "(?! )", cell)) for separator in _SEPARATORS}


def _short(rows: list[tuple[int, list[str]]]) -> list[str]:
    """Say which lines end early; titles and footnotes, of one cell, are told elsewhere."""
    lengths = Counter(len(row) for _, row in rows)
    usual = max(lengths, key=lengths.__getitem__, default=1)
    lines = [line for line, row in rows if 1 < len(row) < usual]
    said = f"fewer cells than elsewhere, the last taken as blank: line {ranges(lines)}"
    return [said] if lines else []


def _end(file: Path, text: str, rows: list[tuple[int, list[str]]]) -> list[str]:
    """Refuse a file whose last line breaks off: who knows what else is missing; say if it may."""
    if not rows or text.endswith(("\n", "\r")):
        return []
    usual = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    number, row = rows[-1]
    note = len(row) == 1 and (" " in row[0].strip() or usual < _FEWEST_CUT)
    if len(row) < usual and not note:
        raise ValueError(
            f"{file} seems to be cut: its last line ({number}) ends after {len(row)} of {usual} "
            "cells; copy or export it again"
        )
    return [f"no line break after the last line ({number}): see that the file is whole"]
