"""What other numbers of clusters would have given, in counts that tell of nobody."""

from typing import Any

import numpy as np
import pandas as pd

from clamlab.stats.disclosure import hidden_cells
from clamlab.viewers.clusters.number_slider import is_apart_too, n_partitioned
from clamlab.viewers.pages.about import About

COLUMNS = ["n_clusters", "subject_id", "cluster", "jaccard", "apart"]
MASKED = "masked"
APART = "The rule sees a gap between each two of them."
CUT = "The rule does not see a gap between each two of them: they may be cuts through one cloud."
FITTED = " These are the clusters of the averages above."
GONE = " {} scans were partitioned, {} are in the averages: notebook 04 was run with others."


def numbers_told(about: About) -> list[dict[str, Any]]:
    """Collect for each number of clusters its verdict, its sizes, and how often these come back.

    Returns
    -------
    list of dict
        One for each number: ``k``, ``is_own`` (that of the averages), ``words`` and ``clusters``
        (``name``; ``scans``, masked if one to four or if these could be told from it; ``share``,
        None if masked; ``comes_back``, the Jaccard index in words, or "").

    Raises
    ------
    ValueError
        If a column of the partitions is missing.

    Examples
    --------
    >>> about = About([0] * 10 + [1] * 20)
    >>> [(told["k"], told["clusters"][1]["scans"]) for told in numbers_told(about)]
    [(2, '20')]
    """
    own = {"name": list(about.sizes), "n": list(about.sizes.values()), "jaccard": np.nan}
    k_own = len(about.sizes)
    told = {k_own: _told(pd.DataFrame(own), FITTED.strip(), masked=False) | {"is_own": True}}
    partitions = about.partitions
    if partitions is None:
        return [{"k": k_own, **told[k_own]}]
    lacking = [name for name in COLUMNS if name not in partitions]
    if lacking:
        raise ValueError(
            f"partitions: expected the columns {', '.join(COLUMNS)}, found none called "
            f"{', '.join(lacking)}; run notebook 04 again"
        )
    for k, rows in partitions.groupby("n_clusters"):
        of = n_partitioned(rows)
        gone = GONE.format(of, about.n_scans) if of != about.n_scans else ""
        if k == k_own:
            apart = len(rows) == about.n_scans and is_apart_too(rows, about.clusters)
            told[k_own]["words"] = (APART if apart else CUT) + gone + FITTED
            continue
        words = (APART if rows["apart"].iloc[0] else CUT) + gone
        found = rows.groupby("cluster").agg(n=("cluster", "size"), jaccard=("jaccard", "first"))
        found["name"] = [f"Cluster {int(cluster) + 1}" for cluster in found.index]
        told[int(k)] = _told(found, words, masked=True) | {"is_own": False}
    return [{"k": k, **told[k]} for k in sorted(told)]


def _told(found: pd.DataFrame, words: str, *, masked: bool) -> dict[str, Any]:
    counts = found["n"].to_numpy(int)
    hidden = hidden_cells(counts[:, None])[:, 1] & masked
    rows = zip(found["name"], counts, found["jaccard"], hidden, strict=True)
    clusters = [
        {
            "name": name,
            "scans": MASKED if hide else str(n),
            "share": None if hide else round(n / counts.sum(), 3),
            "comes_back": "" if np.isnan(jaccard) else f"{jaccard:.2f}",
        }
        for name, n, jaccard, hide in rows
    ]
    return {"words": words, "clusters": clusters}
