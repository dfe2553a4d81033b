"""Draw a chest by formulas, of any build, on any voxels, as any scanner would hand it over.

The lungs are what lies inside the rib cage, above the domes of the diaphragm and beside the
mediastinum; nothing of it is symmetric. Lengths are mm; x grows to the patient's right, y forward,
z up; the scan's centre is 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

RIGHT, LEFT = 1, 2
VOXELS = [(2.5, 1.25), (2.0, 2.0), (1.4, 3.0), (0.9, 4.0), (0.7, 5.0)]
AIR, FAT, TISSUE, BONE = -1000.0, -90.0, 45.0, 420.0


@dataclass
class Build:
    """What a chest looks like, apart from disease; lengths in mm."""

    cage: tuple[float, float] = (132.0, 88.0)  # half axes inside the ribs
    height: float = 250.0  # from the deepest recess to the apex
    domes: tuple[float, float] = (95.0, 80.0)  # their height above the recess, right and left
    mediastinum: float = 30.0  # half width
    heart: tuple[float, float, float] = (62.0, 48.0, 55.0)
    wall: float = 25.0  # muscle and fat outside the ribs
    narrow: tuple[float, float] = (1.0, 1.0)  # how wide each lung is, of what the cage allows
    lung_hu: float = -840.0
    gradient: float = 60.0  # how much denser the back is than the front
    emphysema: float = 0.0  # share of the lung that is destroyed
    vessels: float = 0.06
    tilt: tuple[float, float] = (0.0, 0.0)  # degrees: sideways, and turned about the long axis
    couch: bool = True
    arms: bool = False
    padding: float | None = None
    noise: float = 15.0
    spacing: tuple[float, float] = (2.0, 3.0)  # in the slice, between slices
    cut: tuple[float, float] = (0.0, 0.0)  # mm missing at the bottom and the top
    joined: str = ""  # where the lungs touch: "front", "behind" or nowhere
    contrast: float = 120.0  # HU of the blood


@dataclass
class Chest:
    """A drawn or a real chest: HU, the lungs' true labels, voxel sides in mm, noise in HU."""

    volume: NDArray
    labels: NDArray[np.uint8]
    spacing: NDArray[np.float64]
    noise: float = 15.0


def random_build(seed: int) -> Build:
    """Draw a build; every kind of chest comes up within a few dozen."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    width = between(112, 150)
    barrel = rng.random() < 0.2
    depth = width * (between(0.78, 0.88) if barrel else between(0.6, 0.76))
    right = between(45, 70) if barrel else between(75, 115)
    wasted = rng.random() < 0.2
    narrow = (between(0.8, 0.95), 1.0) if rng.random() < 0.5 else (1.0, between(0.8, 0.95))
    return Build(
        cage=(width, depth),
        height=between(235, 300),
        domes=(right, right - between(-5, 28)),
        mediastinum=between(24, 38),
        heart=(between(50, 75), between(40, 55), between(45, 62)),
        wall=between(12, 60),
        narrow=narrow if wasted else (1.0, 1.0),
        lung_hu=between(-880, -780),
        gradient=between(20, 120),
        emphysema=between(0.1, 0.4) if rng.random() < 0.25 else 0.0,
        vessels=between(0.04, 0.08),
        tilt=(between(-6, 6), between(-8, 8)),
        couch=rng.random() < 0.7,
        arms=rng.random() < 0.2,
        padding=[None, None, -1024.0, -2000.0, -3024.0][rng.integers(5)],
        noise=between(8, 45),
        spacing=VOXELS[rng.choice(len(VOXELS), p=[0.45, 0.35, 0.1, 0.05, 0.05])],
        cut=(between(20, 70), 0.0) if rng.random() < 0.08 else
            (0.0, between(20, 60)) if rng.random() < 0.08 else (0.0, 0.0),
        joined=["", "", "", "front", "behind"][rng.integers(5)],
        contrast=[45.0, 120.0, 230.0][rng.integers(3)],
    )  # fmt: skip


def draw(build: Build, seed: int = 0) -> Chest:
    """Draw a chest of this build."""
    rng = np.random.default_rng(seed)
    (wide, deep), wall = build.cage, build.wall
    half = (wide + wall + (85 if build.arms else 30), deep + wall + 50)
    below, above = 40 - build.cut[0], 25 - build.cut[1]
    spacing = np.array([build.spacing[0], build.spacing[0], build.spacing[1]])
    shape = np.ceil(
        [2 * half[0] / spacing[0], 2 * half[1] / spacing[1],
         (below + build.height + above) / spacing[2]]
    ).astype(int)  # fmt: skip
    grid = np.meshgrid(
        *[
            (np.arange(n) * s - at).astype("float32")
            for n, s, at in zip(shape, spacing, (half[0], half[1], below), strict=True)
        ],
        indexing="ij",
        sparse=True,
    )
    x, y, z = _turned(grid, build)
    u = z / build.height  # 0 at the recess, 1 at the apex
    narrowing = np.sqrt(np.clip(1 - np.clip((u - 0.45) / 0.56, 0, None) ** 2.4, 0, 1))
    narrowing = narrowing * (1 - 0.12 * np.clip(0.4 - u, 0, None))
    radius = np.sqrt((x / wide) ** 2 + (y / deep) ** 2)
    inside = (radius < narrowing) & (u < 1)
    shoulder = np.maximum(narrowing, 0.55)
    thick = wall * (1 + 0.5 * np.clip(0.3 - u, 0, None))
    body = np.sqrt((x / (wide + thick)) ** 2 + (y / (deep + thick)) ** 2) < np.maximum(
        shoulder, 0.9
    )
    hu = np.full(shape, AIR, "float32")
    hu[body] = FAT if wall > 35 else 0.5 * (FAT + TISSUE)
    rim = np.sqrt((x / (wide + 14)) ** 2 + (y / (deep + 14)) ** 2) < shoulder
    hu[rim & body] = TISSUE
    hu[body & _ribs(x, y, z, narrowing, build)] = BONE
    under = _under_the_domes(x, y, z, build)
    hu[inside] = TISSUE
    hu[inside & under] = TISSUE + 15
    middle = _mediastinum(x, y, z, build)
    spine = (x / 24) ** 2 + ((y + deep - 10) / 30) ** 2 < 1
    limits = [x < wide * build.narrow[0], x > -wide * build.narrow[1]]
    lungs = inside & ~under & ~middle & ~spine & limits[0] & limits[1]
    labels = np.where(lungs, np.where(x > _axis(y, z, build), RIGHT, LEFT), 0).astype("uint8")
    heart = _heart(x, y, z, build)
    hu[inside & middle] = TISSUE
    hu[inside & heart] = build.contrast
    aorta = (x + 22) ** 2 + (y + deep * 0.45) ** 2 < 13**2
    hu[aorta & (u < 0.8) & body] = build.contrast
    labels[aorta & (u < 0.8)] = 0
    hu[spine & body] = BONE
    hu[labels > 0] = _texture(labels, y, z, build, spacing, rng)[labels > 0]
    _airways(hu, labels, (x, y, z), build)
    if build.couch:
        lower = grid[1] + deep + wall + 18
        hu[np.broadcast_to((np.abs(lower) < 14) & (np.abs(grid[0]) < half[0] - 5), shape)] = -100
        hu[np.broadcast_to((np.abs(lower) < 9) & (np.abs(grid[0]) < half[0] - 11), shape)] = -940
    if build.arms:
        arm = (np.abs(grid[0]) - wide - wall - 42) ** 2 + (grid[1] + 10) ** 2 < 36**2
        hu[np.broadcast_to(arm, shape)] = TISSUE
        bone = (np.abs(grid[0]) - wide - wall - 42) ** 2 + (grid[1] + 10) ** 2 < 11**2
        hu[np.broadcast_to(bone, shape)] = 700
    return Chest(hu, labels, spacing, noise=build.noise)


def scanned(chest: Chest, build: Build | None = None, *, seed: int = 0) -> Chest:
    """Blur and add noise as a scanner does; fill what lies outside its circle."""
    rng = np.random.default_rng(seed)
    volume = ndimage.gaussian_filter(chest.volume, 0.55 * np.maximum(1, 1.2 / chest.spacing))
    volume += rng.standard_normal(volume.shape, "float32") * chest.noise
    if build is not None and build.padding is not None:
        x, y = (np.arange(n) - (n - 1) / 2 for n in volume.shape[:2])
        circle = (max(volume.shape[:2]) / 2) ** 2
        volume[x[:, None] ** 2 + y[None] ** 2 > circle] = build.padding
    kept = np.rint(np.maximum(volume, -3024)).astype("int16")
    return Chest(kept, chest.labels, chest.spacing, chest.noise)


def _turned(grid: Sequence[NDArray], build: Build) -> tuple[NDArray, NDArray, NDArray]:
    x, y, z = grid
    side, turn = np.deg2rad(build.tilt)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    centre = build.height / 2
    up = z - centre
    return (
        x * np.cos(side) - up * np.sin(side),
        y + 0 * z,
        x * np.sin(side) + up * np.cos(side) + centre,
    )


def _axis(y: NDArray, z: NDArray, build: Build) -> NDArray:
    return np.float32(0.02) * y + 0 * z


def _ribs(x: NDArray, y: NDArray, z: NDArray, narrowing: NDArray, build: Build) -> NDArray:
    """Return rib arches that fall forward, and the breast bone."""
    wide, deep = build.cage
    shell = np.sqrt((x / (wide + 10)) ** 2 + (y / (deep + 10)) ** 2)
    inner = np.sqrt((x / (wide + 2)) ** 2 + (y / (deep + 2)) ** 2)
    arch = ((z + 0.45 * y) / (build.height / 10)) % 1 < 0.42
    ring = (inner > narrowing) & (shell < narrowing)
    sternum = (np.abs(x) < 16) & (y > 0) & (z > 0.25 * build.height)
    return ring & (arch | sternum) & ((y < 0.75 * deep) | sternum)


def _under_the_domes(x: NDArray, y: NDArray, z: NDArray, build: Build) -> NDArray:
    wide, deep = build.cage
    top = np.where(x > 0, *build.domes)
    across = ((np.abs(x) - 0.5 * wide) / (0.56 * wide)) ** 2 + (
        (y - 0.12 * deep) / (0.98 * deep)
    ) ** 2
    fall = 1 - np.minimum(across, 1.0) ** 1.4
    recess = np.clip(y / deep, 0, None) * 0.38 * build.height * 0.5  # higher in front
    return z < np.maximum(top * fall, recess)


def _mediastinum(x: NDArray, y: NDArray, z: NDArray, build: Build) -> NDArray:
    deep = build.cage[1]
    forward = y / deep
    half = build.mediastinum * (1 - 0.5 * np.clip(forward - 0.2, 0, 1) * (z > 0.35 * build.height))
    half = half * (1 - 0.25 * np.clip(z / build.height - 0.5, 0, 1))
    if build.joined == "front":
        half = np.where((forward > 0.62) & (z > 0.5 * build.height), 0.8, half)
    if build.joined == "behind":
        level = np.abs(z - 0.4 * build.height) < 14
        half = np.where((forward < -0.2) & (forward > -0.5) & level, 0.8, half)
    return (np.abs(x - _axis(y, z, build)) < half) | _heart(x, y, z, build)


def _heart(x: NDArray, y: NDArray, z: NDArray, build: Build) -> NDArray:
    a, b, c = build.heart
    middle = max(build.domes) * 0.75 + c * 0.7
    return ((x + 22) / a) ** 2 + ((y - 0.35 * build.cage[1]) / b) ** 2 + ((z - middle) / c) ** 2 < 1


def _texture(labels, y, z, build: Build, spacing, rng) -> NDArray[np.float32]:
    """Return the HU of lung: denser behind, vessels, and holes where it is destroyed."""
    base = build.lung_hu - build.gradient * y / build.cage[1] / 2
    shape = labels.shape
    coarse = [max(2, int(n * s / 5)) for n, s in zip(shape, spacing, strict=True)]

    def clouds(mm: float) -> NDArray:
        field = ndimage.gaussian_filter(rng.standard_normal(coarse, "float32"), mm / 5)
        field /= field.std()
        return ndimage.zoom(
            field, np.divide(shape, coarse), order=1, grid_mode=True, mode="nearest"
        )

    hu = np.broadcast_to(base, shape) + 12 * clouds(20)
    if build.emphysema:
        border = np.quantile(clouds(4)[::2], 1 - build.emphysema)
        hu = np.where(clouds(4) > border, -965, np.maximum(hu - 50, -955)).astype("float32")
    branches = np.abs(clouds(5)) < build.vessels
    return np.where(branches, -250 if not build.emphysema else -500, hu).astype("float32")


def _airways(hu: NDArray, labels: NDArray, at: tuple, build: Build) -> None:
    """Draw trachea and main bronchi with their walls."""
    x, y, z = at
    carina = 0.6 * build.height
    behind = y + 0.12 * build.cage[1]
    across = np.where(z > carina, np.abs(x), np.abs(np.abs(x) - 1.1 * (carina - z)))
    reach = (z > carina - 38) & (z < 1.2 * build.height)
    size = np.where(z > carina, 9.0, 6.5)
    far = np.sqrt(across**2 + behind**2)
    wall = reach & (far < size + 2.5)
    hu[wall & (hu > -2000)] = TISSUE
    hu[reach & (far < size)] = -990
    labels[wall] = 0
