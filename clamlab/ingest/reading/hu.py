"""Tell HU of a chest from other numbers by where air, fat, muscle and blood lie."""

import numpy as np
from numpy.typing import NDArray

from clamlab.ingest.errors import IngestError

PADDING = -1024  # scanners write this or less where they measured nothing
AIR_OR_LUNG = (-1060.0, -640.0)
LEAST_AIR = 0.002  # of all voxels
ROOM_AIR = (-1060.0, -940.0)
SOFT_ABOVE = -500.0
SOFT = (-140.0, 140.0)  # from fat to enhanced muscle
LEAST_SOFT = 0.01
BINS = np.arange(-1500.0, 3500.0, 10.0)
BLANK = 0.2  # so many voxels of exactly 0 were written, not measured
PILE, NEAR = 0.005, 50  # of soft tissue at the highest value itself, among so many values below it
HIGHEST, ABOVE = 3070, 0.01  # scanners end at 3071; metal is less than a hundredth
CUT_LOW = 0.02  # of the voxels at a lowest value that is above that of air
ENOUGH = 4_000_000  # voxels: a sample of a large scan tells as much


def check_hu(volume: NDArray) -> list[str]:
    """Refuse values that are not HU of a chest; say what is unusual and does no harm.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        As it was read, before clamping.

    Returns
    -------
    list of str
        Notes for a person.

    Raises
    ------
    IngestError
        If a value is not finite, all are one, or air and soft tissue are not where they belong.

    Examples
    --------
    >>> hu = np.repeat([-1000.0, -850.0, 40.0], [60, 10, 30]).reshape(10, 10, 1)
    >>> check_hu(hu)
    []
    >>> try:
    ...     check_hu(hu + 1000)
    ... except IngestError as error:
    ...     print(str(error)[:60])
    expected HU with air near -1000, found values from 0 to 1040
    """
    if volume.dtype.kind == "f" and not np.isfinite(volume).all():
        raise IngestError(
            f"expected finite HU, found {int((~np.isfinite(volume)).sum())} NaN or infinite "
            "voxels; export the scan again"
        )
    low, high = float(volume.min()), float(volume.max())
    if low == high:
        raise IngestError(f"expected an image, found the value {low:g} everywhere")
    values = volume.ravel()[:: max(1, volume.size // ENOUGH)]
    if (above := (values > HIGHEST).mean()) > ABOVE:
        raise IngestError(
            f"expected HU up to {HIGHEST}, found {above:.0%} of the voxels above it, up to "
            f"{high:g}: padding or another unit; write air (-1024) around the patient, or convert "
            "from DICOM again"
        )
    padding = low if low <= PADDING else None
    measured = values if padding is None else values[values != padding]
    why = _no_air(measured, values.size, low) or _no_soft_tissue(measured, values.size)
    if why or (why := _room_air_elsewhere(volume, padding)):
        raise IngestError(
            f"expected HU with {why[0]}, found values from {low:g} to {high:g}: {why[1]}"
        )
    return _notes(measured, values.size) + _filled_around(volume)


def _no_air(measured: NDArray, n: int, low: float) -> tuple[str, str] | None:
    if _share(measured, AIR_OR_LUNG, n) >= LEAST_AIR:
        return None
    if low > SOFT_ABOVE and low < 0 or (measured < SOFT_ABOVE).mean() > LEAST_AIR:
        return "air near -1000", "a display window was applied; export the full range"
    return (
        "air near -1000",
        "the rescale intercept was lost on the way; convert from DICOM again",
    )


def _no_soft_tissue(measured: NDArray, n: int) -> tuple[str, str] | None:
    soft = measured[measured > SOFT_ABOVE]
    peak = _commonest(soft)
    if _share(measured, SOFT, n) >= LEAST_SOFT and SOFT[0] <= peak <= SOFT[1]:
        return None
    said = (
        f"its commonest value above {SOFT_ABOVE:g} is {peak:.0f}"
        if soft.size
        else (f"none is above {SOFT_ABOVE:g}")
    )
    return (
        "fat near -100 and muscle near 50",
        f"{said}; another rescale or a display window was applied; convert from DICOM again",
    )


def _room_air_elsewhere(volume: NDArray, padding: float | None) -> tuple[str, str] | None:
    """Look at the volume's sides, where a wide field of view shows the room."""
    rim = _rim(volume)
    air = rim[rim < SOFT_ABOVE] if padding is None else rim[(rim < SOFT_ABOVE) & (rim != padding)]
    if air.size < rim.size / 2:
        return None
    peak = _commonest(air)
    if ROOM_AIR[0] <= peak <= ROOM_AIR[1]:
        return None
    return (
        "room air near -1000",
        f"around the patient it is {peak:.0f}; another rescale was applied; convert from DICOM "
        "again",
    )


def _filled_around(volume: NDArray) -> list[str]:
    """Look for one exact value on the sides, where air, a table or cut tissue would vary."""
    values, counts = np.unique(_rim(volume), return_counts=True)
    commonest, share = float(values[counts.argmax()]), counts.max() / counts.sum()
    if commonest <= SOFT_ABOVE or share < 0.5:
        return []
    return [f"{share:.0%} of the sides are exactly {commonest:g}: surroundings were filled"]


def _rim(volume: NDArray) -> NDArray:
    return np.concatenate(
        [volume[side].ravel() for side in (0, -1)] + [volume[:, side].ravel() for side in (0, -1)]
    )


def _share(values: NDArray, span: tuple[float, float], n: int) -> float:
    return float(((values >= span[0]) & (values <= span[1])).sum() / n)


def _commonest(values: NDArray) -> float:
    counts, edges = np.histogram(values, BINS)
    return float(edges[np.argmax(counts)] + 5) if counts.any() else float("nan")


def _notes(measured: NDArray, n: int) -> list[str]:
    notes = []
    blank = float((measured == 0).sum() / n)
    if blank > BLANK:
        notes.append(f"{blank:.0%} of the voxels are exactly 0: surroundings were blanked")
    low = measured.min()
    if low > -1000 and (measured == low).sum() / n > CUT_LOW:
        notes.append(f"values below {low:g} were cut off")
    soft = measured[measured > SOFT_ABOVE]
    top = soft.max()
    below = np.unique(np.rint(soft[(soft < top) & (soft > top - NEAR)]))
    if (soft == top).mean() > PILE and len(below) > NEAR / 2:
        notes.append(f"values above {top:g} were cut off")
    return notes
