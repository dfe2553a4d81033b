"""Write a rendered table for a manuscript, three rules and footnotes as journals do."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from clamlab import cells as spreadsheet
from clamlab.atomic import whole_file
from clamlab.stats.tables.office import write_docx, write_xlsx
from clamlab.stats.tables.rendering import INDENT

# What no page, no Word file and no UTF-8 may hold: control characters and halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

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
        ``.csv`` and ``.xlsx`` (cells only), ``.html`` (one self-contained page), ``.tex``
        (needs the package booktabs) or ``.docx``.
    caption : str
        Printed above the table.
    notes : sequence of str
        Footnotes, for instance from :func:`table_notes`.

    Raises
    ------
    ValueError
        If an ending is not one of the five; nothing is written then.

    Notes
    -----
    The same table always gives the same bytes: no file holds a date, an author or a path. No cell
    is run as a formula: in CSV one that could be begins with an apostrophe
    (`clamlab.cells.guarded`), in XLSX all cells are text.

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
    cells = table.astype(object).where(table.notna(), "").map(_printable)
    cells = cells.set_axis([_printable(name) for name in table.columns], axis=1)
    caption, notes = _printable(caption), [_printable(note) for note in notes]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            _WRITERS[path.suffix](cells, temporary, caption, notes)


def _printable(value: object) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))


def _write_csv(cells: pd.DataFrame, path: Path, caption: str, notes: Sequence[str]) -> None:
    spreadsheet.write_csv(cells, path)


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


_WRITERS = {
    ".csv": _write_csv,
    ".xlsx": write_xlsx,
    ".html": _write_html,
    ".tex": _write_latex,
    ".docx": write_docx,
}
