"""Tell phases and reconstructions apart that share one series: slices of two are never mixed."""

from collections.abc import Callable, Hashable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.reading.frames import Frame
from clamlab.ingest.reading.mixing import lie_in_turn
from clamlab.ingest.reading.pixels import stored_pixels
from clamlab.ingest.reading.rescale import rescale_one
from clamlab.ingest.reading.spacing import find_spacing

SAME_PLACE_MM = 0.05
WHOLE = 0.9  # a stack that spans this share of the series' places is one of its own
MOST_MISSING = 0.1
FAR = 10  # times the usual way from slice to slice: the table went back
# What a scanner sets once for a whole stack: where it differs, stacks differ, even where their
# slices lie between one another.
PHYSICS = (
    "ConvolutionKernel", "ContrastBolusAgent", "KVP", "SliceThickness", "ReconstructionDiameter",
    "FilterType", "ImageType", "FrameType", "AcquisitionNumber", "FrameAcquisitionNumber",
    "TemporalPositionIdentifier", "TemporalPositionIndex", "NominalPercentageOfCardiacPhase",
    "StackID", "FrameOfReferenceUID", "PatientPosition",
)  # fmt: skip
LABELS = ("SeriesDescription", "SeriesNumber", "StudyTime", "SOPClassUID")
# What counts on from slice to slice: where a place comes again, a stack begins anew.
SEQUENCES = (
    "AcquisitionDateTime", "FrameAcquisitionDateTime", "AcquisitionTime", "ContentTime",
    "InstanceNumber",
)  # fmt: skip
NAMES = {"ConvolutionKernel": "kernel", "ContrastBolusAgent": "contrast", "KVP": "voltage"}


def tell_apart(frames: list[Frame]) -> tuple[list[list[Frame]], list[str]]:
    """Part a series into its stacks, each with one slice at a place.

    Parameters
    ----------
    frames : list of Frame
        Of one series and orientation.

    Returns
    -------
    list of list of Frame
        Sorted along the normal. A stack in which a place comes twice could not be parted.
    list of str
        By what they were told apart.
    """
    unique = _n_places(frames) == len(frames)
    keys: list[tuple[str, Callable]] = [(word, _by_value(word)) for word in PHYSICS]
    keys += [(word, _by_value(word)) for word in LABELS]
    if unique:  # one time for a whole stack
        keys += [(word, _by_value(word)) for word in SEQUENCES]
    keys += [(word, _by_sequence(word)) for word in SEQUENCES]
    # Where no place comes twice, one part must not be taken for a stack with a few slices missing.
    enough = 2 if unique else 1
    mixed = cache(lambda: _lie_in_turn(frames))
    for word, split in keys:
        groups = split(frames)
        sure = word in PHYSICS or not unique
        whole = [group for group in groups if _is_whole(group, frames, even=unique and sure)]
        # Labels, times and numbers differ within many a scan too: there its HU decide.
        if len(groups) > 1 and len(whole) >= enough and (sure or mixed()):
            parts, words = [], [NAMES.get(word, word)]
            for group in groups:
                stacks, more = tell_apart(group)
                parts += stacks
                words += [name for name in more if name not in words]
            return parts, words
    return [sorted(frames, key=lambda frame: frame.height)], []


def _lie_in_turn(frames: list[Frame]) -> bool:
    ordered = sorted(frames, key=lambda frame: frame.height)
    images = [
        rescale_one(frame, pixels)
        for frame, pixels in zip(ordered, stored_pixels(ordered), strict=True)
        if pixels is not None
    ]
    return lie_in_turn(images) is not None


def heights(frames: list[Frame]) -> NDArray[np.float64]:
    """Return where frames lie along the first one's normal."""
    return np.array([frame.place for frame in frames]) @ frames[0].normal


def places(positions: NDArray) -> NDArray[np.int_]:
    """Give positions numbers, those of one place the same.

    >>> places(np.array([3.0, 1.0, 3.01, 8.0])).tolist()
    [1, 0, 1, 2]
    """
    order = np.argsort(positions, kind="stable")
    numbers = np.empty(len(positions), int)
    numbers[order] = np.cumsum(
        np.diff(positions[order], prepend=positions[order[0]]) > SAME_PLACE_MM
    )
    return numbers


def _n_places(frames: list[Frame]) -> int:
    return int(places(heights(frames)).max()) + 1


def _is_whole(group: list[Frame], frames: list[Frame], *, even: bool) -> bool:
    """Tell whether a part can stand alone: over the same span, with few gaps."""
    own, all_of_them = heights(group), heights(frames)
    distinct = np.sort(own)[np.diff(np.sort(own), prepend=-np.inf) > SAME_PLACE_MM]
    if len(distinct) < 3 or np.ptp(distinct) < WHOLE * np.ptp(all_of_them):
        return False
    spacing = find_spacing(distinct)
    return (spacing.on_planes or not even) and spacing.share_missing <= MOST_MISSING


def _by_value(keyword: str) -> Callable[[list[Frame]], list[list[Frame]]]:
    def split(frames: list[Frame]) -> list[list[Frame]]:
        groups: dict[Hashable, list[Frame]] = {}
        for frame in frames:
            number = frame.number(keyword)
            value = str(frame.get(keyword) or "") if number is None else number
            groups.setdefault(value, []).append(frame)
        return list(groups.values())

    return split


def _by_sequence(keyword: str) -> Callable[[list[Frame]], list[list[Frame]]]:
    def split(frames: list[Frame]) -> list[list[Frame]]:
        positions = heights(frames)
        numbers = places(positions)
        values = [str(frame.get(keyword) or "") for frame in frames]
        # Slices of one place and one time could be told apart by their files' names only.
        if (
            len(frames) < 2
            or "" in values
            or len(set(zip(values, numbers.tolist(), strict=True))) < len(frames)
        ):
            return [frames]
        order = sorted(range(len(frames)), key=lambda i: (_number(values[i]), values[i]))
        jumps = np.abs(np.diff(positions[order], prepend=positions[order[0]]))
        far = FAR * np.median(jumps[1:])
        groups: list[list[Frame]] = [[]]
        taken: set[int] = set()
        for i, jump in zip(order, jumps, strict=True):
            if numbers[i] in taken or jump > far:
                groups.append([])
                taken = set()
            taken.add(int(numbers[i]))
            groups[-1].append(frames[i])
        return groups if all(_one_way(group) for group in groups) else [frames]

    return split


def _one_way(group: list[Frame]) -> bool:
    """Tell whether the table moved on from slice to slice, as it does within one stack."""
    steps = np.diff(heights(group))
    return bool(max((steps > 0).sum(), (steps < 0).sum()) >= WHOLE * len(steps))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
