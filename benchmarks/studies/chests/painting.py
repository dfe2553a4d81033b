"""Paint into a chest what makes lungs hard to find; what is lung afterwards is known.

Each function takes a chest and returns a new one. Truth: gas in a stomach or in the pleural space
is no lung; consolidated lung is, and so is the room that an effusion has taken from it, which no
threshold can see and which therefore has to be said.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import convex_hull_image

from studies.chests.drawing import AIR, LEFT, RIGHT, Chest

FLUID, DENSE, WALL = 12.0, 40.0, 45.0


def stomach(chest: Chest, *, ml: float, dome_mm: float, side: int = LEFT) -> Chest:
    """Distend what lies under a dome: gas in front, fluid behind, a wall of ``dome_mm``."""
    lungs = chest.labels > 0
    x, y, z = _mm(chest)
    own = chest.labels == side
    far = ndimage.distance_transform_edt(~lungs, sampling=chest.spacing)
    at = _under(own, chest.spacing)
    reach = np.sqrt(
        ((x - at[0]) / 1.15) ** 2 + ((y - at[1]) / 1.15) ** 2 + ((z - at[2]) / 1.0) ** 2
    )
    free = (far > dome_mm) & ~_above(own) & (chest.volume < 250) & _within_the_ribs(lungs)
    size = _reaching(reach, free & (y > at[1] - 25), ml, chest.spacing)
    cavity = free & (reach < size)
    gas = cavity & (y > at[1] - 25)
    wall = ndimage.binary_dilation(cavity, iterations=1) & ~cavity & ~lungs
    volume = chest.volume.astype("float32")
    volume[wall & (volume < 250)] = WALL
    volume[cavity] = _noisy(FLUID, volume.shape, chest)[cavity]
    volume[gas] = _noisy(AIR, volume.shape, chest)[gas]
    return replace(chest, volume=volume)


def consolidation(chest: Chest, *, mm: float, side: int, seed: int) -> Chest:
    """Fill a ball of lung at the chest wall."""
    own = chest.labels == side
    depth = ndimage.distance_transform_edt(own, sampling=chest.spacing)
    rng = np.random.default_rng(seed)
    places = np.argwhere((depth > 8) & (depth < 14) & _costal(own, chest.spacing))
    at = places[rng.integers(len(places))] * chest.spacing
    x, y, z = _mm(chest)
    ball = (x - at[0]) ** 2 + (y - at[1]) ** 2 + (z - at[2]) ** 2 < (mm / 2) ** 2
    return _filled(chest, ball & own, DENSE)


def effusion(chest: Chest, *, ml: float, side: int) -> Chest:
    """Fill the dependent room of one side with fluid, its surface rising at the wall."""
    own = chest.labels == side
    _, y, z = _mm(chest)
    height = y + 0.12 * z + 0.25 * ndimage.distance_transform_edt(own, sampling=chest.spacing)
    return _filled(chest, own & (height < _reaching(height, own, ml, chest.spacing)), FLUID)


def pneumothorax(chest: Chest, *, ml: float, side: int) -> Chest:
    """Put gas between the lung and the front of the rib cage; the lung keeps a thin pleura."""
    own = chest.labels == side
    _, y, _ = _mm(chest)
    depth = ndimage.distance_transform_edt(own, sampling=chest.spacing)
    height = 0.9 * depth - y + np.where(_costal(own, chest.spacing), 0, 40)
    gas = own & (height < _reaching(height, own, ml, chest.spacing))
    volume = chest.volume.astype("float32")
    volume[gas] = _noisy(AIR, volume.shape, chest)[gas]
    volume[ndimage.binary_dilation(gas) & own & ~gas] = -450
    return replace(chest, volume=volume, labels=np.where(gas, 0, chest.labels).astype("uint8"))


def joint(chest: Chest, *, mm: float = 12.0, front: bool = True) -> Chest:
    """Open the mediastinum where the lungs come closest, in front or behind."""
    right, left = chest.labels == RIGHT, chest.labels == LEFT
    to_right = ndimage.distance_transform_edt(~right, sampling=chest.spacing)
    to_left = ndimage.distance_transform_edt(~left, sampling=chest.spacing)
    between = to_right + to_left
    _, y, _ = _mm(chest)
    middle = np.argwhere(right | left).mean(axis=0)[1] * chest.spacing[1]
    between = np.where((y > middle) == front, between, np.inf)
    between[:, :, : int(0.4 * between.shape[2])] = np.inf
    at = np.array(np.unravel_index(np.argmin(between), between.shape))
    x, y, z = _mm(chest)
    x, y, z = (v - a * s for v, a, s in zip((x, y, z), at, chest.spacing, strict=True))
    gap = between[*at] + mm / 2
    bridge = (np.abs(x) < gap) & (np.abs(y) < mm / 2) & (np.abs(z) < 2 * mm) & ~(right | left)
    near = ndimage.distance_transform_edt(~(right | left), sampling=chest.spacing) < gap
    volume = chest.volume.astype("float32")
    volume[bridge & near] = _noisy(-830.0, volume.shape, chest)[bridge & near]
    labels = np.where(bridge & near, np.where(to_right < to_left, RIGHT, LEFT), chest.labels)
    return replace(chest, volume=volume, labels=labels.astype("uint8"))


def _filled(chest: Chest, where: NDArray[np.bool_], hu: float) -> Chest:
    volume = chest.volume.astype("float32")
    volume[where] = _noisy(hu, volume.shape, chest)[where]
    return replace(chest, volume=volume)


def _mm(chest: Chest) -> tuple[NDArray, NDArray, NDArray]:
    shape, spacing = chest.volume.shape, chest.spacing
    axes = [np.arange(n, dtype="float32") * s for n, s in zip(shape, spacing, strict=True)]
    return tuple(np.meshgrid(*axes, indexing="ij", sparse=True))


def _reaching(height: NDArray, room: NDArray, ml: float, spacing: NDArray) -> float:
    """Return the level up to which this many millilitres lie."""
    values = np.sort(height[room])
    return float(values[min(len(values) - 1, int(ml * 1000 / spacing.prod()))])


def _under(own: NDArray[np.bool_], spacing: NDArray) -> NDArray[np.float64]:
    """Return a point under the top of the dome: where lung ends highest above what is below it."""
    columns = own.any(axis=2)
    ends = np.where(columns, np.argmax(own, axis=2), 0).astype(float)
    inner = ndimage.distance_transform_edt(columns, sampling=spacing[:2]) > 25
    smooth = ndimage.gaussian_filter(ends, 6 / spacing[:2])
    x, y = np.unravel_index(np.argmax(np.where(inner, smooth, -1)), ends.shape)
    return np.array([x, y, max(0.0, smooth[x, y] - 45 / spacing[2])]) * spacing


def _within_the_ribs(lungs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what the lungs span on a slice, or on any above it."""
    spanned = np.maximum.accumulate(lungs[:, :, ::-1], axis=2)[:, :, ::-1]
    hull = np.zeros_like(lungs)
    for level in np.flatnonzero(spanned.any(axis=(0, 1))):
        hull[:, :, level] = convex_hull_image(spanned[:, :, level])
    hull[:, :, 0] = False
    return hull


def _above(own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return everything above some lung in its column."""
    return np.maximum.accumulate(own, axis=2)


def _costal(own: NDArray[np.bool_], spacing: NDArray) -> NDArray[np.bool_]:
    """Return the outer half of a lung, that towards the ribs."""
    x = np.nonzero(own.any(axis=(1, 2)))[0]
    outward = 1 if x.mean() > own.shape[0] / 2 else -1
    along = np.arange(own.shape[0]) * outward
    half = (x.min() + x.max()) / 2 * outward
    return np.broadcast_to((along > half)[:, None, None], own.shape)


def _noisy(hu: float, shape: tuple[int, ...], chest: Chest) -> NDArray[np.float32]:
    """Return one density with the noise that a scan has; what is not scanned yet has none."""
    if chest.volume.dtype.kind == "f":
        return np.full(shape, hu, "float32")
    noise = np.random.default_rng(0).standard_normal(shape, "float32") * chest.noise
    return hu + noise
