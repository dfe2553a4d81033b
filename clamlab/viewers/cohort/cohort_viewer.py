"""Go through a cohort: where a scan lies, what it looks like, and what drives its cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.clusters.naming import NetworkNames
from clamlab.viewers.clusters.number_slider import NumberSlider, numbers_or_why_not
from clamlab.viewers.cohort.choices import AS_OTHER, CohortChoices
from clamlab.viewers.cohort.maps import Kind, SignedKind, check_kinds, rival_of
from clamlab.viewers.cohort.pictures import OWN, Asked, CohortPictures
from clamlab.viewers.cohort.points_column import points_column
from clamlab.viewers.cohort.remembered import recall_choices, recall_view
from clamlab.viewers.cohort.rooms import Rooms
from clamlab.viewers.cohort.scan_panel import ScanPanel
from clamlab.viewers.cohort.table import checked_soft, cohort_table
from clamlab.viewers.groups import GroupPanel
from clamlab.viewers.listening import Listening
from clamlab.viewers.memory import Memory
from clamlab.viewers.points.filters import Filters
from clamlab.viewers.points.latent_scatter import LatentScatter
from clamlab.viewers.slices.slice_viewer import SliceViewer, close_whole
from clamlab.viewers.stills import Explorable

FULL = {"width": "auto"}

_open: dict[str, "CohortViewer"] = {}


class CohortViewer(Explorable, widgets.VBox):
    """Find the scan behind a point, and the reason for its cluster, without leaving the cell.

    Choose a scan in the scatter, in the list of borderline scans or by name: its slices and its
    map appear, its row of the table, and the scans most like it. Draw a loop around points, or
    click a level of the legend, for the average of several; keep and compare such groups. Put
    another scan beside it: both scroll, zoom and change window together. Only what is looked at
    travels to the browser, so a cohort may be as large as the disk.

    Parameters
    ----------
    volumes : array (n, *grid)
        HU in RAS+ order (2-D slices as displayed); a memory map is read scan by scan.
    features : array (n, J)
        Features of the scans; the scatter shows their first two principal components.
    soft_assignments : array (n, K)
        Probabilities of the clusters; the largest is the scan's own cluster.
    maps : dict of str to callable(scan, cluster), array (n, K, *grid) or SignedKind
        Kinds of map, on the volumes' grid or a coarser one, which is enlarged: in [0, 1], or with
        a sign. `study_maps` offers those of a study. Clusters count from 0 here, from 1 on the
        screen.
    table : DataFrame, optional
        One row per scan, in order. Any column can colour the points; `subject_id` names the scans.
    partitions : DataFrame, optional
        Clusters in every number, from :func:`clamlab.selection.every_partition`: a slider then
        goes through the numbers. Maps stay those of `soft_assignments`.
    counterfactual_hu : array (n, K, *grid), optional
        Each scan as each cluster would have it: can then be put beside the scan, as the cluster
        chosen above the picture would have it, or else the scan's second likeliest.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    mask : bool array of the grid, optional
        Lung; maps are not shown outside it.
    contract : dict, optional
        The table's contract: titles, units, and how groups are described.
    notes_path, groups_path : str or Path, optional
        CSV files of the reader's notes (`subject_id`, `note`) and groups. Default: they last as
        long as the viewer.
    figures_path : str or Path, optional
        Folder for what is saved of groups.
    key : str, optional
        Name of this viewer: the earlier one of the same name is closed, and a cell that runs again
        shows what it showed before.

    Attributes
    ----------
    choose : CohortChoices
        The selectors `scan`, `beside`, `map`, `cluster`, `color` and `projection`; setting their
        `value` in Python moves the view too.
    numbers : NumberSlider
        The numbers of clusters there are; None without `partitions`, or where they do not fit:
        `no_numbers` then says why.
    scatter : LatentScatter
    filters : Filters
    slices, second : SliceViewer
        The chosen scan or group, and the scan beside it (None while there is none).
    panel : ScanPanel
    groups : GroupPanel
    rooms : Rooms
        What opens filters and groups.

    Raises
    ------
    ValueError
        If arrays or table disagree about the number of scans or clusters, a scan has no features
        or probabilities, or there is no map.

    Examples
    --------
    >>> scans, soft = np.full((3, 8, 8), -800), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> viewer = CohortViewer(scans, np.eye(3), soft, maps={"CLAM": np.zeros((3, 2, 8, 8))})
    >>> viewer.choose.borderline.options[0]
    ('Scan 2   0.20', 1)
    """

    def __init__(
        self,
        volumes: NDArray,
        features: NDArray,
        soft_assignments: ArrayLike,
        *,
        maps: Mapping[str, Kind],
        table: pd.DataFrame | None = None,
        partitions: pd.DataFrame | None = None,
        counterfactual_hu: NDArray | None = None,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        contract: dict[str, Any] | None = None,
        notes_path: str | Path | None = None,
        groups_path: str | Path | None = None,
        figures_path: str | Path | None = None,
        key: str | None = None,
    ) -> None:
        self._soft = checked_soft(soft_assignments)
        self._table = cohort_table(volumes, features, self._soft, table=table)
        if not maps:
            raise ValueError("expected at least one kind of map in `maps`, found none")
        check_kinds(maps, *self._soft.shape)
        self._features, self._counterfactual_hu = features, counterfactual_hu
        own = self._soft.argmax(axis=1)
        lung = np.ones(np.shape(volumes)[1:], bool) if mask is None else np.asarray(mask, bool)
        names = list(self._table["subject_id"])
        self.choose = CohortChoices(
            names, self._soft, maps=list(maps), columns=self._described(), has_rival=self._has_rival
        )
        self.numbers: NumberSlider | None
        self.numbers, self.no_numbers = numbers_or_why_not(partitions, names, own, self._soft)
        self._names = NetworkNames(self._soft.shape[1], shown=self._soft.shape[1])
        memory = Memory(key, of=names)
        recall_choices(memory, self.choose, self.numbers)
        self.scatter = LatentScatter(features, names, layout=FULL)
        self.filters = Filters(self._table[self._described()], contract)
        self.scatter.follow(self.filters)
        self.panel = ScanPanel(
            self._table, features, self._soft, go_to=self.go_to, contract=contract,
            notes_path=notes_path,
        )  # fmt: skip
        self.groups = GroupPanel(
            self._table.drop(columns=["Cluster", "Confidence"]).assign(cluster=own),
            volumes,
            contract=contract,
            maps={name: kind for name, kind in maps.items() if not isinstance(kind, SignedKind)},
            affine=affine,
            mask=lung,
            path=groups_path,
            figures=figures_path,
        )
        self.pictures = CohortPictures(
            volumes, maps, own, affine=affine, mask=lung,
            asked=self._asked([self.choose.scan.value]), key=key and f"{key}: slices",
        )  # fmt: skip
        self.panel.show(self.choose.scan.value)
        self._connect()
        self.rooms = Rooms(
            {"Filters: which scans are shown": self.filters,
             "Groups: keep, describe, compare": self.groups}
        )  # fmt: skip
        recall_view(
            memory, self.choose, self.scatter,
            filters=self.filters, groups=self.groups, rooms=self.rooms,
        )  # fmt: skip
        self.in_words = f"{len(names)} scans as points, each with its picture and its maps."
        left = points_column(self.choose, self.scatter, self.numbers or self.no_numbers)
        sides = widgets.HBox([left, self._right()], layout=FULL)
        super().__init__([Listening(), sides, self.rooms])
        if key in _open:
            close_whole(_open.pop(key))
        if key:
            _open[key] = self

    def go_to(self, scan: int) -> None:
        """Look at one scan."""
        self.scatter.group = []
        self.choose.scan.value = scan

    @property
    def slices(self) -> SliceViewer:
        """The chosen scan, or the average of the chosen group."""
        return self.pictures.side_by_side.first

    @property
    def second(self) -> SliceViewer | None:
        """The scan beside the chosen one, if there is one."""
        return self.pictures.side_by_side.second

    @property
    def _has_rival(self) -> bool:
        return self._counterfactual_hu is not None and self._soft.shape[1] > 1

    def _described(self) -> list[str]:
        return [name for name in self._table if name != "subject_id"]

    def _connect(self) -> None:
        choose = self.choose
        traitlets.link((choose.scan, "value"), (self.scatter, "selected"))
        traitlets.dlink((self.scatter, "group"), (self.groups, "current"))
        choose.color.observe(lambda change: self._color(), "value")
        choose.projection.observe(
            lambda change: self.scatter.project(self._features, change.new), "value"
        )
        choose.scan.observe(self._next_scan, "value")
        choose.borderline.observe(self._to_borderline, "value")
        for selector in (choose.map, choose.cluster):
            selector.observe(lambda change: self._show(), "value")
        choose.observe(lambda change: self._show_beside(), "other")
        self.scatter.observe(lambda change: self._tell_and_show(), "group")
        if self.numbers is not None:
            self.numbers.observe(lambda change: self._regroup(), "value")
            self._regroup()
        self._color()

    def _right(self) -> widgets.Widget:
        layout = widgets.Layout(flex="1 1 0", min_width="0")
        return widgets.VBox([self.choose, self.pictures, self.panel], layout=layout)

    def _asked(self, scans: Sequence[int]) -> Asked:
        """Ask for one scan, or for the average of several, with the chosen map."""
        title = (
            f"{self._subject(scans[0])} · {self._table['Cluster'][scans[0]]}"
            if len(scans) == 1
            else f"Average of {len(scans)} scans"
        )
        kind, cluster = self.choose.map.value, self.choose.cluster
        return Asked(tuple(scans), kind, cluster.value, title, f"{kind}, {cluster.label}")

    def _as_rival(self) -> dict[str, Any]:
        """Collect the scan as the chosen cluster, or its second likeliest, would have it."""
        assert self._counterfactual_hu is not None  # only then it can be chosen
        scan, chosen = self.choose.scan.value, self.choose.cluster.value
        own = int(self._soft[scan].argmax())
        rival = rival_of(self._soft[scan], own if chosen == OWN else chosen)
        title = f"{self._subject(scan)} as {self._names[rival].lower()} would have it"
        hu = self._counterfactual_hu[scan][rival]
        return self.pictures.view_of(self._asked([scan])) | {"volume_hu": hu, "title": title}

    def _show(self) -> None:
        self.pictures.show(self._asked(self.scatter.group or [self.choose.scan.value]))
        self._show_beside()

    def _show_beside(self) -> None:
        other = self.choose.other
        if other is None:
            self.pictures.show_beside(None)
        elif other == AS_OTHER:
            self.pictures.show_beside(self._as_rival())
        else:
            self.pictures.show_beside(self.pictures.view_of(self._asked([other])))

    def _next_scan(self, change: Any) -> None:
        self.panel.show(change.new)
        self._show()

    def _tell_and_show(self) -> None:
        if self.scatter.group:
            self.panel.show_group(self.scatter.group)
        else:
            self.panel.show(self.choose.scan.value)
        self._show()

    def _to_borderline(self, change: Any) -> None:
        if change.new is not None:
            self.go_to(change.new)

    def _regroup(self) -> None:
        assert self.numbers is not None
        self._table["Cluster"] = self.numbers.names
        self._names = NetworkNames(self._soft.shape[1], shown=self.numbers.value)
        self.scatter.ghosted = not self.numbers.is_apart
        self.choose.call(self._names)
        self.panel.call(self._names)
        self.groups.call_clusters(self._names.__getitem__)
        self.filters.replace(self._table[self._described()], self.panel.facts.contract)
        self._color()
        self._tell_and_show()

    def _color(self) -> None:
        name = self.choose.color.value
        title = self._names.confidence if name == "Confidence" else name
        self.scatter.color_by(self._table[name].rename(title))

    def _subject(self, scan: int) -> str:
        return str(self._table["subject_id"][scan])
