"""Where slices lie along their normal: evenly or not, with gaps or whole."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVEN = 0.02  # of the spacing: what rounding in a header may move a slice
ALIKE = 0.1  # steps this much apart are one spacing
GAP = 1.5  # a step this many times as long as those around it leaves slices out
REGION = 4  # so many equal steps one after another are a spacing of their own, no gaps


@dataclass(frozen=True)
class Spacing:
    """The regular planes on which slices are laid.

    Attributes
    ----------
    step_mm : float
        Distance of neighbouring planes.
    planes : array, shape (n_slices,)
        Where each slice lies, counted in planes from the first; whole numbers where every slice
        lies on a plane.
    missing : int
        Slices that should lie between others and do not.
    largest_gap_mm : float
    smallest_step_mm, largest_step_mm : float
        Of neighbours between which none is missing.
    """

    step_mm: float
    planes: NDArray[np.float64]
    missing: int
    largest_gap_mm: float
    smallest_step_mm: float
    largest_step_mm: float

    @property
    def n_planes(self) -> int:
        """How many planes the slices span."""
        return int(np.ceil(self.planes[-1] - EVEN)) + 1

    @property
    def on_planes(self) -> bool:
        """Whether every slice lies on a plane."""
        return bool((self.planes == np.rint(self.planes)).all())

    @property
    def share_missing(self) -> float:
        """Missing slices as a share of all there should be."""
        return self.missing / (self.missing + len(self.planes))


def find_spacing(positions: NDArray, *, thickness_mm: float = 1.0) -> Spacing:
    """Lay sorted, different positions on regular planes as fine as the slices.

    Parameters
    ----------
    positions : array, shape (n_slices,)
        mm along the normal, growing.
    thickness_mm : float
        Taken for the step of a single slice.

    Examples
    --------
    >>> whole = find_spacing(np.array([0.0, 2, 4, 6, 8, 10]))
    >>> whole.step_mm, whole.missing, whole.on_planes
    (2.0, 0, True)
    >>> one_missing = find_spacing(np.array([0.0, 2, 4, 8, 10, 12]))
    >>> one_missing.step_mm, one_missing.missing, one_missing.planes.tolist()
    (2.0, 1, [0.0, 1.0, 2.0, 4.0, 5.0, 6.0])
    >>> uneven = find_spacing(np.array([0.0, 2, 4, 6, 8, 13, 18, 23, 28]))
    >>> uneven.step_mm, uneven.missing, uneven.on_planes, uneven.n_planes
    (2.0, 0, False, 15)
    """
    positions = np.asarray(positions, "float64")
    if len(positions) == 1:
        return Spacing(thickness_mm, np.zeros(1), 0, 0.0, thickness_mm, thickness_mm)
    steps = np.diff(positions)
    gaps = _gaps(steps)
    whole = steps[gaps == 0]
    finest = np.quantile(whole, 0.1, method="nearest")
    step = float(np.median(whole[whole < GAP * finest]))
    planes = (positions - positions[0]) / step
    # Headers round: the step that all slices agree on is better than any two of them tell.
    nearest = np.rint(planes)
    if np.abs(planes - nearest).max() < 0.5 and len(np.unique(nearest)) == len(nearest):
        better, first = np.polyfit(nearest, positions, 1)
        if np.abs(first + better * nearest - positions).max() <= EVEN * better:
            step, planes = float(better), nearest
    return Spacing(
        step_mm=round(step, 6),
        planes=planes,
        missing=int(gaps.sum()),
        largest_gap_mm=float(steps.max()),
        smallest_step_mm=float(whole.min()),
        largest_step_mm=float(whole.max()),
    )


def _gaps(steps: NDArray) -> NDArray[np.int_]:
    """Return for every step how many slices are missing there."""
    regular = steps < GAP * np.quantile(steps, 0.1, method="nearest")
    for start, end in _regions(steps):
        regular[start:end] = True
    missing = np.zeros(len(steps), int)
    for k in np.flatnonzero(~regular):
        around = [steps[i] for i in _neighbours(regular, k)]
        missing[k] = max(int(np.rint(steps[k] / np.median(around))) - 1, 0) if around else 0
    return missing


def _regions(steps: NDArray) -> list[tuple[int, int]]:
    """Return runs of steps that are alike."""
    breaks = np.flatnonzero(np.abs(np.diff(steps)) > ALIKE * np.minimum(steps[1:], steps[:-1])) + 1
    edges = [0, *breaks.tolist(), len(steps)]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b - a >= REGION]


def _neighbours(regular: NDArray[np.bool_], k: int) -> list[int]:
    """Return the nearest regular steps below and above."""
    below, above = np.flatnonzero(regular[:k])[-1:], np.flatnonzero(regular[k:])[:1] + k
    return [*below.tolist(), *above.tolist()]
