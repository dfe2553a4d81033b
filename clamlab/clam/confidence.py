"""How much each activation channel counts: the confidence of eq. 8."""

from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm.auto import tqdm

from clamlab.clam.weighing import Asked, choose_way, weigh
from clamlab.clustering.checks import check_finite, check_whole


def channel_confidence(
    model: Any,
    images: NDArray,
    *,
    layer: int = -1,
    activated: bool = True,
    background: float = 0.0,
    batch_size: int = 8,
    n_jobs: int = 1,
    preview: int | None = None,
    out: NDArray | None = None,
    progress: bool = False,
) -> NDArray[np.float32]:
    """Weigh each activation channel: how sure the network stays when it sees only that channel.

    Each channel is upsampled to the scan (linear, half-pixel centres), brought to [0, 1], and laid
    over the scan as a mask; the probability of each cluster for the masked scan is the channel's
    confidence for that cluster. All clusters come from the same masked passes.

    Parameters
    ----------
    model : DeepClustering, or any module with ``encode``, ``feature_maps`` and ``centroids``
        It is put in evaluation mode for the call and left as it was.
    images : array or ScaledVolumes, shape (n_scans, *grid) or (n_scans, channels, *grid)
        Scans on the network's scale.
    layer : int
        Encoder convolution that supplies the channels, -1 for the last.
    activated : bool
        Take the channels after the leaky ReLU (default) or before.
    background : float
        Value of a voxel that is masked out; 0 is mean lung under z-scored scaling.
    batch_size : int
        Masked scans per pass, at most, where they pass through the network whole: large volumes go
        one by one, which is quicker. On the CPU this library's own networks are asked less: what
        masked scans have in common is worked out once. Neither changes the result beyond rounding:
        each scan's most sensitive mask goes both ways, and where they do not agree, or single
        precision is not enough, the scan goes through the network whole in double precision.
    n_jobs : int
        Processes; a Dask cluster takes over under ``joblib.parallel_config(backend="dask")``.
    preview : int, optional
        Weigh only so many channels, those that vary most over the scan, and give the others their
        mean: a first look, never a result. With a quarter of 64 channels, maps of trained networks
        were off by .004 to .007 of their maximum on average and by .05 to .26 at worst; with half,
        by .003 to .005 and by .03 to .10.
    out : writable array of float32, shape (n_scans, n_clusters, n_channels), optional
        Filled row by row and returned. Rows without NaN count as done and are kept: a stored
        array of NaN makes an interrupted run resume.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    array of float32, shape (n_scans, n_clusters, n_channels)
        Probabilities in [0, 1]. A channel that is constant over the scan masks nothing: 0.

    Raises
    ------
    ValueError
        If a scan holds NaN or infinity, or the network gives no finite number for it; the message
        names its row.

    Warns
    -----
    UserWarning
        If single precision is not enough, and the network does not work in double precision.

    References
    ----------
    Ryan et al., eq. 8.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    >>> scans = np.random.default_rng(0).normal(size=(3, 8, 8)).astype("float32")
    >>> channel_confidence(model, scans).shape
    (3, 2, 4)
    """
    check_whole("the number of scans", len(images))
    check_whole("batch_size", batch_size)
    check_finite("background", background)
    if preview is not None:
        check_whole("preview", preview)
    asked = Asked(layer, activated, background, batch_size, preview)
    todo = range(len(images)) if out is None else np.flatnonzero(np.isnan(out).any(axis=(1, 2)))
    if out is not None and not len(todo):
        return out
    first = int(todo[0])
    way = choose_way(model, np.asarray(images[first : first + 1]), first, asked=asked)
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(weigh)(model, np.asarray(images[i : i + 1]), i, asked=asked, way=way)
        for i in map(int, todo)
    )
    bar = tqdm(
        results,
        "cluster activation maps",
        total=len(todo),
        unit="scan",
        disable=not progress,
    )
    if out is None:
        return np.stack(list(bar))
    for i, confidence in zip(todo, bar, strict=True):
        out[i] = confidence
    return out
