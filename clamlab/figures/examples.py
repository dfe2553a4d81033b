"""Which scans a figure shows: those a person names, or some drawn from each cluster."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def example_scans(
    assignments: pd.DataFrame,
    *,
    subjects: Sequence[str] | None = None,
    per_cluster: int = 3,
    seed: int,
) -> dict[str, int]:
    r"""Choose scans to show, named or drawn at random from each cluster, as in figures 8 and 9.

    Parameters
    ----------
    assignments : DataFrame
        ``subject_id`` and ``cluster``, in the order of the cohort's arrays.
    subjects : sequence of str, optional
        Show these, in this order.
    per_cluster : int
        Otherwise draw so many of each cluster (or all, where there are fewer).
    seed : int
        Of the draw.

    Returns
    -------
    dict of str to int
        From the column's title, cluster and subject, to the row in the arrays.

    Raises
    ------
    ValueError
        If a subject is not in the study.

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["a", "b"], "cluster": [1, 0]})
    >>> example_scans(table, seed=0)
    {'Cluster 1\nb': 1, 'Cluster 2\na': 0}
    """
    ids = assignments["subject_id"].astype(str).tolist()
    clusters = assignments["cluster"].to_numpy()
    if subjects is not None:
        if unknown := [s for s in subjects if s not in ids]:
            raise ValueError(f"no such subject in the study: {', '.join(unknown)}")
        rows = [ids.index(s) for s in subjects]
    else:
        rng = np.random.default_rng(seed)
        rows = []
        for k in np.unique(clusters):
            members = np.flatnonzero(clusters == k)
            rows += sorted(rng.choice(members, min(per_cluster, len(members)), replace=False))
    return {f"Cluster {clusters[i] + 1}\n{ids[i]}": int(i) for i in rows}
