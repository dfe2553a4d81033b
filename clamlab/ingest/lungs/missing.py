"""How much of each lung no threshold can see, told by the rib cage and by the other side.

From a point inside each half of the chest rays go out to the ribs. In a healthy chest lung follows
the ribs within millimetres, wherever it lies on a ray at all, and reaches lower behind than in
front. Two things are counted as missing: dense tissue between ribs and lung, and rays without any
lung where there should be some, by the front of the same lung or by the mirrored ray.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.alignment.transforms import LEFT, RIGHT

BONE_ABOVE_HU = 180.0
TISSUE_ABOVE_HU = -320.0
ANGLES = np.deg2rad(np.arange(-125.0, 41.0, 5.0))  # from beside the spine over the flank forward
INWARD = 0.45  # where the rays begin, of the half width
FRONT = np.deg2rad(-20.0)
STEP_MM = 2.5
DEEPEST_MM = 90.0
NEAREST_MM, FURTHEST_MM = 25.0, 200.0
LINING_MM = 2.5  # between ribs and lung
THICKEST_MM = 15.0  # a healthy chest's lining, fat and diaphragm's root
WINDOW_MM, WINDOW_RAYS = 20.0, 2  # within which a rib is found on most rays
INNERMOST = 20  # percentile of those found: shoulder blades lie further out
LEAST_SEEN = 0.5  # of the rays at the lungs' height


@dataclass(frozen=True)
class _Side:
    """One half of a chest by rays: angles by depths below the ribs by slices."""

    lung: NDArray[np.bool_]
    dense: NDArray[np.bool_]
    ml: NDArray[np.float64]


def missing_ml(
    volume: NDArray, labels: NDArray, spacing: NDArray
) -> tuple[float | None, float | None]:
    """Estimate the millilitres of lung that are not in the labels, right and left.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        HU in RAS+ order at about 2.5 mm.
    labels : array of int, same shape
        1 right, 2 left.
    spacing : array, shape (3,)

    Returns
    -------
    right, left : float or None
        None where the scan shows too little of the ribs to tell.
    """
    bone = volume > BONE_ABOVE_HU
    if not (bone.any(axis=(0, 1)) & (labels > 0).any(axis=(0, 1))).any():
        return None, None
    right, left = (_side(volume, labels, bone, side, spacing) for side in (RIGHT, LEFT))
    if right is None or left is None:
        return None, None
    return _missing(right, left), _missing(left, right)


def _missing(own: _Side, other: _Side) -> float:
    depth = np.arange(own.lung.shape[1]) * STEP_MM
    seen = np.asarray(own.lung.any(axis=1))
    first = np.where(seen, np.argmax(own.lung, axis=1), 0) * STEP_MM
    before = (depth[:, None] >= LINING_MM) & (depth[:, None] < first[:, None])
    gap = before & np.asarray(first > THICKEST_MM)[:, None] & own.dense
    expected = _mirrored(own.lung, other.lung) | _carried_down(own.lung)
    hidden = expected & ~seen[:, None] & own.dense
    return float((own.ml * (gap | hidden)).sum())


def _mirrored(lung: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the other side's lung, moved up or down until both bases are level in front.

    One dome stands higher than the other; fluid, which hides the base, sinks to the back.
    """
    own_base, other_base = _front_base(lung), _front_base(other)
    if own_base is None or other_base is None:
        return other
    up = own_base - other_base
    moved = np.roll(other, up, axis=2)
    moved[:, :, : max(up, 0)] = False
    moved[:, :, other.shape[2] + min(up, 0) :] = False
    return moved


def _carried_down(lung: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where lung would be if it reached on every ray as low as in front."""
    front = _front_base(lung)
    if front is None:
        return np.zeros_like(lung)
    levels = np.arange(lung.shape[2])
    base = np.argmax(lung.any(axis=1), axis=1)
    whole = np.minimum(base + 1, levels[-1])  # the lowest slice may hold a part of it only
    up_to = np.flip(np.maximum.accumulate(np.flip(lung, 1), 1), 1)[np.arange(len(base)), :, whole]
    return up_to[:, :, None] & ((levels >= front) & (levels < base[:, None]))[:, None]


def _front_base(lung: NDArray[np.bool_]) -> int | None:
    """Return the lowest slice with lung on the rays to the front: the median of those rays."""
    seen = np.asarray(lung[ANGLES > FRONT].any(axis=1))
    bases = np.argmax(seen, axis=1)[seen.any(axis=1)]
    return round(float(np.median(bases))) if bases.size else None


def _side(
    volume: NDArray, labels: NDArray, bone: NDArray, side: int, spacing: NDArray
) -> _Side | None:
    outward = 1 if side == RIGHT else -1
    centre, half = _frame(labels, bone, spacing)
    levels = np.arange(labels.shape[2])
    radii = np.arange(NEAREST_MM, FURTHEST_MM, STEP_MM)
    at_x = centre[0] + outward * (half * INWARD + radii * np.cos(ANGLES)[:, None])
    at_y = centre[1] + radii * np.sin(ANGLES)[:, None]
    hit = _sampled(bone, at_x[..., None], at_y[..., None], levels, spacing)
    lung = _sampled(labels == side, at_x[..., None], at_y[..., None], levels, spacing)
    beyond = np.flip(np.maximum.accumulate(np.flip(lung, 1), 1), 1)  # inside the outermost lung
    hit &= ~beyond
    ribs = np.where(hit.any(axis=1), radii[np.argmax(hit, axis=1)], np.nan)
    height = (labels > 0).any(axis=(0, 1))
    wall = _wall(ribs, spacing)
    if np.isfinite(wall[:, height]).mean() < LEAST_SEEN:
        return None
    depth = np.arange(0.0, DEEPEST_MM, STEP_MM)
    radius = np.nan_to_num(wall)[:, None] - depth[:, None]
    inside = (radius > 0) & np.isfinite(wall)[:, None]
    x = centre[0] + outward * (half * INWARD + radius * np.cos(ANGLES)[:, None, None])
    y = centre[1] + radius * np.sin(ANGLES)[:, None, None]
    ml = np.where(inside, radius, 0) * STEP_MM * np.deg2rad(5.0) * spacing[2] / 1000
    own = _sampled(labels == side, x, y, levels, spacing) & inside
    dense = _sampled((volume > TISSUE_ABOVE_HU) & (labels == 0), x, y, levels, spacing) & inside
    return _Side(own, dense, ml)


def _frame(labels: NDArray, bone: NDArray, spacing: NDArray) -> tuple[NDArray, float]:
    """Return the middle of the chest (the spine's x, the cage's y) and its half width in mm."""
    levels = (labels > 0).any(axis=(0, 1))
    along_x = ndimage.gaussian_filter1d(bone.sum(axis=(1, 2)).astype(float), 15 / spacing[0])
    middle = np.argmax(along_x) * spacing[0]
    y = np.repeat(np.arange(bone.shape[1]), bone[:, :, levels].sum(axis=(0, 2))) * spacing[1]
    x = np.flatnonzero((labels > 0).any(axis=(1, 2))) * spacing[0]
    return np.array([middle, np.percentile(y, [2, 98]).mean()]), float(np.abs(x - middle).max())


def _sampled(
    mask: NDArray, x: NDArray, y: NDArray, levels: NDArray, spacing: NDArray
) -> NDArray[np.bool_]:
    i, j = np.rint(x / spacing[0]).astype(int), np.rint(y / spacing[1]).astype(int)
    within = (i >= 0) & (i < mask.shape[0]) & (j >= 0) & (j < mask.shape[1])
    i, j = np.clip(i, 0, mask.shape[0] - 1), np.clip(j, 0, mask.shape[1] - 1)
    return mask[i, j, levels] & within


def _wall(ribs: NDArray, spacing: NDArray) -> NDArray[np.float64]:
    """Return how far out the ribs are on every ray, from those found near it."""
    reach = int(np.ceil(WINDOW_MM / spacing[2]))
    padded = np.pad(ribs, [(WINDOW_RAYS,) * 2, (reach,) * 2], constant_values=np.nan)
    shape = (2 * WINDOW_RAYS + 1, 2 * reach + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, shape).reshape(*ribs.shape, -1)
    found = np.sort(windows, axis=2)  # nan comes last
    counts = np.isfinite(found).sum(axis=2)
    wall = np.full(ribs.shape, np.nan)
    for count in np.unique(counts[counts > 0]):
        alike = counts == count
        wall[alike] = np.percentile(found[alike][:, :count], INNERMOST, axis=1)
    return wall
