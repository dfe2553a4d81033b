"""In which part of the lung a map lies: side, height, depth, lobe and density."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from clamlab.stats.maps.regions import LEFT, RIGHT, inside, paired, side_labels, thirds

HU_BANDS = {
    "below -950 HU": (-np.inf, -950),
    "-950 to -700 HU": (-950, -700),
    "-700 to -500 HU": (-700, -500),
    "-500 to -200 HU": (-500, -200),
    "above -200 HU": (-200, np.inf),
}


def zone_shares(
    importance: Iterable[np.ndarray],
    mask: np.ndarray,
    spacing_mm: Sequence[float],
    *,
    lungs: np.ndarray | None = None,
    lobes: np.ndarray | None = None,
    lobe_names: dict[int, str] | None = None,
    volumes: Iterable[np.ndarray] | None = None,
    subjects: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Put a map into words: which share of its importance lies in which part of the lung.

    Parameters
    ----------
    importance : array of float, shape (n_scans, *grid), or an iterator of maps
        Not negative, at full size, RAS+ in 3-D, as displayed in 2-D. Any map: only shares count.
    mask : array of bool, shape grid
        The lung.
    spacing_mm : sequence of float
        Voxel size along each axis.
    lungs : array of int, shape grid, optional
        1 right lung, 2 left; told from the mask without it.
    lobes : array of int, shape grid, optional
        A lobe map on the same grid, 0 outside; yours, as none can be shipped.
    lobe_names : dict of int to str, optional
        Names of the lobe map's numbers.
    volumes : array, shape (n_scans, *grid), or an iterator, optional
        The scans in HU, in the same order, for the bands of density.
    subjects : sequence of str, optional
        Becomes the column ``subject_id``.

    Returns
    -------
    DataFrame
        One row per scan, ``partition`` and ``zone``: ``share`` of the map's importance, 0 to 1
        (missing where a map is empty); ``lung_share``, the zone's share of the lung's voxels, which
        is what a map without any preference would have; ``ratio`` of the two. Partitions: side
        (right, left); third (upper, middle, lower, in 3-D; equal volumes); depth (peripheral, the
        half of each lung nearest to its surface, and central); lobe; density (HU bands).

    Raises
    ------
    ValueError
        If shapes differ, a map holds NaN or is negative, or subjects and maps differ in number.

    Notes
    -----
    Maps of a coarse layer cannot tell neighbouring zones apart within one of its cells.

    Examples
    --------
    >>> maps = np.zeros((1, 4, 4, 4))
    >>> maps[0, 2:, :, 2:] = 1.0
    >>> table = zone_shares(maps, np.ones((4, 4, 4), bool), (10, 10, 10))
    >>> table.set_index("zone")["share"].loc[["right", "left"]].tolist()
    [1.0, 0.0]
    """
    mask = np.asarray(mask, bool)
    fixed = _partitions(mask, spacing_mm, lungs, lobes, lobe_names)
    rows: list[dict] = []
    n_maps = 0
    for scan, (one, hu) in enumerate(paired(importance, volumes)):
        values = inside(one, mask, scan, "map")
        if (values < 0).any():
            raise ValueError(f"map {scan} is negative somewhere: shares need importance from 0 on")
        zones = fixed
        if hu is not None:
            zones = fixed | {"density": _bands(inside(hu, mask, scan, "volume"))}
        rows += [{"scan": scan, **row} for row in _shares(values, zones)]
        n_maps += 1
    table = pd.DataFrame(rows)
    if subjects is not None:
        if len(subjects) != n_maps:
            raise ValueError(f"{len(subjects)} subjects for {n_maps} maps: give one per map")
        table.insert(0, "subject_id", np.asarray(subjects)[table["scan"]])
    return table


def _partitions(mask, spacing_mm, lungs, lobes, lobe_names) -> dict[str, dict[str, np.ndarray]]:
    """Tell for every partition and zone which lung voxels belong to it."""
    for name, labels in (("lung", lungs), ("lobe", lobes)):
        if labels is not None and np.shape(labels) != mask.shape:
            raise ValueError(f"{name} labels of shape {np.shape(labels)} on a mask of {mask.shape}")
    side = np.asarray(lungs)[mask] if lungs is not None else side_labels(mask)
    partitions = {"side": {"right": side == RIGHT, "left": side == LEFT}}
    if mask.ndim == 3:
        third = thirds(mask)
        partitions["third"] = {n: third == i for i, n in enumerate(("upper", "middle", "lower"))}
    outer = _outer_half(mask, spacing_mm, side)
    partitions["depth"] = {"peripheral": outer, "central": ~outer}
    if lobes is not None:
        lobe, names = np.asarray(lobes)[mask], lobe_names or {}
        numbers = np.unique(lobe[lobe > 0]).tolist()
        partitions["lobe"] = {names.get(int(n), f"lobe {n:g}"): lobe == n for n in numbers}
    return partitions


def _depth(mask: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Measure how far each voxel lies from the lung's surface, at the edge of the grid too."""
    depth = distance_transform_edt(np.pad(mask, 1), sampling=spacing_mm)
    return depth[(slice(1, -1),) * mask.ndim]


def _outer_half(mask: np.ndarray, spacing_mm: Sequence[float], side: np.ndarray) -> np.ndarray:
    """Mark the half of each lung's voxels that is nearest to its surface."""
    depth = _depth(mask, spacing_mm)[mask]
    outer = np.zeros(len(depth), bool)
    for lung in np.unique(side):
        members = np.flatnonzero(side == lung)
        nearest = members[np.argsort(depth[members], kind="stable")[: len(members) // 2]]
        outer[nearest] = True
    return outer


def _bands(hu: np.ndarray) -> dict[str, np.ndarray]:
    return {name: (low <= hu) & (hu < high) for name, (low, high) in HU_BANDS.items()}


def _shares(values: np.ndarray, partitions: dict) -> Iterator[dict]:
    total = values.sum()
    for partition, zones in partitions.items():
        for zone, members in zones.items():
            share = values[members].sum() / total if total > 0 else np.nan
            own = members.mean()
            yield {
                "partition": partition,
                "zone": zone,
                "share": share,
                "lung_share": own,
                "ratio": share / own if own > 0 else np.nan,
            }


def outside_shares(
    importance: Iterable[np.ndarray],
    mask: np.ndarray,
    spacing_mm: Sequence[float],
    *,
    rim_mm: float,
) -> pd.DataFrame:
    """Be warned of maps that lie outside the lung or on its rim, where registration fails first.

    Parameters
    ----------
    importance : array of float, shape (n_scans, *grid), or an iterator of maps
        Not negative, at full size and not cut to the lung.
    mask : array of bool, shape grid
        The lung.
    spacing_mm : sequence of float
        Voxel size along each axis.
    rim_mm : float
        How far from the lung's surface the rim reaches inwards; one cell of the map's layer is
        the least that a map can tell.

    Returns
    -------
    DataFrame
        One row per scan: outside, rim and core, the shares of the map's importance (missing where
        a map is empty); outside_expected and so on, the shares of an even map.

    Examples
    --------
    >>> lung = np.pad(np.ones((4, 4), bool), 1)
    >>> outside_shares(np.ones((1, 6, 6)), lung, (1, 1), rim_mm=1)["rim"].round(2).tolist()
    [0.33]
    """
    mask = np.asarray(mask, bool)
    depth = _depth(mask, spacing_mm)
    places = {"outside": ~mask, "rim": mask & (depth <= rim_mm), "core": mask & (depth > rim_mm)}
    expected = {f"{name}_expected": float(where.mean()) for name, where in places.items()}
    rows = []
    for scan, one in enumerate(importance):
        shown = np.asarray(one, float)
        total = shown.sum() or np.nan
        shares = {name: shown[where].sum() / total for name, where in places.items()}
        rows.append({"scan": scan, **shares, **expected})
    return pd.DataFrame(rows)
