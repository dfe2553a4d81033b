"""What clusters are called where those of another number may stand on the same screen."""

from dataclasses import dataclass

from clamlab.stats.tables.rendering import cluster_name


def cluster_called(cluster: int, *, of: int, beside: int) -> str:
    """Name a cluster so that nobody takes it for one of another number.

    Parameters
    ----------
    cluster : int
        From 0.
    of : int
        How many clusters it is one of.
    beside : int
        How many there are in the other partition that is on the screen.

    Examples
    --------
    >>> cluster_called(0, of=2, beside=2), cluster_called(0, of=2, beside=4)
    ('Cluster 1', 'Cluster 1 of 2')
    """
    return cluster_name(cluster) + ("" if of == beside else f" of {of}")


@dataclass(frozen=True)
class NetworkNames:
    """Say of probabilities, maps and rivals that they are the network's, once others are shown.

    Attributes
    ----------
    n_clusters : int
        Of the network.
    shown : int
        How many clusters the scans are shown in.

    Examples
    --------
    >>> NetworkNames(2, 2).own, NetworkNames(2, 4).own
    ('own cluster', 'own cluster of 2')
    >>> NetworkNames(2, 2).confidence, NetworkNames(2, 4).confidence
    ('Confidence', "Confidence (network's 2 clusters)")
    """

    n_clusters: int
    shown: int

    def __getitem__(self, cluster: int) -> str:
        """Name one cluster, counted from 0."""
        return cluster_called(cluster, of=self.n_clusters, beside=self.shown)

    @property
    def clusters(self) -> list[str]:
        """Names of all."""
        return [self[k] for k in range(self.n_clusters)]

    @property
    def own(self) -> str:
        """Name the cluster that each scan has."""
        return "own cluster" + ("" if self._are_alone else f" of {self.n_clusters}")

    @property
    def confidence(self) -> str:
        """Name the largest probability."""
        whose = "" if self._are_alone else f" (network's {self.n_clusters} clusters)"
        return f"Confidence{whose}"

    @property
    def likeliest(self) -> str:
        """Name what a margin lies between."""
        whose = "clusters" if self._are_alone else f"of the network's {self.n_clusters} clusters"
        return f"the two likeliest {whose}"

    @property
    def _are_alone(self) -> bool:
        return self.shown == self.n_clusters
