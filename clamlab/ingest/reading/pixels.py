"""Every slice's own pixels in HU, by its own rescale."""

import warnings
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.frames import Frame

IDENTITY = (1.0, 0.0)
THINNED = (slice(None, None, 8), slice(None, None, 8))  # enough pixels to tell a slice by
MOVED_MM = 10.0  # sideways, by a tilted gantry; more is another field of view
ODD_HU = 200.0  # median difference to a neighbour; anatomy and noise stay far below


@dataclass(frozen=True)
class Decoded:
    """The slices of a series.

    Attributes
    ----------
    images : list of array, shape (rows, columns)
        Whole HU as int16, -32768 to 32767, in the order of the series.
    notes : list of str
    """

    images: list[NDArray[np.int16]]
    notes: list[str]


def decode(frames: list[Frame]) -> Decoded:
    """Decode slices that lie one above another, each by itself.

    Raises
    ------
    IngestError
        If a slice cannot be decoded, has no rescale that fits its neighbours', or does not fit
        them at all.
    """
    stored = stored_pixels(frames)
    rules = [_rule(frame) for frame in frames]
    notes = []
    lacking = [i for i, rule in enumerate(rules) if rule is None]
    if lacking and len(lacking) < len(rules):
        _mend(stored, rules, lacking)
        notes.append(f"{len(lacking)} slice(s) have no rescale; that of their neighbours was used")
    images = [_rescaled(image, rule or IDENTITY) for image, rule in zip(stored, rules, strict=True)]
    _refuse_odd(frames, images)
    return Decoded(images, notes)


def stored_pixels(frames: list[Frame]) -> list[NDArray]:
    """Return pixels as they are stored, shape (rows, columns) each; every file is read once.

    Raises
    ------
    IngestError
    """
    found: dict[int, NDArray] = {}
    for file in {frame.file: None for frame in frames}:
        data = _dataset(file)
        for i, frame in enumerate(frames):
            if frame.file == file:
                found[i] = _pixels(data, frame)
    return [found[i] for i in range(len(frames))]


def _pixels(data: Any, frame: Frame) -> NDArray:
    from pydicom.pixels import pixel_array

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # padding after the pixels, and the like
            pixels = pixel_array(data, index=frame.index, raw=True)
    except Exception as error:  # a damaged image raises whatever its damage leads to
        raise IngestError(
            f"expected slices that can be decoded, found one that cannot ({type(error).__name__}); "
            "export the series again"
        ) from None
    if pixels.shape != frame.size:
        raise IngestError(
            f"expected slices of {frame.size[0]} x {frame.size[1]} pixels, found one of "
            f"{' x '.join(map(str, pixels.shape))}; export the series again"
        )
    return pixels


def _dataset(file: Path) -> Any:
    import pydicom

    data = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in data.file_meta:
        plain = pydicom.uid.ExplicitVRLittleEndian
        implicit, little = data.original_encoding
        plain = pydicom.uid.ImplicitVRLittleEndian if implicit else plain
        data.file_meta.TransferSyntaxUID = plain if little else pydicom.uid.ExplicitVRBigEndian
    return data


def digest(frame: Frame) -> str:
    """Return a short name of the pixels and their rescale."""
    content = np.ascontiguousarray(stored_pixels([frame])[0]).tobytes()
    return sha256(content + repr(_rule(frame)).encode()).hexdigest()


def has_rescale(frame: Frame) -> bool:
    """Tell whether the header says how stored values become HU."""
    return _rule(frame) is not None


def decode_one(frame: Frame) -> NDArray[np.int16]:
    """Return one slice in HU, by its own header alone."""
    return _rescaled(stored_pixels([frame])[0], _rule(frame) or IDENTITY)


def _rule(frame: Frame) -> tuple[float, float] | None:
    """Return slope and intercept; None where the header has not both."""
    slope, intercept = frame.number("RescaleSlope"), frame.number("RescaleIntercept")
    return None if slope is None or intercept is None or slope == 0 else (slope, intercept)


def _rescaled(pixels: NDArray, rule: tuple[float, float]) -> NDArray[np.int16]:
    slope, intercept = rule
    hu = pixels.astype("float32") if slope % 1 or intercept % 1 else pixels.astype("int64")
    hu = hu * slope + intercept
    return np.clip(np.rint(hu), -32768, 32767).astype("int16")


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
