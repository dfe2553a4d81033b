"""Averages of groups, worked out scan by scan and remembered."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.viewers.cohort.maps import ScanMap, map_of

MOST_BYTES = 1 << 28  # of averages that are remembered
FEWEST = 4  # two groups, scans and maps: what one comparison needs
Key = tuple[str, tuple[int, ...]]
SCANS = ""  # the kind that is no map


class GroupAverages:
    """Average any group of scans without reading the cohort into memory.

    Parameters
    ----------
    volumes : array (n, *grid)
        HU; a memory map is read scan by scan.
    map_of : callable(kind, scan)
        One scan's map of a kind, in [0, 1] on the volumes' grid.

    Examples
    --------
    >>> averages = GroupAverages(np.array([[-900, 0], [-700, 0], [-100, 0]]), lambda kind, i: i)
    >>> steps = list(averages.steps([0, 1]))
    >>> averages([1, 0]).tolist(), averages.left([0, 1])
    ([-800.0, 0.0], 0)
    """

    def __init__(self, volumes: NDArray, map_of: Callable[[str, int], NDArray]) -> None:
        self._volumes, self._map_of = volumes, map_of
        self._sums: OrderedDict[Key, _Sum] = OrderedDict()

    def __call__(self, scans: Sequence[int], kind: str = SCANS) -> NDArray[np.float32]:
        """Return a group's average that was worked out: of its scans, or of a kind of map."""
        average = self._sum(scans, kind)
        if average.left:
            raise ValueError(f"this average is not done: {average.left} scans are to be added")
        return average.mean()

    def left(self, scans: Sequence[int], kind: str = SCANS) -> int:
        """Tell how many scans are still to be added."""
        return self._sum(scans, kind).left

    def steps(self, scans: Sequence[int], kind: str = SCANS) -> Iterator[None]:
        """Add one scan after another; whoever stops between two goes on from there next time."""
        average = self._sum(scans, kind)
        while average.left:
            i = average.scans[average.done]
            average.add(self._map_of(kind, i) if kind else self._volumes[i])
            yield

    def _sum(self, scans: Sequence[int], kind: str) -> "_Sum":
        key = (kind, tuple(sorted(set(scans))))
        if key not in self._sums:
            self._sums[key] = _Sum(key[1])
        self._sums.move_to_end(key)
        while len(self._sums) > FEWEST and sum(s.nbytes for s in self._sums.values()) > MOST_BYTES:
            self._sums.popitem(last=False)
        return self._sums[key]


class _Sum:
    """The sum of a group as far as it has come."""

    def __init__(self, scans: tuple[int, ...]) -> None:
        if not scans:
            raise ValueError("expected a group of at least one scan to average, found none")
        self.scans, self.done = scans, 0
        self._total: NDArray | None = None

    @property
    def left(self) -> int:
        return len(self.scans) - self.done

    @property
    def nbytes(self) -> int:
        return 0 if self._total is None else self._total.nbytes

    def add(self, values: NDArray) -> None:
        if self._total is None:
            self._total = np.zeros(np.shape(values), "float64")
        self._total += values
        self.done += 1

    def mean(self) -> NDArray[np.float32]:
        assert self._total is not None  # nothing is left to be added
        return (self._total / self.done).astype("float32")


def own_map(
    maps: Mapping[str, ScanMap | NDArray], table: pd.DataFrame, mask: NDArray
) -> Callable[[str, int], NDArray]:
    """Return what makes a scan's map, of a kind, for the cluster that the table gives it."""
    if maps and "cluster" not in table:
        raise ValueError("maps are shown for each scan's own cluster: add a column 'cluster'")
    clusters = [int(k) for k in table["cluster"]] if maps else []
    return lambda kind, scan: map_of(maps, kind, scan, cluster=clusters[scan], mask=mask)
