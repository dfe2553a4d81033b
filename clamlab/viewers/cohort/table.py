"""What is known of each scan of a cohort, as the cohort viewer lists it."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def borderline_scans(soft_assignments: ArrayLike) -> tuple[NDArray, NDArray]:
    """Find the scans whose cluster is least certain.

    Parameters
    ----------
    soft_assignments : array (n, K)

    Returns
    -------
    tuple of array (n,)
        Scans from least to most certain, and each scan's margin (not sorted): its largest
        probability minus the second largest.

    Examples
    --------
    >>> order, margins = borderline_scans([[0.9, 0.1], [0.45, 0.55]])
    >>> order.tolist(), margins.round(2).tolist()
    ([1, 0], [0.8, 0.1])
    """
    likeliest = np.sort(np.asarray(soft_assignments, dtype=float), axis=1)[:, ::-1]
    margins = likeliest[:, 0] - likeliest[:, 1] if likeliest.shape[1] > 1 else likeliest[:, 0]
    return np.argsort(margins, kind="stable"), margins


def checked_soft(soft_assignments: ArrayLike) -> NDArray:
    """Return probabilities (n, K) as floats, once each scan has some.

    Raises
    ------
    ValueError
        If they have another shape, or a scan has none: it would seem to be of the first cluster.

    Examples
    --------
    >>> checked_soft([[1], [1]]).shape
    (2, 1)
    """
    soft = np.asarray(soft_assignments, dtype=float)
    if soft.ndim != 2 or not soft.size:
        raise ValueError(f"expected soft assignments (n, K), found shape {soft.shape}")
    unknown = ~np.isfinite(soft).all(axis=1)
    if unknown.any():
        raise ValueError(
            f"expected a probability of every cluster, found none in {unknown.sum()} of "
            f"{len(soft)} scans (first in row {int(unknown.argmax())}): run notebook 05 again"
        )
    return soft


def cohort_table(
    volumes: NDArray, features: NDArray, soft: NDArray, *, table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put what is known of each scan side by side: subject, cluster, confidence, own columns.

    Examples
    --------
    >>> cohort_table(np.zeros((1, 4, 4)), [[0.0]], np.array([[0.3, 0.7]])).iloc[0].to_dict()
    {'subject_id': 'Scan 1', 'Cluster': 'Cluster 2', 'Confidence': 0.7}
    """
    sizes = {"volumes": len(volumes), "features": len(features), "soft_assignments": len(soft)}
    if table is not None:
        sizes["table"] = len(table)
    if len(set(sizes.values())) > 1:
        raise ValueError(f"one row per scan everywhere, found {sizes}")
    own = {"Cluster": [f"Cluster {k + 1}" for k in soft.argmax(1)], "Confidence": soft.max(1)}
    if table is None:
        return pd.DataFrame({"subject_id": [f"Scan {i + 1}" for i in range(len(soft))], **own})
    table = table.reset_index(drop=True)
    names = table.get("subject_id", pd.Series([f"Scan {i + 1}" for i in range(len(soft))]))
    if names.isna().any():
        raise ValueError(
            f"expected a subject_id in each row, found none in row {names.isna().argmax()}"
        )
    rest = table.drop(columns=["subject_id", "cluster", "confidence", *own], errors="ignore")
    return pd.DataFrame({"subject_id": names.astype(str), **own}).join(rest)
