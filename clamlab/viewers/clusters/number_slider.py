"""Go through numbers of clusters: who would be together, and what speaks for that number."""

from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_rand_score

from clamlab.stats.tables import show_table
from clamlab.viewers.clusters.naming import cluster_called

COLUMNS = ["n_clusters", "subject_id", "cluster", "jaccard", "apart"]
SAME = 0.6  # adjusted Rand index from which two partitions are the same clusters
APART = "{} clusters: the rule sees a gap between each two of them."
CUT = (
    "{} clusters: the rule does not see a gap between each two of them. They may be cuts through "
    "one cloud, and points are faint."
)
FITTED = " Shown are the clusters of the network, to which the maps belong."
GONE = (
    " {} of the scans that were partitioned are not here any more; gap and stability are those "
    "of all of them: run notebook 04 again."
)
KMEANS = " Shown is k-means on the features before the clustering phase; maps stay those of {}."


class NumberSlider(widgets.VBox):
    """See beside each number of clusters what the rule says of it, how large they are, how stable.

    Parameters
    ----------
    partitions : DataFrame
        One row per number and scan, as from :func:`clamlab.selection.every_partition`; ``n_scans``
        tells of rows that were taken out since.
    subject_ids : sequence of str
        The scans, in the viewer's order.
    n_clusters : int
        Where the slider begins; moved to the nearest number there is.
    fitted : array of int, optional
        Clusters of the network, from 0: shown in place of k-means at their own number,
        ``n_clusters``.

    Attributes
    ----------
    value : int
        The number of clusters; can be set.

    Raises
    ------
    ValueError
        If a column or a scan is missing, or a scan is there twice or without a cluster.

    Examples
    --------
    >>> told = {"n_clusters": 2, "subject_id": ["a", "b"], "cluster": [1, 0]}
    >>> rows = pd.DataFrame(told | {"jaccard": 0.9, "apart": True})
    >>> numbers = NumberSlider(rows, ["a", "b"], n_clusters=2)
    >>> numbers.value, numbers.is_apart, list(numbers.names)
    (2, True, ['Cluster 2', 'Cluster 1'])
    """

    value = traitlets.Int()

    def __init__(
        self,
        partitions: pd.DataFrame,
        subject_ids: ArrayLike,
        *,
        n_clusters: int,
        fitted: ArrayLike | None = None,
    ) -> None:
        here = pd.Index(subject_ids).astype(str)
        self._of = _by_number(partitions, here)
        gone = n_partitioned(partitions) - len(here)
        self._gone = GONE.format(gone) if gone else ""
        self._fitted_number = n_clusters if fitted is not None else None
        if fitted is not None:
            known = self._of.get(n_clusters)
            # The rule judged these clusters if they are those of k-means; how the network's own
            # come back, nobody asked.
            apart = known is not None and is_apart_too(known, fitted)
            self._of[n_clusters] = pd.DataFrame(
                {"cluster": fitted, "jaccard": float("nan"), "apart": apart}
            )
        numbers = sorted(self._of)
        self.slider = widgets.SelectionSlider(
            options=numbers, description="Clusters", style={"description_width": "auto"}
        )
        self.verdict = widgets.HTML()
        self.sizes = widgets.HTML()
        super().__init__([self.slider, self.verdict, self.sizes])
        self.observe(lambda change: self._tell(), "value")
        self.value = min(numbers, key=lambda k: abs(k - n_clusters))
        traitlets.link((self, "value"), (self.slider, "value"))

    @property
    def clusters(self) -> pd.Series:
        """The cluster of each scan, from 0."""
        return self._of[self.value]["cluster"]

    @property
    def names(self) -> pd.Series:
        """What people call the cluster of each scan; another's than the network's say so."""
        beside = self._fitted_number or self.value
        return self.clusters.map(lambda k: cluster_called(k, of=self.value, beside=beside))

    @property
    def is_apart(self) -> bool:
        """Whether the rule saw so many clusters apart."""
        return bool(self._of[self.value]["apart"].iloc[0])

    @traitlets.validate("value")
    def _known(self, proposal: Any) -> int:
        if proposal.value not in self._of:
            raise traitlets.TraitError(
                f"no partition in {proposal.value} clusters; there are {sorted(self._of)}"
            )
        return proposal.value

    def _tell(self) -> None:
        rows = self._of[self.value]
        said = (APART if self.is_apart else CUT).format(self.value)
        if self._fitted_number is not None:
            same = self.value == self._fitted_number
            said += FITTED if same else KMEANS.format(self._fitted_number)
        self.verdict.value = said + self._gone
        told = rows.groupby("cluster").agg(Scans=("cluster", "size"), jaccard=("jaccard", "first"))
        shown = pd.DataFrame({"Cluster": told.index + 1, "Scans": told["Scans"]})
        if told["jaccard"].notna().all():
            shown["Comes back (Jaccard)"] = told["jaccard"]
        self.sizes.value = show_table(shown).to_html()


def numbers_or_why_not(
    partitions: pd.DataFrame | None, names: list[str], own: NDArray, soft: NDArray
) -> tuple[NumberSlider | None, str]:
    """Give the slider, or the words that stand in its place; all else can still be looked at."""
    if partitions is None:
        return None, ""
    try:
        return NumberSlider(partitions, names, n_clusters=soft.shape[1], fitted=own), ""
    except ValueError as error:
        return None, f"Other numbers of clusters cannot be shown. {error}"


def n_partitioned(rows: pd.DataFrame) -> int:
    """Count the scans that were partitioned, with those whose rows were taken out since.

    Examples
    --------
    >>> rows = pd.DataFrame({"n_clusters": [2, 2, 3, 3], "subject_id": ["a", "b"] * 2})
    >>> n_partitioned(rows), n_partitioned(rows.assign(n_scans=3))
    (2, 3)
    """
    here = rows["subject_id"].nunique()
    return max(here, int(rows["n_scans"].max())) if "n_scans" in rows else here


def is_apart_too(judged: pd.DataFrame, fitted: ArrayLike) -> bool:
    """Tell whether what the rule says of the clusters of k-means is true of the network's.

    Examples
    --------
    >>> judged = pd.DataFrame({"cluster": [0, 0, 1, 1], "apart": True})
    >>> is_apart_too(judged, [1, 1, 0, 0]), is_apart_too(judged, [0, 1, 0, 1])
    (True, False)
    """
    same = adjusted_rand_score(judged["cluster"], np.asarray(fitted)) >= SAME
    return bool(same and judged["apart"].iloc[0])


def _by_number(partitions: pd.DataFrame, subject_ids: pd.Index) -> dict[int, pd.DataFrame]:
    """Give the rows of each number in the scans' order."""
    lacking = [name for name in COLUMNS if name not in partitions]
    if lacking:
        raise ValueError(
            f"partitions: expected the columns {', '.join(COLUMNS)}, found none called "
            f"{', '.join(lacking)}; run notebook 04 again"
        )
    if not len(partitions) or partitions["cluster"].isna().any():
        raise ValueError("partitions: expected a cluster in each row: run notebook 04 again")
    found = {}
    for k, rows in partitions.groupby("n_clusters"):
        known = rows.assign(subject_id=rows["subject_id"].astype(str)).set_index("subject_id")
        if known.index.has_duplicates:
            twice = known.index[known.index.duplicated()][0]
            raise ValueError(
                f"partitions: expected one row for each scan in {k} clusters, found two of "
                f"{twice!r}: run notebook 04 again"
            )
        missing = subject_ids.difference(known.index)
        if len(missing):
            raise ValueError(
                f"partitions: expected a row for every scan in {k} clusters, found none for "
                f"{len(missing)} (first {missing[0]!r}): run notebook 04 again"
            )
        found[int(k)] = known.loc[subject_ids].reset_index(drop=True)
    return found
