"""Whether a cohort can be learned from, seen before hours are spent on it."""

import hashlib
from typing import Any

import numpy as np

from clamlab.clustering.checks import check_scans


def check_cohort(images: Any) -> int:
    """Read every scan once; tell how many are different, or raise ValueError where none can learn.

    Parameters
    ----------
    images : array or ScaledVolumes, shape (n_scans, *grid)

    Returns
    -------
    int
        Scans that stand twice count once.

    Raises
    ------
    ValueError
        If there are fewer than two scans, all are the same, or one holds NaN or infinity; the
        message names its row.

    Examples
    --------
    >>> check_cohort(np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]]))
    2
    """
    n_scans = len(images)
    if n_scans < 2:
        raise ValueError(
            f"a network learns what scans differ in: expected two scans or more, found {n_scans}"
        )
    different = set()
    for row in range(n_scans):
        scan = np.ascontiguousarray(images[row])
        check_scans(scan[None], [row])
        different.add(hashlib.blake2b(scan.data).digest())
    if len(different) == 1:
        raise ValueError(
            f"all {n_scans} scans are the same, voxel by voxel: there is nothing to learn; was one "
            "file read for every subject?"
        )
    return len(different)
