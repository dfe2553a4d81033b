"""A baseline as a method of clustering, to be held against the network over many cohorts."""

import numpy as np

from clamlab.selection.criteria import kmeans


class Baseline:
    """Cluster features that need no training, by k-means.

    Parameters
    ----------
    features : array, shape (n_scans, n_features)
        For instance from :func:`linear_features` or :func:`texture_features`.
    seed : int
        Of the 20 starts of k-means.

    Examples
    --------
    >>> clusters, _ = Baseline(np.array([[0.0], [1.0], [9.0]]), seed=0).cluster(2)
    >>> bool(clusters[0] == clusters[1]), bool(clusters[1] == clusters[2])
    (True, False)
    """

    def __init__(self, features, *, seed: int):
        self.features, self.seed = features, seed

    def cluster(self, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
        """Give each scan's cluster, and the features, which stay what they were."""
        return kmeans(self.features, n_clusters, seed=self.seed).labels_, self.features
