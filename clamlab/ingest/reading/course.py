"""Whether a volume goes on from slice to slice: what is blank, repeated, damaged or another's."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 4  # pixels averaged along each side: what changes between slices, not their noise
SHOWN = (-1000, 300)  # HU; metal and padding would drown the rest
SOFT_ABOVE = -500
LEAST_SOFT = 0.05  # of the slice that has most: less soft tissue between two others is a blank one
AROUND = 4  # slices on either side that say how much neighbours differ there
BREAK, BREAK_HU = 2.0, 50.0  # a break is more than so many times that, and so many HU above
FEWEST = 12  # slices of which it can be said what is usual


def course_notes(volume: NDArray) -> list[str]:
    """Say where slices do not go on from one to the next.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU in RAS+ order.

    Returns
    -------
    list of str
        Notes for a person; slices are counted from the feet, from 1.

    Examples
    --------
    >>> body = np.full((40, 40, 30), -1000)
    >>> body[8:32, 8:32] = 40
    >>> body[12:20, 12:28, 5:] = -800
    >>> course_notes(body)[0]
    'slices 1 and 2 are the same image, and 27 more; look whether slices were repeated'
    >>> body[:, :, 14] = -1000
    >>> [note for note in course_notes(body) if "blank" in note]
    ['slice 15 is blank; export the scan again']
    """
    notes = _repeated(volume)
    if min(volume.shape[:2]) < BLOCK:
        return notes
    coarse = _coarse(volume)
    inside, blank, soft = _blank(coarse)
    if len(blank):
        notes.append(f"{_named(blank)} blank; export the scan again")
    kept = np.setdiff1d(np.arange(volume.shape[2]), blank)
    if len(kept) < FEWEST:
        return notes
    apart = _apart(coarse[:, :, kept], soft[:, :, kept])
    breaks = kept[np.flatnonzero(apart > BREAK * _typical(apart) + BREAK_HU)]
    ends = np.isin(breaks, [inside[0] - 1, inside[-1]])
    notes += [_ended(at, inside) for at in breaks[ends]]
    if len(breaks := breaks[~ends]):
        more = f", and at {len(breaks) - 1} more places" if len(breaks) > 1 else ""
        notes.append(
            f"the images do not go on from slice {breaks[0] + 1} to the next (from the feet)"
            f"{more}: slices are damaged, in another order, or another scan's"
        )
    return notes


def _repeated(volume: NDArray) -> list[str]:
    alike: dict[bytes, list[int]] = {}
    same = []
    for z in range(volume.shape[2]):
        thinned = volume[::BLOCK, ::BLOCK, z]
        if not np.ptp(thinned):
            continue
        earlier = alike.setdefault(thinned.tobytes(), [])
        equal = [k for k in earlier if np.array_equal(volume[..., k], volume[..., z])]
        same += [(k + 1, z + 1) for k in equal[:1]]
        earlier.append(z)
    if not same:
        return []
    more = f", and {len(same) - 1} more" if len(same) > 1 else ""
    return [
        f"slices {same[0][0]} and {same[0][1]} are the same image{more}; look whether slices "
        "were repeated"
    ]


def _coarse(volume: NDArray) -> NDArray[np.float32]:
    x, y = (side // BLOCK * BLOCK for side in volume.shape[:2])
    blocks = volume[:x, :y].reshape(x // BLOCK, BLOCK, y // BLOCK, BLOCK, -1)
    return np.clip(blocks.mean(axis=(1, 3), dtype="float32"), *SHOWN)


def _ended(at: int, inside: NDArray) -> str:
    where = f"begins at slice {at + 2}" if at < inside[0] else f"ends at slice {at + 1}"
    return f"the scan {where} (from the feet), the rest was filled: lungs may be cut there"


def _blank(coarse: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return the slices from the first to the last with soft tissue, those without, and where."""
    soft = coarse > SOFT_ABOVE
    area = soft.sum(axis=(0, 1))
    filled = area >= LEAST_SOFT * area.max()
    inside = np.flatnonzero(filled)
    between = np.arange(inside[0], inside[-1] + 1) if len(inside) else inside
    return between, between[~filled[between]], soft


def _apart(coarse: NDArray, soft: NDArray) -> NDArray:
    """Mean difference of neighbours where either has soft tissue."""
    where = soft[:, :, 1:] | soft[:, :, :-1]
    difference = np.abs(np.diff(coarse, axis=2))
    return (difference * where).sum(axis=(0, 1)) / np.maximum(where.sum(axis=(0, 1)), 1)


def _typical(apart: NDArray) -> NDArray:
    """Median difference of the neighbours around, two damaged ones among them or not."""
    padded = np.pad(apart, AROUND, mode="reflect" if len(apart) > AROUND else "edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1), axis=1)


def _named(slices: NDArray) -> str:
    if len(slices) == 1:
        return f"slice {slices[0] + 1} is"
    return f"{len(slices)} slices from {slices[0] + 1} to {slices[-1] + 1} are"
