"""What can be chosen in a cohort viewer: the scan, its map, what stands beside, the colours."""

import ipywidgets as widgets
import traitlets
from numpy.typing import NDArray

from clamlab.viewers.clusters.naming import NetworkNames
from clamlab.viewers.cohort.pictures import OWN
from clamlab.viewers.cohort.scan_search import ScanSearch
from clamlab.viewers.cohort.table import borderline_scans
from clamlab.viewers.dropdown import dropdown
from clamlab.viewers.points.projections import PROJECTIONS

AS_OTHER = -2  # beside the scan: the same as a rival would have it
ANOTHER = -3  # beside the scan: the one that is searched for
N_BORDERLINE = 20
MOST_LISTED = 200  # scans in a drop-down; more are searched for by name


class CohortChoices(widgets.VBox):
    """Choose a scan by name, the map on it, and what stands beside.

    Parameters
    ----------
    names : list of str
        Of the scans; above two hundred they are searched for instead of listed.
    soft : array (n, K)
    maps, columns : list of str
        Kinds of map, and columns that can colour the points.
    has_rival : bool
        Whether a scan can stand beside itself as a rival would have it.

    Attributes
    ----------
    scan : Dropdown or ScanSearch
    beside, map, cluster, color, projection : ipywidgets.Dropdown
    borderline : ipywidgets.Select
        Scans whose cluster is least certain; `least_certain` is its heading.
    other : int or None
        What stands beside: a scan, ``AS_OTHER``, or nothing.
    """

    other = traitlets.Int(None, allow_none=True)

    def __init__(
        self,
        names: list[str],
        soft: NDArray,
        *,
        maps: list[str],
        columns: list[str],
        has_rival: bool,
    ) -> None:
        scans = [(name, i) for i, name in enumerate(names)]
        many = len(names) > MOST_LISTED
        self.scan = ScanSearch(names) if many else dropdown("Scan", scans)
        self.search = ScanSearch(names, label="which")
        self.search.layout.display = "none"
        rival = [("as a rival would have it", AS_OTHER)] if has_rival else []
        others = [("another scan", ANOTHER)] if many else scans
        self.beside = dropdown("beside", [("no other", None), *rival, *others])
        self.map = dropdown("Map", maps)
        alone = NetworkNames(soft.shape[1], shown=soft.shape[1])
        self.cluster = dropdown("for", _clusters(alone))
        self.color = dropdown("Colour", columns)
        self.projection = dropdown("as", PROJECTIONS)
        if len(PROJECTIONS) == 1:
            self.projection.layout.display = "none"
        order, margins = borderline_scans(soft)
        unsure = [(f"{names[i]}   {margins[i]:.2f}", int(i)) for i in order[:N_BORDERLINE]]
        self.borderline = widgets.Select(
            options=unsure, value=None, rows=6, layout={"width": "auto"}
        )
        self.least_certain = widgets.HTML()
        self.call(alone)
        row = [self.scan, self.map, self.cluster, self.beside]
        super().__init__([widgets.HBox(row, layout={"flex_flow": "row wrap"}), self.search])
        self.beside.observe(lambda change: self._stand(), "value")
        self.search.observe(lambda change: self._stand(), "value")

    def call(self, names: NetworkNames) -> None:
        """Name the network's clusters; the one that is chosen stays chosen."""
        self.cluster.options = _clusters(names)
        self.least_certain.value = f"<b>Least certain</b>: margin between {names.likeliest}"

    def _stand(self) -> None:
        """Tell what stands beside from the list and, where it says so, from the search."""
        searched = self.beside.value == ANOTHER
        self.search.layout.display = "" if searched else "none"
        self.other = self.search.value if searched else self.beside.value


def _clusters(names: NetworkNames) -> list[tuple[str, int]]:
    each = [(name.lower(), k) for k, name in enumerate(names.clusters)]
    return [(names.own, OWN), *each]
