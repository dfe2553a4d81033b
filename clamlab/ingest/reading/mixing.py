"""Tell by HU alone whether slices of two scans lie in turn, or those of one are out of order.

Within one scan slices change slowly: the shorter a period along the stack, the less of the image
comes again with it, or as much, where all is noise. Slices of another scan between them, singly, in
pairs or every third, bring what comes again every two, three or more slices.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIDE = 48  # blocks along a side of a slice: what changes between slices, not their noise
SHOWN = (-1000, 300)  # HU; metal and padding would drown the rest
TISSUE, LUNG, BODY = -300, (-960, -500), -900  # HU, mean of a block over the slices; BODY: highest
LEAST = 50  # blocks of which it can be said what is usual
WINDOW, FEWEST = 48, 12  # slices looked at together, and the fewest
LONGEST = 16  # slices: what comes again more slowly is anatomy
TURNING = 9  # slices: the longest period of tissue that is brighter by turns
QUIET_HU = 5.0  # less comes again in every good scan: the turns of a spiral, interpolation
# So many times as much comes again with one period as with a longer one. Measured in these windows
# on two real chests at 3 to 9 mm, as they are, with noise of 60 to 250 HU, streaks, uneven, with
# gaps, or interpolated to 1 to 5 mm: 1.0 to 1.4; on 30 simulated ones at 1 to 9 mm: 1.0 to 1.8.
# With slices of another in turn, blocks of four to every sixth: mirrored 40 to 15000, lungs 50 HU
# denser 2.0 to 140, tissue 80 HU brighter 9 to 230 at 3 and 4 mm, all moved by 12 mm 1.4 to 45.
MORE = 2.0
# HU by which all tissue turns. The same chests: 0 to 5.9. Tissue 30 HU brighter 9.1 to 24, 15 HU 3
# to 12; it tells at 9 mm, where anatomy drowns the rest.
BRIGHTER_HU = 8.0


def lie_in_turn(images: Sequence[NDArray]) -> tuple[int, int] | None:
    """Find where slices of two scans lie in turn, or slices are out of order.

    Parameters
    ----------
    images : sequence of array, shape (rows, columns)
        HU of slices, one above another.

    Returns
    -------
    tuple of int or None
        The first and the last slice, from 0, of the part where they do; None in one scan.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one = [40 + rng.normal(0, 20, (48, 48)) for _ in range(60)]
    >>> lie_in_turn(one) is None
    True
    >>> lie_in_turn([image + 80 * (i // 2 % 2) for i, image in enumerate(one)])
    (0, 47)
    """
    if len(images) < FEWEST:
        return None
    coarse = _coarse(images)
    n = coarse.shape[2]
    starts = np.linspace(0, max(n - WINDOW, 0), 1 + -(-max(n - WINDOW, 0) // (WINDOW // 2)))
    for start in starts.astype(int).tolist():
        if _comes_again(coarse[:, :, start : start + WINDOW]):
            return start, min(start + WINDOW, n) - 1
    return None


def _coarse(images: Sequence[NDArray]) -> NDArray[np.float32]:
    """Average blocks of the pixels that all slices have."""
    rows, columns = (min(sides) for sides in zip(*(one.shape for one in images), strict=True))
    side = max(1, min(rows, columns) // SIDE)
    r, c = rows // side, columns // side
    blocks = [
        one[: r * side, : c * side].reshape(r, side, c, side).mean(axis=(1, 3), dtype="float32")
        for one in images
    ]
    return np.clip(np.stack(blocks, axis=2), *SHOWN)


def _comes_again(coarse: NDArray) -> bool:
    mean = coarse.mean(axis=2)
    waves, turning = _waves(coarse)
    power = np.abs(waves) ** 2
    body, tissue = coarse.max(axis=2) > BODY, mean > TISSUE
    lung = (mean > LUNG[0]) & (mean < LUNG[1])
    courses = [power[body].mean(axis=0)] if body.sum() >= LEAST else []
    courses += [np.median(power[where], axis=0) for where in (tissue, lung) if where.sum() >= LEAST]
    if any(_rises(course) for course in courses):
        return True
    if tissue.sum() < LEAST:
        return False
    # Anatomy turns here one way and there the other; of another contrast all tissue turns alike.
    alike = np.hypot(np.median(waves[tissue].real, axis=0), np.median(waves[tissue].imag, axis=0))
    longer = np.minimum.accumulate(alike)  # one step in brightness comes with every period
    return bool(((alike * turning > BRIGHTER_HU) & (alike > MORE * longer)).any())


def _waves(coarse: NDArray) -> tuple[NDArray[np.complex128], NDArray]:
    """Return what comes again with every period, and what makes an amplitude in HU of it.

    White noise of 1 HU has the power 1 with every period. Differences are taken, so that a trend
    does not leak into every period.
    """
    steps = np.diff(coarse, axis=2)
    n = steps.shape[2]
    taper = np.hanning(n + 2)[1:-1]
    frequency = np.fft.rfftfreq(n)[1:]
    waves = np.fft.rfft((steps - steps.mean(axis=2, keepdims=True)) * taper, axis=2)[..., 1:]
    waves /= 2 * np.sin(np.pi * frequency) * np.sqrt((taper**2).sum())
    amplitude = 2 * np.sqrt((taper**2).sum()) / taper.sum() * (frequency >= 1 / TURNING)
    return waves, amplitude


def _rises(power: NDArray) -> bool:
    """Tell whether more comes again with some period than with longer ones."""
    padded = np.pad(power, 1, mode="edge")
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3 + QUIET_HU**2
    smooth = smooth[2 * len(power) // LONGEST :]  # from the whole part to two slices
    return bool((smooth > MORE * np.minimum.accumulate(smooth)).any())
