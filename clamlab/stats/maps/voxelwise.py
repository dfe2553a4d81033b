"""Where in the lung maps go along with a clinical variable, corrected for looking everywhere."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

Progress = bool | Callable[[int], object]


ROUNDING = 1e-18  # of a sum of squares: what is less is none


class UntestableError(ValueError):
    """The values that are there allow no test; the message says why."""


def voxelwise_association(
    maps: ArrayLike,
    variable: ArrayLike,
    *,
    confounders: pd.DataFrame | NDArray | None = None,
    n_permutations: int = 2000,
    seed: int,
    progress: Progress = False,
) -> tuple[NDArray, NDArray]:
    """Find the places where maps go along with a clinical variable.

    A linear model at every voxel. What the confounders leave of the variable is permuted over the
    scans (Smith's method), and p-values are those of the largest |t| of all voxels, so that the
    chance of any false place at all is held.

    Parameters
    ----------
    maps : array, shape (n_scans, *grid)
        At the layer's own grid or inside the lung only: what varies nowhere has t 0 and p 1.
    variable : array of float, shape (n_scans,)
        A variable from outside the image. Scans for which it, or a confounder, is missing are left
        out.
    confounders : table or array of float, shape (n_scans, n_confounders), optional
        What to adjust for, in numbers.
    n_permutations : int
        With none there is t alone, at once: p is missing everywhere.
    seed : int
    progress : bool or callable
        True shows a progress bar. A callable is told before each permutation how many are done;
        what it raises ends the work.

    Returns
    -------
    t, p : arrays, shape (*grid)
        t of the variable at every voxel, and its p-value corrected for all voxels.

    Raises
    ------
    ValueError
        If lengths differ; as UntestableError if too few scans are left for the model, or the
        variable is constant or told by the confounders.

    Notes
    -----
    Never give it the clusters: the maps come from the network that made them, and any test would
    call that significant. Between clusters, ``clam.describe_maps`` has effect sizes.

    References
    ----------
    Nichols & Holmes, Hum. Brain Mapp. 15(1), 1-25 (2002); Winkler et al., NeuroImage 92, 381-397
    (2014).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(60, 10, size=80)
    >>> maps = rng.normal(size=(80, 5)) + np.outer(age - 60, [0, 0, 0.1, 0, 0])
    >>> t, p = voxelwise_association(maps, age, n_permutations=200, seed=1)
    >>> (p < 0.05).tolist()
    [False, False, True, False, False]
    """
    maps, wanted = np.asarray(maps, float), np.asarray(variable, float)
    others = np.empty((len(maps), 0)) if confounders is None else np.asarray(confounders, float)
    if not len(maps) == len(wanted) == len(others):
        raise ValueError(
            f"one value per map expected: {len(maps)} maps, {len(wanted)} values of the variable, "
            f"{len(others)} of the confounders"
        )
    known = ~np.isnan(np.column_stack([wanted, others])).any(axis=1)
    design = np.column_stack([np.ones(known.sum()), others[known]])
    free = int(known.sum()) - design.shape[1] - 1
    if free < 2:
        raise UntestableError(
            f"{known.sum()} complete scans are too few for {design.shape[1] + 1} terms"
        )
    voxels = maps[known].reshape(int(known.sum()), -1)
    left = _residuals(design, voxels)
    regressor = _residuals(design, wanted[known][:, None])[:, 0]
    if not regressor.std() > 1e-9 * np.abs(wanted[known]).max():
        raise UntestableError("the variable is constant, or the confounders tell it exactly")
    total = (left**2).sum(axis=0)
    total[total <= ROUNDING * (voxels**2).sum(axis=0)] = 0  # varies nowhere
    observed = _t(regressor, left, total, free)
    rng = np.random.default_rng(seed)
    largest = np.empty(n_permutations)
    for i in _counted(n_permutations, progress):
        shuffled = _residuals(design, rng.permutation(regressor)[:, None])[:, 0]
        largest[i] = np.abs(_t(shuffled, left, total, free)).max()
    grid = maps.shape[1:]
    if n_permutations == 0:
        return observed.reshape(grid), np.full(grid, np.nan)
    exceeded = np.searchsorted(np.sort(largest), np.abs(observed), side="left")
    p = (1 + n_permutations - exceeded) / (1 + n_permutations)
    return observed.reshape(grid), p.reshape(grid)


def _counted(n: int, progress: Progress) -> Iterable[int]:
    """Count permutations, and tell how far they are whoever asks."""
    if not callable(progress):
        yield from tqdm(range(n), "permutations", disable=not progress)
        return
    for i in range(n):
        progress(i)
        yield i


def _residuals(design: NDArray, values: NDArray) -> NDArray:
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


def _t(regressor: NDArray, left: NDArray, total: NDArray, free: int) -> NDArray:
    """Give the t of a regressor that the design has been taken out of, at every voxel."""
    # In units of its own length: whether an outcome is given in g or in ng changes nothing.
    along = regressor / np.sqrt(regressor @ regressor) @ left
    unexplained = np.maximum(total - along**2, ROUNDING * total)
    return np.divide(along, np.sqrt(unexplained / free), out=np.zeros_like(along), where=total > 0)
