"""Write a rendered table as CSV, HTML, LaTeX or Word, three rules and footnotes as journals do."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from clamlab.stats.tables.rendering import INDENT

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    INDENT: r"\quad{}",
}

_STYLE = """
  body { font: 10pt/1.35 Georgia, "Times New Roman", serif; margin: 2em; color: #111; }
  table { border-collapse: collapse; border-top: 1.5px solid; border-bottom: 1.5px solid; }
  caption { text-align: left; padding-bottom: .6em; font-weight: bold; }
  th { border-bottom: 1px solid; text-align: right; font-weight: bold; }
  td { text-align: right; font-variant-numeric: tabular-nums; }
  th, td { padding: .15em .7em; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; padding-left: 0; }
  p { font-size: 8.5pt; margin: .25em 0; max-width: 62em; }
"""


def export_table(
    table: pd.DataFrame,
    paths: str | Path | Sequence[str | Path],
    *,
    caption: str = "",
    notes: Sequence[str] = (),
) -> None:
    r"""Save a table ready for a manuscript; the ending of each path says how.

    Parameters
    ----------
    table : DataFrame
        Any table; missing cells are left empty. A first column headed "" holds row names.
    paths : path or sequence of paths
        ``.csv`` (cells only), ``.html`` (one self-contained page), ``.tex`` (needs the
        package booktabs) or ``.docx``.
    caption : str
        Printed above the table.
    notes : sequence of str
        Footnotes, for instance from :func:`table_notes`.

    Raises
    ------
    ValueError
        If an ending is not one of the four; nothing is written then.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "table_one.tex"
    >>> export_table(pd.DataFrame({"": ["Male (%)"], "Overall": ["142 (47.2)"]}), path)
    >>> print(path.read_text().splitlines()[8])
    Male (\%) & 142 (47.2) \\
    """
    files = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    unknown = [str(path) for path in files if path.suffix not in _WRITERS]
    if unknown:
        raise ValueError(f"cannot write {', '.join(unknown)}: endings are {', '.join(_WRITERS)}")
    cells = table.astype(object).where(table.notna(), "").astype(str)
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[path.suffix](cells, path, caption, notes)


def _write_csv(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
    cells.to_csv(path, index=False, encoding="utf-8")


def _write_html(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in cells.columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in cells.itertuples(index=False)
    )
    foot = "\n".join(f"<p>{escape(note)}</p>" for note in notes)
    title = escape(caption or "Table")
    path.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{_STYLE}</style></head><body>\n<table><caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n{foot}\n"
        "</body></html>\n",
        encoding="utf-8",
    )


def _write_latex(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
    lines = [" & ".join(map(_latex, row)) + r" \\" for row in cells.itertuples(index=False)]
    head = " & ".join(_latex(str(name)) for name in cells.columns) + r" \\"
    foot = [rf"\par\footnotesize {_latex(note)}" for note in notes]
    path.write_text(
        "\n".join(
            [
                r"% needs \usepackage{booktabs,graphicx}",
                r"\begin{table}",
                rf"\caption{{{_latex(caption)}}}",
                # Shrunk to the column's width where it is wider, also inside sidewaystable.
                r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
                rf"\begin{{tabular}}{{l{'r' * (cells.shape[1] - 1)}}}",
                r"\toprule",
                head,
                r"\midrule",
                *lines,
                r"\bottomrule",
                r"\end{tabular}}",
                *foot,
                r"\end{table}",
                "",
            ]
        ),
        encoding="utf-8",
    )


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _write_docx(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
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
    if caption:
        document.add_paragraph().add_run(caption).bold = True
    grid = document.add_table(rows=len(cells) + 1, cols=cells.shape[1])
    _fill_row(grid.rows[0], cells.columns, bold=True)
    for row, values in zip(grid.rows[1:], cells.itertuples(index=False), strict=True):
        _fill_row(row, values)
    _rule(grid.rows[0], "top", 12)
    _rule(grid.rows[0], "bottom", 6)
    _rule(grid.rows[-1], "bottom", 12)
    for note in notes:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.add_run(note).font.size = Pt(8)
    document.save(str(path))


def _fill_row(row, values: Sequence[str], *, bold: bool = False) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for position, (cell, value) in enumerate(zip(row.cells, values, strict=True)):
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(0)
        if position:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        paragraph.add_run(str(value)).bold = bold


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


_WRITERS = {
    ".csv": _write_csv,
    ".html": _write_html,
    ".tex": _write_latex,
    ".docx": _write_docx,
}
