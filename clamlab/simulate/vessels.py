"""Branching lung vessels, at any voxel size."""

import numpy as np
from numpy.typing import NDArray

ROOTS = 13
GENERATIONS = 8
ROOT_RADIUS_MM = 4.6
ROOT_LENGTH_MM = 24.0
THINNING = 0.76
SHORTENING = 0.84


def grow_tree(
    root: NDArray, outwards: int, rng: np.random.Generator
) -> tuple[NDArray, NDArray, NDArray]:
    """Grow a tree from the hilum of one lung: segment starts and ends (mm), and radii (mm).

    Every branch forks in two; each generation is thinner and shorter than the one before.
    """
    directions = _fan(outwards, rng)
    starts = root + rng.normal(0, 5, size=(ROOTS, 3))
    radius, length = ROOT_RADIUS_MM, ROOT_LENGTH_MM
    segments = []
    for _ in range(GENERATIONS):
        n = len(starts)
        ends = starts + directions * (length * rng.uniform(0.75, 1.3, size=(n, 1)))
        segments.append((starts, ends, radius * rng.uniform(0.75, 1.1, size=n)))
        side = rng.normal(size=(n, 3))
        side -= (side * directions).sum(axis=1, keepdims=True) * directions
        side *= np.tan(rng.uniform(0.25, 0.75, size=(n, 1))) / np.linalg.norm(
            side, axis=1, keepdims=True
        )
        directions = np.concatenate([directions + 0.6 * side, directions - side])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        starts = np.concatenate([ends, ends])
        radius, length = radius * THINNING, length * SHORTENING
    return tuple(np.concatenate(parts) for parts in zip(*segments, strict=True))


def _fan(outwards: int, rng: np.random.Generator) -> NDArray:
    """Spread the first branches up, out and down, away from the heart."""
    elevation = np.linspace(-1.35, 1.3, ROOTS) + rng.normal(0, 0.12, ROOTS)
    turn = np.resize([-0.75, 0.1, 0.85], ROOTS) + rng.normal(0, 0.2, ROOTS)
    return np.stack(
        [
            outwards * np.cos(elevation) * np.cos(turn),
            np.cos(elevation) * np.sin(turn),
            np.sin(elevation),
        ],
        axis=1,
    )


def vessel_share(
    starts: NDArray, ends: NDArray, radii: NDArray, *, shape: tuple[int, ...], spacing_mm: NDArray
) -> NDArray[np.float32]:
    """Find which share of every voxel is vessel (0 to 1).

    A branch is filled evenly with points that each carry an equal part of its volume, so a vessel
    thinner than a voxel counts for what it is. ``starts`` and ``ends`` are in voxels.
    """
    along = (ends - starts) * spacing_mm
    lengths = np.linalg.norm(along, axis=1)
    voxel = float(np.prod(spacing_mm))
    volumes = np.pi * radii**2 * lengths
    step = 0.6 * spacing_mm.min()
    counts = np.maximum(lengths / step, 1) * np.maximum((2 * radii / step) ** 2, 1)
    counts = np.ceil(counts).astype(int)
    index = np.repeat(np.arange(len(counts)), counts)
    # Golden ratios of the running number fill the tube evenly without any more chance.
    number = np.arange(len(index))
    t, r, angle = (np.mod(number * g, 1) for g in (0.8191725, 0.6710436, 0.5497005))
    along /= np.maximum(lengths, 1e-9)[:, None]
    across = np.cross(along, [0.31, 0.57, 0.76])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    upwards = np.cross(along, across)
    reach = (radii[index] * np.sqrt(r))[:, None]
    angle = 2 * np.pi * angle[:, None]
    offset = reach * (np.cos(angle) * across[index] + np.sin(angle) * upwards[index])
    points = starts[index] + t[:, None] * (ends - starts)[index] + offset / spacing_mm
    voxels = np.rint(points).astype(int)
    inside = ((voxels >= 0) & (voxels < shape)).all(axis=1)
    flat = np.ravel_multi_index(tuple(voxels[inside].T), shape)
    worth = (volumes / counts / voxel)[index][inside]
    share = np.bincount(flat, worth, minlength=int(np.prod(shape))).reshape(shape)
    return np.minimum(share, 1).astype(np.float32)
