"""The partition for every number of clusters, and what speaks for each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from clamlab.clustering.checks import check_whole
from clamlab.selection.answer import CLUSTERS
from clamlab.selection.checks import checked_features
from clamlab.selection.preparing import Prepared, prepare, take_out
from clamlab.selection.same_cut import are_same, groups_seen
from clamlab.selection.stability import bootstrapped

COLUMNS = ["n_clusters", "subject_id", "cluster", "agreement", "jaccard", "apart", "n_scans"]


def every_partition(
    features: ArrayLike,
    criteria: pd.DataFrame,
    choice: dict[str, Any],
    *,
    density: ArrayLike,
    subjects: Sequence,
    seed: int,
    n_bootstrap: int = 100,
    without: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """See who would belong together if there were more clusters, or fewer, and whether they do.

    k-means on the features as notebook 04 judges them, for every number that the criteria hold.

    Parameters
    ----------
    features : array, shape (n_scans, p)
        Before any clustering phase.
    criteria, choice
        From :func:`clamlab.selection.choose_n_clusters`.
    density : array, shape (n_scans,)
        Mean HU of each scan: the densest cluster is the first, as everywhere.
    subjects : sequence
        Whose each scan is.
    seed : int
    n_bootstrap : int
        Resampled partitions, at least 2.
    without : DataFrame, optional
        What is taken out before looking.

    Returns
    -------
    DataFrame
        One row per number and scan: n_clusters, subject_id, cluster (from 0), agreement (share of
        resampled partitions that leave the scan in its cluster), jaccard (how well its cluster
        comes back, 1 is wholly), apart (whether the rule saw that many clusters apart, and they
        are these: where something else varies more, k-means may cut that), n_scans (how many were
        partitioned: rows of some may be taken out later).

    Raises
    ------
    ValueError
        If scans, densities and subjects are not equally many, or features are missing.

    Examples
    --------
    >>> x = np.repeat([[0.0], [9.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 4))
    >>> criteria = pd.DataFrame({"n_clusters": [1, 2, 3], "separation": [None, 4.0, -1.0]})
    >>> choice = {"answer": "clusters", "n_clusters": 2}
    >>> ids = [f"S{i}" for i in range(20)]
    >>> found = every_partition(
    ...     x, criteria, choice, density=x[:, 0], subjects=ids, seed=0, n_bootstrap=5
    ... )
    >>> found.groupby("n_clusters")["apart"].first().to_dict()
    {2: True, 3: False}
    >>> found["cluster"].iloc[[0, 19]].tolist()  # the densest scans are in cluster 0
    [1, 0]
    """
    numbers = [int(k) for k in criteria["n_clusters"] if k > 1]
    x = checked_features(features, seed, name="n_clusters", n_clusters=max(numbers))
    check_whole("n_bootstrap", n_bootstrap, least=2)
    dense = np.asarray(density, dtype=float)
    if not len(x) == len(dense) == len(subjects):
        raise ValueError(
            f"expected a density and a subject for each of {len(x)} scans, found {len(dense)} and "
            f"{len(subjects)}"
        )
    if without is not None and without.shape[1]:
        x = take_out(x, without)
    apart = numbers_apart(criteria, choice)
    prepared = prepare(features, subjects=subjects, without=without)
    tables = []
    with threadpool_limits(limits=1):
        for k in numbers:
            found = bootstrapped(x, k, n_bootstrap, seed=seed, density=dense)
            tables.append(
                pd.DataFrame(
                    {
                        "n_clusters": k,
                        "subject_id": np.asarray(subjects),
                        "cluster": found.labels,
                        "agreement": found.agreement,
                        "jaccard": found.jaccard[found.labels],
                        "apart": k in apart and _is_seen(found.labels, prepared, k, seed),
                        "n_scans": len(x),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def numbers_apart(criteria: pd.DataFrame, choice: dict[str, Any]) -> set[int]:
    """Give the numbers of clusters that are all apart, where there are clusters at all.

    Examples
    --------
    >>> criteria = pd.DataFrame({"n_clusters": [1, 2, 3], "separation": [None, 4.0, -1.0]})
    >>> numbers_apart(criteria, {"answer": "clusters", "n_clusters": 2})
    {2}
    """
    if choice["answer"] != CLUSTERS:
        return set()
    return {choice["n_clusters"], *criteria.query("separation >= 0")["n_clusters"]}


def _is_seen(labels: NDArray, prepared: Prepared, n_clusters: int, seed: int) -> bool:
    """Tell whether these are the clusters between which the rule saw a gap."""
    seen = groups_seen(prepared.scores, n_clusters, seed=seed)
    return are_same(labels[prepared.kept], seen)
