"""What choosing a number of clusters, and judging one, ask of features."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.clustering.checks import check_seed, check_whole, finite_features

FEWEST_SCANS = 5


def checked_features(
    features: ArrayLike, seed: Any, *, name: str, n_clusters: Any
) -> NDArray[np.float64]:
    """Return features that so many clusters can be looked for in, or raise ValueError.

    >>> checked_features(np.eye(9), 0, name="k_max", n_clusters=8)
    Traceback (most recent call last):
    ValueError: k_max must be from 2 and below half the number of scans (9/2), as a cluster needs
    more than two scans to be one; found 8, take at most 4
    """
    x = finite_features(features)
    check_whole(name, n_clusters, least=2)
    check_seed(seed)
    if len(x) < FEWEST_SCANS:
        raise ValueError(
            f"clusters take {FEWEST_SCANS} scans or more, as one needs more than two scans to be "
            f"one; found {len(x)}"
        )
    most = (len(x) - 1) // 2
    if n_clusters > most:
        raise ValueError(
            f"{name} must be from 2 and below half the number of scans ({len(x)}/2), as a cluster "
            f"needs more than two scans to be one; found {n_clusters}, take at most {most}"
        )
    if not np.ptp(x, axis=0).any():
        raise ValueError("no feature varies between scans: look at the encoder's training history")
    return x
