"""Lay slices where their headers place them, on one regular grid.

The stack's own directions are kept. Where slices do not lie one above another (a tilted gantry, a
field of view that changes) each is shifted or resampled in its plane; where their distances differ,
planes are interpolated between the slices beside them. Evenly laid slices are only stacked.
"""

from dataclasses import dataclass

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.checks import LOWEST_HU
from clamlab.ingest.reading.frames import Frame
from clamlab.ingest.reading.series import Series

IN_PLACE = 0.02  # of a pixel: what rounding in a header may move a slice
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
CHANGING = "a field of view that changes"
LARGEST_PLANE = 4  # times a slice: more, and slices do not lie one above another


@dataclass(frozen=True)
class Laid:
    """A series as one volume.

    Attributes
    ----------
    volume : array of int16, shape (x, y, z)
        HU in RAS+ order.
    affine : array, shape (4, 4)
    resampled : str
        What made interpolation necessary, in words; empty where every slice is as it was.
    filled : int
        Planes in a gap, interpolated.
    """

    volume: NDArray[np.int16]
    affine: NDArray[np.float64]
    resampled: str
    filled: int


@dataclass(frozen=True)
class _Plane:
    """The pixels that all slices are laid on: shape, size, and the first one's place."""

    shape: tuple[int, int]
    pixel_mm: NDArray[np.float64]
    corner: NDArray[np.float64]  # mm along columns' and rows' direction


def lay(series: Series, images: list[NDArray[np.int16]]) -> Laid:
    """Make a volume of decoded slices, in the order of the series.

    Raises
    ------
    IngestError
        If the slices do not lie one above another.
    """
    frames, spacing = series.frames, series.spacing
    corners = np.array([frame.place @ frames[0].axes.T for frame in frames])
    plane = _common_plane(frames, corners)
    moved = [not _lies_on(frame, at, plane) for frame, at in zip(frames, corners, strict=True)]
    laid = [
        _in_plane(image, frame, at, plane) if away else image
        for image, frame, at, away in zip(images, frames, corners, moved, strict=True)
    ]
    stack = _between(laid, spacing.planes, spacing.n_planes)
    why = [_sideways(frames, corners)] if any(moved) else []
    if not spacing.on_planes or spacing.n_planes > len(frames) + spacing.missing:
        why.append(
            f"slices {spacing.smallest_step_mm:.2f} to {spacing.largest_step_mm:.2f} mm apart"
        )
    volume, affine = _upright(stack, _affine(frames[0], plane, spacing.step_mm))
    return Laid(volume, affine, " and ".join(why), spacing.missing)


def _common_plane(frames: list[Frame], corners: NDArray) -> _Plane:
    """Return pixels of the commonest kind over the field of view of all slices."""
    kinds = np.array([[*frame.pixel_mm, *frame.size] for frame in frames])
    rounded, counts = np.unique(kinds.round(4), axis=0, return_counts=True)
    commonest = rounded[np.argmax(counts)]
    typical = next(i for i, kind in enumerate(kinds.round(4)) if (kind == commonest).all())
    pixel_mm = frames[typical].pixel_mm
    across = pixel_mm[::-1]  # along columns' direction first
    sizes = np.array([frame.size[::-1] for frame in frames])
    ends = corners + (sizes - 1) * np.array([frame.pixel_mm[::-1] for frame in frames])
    # The grid of the typical slice is kept, so that slices like it need no resampling.
    start = np.floor((corners.min(axis=0) - corners[typical]) / across + IN_PLACE)
    stop = np.ceil((ends.max(axis=0) - corners[typical]) / across - IN_PLACE)
    sides = stop - start + 1
    if not np.prod(sides) <= LARGEST_PLANE * np.prod(frames[typical].size):
        raise IngestError(
            "expected slices one above another, found places "
            f"{np.ptp(corners, axis=0).max():.0f} mm apart sideways; export the series again"
        )
    columns, rows = map(int, sides)
    return _Plane((rows, columns), pixel_mm, corners[typical] + start * across)


def _lies_on(frame: Frame, corner: NDArray, plane: _Plane) -> bool:
    """Tell whether a slice's pixels are exactly the plane's."""
    return (
        frame.size == plane.shape
        and bool(np.allclose(frame.pixel_mm, plane.pixel_mm, rtol=1e-4))
        and bool((np.abs(corner - plane.corner) < IN_PLACE * plane.pixel_mm[::-1]).all())
    )


def _in_plane(image: NDArray, frame: Frame, corner: NDArray, plane: _Plane) -> NDArray[np.int16]:
    """Interpolate a slice on the plane's pixels; air where it has none."""
    ratio = plane.pixel_mm / frame.pixel_mm
    start = ((plane.corner - corner) / frame.pixel_mm[::-1])[::-1]
    # The edge's values hold for half a pixel, as a pixel has a width.
    padded = np.pad(image, 1, mode="edge").astype("float32")
    laid = ndimage.affine_transform(
        padded, np.diag(ratio), start + 1, output_shape=plane.shape, order=1, cval=LOWEST_HU
    )
    for axis, side in enumerate(image.shape):
        at = start[axis] + ratio[axis] * np.arange(plane.shape[axis])
        outside = (at < -0.5 - IN_PLACE) | (at > side - 0.5 + IN_PLACE)
        np.moveaxis(laid, axis, 0)[outside] = LOWEST_HU
    return np.rint(laid).astype("int16")


def _between(images: list[NDArray], planes: NDArray, n: int) -> NDArray[np.int16]:
    """Stack slices; a plane on which none lies is interpolated between the two beside it."""
    stack = np.empty((n, *images[0].shape), "int16")
    for k in range(n):
        above = min(int(np.searchsorted(planes, k - 1e-6)), len(planes) - 1)
        below = max(above - 1, 0)
        way = planes[above] - planes[below]
        share = min(max((k - planes[below]) / way, 0.0), 1.0) if way else 1.0
        if share == 1.0:
            stack[k] = images[above]
        else:
            stack[k] = np.rint((1 - share) * images[below] + share * images[above])
    return stack


def _sideways(frames: list[Frame], corners: NDArray) -> str:
    """Say why slices had to be moved in their plane."""
    heights = np.array([frame.place @ frames[0].normal for frame in frames])
    if len({(*frame.size, *frame.pixel_mm.round(4)) for frame in frames}) == 1:
        slopes = np.polyfit(heights, corners, 1)
        even = np.abs(slopes[0] * heights[:, None] + slopes[1] - corners).max()
        if even < 1.0:
            return f"gantry tilted by {np.degrees(np.arctan(np.abs(slopes[0]).max())):.1f} degrees"
    return CHANGING


def _affine(first: Frame, plane: _Plane, step_mm: float) -> NDArray[np.float64]:
    """Voxel (column, row, slice) to DICOM's mm."""
    affine = np.eye(4)
    affine[:3, 0] = first.axes[0] * plane.pixel_mm[1]
    affine[:3, 1] = first.axes[1] * plane.pixel_mm[0]
    affine[:3, 2] = first.normal * step_mm
    height = first.place @ first.normal
    affine[:3, 3] = plane.corner @ first.axes + height * first.normal
    return affine


def _upright(stack: NDArray, lps: NDArray) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Turn (slice, row, column) to (x, y, z), each towards right, front and head."""
    affine = LPS_TO_RAS @ lps
    turn = nibabel.orientations.io_orientation(affine)
    volume = nibabel.orientations.apply_orientation(stack.transpose(2, 1, 0), turn)
    shape = stack.shape[::-1]
    return np.ascontiguousarray(volume), affine @ nibabel.orientations.inv_ornt_aff(turn, shape)
