"""How each scan was made, as facts that clusters can be held against."""

import numpy as np
import pandas as pd

NAMES = (
    "format", "kernel", "contrast", "manufacturer", "scanner_model", "kvp", "image_type",
    "thickness_mm", "slices", "slices_left_out", "slices_filled", "resampled", "coverage_mm",
    "lung_mask", "in_template",
)  # fmt: skip
NOT_RECORDED = "not recorded"


def scan_facts(qc: pd.DataFrame) -> pd.DataFrame:
    """See what the headers say of every scan, one fact a column, for :func:`shortcut_alarm`.

    Parameters
    ----------
    qc : DataFrame
        The quality table of the volumes: one row per scan, with ``subject_id``.

    Returns
    -------
    DataFrame
        Indexed by subject: the facts that the table has, and ``in_plane_mm`` and
        ``slice_distance_mm`` for its ``spacing_mm`` ("0.7 x 0.7 x 1": right, front and up), of
        which the first is the geometric mean of two; missing where that cannot be read.

    Raises
    ------
    ValueError
        If the table has no ``subject_id``.

    Examples
    --------
    >>> qc = pd.DataFrame({"subject_id": ["a", "b"], "kvp": [120.0, 100.0],
    ...                    "spacing_mm": ["0.8 x 0.8 x 1", None]})
    >>> scan_facts(qc).reset_index().values.tolist()
    [['a', 120.0, 0.8, 1.0], ['b', 100.0, nan, nan]]
    """
    if "subject_id" not in qc:
        raise ValueError(f"expected the column subject_id, found {', '.join(map(str, qc))}")
    scans = qc.set_index("subject_id")
    facts = scans[[name for name in NAMES if name in scans]].copy()
    if "spacing_mm" in scans:
        sides = scans["spacing_mm"].astype("string").str.split(" x ", expand=True)
        sides = sides.reindex(columns=range(3)).apply(pd.to_numeric, errors="coerce")
        facts["in_plane_mm"] = np.sqrt(sides[0] * sides[1]).astype(float).round(3)
        facts["slice_distance_mm"] = sides[2].astype(float)
    return facts
