"""Whether the activated area tells clusters apart, at more than one threshold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import kruskal, spearmanr

THRESHOLDS = (0.25, 0.5, 0.75)


def area_by_threshold(
    importance: ArrayLike,
    labels: ArrayLike,
    mask: ArrayLike,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
) -> pd.DataFrame:
    """See whether activated areas differ between known clusters, and whether the threshold decides.

    A map is scaled to its own maximum, so that a strong focus makes the rest of the lung look
    quiet: with the size of a lesion the area may grow at one threshold and shrink at another.

    Parameters
    ----------
    importance : array of float, shape (n_scans, *grid)
        Each scan's map, 0 to 1.
    labels : array of int, shape (n_scans,)
        True clusters from 0, numbered in the order in which the area is asked to grow. The p is
        legitimate because these labels were known before any map; it is not for clusters that
        were found in the same scans.
    mask : array of bool, shape (*grid)
        The lung. Nothing outside is measured.
    thresholds : sequence of float
        Importance above which a pixel counts as activated.

    Returns
    -------
    DataFrame
        One row per threshold and cluster: threshold, cluster, median_px (activated pixels), and
        the same for all clusters of a threshold: rho (Spearman's, of area and cluster number,
        -1 to 1) and p (Kruskal-Wallis test that areas do not differ). Where all areas are the
        same, rho is missing and p is 1.

    Raises
    ------
    ValueError
        If there is not one label per map, there is one cluster only, or the grids differ.

    References
    ----------
    Ryan et al., section 4.2, where the threshold is not given.

    Examples
    --------
    >>> maps = np.zeros((4, 1, 6))
    >>> for scan, size in enumerate([1, 2, 4, 5]):
    ...     maps[scan, 0, :size] = 1
    >>> area_by_threshold(maps, [0, 0, 1, 1], np.ones((1, 6), bool), thresholds=[0.5]).round(2)
       threshold  cluster  median_px   rho     p
    0        0.5        0        1.5  0.89  0.12
    1        0.5        1        4.5  0.89  0.12
    """
    maps, labels, lung = np.asarray(importance), np.asarray(labels), np.asarray(mask, bool)
    if maps.shape != (len(labels), *lung.shape):
        raise ValueError(
            f"expected {len(labels)} maps (one per label) of the mask's grid {lung.shape}, "
            f"found maps of shape {maps.shape}"
        )
    if len(np.unique(labels)) < 2:
        raise ValueError("expected labels of two clusters or more to compare, found one")
    return pd.concat(
        [_at(threshold, (maps[:, lung] > threshold).sum(1), labels) for threshold in thresholds],
        ignore_index=True,
    )


def _at(threshold: float, areas: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame({"cluster": labels, "median_px": areas})
    medians = table.groupby("cluster", as_index=False)["median_px"].median()
    medians.insert(0, "threshold", threshold)
    if np.ptp(areas) == 0:  # ranks that are all tied neither rise nor differ
        return medians.assign(rho=np.nan, p=1.0)
    groups = [areas[labels == k] for k in np.unique(labels)]
    return medians.assign(rho=spearmanr(labels, areas).statistic, p=kruskal(*groups).pvalue)
