"""Where the table lies: on which sheet, and which row names its columns.

The rule, as it is told to the person: the sheet that has a row in which one cell is called like an
identifier (``subject_id``, ``Patient No.``, ``MRN``) and every column with values below has a
name. Of several such sheets none is taken.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clamlab.schema.naming import looks_like_id
from clamlab.schema.quantities import NUMBER
from clamlab.schema.reading.sheet import Sheet, counted, letters

_LOOKED_AT = 60  # rows with cells in which the header is looked for


@dataclass(frozen=True)
class Place:
    """The sheet, and the number of the row that names the columns; ``told`` if a cell is an id."""

    sheet: Sheet
    header: int
    told: bool


def find_place(
    file: Path, sheets: list[Sheet], *, sheet: str | None = None, header: int | None = None
) -> tuple[Place, list[str]]:
    """Choose the sheet and the header row; give also what is to be said of the choice.

    Raises
    ------
    ValueError
        If there is no table, or more than one that could be meant.
    """
    filled = [s for s in sheets if not s.cells.empty]
    if sheet is not None:
        filled = [_named(file, sheets, sheet)]
    if not filled or filled[0].cells.empty:
        raise ValueError(f"{file} is empty: expected a header row and one row per subject")
    if len(filled) == 1:
        found = _header(file, filled[0], header)
    else:
        found = _of_several(file, filled, header)
    return found, _said(found, [s for s in sheets if s is not found.sheet])


def _named(file: Path, sheets: list[Sheet], name: str) -> Sheet:
    for sheet in sheets:
        if sheet.name.strip() == name.strip():
            return sheet
    names = ", ".join(repr(s.name) for s in sheets if s.name)
    raise ValueError(
        f"{file} has no sheet {name!r}: " + (f"there are {names}" if names else "it has no sheets")
    )


def _of_several(file: Path, sheets: list[Sheet], header: int | None) -> Place:
    """Choose among sheets: the one with an identifier; else the only one that is a table."""
    places: dict[str, Place] = {}
    faults: dict[str, ValueError] = {}
    for sheet in sheets:
        try:
            places[sheet.name] = _header(file, sheet, header)
        except ValueError as error:
            if _tellers(sheet):
                faults[sheet.name] = error
    tables = [p for p in places.values() if _rows_below(p)] or [*places.values()]
    told = [p for p in tables if p.told]
    meant = told or ([] if faults else tables)
    fitting = [p for p in meant if not p.sheet.hidden]
    if len(fitting) == 1 and not faults:
        return fitting[0]
    if faults and not fitting:
        raise next(iter(faults.values()))
    options = [_option(p) for p in fitting or meant]
    options += [f"{name!r} (its header is not complete)" for name in faults]
    if not options:
        raise ValueError(
            f"{file}: no sheet of {', '.join(repr(s.name) for s in sheets)} holds a table: "
            "expected one row that names every column, and below it one row per subject"
        )
    hidden = "" if fitting else " on hidden sheets"
    raise ValueError(
        f"{file} holds {counted(len(options), 'table')} that could be meant{hidden}: "
        f"{'; '.join(options)}; choose with --sheet NAME"
    )


def _rows_below(place: Place) -> int:
    return int((place.sheet.cells.index > place.header).sum())


def _option(place: Place) -> str:
    rows = counted(_rows_below(place), "row")
    return f"{place.sheet.name!r} (header in row {place.header}, {rows} below)"


def _header(file: Path, sheet: Sheet, header: int | None) -> Place:
    """Find the row of a sheet that names its columns."""
    cells = sheet.cells
    where = f"{file}, sheet {sheet.name!r}" if sheet.name else str(file)
    if header is not None:
        if header not in cells.index:
            raise ValueError(f"{where}: row {header} is blank: give the row that names the columns")
        _check_named(where, cells, header)
        return Place(sheet, header, header in _tellers(sheet))
    if tellers := _tellers(sheet):
        complete = [row for row in tellers if not _unnamed(cells, row)]
        if not complete:
            _check_named(where, cells, tellers[0])
        return Place(sheet, _lowest(cells, complete), True)
    first = cells.index[0]
    for row in cells.index[:_LOOKED_AT]:
        above = cells.loc[: row - 1]
        titles = (above.notna().sum(axis=1) <= cells.shape[1] / 2).all()
        if titles and not _unnamed(cells, row) and not _holds_numbers(cells.loc[row]):
            return Place(sheet, int(row), False)
    if _holds_numbers(cells.loc[first]) and not _unnamed(cells, first):
        number = next(c for c in cells.loc[first] if _is_number(c))
        raise ValueError(
            f"{where}: no row names the columns: the first ({first}) holds the value {number}; "
            "write the columns' names above the table"
        )
    _check_named(where, cells, int(first))
    raise ValueError(f"{where}: no row names every column: choose it with --header ROW")


def _tellers(sheet: Sheet) -> list[int]:
    """List the rows with a cell that is called like an identifier, as data are not.

    In a row of data may stand "case" as well: there it comes again below, or beside numbers.
    """
    rows = sheet.cells.to_numpy().tolist()
    found = []
    for number, row in list(zip(sheet.cells.index, rows, strict=True))[:_LOOKED_AT]:
        called = [c for c, cell in enumerate(row) if _names_people(cell)]
        title = sum(cell is not None for cell in row) == 1 < len(row)
        if not called or title or any(_is_number(cell) and not _is_year(cell) for cell in row):
            continue
        others = [other for other in rows if other != row]  # but for the same header again
        if any(all(other[c] != row[c] for other in others) for c in called):
            found.append(int(number))
    return found


def _names_people(cell: object) -> bool:
    return (
        isinstance(cell, str)
        and len(cell) <= 40
        and not any(c.isdigit() for c in cell)
        and (looks_like_id(cell))
    )


def _lowest(cells: pd.DataFrame, complete: list[int]) -> int:
    """Take the lower of two headers one above the other: titles for people, then short names."""
    row = complete[0]
    rows = list(cells.index)
    for below in complete[1:]:
        values, above = cells.loc[below].tolist(), cells.loc[row].tolist()
        if rows.index(below) != rows.index(row) + 1 or values == above:
            break
        if any(_names_people(a) and _names_people(b) for a, b in zip(above, values, strict=True)):
            row = below
    return row


def _unnamed(cells: pd.DataFrame, row: int) -> list[int]:
    """List the columns with values below a row that has no name for them."""
    below = cells.loc[row + 1 :].notna().any()
    named = cells.loc[row].notna()
    return [int(c) for c in cells.columns[below & ~named]]


def _check_named(where: str, cells: pd.DataFrame, row: int) -> None:
    if unnamed := _unnamed(cells, row):
        column = cells.loc[row + 1 :, unnamed[0]].dropna()
        raise ValueError(
            f"{where}: column {unnamed[0]} ({letters(unnamed[0])}) holds values but has no name in "
            f"the header in row {row} (the first value stands in row {column.index[0]}); write one "
            "name above each column, delete what stands there, or choose another header with "
            "--header ROW"
        )


def _holds_numbers(row: pd.Series) -> bool:
    return any(_is_number(cell) for cell in row)


def _is_year(cell: object) -> bool:
    return str(cell).isdigit() and 1900 <= int(str(cell)) <= 2100


def _is_number(cell: object) -> bool:
    if isinstance(cell, str):
        return NUMBER.fullmatch(cell) is not None
    return isinstance(cell, int | float)


def _said(place: Place, others: list[Sheet]) -> list[str]:
    said = []
    above = place.sheet.cells.loc[: place.header - 1]
    if place.sheet.name and others:
        kinds = [f"{s.name!r}{' (hidden)' if s.hidden else ''}" for s in others]
        said.append(
            f"taken from sheet {place.sheet.name!r}, the columns' names from row {place.header}; "
            f"other sheets: {', '.join(kinds)}"
        )
    elif len(above):
        said.append(f"the columns' names are taken from row {place.header}")
    if len(above):
        said.append(f"{counted(len(above), 'row')} above the table left out")
    return said
