"""The standard lungs of a study: made from its own subjects, or given by the user."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray
from scipy import ndimage

from clamlab.ingest.alignment.registration import register
from clamlab.ingest.alignment.resampling import coarser_grid, resample
from clamlab.ingest.alignment.transforms import (
    IDENTITY,
    LEFT,
    RIGHT,
    Transform,
    dice,
    grid_points,
    warp_image,
)
from clamlab.ingest.errors import IngestError
from clamlab.volumes import grid_for

SETTLED_DICE = 0.99
SHAPE_STEP = 0.2  # share of the mean deformation taken out at each iteration, as ANTs does
ROOM = 1.3  # how much larger the working box is than the lungs


def build_template(
    masks: Sequence[NDArray],
    affines: Sequence[NDArray],
    *,
    spacing_mm: float = 3.0,
    kind: str = "syn",
    max_iterations: int = 10,
    margin_mm: float | None = None,
    n_jobs: int | None = None,
    seed: int = 0,
    start: tuple[NDArray, NDArray, str] | None = None,
    checkpoint: Callable[[NDArray, NDArray, str], None] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Make the average lungs that a study's scans are registered to.

    Every mask is registered to the current template, the warped masks are averaged, the mean
    transform is taken out (so that no subject's shape or place prevails), and the half-way surface
    is the next template, until two templates agree with a Dice of .99 (Ryan et al. 2019).
    With ``kind="syn"`` the affine average is settled first: it is the better start and cheap.

    Parameters
    ----------
    masks : sequence of array of int, shape (x, y, z)
        Lung labels (1 right, 2 left) of about a tenth of the subjects.
    affines : sequence of array, shape (4, 4)
        Voxel to mm of each (RAS+).
    spacing_mm : float
        Voxel side of the template.
    kind : {"syn", "affine"}
    max_iterations : int
        Per kind.
    margin_mm : float or None
        Room around the lungs; None is one voxel.
    n_jobs : int or None
        Parallel registrations, by joblib.
    seed : int
    start : (labels, affine, stage) or None
        What ``checkpoint`` was last given, to go on after an interruption.
    checkpoint : callable or None
        Called as ``checkpoint(labels, affine, stage)`` after each iteration; ``stage`` is the kind
        of the next iteration, or "done".

    Returns
    -------
    labels : array of uint8, shape (x, y, z)
        Sides are multiples of 8; the lungs' centre is at 0 mm.
    affine : array, shape (4, 4)

    Raises
    ------
    ValueError
        If there is no mask, or a mask lacks a lung.

    Examples
    --------
    >>> lungs = np.zeros((24, 16, 16), int)
    >>> lungs[14:22, 3:13, 3:13], lungs[2:10, 3:13, 3:13] = 1, 2
    >>> affine = np.diag([10.0, 10, 10, 1])
    >>> labels, grid = build_template([lungs], [affine], spacing_mm=10, kind="affine")
    >>> labels.shape, bool(abs((labels > 0).sum() - 1600) < 20)
    ((24, 16, 16), True)
    """
    if not len(masks) or len(masks) != len(affines):
        raise ValueError(
            f"expected at least one lung mask and as many affines, found {len(masks)} and "
            f"{len(affines)}"
        )
    pairs = list(zip(masks, affines, strict=True))
    stages = ["affine", "done"] if kind == "affine" else ["affine", kind, "done"]
    labels, affine, stage = start or (*_first(pairs, spacing_mm), "affine")
    rounds = 0
    while stage != "done":
        renewed = _renew(labels, affine, pairs, stage, n_jobs, seed)
        agreement, labels, rounds = dice(renewed, labels), renewed, rounds + 1
        if agreement >= SETTLED_DICE or rounds == max_iterations:
            stage, rounds = stages[stages.index(stage) + 1], 0
        if checkpoint:
            checkpoint(labels, affine, stage)
    return template_grid(labels, affine, spacing_mm=spacing_mm, margin_mm=margin_mm)


def template_grid(
    labels: NDArray, affine: NDArray, *, spacing_mm: float, margin_mm: float | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Lay the study's grid around a template's lungs: nothing is clipped, all sides divide by 8.

    Parameters
    ----------
    labels, affine
        Lung labels of the template (1 right, 2 left) and their voxel-to-mm matrix, RAS+.
    spacing_mm : float
        Side of the grid's cubic voxels.
    margin_mm : float or None
        Least room on every side; None is one voxel.

    Raises
    ------
    IngestError
        If a lung is missing.

    Examples
    --------
    >>> lungs = np.zeros((100, 60, 90), int)
    >>> lungs[55:95, 5:55, 5:85], lungs[5:45, 5:55, 5:85] = 1, 2
    >>> template_grid(lungs, np.diag([3.0, 3, 3, 1]), spacing_mm=6.0)[0].shape
    (48, 32, 48)
    """
    if not {RIGHT, LEFT} <= set(np.unique(labels).tolist()):
        raise IngestError(
            "the template needs both lungs, labelled 1 (right) and 2 (left); found the labels "
            f"{np.unique(labels).tolist()}"
        )
    margin = spacing_mm if margin_mm is None else margin_mm
    corners = np.argwhere(labels)[:, :3]
    low, high = corners.min(axis=0) - 0.5, corners.max(axis=0) + 0.5
    edges = np.array(list(product(*zip(low, high, strict=True)))) @ affine[:3, :3].T
    edges += affine[:3, 3]
    bottom, top = edges.min(axis=0) - margin, edges.max(axis=0) + margin
    shape = grid_for(np.ceil((top - bottom) / spacing_mm - 1e-6).astype(int))
    grid = np.diag([spacing_mm] * 3 + [1.0])
    grid[:3, 3] = (bottom + top) / 2 - (np.array(shape) - 1) / 2 * spacing_mm
    if np.allclose(affine[:3, :3], grid[:3, :3]):
        # Voxels that fit already are kept as they are: half a voxel aside they would only blur.
        steps = np.rint((grid[:3, 3] - affine[:3, 3]) / spacing_mm)
        grid[:3, 3] = affine[:3, 3] + steps * spacing_mm
    return _on_grid(labels, affine, shape, grid), grid


def _on_grid(labels, affine, shape, grid) -> NDArray[np.uint8]:
    """Average where the grid is coarser, so that thin recesses do not come and go."""
    spacing = float(voxel_sizes(grid).min())
    middle = coarser_grid(labels.shape, affine, spacing / 2)
    shares = [
        warp_image(
            resample(labels == side, affine, *middle, width_mm=spacing / 2),
            middle[1],
            IDENTITY,
            shape=shape,
            grid_affine=grid,
            fill=0.0,
        )
        for side in (RIGHT, LEFT)
    ]
    return _half_way(*shares)


def _first(pairs: list, spacing_mm: float) -> tuple[NDArray, NDArray]:
    """Average the masks after giving all the mean centre and size."""
    moments = [_moments(*pair) for pair in pairs]
    size = np.exp(np.mean([np.log(size) for _, size, _ in moments], axis=0))
    extents = np.max([extent for _, _, extent in moments], axis=0) * ROOM
    shape = tuple(int(side) for side in np.ceil(extents / spacing_mm))
    grid = np.diag([spacing_mm] * 3 + [1.0])
    grid[:3, 3] = -(np.array(shape) - 1) / 2 * spacing_mm
    shares = np.zeros((2, *shape))
    for (mask, affine), (centre, own, _) in zip(pairs, moments, strict=True):
        matrix = np.diag([*(own / size), 1.0])
        matrix[:3, 3] = centre
        shares += _shares(mask, affine, Transform(matrix), shape, grid)
    return _half_way(*(shares / len(pairs))), grid


def _moments(mask: NDArray, affine: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    points = affine[:3, :3] @ np.array(np.nonzero(mask)) + affine[:3, 3:]
    return points.mean(axis=1), points.std(axis=1), np.ptp(points, axis=1)


def _shares(mask, affine, transform, shape, grid) -> NDArray[np.float32]:
    return np.stack(
        [
            warp_image(mask == side, affine, transform, shape=shape, grid_affine=grid, fill=0.0)
            for side in (RIGHT, LEFT)
        ]
    )


def _renew(labels, affine, pairs, kind, n_jobs, seed) -> NDArray[np.uint8]:
    transforms = Parallel(n_jobs=n_jobs)(
        delayed(register)(mask, labels, affine=own, template_affine=affine, kind=kind, seed=seed)
        for mask, own in pairs
    )
    shares = np.zeros((2, *labels.shape))
    for (mask, own), transform in zip(pairs, transforms, strict=True):
        shares += _shares(mask, own, transform, labels.shape, affine)
    back = _away_from_mean(transforms, labels.shape, affine)
    right, left = (
        ndimage.map_coordinates(share / len(pairs), back, order=1).reshape(labels.shape)
        for share in shares
    )
    return _half_way(right, left)


def _half_way(right: NDArray, left: NDArray) -> NDArray[np.uint8]:
    """Cut the averaged lungs where they keep their mean volume.

    Cutting at one half would round off edges and recesses a little at every iteration.
    """
    both = (right + left).ravel()
    size = min(int(round(float(both.sum()))), both.size - 1)
    cut = max(float(np.partition(both, -size - 1)[-size - 1]), 0.05)
    return np.where(right + left > cut, np.where(right >= left, RIGHT, LEFT), 0).astype("uint8")


def _away_from_mean(transforms: list[Transform], shape, grid) -> NDArray[np.float64]:
    """Return the voxels to sample so that the mean transform becomes the identity.

    Scans have no common origin, so only the mean matrix counts; the lungs stay around 0 mm.
    """
    mean = np.mean([transform.affine[:3, :3] for transform in transforms], axis=0)
    points = np.linalg.inv(mean) @ grid_points(shape, grid)
    fields = [t.displacement for t in transforms if t.displacement is not None]
    if fields:
        field = np.mean(fields, axis=0)
        points = points - SHAPE_STEP * field.reshape(-1, 3).T
    voxels = np.linalg.inv(grid)
    return voxels[:3, :3] @ points + voxels[:3, 3:]
