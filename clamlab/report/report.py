"""A report as a whole: its parts, its references, and what it is of."""

from collections.abc import Sequence
from dataclasses import dataclass

from clamlab.report.blocks import Block, Listing, Note, Picture, Sentence, Table
from clamlab.report.composing import FAILED, MADE, PARTIAL, STATES, Part, Section, compose
from clamlab.report.composing import count_states as count
from clamlab.report.found import Found
from clamlab.report.references import REFERENCES, cited
from clamlab.report.sections import SCANS, SECTIONS
from clamlab.report.sections.items import items
from clamlab.report.words import counted, listed

# A draft begins with its methods, so that references are numbered from there.
DRAFT = ("methods", "results", "discussion", "back")
_WORDS = {PARTIAL: "made in part"}
CHECKLISTS = "Items of CLAIM and TRIPOD+AI"


@dataclass(frozen=True)
class Report:
    """A study's report before it is printed in any form.

    Attributes
    ----------
    study : str
        Its name.
    parts : tuple of Part
        In the order of the page.
    numbers : dict of str to int
        The references that are cited, numbered.
    day : str
        When the last of its stages ended: the report has no other date.
    clamlab : str
        The version whose stages these are, as recorded.

    Examples
    --------
    >>> Report("lungs", (), {"hubert1985": 1}, "2026-11-27", "0.1.0").references()
    ['Hubert L, Arabie P. Comparing partitions. Journal of Classification. 1985;2:193-218.
    doi:10.1007/BF01908075']
    """

    study: str
    parts: tuple[Part, ...]
    numbers: dict[str, int]
    day: str
    clamlab: str

    def of_draft(self) -> list[Part]:
        """Return the parts of a paper's draft, in its order."""
        return [p for place in DRAFT for p in self.parts if p.section.place == place]

    @property
    def is_sound(self) -> bool:
        """Whether no section failed: one that is missing says why, one that failed is an error."""
        return count(self.parts)[FAILED] == 0

    def references(self) -> list[str]:
        """Print the works that are cited, in the order of their numbers."""
        return [REFERENCES[key].printed() for key in self.numbers]

    def summary(self) -> tuple[str, bool]:
        """Say how many sections came out how; and whether all of them did."""
        counts = count(self.parts)
        whole = counts[MADE] == len(self.parts)
        said = [f"{counted(len(self.parts), 'section')}: {counts[MADE]} made"]
        for state in STATES[1:]:
            titles = [part.section.title for part in self.parts if part.state == state]
            named = f" ({'; '.join(titles)})" if titles else ""
            said.append(f"{counts[state]} {_WORDS.get(state, state)}{named}")
        return f"{', '.join(said)}.", whole


def report_of(found: Found, *, scans: bool = False) -> Report:
    """Make a study's report of what was read of it; what is not there is said in its place.

    Parameters
    ----------
    found : Found
        What was read of the study.
    scans : bool
        Whether single scans are shown: such a report is patient data, and says so.

    Returns
    -------
    Report

    Examples
    --------
    >>> import pandas as pd
    >>> stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    >>> report_of(Found("lungs", stages, {})).summary()[1]
    False
    """
    chosen = list(SECTIONS)
    if scans:
        chosen.insert([s.key for s in chosen].index("maps") + 1, SCANS)
    parts = compose(found, chosen)
    checklists = Section("items", CHECKLISTS, lambda _: items(parts), place="back")
    parts += compose(found, [checklists])
    records = found.records.values()
    ends = [str(record["time"]) for record in records if record.get("time")]
    made = {r.get("versions", {}).get("clamlab") for r in records} - {None}
    ordered = sorted(parts, key=lambda part: _rank(part.section.place))
    return Report(
        study=found.name,
        parts=tuple(parts),
        numbers=cited(text for part in ordered for text in texts_of(part.blocks)),
        day=max(ends, default="")[:10],
        clamlab=listed(sorted(made)),
    )


def _rank(place: str) -> int:
    return DRAFT.index(place) if place in DRAFT else len(DRAFT)


def texts_of(blocks: Sequence[Block]) -> list[str]:
    """List the texts of blocks that may cite a work."""
    texts: list[str] = []
    for block in blocks:
        if isinstance(block, Sentence | Note):
            texts.append(block.text)
        elif isinstance(block, Listing):
            texts += block.points
        elif isinstance(block, Table | Picture):
            texts.append(block.caption)
    return texts
