"""Decode the pixels of slices, each by itself."""

import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.reading.frames import Frame
from clamlab.ingest.reading.rescale import rescale_one


def stored_pixels(frames: list[Frame]) -> list[NDArray | None]:
    """Return pixels as they are stored, shape (rows, columns); None where there is no image.

    Either it can't be decoded, or one value is everywhere. Every file is read once.
    """
    found: dict[int, NDArray | None] = {}
    for file in {frame.file: None for frame in frames}:
        data = _dataset(file)
        for i, frame in enumerate(frames):
            if frame.file == file:
                found[i] = _pixels(data, frame)
    return [found[i] for i in range(len(frames))]


def digest(frame: Frame) -> str:
    """Return a short name of a slice's HU; another for each that can't be decoded."""
    (pixels,) = stored_pixels([frame])
    if pixels is None:
        return f"{frame.file} {frame.index}"
    return sha256(np.ascontiguousarray(rescale_one(frame, pixels)).tobytes()).hexdigest()


def _dataset(file: Path) -> Any:
    import pydicom

    data = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in data.file_meta:
        plain = pydicom.uid.ExplicitVRLittleEndian
        implicit, little = data.original_encoding
        plain = pydicom.uid.ImplicitVRLittleEndian if implicit else plain
        data.file_meta.TransferSyntaxUID = plain if little else pydicom.uid.ExplicitVRBigEndian
    return data


def _pixels(data: Any, frame: Frame) -> NDArray | None:
    from pydicom.pixels import pixel_array

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # padding after the pixels, and the like
            pixels = pixel_array(data, index=frame.index, raw=True)
    except Exception:  # a damaged image raises whatever its damage leads to
        return None
    return pixels if pixels.shape == frame.size and np.ptp(pixels) else None
