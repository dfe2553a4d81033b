"""How good maps are where the truth is known: specific, in the right place, right in HU."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clamlab.contrast import counterfactual, most_probable
from clamlab.evaluation import localization, map_correlation
from clamlab.evaluation.correlations import pair_correlation
from clamlab.simulate.slices import SliceCohort
from studies.maps.kinds import Examined, Maps, mean_difference_maps

Values = dict[str, float]


def lesions_vary(cohort: SliceCohort) -> bool:
    """Tell whether every scan has its lesion in a place of its own.

    Examples
    --------
    >>> from clamlab.simulate import lung_slices
    >>> lesions_vary(lung_slices("location", 2, n_scans=4, jitter_px=3, seed=1))
    True
    """
    return len(cohort.noise_free) > len(np.unique(cohort.labels))


def true_places(cohort: SliceCohort, scans: NDArray) -> tuple[NDArray, NDArray]:
    """Tell where scans really differ from each other cluster, and where from all of them.

    Returns
    -------
    pairs : array of bool, shape (n, n_clusters, *grid)
    clusters : array of bool, shape (n, *grid)
        Of scans whose lesions vary in place, both are the scan's own lesion.

    Examples
    --------
    >>> from clamlab.simulate import lung_slices
    >>> cohort = lung_slices("size", 3, n_scans=6, seed=1)
    >>> pairs, clusters = true_places(cohort, np.arange(6))
    >>> pairs.shape, bool(clusters[cohort.labels == 1].any())
    ((6, 3, 64, 64), False)
    """
    own = cohort.labels[scans]
    if lesions_vary(cohort):
        lesions, n_clusters = cohort.lesion_masks[scans], len(np.unique(cohort.labels))
        return np.repeat(lesions[:, None], n_clusters, axis=1), lesions
    apart = cohort.noise_free[:, None] != cohort.noise_free[None]
    pairs = apart[own] & cohort.lung_mask
    # A scan differs nowhere from its own cluster, which must not count as a rival.
    from_all = [
        np.delete(places, k, axis=0).all(axis=0) for places, k in zip(pairs, own, strict=True)
    ]
    return pairs, np.stack(from_all)


def specificity(maps: Maps, for_other: NDArray, seen: Examined, true_pairs: NDArray) -> Values:
    """Tell whether maps change with the cluster and the rival, and pairs with the truth's pairs."""
    found = {"own_other": _mean(map_correlation(maps.shown, for_other, mask=seen.mask))}
    if maps.pairs is None:
        return found
    rows = [(i, k) for i, own in enumerate(seen.own) for k in range(seen.n_clusters) if k != own]
    shown, truth = (np.stack([m[i, k] for i, k in rows]) for m in (maps.pairs, true_pairs))
    alike, perfect = (
        _mean(pair_correlation(pairs, seen.own, mask=seen.mask))
        for pairs in (maps.pairs, true_pairs.astype(float))
    )
    return found | {
        "pair_iou": _mean(localization(shown, truth, seen.mask)["iou"]),
        "pair_correlation": alike,
        "perfect_pair_correlation": perfect,
    }


def whereabouts(maps: Maps, seen: Examined, true_clusters: NDArray) -> Values:
    """Tell whether maps lie, and peak, where scans differ from every rival."""
    found = localization(maps.shown, true_clusters, seen.mask)
    by_cluster = found["iou"].groupby(seen.own).mean()
    return {
        "iou": _mean(found["iou"]),
        "iou_worst_cluster": float(by_cluster.min()),
        "peak_px": _mean(found["peak_distance_mm"]),  # a pixel counts as a millimetre
        "energy_above_chance": _mean(found["energy_inside"] - found["chance"]),
    }


def counterfactuals(
    seen: Examined, pairs: NDArray, cohort: SliceCohort, hu_per_unit: float
) -> Values:
    """Tell whether counterfactual scans change cluster, and by the right amount of HU.

    The amount is the mean over where two clusters truly differ, by the evidence there; denser and
    less dense places apart. It is not asked of lesions that vary in place from scan to scan.
    """
    flips, signs, errors = [], [], []
    varying = lesions_vary(cohort)
    for k in range(seen.n_clusters):
        rows = np.flatnonzero(seen.own != k)
        other = counterfactual(seen.model, seen.images[rows], k, mask=seen.mask)
        flips.append(most_probable(seen.model, other) == k)
        for i, changed in zip(rows, hu_per_unit * (seen.images[rows] - other), strict=True):
            if varying:
                continue
            truth = cohort.noise_free[seen.own[i]] - cohort.noise_free[k]
            for side in (truth > 0, truth < 0):
                weights = pairs[i, k] * side
                if weights.any():
                    told = (weights * changed).sum() / weights.sum()
                    real = (weights * truth).sum() / weights.sum()
                    signs.append(np.sign(told) == np.sign(real))
                    errors.append(abs(told - real))
    return {
        "flips": _mean(np.concatenate(flips)),
        "hu_sign": _mean(signs),
        "hu_error": _mean(errors),
    }


def perfect_by_lot(seen: Examined, noise_free: NDArray, lots: NDArray) -> float:
    """Tell how much perfect maps of clusters by lot resemble perfect maps of the true clusters.

    Lots mix scans of all kinds in other shares: what differs between them is what differed
    before, and even a map without fault shows it.

    Examples
    --------
    >>> from clamlab.simulate import lung_slices
    >>> cohort = lung_slices("intensity", 2, n_scans=4, seed=1)
    >>> own, lung = cohort.labels, cohort.lung_mask
    >>> seen = Examined(None, cohort.images, own, lung, lung, lung, cohort.noise_free)
    >>> round(perfect_by_lot(seen, cohort.noise_free, 1 - own), 6)
    1.0
    """
    mixed = np.stack([noise_free[seen.own[lots == k]].mean(axis=0) for k in np.unique(lots)])
    truth, by_lot = (
        mean_difference_maps(replace(seen, cluster_means=means), seen.own).shown
        for means in (noise_free, mixed)
    )
    return _mean(map_correlation(truth, by_lot, mask=seen.mask))


def _mean(values) -> float:
    values = np.asarray(values, float)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
