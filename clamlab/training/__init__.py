"""The two training phases: learn to draw the scans, then pull their features into clusters."""

from clamlab.training.clusters import fit_clusters, initial_centroids
from clamlab.training.embedding import embed
from clamlab.training.pretraining import pretrain
from clamlab.training.weights import load_autoencoder, load_clustering, weights_of

__all__ = [
    "embed",
    "fit_clusters",
    "initial_centroids",
    "load_autoencoder",
    "load_clustering",
    "pretrain",
    "weights_of",
]
