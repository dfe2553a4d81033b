"""Which scans are most like a scan."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.points.projections import finite


def nearest_scans(features: ArrayLike, scan: int, n: int = 5) -> tuple[NDArray, NDArray]:
    """Find the scans most like one of them: nearest in feature space, not on the screen.

    Parameters
    ----------
    features : array (n_scans, n_features)
    scan : int
        Row of the scan; it is not among its own neighbours.
    n : int
        How many; all others where the cohort has no more.

    Returns
    -------
    tuple of array
        Rows of the nearest, from near to far, and their Euclidean distances. Of scans equally
        far the one that comes first in the cohort is first.

    Raises
    ------
    ValueError
        If there is no such row, `n` is less than 1, or a feature is not a finite number.

    Examples
    --------
    >>> rows, distances = nearest_scans([[0.0], [2.0], [1.0], [-1.0]], 0, n=2)
    >>> rows.tolist(), distances.tolist()
    ([2, 3], [1.0, 1.0])
    """
    values = finite(features)
    if not 0 <= scan < len(values):
        raise ValueError(f"expected a scan from 0 to {len(values) - 1}, found {scan}")
    if n < 1:
        raise ValueError(f"expected at least 1 neighbour, found {n}")
    distances = np.linalg.norm(values - values[scan], axis=1)
    order = np.argsort(distances, kind="stable")
    nearest = order[order != scan][:n]
    return nearest, distances[nearest]
