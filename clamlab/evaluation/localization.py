"""Whether a map points at the place that is known to differ."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import center_of_mass, label

from clamlab.clam.maps import check_computed


def localization(
    maps: ArrayLike,
    truth: ArrayLike,
    mask: ArrayLike,
    *,
    spacing_mm: float | ArrayLike = 1.0,
) -> pd.DataFrame:
    """Hold maps against the places that are known to differ, inside the lung.

    Parameters
    ----------
    maps : array, shape (n_scans, *grid) or (*grid)
        Importance; what is negative counts as nothing.
    truth : array of bool, shape (n_scans, *grid) or (*grid)
        Each scan's true place (or one for all): a lesion, or where two clusters really differ.
    mask : array of bool, shape (*grid)
        The lung. Maps and truth outside it are not looked at.
    spacing_mm : float or sequence of float
        Size of a voxel along each axis.

    Returns
    -------
    DataFrame, one row per scan
        ``scan`` (row number), ``iou`` (of the truth T with the map's |T| highest voxels, 0 to 1),
        ``peak_distance_mm`` (from the map's peak to the centre of the nearest connected part of
        T), ``peak_inside`` (1 where the peak lies in T), ``energy_inside`` (share of the map's
        sum in T), ``chance`` (that share for an even map: |T| / lung), ``chance_iou`` (of a
        random map, in expectation's first order) and ``empty``. An empty map points nowhere:
        its shares are 0 and its peak distance is missing. Without a true place all is missing.

    Raises
    ------
    ValueError
        If the grids differ.

    Examples
    --------
    >>> truth = np.zeros((6, 6), bool); truth[1:3, 1:3] = True
    >>> found = localization(2.0 * truth, truth, np.ones((6, 6), bool), spacing_mm=3)
    >>> found[["iou", "peak_distance_mm", "energy_inside"]].round(2).to_numpy().tolist()
    [[1.0, 2.12, 1.0]]
    """
    mask = np.asarray(mask).astype(bool)
    maps = np.asarray(maps, "float64").reshape(-1, *np.shape(maps)[-mask.ndim :])
    truths = np.asarray(truth).astype(bool).reshape(-1, *np.shape(truth)[-mask.ndim :])
    if maps.shape[1:] != mask.shape or truths.shape[1:] != mask.shape:
        raise ValueError(
            f"maps {maps.shape[1:]}, truth {truths.shape[1:]} and mask {mask.shape} need one grid"
        )
    check_computed(maps, "maps")
    truths = np.broadcast_to(truths, maps.shape)
    spacing = np.broadcast_to(np.asarray(spacing_mm, float), (mask.ndim,))
    rows = [
        _compare(np.where(mask, np.maximum(m, 0), 0), t & mask, mask, spacing)
        for m, t in zip(maps, truths, strict=True)
    ]
    return pd.DataFrame(rows).rename_axis("scan").reset_index()


def _compare(shown: NDArray, truth: NDArray, mask: NDArray, spacing: NDArray) -> dict:
    size, empty = int(truth.sum()), not shown.any()
    measures = {"iou": np.nan, "peak_distance_mm": np.nan, "peak_inside": np.nan}
    measures |= {"energy_inside": np.nan, "chance": np.nan, "chance_iou": np.nan}
    if size:
        chance = size / mask.sum()
        measures |= {"iou": 0.0, "peak_inside": 0.0, "energy_inside": 0.0}
        measures |= {"chance": chance, "chance_iou": chance / (2 - chance)}
    if size and not empty:
        peak = np.unravel_index(shown.argmax(), shown.shape)
        measures |= {
            "iou": _overlap(shown, truth, size),
            "peak_distance_mm": _distance(peak, truth, spacing),
            "peak_inside": float(truth[peak]),
            "energy_inside": float(shown[truth].sum() / shown.sum()),
        }
    return measures | {"empty": empty}


def _overlap(shown: NDArray, truth: NDArray, size: int) -> float:
    # Zeros are no answer: a map with fewer positive voxels than |T| shows only those.
    highest = np.argsort(-shown, axis=None, kind="stable")[: min(size, np.count_nonzero(shown))]
    both = np.count_nonzero(truth.ravel()[highest])
    return both / (len(highest) + size - both)


def _distance(peak: tuple, truth: NDArray, spacing: NDArray) -> float:
    parts, n_parts = label(truth)
    centres = np.array(center_of_mass(truth, parts, range(1, n_parts + 1)))
    return float(np.linalg.norm((centres - np.array(peak)) * spacing, axis=1).min())
