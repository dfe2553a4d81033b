"""One simulated cohort, clustered by the paper's method and explained by its maps."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clamlab import clam
from clamlab.evaluation import match_clusters
from clamlab.experiments.methods import Deep
from clamlab.experiments.simulation import CLUSTER_EPOCHS, PRETRAIN_EPOCHS
from clamlab.models import DeepClustering
from clamlab.simulate import lung_slices
from clamlab.simulate.slices import SliceCohort


@dataclass(frozen=True)
class ExplainedRun:
    """A clustered cohort with its truth, its network and its maps; cluster k is true cluster k.

    Attributes
    ----------
    cohort : SliceCohort
    model : DeepClustering
        Fitted with the true number of clusters, its centroids in the order of the true clusters.
    images : array of float32, shape (n_scans, 64, 64)
        The scans on the network's scale.
    features_before : array, shape (n_scans, n_features)
        Of the pre-trained encoder.
    features_after : dict of int to array, shape (n_scans, n_features)
        Of the encoder that each fitted number of clusters left.
    clusters : array of int, shape (n_scans,)
        As found, under the name of the true cluster that each stands for.
    maps : array of float32, shape (n_scans, n_clusters, *layer_grid)
        Unscaled sums of `clam.cluster_activation_map`.
    importance : array of float32, shape (n_scans, 64, 64)
        Each scan's map for its own cluster, 0 to 1.
    """

    cohort: SliceCohort
    model: DeepClustering
    images: NDArray
    features_before: NDArray
    features_after: dict[int, NDArray]
    clusters: NDArray
    maps: NDArray
    importance: NDArray

    @property
    def averages(self) -> dict[str, NDArray]:
        """Mean importance over all scans ("Overall") and over those found in each cluster."""
        return clam.average_by_cluster(self.maps, self.clusters, shape=self.images.shape[1:])

    @property
    def examples(self) -> dict[str, int]:
        """Row of the first scan of every true cluster: the scan that pictures show."""
        labels = self.cohort.labels
        return {f"Cluster {k + 1}": int(np.argmax(labels == k)) for k in np.unique(labels)}

    @property
    def latent_spaces(self) -> dict[str, NDArray]:
        """Features before clustering and after, by the title of their picture."""
        after = {f"K = {k}": features for k, features in sorted(self.features_after.items())}
        return {"Before clustering": self.features_before, **after}


def explain_scenario(
    scenario: str,
    n_clusters: int,
    *,
    seed: int,
    fitted: Sequence[int] = (),
    n_scans: int = 300,
    slices: dict | None = None,
    channels: Sequence[int] = (32, 64, 128),
    pretrain_epochs: int = PRETRAIN_EPOCHS,
    cluster_epochs: int = CLUSTER_EPOCHS,
    progress: bool = True,
) -> ExplainedRun:
    """See why the scans of one simulated scenario were clustered as they were.

    Parameters
    ----------
    scenario : str
        As `lung_slices` takes it.
    n_clusters : int
        True number of clusters, which is also fitted and explained.
    seed : int
        Of the cohort and the training: the same as in `simulation_study` with the same settings.
    fitted : sequence of int
        More numbers of clusters to fit to the same pre-trained network, for their features.
    n_scans, slices, channels, pretrain_epochs, cluster_epochs
        As for `simulation_study`.
    progress : bool
        Show progress bars.

    Returns
    -------
    ExplainedRun

    References
    ----------
    Ryan et al., section 4; the data of figures 2 to 6.

    Examples
    --------
    >>> run = explain_scenario(
    ...     "location", 2, seed=1000, n_scans=10, channels=(2, 2, 4), pretrain_epochs=1,
    ...     cluster_epochs=1, progress=False,
    ... )
    >>> run.importance.shape, list(run.averages)
    ((10, 64, 64), ['Overall', 'Cluster 1', 'Cluster 2'])
    """
    cohort = lung_slices(scenario, n_clusters, n_scans=n_scans, seed=seed, **(slices or {}))
    fitter = Deep(
        cohort,
        channels=channels,
        pretrain_epochs=pretrain_epochs,
        cluster_epochs=cluster_epochs,
        seed=seed,
    )
    features_after = {}
    # The true number comes last: its model is the one that is explained.
    numbers = [*(set(fitted) - {n_clusters}), n_clusters]
    for k in tqdm(numbers, desc=f"{scenario}: clusterings", disable=not progress):
        found, features_after[k] = fitter.cluster(k)
    model = fitter.model
    assert model is not None  # the loop has fitted one
    clusters = name_by_truth(model, cohort.labels, found)
    maps = clam.cluster_activation_map(model, fitter.images, progress=progress)
    return ExplainedRun(
        cohort,
        model,
        fitter.images,
        fitter.features,
        features_after,
        clusters,
        maps,
        clam.upsample(clam.own_importance(maps, clusters), fitter.images.shape[1:]),
    )


def explain_scenarios(
    scenarios: Sequence[str],
    n_clusters: int,
    *,
    anatomies: Sequence[str] = ("smooth",),
    n_jobs: int = 1,
    progress: bool = True,
    **settings: Any,
) -> dict[tuple[str, str], ExplainedRun]:
    """See several scenarios, and the same ones on another anatomy, side by side.

    Parameters
    ----------
    scenarios, n_clusters
        As for `explain_scenario`; every scenario is drawn on every anatomy.
    anatomies : sequence of str
        As `lung_slices` takes them: "smooth" as a mean image, "sharp" as one patient's scan.
    n_jobs : int
        Scenarios at a time, each in a process of its own.
    progress : bool
        Show a progress bar.
    **settings
        More keywords of `explain_scenario`, among them the seed.

    Returns
    -------
    dict of (scenario, anatomy) to ExplainedRun

    Examples
    --------
    >>> runs = explain_scenarios(
    ...     ["size"], 2, seed=1000, n_scans=10, channels=(2, 2, 4), pretrain_epochs=1,
    ...     cluster_epochs=1, progress=False,
    ... )
    >>> list(runs)
    [('size', 'smooth')]
    """
    slices = settings.pop("slices", None) or {}
    keys = list(itertools.product(scenarios, anatomies))
    runs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(explain_scenario)(
            name, n_clusters, slices=slices | {"anatomy": anatomy}, progress=False, **settings
        )
        for name, anatomy in keys
    )
    bar = tqdm(runs, "scenarios", total=len(keys), disable=not progress)
    return dict(zip(keys, bar, strict=True))


def name_by_truth(model: DeepClustering, truth: NDArray, found: NDArray) -> NDArray:
    """Put a model's clusters in the order of the true ones; return the found ones renamed.

    Found clusters that match no true one take the places that are left.
    """
    n_clusters = len(model.centroids)
    by_truth = {true: own for own, true in match_clusters(truth, found).items()}
    spare = iter(sorted(set(range(n_clusters)) - set(by_truth.values())))
    order = [by_truth[k] if k in by_truth else next(spare) for k in range(n_clusters)]
    model.centroids.data = model.centroids.data[order]
    return np.argsort(order)[found]
