"""How much of the lung a map marks, where, and how dense it is there: descriptive, never tested."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from skimage.filters import threshold_otsu

from clamlab.stats.maps.regions import LEFT, RIGHT, inside, paired, side_labels, thirds
from clamlab.stats.tables.comparisons import standardised_difference
from clamlab.stats.variables import DERIVED_REASON

SIDES = ("both", "right", "left")
ZONES = ("all", "upper", "middle", "lower")


def map_measures(
    importance: Iterable[np.ndarray],
    mask: np.ndarray,
    spacing_mm: Sequence[float],
    *,
    volumes: Iterable[np.ndarray] | None = None,
    lungs: np.ndarray | None = None,
    subjects: Sequence[str] | None = None,
    thresholds: Sequence[float] = (0.25, 0.5, 0.75),
) -> pd.DataFrame:
    """Measure the activated part of the lung on each scan's importance map, whole and by region.

    A map is scaled to its own maximum, so any one threshold is arbitrary: read the curve
    over thresholds beside the sum that needs none.

    Parameters
    ----------
    importance : array of float, shape (n_scans, *grid), or an iterator of maps
        Importance from 0 to 1 at full size, RAS+ in 3-D, as displayed in 2-D. An iterator
        is consumed one map at a time.
    mask : array of bool, shape grid
        The lung. Nothing outside is measured.
    spacing_mm : sequence of float
        Voxel size along each axis.
    volumes : array, shape (n_scans, *grid), or an iterator, optional
        The scans in HU, in the same order, for the mean density of the activated part.
    lungs : array of int, shape grid, optional
        1 right lung, 2 left. Without it, the sides are told by the sagittal plane with
        the fewest lung voxels in the middle half of the lungs' width.
    subjects : sequence of str, optional
        Subject of each map, in the same order: becomes the column ``subject_id``.
    thresholds : sequence of float
        Importance above which a voxel counts as activated.

    Returns
    -------
    DataFrame
        One row per scan, side (both, right, left), zone (all, and in 3-D upper, middle,
        lower: thirds of the lung's volume from top to bottom) and rule:

        - rule "fixed": ``size`` is the activated volume above ``threshold``;
        - rule "otsu": the same above Otsu's threshold of that map (missing if it is flat);
        - rule "sum": importance summed over the region, no threshold.

        ``size`` is in ``unit`` (ml, or cm2 in 2-D), ``share`` is size over the region's
        own, ``mean_hu`` the mean density of the activated part (for "sum" weighted by
        importance). ``source`` is "derived".

    Raises
    ------
    ValueError
        If shapes differ, the mask is empty, a map holds NaN, or maps and volumes differ
        in number.

    Notes
    -----
    Maps come from a coarse layer: below about one cell of that layer (24 mm cubed, 14 ml,
    for 11 cells over 88 voxels of 3 mm) a volume is an artefact of interpolation.
    No p-values are given: the maps come from the very network that made the clusters.

    Examples
    --------
    >>> maps = np.zeros((1, 4, 4, 4))
    >>> maps[0, 2:, :, 2:] = 1.0
    >>> measures = map_measures(maps, np.ones((4, 4, 4), bool), (10, 10, 10), thresholds=[0.5])
    >>> row = measures.query("rule == 'fixed' and side == 'right' and zone == 'all'").iloc[0]
    >>> float(row["size"]), row["unit"], float(row["share"])
    (16.0, 'ml', 0.5)
    """
    mask = np.asarray(mask, dtype=bool)
    _check(mask, spacing_mm, lungs)
    voxel = float(np.prod(spacing_mm)) / (1000 if mask.ndim == 3 else 100)
    regions = _regions(mask, lungs)
    records: list[dict] = []
    scan = -1
    for scan, (one, hu) in enumerate(paired(importance, volumes)):
        values = inside(one, mask, scan, "map")
        density = None if hu is None else inside(hu, mask, scan, "volume")
        records += _measure(values, density, regions, thresholds, voxel, scan)
    if not records:
        raise ValueError("no importance map was given")
    measures = pd.DataFrame(records)
    measures["unit"] = "ml" if mask.ndim == 3 else "cm2"
    measures["source"] = "derived"
    if subjects is not None:
        if len(subjects) != scan + 1:
            raise ValueError(f"{len(subjects)} subjects for {scan + 1} maps: give one per map")
        measures.insert(0, "subject_id", np.asarray(subjects)[measures["scan"]])
    return measures


def measures_by_cluster(measures: pd.DataFrame, clusters: Sequence[int]) -> pd.DataFrame:
    """Describe the map measures of each cluster, with standardised differences and no p-values.

    Parameters
    ----------
    measures : DataFrame
        From :func:`map_measures`.
    clusters : sequence of int, shape (n_scans,)
        Cluster of each scan, from 0, in the order of the maps.

    Returns
    -------
    DataFrame
        One row per region, rule, threshold and measure (size, share, mean_hu): with
        ``part`` "summary", n, mean, sd and median per cluster; with ``part`` "pairwise",
        smd of ``group`` minus ``other_group`` with its 95 % interval. ``note`` says why
        there is no p.

    Raises
    ------
    ValueError
        If there is not one cluster per scan.

    Examples
    --------
    >>> maps = np.random.default_rng(0).random((4, 6, 6, 6))
    >>> measures = map_measures(maps, np.ones((6, 6, 6), bool), (10, 10, 10))
    >>> summary = measures_by_cluster(measures, [0, 0, 1, 1])
    >>> summary.loc[summary["part"] == "summary", "group"].unique().tolist()
    [0, 1]
    """
    labels = np.asarray(clusters).astype(int)
    n_scans = measures["scan"].max() + 1
    if len(labels) != n_scans:
        raise ValueError(f"{len(labels)} clusters for maps of {n_scans} scans: give one per scan")
    # Otsu's threshold is the scan's own, so it cannot tell the rows of one rule apart.
    fixed = measures["threshold"].where(measures["rule"] == "fixed")
    known = measures.assign(threshold=fixed, cluster=labels[measures["scan"]])
    records = []
    keys = ["side", "zone", "rule", "threshold"]
    for region, rows in known.groupby(keys, sort=False, dropna=False):
        for measure in ("size", "share", "mean_hu"):
            named = {**dict(zip(keys, region, strict=True)), "measure": measure}
            samples = {
                int(code): part[measure].dropna().to_numpy()
                for code, part in rows.groupby("cluster")
            }
            records += [{**named, **row} for row in _describe(samples)]
    return pd.DataFrame(records).assign(source="derived", note=DERIVED_REASON)


def _describe(samples: dict[int, np.ndarray]) -> Iterator[dict]:
    for code, values in samples.items():
        row = {"part": "summary", "group": code, "n": len(values)}
        if len(values):
            row |= {"mean": values.mean(), "median": np.median(values)}
        if len(values) > 1:
            row["sd"] = values.std(ddof=1)
        yield row
    for first, second in combinations(samples, 2):
        pair = {"part": "pairwise", "group": first, "other_group": second}
        if min(len(samples[first]), len(samples[second])) > 1:
            smd = standardised_difference(samples[first], samples[second])
            pair |= {key: value for key, value in smd.items() if key != "note"}
        yield pair


def _check(mask: np.ndarray, spacing_mm: Sequence[float], lungs: np.ndarray | None) -> None:
    if mask.ndim not in (2, 3) or not mask.any():
        raise ValueError(f"the mask must be 2-D or 3-D and not empty, found shape {mask.shape}")
    if len(spacing_mm) != mask.ndim:
        raise ValueError(f"{mask.ndim} voxel sizes expected, found {len(spacing_mm)}")
    if lungs is not None and np.shape(lungs) != mask.shape:
        raise ValueError(f"lung labels of shape {np.shape(lungs)} on a mask of {mask.shape}")


def _regions(mask: np.ndarray, lungs: np.ndarray | None) -> dict[tuple[str, str], np.ndarray]:
    """Tell, for every side and zone, which of the lung voxels belong to it."""
    side = np.asarray(lungs)[mask] if lungs is not None else side_labels(mask)
    everywhere = np.ones(int(mask.sum()), dtype=bool)
    sides = dict(zip(SIDES, (everywhere, side == RIGHT, side == LEFT), strict=True))
    zones = {"all": everywhere}
    if mask.ndim == 3:
        third = thirds(mask)
        zones |= {name: third == i for i, name in enumerate(ZONES[1:])}
    return {(s, z): sides[s] & zones[z] for s in sides for z in zones}


def _measure(
    values: np.ndarray,
    density: np.ndarray | None,
    regions: dict[tuple[str, str], np.ndarray],
    thresholds: Sequence[float],
    voxel: float,
    scan: int,
) -> Iterator[dict]:
    otsu = threshold_otsu(values) if np.ptp(values) > 0 else np.nan
    rules = [("fixed", level) for level in thresholds] + [("otsu", otsu), ("sum", np.nan)]
    for rule, level in rules:
        weight = values if rule == "sum" else (values > level).astype(float)
        for (side, zone), members in regions.items():
            marked = weight[members]
            total = marked.sum()
            size = np.nan if rule == "otsu" and np.isnan(level) else total * voxel
            hu = marked @ density[members] / total if density is not None and total else np.nan
            yield {
                "scan": scan,
                "side": side,
                "zone": zone,
                "rule": rule,
                "threshold": level,
                "size": size,
                "share": size / (voxel * members.sum() or np.nan),
                "mean_hu": hu,
            }
