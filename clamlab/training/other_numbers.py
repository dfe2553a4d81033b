"""The same cohort in other numbers of clusters, to be looked at beside the chosen one."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.models import ConvAutoencoder
from clamlab.training.clusters import fit_clusters
from clamlab.training.embedding import embed
from clamlab.training.results import assign, assignment_table

COLUMNS = ["subject_id", "n_clusters", "cluster", "confidence", "second"]


def other_assignments(
    autoencoder: ConvAutoencoder,
    images: NDArray,
    subject_ids: ArrayLike,
    numbers: Iterable[int],
    **settings: Any,
) -> pd.DataFrame:
    """See who would belong together if there were more clusters, or fewer.

    Parameters
    ----------
    autoencoder : ConvAutoencoder
        Pre-trained; every number of clusters starts from it.
    images : array or ScaledVolumes, shape (n_scans, *grid)
    subject_ids : sequence of str
    numbers : iterable of int
        Numbers of clusters to fit.
    **settings
        As for :func:`fit_clusters`.

    Returns
    -------
    DataFrame
        One row per number and scan: ``subject_id``, ``n_clusters``, and as in
        :func:`assignment_table` ``cluster``, ``confidence``, ``second``. Without rows if no number
        is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> autoencoder = ConvAutoencoder((8, 8), channels=(2, 2, 2), n_features=3)
    >>> scans = np.random.default_rng(0).normal(size=(6, 8, 8)).astype("float32")
    >>> found = other_assignments(
    ...     autoencoder, scans, list("abcdef"), [2, 3], epochs=1, progress=False
    ... )
    >>> found.groupby("n_clusters").size().to_dict()
    {2: 6, 3: 6}
    """
    tables = [pd.DataFrame(columns=COLUMNS)]
    for n_clusters in numbers:
        model, _ = fit_clusters(autoencoder, images, n_clusters, **settings)
        batch_size = settings.get("batch_size", 32)
        soft = assign(model, embed(model, images, batch_size=batch_size))
        tables.append(assignment_table(soft, subject_ids).assign(n_clusters=n_clusters))
    return pd.concat(tables[1:] or tables, ignore_index=True)[COLUMNS]
