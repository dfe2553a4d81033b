"""What a report tells of its study in words: without the frame that every report has."""

from collections.abc import Iterator, Sequence

from clamlab.report.blocks import Block, Listing, Picture, Table
from clamlab.report.report import CHECKLISTS, Report


def told(report: Report) -> list[str]:
    """List the texts of a report that its study has a part in.

    Parameters
    ----------
    report : Report

    Returns
    -------
    list of str
        Sentences, cells, captions and reasons; of the items of the checklists, which are the same
        for all studies, none.

    Examples
    --------
    >>> import pandas as pd
    >>> from clamlab.report import Found, report_of
    >>> stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    >>> told(report_of(Found("lungs", stages, {})))[:2]
    ['lungs', 'The study lungs has no scans on a common grid yet.']
    """
    parts = [part for part in report.parts if part.section.title != CHECKLISTS]
    texts = [text for part in parts for text in (*_texts(part.blocks), part.why)]
    return [report.study, *filter(None, texts)]


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Listing(points):
                yield from points
            case Table(caption, cells, notes):
                yield from (caption, *map(str, cells.columns), *notes)
                yield from map(str, cells.to_numpy().ravel())
            case Picture(caption):
                yield caption
            case _:
                yield block.text
