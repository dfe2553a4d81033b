"""The two sides of a comparison, and what has to be said about them."""

from collections.abc import Mapping, Sequence
from os.path import commonprefix
from typing import NamedTuple

import numpy as np

from clamlab.stats.tables.groups import OTHERS

SHORT = 40  # letters of a name above a picture
BEFORE = 8  # of those that two names share, so many before the first in which they differ
FEW = 5  # the average of fewer scans shows persons


class Side(NamedTuple):
    """One side of a comparison: how it is called, also above a picture, and which scans it has."""

    name: str
    scans: tuple[int, ...]
    short: str

    @property
    def title(self) -> str:
        """What the picture is of."""
        n = len(self.scans)
        return f"{self.short}: average of {n} scans" if n > 1 else f"{self.short}: one scan"


def sides_of(groups: Mapping[str, Sequence[int]], n_scans: int) -> list[Side]:
    """Set two groups against each other, or one against all other scans.

    Examples
    --------
    >>> [side.scans for side in sides_of({"upper left": [0, 2]}, 4)]
    [(0, 2), (1, 3)]
    """
    found = {name: tuple(scans) for name, scans in groups.items() if scans}
    if len(groups) == 1 and found:
        (scans,) = found.values()
        others = np.setdiff1d(np.arange(n_scans), scans).tolist()
        found |= {OTHERS: tuple(others)} if others else {}
    shorts = short_names(list(found))
    return [Side(name, found[name], short) for name, short in zip(found, shorts, strict=True)]


def short_names(names: Sequence[str]) -> list[str]:
    """Cut the names of one or two sides to what fits above a picture; two stay two.

    Examples
    --------
    >>> short_names(["Seen at the bases on both sides, follow-up after 12 months", "All others"])
    ['Seen at the bases on both sides, follow…', 'All others']
    >>> short_names([f"Seen at the bases on both sides, follow-up after {n} months" for n in "69"])
    ['Seen at the bases o…p after 6 months', 'Seen at the bases o…p after 9 months']
    """
    cut = [_cut(name, SHORT) for name in names]
    if len(set(cut)) == len(cut):
        return cut
    half, shared = SHORT // 2, len(commonprefix(list(names)))
    return [f"{name[: half - 1]}…{_cut(name[shared - BEFORE :], half)}" for name in names]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def told_of(sides: Sequence[Side]) -> list[str]:
    """Say which sides are of a few scans, and which scans are in both.

    Examples
    --------
    >>> told_of(sides_of({"a": [0, 1, 2, 3, 4], "b": [4, 5, 6, 7, 8, 9]}, 10))
    ['a and b share 1 of their 5 and 6 scans, which are in both averages.']
    """
    small = [side.name for side in sides if len(side.scans) < FEW]
    told = [f"{', '.join(small)}: the average of fewer than {FEW} scans shows persons."]
    told = told if small else []
    if len(sides) == 2 and (shared := len({*sides[0].scans} & {*sides[1].scans})):
        one, other = sides
        told.append(
            f"{one.name} and {other.name} share {shared} of their {len(one.scans)} and "
            f"{len(other.scans)} scans, which are in both averages."
        )
    return told
