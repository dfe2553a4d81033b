"""The report as the draft of a paper, in Word: the same study always gives the same bytes."""

import io
import re
from typing import Any

import pandas as pd

from clamlab.report.blocks import Heading, Listing, Missing, Note, Picture, Sentence, Table
from clamlab.report.composing import Part
from clamlab.report.references import numbered
from clamlab.report.report import Report
from clamlab.stats.tables.office import add_table, anonymous

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEADINGS = {"methods": "Methods", "results": "Results", "discussion": "Limitations", "back": ""}
PAGE_MM, MARGIN_MM = (210, 297), 22
WIDEST_MM = PAGE_MM[0] - 2 * MARGIN_MM
MOST_COLUMNS = 7  # of a table that is printed upright; letters of a wider one are smaller


def to_document(report: Report) -> bytes:
    """Write the draft of a paper: methods, results with tables and figures, limits, references.

    Parameters
    ----------
    report : Report
        From :func:`report_of`.

    Returns
    -------
    bytes
        A Word file (.docx) that holds no date, no author and no name of a machine.

    Examples
    --------
    >>> import pandas as pd
    >>> from clamlab.report import Found, report_of
    >>> stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    >>> to_document(report_of(Found("lungs", stages, {})))[:2]
    b'PK'
    """
    writer = _Writer(report)
    writer.write()
    file = io.BytesIO()
    writer.document.save(file)
    return anonymous(file)


class _Writer:
    """Counts figures and tables while it writes."""

    def __init__(self, report: Report) -> None:
        self.report, self.n_figures, self.n_tables = report, 0, 0
        self.document = _empty()

    def write(self) -> None:
        self.document.add_heading(_plain(f"{self.report.study}: draft"), 0)
        summary, whole = self.report.summary()
        if not whole:
            self._paragraph(f"Of the study's report, {summary}", italic=True)
        place = ""
        for part in self.report.of_draft():
            if part.section.place != place:
                place = part.section.place
                if _HEADINGS[place]:
                    self.document.add_heading(_HEADINGS[place], 1)
            self._part(part)
        self.document.add_heading("References", 1)
        for number, work in enumerate(self.report.references(), start=1):
            self._paragraph(f"{number}. {work}", points=9)

    def _part(self, part: Part) -> None:
        if part.section.place != "methods" and part.section.place != "discussion":
            self.document.add_heading(_plain(part.section.title), 2)
        for block in part.blocks:
            match block:
                case Sentence(text):
                    self._paragraph(text)
                case Heading(text):
                    self.document.add_heading(_plain(text), 3)
                case Note(text, warning):
                    self._paragraph(text, italic=not warning, bold=warning, points=9)
                case Missing(text):
                    self._paragraph(f"[{text}]", bold=True)
                case Listing(points):
                    for point in points:
                        self._paragraph(point, style="List Bullet")
                case Table():
                    self._table(block)
                case Picture():
                    self._picture(block)

    def _paragraph(
        self, text: str, *, style: str | None = None, points: float | None = None, **look: bool
    ) -> None:
        from docx.shared import Pt

        paragraph = self.document.add_paragraph(style=style)
        run = paragraph.add_run(_plain(numbered(text, self.report.numbers)))
        for name, value in look.items():
            setattr(run, name, value)
        if points:
            run.font.size = Pt(points)

    def _table(self, block: Table) -> None:
        self.n_tables += 1
        cells = block.cells.astype(object).map(_plain)
        cells = cells.set_axis([_plain(name) for name in cells.columns], axis=1)
        add_table(
            self.document,
            pd.DataFrame(cells),
            _plain(f"Table {self.n_tables}. {numbered(block.caption, self.report.numbers)}"),
            [_plain(note) for note in block.notes],
            points=7 if cells.shape[1] > MOST_COLUMNS else 9,
            wordy=block.wordy,
        )

    def _picture(self, block: Picture) -> None:
        from docx.shared import Mm

        self.n_figures += 1
        self.document.add_picture(io.BytesIO(block.png), width=Mm(min(block.width_mm, WIDEST_MM)))
        self.document.paragraphs[-1].paragraph_format.keep_with_next = True
        self._paragraph(f"Figure {self.n_figures}. {block.caption}", points=9)


def _empty() -> Any:
    """Open an A4 document in one typeface."""
    from docx import Document
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(PAGE_MM[0]), Mm(PAGE_MM[1])
    page.left_margin = page.right_margin = Mm(MARGIN_MM)
    page.top_margin = page.bottom_margin = Mm(MARGIN_MM)
    names = ("Normal", "Title", "Heading 1", "Heading 2", "Heading 3")
    for name, size in zip(names, (11, 20, 15, 12.5, 11), strict=True):
        style = document.styles[name]
        style.font.name, style.font.size = "Times New Roman", Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for script in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{script}"), None)
    return document


def _plain(value: object) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
