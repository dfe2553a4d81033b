"""Fit an affine transform between two lung masks."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.resampling import coarser_grid, resample, voxel_sizes
from clamlab.ingest.transforms import LEFT, RIGHT, grid_points

LEVELS_MM = ((12.0, 12.0), (6.0, 6.0), (6.0, 3.0))  # grid, smoothing
STEPS = 12
SETTLED_MM = 0.02


def signed_lungs(labels: NDArray, affine: NDArray, spacing_mm: float) -> tuple[NDArray, NDArray]:
    """Return the right lung as 1 and the left as -1, with shares at borders, and its affine.

    One image then tells both lungs: a match of right with left costs most.
    """
    shape, grid = coarser_grid(labels.shape, affine, spacing_mm)
    sign = (labels == RIGHT).astype("float32") - (labels == LEFT).astype("float32")
    return resample(sign, affine, shape, grid), grid


def fit_affine(
    labels: NDArray, affine: NDArray, template: NDArray, template_affine: NDArray
) -> NDArray[np.float64]:
    """Return the matrix that takes template mm to scan mm with the least squared difference.

    Centres and sizes of the lungs give the start, then Gauss-Newton steps refine all twelve
    numbers on ever finer, ever less smoothed masks. Only masks are looked at, never HU.
    """
    matrix = _from_moments(labels, affine, template, template_affine)
    for spacing, smoothing in LEVELS_MM:
        fixed, fixed_affine = _level(template, template_affine, spacing, smoothing)
        moving, moving_affine = _level(labels, affine, spacing, smoothing)
        matrix = _refine(matrix, fixed, fixed_affine, moving, moving_affine)
    return matrix


def _from_moments(labels, affine, template, template_affine) -> NDArray[np.float64]:
    (centre, size), (template_centre, template_size) = (
        _moments(labels, affine),
        _moments(template, template_affine),
    )
    matrix = np.diag([*(size / template_size), 1.0])
    matrix[:3, 3] = centre - matrix[:3, :3] @ template_centre
    return matrix


def _moments(labels: NDArray, affine: NDArray) -> tuple[NDArray, NDArray]:
    points = affine[:3, :3] @ np.array(np.nonzero(labels)) + affine[:3, 3:]
    return points.mean(axis=1), np.maximum(points.std(axis=1), 1.0)


def _level(labels, affine, spacing_mm, smoothing_mm) -> tuple[NDArray, NDArray]:
    padded = np.pad(labels, 1)  # so that a lung cut by the image's end still ends
    shifted = affine.copy()
    shifted[:3, 3] -= affine[:3, :3].sum(axis=1)
    lungs, grid = signed_lungs(padded, shifted, spacing_mm)
    return ndimage.gaussian_filter(lungs, smoothing_mm / voxel_sizes(grid), truncate=3), grid


def _refine(matrix, fixed, fixed_affine, moving, moving_affine) -> NDArray[np.float64]:
    """Take Levenberg-Marquardt steps: one that makes the match worse is shortened instead."""
    near = ndimage.maximum_filter(np.abs(fixed) > 0.02, 7).ravel()
    points = grid_points(fixed.shape, fixed_affine)[:, near]
    target = fixed.ravel()[near]
    # Numbers of like size for shifts (mm) and slopes keep the equations well conditioned.
    centre, size = points.mean(axis=1, keepdims=True), points.std()
    scaled = np.vstack([(points - centre) / size, np.ones(points.shape[1])])
    to_mm = np.linalg.inv(_scaling(centre, size))
    to_voxel = np.linalg.inv(moving_affine)
    slopes = np.gradient(moving)

    def residual(candidate):
        voxels = (to_voxel @ candidate @ scaled)[:3]
        return target - _at(moving, voxels), voxels

    best = matrix @ to_mm
    difference, voxels = residual(best)
    damping = 1e-2
    for _ in range(STEPS):
        gradient = to_voxel[:3, :3].T @ np.array([_at(slope, voxels) for slope in slopes])
        jacobian = (gradient[:, None] * scaled[None]).reshape(12, -1)
        normal, right_side = jacobian @ jacobian.T, jacobian @ difference
        for _ in range(6):
            damped = normal + damping * np.diag(np.diag(normal)) + 1e-9 * np.eye(12)
            step = np.vstack([np.linalg.solve(damped, right_side).reshape(3, 4), np.zeros(4)])
            trial, trial_voxels = residual(best + step)
            if (trial**2).sum() < (difference**2).sum():
                break
            damping *= 8
        else:
            break  # no step improves: this is the minimum
        best, difference, voxels, damping = best + step, trial, trial_voxels, damping / 4
        if np.linalg.norm(step[:3], axis=1).max() < SETTLED_MM:
            break
    return best @ _scaling(centre, size)


def _scaling(centre: NDArray, size: float) -> NDArray[np.float64]:
    matrix = np.diag([1 / size, 1 / size, 1 / size, 1.0])
    matrix[:3, 3:] = -centre / size
    return matrix


def _at(image: NDArray, voxels: NDArray) -> NDArray:
    return ndimage.map_coordinates(image, voxels, order=1, mode="nearest", prefilter=False)
