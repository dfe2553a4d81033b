"""What is it about this cluster? Each cluster's average, its map, and what sets it apart."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.clusters.differences import (
    OVERALL,
    REST,
    checked_averages,
    common_limit,
    computed_maps,
    evidence_of,
    known_spread,
    less_words,
    same_grid,
    told_against,
)
from clamlab.viewers.dropdown import dropdown
from clamlab.viewers.listening import Listening
from clamlab.viewers.memory import Memory
from clamlab.viewers.pages.about import About
from clamlab.viewers.pages.cohort_page import MAP, Averages, cohort_page
from clamlab.viewers.pages.persons import Persons
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.slices.slice_viewer import SliceViewer, close_whole
from clamlab.viewers.slices.together import Together
from clamlab.viewers.stills import Explorable, averages_still

OF_ALL = "the average of all scans"
FULL = {"width": "auto"}
_open: dict[str, "ClusterAverages"] = {}


class ClusterAverages(Explorable, widgets.VBox):
    """See what sets a cluster apart: its own average beneath its own map, and against the others.

    A slider goes through the clusters. Side by side, all of them scroll, zoom and change window
    together. Held against the rest of the scans, the overall average or another cluster, a cluster
    shows where it is denser and where less, in HU.

    Parameters
    ----------
    average_hu : dict of str to array (X, Y, Z) or (H, W)
        Average HU of every cluster (``"Cluster 1"``), and of all scans if there is an
        ``"Overall"``; as of ``volumes.average_by_cluster``.
    average_map : dict of str to array, optional
        Average maps in [0, 1] by the same names. A cluster that has none is shown without, and
        that is said.
    rest_hu : dict of str to array, optional
        For each cluster the average of all scans that are in other clusters, each scan counted
        alike: ``stats.maps.average_of_rest`` makes it. Without it a cluster cannot be held
        against the rest.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    mask : bool array of the grid, optional
        Lung; outside it there is no map and no difference.
    spread_hu : array of the grid, optional
        Standard deviation between scans of one cluster: ``stats.maps.spread_within_clusters``.
        Differences then fade where they are small beside it: full colour from one SD on.
    key : str, optional
        Name of this viewer: the earlier one of the same name is closed, and a cell that runs again
        shows what it showed before.

    Attributes
    ----------
    cluster : ipywidgets.SelectionSlider
    against : ipywidgets.Dropdown
    together : ipywidgets.ToggleButton
        The controls; setting their `value` in Python moves the view too.
    slices : SliceViewer
        The picture of the chosen cluster.

    Raises
    ------
    ValueError
        If there is no cluster, or averages, mask, rest and spread differ in shape.

    Examples
    --------
    >>> averages = {"Cluster 1": np.full((8, 8), -700.0), "Cluster 2": np.full((8, 8), -800.0)}
    >>> viewer = ClusterAverages(averages, {name: np.zeros((8, 8)) for name in averages})
    >>> viewer.cluster.value = "Cluster 2"
    >>> viewer.slices.title
    'Cluster 2'
    """

    in_words = "The averages of the clusters, and their maps."

    def __init__(
        self,
        average_hu: Mapping[str, ArrayLike],
        average_map: Mapping[str, ArrayLike] | None = None,
        *,
        rest_hu: Mapping[str, ArrayLike] | None = None,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        spread_hu: ArrayLike | None = None,
        key: str | None = None,
    ) -> None:
        self._average_hu, self._mask, self._empty = checked_averages(average_hu, mask)
        self._names = [name for name in self._average_hu if name != OVERALL]
        self._rest_hu = same_grid("the rest", rest_hu or {}, self._mask)
        self._maps = computed_maps(average_map or {}, self._names, self._mask)
        self._spread = known_spread(spread_hu, self._mask)
        self._no_spread = spread_hu is not None and self._spread is None
        self._affine, self._wanted, self._turning = affine, MAP, False
        self._limits: dict[Any, float] = {}
        self._add_controls()
        memory = Memory(key, of=self._names)
        memory.tie(self.cluster, "value", "cluster")
        memory.tie(self.against, "value", "against")
        view = self._view(self.cluster.value)
        self.slices = SliceViewer(affine=affine, key=key and f"{key}: slices", **view)
        self._wanted = self.slices.overlay
        self._all: Together | None = None
        self._connect()
        self._pictures = widgets.VBox([self.slices], layout=FULL)
        super().__init__([self._bar, self._words, Listening(), self._pictures], layout=FULL)
        memory.tie(self.together, "value", "together")
        self._tell()
        if key in _open:
            _open.pop(key)._close_all()
        if key:
            _open[key] = self

    def still(self) -> Any:
        """Draw every cluster's average, and beside it its map."""
        known = {name: self._average_hu[name] for name in self._names}
        return averages_still(known, self._maps, mask=self._mask, affine=self._affine)

    def _add_controls(self) -> None:
        several = len(self._names) > 1
        self.cluster = widgets.SelectionSlider(
            options=self._names, layout={"width": "340px"}, style={"description_width": "auto"}
        )
        others: list[tuple[str, str | None]] = [("nothing", None)]
        others += [("the rest of the scans", REST)] if self._rest_hu else []
        others += [(OF_ALL, OVERALL)] if OVERALL in self._average_hu else []
        others += [(name, name) for name in self._names]
        self.against = dropdown("against", others, width="260px")
        self.together = widgets.ToggleButton(
            description="Side by side", tooltip="All clusters; scroll one and all move"
        )
        self._words = widgets.HTML()
        self._bar = widgets.HBox([self.cluster, self.against, self.together] if several else [])

    def _connect(self) -> None:
        self.cluster.observe(lambda change: self._show(), "value")
        self.against.observe(lambda change: self._hold_against(), "value")
        self.together.observe(lambda change: self._arrange(), "value")
        self.slices.observe(self._choose, "overlay")

    def to_html(
        self, about: About, path: str | Path | None = None, *, persons: Persons | None = None
    ) -> str | Path:
        """Hand the cohort on as one page that opens in any browser, without Python and network.

        It holds each cluster's average and map, their differences to the rest, to all scans and to
        each other, sizes and stability for other numbers of clusters, and what the colours mean.
        It holds nothing of a single person, unless a cluster has so few scans that one may be
        told from its average, which the page then says, or `persons` is given.

        Parameters
        ----------
        about : viewers.pages.About
            Who is in which cluster, the study, and how the number of clusters was decided.
        path : str or Path, optional
            File to write, whole or not at all. Default: return the page as text.
        persons : viewers.pages.Persons, optional
            Every scan as a point, with what you choose to tell of each.

        Returns
        -------
        Path or str
            The file written, or the page's text.

        Raises
        ------
        ValueError
            If there is an average of a cluster without scans, or not one point for each scan.
        """
        averages = Averages(
            self._average_hu, self._maps, self._rest_hu, self._mask, self._spread, self._affine
        )
        return cohort_page(averages, about, path, persons=persons)

    def _view(self, name: str) -> dict[str, Any]:
        """Collect what a slice viewer shows of one cluster."""
        return {
            "volume_hu": self._average_hu[name],
            "overlays": self._overlays(name, self.against.value),
            "title": self._title(name),
        }

    def _title(self, name: str) -> str:
        if self._maps and name not in self._maps:
            return f"{name} (its map was not computed)"
        return f"{name} · the reference" if name == self.against.value else name

    def _overlays(self, name: str, other: str | None) -> dict[str, ArrayLike | SignedMap]:
        maps: dict[str, ArrayLike | SignedMap] = {}
        if name in self._maps:
            maps[MAP] = self._maps[name]
        if other is not None:
            maps[less_words(other)] = self._signed(name, other)
        return maps

    def _signed(self, name: str, other: str) -> SignedMap:
        if other not in self._limits:
            of_all = (self._difference(each, other) for each in self._names)
            self._limits[other] = common_limit(of_all)
        values = self._difference(name, other)
        evidence = None if self._spread is None else evidence_of(values, self._spread)
        if evidence is not None:
            evidence = np.where(self._mask, evidence, 0)
        return SignedMap(values, limit=self._limits[other], evidence=evidence)

    def _difference(self, name: str, other: str) -> NDArray[np.float32]:
        """Subtract what a cluster is held against, in the lung; from itself there is none."""
        if name == other:
            return np.full(self._mask.shape, np.nan, np.float32)
        unknown = np.float32(np.nan)
        less = self._rest_hu.get(name, unknown) if other == REST else self._average_hu[other]
        return np.where(self._mask, self._average_hu[name] - less, np.float32(np.nan))

    def _show(self) -> None:
        """Show the chosen cluster; the kind of map that was chosen stays chosen."""
        view = self._view(self.cluster.value)
        self._turning = True
        self.slices.show(affine=self._affine, **view)
        names = list(view["overlays"])
        self.slices.overlay = self._wanted if self._wanted in ("", *names) else (names or [""])[0]
        self._turning = False
        self._tell()

    def _choose(self, change: Any) -> None:
        if not self._turning:
            self._wanted = change.new

    def _hold_against(self) -> None:
        other = self.against.value
        self._wanted = MAP if other is None else less_words(other)
        self._show()
        if self._all is not None:
            self._all.show([self._view(name) for name in self._names], overlay=self._wanted)

    def _arrange(self) -> None:
        together = self.together.value
        if together and self._all is None:
            views = [self._view(name) for name in self._names]
            self._all = Together(self.slices, views, affine=self._affine)
        self.cluster.disabled = together
        self._pictures.children = [self._all] if together and self._all else [self.slices]
        if self._all is not None:
            self._all.lead(together)
        self._tell()

    def _tell(self) -> None:
        """Say in a line what the colours are and what is missing."""
        told = []
        if len(self._names) == 1:
            one = escape(self._names[0])
            told.append(f"There is one cluster only, {one}: nothing to hold it against.")
        missing = [escape(name) for name in self._names if name not in self._maps]
        if len(missing) == len(self._names):
            told.append("No map was computed: these are the averages alone.")
        elif missing:
            told.append(f"No map was computed of {', '.join(missing)}.")
        other = self.against.value
        if other is not None:
            told.append(self._told_of(other))
        if self._empty:
            empty = escape(", ".join(self._empty))
            told.append(f"There is no average of {empty}: no scan is in it.")
        self._words.value = "<br>".join(told)

    def _told_of(self, other: str) -> str:
        itself = other == self.cluster.value and not self.together.value
        unknown = [name for name in self._names if other == REST and not self._is_known(name)]
        words = told_against(other, is_itself=itself, unknown=unknown)
        if self._spread is not None:
            words += " Full colour where it is one SD between scans of a cluster or more."
        if self._no_spread:
            words += " How much scans of a cluster differ is not known: no evidence is shown."
        return words

    def _is_known(self, name: str) -> bool:
        return name in self._rest_hu and bool(np.isfinite(self._rest_hu[name][self._mask]).any())

    def _close_all(self) -> None:
        if self._all is not None:
            self._all.close_all()
        for part in (self.slices, self.cluster, self.against, self.together, self):
            close_whole(part)
