"""How a table lies on the pages of a Word document: widths of columns, and what stays together."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

POINT = 12700  # of the file's own units
LETTER = 0.5  # width of one, as a share of its height
HEAD = 1.5  # width of a letter of the head, which is bold and often a capital
MARGIN = 60  # twentieths of a point that a cell keeps free on each side
MARGINS = 2  # the same of both sides, in letters that a cell keeps free beside its text
LONGEST = 50  # letters of a line that a column asks for at most


def widths(cells: pd.DataFrame, room: float) -> list[float]:
    """Share a page's width out: first each column's longest word, then what its lines ask for.

    Parameters
    ----------
    cells : DataFrame of str
    room : float
        Width of the page in letters.

    Returns
    -------
    list of float
        In letters; together as wide as the page.

    Examples
    --------
    >>> cells = pd.DataFrame({"Item": ["1"], "Asks for": ["what the others are to write"]})
    >>> [round(width) for width in widths(cells, 40)]
    [8, 32]
    """
    least: list[float] = []
    wanted: list[float] = []
    for position, name in enumerate(cells.columns):
        texts = [str(name), *map(str, cells.iloc[:, position])]
        lines = [line for text in texts for line in text.splitlines()]
        words = [len(word) for line in lines for word in line.split()]
        head = [HEAD * len(word) for word in str(name).split()]
        least.append(MARGINS + max([*words, *head], default=1))
        longest = min(LONGEST, max(map(len, lines), default=1))
        wanted.append(max(0, MARGINS + longest - least[-1]))
    left = max(0.0, room - sum(least))
    share = min(1.0, left / sum(wanted)) if sum(wanted) else 0.0
    asked = [a + share * b for a, b in zip(least, wanted, strict=True)]
    return [width * room / sum(asked) for width in asked]


def lay_columns(grid: Any, cells: pd.DataFrame, *, room: int, points: float) -> None:
    """Give the columns of a table in a document the widths that their texts ask for."""
    from docx.shared import Emu

    letter = points * LETTER * POINT
    grid.autofit = False
    _narrow(grid)
    for column, width in zip(grid.columns, widths(cells, room / letter), strict=True):
        column.width = Emu(int(width * letter))
        for cell in column.cells:
            cell.width = Emu(int(width * letter))


def _narrow(grid: Any) -> None:
    """Keep less free beside texts than Word does, so that a table of many columns fits."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(MARGIN))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    look = grid._tbl.tblPr.find(qn("w:tblLook"))
    grid._tbl.tblPr.append(margins) if look is None else look.addprevious(margins)


def keep_together(rows: Sequence[Any], *, whole: bool) -> None:
    """Break no row over two pages, repeat the head on each, and keep a short table on one."""
    from docx.oxml import OxmlElement

    for row in rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in rows[:-1] if whole else rows[:1]:
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True
