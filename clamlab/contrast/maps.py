"""Contrast maps: where the evidence lies that a scan is in its cluster and not in another."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter
from tqdm.auto import tqdm

from clamlab.clam.network import evaluation_mode, read_scans
from clamlab.clustering.checks import check_answers, check_number, check_whole
from clamlab.contrast.attribution import mean_gradient
from clamlab.contrast.checks import check_clusters, checked_mask
from clamlab.contrast.counterfactuals import as_rival, most_probable

SIGMA = 1.1


def contrast_map(
    model: Any,
    images: NDArray,
    *,
    mask: ArrayLike,
    clusters: ArrayLike | None = None,
    rivals: Sequence[int] | None = None,
    steps: int = 8,
    sigma: float = SIGMA,
    batch_size: int = 8,
    n_jobs: int = 1,
    out: NDArray | None = None,
    progress: bool = False,
) -> NDArray[np.float32]:
    """Show, scan by scan, the evidence for its cluster and against each rival.

    The pair map of a scan in cluster A against rival B averages the gradient of
    log q_A - log q_B along the line from the counterfactual to the scan, smooths it lightly,
    multiplies it with the difference between the two, and keeps the positive part. The cluster
    map is the geometric mean over rivals: the places that speak for A against every one of them.

    Parameters
    ----------
    model, images, mask
        As for :func:`counterfactual`.
    clusters : array of int, shape (n_scans,), optional
        Each scan's own cluster A; by default its most probable one.
    rivals : sequence of int, optional
        Clusters to contrast with; all by default. Leave out the clusters that no scan belongs
        to: their centroids have been drawn from nothing.
    steps : int
        Points of the path from counterfactual to scan (midpoint rule).
    sigma : float
        Standard deviation of the gradient's smoothing in voxels of the image; 0 for none. It
        takes out the pattern that the strides of the convolutions leave in every gradient; the
        difference between scan and counterfactual is not smoothed, so that its edges stay.
    batch_size : int
        Scans per pass; bounds memory, never changes the result beyond rounding.
    n_jobs : int
        Processes; a Dask cluster takes over under ``joblib.parallel_config(backend="dask")``.
    out : writable array of float32, shape (n_scans, n_clusters, *grid), optional
        Filled row by row and returned. Rows without NaN count as done and are kept: a stored
        array of NaN makes an interrupted run resume.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    array of float32, shape (n_scans, n_clusters, *grid)
        ``[i, k]`` is scan i's pair map against rival k, and its cluster map where k is its own
        cluster. Zero outside the mask; inside it the mean is 1, so 1 reads "as if the evidence
        were spread evenly" and 20 "twenty times that". A map without positive evidence, or
        against a cluster that is no rival, is all zero.

    Warns
    -----
    UserWarning
        If maps hold no evidence; their sum is 0.

    Raises
    ------
    ValueError
        If there is no rival, a cluster does not exist, or the mask does not fit; if a scan holds
        NaN or infinity, with its row.

    References
    ----------
    Integrated gradients: Sundararajan et al., Axiomatic Attribution for Deep Networks, 2017.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> _ = torch.nn.init.normal_(model.centroids, generator=torch.manual_seed(0))
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> maps = contrast_map(model, scans, mask=np.ones((8, 8), bool))
    >>> maps.shape, maps.mean(axis=(2, 3)).round(4).tolist()
    ((3, 2, 8, 8), [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    """
    mask = checked_mask(images, mask)
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        check_whole(name, value)
    check_number("sigma", sigma)
    own = most_probable(model, images, batch_size=batch_size) if clusters is None else clusters
    own = np.asarray(own)
    rivals = list(range(len(model.centroids))) if rivals is None else list(rivals)
    check_clusters(own, model, "cluster", expected=len(images))
    check_clusters(np.asarray(rivals), model, "rival")
    for k in np.unique(own):
        if not set(rivals) - {k}:
            raise ValueError(f"cluster {k} has no rival to be contrasted with (rivals: {rivals})")
    todo = range(len(images)) if out is None else np.flatnonzero(_unfinished(out))
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_maps_of_scan)(
            model, np.asarray(images[i]), i, int(own[i]), rivals, mask, steps, sigma, batch_size
        )
        for i in map(int, todo)
    )
    bar = tqdm(results, "contrast maps", total=len(todo), unit="scan", disable=not progress)
    maps = np.empty((len(images), len(model.centroids), *mask.shape), "f4") if out is None else out
    for i, rows in zip(todo, bar, strict=True):
        maps[i] = rows
    # Of all rows: those that stood already are told of again.
    n_empty = sum(not maps[i][k].any() for i in range(len(images)) for k in {*rivals, own[i]})
    if n_empty:
        warnings.warn(f"{n_empty} contrast maps hold no evidence and are all zero", stacklevel=2)
    return maps


def _maps_of_scan(
    model: Any,
    image: NDArray,
    row: int,
    own: int,
    rivals: list[int],
    mask: NDArray[np.bool_],
    steps: int,
    sigma: float,
    batch_size: int,
) -> NDArray[np.float32]:
    maps = np.zeros((len(model.centroids), *mask.shape), "float32")
    others = [k for k in rivals if k != own]
    for k in others:
        maps[k] = pair_map(
            model, image, own, k, mask, row=row, steps=steps, sigma=sigma, batch_size=batch_size
        )
    # A rival that leaves no evidence (centroids on one spot) must not silence all the others.
    speaking = [maps[k] for k in others if maps[k].any()]
    if speaking:
        with np.errstate(divide="ignore"):
            maps[own] = _even_share(np.exp(np.mean(np.log(speaking), axis=0)), mask)
    return maps


def pair_map(
    model: Any,
    image: NDArray,
    own: int,
    rival: int,
    mask: NDArray[np.bool_],
    *,
    row: int,
    steps: int,
    sigma: float = SIGMA,
    batch_size: int = 8,
) -> NDArray:
    """Show why one scan, from some row of the cohort, is in its own cluster and not in a rival."""
    with evaluation_mode(model):
        scan = read_scans(image[None], [row], model)[0]
        lung = torch.tensor(mask, device=scan.device)
        start = as_rival(model, scan[None], np.array([rival]), lung)[0]
        slope = mean_gradient(model, start, scan, own, rival, steps, batch_size)
        check_answers((slope * (scan - start))[None], [row], model)
        gradient, change = (a.cpu().numpy().astype("float64") for a in (slope, scan - start))
    # With its sign: smoothing absolute values would blur noise into evidence.
    grid = tuple(range(-mask.ndim, 0))
    signed = gaussian_filter(gradient, sigma, mode="constant", axes=grid) * change
    signed = signed.reshape(-1, *mask.shape).sum(axis=0)  # the channels of one voxel together
    return _even_share(np.where(mask, np.maximum(signed, 0), 0), mask)


def _even_share(evidence: NDArray, mask: NDArray[np.bool_]) -> NDArray:
    """Scale to a mean of 1 inside the mask; nothing stays nothing."""
    total = evidence.sum()
    return evidence / total * mask.sum() if total > 0 else np.zeros_like(evidence)


def _unfinished(out: NDArray) -> NDArray[np.bool_]:
    return np.array([bool(np.isnan(row).any()) for row in out])
