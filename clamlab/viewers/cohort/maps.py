"""Maps of a study, computed only for the scan that is looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

HU_LIMIT = 400.0  # a difference of so many HU has the strongest colour

ScanMap = Callable[[int, int], NDArray]


@dataclass(frozen=True)
class SignedKind:
    """A kind of map that has a sign, and how sure each of its values is.

    Attributes
    ----------
    values, evidence : callable(scan, cluster) or array (n, K, *grid)
        Evidence in [0, 1].
    limit : float
        Value in the strongest colour.
    units : str
    """

    values: ScanMap | NDArray
    evidence: ScanMap | NDArray
    limit: float
    units: str = "HU"


Kind = ScanMap | SignedKind | NDArray


def study_maps(
    maps: NDArray,
    unweighted: NDArray,
    contrast: NDArray,
    counterfactual_hu: NDArray,
    volumes: NDArray,
    soft_assignments: NDArray,
    *,
    model: Any = None,
    images: NDArray | None = None,
) -> dict[str, Kind]:
    """Offer a study's maps to the cohort viewer, each as a function of scan and cluster.

    Parameters
    ----------
    maps : array (n, K, *layer_grid)
        Cluster activation maps, unscaled.
    unweighted : array (n, *layer_grid)
        Sums of activations without weights: the same whatever the cluster.
    contrast : array (n, K, *grid)
        Evidence for the scan's own cluster against each other, or against all for its own.
    counterfactual_hu : array (n, K, *grid)
        Each scan as each cluster would have it.
    volumes : array (n, *grid)
        The scans, HU.
    soft_assignments : array (n, K)
        Probabilities of the clusters.
    model : DeepClustering, optional
        Adds the maps of its single convolutions, as in :func:`layer_maps`.
    images : array or ScaledVolumes, shape (n, *grid), optional
        The scans on the network's scale, needed with ``model``.

    Returns
    -------
    dict of str to callable(scan, cluster)
        "Activation (CLAM)"; "Activation, unweighted"; "Contrast", divided by its largest value, all
        in [0, 1]; and "Difference to the rival's": HU more or less than the scan as the chosen
        cluster would have it, or as its likeliest rival would where its own is chosen, with the
        contrast as evidence. Memory maps are read one map at a time.

    Examples
    --------
    >>> scans, flat = np.full((1, 4, 4), -600), np.ones((1, 2, 4, 4))
    >>> kinds = study_maps(flat, flat[:, 0], flat, flat * -800, scans, np.array([[0.9, 0.1]]))
    >>> kinds["Difference to the rival's"].values(0, 1)[0, 0].item()
    200.0
    """

    def difference(i: int, k: int) -> NDArray:
        other = counterfactual_hu[i][rival_of(soft_assignments[i], k)]
        return np.asarray(volumes[i], np.float32) - other

    def evidence(i: int, k: int) -> NDArray:
        return np.clip(_to_largest(contrast[i][rival_of(soft_assignments[i], k)]), 0, 1)

    kinds: dict[str, Kind] = {
        "Activation (CLAM)": lambda i, k: _importance(maps[i][k]),
        "Activation, unweighted": lambda i, k: _importance(unweighted[i]),
        "Contrast": lambda i, k: _to_largest(contrast[i][k]),
        "Difference to the rival's": SignedKind(difference, evidence, HU_LIMIT),
    }
    if model is not None and images is not None:
        kinds |= layer_maps(model, images, n_layers=len(model.config["channels"]))
    return kinds


def rival_of(soft_assignment: NDArray, cluster: int) -> int:
    """Tell which rival a scan is held against: the chosen cluster, or the likeliest but its own.

    Examples
    --------
    >>> rival_of(np.array([0.7, 0.1, 0.2]), 1), rival_of(np.array([0.7, 0.1, 0.2]), 0)
    (1, 2)
    """
    likeliest = np.argsort(-np.asarray(soft_assignment), kind="stable")
    return int(likeliest[:2][-1]) if cluster == likeliest[0] else cluster


def layer_maps(
    model: Any, images: NDArray, *, n_layers: int, background: float = 0.0
) -> dict[str, ScanMap]:
    """Offer the activation maps of every encoder convolution, worked out for the scan looked at.

    Parameters
    ----------
    model : DeepClustering, or any module with ``encode``, ``feature_maps`` and ``centroids``
    images : array or ScaledVolumes, shape (n, *grid)
        Scans on the network's scale.
    n_layers : int
        Convolutions of the encoder.
    background : float
        Value of a voxel that is masked out.

    Returns
    -------
    dict of str to callable(scan, cluster)
        "Activation, convolution 1 of 3" and so on; in [0, 1]. The first look at a scan takes
        seconds at 88 x 88 x 88; the last 32 are remembered.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> first, *_ = layer_maps(model, np.zeros((3, 8, 8)), n_layers=3).values()
    >>> first(0, 1).shape
    (4, 4)
    """

    @lru_cache(maxsize=32)
    def importance(layer: int, i: int) -> NDArray:
        from clamlab import clam

        one = np.asarray(images[i : i + 1])
        sums = clam.cluster_activation_map(model, one, layer=layer, background=background)
        return clam.importance(sums)[0]

    def of(layer: int) -> ScanMap:
        return lambda i, k: importance(layer, i)[k]

    return {f"Activation, convolution {j + 1} of {n_layers}": of(j) for j in range(n_layers)}


def check_kinds(maps: Mapping[str, Kind], n_scans: int, n_clusters: int) -> None:
    """Raise ValueError where an array of maps is of other scans or clusters: rows would be wrong.

    Examples
    --------
    >>> check_kinds({"CLAM": np.zeros((3, 2, 4, 4))}, 3, 3)
    Traceback (most recent call last):
    ValueError: maps 'CLAM' are of 3 scans and 2 clusters, the soft assignments of 3 and 3; ...
    """
    for name, kind in maps.items():
        arrays = (kind.values, kind.evidence) if isinstance(kind, SignedKind) else (kind,)
        for array in arrays:
            if not callable(array) and np.shape(array)[:2] != (n_scans, n_clusters):
                found = " scans and ".join(map(str, np.shape(array)[:2]))
                raise ValueError(
                    f"maps {name!r} are of {found} clusters, the soft assignments of {n_scans} "
                    f"and {n_clusters}; they belong to another run: run notebook 06 again"
                )


def as_function(values: ScanMap | NDArray) -> ScanMap:
    """Read maps given as an array (n, K, *grid) or as a function alike."""
    return values if callable(values) else lambda i, k: np.asarray(values[i][k], np.float32)


def map_of(
    maps: Mapping[str, ScanMap | NDArray], name: str, scan: int, *, cluster: int, mask: NDArray
) -> NDArray[np.float32]:
    """Make one scan's map at the scan's own grid, nothing outside the mask."""
    values = np.asarray(as_function(maps[name])(scan, cluster), np.float32)
    if values.shape != mask.shape:
        from clamlab import clam  # opens torch: only where a map is on a layer's grid

        values = clam.upsample(values, mask.shape)
    return np.where(mask, values, 0)


def _importance(unscaled: NDArray) -> NDArray:
    from clamlab import clam

    return clam.importance(np.asarray(unscaled, np.float32)[None, None])[0, 0]


def _to_largest(evidence: NDArray) -> NDArray:
    values = np.asarray(evidence, np.float32)
    return values / max(values.max(), np.finfo(np.float32).tiny)
