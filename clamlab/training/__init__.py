"""The two training phases: learn to draw the scans, then pull their features into clusters."""

from clamlab.training.clusters import fit_clusters
from clamlab.training.embedding import embed
from clamlab.training.planning import training_forecast
from clamlab.training.pretraining import pretrain
from clamlab.training.results import assign, assignment_table, redraw, variance_explained
from clamlab.training.weights import load_autoencoder, load_clustering, weights_of

__all__ = [
    "assign",
    "assignment_table",
    "embed",
    "fit_clusters",
    "load_autoencoder",
    "load_clustering",
    "pretrain",
    "redraw",
    "training_forecast",
    "variance_explained",
    "weights_of",
]
