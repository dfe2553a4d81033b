"""Whether maps mark what the clustering did not use: what it cannot see, and what is unrelated."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

from clamlab.experiments.simulation import CLUSTER_EPOCHS, PRETRAIN_EPOCHS
from clamlab.models import ConvAutoencoder
from clamlab.simulate import lung_slices
from clamlab.simulate.slices import SliceCohort
from studies.maps.kinds import KINDS, examined, some_of_each
from studies.maps.networks import clustered, kept_network

DISC_HU, DISC_PX = 200.0, 4


def blind_spots(
    *,
    data_seed: int,
    seed: int,
    anatomy: str = "smooth",
    channels: Sequence[int] = (32, 64, 128),
    n_scans: int = 300,
    n_examined: int = 20,
    networks: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """See which maps mark places that cannot have driven the clusters.

    *Unseen*: in three clusters of rising intensity a second place changes with the first, but the
    encoder never sees it; only the decoder learns it. *Unrelated*: of clusters by location, half
    the scans carry one more disc, whatever their cluster.

    Parameters
    ----------
    data_seed, seed : int
        Of the cohorts, and of the training.
    anatomy, channels, n_scans, n_examined, networks
        As for `map_study`.

    Returns
    -------
    DataFrame
        One row per kind of map: kind; seen and unseen, the share of the map in the place that the
        encoder sees and in the other; unrelated, its density in the extra disc as a multiple of
        that in the scan's lesion.

    Examples
    --------
    >>> table = blind_spots(data_seed=1, seed=1, channels=(2, 2, 4), n_scans=12, n_examined=6)
    >>> table.columns.tolist()
    ['kind', 'seen', 'unseen', 'unrelated']
    """
    drawn: dict[str, Any] = {"n_scans": n_scans, "anatomy": anatomy, "seed": data_seed}
    training: dict[str, Any] = {
        "channels": channels,
        "pretrain_epochs": PRETRAIN_EPOCHS,
        "cluster_epochs": CLUSTER_EPOCHS,
        "seed": seed,
    }
    files = {
        name: kept_network(networks, name, (drawn, training), seed)
        for name in ("unseen", "unrelated")
    }
    rising = lung_slices("intensity", 3, **drawn)
    unseen = _unseen(rising, training | {"kept": files["unseen"]}, n_examined)
    elsewhere = lung_slices("location", 4, **drawn)
    unrelated = _unrelated(elsewhere, training | {"kept": files["unrelated"]}, n_examined)
    return unseen.merge(unrelated, on="kind")


def _unseen(cohort: SliceCohort, training: dict, n_examined: int) -> pd.DataFrame:
    """Let a second place change with the lesion, out of the encoder's sight."""
    lesion = np.asarray(cohort.lesion_masks.any(axis=0))
    second = _disc_away_from(lesion, cohort.lung_mask)
    levels = cohort.truth["contrast_hu"].to_numpy()
    cohort = _denser(cohort, levels[:, None, None] * second)
    sight = 1.0 - _grown(second)

    def network(*args, **options) -> ConvAutoencoder:
        return _HalfBlind(*args, sight=sight, **options)

    kinds, scans = _maps(cohort, n_examined, network=network, **training)
    ill = cohort.lesion_masks[scans].any(axis=(1, 2))
    rows = []
    for kind, shown in kinds.items():
        total = shown[ill].sum(axis=(1, 2))
        rows.append(
            {
                "kind": kind,
                "seen": _mean_share(shown[ill][:, lesion], total),
                "unseen": _mean_share(shown[ill][:, second], total),
            }
        )
    return pd.DataFrame(rows)


def _unrelated(cohort: SliceCohort, training: dict, n_examined: int) -> pd.DataFrame:
    """Give half the scans one more disc, drawn without regard to their cluster."""
    lesions = np.asarray(cohort.lesion_masks.any(axis=0))
    disc = _disc_away_from(lesions, cohort.lung_mask)
    with_disc = np.random.default_rng(training["seed"]).random(len(cohort.images)) < 0.5
    cohort = _denser(cohort, DISC_HU * with_disc[:, None, None] * disc)
    kinds, scans = _maps(cohort, n_examined, **training)
    rows = []
    for kind, shown in kinds.items():
        densities = [
            shown[i][disc].mean() / shown[i][cohort.lesion_masks[scan]].mean()
            for i, scan in enumerate(scans)
            if with_disc[scan] and shown[i][cohort.lesion_masks[scan]].any()
        ]
        rows.append({"kind": kind, "unrelated": np.mean(densities) if densities else np.nan})
    return pd.DataFrame(rows)


class _HalfBlind(ConvAutoencoder):
    """An autoencoder whose encoder does not see some places, while its decoder draws them."""

    def __init__(self, *args, sight: NDArray, **options) -> None:
        super().__init__(*args, **options)
        self.sight = sight

    def feature_maps(self, images, layer: int = -1, activated: bool = True):
        """Return the channels of a convolution of what is seen."""
        return super().feature_maps(images * images.new_tensor(self.sight), layer, activated)


def _maps(
    cohort: SliceCohort, n_examined: int, **training: Any
) -> tuple[dict[str, NDArray], NDArray]:
    """Cluster, and make every kind of map of some scans for their own cluster."""
    scans = some_of_each(cohort.labels, n_examined)
    seen = examined(clustered(cohort, **training), cohort, scans)
    return {name: make(seen, seen.own).shown for name, make in KINDS.items()}, scans


def _denser(cohort: SliceCohort, more_hu: NDArray) -> SliceCohort:
    return dataclasses.replace(cohort, images=(cohort.images + more_hu).astype("float32"))


def _disc_away_from(lesions: NDArray, lung: NDArray) -> NDArray:
    """Place a disc in the lung, as far from all lesions as its edge allows."""
    inside = distance_transform_edt(lung) > DISC_PX
    centre = np.unravel_index(np.argmax(distance_transform_edt(~lesions) * inside), lung.shape)
    rows, columns = np.indices(lung.shape)
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= DISC_PX**2


def _grown(places: NDArray) -> NDArray:
    return ~binary_erosion(~places, border_value=1)


def _mean_share(inside: NDArray, total: NDArray) -> float:
    known = total > 0
    return float((inside.sum(axis=1)[known] / total[known]).mean()) if known.any() else np.nan
