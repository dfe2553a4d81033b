"""HU of every slice by its own rescale, held against the slices beside it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.checks import HIGHEST_HU, LOWEST_HU
from clamlab.ingest.reading.frames import Frame

HU_TYPES = {"HU", "US"}  # US: unspecified
IDENTITY = (1.0, 0.0)
THINNED = (slice(None, None, 8), slice(None, None, 8))  # enough pixels to tell a slice by
MOVED_MM = 10.0  # sideways, by a tilted gantry; more is another field of view
AIR_HU = -900  # padding up to it, or at the highest HU, cannot be tissue
LEAST_EDGE = 0.02  # of the image's edge, in one region: measured values vary
ODD_HU = 200.0  # median difference to a neighbour; anatomy and noise stay far below


def rescale(
    frames: list[Frame], stored: list[NDArray]
) -> tuple[list[NDArray[np.int16]], list[str]]:
    """Turn stored values of slices that lie one above another into HU.

    Returns
    -------
    list of array
        Whole HU, -32768 to 32767.
    list of str
        Notes for a person.

    Raises
    ------
    IngestError
        If a slice has no rescale that fits its neighbours', or does not fit them at all.
    """
    rules = [_rule(frame) for frame in frames]
    notes = []
    lacking = [i for i, rule in enumerate(rules) if rule is None]
    if lacking and len(lacking) < len(rules):
        _mend(stored, rules, lacking)
        notes.append(f"{len(lacking)} slice(s) have no rescale; that of their neighbours was used")
    units = {str(frame.get("RescaleType") or "US").upper() for frame in frames} - HU_TYPES
    notes += [f"the header calls the values {', '.join(sorted(units))}, not HU"] * bool(units)
    images = [
        _unpadded(frame, image, _rescaled(image, rule or IDENTITY))
        for frame, image, rule in zip(frames, stored, rules, strict=True)
    ]
    kept = sum(
        bool((_padding(frame, image) & (hu != LOWEST_HU)).any())
        for frame, image, hu in zip(frames, stored, images, strict=True)
    )
    if kept:
        notes.append(
            f"the header's padding value is one of tissue in {kept} slice(s): only what holds the "
            "image's edge was taken for air"
        )
    _refuse_odd(frames, images)
    return images, notes


def rescale_one(frame: Frame, stored: NDArray) -> NDArray[np.int16]:
    """Turn one slice into HU, by its own header alone."""
    return _unpadded(frame, stored, _rescaled(stored, _rule(frame) or IDENTITY))


def has_rescale(frame: Frame) -> bool:
    """Tell whether the header says how stored values become HU."""
    return _rule(frame) is not None


def _rule(frame: Frame) -> tuple[float, float] | None:
    """Return slope and intercept; None where the header has not both."""
    slope, intercept = frame.number("RescaleSlope"), frame.number("RescaleIntercept")
    return None if slope is None or intercept is None or slope == 0 else (slope, intercept)


def _rescaled(pixels: NDArray, rule: tuple[float, float]) -> NDArray[np.int16]:
    slope, intercept = rule
    hu = pixels.astype("float32") if slope % 1 or intercept % 1 else pixels.astype("int64")
    hu = hu * slope + intercept
    return np.clip(np.rint(hu), -32768, 32767).astype("int16")


def _unpadded(frame: Frame, stored: NDArray, hu: NDArray[np.int16]) -> NDArray[np.int16]:
    """Lay air where a scanner wrote that it measured nothing."""
    padding = _padding(frame, stored)
    if padding.any():
        # A value of tissue may be left over from other pixels: inside, it would punch holes.
        told = AIR_HU < np.median(hu[padding]) < HIGHEST_HU
        hu[_at_edge(padding) if told else padding] = LOWEST_HU
    return hu


def _padding(frame: Frame, stored: NDArray) -> NDArray[np.bool_]:
    value = frame.number("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    # The header may have it without a sign where the pixels have one, or the other way round.
    return np.isin(stored, [value, value - 65536, value + 65536])


def _at_edge(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep regions that hold a good part of the image's edge."""
    regions, n = ndimage.label(where)
    edge = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    held = np.bincount(edge, minlength=n + 1) >= LEAST_EDGE * len(edge)
    held[0] = False
    return held[regions]


def _mend(stored: list[NDArray], rules: list, lacking: list[int]) -> None:
    """Give a slice without rescale that of its nearest neighbours, where it then fits them."""
    known = np.array([i for i, rule in enumerate(rules) if rule is not None])
    told = list(rules)
    for i in lacking:
        below, above = known[known < i][-1:].tolist(), known[known > i][:1].tolist()
        beside = below + above
        candidates = {told[j] for j in beside}
        for rule in candidates:
            own = _rescaled(stored[i], rule)
            apart = [_apart(own, _rescaled(stored[j], told[j])) for j in beside]
            if len(candidates) == 1 and min(apart) < ODD_HU:
                rules[i] = rule
    if any(rule is None for rule in rules):
        raise IngestError(
            f"expected a rescale slope and intercept for every slice, found {len(lacking)} of "
            f"{len(rules)} without, whose values do not fit their neighbours' either; export the "
            "series again"
        )


def _refuse_odd(frames: list[Frame], images: list[NDArray]) -> None:
    # Where the field of view changes, one pixel is not the other's neighbour.
    apart = [
        _apart(images[i], images[i + 1]) if _one_above_another(frames[i], frames[i + 1]) else 0.0
        for i in range(len(images) - 1)
    ]
    if apart and max(apart) > ODD_HU:
        raise IngestError(
            f"expected slices whose HU go on from one to the next, found {max(apart):.0f} HU "
            f"between slices {int(np.argmax(apart)) + 1} and {int(np.argmax(apart)) + 2}: their "
            "rescale differs from what their headers say; export the series again"
        )


def _one_above_another(one: Frame, other: Frame) -> bool:
    moved = np.abs((other.place - one.place) @ one.axes.T).max()
    return bool(np.allclose(one.pixel_mm, other.pixel_mm, rtol=0.02) and moved < MOVED_MM)


def _apart(one: NDArray, other: NDArray) -> float:
    """Return the median difference of two slices, by their shared pixels."""
    rows, columns = (min(sides) for sides in zip(one.shape, other.shape, strict=True))
    a, b = (image[:rows, :columns][THINNED].astype("int32") for image in (one, other))
    return float(np.median(np.abs(a - b)))
