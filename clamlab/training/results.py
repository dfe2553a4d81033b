"""What a trained network says of the cohort: scans drawn again, and who belongs where."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from clamlab.clustering import soft_assignment
from clamlab.clustering.checks import check_answers, finite_features
from clamlab.training.checks import check_cohort
from clamlab.training.embedding import read_batch


@torch.no_grad()
def redraw(model: Any, images: NDArray) -> NDArray[np.float32]:
    """Draw scans again from their features, to see what the features hold.

    Parameters
    ----------
    model : ConvAutoencoder or DeepClustering
        Used as it is.
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale; all pass at once, so give a few.

    Returns
    -------
    array of float32, same shape
        On the network's scale; ``volumes.unscale`` brings it to HU.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder
    >>> model = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> redraw(model, np.zeros((5, 8, 8), "float32")).shape
    (5, 8, 8)
    """
    rows = np.arange(len(images))
    batch = read_batch(images, rows, model)
    drawn = model.decode(model.encode(batch)).reshape(batch.shape)
    check_answers(drawn, rows, model)
    return drawn.cpu().numpy()


def variance_explained(model: Any, images: NDArray) -> float:
    """Tell which share of the differences between scans the drawings show (at most 1).

    0 means no better than drawing the cohort's mean for everybody; it may be negative.

    Parameters
    ----------
    model : ConvAutoencoder or DeepClustering
    images : array or ScaledVolumes, shape (n_scans, *grid)
        Scans on the network's scale, two or more that differ; read one at a time.

    Returns
    -------
    float
        1 minus the squared error of the drawings, divided by that of the cohort's mean.

    Raises
    ------
    ValueError
        If fewer than two scans differ, or one holds NaN or infinity.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder
    >>> scans = np.random.default_rng(0).normal(size=(6, 8, 8)).astype("float32")
    >>> variance_explained(ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3), scans) < 0.1
    True
    """
    check_cohort(images)
    n = len(images)
    mean = sum(np.asarray(images[i], "float64") for i in range(n)) / n
    pairs = ((np.asarray(images[i]), redraw(model, images[i : i + 1])[0]) for i in range(n))
    errors = np.array([[np.square(x - d).sum(), np.square(x - mean).sum()] for x, d in pairs])
    left, total = errors.sum(axis=0)
    return float(1 - left / total)


@torch.no_grad()
def assign(model: Any, features: ArrayLike) -> NDArray[np.float32]:
    """Tell how probably each scan, given by its features, belongs to each cluster.

    Parameters
    ----------
    model : DeepClustering, or any module with ``centroids``
    features : array of float32, shape (n_scans, n_features)
        From :func:`embed`.

    Returns
    -------
    array of float32, shape (n_scans, n_clusters)
        Probabilities (eq. 4); every row sums to 1.

    Raises
    ------
    ValueError
        If the features are not finite, or not as many as the network makes.

    Examples
    --------
    >>> from clamlab.models import ConvAutoencoder, DeepClustering
    >>> model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3), 2)
    >>> assign(model, np.zeros((4, 3), "float32"))[0]
    array([0.5, 0.5], dtype=float32)
    """
    centroids = model.centroids.detach().cpu()
    n_features, wanted = finite_features(features).shape[1], centroids.shape[1]
    if n_features != wanted:
        raise ValueError(f"expected the network's {wanted} features a scan, found {n_features}")
    probabilities = soft_assignment(torch.from_numpy(np.array(features)), centroids)
    check_answers(probabilities, range(len(probabilities)), model)
    return probabilities.numpy()


def assignment_table(soft_assignments: NDArray, subject_ids: ArrayLike) -> pd.DataFrame:
    """List each scan's cluster, how sure it is, and which cluster comes next.

    Parameters
    ----------
    soft_assignments : array, shape (n_scans, n_clusters)
    subject_ids : sequence of str

    Returns
    -------
    DataFrame
        ``subject_id``, ``cluster`` (from 0), ``confidence`` (its probability), ``second`` (the
        next cluster; missing with one cluster only).

    Raises
    ------
    ValueError
        If probabilities are not finite, or there is not one row of them for each subject.

    Examples
    --------
    >>> assignment_table(np.array([[0.2, 0.7, 0.1]]), ["s1"])
      subject_id  cluster  confidence  second
    0         s1        1         0.7       0
    """
    finite = np.isfinite(soft_assignments).all(axis=1)
    if len(finite) != np.size(subject_ids) or not finite.all():
        raise ValueError(
            f"expected finite probabilities for each of {np.size(subject_ids)} subjects, found "
            f"{len(finite)} rows, of which {int((~finite).sum())} hold NaN or infinity"
        )
    ranked = np.argsort(-soft_assignments, axis=1, kind="stable")
    second = ranked[:, 1] if ranked.shape[1] > 1 else np.full(len(ranked), pd.NA)
    return pd.DataFrame(
        {
            "subject_id": np.asarray(subject_ids, dtype=object),
            "cluster": ranked[:, 0],
            "confidence": soft_assignments.max(axis=1).astype("float64"),
            "second": second,
        }
    )
