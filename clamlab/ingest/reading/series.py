"""Know a subject's DICOM series by their headers: which slices they have, and where these lie."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clamlab.ingest.errors import IngestError, UnusableFile
from clamlab.ingest.reading.files import image_files, read_frames
from clamlab.ingest.reading.frames import Frame
from clamlab.ingest.reading.phases import heights, places, tell_apart
from clamlab.ingest.reading.pixels import digest
from clamlab.ingest.reading.spacing import Spacing, find_spacing

SAME_DIRECTION = 0.01  # of a unit vector
NEXT = 2.0  # steps: a series that begins so near another's end goes on from there
# What does not change within a scan, though one may be stacked of parts that differ in it.
SET_ONCE = {
    "ConvolutionKernel": "kernel", "FrameOfReferenceUID": "frame of reference",
    "ContrastBolusAgent": "contrast", "PatientPosition": "position of the patient",
}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """One stack of slices, sorted from low to high along their normal.

    Attributes
    ----------
    frames : list of Frame
        The slices; more than one at a place only where nothing tells them apart.
    spacing : Spacing
        Of the places.
    left_out : int
        Images that belong to this series and cannot be used.
    notes : list of str
        What was left out, and why.
    """

    frames: list[Frame]
    spacing: Spacing
    left_out: int = 0
    notes: list[str] = field(default_factory=list)

    def without(self, lost: list[int]) -> "Series":
        """Leave out slices that can't be decoded, by their numbers from 0."""
        if not lost:
            return self
        kept = [frame for i, frame in enumerate(self.frames) if i not in set(lost)]
        if not kept:
            raise IngestError(
                f"expected slices that can be decoded, found none of {len(lost)}; export the "
                "series again"
            )
        notes = [*self.notes, f"left out {len(lost)} slice(s) that can't be decoded"]
        return Series(kept, _spacing(kept), self.left_out + len(lost), notes)

    @property
    def told(self) -> list[str]:
        """What a person should look at, in plain words."""
        missing = self.spacing.missing
        return self.notes + [f"{missing} slice(s) are missing and were interpolated"] * (
            missing > 0
        )

    def get(self, keyword: str) -> Any:
        """Return what the lowest slice says."""
        return self.frames[0].get(keyword)

    def words(self, keyword: str) -> str:
        """Return what the lowest slice says as words, of several the first."""
        value = self.get(keyword) or ""
        return str(value if isinstance(value, str) else next(iter(value), ""))

    @property
    def kernel(self) -> str:
        """The convolution kernel, one word."""
        return self.words("ConvolutionKernel")

    @property
    def patients(self) -> frozenset[str]:
        """Every PatientID met."""
        found = (str(frame.header.get("PatientID") or "") for frame in self.frames)
        return frozenset(found) - {""}

    @property
    def image_types(self) -> set[str]:
        """What the images say they are: ORIGINAL, AXIAL, LOCALIZER, ..."""
        values = self.get("ImageType") or []
        return {str(kind).upper() for kind in ([values] if isinstance(values, str) else values)}

    @property
    def thickness_mm(self) -> float:
        """Slice thickness, or spacing where the header has none."""
        return self.frames[0].number("SliceThickness") or self.spacing.step_mm

    @property
    def depth_mm(self) -> float:
        """Extent along the normal."""
        return float(np.ptp(heights(self.frames))) + self.spacing.step_mm

    @property
    def coverage_mm(self) -> float:
        """Extent from feet to head."""
        first = self.frames[0]
        across, down = np.abs(first.axes[:, 2]) * first.size[::-1] * first.pixel_mm[::-1]
        places_z = np.array([frame.place[2] for frame in self.frames])
        return float(np.ptp(places_z) + abs(first.normal[2]) * self.spacing.step_mm + across + down)

    def goes_on_from(self, other: "Series") -> bool:
        """Tell whether these slices lie next to another series' end, in its direction."""
        if np.abs(self.frames[0].axes - other.frames[0].axes).max() >= SAME_DIRECTION:
            return False
        own, its = (heights(one.frames) for one in (self, other))
        gap = max(own.min() - its.max(), its.min() - own.max())
        return bool(0 < gap <= NEXT * max(self.spacing.step_mm, other.spacing.step_mm))

    def describe(self) -> str:
        """Say in a few words which series this is, without anything of the patient."""
        number = self.get("SeriesNumber")
        name = f"series {number}" if number is not None else "series"
        kernel = f", kernel {self.kernel}" if self.kernel else ""
        return f"{name} ({len(self.frames)} slices of {self.thickness_mm:g} mm{kernel})"


def find_series(path: str | os.PathLike) -> list[Series]:
    """Read the headers of every DICOM file in a folder and sort them into series.

    Parameters
    ----------
    path : path
        A folder, searched with its subfolders, or one file.

    Returns
    -------
    list of Series
        CT or not. Several phases or reconstructions in one DICOM series are several here.

    Raises
    ------
    IngestError
        If the path holds no readable DICOM image.
    """
    found: dict[str, list[Frame]] = {}
    broken: dict[str | None, list[str]] = {}
    # Files are told by their place in the list: their names may be those of patients.
    for number, file in enumerate(image_files(Path(path)), start=1):
        try:
            frames = read_frames(file)
        except UnusableFile as error:
            broken.setdefault(error.series_uid, []).append(f"file {number} {error}")
            continue
        for frame in frames:
            found.setdefault(str(frame.get("SeriesInstanceUID") or ""), []).append(frame)
    if not found:
        unusable = next(iter(broken.values()), [])
        raise IngestError(
            "expected DICOM images, found "
            + (
                f"only unusable files ({_few(unusable)}); export the series again"
                if unusable
                else "none; check the path in the cohort table"
            )
        )
    unknown = broken.get(None, [])  # may have belonged to any of them
    return [
        series
        for uid, frames in found.items()
        for series in _series(frames, broken.get(uid, []) + unknown)
    ]


def _series(frames: list[Frame], broken: list[str]) -> list[Series]:
    notes = [f"left out {len(broken)} file(s): {_few(broken)}"] if broken else []
    made = []
    for group in _by_direction(frames):
        turned = len(frames) - len(group)
        away = [f"{turned} slice(s) of the series lie in another direction and were left out"]
        stacks, words = tell_apart(group)
        told = [f"the series holds {len(stacks)} stacks told apart by {', '.join(words)}"]
        for stack in stacks:
            others = len(group) - len(stack)
            more = [f"{told[0]}; {others} slice(s) of others were left out"] if others else []
            more += away * (turned > 0)
            made.append(_one_series(stack, len(broken) + others + turned, notes + more))
    return made


def _one_series(stack: list[Frame], left_out: int, notes: list[str]) -> Series:
    stack, repeated = _without_copies(stack)
    notes = notes + [f"left out {repeated} slice(s) that repeat others"] * (repeated > 0)
    differ = [
        name
        for word, name in SET_ONCE.items()
        if len({str(one.get(word) or "") for one in stack}) > 1
    ]
    if differ:
        words = ", ".join(differ)
        notes = [*notes, f"its slices differ in {words}: they may be of several scans"]
    if not stack[0].get("Modality"):
        notes = [*notes, "modality is not recorded; taken for CT"]
    return Series(stack, _spacing(stack), left_out + repeated, notes)


def _spacing(stack: list[Frame]) -> Spacing:
    positions = heights(stack)
    distinct = positions[np.unique(places(positions), return_index=True)[1]]
    thickness = stack[0].number("SliceThickness") or 1.0
    return find_spacing(np.sort(distinct), thickness_mm=thickness)


def _by_direction(frames: Iterable[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if np.abs(group[0].axes - frame.axes).max() < SAME_DIRECTION:
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _without_copies(stack: list[Frame]) -> tuple[list[Frame], int]:
    """Drop images that another of the same place equals in every pixel."""
    numbers = places(heights(stack))
    times = Counter(numbers.tolist())
    kept, seen = [], set()
    for frame, number in zip(stack, numbers.tolist(), strict=True):
        image = (number, digest(frame)) if times[number] > 1 else (number, "")
        if image not in seen:
            kept.append(frame)
            seen.add(image)
    return kept, len(stack) - len(kept)


def _few(items: list[str], limit: int = 3) -> str:
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more
