"""Sections put together: what each could say, and for each that could not, why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clamlab.report.blocks import Block, Missing, Note
from clamlab.report.found import Found, NotFoundError

MADE, PARTIAL, STALE, MISSING, FAILED = "made", "partial", "stale", "missing", "failed"
STATES = (MADE, PARTIAL, STALE, MISSING, FAILED)


@dataclass(frozen=True)
class Section:
    """One idea of a report.

    Attributes
    ----------
    key : str
        Its anchor in the page, and its name in the manifest.
    title : str
    make : callable
        Takes what was found and returns blocks.
    needs : tuple of str
        Values without which there is nothing to say.
    uses : tuple of str
        Values that are said where they are there.
    place : {"front", "methods", "results", "discussion", "back", "page"}
        Where it stands in the draft of a paper; "page" and "front" stand on the page alone.
    """

    key: str
    title: str
    make: Callable[[Found], Sequence[Block]]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    place: str = "results"


@dataclass(frozen=True)
class Part:
    """A section as it came out: its blocks, and whether they are all that belongs there."""

    section: Section
    state: str
    why: str
    blocks: tuple[Block, ...]


def compose(found: Found, sections: Sequence[Section]) -> list[Part]:
    """Make every section that can be made; the others say in their own place why they are not.

    Parameters
    ----------
    found : Found
        What was read of a study.
    sections : sequence of Section

    Returns
    -------
    list of Part
        In order. Of a section that rests on a stage which no longer stands a warning comes first;
        one without its values, or whose making failed, is a sentence about that. A file that could
        not be read is a failure also where the rest of a section could be made.

    Examples
    --------
    >>> import pandas as pd
    >>> stages = pd.DataFrame(columns=["stage", "status", "why", "finished"])
    >>> table = Section("table", "Table 2", lambda found: [], needs=("table_one",))
    >>> found = Found("lungs", stages, {}, {"table_one": "notebook 08 was not run"})
    >>> [(part.state, part.why) for part in compose(found, [table])]
    [('missing', 'notebook 08 was not run')]
    """
    return [_made(found, section) for section in sections]


def _made(found: Found, section: Section) -> Part:
    names = (*section.needs, *section.uses)
    broken = found.errors_of(names)
    try:
        for name in section.needs:
            found.need(name)
        blocks = tuple(section.make(found))
    except NotFoundError as error:
        state = FAILED if broken else MISSING
        return Part(section, state, str(error), (Missing(f"Not here: {error}."),))
    except Exception as error:  # whatever it is, it stands in the report, and the rest is made
        why = f"{type(error).__name__}: {error}"
        return Part(section, FAILED, why, (Missing(f"This section could not be made. {why}"),))
    holes = [block.text for block in blocks if isinstance(block, Missing)]
    state, why = (PARTIAL, " ".join(holes)) if holes else (MADE, "")
    if odd := found.unsound(names):
        told = f"What stands here may no longer be so. {'; '.join(odd)}."
        state, why = STALE, "; ".join([*odd, *holes])
        blocks = (Note(told, warning=True), *blocks)
    if broken:
        state, why = FAILED, "; ".join(broken)
        blocks = (Missing(f"A part of this could not be made: {why}."), *blocks)
    return Part(section, state, why, blocks)


def count_states(parts: Sequence[Part]) -> dict[str, int]:
    """Count how many sections came out how.

    Examples
    --------
    >>> count_states([])
    {'made': 0, 'partial': 0, 'stale': 0, 'missing': 0, 'failed': 0}
    """
    return {state: sum(part.state == state for part in parts) for state in STATES}
