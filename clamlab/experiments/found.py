"""What a method found in a cohort whose clusters, their number and their lesions are known."""

import warnings

import numpy as np
from numpy.typing import NDArray

from clamlab.baselines import Baseline
from clamlab.contrast import contrast_map
from clamlab.evaluation import clustering_accuracy, localization
from clamlab.selection import recommended_n_clusters
from clamlab.selection.preparing import FEWEST_SCANS

FOUND_ACCURACY = 0.95
SITE_PX = 6
EXPLAINED_SCANS = 5


def what_was_found(fitter, cohort, *, k_max: int, seed: int) -> dict[str, bool]:
    """Say whether the clusters, their number and the sites of their lesions were found.

    Examples
    --------
    >>> from clamlab.experiments.methods import fitter_of
    >>> from clamlab.simulate import lung_slices
    >>> cohort = lung_slices("intensity", 2, n_scans=20, contrast_hu=300, seed=1000)
    >>> what_was_found(fitter_of("linear", cohort, seed=0), cohort, k_max=3, seed=0)
    {'clusters': True, 'number': True, 'site': True}
    """
    n_true = len(np.unique(cohort.labels))
    labels, _ = fitter.cluster(n_true)
    return {
        "clusters": bool(clustering_accuracy(cohort.labels, labels) >= FOUND_ACCURACY),
        "number": _number_seen(fitter.features, k_max, seed) == n_true,
        "site": _sites_found(fitter, cohort, labels),
    }


def what_features_show(features, n_true: int, *, k_max: int, seed: int) -> dict[str, bool]:
    """Say whether the true number of clusters was found, and whether any were.

    Examples
    --------
    >>> from clamlab.simulate import cluster_features
    >>> x, _ = cluster_features([0.5, 0.5], apart_sd=12, n_scans=24, seed=1000)
    >>> what_features_show(x, 3, k_max=3, seed=1000)
    {'number': False, 'any': True}
    """
    number = _number_seen(features, k_max, seed)
    return {"number": number == n_true, "any": number > 1}


def _number_seen(features, k_max: int, seed: int) -> int:
    """Ask the shipped rule, for no more clusters than so few scans can show."""
    if len(features) < FEWEST_SCANS:
        return 0  # the rule refuses to answer, which is never right
    k_max = min(k_max, (len(features) - 1) // 2)
    return recommended_n_clusters(features, seed=seed, k_max=k_max)


def _sites_found(fitter, cohort, labels: NDArray) -> bool:
    """Whether the map of every cluster with a lesion peaks there, and there is one to see."""
    clusters = np.unique(labels)
    if len(clusters) < 2:
        return False
    distances = []
    for k in clusters:
        lesion = _shared_lesion(cohort.lesion_masks[labels == k])
        if lesion.any():
            shown = _cluster_map(fitter, cohort, labels, k)
            found = localization(shown, lesion, cohort.lung_mask)
            distances.append(found["peak_distance_mm"].iloc[0])  # a voxel counts as a millimetre
    # A map without a peak has no distance, and NaN is not near.
    return bool(distances) and all(d <= SITE_PX for d in distances)


def _shared_lesion(masks: NDArray) -> NDArray:
    """Where most of a cluster's lesions lie, jittered or not; nowhere if most scans have none."""
    if masks.any(axis=(1, 2)).mean() <= 0.5:
        return np.zeros(masks.shape[1:], bool)
    often = masks.mean(0)
    return often > often.max() / 2


def _cluster_map(fitter, cohort, labels: NDArray, k: int) -> NDArray:
    """Contrast map of a trained network; without a network, the difference of mean images."""
    if isinstance(fitter, Baseline):
        own = cohort.images[labels == k].mean(0)
        return np.abs(own - cohort.images[labels != k].mean(0))
    some = np.flatnonzero(labels == k)[:EXPLAINED_SCANS]
    with warnings.catch_warnings():
        # A map without evidence is a site that was not found, and is counted so.
        warnings.simplefilter("ignore", UserWarning)
        maps = contrast_map(
            fitter.model,
            fitter.images[some],
            mask=cohort.lung_mask,
            clusters=labels[some],
            rivals=np.unique(labels).tolist(),
        )
    return maps[:, k].mean(0)
