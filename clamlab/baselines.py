"""Clusters that needed no network: what deep clustering must be held against.

Where a baseline finds the same clusters, nobody needed a network to find them.
"""

import numpy as np
from scipy.stats import kurtosis, skew
from skimage.feature import graycomatrix, graycoprops

from clamlab.selection.criteria import kmeans

__all__ = ["Baseline", "linear_features", "texture_features"]

N_LINEAR = 60
GREY_LEVELS = 32
GREY_RANGE_HU = (-1000, 0)
DISTANCES_PX = (1, 2, 4)
ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
GLCM_PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")


def linear_features(images, lung_mask) -> np.ndarray:
    """Principal components (as many as the network has features) of the lung pixels.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
        Scans in HU or on the network's scale; the scale carries over to the components.
    lung_mask : array of bool, shape (*grid)
        Only these pixels count.

    Returns
    -------
    array of float, shape (n_scans, n_components)
        Scores, the widest component first: 60, or fewer where there are few scans or pixels.

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(size=(9, 4, 4))
    >>> linear_features(images, np.ones((4, 4), bool)).shape
    (9, 8)
    """
    pixels = np.asarray(images, float)[:, lung_mask]
    left, size, _ = np.linalg.svd(pixels - pixels.mean(0), full_matrices=False)
    kept = min(N_LINEAR, len(pixels) - 1)
    return (left * size)[:, :kept]


def texture_features(images, lung_mask) -> np.ndarray:
    """First-order and grey-level co-occurrence features of the lung, z-scored over the cohort.

    The 32 grey levels span -1000 to 0 HU; pairs with a pixel outside the lung are left out.

    Parameters
    ----------
    images : array, shape (n_scans, rows, columns)
        Slices in HU.
    lung_mask : array of bool, shape (rows, columns)
        The lung, the same for all slices.

    Returns
    -------
    array of float, shape (n_scans, 24)
        Mean, standard deviation, skew, kurtosis and five percentiles (5, 25, 50, 75, 95) of the HU;
        then contrast, dissimilarity, homogeneity, energy and correlation at 1, 2 and 4 pixels. A
        feature that is the same in all scans is 0.

    References
    ----------
    Haralick, Shanmugam & Dinstein, IEEE Trans. Syst. Man Cybern. 3(6), 610-621 (1973).

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(-800, 80, size=(5, 16, 16))
    >>> texture_features(images, np.ones((16, 16), bool)).shape
    (5, 24)
    """
    table = np.array([_texture(image, lung_mask) for image in np.asarray(images, float)])
    spread = table.std(0)
    return (table - table.mean(0)) / np.where(spread > 0, spread, 1)


def _texture(image, lung_mask) -> np.ndarray:
    hu = image[lung_mask]
    first = [
        hu.mean(),
        hu.std(),
        skew(hu),
        kurtosis(hu),
        *np.percentile(hu, [5, 25, 50, 75, 95]),
    ]
    low, high = GREY_RANGE_HU
    grey = np.clip((image - low) / (high - low), 0, 1 - 1e-9) * GREY_LEVELS
    # Level 0 is kept for outside the lung and cut from the matrix again.
    levels = np.where(lung_mask, grey.astype(int) + 1, 0).astype(np.uint8)
    pairs = graycomatrix(levels, DISTANCES_PX, ANGLES, levels=GREY_LEVELS + 1, symmetric=True)
    inside = pairs[1:, 1:].sum(3, keepdims=True).astype(float)
    inside /= np.maximum(inside.sum((0, 1)), 1)
    second = [graycoprops(inside, name)[:, 0] for name in GLCM_PROPERTIES]
    return np.r_[first, np.concatenate(second)]


class Baseline:
    """Cluster features that need no training, by k-means.

    Parameters
    ----------
    features : array, shape (n_scans, n_features)
        For instance from :func:`linear_features` or :func:`texture_features`.
    seed : int
        Of the 20 starts of k-means.

    Examples
    --------
    >>> clusters, _ = Baseline(np.array([[0.0], [1.0], [9.0]]), seed=0).cluster(2)
    >>> bool(clusters[0] == clusters[1]), bool(clusters[1] == clusters[2])
    (True, False)
    """

    def __init__(self, features, *, seed: int):
        self.features, self.seed = features, seed

    def cluster(self, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
        """Give each scan's cluster, and the features, which stay what they were."""
        return kmeans(self.features, n_clusters, seed=self.seed).labels_, self.features
