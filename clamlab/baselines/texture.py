"""Radiomic features of the lung: first-order and grey-level co-occurrence, in 2-D and in 3-D.

Definitions are those of the Image Biomarker Standardisation Initiative (IBSI), and are tested on
its digital phantom, where there is one by that name; what differs is said at
:func:`texture_features`.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kurtosis, skew

GREY_LEVELS = 32
GREY_RANGE_HU = (-1000, 0)
DISTANCES = (1, 2, 4)
ROUNDING = 1e-9


def texture_features(images: NDArray, lung_mask: ArrayLike) -> NDArray[np.float64]:
    """First-order and grey-level co-occurrence features of the lung, z-scored over the cohort.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
        Slices or volumes in HU; a memory map is read one scan at a time.
    lung_mask : array of bool, shape (*grid)
        The lung, the same for all scans. Pairs with a voxel outside it are left out.

    Returns
    -------
    array of float, shape (n_scans, 24)
        Mean, standard deviation, skew, kurtosis and five percentiles (5, 25, 50, 75, 95) of the HU;
        then contrast, dissimilarity, homogeneity, energy and correlation, each at 1, 2 and 4
        voxels. A feature that is the same in all scans is 0.

    Raises
    ------
    ValueError
        If the mask is empty or not of the scans' grid, or a scan holds NaN or infinity in it.

    Notes
    -----
    Skew, (excess) kurtosis, contrast, dissimilarity and correlation are IBSI's. Homogeneity is its
    inverse difference moment, energy the square root of its angular second moment. One symmetric
    matrix is made for each distance from all directions, 13 in 3-D and 4 in 2-D (IBSI: volume,
    merged). The bins have a fixed size, 31.25 HU from -1000 to 0 HU; values beyond go into the
    outermost bins, where IBSI would leave them out. At 2 and 4 voxels a diagonal step is rounded to
    the nearest voxel; IBSI's distance of 1 needs no rounding.

    References
    ----------
    Haralick, Shanmugam & Dinstein, IEEE Trans. Syst. Man Cybern. 3(6), 610-621 (1973).
    Zwanenburg et al., Radiology 295(2), 328-338 (2020): the IBSI's reference values.

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(-800, 80, size=(5, 6, 6, 6))
    >>> texture_features(images, np.ones((6, 6, 6), bool)).shape
    (5, 24)
    """
    return zscored(raw_features(images, lung_mask))


def zscored(table: NDArray) -> NDArray[np.float64]:
    """Bring features to one scale; one that is the same in all scans is 0.

    Examples
    --------
    >>> zscored(np.array([[1.0, 7], [3, 7]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    centred, spread = table - table.mean(0), table.std(0)
    # What only rounding tells apart is the same.
    varies = spread > ROUNDING * np.maximum(1, abs(table).max(0))
    return np.where(varies, centred / np.where(varies, spread, 1), 0)


def raw_features(images: NDArray, lung_mask: ArrayLike) -> NDArray[np.float64]:
    """Give the features of :func:`texture_features` in their own units, the mean HU first.

    Examples
    --------
    >>> raw_features(np.full((1, 4, 4), -800.0), np.ones((4, 4), bool))[0, :3].tolist()
    [-800.0, 0.0, 0.0]
    """
    mask = np.asarray(lung_mask, bool)
    if mask.shape != np.shape(images)[1:] or not mask.any():
        raise ValueError(
            f"expected a lung mask of shape {np.shape(images)[1:]} with voxels in it, found shape "
            f"{mask.shape} with {int(mask.sum())}"
        )
    pairs = [pairs_at(mask, distance) for distance in DISTANCES]
    rows = []
    for row, image in enumerate(images):
        hu = np.asarray(image[mask], float)
        if not np.isfinite(hu).all():
            raise ValueError(
                f"expected HU in the lung of every scan, found NaN or infinity in scan {row + 1} "
                f"of {len(images)}"
            )
        grey = grey_levels(hu)
        matrices = [co_occurrence(grey, *pair) for pair in pairs]
        second = np.array([haralick(matrix) for matrix in matrices])
        rows.append(np.r_[first_order(hu), second.T.ravel()])
    return np.array(rows)


def first_order(hu: NDArray) -> NDArray[np.float64]:
    """Mean, standard deviation, skew, excess kurtosis and percentiles 5, 25, 50, 75 and 95.

    Skew and kurtosis of a lung that is the same everywhere are 0.

    Examples
    --------
    >>> first_order(np.array([1.0, 2, 3]))[:4].round(2).tolist()
    [2.0, 0.82, 0.0, -1.5]
    """
    # Where nothing varies both are 0/0, and scipy says so at length.
    shape = [skew(hu), kurtosis(hu)] if np.ptp(hu) > 0 else [0, 0]
    return np.array([hu.mean(), hu.std(), *shape, *np.percentile(hu, [5, 25, 50, 75, 95])])


def grey_levels(hu: NDArray) -> NDArray[np.intp]:
    """Sort HU into the 32 bins from -1000 to 0, the outermost of which are open.

    Examples
    --------
    >>> grey_levels(np.array([-1024.0, -1000, -968, 0, 400])).tolist()
    [0, 0, 1, 31, 31]
    """
    low, high = GREY_RANGE_HU
    return (np.clip((hu - low) / (high - low), 0, 1 - 1e-9) * GREY_LEVELS).astype(np.intp)


def pairs_at(mask: NDArray[np.bool_], distance: int) -> tuple[NDArray, NDArray]:
    """Find the pairs of lung voxels that lie so far apart, along the axes and the diagonals.

    Returns
    -------
    (array of int, array of int)
        Both voxels of each pair, counted among those of the lung.

    Examples
    --------
    >>> [side.tolist() for side in pairs_at(np.array([[True, True], [False, True]]), 1)]
    [[0, 1, 0], [1, 2, 2]]
    """
    numbered = np.full(mask.shape, -1, np.int32)
    numbered[mask] = np.arange(mask.sum())
    sides = []
    for step in _steps(mask.ndim, distance):
        near = tuple(
            slice(max(0, -s), max(0, n - max(0, s))) for s, n in zip(step, mask.shape, strict=True)
        )
        far = tuple(
            slice(max(0, s), max(0, n - max(0, -s))) for s, n in zip(step, mask.shape, strict=True)
        )
        first, second = numbered[near], numbered[far]
        both = (first >= 0) & (second >= 0)
        sides.append((first[both], second[both]))
    first, second = (np.concatenate(side) for side in zip(*sides, strict=True))
    return first, second


def _steps(n_axes: int, distance: int) -> Iterator[tuple[int, ...]]:
    """Yield one of every two opposite directions, as steps of voxels."""
    for direction in product((-1, 0, 1), repeat=n_axes):
        if direction > (0,) * n_axes:
            steps = np.rint(distance * np.array(direction) / np.linalg.norm(direction))
            yield tuple(int(step) for step in steps)


def co_occurrence(grey: NDArray, first: NDArray, second: NDArray) -> NDArray[np.float64]:
    """Tell how often two grey levels lie beside each other: symmetric, of sum 1.

    All zero where there is no pair.

    Examples
    --------
    >>> co_occurrence(np.array([0, 1]), np.array([0]), np.array([1]))[:2, :2].tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    both = grey[first] * GREY_LEVELS + grey[second]
    counts = np.bincount(both, minlength=GREY_LEVELS**2).reshape(GREY_LEVELS, GREY_LEVELS)
    return (counts + counts.T) / max(1, 2 * len(first))


def haralick(matrix: NDArray) -> NDArray[np.float64]:
    """Contrast, dissimilarity, homogeneity, energy and correlation of a co-occurrence matrix.

    The correlation of a single grey level is 1, as IBSI has it.

    Examples
    --------
    >>> haralick(np.array([[0, 0.5], [0.5, 0]])).round(3).tolist()
    [1.0, 1.0, 0.5, 0.707, -1.0]
    """
    levels = np.arange(len(matrix))
    apart = levels[:, None] - levels
    margin = matrix.sum(0)
    mean = margin @ levels
    variance = margin @ (levels - mean) ** 2
    together = (levels - mean) @ matrix @ (levels - mean)
    return np.array(
        [
            (matrix * apart**2).sum(),
            (matrix * abs(apart)).sum(),
            (matrix / (1 + apart**2)).sum(),
            np.sqrt((matrix**2).sum()),
            together / variance if variance > 0 else 1.0,
        ]
    )
