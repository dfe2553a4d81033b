"""One image plane as its own header tells it, of a classic file or of an enhanced one."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.errors import UnusableFile
from clamlab.ingest.reading.checks import VOXEL_MM

# Where an enhanced file keeps what a classic one has at its top (DICOM PS3.3, C.7.6.16 and C.8.15).
FUNCTIONAL_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "ConvolutionKernel": "CTReconstructionSequence",
    "KVP": "CTXRayDetailsSequence",
    "FrameAcquisitionDateTime": "FrameContentSequence",
    "FrameAcquisitionNumber": "FrameContentSequence",
    "StackID": "FrameContentSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "FrameType": "CTImageFrameTypeSequence",
    "ContrastBolusAgentAdministered": "ContrastBolusUsageSequence",
}
LARGEST_SIDE = 4096  # of an image; more is a damaged header
PLACED = {  # what places an image in space: how many numbers, and its name
    "ImagePositionPatient": (3, "position"),
    "ImageOrientationPatient": (6, "orientation"),
    "PixelSpacing": (2, "pixel spacing"),
}
SQUARE = 1e-3  # cosine between rows and columns, and error of their lengths


@dataclass(frozen=True, eq=False)
class Frame:
    """One plane: where it lies, and where its pixels are.

    Attributes
    ----------
    file : Path
    index : int
        Which of the file's images.
    header : pydicom.Dataset
        Of the file, without pixels.
    groups : tuple of pydicom.Dataset
        Functional groups of an enhanced file, the frame's own before the shared ones.
    place : array, shape (3,)
        Centre of the first pixel in DICOM's left-posterior-superior mm.
    axes : array, shape (2, 3)
        Directions in which columns and rows are counted.
    pixel_mm : array, shape (2,)
        Distance of rows, and of columns.
    size : tuple of int
        Rows and columns.
    """

    file: Path
    index: int
    header: Any
    groups: tuple[Any, ...]
    place: NDArray[np.float64]
    axes: NDArray[np.float64]
    pixel_mm: NDArray[np.float64]
    size: tuple[int, int]

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction in which slices follow each other."""
        return np.cross(self.axes[0], self.axes[1])

    @property
    def height(self) -> float:
        """Where the slice lies along its normal, in mm."""
        return float(self.place @ self.normal)

    @property
    def coding(self) -> str:
        """How the file stores its pixels."""
        return str(self.header.file_meta.get("TransferSyntaxUID") or "")

    def get(self, keyword: str) -> Any:
        """Return what the frame, its file's shared groups, or its file says; else None."""
        return _value(self.header, self.groups, keyword)

    def number(self, keyword: str) -> float | None:
        """Return a finite number, or None."""
        value = self.get(keyword)
        try:
            number = float(value if isinstance(value, (str, int, float)) else list(value)[0])
        except (TypeError, ValueError, IndexError):
            return None
        return number if math.isfinite(number) else None


def frames_of(file: Path, header: Any) -> list[Frame]:
    """Return the planes of one file.

    Raises
    ------
    UnusableFile
        If one of them has no place in space, or no grey pixels.
    """
    _check_image(header)
    shared = [*(header.get("SharedFunctionalGroupsSequence") or [])][:1]
    own = [*(header.get("PerFrameFunctionalGroupsSequence") or [])]
    n = _n_frames(header)
    if own and len(own) != n:
        raise UnusableFile(f"says {n} frames and describes {len(own)}")
    if n > 1 and not own:
        raise UnusableFile(f"holds {n} frames without a place of their own")
    return [
        _frame(file, index, header, tuple([*own[index : index + 1], *shared])) for index in range(n)
    ]


def _n_frames(header: Any) -> int:
    try:
        return max(int(header.get("NumberOfFrames") or 1), 1)
    except (TypeError, ValueError):
        raise UnusableFile("has no proper number of frames") from None


def _check_image(header: Any) -> None:
    sides = [header.get(side) for side in ("Rows", "Columns")]
    if not all(isinstance(side, int) and 0 < side <= LARGEST_SIDE for side in sides):
        raise UnusableFile("has no proper numbers of rows and columns")
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise UnusableFile("is a colour image")
    if str(header.get("PhotometricInterpretation") or "MONOCHROME2") != "MONOCHROME2":
        raise UnusableFile("is no image in which bright is dense")


def _frame(file: Path, index: int, header: Any, groups: tuple[Any, ...]) -> Frame:
    told = {keyword: _numbers(_value(header, groups, keyword)) for keyword in PLACED}
    lacking = [
        name
        for keyword, (n, name) in PLACED.items()
        if told[keyword].shape != (n,) or not np.isfinite(told[keyword]).all()
    ]
    if lacking:
        raise UnusableFile(f"has no {' and no '.join(lacking)}")
    place, axes, pixel_mm = told.values()
    axes = axes.reshape(2, 3)
    sound = ((pixel_mm > 0) & (pixel_mm <= VOXEL_MM[1])).all()
    if np.abs(axes @ axes.T - np.eye(2)).max() > SQUARE or not sound:
        raise UnusableFile(
            "has rows and columns that are not at right angles, or pixels of no proper size"
        )
    size = (int(header.Rows), int(header.Columns))
    return Frame(file, index, header, groups, place, axes, pixel_mm, size)


def _numbers(values: Any) -> NDArray[np.float64]:
    try:
        return np.array([*values], "float64")
    except (TypeError, ValueError):
        return np.empty(0)


def _value(header: Any, groups: tuple[Any, ...], keyword: str) -> Any:
    for group in groups:
        for item in group.get(FUNCTIONAL_GROUPS.get(keyword, "")) or []:
            if keyword in item:
                return item[keyword].value
    return header.get(keyword)
