"""Word and Excel files that say nothing of who made them, when and with what."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.stats.tables.office_layout import keep_together, lay_columns

_POINTS = 9.0
_SHORT = 16  # rows that are kept on one page
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that an archive can hold
_EMPTY = {
    "docProps/core.xml": b"<cp:coreProperties "
    b'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>',
    "docProps/app.xml": b"<Properties "
    b'xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>',
}


def write_docx(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
    """Write a table as a Word document, upright or, if it is wide, across."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Pt

    document = Document()
    document.styles["Normal"].font.name = "Times New Roman"
    document.styles["Normal"].font.size = Pt(9)
    if cells.shape[1] > 6:  # a wide table does not fit an upright page
        page = document.sections[0]
        page.orientation = WD_ORIENT.LANDSCAPE
        page.page_width, page.page_height = page.page_height, page.page_width
    add_table(document, cells, caption, notes)
    file = io.BytesIO()
    document.save(file)
    path.write_bytes(anonymous(file))


def add_table(
    document: Any,
    cells: pd.DataFrame,
    caption: str,
    notes: Sequence[str],
    *,
    points: float | None = None,
    wordy: bool = False,
) -> None:
    """Put a table with three rules at the end of a Word document.

    Parameters
    ----------
    document : docx.Document
    cells : DataFrame of str
    caption : str
        Above it; nothing for none.
    notes : sequence of str
        Below it.
    points : float, optional
        Size of its letters; by default that of the document.
    wordy : bool
        Whether cells hold sentences, which stand to the left.
    """
    from docx.shared import Pt

    if caption:
        paragraph = document.add_paragraph()
        paragraph.add_run(caption).bold = True
        paragraph.paragraph_format.keep_with_next = True
    grid = document.add_table(rows=len(cells) + 1, cols=cells.shape[1])
    lay_columns(grid, cells, room=_room(document), points=points or _POINTS)
    _fill_row(grid.rows[0], cells.columns, bold=True, points=points, wordy=wordy)
    # Rows of a long table are slow to find by their number.
    rows = list(grid.rows)
    for row, values in zip(rows[1:], cells.itertuples(index=False), strict=True):
        _fill_row(row, values, points=points, wordy=wordy)
    keep_together(rows, whole=len(rows) <= _SHORT)
    _rule(rows[0], "top", 12)
    _rule(rows[0], "bottom", 6)
    _rule(rows[-1], "bottom", 12)
    for note in notes:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.add_run(note).font.size = Pt(8)
    if notes:
        paragraph.paragraph_format.space_after = Pt(8)  # what follows is no note


def _room(document: Any) -> int:
    """Return how wide a table may be, in the file's own units."""
    page = document.sections[-1]
    return int(page.page_width - page.left_margin - page.right_margin)


def _fill_row(
    row, values: Sequence[str], *, bold: bool = False, points: float | None = None, wordy: bool
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for position, (cell, value) in enumerate(zip(row.cells, values, strict=True)):
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(0)
        if position and not wordy:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        run = paragraph.add_run(str(value))
        run.bold = bold
        if points:
            run.font.size = Pt(points)


def _rule(row, edge: str, eighths_of_point: int) -> None:
    """Draw a horizontal rule along a row; Word keeps borders per cell."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for cell in row.cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        line = OxmlElement(f"w:{edge}")
        line.set(qn("w:val"), "single")
        line.set(qn("w:sz"), str(eighths_of_point))
        borders.append(line)


def write_xlsx(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
    """Write the cells of a table as a sheet of texts, none of which is a formula."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = "Table"
    for row, values in enumerate([cells.columns, *cells.itertuples(index=False)], start=1):
        for column, value in enumerate(values, start=1):
            cell = sheet.cell(row, column)
            cell.value = value
            cell.data_type = "s"  # also where openpyxl took it for a formula, or an error
            cell.quotePrefix = True  # it stays a text when somebody edits it
            if row == 1:
                cell.font = Font(bold=True)
    file = io.BytesIO()
    book.save(file)
    path.write_bytes(anonymous(file))


def anonymous(file: io.BytesIO) -> bytes:
    """Write an archive again without dates, authors and names of programs."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(made, "w") as plain:
        for name in archive.namelist():
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system = 0  # or it would tell Windows from the others
            plain.writestr(entry, _EMPTY.get(name, archive.read(name)), zipfile.ZIP_DEFLATED)
    return made.getvalue()
