"""Counterfactual scans and contrast maps of a whole cohort, one scan at a time."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from clamlab.clustering.checks import check_number
from clamlab.contrast.checks import check_clusters, checked_mask
from clamlab.contrast.counterfactuals import read_as_rival


def counterfactual_hu(
    model: Any,
    images: NDArray,
    volumes: NDArray,
    *,
    mask: ArrayLike,
    clusters: ArrayLike,
    hu_per_unit: float,
    out: NDArray,
    progress: bool = False,
) -> NDArray:
    """See every scan, in HU, as each other cluster would have it.

    Parameters
    ----------
    model, mask
        As for :func:`counterfactual`.
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale.
    volumes : array of int16, shape (n_scans, *grid)
        The same scans in HU.
    clusters : array of int, shape (n_scans,)
        Each scan's own cluster.
    hu_per_unit : float
        HU of one unit of ``images``: the ``scale`` of the scaling rule.
    out : writable array of int16, shape (n_scans, n_clusters, *grid)
        ``[i, k]`` becomes scan i as cluster k would have it, and the scan itself where k is its
        own cluster, so that a difference of two entries tells direction and amount.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    array
        ``out``.

    Raises
    ------
    ValueError
        As :func:`counterfactual`, before the scan's row is written.

    Examples
    --------
    >>> import torch
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> _ = torch.nn.init.normal_(model.centroids, std=9, generator=torch.manual_seed(0))
    >>> scan, hu = np.zeros((1, 8, 8), "float32"), np.full((1, 8, 8), -850, "int16")
    >>> seen = counterfactual_hu(
    ...     model, scan, hu, mask=np.ones((8, 8), bool), clusters=[0], hu_per_unit=100.0,
    ...     out=np.empty((1, 2, 8, 8), "int16"),
    ... )
    >>> bool((seen[0, 0] == hu[0]).all()), bool((seen[0, 1] == hu[0]).all())
    (True, False)
    """
    clusters, rivals, mask = (
        np.asarray(clusters),
        np.arange(out.shape[1]),
        checked_mask(images, mask),
    )
    check_clusters(clusters, model, "cluster", expected=len(images))
    check_number("hu_per_unit", hu_per_unit, positive=True)
    for i in tqdm(range(len(images)), "counterfactual scans", unit="scan", disable=not progress):
        copies = np.repeat(images[i : i + 1], len(rivals), axis=0)
        same = [i] * len(rivals)
        shift = read_as_rival(model, copies, rivals, mask=mask, rows=same) - copies
        shift[clusters[i]] = 0
        out[i] = np.clip(np.rint(volumes[i] + hu_per_unit * shift), -1024, 3071)
    return out


def average_evidence(maps: NDArray, clusters: ArrayLike) -> dict[str, NDArray[np.float32]]:
    """Average, for each cluster, the evidence that its scans hold for it against every rival.

    Parameters
    ----------
    maps : array, shape (n_scans, n_clusters, *grid)
        From :func:`contrast_map`; a memory map is read one scan at a time.
    clusters : array of int, shape (n_scans,)

    Returns
    -------
    dict of str to array of float32, shape (*grid)
        "Cluster 1" and so on, for every cluster that has scans; 1 reads "spread evenly".

    Examples
    --------
    >>> average_evidence(np.array([[[2.0, 0.0], [9.0, 9.0]], [[0.0, 2.0], [9.0, 9.0]]]), [0, 0])
    {'Cluster 1': array([1., 1.], dtype=float32)}
    """
    clusters = np.asarray(clusters)
    averages = {}
    for k in np.unique(clusters):
        rows = np.flatnonzero(clusters == k)
        total = np.zeros(maps.shape[2:])
        for i in rows:
            total += maps[i, k]
        averages[f"Cluster {k + 1}"] = (total / len(rows)).astype("float32")
    return averages
