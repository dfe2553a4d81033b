"""Find the lungs in a chest CT by rules: no training data, no weights, the same answer every time.

The steps are those every rule-based segmenter shares (threshold, outside air, airways, left from
right, closing; review: Mansoor et al., RadioGraphics 2015;35:1056), each made to hold on scans
with couches, padding, lungs cut at the ends or joined in front. Dense consolidation and effusion
look like chest wall to any threshold: :func:`clamlab.ingest.lung_qc` exists to catch them.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from clamlab.ingest.alignment.resampling import coarser_grid, resample
from clamlab.ingest.lungs.air import LUNG_BELOW_HU, keep_lungs
from clamlab.ingest.lungs.morphology import close, grow
from clamlab.ingest.lungs.outside import IN_PLANE
from clamlab.ingest.lungs.sorted_air import Air, find_air

RIGHT, LEFT = 1, 2
WORKING_MM = 2.5
CLOSING_MM = 8.0  # bridges vessels and nodules at the lung's surface
SPANS = 0.1  # a piece with this share on either side of the midline is two joined lungs
PLEURA_HU_PER_MM = 20.0  # so much denser counts like a joint that is a millimetre thinner
OPEN_BELOW = 0.5  # a hole in the lung with this share of its section open below is a dome


def segment_lungs(volume_hu: ArrayLike, spacing_mm: ArrayLike) -> NDArray[np.uint8]:
    """Label the right and the left lung of a chest CT.

    Parameters
    ----------
    volume_hu : array, shape (x, y, z)
        HU in RAS+ voxel order (x grows to the patient's right): sides are told by x.
    spacing_mm : float or three floats
        Voxel sides. The work is done at about 2.5 mm.

    Returns
    -------
    array of uint8, shape (x, y, z)
        1 right, 2 left, 0 elsewhere. Trachea and main bronchi are left out, vessels are kept.
        All zero where nothing looks like a lung.

    Raises
    ------
    ValueError
        If the volume is not 3-D or a spacing is not positive.

    Examples
    --------
    >>> chest = np.full((90, 60, 50), -1000.0)
    >>> chest[5:85, 5:55] = 40
    >>> chest[12:40, 12:48, 5:45] = -850
    >>> chest[50:78, 12:48, 5:45] = -850
    >>> labels = segment_lungs(chest, 4.0)
    >>> int(labels[64, 30, 25]), int(labels[26, 30, 25]), int(labels[45, 30, 25])
    (1, 2, 0)
    """
    volume = np.asarray(volume_hu)
    spacing = np.broadcast_to(np.asarray(spacing_mm, "float64"), (3,))
    if volume.ndim != 3 or not (spacing > 0).all():
        raise ValueError(
            "expected a 3-D volume and positive voxel sides, found shape "
            f"{volume.shape} and spacing {spacing.tolist()}"
        )
    affine = np.diag([*spacing, 1.0])
    shape, working = coarser_grid(volume.shape, affine, WORKING_MM)
    coarse, sides = resample(volume, affine, shape, working), working.diagonal()[:3]
    labels = label_lungs(coarse, find_air(coarse, sides), sides)
    return resample_labels(labels, working, volume.shape, affine)


def resample_labels(
    labels: NDArray, affine: NDArray, shape: tuple[int, ...], new_affine: NDArray
) -> NDArray[np.uint8]:
    """Carry right and left lung to another grid with the same axes, with smooth borders."""
    if labels.shape == tuple(shape) and np.allclose(affine, new_affine):
        return labels.astype("uint8")
    right, left = (
        resample((labels == side).astype("float32"), affine, shape, new_affine)
        for side in (RIGHT, LEFT)
    )
    return np.where(right + left > 0.5, np.where(right >= left, RIGHT, LEFT), 0).astype("uint8")


def label_lungs(volume: NDArray, air: Air, spacing: NDArray) -> NDArray[np.uint8]:
    """Label the lungs on a grid of about 2.5 mm whose air is known."""
    pieces = keep_lungs(air.lungs & ~air.gas.any(), volume, spacing)
    labels = part_sides(pieces, volume, spacing)
    return _close(labels, air.airways, spacing) * ~air.outside


def part_sides(lungs: NDArray, volume: NDArray, spacing: NDArray) -> NDArray[np.uint8]:
    """Name the pieces right or left of the midline; part a piece that spans both."""
    labels = np.zeros(lungs.shape, "uint8")
    columns = np.flatnonzero(lungs.any(axis=(1, 2)))
    if not columns.size:
        return labels
    middle = _middle(columns, volume, np.flatnonzero(lungs.any(axis=(0, 1))))
    is_right = (np.arange(lungs.shape[0]) > middle)[:, None, None]
    regions, n = ndimage.label(lungs)
    for index in range(1, n + 1):
        piece = regions == index
        share = (piece & is_right).sum() / piece.sum()
        if SPANS < share < 1 - SPANS:
            labels[piece] = _part(piece, volume, is_right, spacing)[piece]
        else:
            labels[piece] = RIGHT if share > 0.5 else LEFT
    return labels


def _middle(columns: NDArray, volume: NDArray, levels: NDArray) -> float:
    """Return the midline: that of the lungs, or of the body where all lung lies on one side."""
    tissue = (volume[:, :, levels] > LUNG_BELOW_HU).sum(axis=(1, 2))
    of_body = float(np.searchsorted(np.cumsum(tissue), tissue.sum() / 2))
    first, last = np.percentile(columns, [25, 75])
    return of_body if not first < of_body < last else float(columns[0] + columns[-1]) / 2


def _part(
    piece: NDArray, volume: NDArray, is_right: NDArray, spacing: NDArray
) -> NDArray[np.uint8]:
    """Cut joined lungs where they touch: shrink until two cores remain, then flood back.

    The floods meet on the pleura between the lungs, which is denser, where the joint is thin, and
    rather near the midline than on a vessel beside it.
    """
    depth = ndimage.distance_transform_edt(piece, sampling=spacing)
    for radius in np.arange(1.0, 12.0) * spacing.min():
        cores, n = ndimage.label(depth > radius)
        sizes = np.bincount(cores.ravel(), minlength=n + 1)[1:]
        first, second = np.argsort(sizes)[::-1][:2] + 1 if n > 1 else (0, 0)
        if second and sizes[second - 1] > 0.1 * sizes.sum():
            shares = [is_right[np.nonzero(cores == i)[0], 0, 0].mean() for i in (first, second)]
            if min(shares) < 0.35 and max(shares) > 0.65:
                right, left = (first, second) if shares[0] > shares[1] else (second, first)
                markers = RIGHT * (cores == right) + LEFT * (cores == left)
                ridge = volume / PLEURA_HU_PER_MM - depth - _from_middle(is_right, spacing)
                return watershed(ridge, markers, mask=piece).astype("uint8")
    return np.where(is_right, RIGHT, LEFT) * piece  # one wide cavity: the midline is what is left


def _from_middle(is_right: NDArray, spacing: NDArray) -> NDArray[np.float64]:
    middle = len(is_right) - np.count_nonzero(is_right)
    away = np.abs(np.arange(len(is_right)) - middle) * spacing[0]
    return away[:, None, None]


def _close(labels: NDArray, airways: NDArray, spacing: NDArray) -> NDArray[np.uint8]:
    """Take vessels and surface nodules into each lung; neither the other lung nor the trachea."""
    barred = grow(airways, spacing.max(), spacing)
    closed = labels.copy()
    for side in (RIGHT, LEFT):
        lung = close(labels == side, CLOSING_MM, spacing) & (closed == 0) & ~barred
        lung |= closed == side
        closed[_fill(lung) & (closed == 0)] = side
    return closed


def _fill(lung: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill what lung surrounds, slice by slice, but for the tops of domes."""
    # In the other planes the hilum's vessels would close a whole mediastinum.
    holes = ndimage.binary_fill_holes(lung, IN_PLANE) & ~lung
    levels = np.flatnonzero(lung.any(axis=(0, 1)))
    if not holes.any():
        return lung
    # A dome goes on below its hole, where lung does not surround it any more.
    lower_half = np.arange(lung.shape[2]) < levels.mean()
    under = np.zeros_like(lung)
    under[:, :, 1:] = (~lung & ~holes)[:, :, :-1]
    regions, n = ndimage.label(holes)
    sizes = np.bincount(regions.ravel(), minlength=n + 1)
    resting = np.bincount(regions[under & holes & lower_half], minlength=n + 1)
    deep = np.zeros(n + 1)
    for index, box in enumerate(ndimage.find_objects(regions), start=1):
        deep[index] = box[2].stop - box[2].start
    domes = resting * deep > OPEN_BELOW * sizes
    domes[0] = True
    return lung | ~domes[regions]
