"""A drawn human chest: tissues of a healthy person on any grid, in HU.

Reference anatomy in mm, RAS+ (x to the right, y to the front, z up), the middle of the chest at 0:
carina at z = 35, lung tops near 125, diaphragm domes near -85 (right) and -100 (left).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.simulate.fields import Axes, smooth_field
from clamlab.simulate.vessels import grow_tree, vessel_share

AIR, FAT, MUSCLE, BLOOD, LIVER, BONE, MARROW = -1000, -95, 50, 40, 60, 550, 220
# Plain floats: a numpy scalar would turn every volume into double precision.
HILA = {1: (41.0, -12.0, 4.0), 2: (-41.0, -12.0, 10.0)}
CARINA = (0.0, -14.0, 35.0)
MIDDLE = (0.0, 0.0, -14.0)  # what lies in the middle of the scan: half way up the lungs
DEFORMATION_SCALE_MM = 85.0
MAX_BODY_MM = (178.0, 145.0)  # half width and half depth: inside the scanner's field of view


@dataclass(frozen=True)
class Person:
    """What differs between two healthy people.

    Attributes
    ----------
    size : three floats
        Width, depth and height against the reference chest.
    fat_mm : float
        Thickness of the fat under the skin.
    lung_hu : float
        Density of the lung.
    gravity_hu : float
        From the front of the lung to its back.
    deformation_mm : float
        Standard deviation of the smooth deformation.
    heart : float
        Heart size against the reference.
    diaphragm_mm : float
        How much higher than in the reference the diaphragm stands.
    """

    size: tuple[float, float, float]
    fat_mm: float
    lung_hu: float
    gravity_hu: float
    deformation_mm: float
    heart: float
    diaphragm_mm: float


def draw_chest(
    axes: Axes, person: Person, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Draw one healthy person, without scanner noise.

    Parameters
    ----------
    axes : three arrays of float32
        Voxel positions along x, y and z, mm from the middle of the grid.
    person : Person
    rng : numpy.random.Generator

    Returns
    -------
    volume : array of float32, shape (x, y, z)
        HU.
    lungs : array of uint8, shape (x, y, z)
        1 right, 2 left.
    """
    bend = [person.deformation_mm * smooth_field(axes, DEFORMATION_SCALE_MM, rng) for _ in range(3)]
    places = np.meshgrid(*axes, indexing="ij", sparse=True)
    x, y, z = (p / s + b + m for p, s, b, m in zip(places, person.size, bend, MIDDLE, strict=True))
    cage = _cage(x, y, z)
    inner = _inner_organs(x, y, z, person.heart)
    lungs = _lungs(x, y, z, cage, inner, person.diaphragm_mm)
    volume = _body(x, y, z, cage, person, places, smooth_field(axes, 24, rng))
    _fill_cavity(volume, x, y, z, cage, inner)
    _add_spine(volume, x, y, z)
    # The widest airway voxels blur to about -950 HU, as a trachea does.
    volume[_airways(x, y, z) & (lungs == 0)] = AIR + 15
    air = person.lung_hu - person.gravity_hu * y / 180 + 14 * smooth_field(axes, 9, rng)
    air += 14 * smooth_field(axes, 45, rng)
    share = _vessels(axes, person, bend, rng)
    air += share * (BLOOD - air)
    volume = np.where(lungs > 0, air, volume)
    # The scanner's own blur: edges share a voxel.
    return ndimage.gaussian_filter(volume, 0.5, truncate=3), lungs


def _cage(x: NDArray, y: NDArray, z: NDArray) -> NDArray:
    """Distance from the axis of the rib cage: 1 on its inner wall, in every direction."""
    taper = 1 - 0.16 * np.clip((z + 60) / 170, 0, 1) ** 2
    lower = 1 - 0.05 * np.clip((-z - 80) / 80, 0, 1)
    wide, deep = 136 * taper * lower, 93 * taper
    return (np.abs(x / wide) ** 2.3 + np.abs((y + 4) / deep) ** 2.3) ** (1 / 2.3)


def _inner_organs(x: NDArray, y: NDArray, z: NDArray, heart: float) -> dict[str, NDArray]:
    """Smooth functions that are below 1 inside each organ between the lungs."""
    tilt = 0.3 * np.maximum(z + 58, -35)
    hila = [
        np.sqrt((x - h[0] * 0.8) ** 2 + (y - h[1]) ** 2 + ((z - h[2]) / 1.3) ** 2) / 15
        for h in HILA.values()
    ]
    return {
        "heart": ((x + 20 - tilt) / (64 * heart)) ** 2
        + ((y - 28) / (52 * heart)) ** 2
        + (np.clip(z + 58, 0, None) / (70 * heart)) ** 2,
        "vessels": (x / (30 + 0.05 * z)) ** 2 + ((y - 9 - 0.06 * z) / 55) ** 2,
        "aorta": ((x + 26) / 14) ** 2 + ((y + 52) / 14) ** 2 + np.clip(z - 45, 0, None) ** 2 / 150,
        "arch": ((x + 16) / 26) ** 2 + ((y + 18) / 44) ** 2 + ((z - 56) / 16) ** 2,
        "spine": (x / 27) ** 2 + ((y + 88) / 32) ** 2,
        "hila": np.minimum(*hila) ** 2,
        "septum": np.abs(x) / 6,
        "gullet": ((x + 10) / 27) ** 2 + ((y + 52) / 22) ** 2,
    }


def _lungs(x, y, z, cage, inner, diaphragm_mm: float) -> NDArray[np.uint8]:
    out = np.abs(x)
    # Tops: two domes, each around its own axis and a little behind the middle.
    dome = ((out - 55) / 88) ** 2 + ((y + 18) / 92) ** 2
    below_top = z < 127 - 58 * dome - 34 * dome**2
    right = x > 0
    centre = np.where(right, 66, 72)
    slope = ((out - centre) / 80) ** 2 + ((y - 12) / 84) ** 2
    diaphragm = np.where(right, -86, -101) + diaphragm_mm
    deepest = np.where(right, 56, 48)
    diaphragm = diaphragm - deepest * np.tanh(62 * slope / deepest)
    free = np.logical_and.reduce([organ > 1 for organ in inner.values()])
    inside = (cage < 1) & below_top & (z > diaphragm) & free
    lungs = np.zeros(inside.shape, np.uint8)
    for label, side in ((1, right), (2, ~right)):
        parts, n = ndimage.label(inside & side)
        if n:  # a lung is one piece: crumbs in the corners between organs are not lung
            lungs[parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])] = label
    return lungs


def _body(x, y, z, cage, person: Person, places, wobble) -> NDArray[np.float32]:
    """Skin, fat, muscle and ribs around the cage; air and the couch around the body."""
    wall = (cage - 1) * 105  # mm outside the pleura, nearly
    thick = 17 + 5 * wobble + 12 * np.clip((z - 30) / 90, 0, 1)
    wide = min(136 + 24 + person.fat_mm, MAX_BODY_MM[0] / person.size[0])
    deep = min(93 + 20 + person.fat_mm, MAX_BODY_MM[1] / person.size[1])
    skin = (np.abs(x / wide) ** 2.4 + np.abs((y + 4) / deep) ** 2.4) ** (1 / 2.4)
    volume = np.where(wall < thick, np.float32(MUSCLE), np.float32(FAT))
    # Ribs slope from the spine down to the front.
    phase = np.mod((z + 0.45 * y) / 27, 1)
    rib = (wall > 2) & (wall < 11) & (phase < 0.42) & (z < 118) & (y < 70)
    core = (wall > 4) & (wall < 9) & (phase > 0.08) & (phase < 0.34)
    volume[rib] = BONE
    volume[rib & core] = MARROW
    volume[(wall > 3) & (wall < 13) & (np.abs(x) < 16) & (y > 60) & (z > -70) & (z < 85)] = MARROW
    blade = (np.abs(wall - 20) < 3.5) & (y < -35) & (np.abs(np.abs(x) - 92) < 32) & (z > 15)
    volume[blade] = BONE
    volume[skin > 1 - 3 / 140] = 20
    volume[skin > 1] = AIR
    bed = -deep * person.size[1] - 14 + (places[0] / 24) ** 2 / 4
    volume[(np.abs(places[1] - bed + 0 * volume) < 4) & (np.abs(places[0]) < 175)] = -150
    return volume


def _fill_cavity(volume, x, y, z, cage, inner) -> None:
    """Everything inside the ribs as if there were no lungs: mediastinum above, abdomen below."""
    cavity = cage < 1
    abdomen = cavity & (z < -70)
    volume[cavity] = MUSCLE - 10
    volume[cavity & (inner["vessels"] < 1)] = FAT + 30
    great = (inner["vessels"] < 0.6) | (inner["hila"] < 1) | (inner["arch"] < 0.9)
    volume[cavity & great] = BLOOD
    volume[abdomen] = FAT
    volume[abdomen & ((x - 45) ** 2 / 95**2 + (y - 5) ** 2 / 90**2 < 1) & (x > -45)] = LIVER
    volume[abdomen & (((x + 78) / 40) ** 2 + ((y + 30) / 48) ** 2 < 1)] = BLOOD + 8
    volume[abdomen & (((x + 55) / 48) ** 2 + ((y - 35) / 42) ** 2 < 1)] = 15
    thorax = cavity & (z > -112)
    volume[thorax & (inner["heart"] < 1)] = FAT
    volume[thorax & (inner["heart"] < 0.86)] = BLOOD
    volume[inner["aorta"] < 0.95] = BLOOD


def _add_spine(volume, x, y, z) -> None:
    body = (x / 19) ** 2 + ((y + 84) / 16) ** 2
    disc = np.mod(z / 24, 1) < 0.17
    volume[body < 1] = BONE
    volume[body < 0.8] = MARROW
    volume[(body < 1) & disc] = 90
    volume[(np.abs(x) < 22) & (y < -98) & (y > -120)] = MUSCLE
    arch = (x / 17) ** 2 + ((y + 108) / 12) ** 2
    volume[(arch < 1) & ~disc] = BONE
    volume[(x / 9) ** 2 + ((y + 106) / 8) ** 2 < 1] = 30
    volume[(np.abs(x) < 4) & (y < -112) & (y > -118) & (np.mod(z / 24, 1) > 0.45)] = MARROW


def _airways(x, y, z) -> NDArray[np.bool_]:
    """Trachea down to the carina, and a main bronchus to each hilum."""
    centre = CARINA[1] + 0.12 * (z - CARINA[2])
    trachea = ((x / 9) ** 2 + ((y - centre) / 8.5) ** 2 < 1) & (z > CARINA[2])
    for side, root in HILA.items():
        trachea |= _distance_to_segment(x, y, z, CARINA, (0.9 * root[0], *root[1:])) < (8 - side)
    return trachea


def _distance_to_segment(x, y, z, start, end) -> NDArray:
    along = [b - a for a, b in zip(start, end, strict=True)]
    gaps = [p - a for p, a in zip((x, y, z), start, strict=True)]
    length = sum(d * d for d in along)
    t = np.clip(sum(d / length * gap for d, gap in zip(along, gaps, strict=True)), 0, 1)
    return np.sqrt(sum((gap - t * d) ** 2 for d, gap in zip(along, gaps, strict=True)))


def _vessels(axes: Axes, person: Person, bend, rng) -> NDArray[np.float32]:
    spacing = np.array([axis[1] - axis[0] for axis in axes], dtype=float)
    first = np.array([axis[0] for axis in axes], dtype=float)
    trees = [grow_tree(np.array(HILA[side]), 1 if side == 1 else -1, rng) for side in HILA]
    starts, ends, radii = (np.concatenate(parts) for parts in zip(*trees, strict=True))

    def placed(points: NDArray) -> NDArray:
        # Reference to person: undo the deformation, where one step is exact enough.
        points = points - MIDDLE
        guess = (points * person.size - first) / spacing
        shift = [ndimage.map_coordinates(b, guess.T, order=1, mode="nearest") for b in bend]
        moved = (points - np.stack(shift, axis=1)) * person.size
        return (moved - first) / spacing

    shape = tuple(len(axis) for axis in axes)
    return vessel_share(placed(starts), placed(ends), radii, shape=shape, spacing_mm=spacing)
