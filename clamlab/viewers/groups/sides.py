"""The two sides of a comparison, and what has to be said about them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from clamlab.stats.tables.groups import OTHERS

SHORT = 40  # letters of a name above a picture
FEW = 5  # the average of fewer scans shows persons


class Side(NamedTuple):
    """One side of a comparison: how it is called, and which scans are in it."""

    name: str
    scans: tuple[int, ...]

    @property
    def short(self) -> str:
        """The name as it stands above a picture."""
        return self.name if len(self.name) <= SHORT else f"{self.name[: SHORT - 1]}…"

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
    sides = [Side(name, tuple(scans)) for name, scans in groups.items() if scans]
    if len(groups) == 1 and sides:
        others = np.setdiff1d(np.arange(n_scans), sides[0].scans).tolist()
        sides += [Side(OTHERS, tuple(others))] if others else []
    return sides


def told_of(sides: Sequence[Side]) -> list[str]:
    """Say which sides are of a few scans, and which scans are in both.

    Examples
    --------
    >>> told_of([Side("a", (0, 1, 2, 3, 4)), Side("b", (4, 5, 6, 7, 8, 9))])
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
