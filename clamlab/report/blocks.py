"""What a report is made of: a few kinds of block that every form of it can show."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Sentence:
    """A paragraph of running text; :func:`clamlab.report.references.cite` marks what it cites."""

    text: str


@dataclass(frozen=True)
class Note:
    """Small print; a warning stands in a frame instead, where nobody reads past it."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Missing:
    """What should stand here and does not, and why."""

    text: str


@dataclass(frozen=True)
class Listing:
    """Points below each other."""

    points: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Cells as they are printed, the first column to the left, all others to the right.

    Attributes
    ----------
    caption : str
        One sentence, without a number: these are given where it is printed.
    cells : DataFrame of str
    notes : sequence of str
        Below the table.
    wordy : bool
        Cells hold sentences: all columns stand to the left, and lines break.
    """

    caption: str
    cells: pd.DataFrame
    notes: Sequence[str] = ()
    wordy: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawn figure.

    Attributes
    ----------
    caption : str
        What is shown, with its numbers, from the data.
    png : bytes
    width_mm : float
        As wide as it was drawn, so that its letters keep their size.
    page : str
        The same to be explored: a page of its own, for a browser; empty for none.
    """

    caption: str
    png: bytes = field(repr=False)
    width_mm: float
    page: str = field(default="", repr=False)


Block = Sentence | Note | Heading | Missing | Listing | Table | Picture
