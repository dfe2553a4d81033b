"""Principal components of the lung's voxels, without the cohort in memory."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_LINEAR = 60


def linear_features(images: NDArray, lung_mask: ArrayLike) -> NDArray[np.float64]:
    """Principal components (as many as the network has features) of the lung voxels.

    Parameters
    ----------
    images : array, shape (n_scans, *grid)
        Scans in HU or on the network's scale, 2-D or 3-D; the scale carries over to the
        components. A memory map is read one plane of all scans at a time.
    lung_mask : array of bool, shape (*grid)
        Only these voxels count.

    Returns
    -------
    array of float, shape (n_scans, n_components)
        Scores, the widest component first: 60, or fewer where there are few scans.

    Raises
    ------
    ValueError
        If a scan holds NaN or infinity in the lung.

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(size=(9, 4, 4))
    >>> linear_features(images, np.ones((4, 4), bool)).shape
    (9, 8)
    """
    inside, n = np.asarray(lung_mask, bool), len(images)
    products = np.zeros((n, n))
    for plane, mask in enumerate(inside):
        voxels = np.asarray(images[:, plane][:, mask], float)
        voxels -= voxels.mean(0)
        products += voxels @ voxels.T
    if not np.isfinite(products).all():
        raise ValueError("expected finite numbers in the lungs, found NaN or infinity in a scan")
    # The scores are the eigenvectors of the scans' products: one by one as wide as the spread.
    values, vectors = np.linalg.eigh(products)
    widest = slice(None, -min(N_LINEAR, n - 1, int(inside.sum())) - 1, -1)
    return vectors[:, widest] * np.sqrt(values[widest].clip(0))
