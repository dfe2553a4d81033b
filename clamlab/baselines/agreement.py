"""Do baselines find the network's clusters? A table, and the sentence that a page begins with."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from clamlab.baselines.partitions import baseline_title
from clamlab.baselines.recorded import SCANNER

SAME = 0.8
FEWEST_SCANS = 10
COLUMNS = (
    "baseline", "title", "n_clusters", "n_groups", "n", "adjusted_rand",
    "adjusted_mutual_information", "same", "note",
)  # fmt: skip


def agreement(partitions: pd.DataFrame, clusters: ArrayLike) -> pd.DataFrame:
    """See how far each baseline agrees with the network's clusters.

    Parameters
    ----------
    partitions : DataFrame
        From :func:`baseline_partitions`, as it is or read again; ``subject_id`` is passed over.
    clusters : array of int, shape (n_scans,)
        The network's.

    Returns
    -------
    DataFrame
        A row for each baseline: ``baseline``, ``title``, ``n_clusters`` (the network's),
        ``n_groups`` (its own), ``n`` (scans compared), ``adjusted_rand``,
        ``adjusted_mutual_information``, ``same`` and ``note`` (why there is no number, or how it is
        to be read). Without a column of scanners a row says so.

    Raises
    ------
    ValueError
        If partitions and clusters are not of the same scans.

    Notes
    -----
    Both numbers are 0 on average for groups drawn by chance, and 1 for the same groups. Many
    scanners cannot have an adjusted Rand index near 1 with few clusters, even if each one's scans
    lie in one cluster; mutual information, divided by the smaller entropy, is then 1.
    ``same`` is an adjusted Rand index of .8 or more; where the numbers of groups differ, either
    number. Fewer than 10 scans are not compared, nor groups of which every other is one scan: there
    agreement is luck.

    References
    ----------
    Hubert & Arabie, J. Classif. 2, 193-218 (1985). Vinh, Epps & Bailey, J. Mach. Learn. Res. 11,
    2837-2854 (2010).

    Examples
    --------
    >>> parts = pd.DataFrame({"density": [0, 1] * 6, "scanner: site": ["a"] * 6 + ["b"] * 6})
    >>> agreement(parts, [1, 0] * 6)[["title", "adjusted_rand", "same"]].round(2).values.tolist()
    [['mean lung density', 1.0, True], ['site', -0.1, False]]
    """
    clusters = np.asarray(clusters)
    if len(clusters) != len(partitions):
        raise ValueError(
            f"expected a cluster for each of {len(partitions)} scans, found {len(clusters)}"
        )
    names = [name for name in partitions if name != "subject_id"]
    rows = [_row(name, partitions[name], clusters) for name in names]
    if not any(name.startswith(SCANNER) for name in names):
        rows.append(
            _described("scanner", clusters) | {"n_groups": 0, "n": 0, "note": "not recorded"}
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {"adjusted_rand": float, "adjusted_mutual_information": float}
    )


def _described(name: str, clusters: np.ndarray) -> dict:
    n_clusters = len(np.unique(clusters))
    return {
        "baseline": name,
        "title": baseline_title(name),
        "n_clusters": n_clusters,
        "same": False,
    }


def _row(name: str, groups: pd.Series, clusters: np.ndarray) -> dict:
    known = groups.notna().to_numpy()
    ours, theirs = clusters[known], pd.factorize(groups[known])[0]
    n, n_groups = int(known.sum()), len(np.unique(theirs))
    row = _described(name, clusters) | {"n_groups": n_groups, "n": n}
    if why := _why_not(ours, n, n_groups):
        return row | {"note": why}
    # Rounding may leave the same groups a little above 1.
    rand = min(1.0, float(adjusted_rand_score(ours, theirs)))
    shared = min(1.0, float(adjusted_mutual_info_score(ours, theirs, average_method="min")))
    other_number = n_groups != row["n_clusters"]
    notes = [f"known of {n} of {len(known)} scans"] if n < len(known) else []
    notes += [f"{n_groups} groups, {row['n_clusters']} clusters"] if other_number else []
    return row | {
        "adjusted_rand": rand,
        "adjusted_mutual_information": shared,
        "same": (max(rand, shared) if other_number else rand) >= SAME,
        "note": "; ".join(notes),
    }


def _why_not(clusters: np.ndarray, n: int, n_groups: int) -> str:
    if n == 0:
        return "not recorded"
    if n < FEWEST_SCANS:
        return f"known of {n} scans, fewer than {FEWEST_SCANS}"
    if n_groups == 1:
        return "the same for all scans"
    if n_groups > n / 2:
        return f"{n_groups} groups of {n} scans are too many"
    if len(np.unique(clusters)) == 1:
        return "one cluster: nothing to compare with"
    return ""


def agreement_sentence(found: pd.DataFrame) -> str:
    """Say first whether the clusters needed a network; then what could not be compared.

    Parameters
    ----------
    found : DataFrame
        From :func:`agreement`.

    Returns
    -------
    str

    Examples
    --------
    >>> import textwrap
    >>> parts = pd.DataFrame({"density": [0, 1] * 6, "scanner: site": ["a"] * 6 + ["b"] * 6})
    >>> print(textwrap.fill(agreement_sentence(agreement(parts, [1, 0] * 6)), 92))
    The same clusters come from mean lung density alone (adjusted Rand 1.00): nobody needed a
    network to find these clusters. Agreement does not say which of two partitions is right.
    """
    same = found["same"].astype(bool) & found["adjusted_rand"].notna()
    of_scanner = found["baseline"].str.startswith("scanner")
    compared = found[found["adjusted_rand"].notna()]
    said = []
    if len(simple := found[same & ~of_scanner]):
        sources = _listed(f"from {row.title} alone ({_number(row)})" for row in simple.itertuples())
        said.append(
            f"The same clusters come {sources}: nobody needed a network to find these clusters."
        )
    if len(scanners := found[same & of_scanner]):
        said.append(
            f"The clusters follow how scans were made, by {_named(scanners)}: they may be clusters "
            "of scanners, not of people."
        )
    if compared.empty:
        said.append("No baseline could be compared with the clusters.")
    elif not said:
        nearest = compared.nlargest(1, "adjusted_rand")
        said.append(f"No baseline gives the same clusters; nearest comes {_named(nearest)}.")
    if len(compared):
        said.append("Agreement does not say which of two partitions is right.")
    if len(rest := found[found["adjusted_rand"].isna()]):
        reasons = (f"{row.title} ({row.note})" for row in rest.itertuples())
        said.append(f"Not compared: {_listed(reasons)}.")
    return " ".join(said)


def _named(rows: pd.DataFrame) -> str:
    return _listed(f"{row.title} ({_number(row)})" for row in rows.itertuples())


def _number(row) -> str:
    if row.adjusted_rand < SAME and row.same:
        shared = row.adjusted_mutual_information
        return f"{row.n_groups} groups, adjusted mutual information {shared:.2f}"
    return f"adjusted Rand {row.adjusted_rand:.2f}"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
