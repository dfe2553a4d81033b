"""The sheets of an Excel workbook (.xlsx, .xlsm): values, and what hides or stands for them."""

import io
import re
import warnings
import zipfile
from pathlib import Path

import openpyxl
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet

from clamlab.schema.reading.sheet import Sheet, is_endless, letters, shows_percent

# What openpyxl fills with cells of its own, over all of a range, as it opens a workbook.
_RANGE = re.compile(
    rb"<(?:\w+:)?(?:mergeCell|hyperlink)\b[^>]*\bref=['\"]([A-Z]+)(\d+):([A-Z]+)(\d+)['\"]"
)
_PARTS = "xl/worksheets/"


def read_excel(file: Path) -> list[Sheet]:
    """Return the sheets of a workbook; charts have none.

    Raises
    ------
    ValueError
        If a sheet reaches farther than any table.
    """
    _check_ranges(file)
    with warnings.catch_warnings():  # of what openpyxl leaves out: rules, pictures, pivot tables
        warnings.simplefilter("ignore")
        content = io.BytesIO(file.read_bytes())  # by its name openpyxl would refuse some
        book = openpyxl.load_workbook(content, data_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        for sheet in sheets.values():
            _check_extent(file, sheet)
        formulas = _formulas(file)
    uncalculated = bool(book.calculation and book.calculation.fullCalcOnLoad)
    return [_sheet(s, formulas.get(title, []), uncalculated) for title, s in sheets.items()]


def _check_ranges(file: Path) -> None:
    """Refuse ranges over more cells than any table has, before they are filled."""
    with zipfile.ZipFile(file) as archive:
        for part in archive.namelist():
            if not part.startswith(_PARTS):
                continue
            covered = 0
            for left, top, right, bottom in _RANGE.findall(archive.read(part)):
                wide = column_index_from_string(right.decode()) + 1
                wide -= column_index_from_string(left.decode())
                covered += wide * (int(bottom) - int(top) + 1)
                if is_endless(covered, 0):
                    raise ValueError(
                        f"{file}: cells are merged or linked over all of "
                        f"{(left + top).decode()}:{(right + bottom).decode()}: expected a table; "
                        "unmerge what stands outside of it, and save"
                    )


def _check_extent(file: Path, sheet: Worksheet) -> None:
    standing = len(sheet._cells)  # openpyxl has no other word for them
    if is_endless(sheet.max_row * sheet.max_column, standing):
        raise ValueError(
            f"{file}: sheet {sheet.title!r} reaches to cell {letters(sheet.max_column)}"
            f"{sheet.max_row}: expected a table; delete the rows and columns outside of it and save"
        )


def _formulas(file: Path) -> dict[str, list[tuple[int, int]]]:
    """Find the cells with formulas; most workbooks have none, and are not opened again."""
    with zipfile.ZipFile(file) as archive:
        parts = [n for n in archive.namelist() if n.startswith(_PARTS)]
        if not any(b"<f>" in (data := archive.read(n)) or b"<f " in data for n in parts):
            return {}
    book = openpyxl.load_workbook(io.BytesIO(file.read_bytes()))
    return {
        sheet.title: [
            (cell.row, cell.column) for row in sheet.iter_rows() for cell in row
            if cell.data_type == "f"
        ]
        for sheet in book.worksheets
    }  # fmt: skip


def _sheet(sheet: Worksheet, formulas: list[tuple[int, int]], uncalculated: bool) -> Sheet:
    rows = enumerate(sheet.iter_rows(values_only=True), 1)
    blank = [(r, f"{letters(c)}{r}") for r, c in formulas if sheet.cell(r, c).value is None]
    # A program that writes formulas asks Excel to calculate them; what stands there is a filler.
    never = [(r, f"{letters(c)}{r}") for r, c in formulas] if uncalculated else []
    if formulas and len(blank) == len(formulas):
        never = blank
    filtered = bool(sheet.auto_filter.ref and sheet.auto_filter.filterColumn)
    return Sheet.of_rows(
        sheet.title,
        rows,
        hidden=sheet.sheet_state != "visible",
        said=["a filter is set in the sheet"] if filtered else [],
        hidden_rows=[n for n, row in sheet.row_dimensions.items() if row.hidden],
        hidden_columns=_hidden_columns(sheet),
        merged=[(range(m.min_row, m.max_row + 1), str(m)) for m in sheet.merged_cells.ranges],
        never_calculated=never,
        blank_formulas=[] if never else blank,
        percents=[
            (cell.row, cell.coordinate) for row in sheet.iter_rows() for cell in row
            if isinstance(cell.value, int | float) and shows_percent(cell.number_format)
        ],
    )  # fmt: skip


def _hidden_columns(sheet: Worksheet) -> list[int]:
    # One entry may stand for several columns beside one another.
    return [
        number
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden
        for number in range(dimension.min or 0, min(dimension.max or 0, sheet.max_column) + 1)
    ]
