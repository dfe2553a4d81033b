"""What a page must say of the cohort behind its averages, so that nobody takes them for more."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clamlab.stats.disclosure import SMALLEST

TREAT = (
    "Treat it as patient data: store and pass it on only as your ethics approval allows, and "
    "never publish it."
)


@dataclass(frozen=True, eq=False)
class About:
    """Tell a reader who has nothing but the page what was clustered, and how sure that is.

    Parameters
    ----------
    clusters : array of int, shape (n_scans,)
        The cluster of every scan, from 0: how many scans each average is of decides whether a
        person may be told from it, and the page then says so.
    name : str
        Of the study.
    simulated : bool
        Whether the scans are drawn: there is nobody then whom the page could show.
    decision : str
        How the number of clusters was decided: ``selection.decision_words(choice, names=False)``.
    partitions : DataFrame, optional
        Clusters of every scan for other numbers, as from ``selection.every_partition``. Of these
        only sizes and stability go into the page, and no count of a few scans.

    Raises
    ------
    ValueError
        If there is no scan, or a cluster is no whole number from 0.

    Examples
    --------
    >>> about = About([0, 0, 0, 0, 0, 1, 1], name="lungs")
    >>> about.sizes, about.few, about.shows_persons
    ({'Cluster 1': 5, 'Cluster 2': 2}, ['Cluster 2'], True)
    """

    clusters: ArrayLike
    _: KW_ONLY
    name: str = ""
    simulated: bool = False
    decision: str = ""
    partitions: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        clusters = np.asarray(self.clusters)
        whole = np.issubdtype(clusters.dtype, np.integer)
        if clusters.ndim != 1 or not clusters.size or not whole or clusters.min() < 0:
            raise ValueError(
                "expected the cluster of each scan as whole numbers from 0, found "
                f"{clusters.dtype} of shape {clusters.shape}"
            )
        object.__setattr__(self, "clusters", clusters)

    @property
    def n_scans(self) -> int:
        """How many scans were clustered."""
        return len(np.asarray(self.clusters))

    @property
    def sizes(self) -> dict[str, int]:
        """How many scans each cluster has, by its name."""
        found, counts = np.unique(np.asarray(self.clusters), return_counts=True)
        return {f"Cluster {k + 1}": int(n) for k, n in zip(found, counts, strict=True)}

    @property
    def few(self) -> list[str]:
        """The clusters of so few scans that their average is hardly one."""
        return [name for name, n in self.sizes.items() if n < SMALLEST]

    @property
    def shows_persons(self) -> bool:
        """Whether a person may be told from an average."""
        return bool(self.few) and not self.simulated

    def warnings(self) -> list[str]:
        """Say what a reader must know before looking: averages of few, and what they may show."""
        if not self.few:
            return []
        told = [f"{name} is the average of {scans_in_words(self.sizes[name])}" for name in self.few]
        may = (
            "it may show a single person."
            if self.shows_persons
            else "what it shows may be that of a single scan."
        )
        return [f"{' and '.join(told)}: {may}" + (f" {TREAT}" if self.shows_persons else "")]

    def promise(self) -> str:
        """Say what is not in the page; only what is true of this one."""
        if self.simulated:
            return "All scans are simulated: nobody's data are in this file."
        if self.shows_persons:
            return ""
        return (
            f"Averages only, each of {SMALLEST} scans or more: no scan, no value and no name of a "
            "single person is in this file."
        )


def scans_in_words(n: int) -> str:
    """Count scans.

    Examples
    --------
    >>> scans_in_words(1), scans_in_words(20)
    ('1 scan', '20 scans')
    """
    return f"{n} scan{'s' * (n != 1)}"
