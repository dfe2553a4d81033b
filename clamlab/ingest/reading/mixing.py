"""Tell by HU whether stacks that lie between one another's slices are one scan."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.reading.frames import Frame
from clamlab.ingest.reading.pixels import stored_pixels
from clamlab.ingest.reading.rescale import rescale_one

SAMPLES = 8  # slices of each stack
PARTS, PART = 8, 24  # of a scan, one above another, and the fewest slices of each
ENOUGH = 192  # pixels along a side of a slice; more tell no more
TISSUE = (-300, 300)  # HU: what contrast and another kernel change
# Within one scan, a slice is half as far from its nearest neighbours as from the next ones (0.39
# to 0.56 on five real chests), as far where all is noise, and stacks are equally bright (to 1 HU).
FARTHER, BRIGHTER_HU = 1.05, 5.0


def disagree(
    stacks: list[list[Frame]], hu: Callable[[Frame], NDArray | None] | None = None
) -> bool:
    """Tell whether slices fit those of their own stack better than the nearer ones of others.

    Within one scan, a slice is most like those beside it, whatever their headers say.

    Parameters
    ----------
    stacks : list of list of Frame
        Over the same span, of one orientation.
    hu : callable or None
        HU of a slice, where they are known; else it is decoded.
    """
    hu = hu or _decoded
    far: list[float] = []
    near: list[float] = []
    bias: list[float] = []
    for stack in stacks:
        others = [frame for other in stacks if other is not stack for frame in other]
        apart = [_apart(frame, stack, others, hu) for frame in _sample(stack)]
        found = [one for one in apart if one is not None]
        if found:
            medians = np.median(found, axis=0)
            for values, median in zip((far, near, bias), medians, strict=True):
                values.append(median)
    return bool(far) and (sum(near) > FARTHER * sum(far) or np.ptp(bias) > BRIGHTER_HU)


def lie_in_turn(frames: list[Frame], hu: Callable[[Frame], NDArray | None]) -> bool:
    """Tell whether every second or third slice, somewhere in a stack, is another scan's.

    Parameters
    ----------
    frames : list of Frame
        Sorted along the normal.
    hu : callable
        HU of a slice.
    """
    n_parts = max(1, min(PARTS, len(frames) // PART))
    edges = np.linspace(0, len(frames), n_parts + 1).astype(int).tolist()
    return any(
        disagree([frames[start:stop][i::turn] for i in range(turn)], hu)
        for start, stop in zip(edges, edges[1:], strict=False)
        for turn in (2, 3)
    )


def _sample(stack: list[Frame]) -> list[Frame]:
    ordered = sorted(stack, key=lambda one: one.height)[1:-1]
    numbers = np.linspace(0, len(ordered) - 1, min(SAMPLES, len(ordered))).astype(int)
    return [ordered[i] for i in numbers]


def _apart(
    frame: Frame, stack: list[Frame], others: list[Frame], hu: Callable
) -> tuple[float, float, float] | None:
    """Return how far a slice is from its own stack, from the others, and how much brighter."""
    image = hu(frame)
    own, beside = (_between(frame, found, hu) for found in (stack, others))
    if image is None or own is None or beside is None:
        return None
    if not image.shape == own.shape == beside.shape:
        return None
    every = max(1, min(image.shape) // ENOUGH)
    image, own, beside = (one[::every, ::every] for one in (image, own, beside))
    own, beside = image - own, image - beside
    tissue = (image > TISSUE[0]) & (image < TISSUE[1])
    bias = float(np.median(beside[tissue]) - np.median(own[tissue])) if tissue.any() else 0.0
    return float(np.abs(own).mean()), float(np.abs(beside).mean()), bias


def _between(frame: Frame, found: list[Frame], hu: Callable) -> NDArray | None:
    """Interpolate a slice from the nearest below and above."""
    at = frame.height
    below = [one for one in found if one.height < at and one is not frame]
    above = [one for one in found if one.height > at and one is not frame]
    if not below or not above:
        return None
    low, high = max(below, key=lambda one: one.height), min(above, key=lambda one: one.height)
    first, second = hu(low), hu(high)
    if first is None or second is None or first.shape != second.shape:
        return None
    share = (at - low.height) / (high.height - low.height)
    return (1 - share) * first + share * second


def _decoded(frame: Frame) -> NDArray | None:
    (stored,) = stored_pixels([frame])
    return None if stored is None else rescale_one(frame, stored)
