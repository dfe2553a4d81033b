"""Which scans stay when the unsure ones are left out, and how that is said."""

from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.stats.tables.rendering import cluster_name
from clamlab.viewers.number_box import NumberBox

CONFIDENCE = "confidence"
FEW = 10
CROWDED = 0.9  # three of four confidences above it: hundredths tell too few of them apart


@dataclass(frozen=True)
class Cut:
    """The scans that stay at a least confidence.

    Attributes
    ----------
    least : float
        0: all scans stay, also those of unknown confidence.
    stays : array of bool, shape (n_scans,)
    n_unsure, n_unknown : int
        Left out for a lower confidence, or for an unknown one.
    sizes : dict of int to (int, int)
        By cluster, from 0: how many stay, of how many.
    """

    least: float
    stays: NDArray
    n_unsure: int
    n_unknown: int
    sizes: dict[int, tuple[int, int]]
    decimals: int = 2

    @property
    def is_planned(self) -> bool:
        """Whether every scan stays."""
        return bool(self.stays.all())

    @property
    def words(self) -> str:
        """Say how many scans are left out and why."""
        n = len(self.stays)
        if self.is_planned:
            return f"all {n} scans"
        low = f"{self.n_unsure} with a confidence below {self.least:.{self.decimals}f}"
        unknown = f"{self.n_unknown} of unknown confidence"
        why = [w for w, k in ((low, self.n_unsure), (unknown, self.n_unknown)) if k]
        return f"{self.n_unsure + self.n_unknown} of {n} scans left out ({', '.join(why)})"

    @property
    def by_cluster(self) -> str:
        """Say how many stay in each cluster."""
        told = (f"{cluster_name(k)}: {stay} of {of}" for k, (stay, of) in self.sizes.items())
        return f"{int(self.stays.sum())} of {len(self.stays)} scans stay. " + " · ".join(told)

    @property
    def reservations(self) -> list[str]:
        """Name the clusters that have become too small to say much, or are gone.

        Examples
        --------
        >>> cut_at(pd.Series([0.9, 0.6, 0.5]), pd.Series([0, 1, 1]), 0.7).reservations[1]
        'Cluster 1 has 1 scan: means and tests of so few say little.'
        """
        gone = [cluster_name(k) for k, (stay, of) in self.sizes.items() if of and not stay]
        small = {k: n for k, (n, _) in self.sizes.items() if 0 < n < FEW}
        few = [f"{cluster_name(k)} has {n}" for k, n in small.items()]
        have = "has" if len(gone) == 1 else "have"
        said = [f"{' and '.join(gone)} {have} no scan left."] if gone else []
        if few:
            scans = "scan" if [*small.values()][-1] == 1 else "scans"
            said.append(f"{', '.join(few)} {scans}: means and tests of so few say little.")
        if sum(n > 0 for n, _ in self.sizes.values()) == 1:
            said.append("One cluster only: there is nothing to compare.")
        return said


def cut_at(confidence: pd.Series, clusters: pd.Series, least: float, *, decimals: int = 2) -> Cut:
    """Leave out the scans whose confidence is below the least, or unknown.

    Examples
    --------
    >>> confidence, clusters = pd.Series([0.9, 0.6, None, 0.7]), pd.Series([0, 0, 1, 1])
    >>> cut_at(confidence, clusters, 0.7).words
    '2 of 4 scans left out (1 with a confidence below 0.70, 1 of unknown confidence)'
    >>> cut_at(confidence, clusters, 0.7).by_cluster
    '2 of 4 scans stay. Cluster 1: 1 of 2 · Cluster 2: 1 of 2'
    >>> cut_at(confidence, clusters, 0).stays.all()
    np.True_
    """
    known = confidence.notna().to_numpy()
    stays = confidence.ge(least).to_numpy(bool) | (least <= 0)
    codes = clusters.to_numpy()
    sizes = {
        int(k): (int(stays[codes == k].sum()), int((codes == k).sum())) for k in np.unique(codes)
    }
    return Cut(least, stays, int((~stays & known).sum()), int((~stays & ~known).sum()), sizes,
               decimals)  # fmt: skip


class ConfidenceSlider(widgets.VBox):
    """Move the least confidence, and see at once how many scans stay.

    Parameters
    ----------
    table : DataFrame
        With the column ``confidence``; without it, or without a number in it, the slider is shut
        and says so.
    clusters : Series of int
    """

    def __init__(self, table: pd.DataFrame, clusters: pd.Series) -> None:
        self._clusters = clusters
        given = table.get(CONFIDENCE, pd.Series(np.nan, index=table.index))
        numbers = pd.to_numeric(given, errors="coerce").astype(float)
        self._confidence = numbers.where(np.isfinite(numbers))
        crowded = self._confidence.quantile(0.25) > CROWDED
        self._decimals = 3 if crowded else 2
        step = 10.0**-self._decimals
        largest = self._confidence.max()
        usable = largest >= step
        # From just below the least of them, where all scans stay: no travel that changes nothing.
        lowest = max(self._floor(self._confidence.min()) - step, 0) if usable else 0
        self.slider = widgets.FloatSlider(
            value=lowest,
            min=lowest,
            max=self._floor(largest) if usable else 1,
            step=step,
            readout_format=f".{self._decimals}f",
            description="Least confidence",
            style={"description_width": "auto"},
            layout={"width": "min(560px, 100%)"},
            disabled=not usable,
        )
        self._why_not = "" if usable else _why_not(table)
        self._said = widgets.Label(self.cut.by_cluster)
        self.slider.observe(lambda change: self._tell(), "value")
        super().__init__([NumberBox(self.slider), self._said])
        self._tell()

    @property
    def cut(self) -> Cut:
        """The cut at which the slider stands."""
        # A browser's steps end with rounding errors, which could leave out a scan more.
        least = round(self.slider.value, self._decimals)
        least = 0 if least <= round(self.slider.min, self._decimals) else least
        return cut_at(self._confidence, self._clusters, least, decimals=self._decimals)

    def _floor(self, confidence: float) -> float:
        step = 10.0**-self._decimals
        return float(np.floor(round(confidence / step, 6)) * step)

    def _tell(self) -> None:
        self._said.value = self._why_not or f"{self.cut.by_cluster}. {self._range}"

    @property
    def _range(self) -> str:
        """Say where the confidences lie, and of how many scans none is known."""
        lowest, largest = self._confidence.min(), self._confidence.max()
        unknown = int(self._confidence.isna().sum())
        gaps = f"; {unknown} unknown, left out by any cut" if unknown else ""
        digits = self._decimals
        return f"(Confidences from {lowest:.{digits}f} to {largest:.{digits}f}{gaps}.)"


def _why_not(table: pd.DataFrame) -> str:
    if CONFIDENCE not in table:
        return f"No cut: the table has no column '{CONFIDENCE}' (join the cluster assignments)."
    return f"No cut: '{CONFIDENCE}' holds no number above 0."
