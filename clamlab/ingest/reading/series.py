"""Know a DICOM series by its headers: which slices it has, and where they lie."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError

TAGS = [
    "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "Manufacturer",
    "ManufacturerModelName", "SeriesDescription", "PatientID", "BodyPartExamined",
    "SliceThickness", "KVP", "ConvolutionKernel", "ContrastBolusAgent", "GantryDetectorTilt",
    "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "NumberOfFrames", "Rows", "Columns",
    "PixelSpacing", "BitsAllocated", "SamplesPerPixel", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "StudyInstanceUID", "StudyDate", "StudyTime",
]  # fmt: skip


@dataclass(frozen=True)
class Series:
    """One stack of slices, sorted from low to high along their normal.

    Attributes
    ----------
    files : list of Path
        The files to convert: whole, and one at each place.
    header : pydicom.Dataset
        Of the first slice, without pixels.
    positions : array, shape (n_slices,)
        mm along the slices' normal.
    spacing_mm : float
        Median distance of neighbouring slices.
    coverage_mm : float
        Extent from feet to head.
    patients : frozenset of str
        Every PatientID met.
    notes : list of str
        What was set right or left out, in plain words.
    """

    files: list[Path]
    header: Any
    positions: NDArray[np.float64]
    spacing_mm: float
    coverage_mm: float
    patients: frozenset[str]
    notes: list[str] = field(default_factory=list)

    @property
    def kernel(self) -> str:
        """The convolution kernel, one word."""
        value = self.header.get("ConvolutionKernel") or ""
        return str(value if isinstance(value, str) else next(iter(value), ""))

    @property
    def thickness_mm(self) -> float:
        """Slice thickness, or spacing where the header has none."""
        return float(self.header.get("SliceThickness") or self.spacing_mm)

    @property
    def largest_gap_mm(self) -> float:
        """Largest distance of neighbouring slices."""
        return float(np.diff(self.positions).max()) if len(self.positions) > 1 else 0.0

    def describe(self) -> str:
        """Say in a few words which series this is, without anything of the patient."""
        number = self.header.get("SeriesNumber")
        name = f"series {number}" if number is not None else "series"
        kernel = f", kernel {self.kernel}" if self.kernel else ""
        return f"{name} ({len(self.positions)} slices of {self.thickness_mm:g} mm{kernel})"


def find_series(path: str | os.PathLike) -> list[Series]:
    """Read the headers of every DICOM file in a folder and sort them into series.

    Parameters
    ----------
    path : path
        A folder, searched with its subfolders, or one file.

    Returns
    -------
    list of Series
        CT or not; truncated files, repeated images and files without pixels are left out and
        noted.

    Raises
    ------
    IngestError
        If the path holds no readable DICOM image.
    """
    path = Path(path)
    groups: dict[tuple, list[_Image]] = {}
    broken: dict[str, list[str]] = {}
    seen = set()
    # Files are told by their place in the list: their names may be those of patients.
    for number, file in enumerate(_files(path), start=1):
        image = _read(file)
        if image is None:
            continue
        uid = str(image.header.get("SeriesInstanceUID", ""))
        if image.problem:
            broken.setdefault(uid, []).append(f"file {number} {image.problem}")
            continue
        instance = str(image.header.get("SOPInstanceUID", file))
        if instance in seen:
            broken.setdefault(uid, []).append(f"file {number} repeats another file")
            continue
        seen.add(instance)
        groups.setdefault((uid, *image.shape, *np.round(image.axes, 2).ravel()), []).append(image)
    if not groups:
        found = next(iter(broken.values()), [])
        raise IngestError(
            "expected DICOM images, found "
            + (f"only unusable files ({_few(found)})" if found else "none")
            + "; check the path in the cohort table"
        )
    return [_series(images, broken.get(key[0], [])) for key, images in groups.items()]


@dataclass(frozen=True)
class _Image:
    """One file: its header, the places of its frames and what is wrong with it."""

    file: Path
    header: Any
    places: NDArray[np.float64]  # (n_frames, 3), LPS mm
    axes: NDArray[np.float64]  # (2, 3), directions of rows and columns
    shape: tuple[float, ...]  # rows, columns and pixel spacing
    problem: str = ""


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, subfolders, names in os.walk(path):
        subfolders.sort()
        for name in sorted(names):
            if not name.startswith(".") and name != "DICOMDIR":
                yield Path(folder, name)


def _read(file: Path) -> _Image | None:
    import pydicom

    with file.open("rb") as stream:
        try:
            header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=TAGS)
        except pydicom.errors.InvalidDicomError:
            return None
        except Exception as error:  # a damaged header raises whatever its damage leads to
            return _broken(file, pydicom.Dataset(), f"cannot be read ({type(error).__name__})")
        problem = _pixel_problem(stream, header)
    if "Rows" not in header:
        return None
    try:
        places, axes, spacing = _geometry(header)
    except (AttributeError, TypeError, ValueError, IndexError, KeyError):
        return _broken(file, header, "has no position or orientation")
    return _Image(file, header, places, axes, (header.Rows, header.Columns, *spacing), problem)


def _broken(file: Path, header: Any, problem: str) -> _Image:
    return _Image(file, header, np.zeros((1, 3)), np.zeros((2, 3)), (0, 0), problem)


def _pixel_problem(stream: Any, header: Any) -> str:
    """Say whether the file ends before its pixels do; the header alone cannot tell."""
    start, tag = stream.tell(), stream.read(4)
    size = os.fstat(stream.fileno()).st_size
    if tag not in (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10"):
        return "holds no pixels"
    syntax = header.file_meta.TransferSyntaxUID
    if syntax.is_compressed:
        stream.seek(max(start, size - 64))
        complete = struct.pack("<HH", 0xFFFE, 0xE0DD) in stream.read() or syntax.is_deflated
    else:
        frames = int(header.get("NumberOfFrames") or 1) * int(header.get("SamplesPerPixel") or 1)
        bits = int(header.get("BitsAllocated") or 16)
        needed = header.Rows * header.Columns * frames * bits // 8
        complete = size - start - (8 if syntax.is_implicit_VR else 12) >= needed
    return "" if complete else "is truncated"


def _geometry(header: Any) -> tuple[NDArray, NDArray, list[float]]:
    """Return the frames' places, the two in-plane directions and the pixel spacing."""
    frames = header.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        places = np.array([header.ImagePositionPatient], "float64")
        return places, axes_of(header), [float(v) for v in header.PixelSpacing]
    each = [frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames]
    shared = header.SharedFunctionalGroupsSequence[0]
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    return np.array(each, "float64"), axes_of(header), [float(value) for value in spacing]


def axes_of(header: Any) -> NDArray[np.float64]:
    """Return the directions of rows and columns, shape (2, 3), in DICOM's LPS."""
    shared = header.get("SharedFunctionalGroupsSequence")
    source = shared[0].PlaneOrientationSequence[0] if shared else header
    return np.array(source.ImageOrientationPatient, "float64").reshape(2, 3)


def normal_of(axes: NDArray) -> NDArray[np.float64]:
    """Return the direction in which slices follow each other."""
    return np.cross(axes[0], axes[1])


def _series(images: list[_Image], broken: list[str]) -> Series:
    notes = [f"left out {len(broken)} file(s): {_few(broken)}"] if broken else []
    first = images[0]
    normal = normal_of(first.axes)
    images, repeated = _one_per_place(images, normal)
    if repeated:
        notes.append(f"left out {repeated} slice(s) at places already covered")
    if not first.header.get("Modality"):
        notes.append("modality is not recorded; taken for CT")
    places = np.concatenate([image.places for image in images])
    positions = np.sort(places @ normal)
    steps = np.diff(positions)
    thickness = float(first.header.get("SliceThickness") or 1.0)
    spacing = float(np.median(steps)) if len(steps) else thickness
    missing = int(np.sum(np.maximum(np.rint(steps / max(spacing, 1e-6)) - 1, 0)))
    if missing:
        notes.append(f"{missing} slice(s) are missing and were interpolated")
    return Series(
        files=[image.file for image in images],
        header=first.header,
        positions=positions,
        spacing_mm=spacing,
        coverage_mm=_coverage(first, places, normal, spacing),
        patients=frozenset(
            str(image.header.PatientID) for image in images if image.header.get("PatientID")
        ),
        notes=notes,
    )


def _one_per_place(images: list[_Image], normal: NDArray) -> tuple[list[_Image], int]:
    """Where slices share a place, keep those of the acquisition with most slices."""
    numbers = [image.header.get("AcquisitionNumber") for image in images]
    order = sorted(
        range(len(images)),
        key=lambda i: (-numbers.count(numbers[i]), str(numbers[i]), images[i].file),
    )
    kept: dict[int, _Image] = {}
    for i in order:
        kept.setdefault(round(float(images[i].places[0] @ normal) * 20), images[i])
    return [kept[place] for place in sorted(kept)], len(images) - len(kept)


def _coverage(image: _Image, places: NDArray, normal: NDArray, spacing: float) -> float:
    rows, columns, row_mm, column_mm = image.shape
    across = np.abs(image.axes[0][2]) * columns * column_mm
    down = np.abs(image.axes[1][2]) * rows * row_mm
    return float(np.ptp(places[:, 2]) + abs(normal[2]) * spacing + across + down)


def _few(items: list[str], limit: int = 3) -> str:
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more
