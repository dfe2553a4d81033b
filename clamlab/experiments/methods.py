"""The ways of clustering that are held against each other on one simulated cohort."""

import numpy as np

from clamlab.baselines import Baseline, linear_features, texture_features
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.training import assign, embed, fit_clusters, pretrain
from clamlab.volumes import fit_scaling, scale

METHODS = ("deep", "linear", "texture")
# Small lesions may be learned only after ten and more epochs in which the loss of scans aside is
# level: with a patience of 8 they are missed now and then.
HELD_OUT, PATIENCE = 0.1, 16


class Deep:
    """Pre-train once, then deep clustering for each K from the same autoencoder."""

    def __init__(
        self,
        cohort,
        *,
        channels,
        pretrain_epochs,
        cluster_epochs,
        seed: int,
        network=ConvAutoencoder,
    ):
        self.rule = fit_scaling(cohort.images, cohort.lung_mask)
        self.images = np.asarray(scale(cohort.images, cohort.lung_mask, self.rule))
        self.cluster_epochs, self.seed = cluster_epochs, seed
        self.autoencoder = network(self.images.shape[1:], channels=tuple(channels), seed=seed)
        pretrain(
            self.autoencoder,
            self.images,
            epochs=pretrain_epochs,
            patience=PATIENCE,
            held_out=HELD_OUT,
            seed=seed,
            progress=False,
        )
        self.features = embed(self.autoencoder, self.images)
        self.model: DeepClustering | None = None

    def cluster(self, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
        """Give each scan's cluster, and the features after; their model stays in `model`."""
        self.model, _ = fit_clusters(
            self.autoencoder,
            self.images,
            n_clusters,
            epochs=self.cluster_epochs,
            seed=self.seed,
            progress=False,
        )
        features = embed(self.model, self.images)
        return assign(self.model, features).argmax(1), features


def fitter_of(method: str, cohort, *, seed: int, **training) -> Deep | Baseline:
    """Prepare a method on a cohort: train the autoencoder, or take features that need none."""
    if method == "deep":
        return Deep(cohort, seed=seed, **training)
    features_of = {"linear": linear_features, "texture": texture_features}[method]
    return Baseline(features_of(cohort.images, cohort.lung_mask), seed=seed)
