"""Hold a volume against the slices it was made of: each, decoded anew, at its own place."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.errors import IngestError
from clamlab.ingest.reading.checks import to_hu
from clamlab.ingest.reading.frames import Frame
from clamlab.ingest.reading.laying import LPS_TO_RAS, Laid
from clamlab.ingest.reading.pixels import stored_pixels
from clamlab.ingest.reading.rescale import has_rescale, rescale_one
from clamlab.ingest.reading.series import Series

ALL_UP_TO = 40  # slices; of a larger series a dozen stand for all
A_DOZEN = 12
ROUNDING_HU = 1.0
THINNED = 3  # every third pixel of a resampled slice: interpolating all takes longer than reading


def hold_against_headers(series: Series, laid: Laid) -> float:
    """Return the largest HU difference between used slices and the volume.

    Every slice of a small series, a dozen of a large one, is decoded once more and looked up in
    the volume by its own position and orientation. Where slices had to be resampled, the largest
    mean difference of a slice is returned, which noise between planes alone makes some tens.

    Raises
    ------
    IngestError
        If a volume that was only stacked differs: it would be another patient's anatomy.
    """
    frames = [frame for frame in series.frames if has_rescale(frame)] or series.frames
    if len(frames) > ALL_UP_TO:
        frames = [frames[i] for i in np.linspace(0, len(frames) - 1, A_DOZEN).astype(int)]
    if laid.resampled:
        return round(max(_resampled_difference(frame, laid) for frame in frames), 1)
    difference = max(_difference(frame, laid) for frame in frames)
    if difference > ROUNDING_HU:
        raise IngestError(
            f"expected every slice at its own place in the volume, found {difference:.0f} HU "
            "between a slice and the volume there; this series cannot be used"
        )
    return difference


def _difference(frame: Frame, laid: Laid) -> float:
    hu, at = _hu_and_place(frame, laid, 1)
    there = laid.volume[tuple(np.rint(at).astype(int))]
    return float(np.abs(hu - there).max())


def _resampled_difference(frame: Frame, laid: Laid) -> float:
    hu, at = _hu_and_place(frame, laid, THINNED)
    there = ndimage.map_coordinates(laid.volume, at, output="float32", order=1, mode="nearest")
    return float(np.abs(hu - there).mean())


def _hu_and_place(frame: Frame, laid: Laid, every: int) -> tuple[NDArray, NDArray]:
    """Return a slice's HU, and where its pixels are in the volume, shape (3, rows, columns)."""
    (stored,) = stored_pixels([frame])
    assert stored is not None  # it could be decoded before
    hu = to_hu(rescale_one(frame, stored)).astype("int32")[::every, ::every]
    pixel = np.eye(4)[:, [0, 1, 3]]
    pixel[:3, 0] = frame.axes[0] * frame.pixel_mm[1]
    pixel[:3, 1] = frame.axes[1] * frame.pixel_mm[0]
    pixel[:3, 2] = frame.place
    to_voxel = np.linalg.solve(laid.affine, LPS_TO_RAS @ pixel)[:3]
    row, column = np.indices(hu.shape) * every
    return hu, np.tensordot(to_voxel, np.stack([column, row, np.ones_like(row)]), 1)
