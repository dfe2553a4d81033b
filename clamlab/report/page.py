"""The report as one page: no network, prints well, pictures also where no script runs."""

import base64
import html
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from clamlab.report.blocks import (
    Heading,
    Listing,
    Missing,
    Note,
    Picture,
    Sentence,
    Table,
)
from clamlab.report.composing import MADE, PARTIAL, STALE, Part
from clamlab.report.references import numbered
from clamlab.report.report import Report

LARGEST = 15_000_000  # bytes; without what can be explored a page stays far below
STYLE = (files("clamlab.report") / "page.css").read_text("utf-8")
# What the page shows is in the page: it may ask nothing of any network. Frames are its own texts.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_SIGNS = {MADE: "✓", PARTIAL: "!", STALE: "!"}
PX_PER_MM = 96 / 25.4
WIDE = 7  # columns of a table in small letters


def to_page(report: Report) -> str:
    """Print a report as one page for any browser, offline.

    Parameters
    ----------
    report : Report
        From :func:`report_of`.

    Returns
    -------
    str
        HTML of at most 15 MB: where the averages that can be scrolled would make it larger, their
        picture stands alone, and the page says so.

    Examples
    --------
    >>> import pandas as pd
    >>> from clamlab.report import Found, report_of
    >>> stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    >>> page = to_page(report_of(Found("lungs", stages, {})))
    >>> page.startswith("<!doctype html>"), "http://" in page
    (True, False)
    """
    page = _Printer(report, explored=True).page()
    if len(page.encode()) > LARGEST:
        page = _Printer(report, explored=False).page()
    return page


class _Printer:
    """Counts figures and tables while it prints."""

    def __init__(self, report: Report, *, explored: bool) -> None:
        self.report, self.explored = report, explored
        self.n_figures = self.n_tables = 0
        self.ways: dict[type, Callable[[Any], str]] = {
            Sentence: lambda block: f"<p>{self._text(block.text)}</p>",
            Heading: lambda block: f"<h3>{self._text(block.text)}</h3>",
            Note: self._note,
            Missing: lambda block: f'<p class="missing" role="note">{self._text(block.text)}</p>',
            Listing: self._listing,
            Table: self._table,
            Picture: self._picture,
        }

    def page(self) -> str:
        report = self.report
        summary, whole = report.summary()
        title = html.escape(f"Report of the study {report.study}")
        body = "\n".join(map(self._section, report.parts))
        works = "\n".join(f"<li>{html.escape(work)}</li>" for work in report.references())
        warning = "" if whole else ' data-whole="no"'
        day = f"State of {report.day}. " if report.day else ""
        made = f"Stages run with clamlab {report.clamlab}. " if report.clamlab else ""
        told = html.escape(day + made)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n"
            '<body>\n<header><p class="kind">Study report</p>'
            f"<h1>{html.escape(report.study)}</h1>\n"
            f'<p class="small">{told}Averages and counts alone, unless a section '
            "says otherwise. Research; not a medical device.</p>\n"
            f'<p class="summary"{warning}>{html.escape(summary)}</p></header>\n'
            '<div class="columns">\n<nav aria-label="Contents">'
            f"<ol>\n{self._contents()}\n</ol></nav>"
            f"\n<main>\n{body}\n"
            f'<section id="references"><h2>References</h2><ol class="works">\n{works}\n</ol>'
            "</section>\n</main>\n</div>\n</body>\n</html>\n"
        )

    def _contents(self) -> str:
        lines = []
        for part in self.report.parts:
            sign = _SIGNS.get(part.state, "×")
            lines.append(
                f'<li><a href="#{part.section.key}">{html.escape(part.section.title)}</a> '
                f'<span class="state {part.state}" title="{part.state}">{sign}'
                f'<span class="read"> {part.state}</span></span></li>'
            )
        return "\n".join([*lines, '<li><a href="#references">References</a></li>'])

    def _section(self, part: Part) -> str:
        blocks = "\n".join(self.ways[type(block)](block) for block in part.blocks)
        title = html.escape(part.section.title)
        opened = f'<section id="{part.section.key}" data-state="{part.state}">'
        return f"{opened}<h2>{title}</h2>\n{blocks}\n</section>"

    def _text(self, text: str) -> str:
        return html.escape(numbered(text, self.report.numbers))

    def _note(self, block: Note) -> str:
        kind = 'class="warning" role="note"' if block.warning else 'class="small"'
        return f"<p {kind}>{self._text(block.text)}</p>"

    def _listing(self, block: Listing) -> str:
        points = "\n".join(f"<li>{self._text(point)}</li>" for point in block.points)
        return f"<ul>\n{points}\n</ul>"

    def _table(self, block: Table) -> str:
        self.n_tables += 1
        head = "".join(f'<th scope="col">{html.escape(str(n))}</th>' for n in block.cells.columns)
        rows = "\n".join(_row(row) for row in block.cells.itertuples(index=False))
        notes = "".join(f'<p class="small">{self._text(note)}</p>' for note in block.notes)
        wide = "wide" if block.cells.shape[1] > WIDE and not block.wordy else ""
        kind = f' class="{"wordy" if block.wordy else wide}"'
        return (
            f'<div class="table"><table{kind}><caption><b>Table {self.n_tables}.</b> '
            f"{self._text(block.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{rows}\n</tbody></table></div>\n{notes}"
        )

    def _picture(self, block: Picture) -> str:
        self.n_figures += 1
        data = base64.b64encode(block.png).decode("ascii")
        caption = self._text(block.caption)
        width = round(block.width_mm * PX_PER_MM * 1.2)
        still = (
            f'<figure><img style="width: {width}px" alt="{caption}" '
            f'src="data:image/png;base64,{data}">\n'
            f"<figcaption><b>Figure {self.n_figures}.</b> {caption}</figcaption></figure>"
        )
        return still + (self._explored(block) if block.page else "")

    def _explored(self, block: Picture) -> str:
        if not self.explored:
            return (
                '<p class="small">The averages can be scrolled in 07_explore/averages.html; here '
                "they would make this page too large.</p>"
            )
        # Allowed to run the scripts of its own text, and nothing else.
        return (
            '\n<details class="explored"><summary>Scroll through the averages</summary>\n'
            f'<iframe title="Averages" sandbox="allow-scripts" loading="lazy" '
            f'srcdoc="{html.escape(block.page)}"></iframe></details>'
        )


def _row(cells: Sequence[str]) -> str:
    first, *rest = (html.escape(str(cell)).replace("\n", "<br>") for cell in cells)
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{c}</td>" for c in rest) + "</tr>"
