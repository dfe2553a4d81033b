"""Fit an affine transform between two lung masks."""

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.alignment.resampling import coarser_grid, resample
from clamlab.ingest.alignment.transforms import LEFT, RIGHT, Transform, grid_points, warp_image

GRID_MM = 6.0
MARGIN_MM = 30.0
SMOOTHING_MM = (9.0, 3.0)
STEPS = 25
SETTLED_MM = 0.02


def signed_lungs(labels: NDArray, affine: NDArray, spacing_mm: float) -> tuple[NDArray, NDArray]:
    """Return the right lung as 1 and the left as -1, with shares at borders, and its affine.

    One image then tells both lungs: a match of right with left costs most.
    """
    shape, grid = coarser_grid(labels.shape, affine, spacing_mm)
    sign = (labels == RIGHT).astype("float32") - (labels == LEFT).astype("float32")
    return resample(sign, affine, shape, grid), grid


def lungs_box(labels: NDArray, affine: NDArray, margin_mm: float) -> tuple[NDArray, NDArray]:
    """Cut labels to the lungs and give these room on every side, at the image's end too.

    A scan is three times as large as the lungs in it, and only these count here.
    """
    box = ndimage.find_objects((labels > 0).view("uint8"))[0]
    width = int(np.ceil(margin_mm / voxel_sizes(affine).min()))
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ [side.start - width for side in box]
    return np.pad(labels[box], width), moved


def fit_affine(
    labels: NDArray, affine: NDArray, template: NDArray, template_affine: NDArray
) -> NDArray[np.float64]:
    """Return the matrix that takes template mm to scan mm with the least squared difference.

    Centres and sizes of the lungs give the start; Levenberg-Marquardt steps then refine all
    twelve numbers, on smoothed masks first. Only masks are looked at, never HU. (General-purpose
    optimisers take a hundred times as long here, and stop early.)
    """
    start = _from_moments(labels, affine, template, template_affine)
    fixed, grid = signed_lungs(*lungs_box(template, template_affine, MARGIN_MM), GRID_MM)
    # From here both masks live in the template's space, where one smoothing means the same.
    scan, scan_affine = lungs_box(labels, affine, voxel_sizes(affine).max())
    lungs, lungs_affine = signed_lungs(scan, scan_affine, GRID_MM)
    moving = warp_image(
        lungs,
        lungs_affine,
        Transform(start),
        shape=fixed.shape,
        grid_affine=grid,
        fill=0.0,
    )
    matrix = np.eye(4)
    for smoothing in SMOOTHING_MM:
        sigma = smoothing / voxel_sizes(grid)
        smooth_fixed, smooth_moving = (
            ndimage.gaussian_filter(image, sigma, truncate=3) for image in (fixed, moving)
        )
        matrix = _refine(matrix, smooth_fixed, smooth_moving, grid)
    return start @ matrix


def _from_moments(labels, affine, template, template_affine) -> NDArray[np.float64]:
    centre, size = _moments(labels, affine)
    template_centre, template_size = _moments(template, template_affine)
    matrix = np.diag([*(size / template_size), 1.0])
    matrix[:3, 3] = centre - matrix[:3, :3] @ template_centre
    return matrix


def _moments(labels: NDArray, affine: NDArray) -> tuple[NDArray, NDArray]:
    points = affine[:3, :3] @ np.array(np.nonzero(labels)) + affine[:3, 3:]
    return points.mean(axis=1), np.maximum(points.std(axis=1), 1.0)


def _refine(start: NDArray, fixed: NDArray, moving: NDArray, grid: NDArray) -> NDArray[np.float64]:
    """Improve a matrix step by step; a step that makes the match worse is shortened instead."""
    points = grid_points(fixed.shape, grid)
    # Numbers of like size for shifts and slopes keep the equations well conditioned.
    unit = np.diag([1 / 100, 1 / 100, 1 / 100, 1.0])
    unit[:3, 3] = -points.mean(axis=1) / 100
    scaled = unit[:3, :3] @ points + unit[:3, 3:]
    scaled = np.vstack([scaled, np.ones(points.shape[1])])
    to_voxel, target = np.linalg.inv(grid), fixed.ravel()
    slopes = [slope.ravel() for slope in np.gradient(fixed)]
    moving_slopes = np.gradient(moving)

    def miss(candidate: NDArray) -> tuple[NDArray, NDArray]:
        voxels = (to_voxel @ candidate @ scaled)[:3]
        return target - _at(moving, voxels), voxels

    best, damping = start @ np.linalg.inv(unit), 1e-2
    difference, voxels = miss(best)
    for _ in range(STEPS):
        # The mean of both images' slopes makes a step exact to second order.
        mean = [(a + _at(b, voxels)) / 2 for a, b in zip(slopes, moving_slopes, strict=True)]
        steep = np.abs(mean).sum(axis=0) > 1e-3
        gradient = to_voxel[:3, :3].T @ np.array(mean)[:, steep]
        jacobian = (gradient[:, None] * scaled[:, steep][None]).reshape(12, -1)
        normal, right_side = jacobian @ jacobian.T, jacobian @ difference[steep]
        for _ in range(6):
            damped = normal + damping * np.diag(np.diag(normal)) + 1e-9 * np.eye(12)
            step = np.vstack([np.linalg.solve(damped, right_side).reshape(3, 4), np.zeros(4)])
            trial, trial_voxels = miss(best + step)
            if (trial**2).sum() < (difference**2).sum():
                break
            damping *= 8
        else:
            break  # no step improves: this is the minimum
        best, difference, voxels, damping = best + step, trial, trial_voxels, damping / 4
        if np.linalg.norm(step[:3], axis=1).max() < SETTLED_MM:
            break
    return best @ unit


def _at(image: NDArray, voxels: NDArray) -> NDArray:
    return ndimage.map_coordinates(image, voxels, order=1, mode="nearest", prefilter=False)
