"""Whether maps of volumes lie where two clusters' scans are known to differ."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.evaluation import localization
from studies.maps.kinds import KINDS, Examined, Maps

VOLUME_KINDS = (
    "contrast",
    "activation",
    "deviation",
    "mean_difference",
    "gradients_mean",
    "gradients_log_odds",
)


def volume_map_measures(
    seen: Examined,
    lesions: NDArray,
    typical: NDArray,
    *,
    spacing_mm: float,
    kinds: Sequence[str] = VOLUME_KINDS,
) -> pd.DataFrame:
    """Learn which kind of map to believe in 3-D: each held against lesions that are known.

    Two clusters truly differ in a scan where it has a lesion of its own, and where the rival's
    scans typically have one.

    Parameters
    ----------
    seen : Examined
        Scans of volumes with their network; cluster k stands for the true cluster k.
    lesions : array of bool, shape (n, *grid)
        Each scan's own lesion.
    typical : array of bool, shape (n_clusters, *grid)
        Where the scans of each true cluster typically have one (`typical_place`).
    spacing_mm : float
    kinds : sequence of str
        Of `KINDS`. Those without pair maps answer with the map of the scan's own cluster.

    Returns
    -------
    DataFrame
        One row per kind, cluster and rival, means over the cluster's scans: ``dice`` (of the true
        place with as many highest voxels of the map), ``mass_inside`` (share of the map in the
        true place), ``in_own_lesion``, ``chance`` (mass of an even map) and ``peak_mm``.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((16, 8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(4, 16, 8, 8)).astype("float32")
    >>> own, lung = np.array([0, 0, 1, 1]), np.ones((16, 8, 8), bool)
    >>> seen = Examined(model, scans, own, lung, scans.mean(0), scans.mean(0), scans[1:3])
    >>> table = volume_map_measures(seen, scans > 1, scans[:2] > 2, spacing_mm=6)
    >>> table[["kind", "cluster", "rival"]].to_numpy()[:2].tolist()
    [['contrast', 0, 1], ['contrast', 1, 0]]
    """
    rows = []
    for kind in kinds:
        maps = KINDS[kind](seen, seen.own)
        for own in np.unique(seen.own):
            scans = np.flatnonzero(seen.own == own)
            for rival in range(seen.n_clusters):
                if rival != own:
                    shown = _against(maps, scans, rival)
                    measures = _where(shown, lesions[scans], typical[rival], seen, spacing_mm)
                    rows.append({"kind": kind, "cluster": own, "rival": rival, **measures})
    return pd.DataFrame(rows)


def typical_place(lesions: NDArray) -> NDArray[np.bool_]:
    """Tell where scans of one kind mostly have lesions: as many voxels as one scan's lesion has.

    Examples
    --------
    >>> typical_place(np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]])).tolist()
    [True, False, True, False]
    """
    share = lesions.mean(axis=0)
    size = round(lesions.sum() / len(lesions))
    place = np.zeros(share.size, bool)
    place[np.argsort(-share, axis=None, kind="stable")[:size]] = True
    return place.reshape(share.shape)


def _against(maps: Maps, scans: NDArray, rival: int) -> NDArray:
    """Pick the maps that say why scans of one cluster are not in another."""
    return maps.shown[scans] if maps.pairs is None else maps.pairs[scans, rival]


def _where(
    shown: NDArray, lesions: NDArray, typical: NDArray, seen: Examined, spacing_mm: float
) -> dict[str, float]:
    found = localization(shown, lesions | typical, seen.mask, spacing_mm=spacing_mm)
    own = localization(shown, lesions, seen.mask)
    means = found[["energy_inside", "chance", "peak_distance_mm"]].mean()
    return {
        "n_scans": len(shown),
        "dice": float((2 * found["iou"] / (1 + found["iou"])).mean()),
        "mass_inside": float(means["energy_inside"]),
        "in_own_lesion": float(own["energy_inside"].mean()),
        "chance": float(means["chance"]),
        "peak_mm": float(means["peak_distance_mm"]),
    }
