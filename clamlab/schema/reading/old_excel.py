"""The sheets of an Excel workbook of before 2007 (.xls)."""

import io
import re
from pathlib import Path
from typing import Any

import xlrd

from clamlab.schema.reading.sheet import Sheet, letters, shows_percent

_BROKEN = re.compile("truncated|corrupt", re.IGNORECASE)  # what xlrd notes, and reads over


def read_old_excel(file: Path) -> list[Sheet]:
    """Return the sheets of a workbook.

    Raises
    ------
    ValueError
        If it is protected by a password.
    """
    log = io.StringIO()
    try:
        # What is hidden, merged or shown as percent is kept with the formats.
        book = xlrd.open_workbook(file, log, formatting_info=True, ragged_rows=True)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error):
            raise ValueError(
                f"{file} is protected by a password: open it in Excel, take the password away, "
                "and save it as .xlsx"
            ) from error
        raise
    if _BROKEN.search(log.getvalue()):
        raise ValueError(log.getvalue())
    return [_sheet(sheet, book) for sheet in book.sheets()]


def _sheet(sheet: Any, book: xlrd.Book) -> Sheet:
    rows = ((r + 1, [_value(cell, book) for cell in sheet.row(r)]) for r in range(sheet.nrows))
    return Sheet.of_rows(
        sheet.name,
        rows,
        hidden=sheet.visibility != 0,
        hidden_rows=[r + 1 for r, info in sheet.rowinfo_map.items() if info.hidden],
        hidden_columns=[c + 1 for c, info in sheet.colinfo_map.items() if info.hidden],
        merged=[
            (range(top + 1, bottom + 1), f"{letters(left + 1)}{top + 1}:{letters(right)}{bottom}")
            for top, bottom, left, right in sheet.merged_cells
        ],
        percents=[
            (r + 1, f"{letters(c + 1)}{r + 1}")
            for r in range(sheet.nrows)
            for c, cell in enumerate(sheet.row(r))
            if cell.ctype == xlrd.XL_CELL_NUMBER and shows_percent(_format(cell, book))
        ],
    )


def _format(cell: Any, book: xlrd.Book) -> str:
    return book.format_map[book.xf_list[cell.xf_index].format_key].format_str


def _value(cell: Any, book: xlrd.Book) -> Any:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate.xldate_as_datetime(cell.value, book.datemode)
        except (ValueError, OverflowError):
            return cell.value
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#VALUE!")
    whole = cell.ctype == xlrd.XL_CELL_NUMBER and float(cell.value).is_integer()
    return int(cell.value) if whole else cell.value
