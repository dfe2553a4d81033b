"""The sheets of an OpenDocument spreadsheet (.ods), as LibreOffice writes them."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from clamlab.schema.reading.sheet import Sheet, is_endless, letters

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_HIDDEN = ("collapse", "filter")
_MOST = {"rows": 1 << 24, "columns": 1 << 14}  # that a sheet has in any program


def read_open_document(file: Path) -> list[Sheet]:
    """Return the sheets of a spreadsheet.

    Raises
    ------
    ValueError
        If it is protected by a password, or its XML holds declarations, which no program writes.
    """
    with zipfile.ZipFile(file) as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise ValueError(
                f"{file} is protected by a password: open it, take the password away, and save it"
            )
        content = archive.read("content.xml")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError(f"{file} is no spreadsheet as programs write them: save it as .xlsx")
    root = ElementTree.fromstring(content)
    hidden = {
        style.get(f"{_STYLE}name") for style in root.iter(f"{_STYLE}style")
        if any(p.get(f"{_TABLE}display") == "false" for p in style)
    }  # fmt: skip
    return [_sheet(file, table, hidden) for table in root.iter(f"{_TABLE}table")]


def _sheet(file: Path, table: ElementTree.Element, hidden_styles: set) -> Sheet:
    sheet: dict[str, list] = {
        k: [] for k in ("hidden_rows", "merged", "blank_formulas", "percents")
    }
    rows, number, cells, standing = [], 1, 0, 0
    for row in table.iter(f"{_TABLE}table-row"):
        repeats = _number(row, "rows-repeated")
        values = list(_values(row, number, sheet))
        if any(value is not None for value in values):
            cells, standing = cells + repeats * len(values), standing + len(row)
            if is_endless(cells, standing):
                raise ValueError(
                    f"{file}: sheet {table.get(f'{_TABLE}name')!r} reaches to cell "
                    f"{letters(len(values))}{number + repeats - 1}: expected a table; delete the "
                    "rows and columns outside of it and save"
                )
            rows += [(number + i, values) for i in range(repeats)]
            if row.get(f"{_TABLE}visibility") in _HIDDEN:
                sheet["hidden_rows"] += range(number, number + repeats)
        number += repeats
    return Sheet.of_rows(
        table.get(f"{_TABLE}name", ""),
        rows,
        hidden=table.get(f"{_TABLE}style-name") in hidden_styles,
        hidden_columns=_hidden_columns(table),
        **sheet,
    )


def _values(row: ElementTree.Element, number: int, sheet: dict[str, list]) -> Iterator[Any]:
    """Yield a row's values; note what is merged, and what was not calculated."""
    column, waiting = 1, 0  # blanks are repeated to the sheet's edge: kept back until one follows
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        repeats = _number(cell, "columns-repeated")
        value = None if cell.tag.endswith("covered-table-cell") else _value(cell)
        place = f"{letters(column)}{number}"
        down, across = _number(cell, "rows-spanned"), _number(cell, "columns-spanned")
        if down * across > 1:
            end = f"{letters(column + across - 1)}{number + down - 1}"
            sheet["merged"].append((range(number, number + down), f"{place}:{end}"))
        if value is None and cell.get(f"{_TABLE}formula"):
            sheet["blank_formulas"].append((number, place))
        if cell.get(f"{_OFFICE}value-type") == "percentage":
            sheet["percents"].append((number, place))
        column += repeats
        if value is None:
            waiting += repeats
            continue
        if column - 1 > _MOST["columns"]:
            raise ValueError(f"row {number} has more columns than any sheet")
        yield from [None] * waiting + [value] * repeats
        waiting = 0


def _number(element: ElementTree.Element, name: str) -> int:
    """Return how many rows or columns an element stands for, which no sheet has without end."""
    number = int(element.get(f"{_TABLE}number-{name}", 1))
    if not 1 <= number <= _MOST[name.partition("-")[0]]:
        raise ValueError(f"number-{name} is {number}")
    return number


def _value(cell: ElementTree.Element) -> Any:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "percentage", "currency"):
        number = float(cell.get(f"{_OFFICE}value", "nan"))
        return int(number) if number.is_integer() else number
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "").removesuffix("T00:00:00").replace("T", " ")
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    lines = ["".join(p.itertext()) for p in cell.iterfind(f"{_TEXT}p")]
    return "\n".join(lines).strip() or None


def _hidden_columns(table: ElementTree.Element) -> list[int]:
    found: list[int] = []
    column = 1
    for element in table.iter(f"{_TABLE}table-column"):
        repeats = _number(element, "columns-repeated")
        if element.get(f"{_TABLE}visibility") in _HIDDEN:
            found += range(column, min(column + repeats, _MOST["columns"] + 1))
        column += repeats
    return found
