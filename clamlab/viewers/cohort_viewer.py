"""Go through a cohort: where a scan lies, what it looks like, and what drives its cluster."""

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.cohort_table import borderline_scans, cohort_table
from clamlab.viewers.latent_scatter import PROJECTIONS, LatentScatter
from clamlab.viewers.maps import ScanMap, map_of, rival_of
from clamlab.viewers.notes import Notes
from clamlab.viewers.number_slider import NumberSlider
from clamlab.viewers.side_by_side import SideBySide
from clamlab.viewers.slice_viewer import SliceViewer, close_whole

OWN = -1  # in the cluster selector: each scan's own cluster
AS_OTHER = -2  # in the selector of what stands beside: the scan as a rival would have it
N_BORDERLINE = 20
FULL = {"width": "auto"}

_open: dict[str, "CohortViewer"] = {}


class CohortViewer(widgets.VBox):
    """Find the scan behind a point, and the reason for its cluster, without leaving the cell.

    Choose a scan in the scatter, in the list of borderline scans or by name: its slices and its
    map appear. Draw a loop around points for the average of several. Put another scan beside it:
    both scroll, zoom and change window together. Only what is looked at travels to the browser, so
    a cohort may be as large as the disk.

    Parameters
    ----------
    volumes : array (n, *grid)
        HU in RAS+ order (2-D slices as displayed); a memory map is read scan by scan.
    features : array (n, J)
        Features of the scans; the scatter shows their first two principal components.
    soft_assignments : array (n, K)
        Probabilities of the clusters; the largest is the scan's own cluster.
    maps : dict of str to callable(scan, cluster) or array (n, K, *grid)
        Kinds of map in [0, 1], on the volumes' grid or a coarser one, which is enlarged.
        `study_maps` offers those of a study. Clusters count from 0 here, from 1 on the screen.
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
    notes_path : str or Path, optional
        CSV file of the reader's notes (`subject_id`, `note`). Default: notes last as long as the
        viewer.
    key : str, optional
        Name of this viewer: the earlier one of the same name is closed, so that a cell that runs
        again does not pile up scans in memory.

    Attributes
    ----------
    scan, beside, cluster, map, color : ipywidgets.Dropdown
        The selectors; setting their `value` in Python moves the view too.
    projection : ipywidgets.Dropdown
        How features become points: principal components, or UMAP if it is installed.
    numbers : NumberSlider
        The numbers of clusters there are; None without `partitions`.
    scatter : LatentScatter
    slices, second : SliceViewer
        The chosen scan or group, and the scan beside it (None while there is none).

    Raises
    ------
    ValueError
        If the arrays or the table disagree about the number of scans, or there is no map.

    Examples
    --------
    >>> scans, soft = np.full((3, 8, 8), -800), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> viewer = CohortViewer(scans, np.eye(3), soft, maps={"CLAM": np.zeros((3, 2, 8, 8))})
    >>> viewer.borderline.options[0]
    ('Scan 2   0.20', 1)
    """

    def __init__(
        self,
        volumes: NDArray,
        features: NDArray,
        soft_assignments: ArrayLike,
        *,
        maps: Mapping[str, ScanMap | NDArray],
        table: pd.DataFrame | None = None,
        partitions: pd.DataFrame | None = None,
        counterfactual_hu: NDArray | None = None,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        notes_path: str | Path | None = None,
        key: str | None = None,
    ) -> None:
        self._soft = np.asarray(soft_assignments, dtype=float)
        self._table = cohort_table(volumes, features, self._soft, table=table)
        if not maps:
            raise ValueError("expected at least one kind of map in `maps`, found none")
        self._volumes, self._maps = volumes, maps
        self._counterfactual_hu = counterfactual_hu
        grid = np.shape(volumes)[1:]
        self._mask = np.ones(grid, bool) if mask is None else np.asarray(mask, dtype=bool)
        self._notes = Notes(notes_path)
        self.numbers = self._number_slider(partitions)
        self._add_selectors(features)
        self._add_reading()
        self._pictures = SideBySide(affine, self._view())
        self.slices = self._pictures.first
        self._connect()
        super().__init__([widgets.HBox([self._left(), self._right()], layout=FULL)])
        if key in _open:
            close_whole(_open.pop(key))
        if key:
            _open[key] = self

    def _number_slider(self, partitions: pd.DataFrame | None) -> NumberSlider | None:
        if partitions is None:
            return None
        return NumberSlider(
            partitions,
            self._table["subject_id"],
            n_clusters=self._soft.shape[1],
            fitted=self._soft.argmax(axis=1),
        )

    def _add_selectors(self, features: NDArray) -> None:
        names = list(self._table["subject_id"])
        clusters = [(f"cluster {k + 1}", k) for k in range(self._soft.shape[1])]
        order, margins = borderline_scans(self._soft)
        unsure = [(f"{names[i]}   {margins[i]:.2f}", int(i)) for i in order[:N_BORDERLINE]]
        self._features = features
        self.scatter = LatentScatter(features, names, layout=FULL)
        self.projection = _dropdown("as", PROJECTIONS)
        if len(PROJECTIONS) == 1:
            self.projection.layout.display = "none"
        self.color = _dropdown("Colour", [name for name in self._table if name != "subject_id"])
        scans = [(name, i) for i, name in enumerate(names)]
        self.scan = _dropdown("Scan", scans)
        beside = [("no other", None), *scans]
        if self._counterfactual_hu is not None:
            beside.insert(1, ("as a rival would have it", AS_OTHER))
        self.beside = _dropdown("beside", beside)
        self.map = _dropdown("Map", list(self._maps))
        self.cluster = _dropdown("for", [("own cluster", OWN), *clusters])
        self.borderline = widgets.Select(options=unsure, value=None, rows=6, layout=FULL)

    def _add_reading(self) -> None:
        self.summary = widgets.HTML()
        self.note = widgets.Textarea(placeholder="Note about this scan", rows=2, layout=FULL)
        self.save = widgets.Button(description="Save note")
        self.saved = widgets.Label()
        self._noted = ""  # the subject whose note is in the box
        self._turn_to(0)

    def _connect(self) -> None:
        traitlets.link((self.scan, "value"), (self.scatter, "selected"))
        self.color.observe(lambda change: self._color(), "value")
        if self.numbers is not None:
            self.numbers.observe(self._regroup, "value")
        self.projection.observe(self._project, "value")
        self.scan.observe(self._next_scan, "value")
        self.borderline.observe(self._to_borderline, "value")
        for selector in (self.map, self.cluster):
            selector.observe(lambda change: self._show(), "value")
        self.beside.observe(lambda change: self._show_beside(), "value")
        self.scatter.observe(self._to_group, "group")
        self.save.on_click(lambda button: self._keep_note())
        self._color()

    def _left(self) -> widgets.Widget:
        heading = widgets.HTML("<b>Least certain</b>: margin between the two likeliest clusters")
        layout = widgets.Layout(width="34%", min_width="300px", padding="0 10px 0 0")
        return widgets.VBox(
            [
                widgets.HBox([self.color, self.projection]),
                *([self.numbers] if self.numbers is not None else []),
                self.scatter,
                heading,
                self.borderline,
            ],
            layout=layout,
        )

    def _right(self) -> widgets.Widget:
        selectors = widgets.HBox([self.scan, self.map, self.cluster, self.beside])
        note = widgets.HBox([self.save, self.saved])
        layout = widgets.Layout(flex="1 1 0", min_width="0")
        return widgets.VBox(
            [selectors, self._pictures, self.summary, self.note, note], layout=layout
        )

    def _view(self, group: Sequence[int] = ()) -> dict[str, Any]:
        """Collect what a slice viewer shows: one scan, or the average of the chosen group."""
        group = group or self.scatter.group or [self.scan.value]
        maps = (
            map_of(self._maps, self.map.value, i, cluster=self._cluster_of(i), mask=self._mask)
            for i in group
        )
        title = (
            f"{self._table['subject_id'][group[0]]} · {self._table['Cluster'][group[0]]}"
            if len(group) == 1
            else f"Average of {len(group)} scans"
        )
        return {
            "volume_hu": _mean(self._volumes[i] for i in group),
            "overlays": {f"{self.map.value}, {self.cluster.label}": _mean(maps)},
            "title": title,
        }

    def _as_rival(self) -> dict[str, Any]:
        """Collect the scan as the chosen cluster, or its second likeliest, would have it."""
        assert self._counterfactual_hu is not None  # only then it can be chosen
        scan = self.scan.value
        rival = rival_of(self._soft[scan], self._cluster_of(scan))
        title = f"{self._subject(scan)} as cluster {rival + 1} would have it"
        return self._view([scan]) | {
            "volume_hu": self._counterfactual_hu[scan][rival],
            "title": title,
        }

    def _cluster_of(self, scan: int) -> int:
        own = self.cluster.value == OWN
        return int(self._soft[scan].argmax()) if own else self.cluster.value

    @property
    def second(self) -> SliceViewer | None:
        """The scan beside the chosen one, if there is one."""
        return self._pictures.second

    def _show(self) -> None:
        self._pictures.show(self._view())
        self._show_beside()

    def _show_beside(self) -> None:
        if self.beside.value is None:
            self._pictures.show_beside(None)
        elif self.beside.value == AS_OTHER:
            self._pictures.show_beside(self._as_rival())
        else:
            self._pictures.show_beside(self._view([self.beside.value]))

    def _next_scan(self, change: Any) -> None:
        self._turn_to(change.new)
        self._show()

    def _turn_to(self, scan: int) -> None:
        self._keep_note()
        self._noted = self._subject(scan)
        self.note.value = self._notes[self._noted]
        shares = " · ".join(f"cluster {k + 1}: {q:.2f}" for k, q in enumerate(self._soft[scan]))
        self.summary.value = f"<b>{html.escape(self._subject(scan))}</b>: {shares}"

    def _to_group(self, change: Any) -> None:
        self.note.disabled = self.save.disabled = bool(change.new)  # a note is about one scan
        if change.new:
            sizes = self._table["Cluster"][change.new].value_counts().sort_index()
            counts = " · ".join(f"{name}: {n}" for name, n in sizes.items())
            self.summary.value = f"<b>{len(change.new)} scans</b>, by cluster: {counts}"
        else:
            self._turn_to(self.scan.value)
        self._show()

    def _to_borderline(self, change: Any) -> None:
        if change.new is not None:
            self.scatter.group = []
            self.scan.value = change.new

    def _project(self, change: Any) -> None:
        self.scatter.project(self._features, change.new)

    def _regroup(self, change: Any) -> None:
        self._table["Cluster"] = self.numbers.names
        self.scatter.faint = not self.numbers.is_apart
        self._color()
        self._show()

    def _color(self) -> None:
        self.scatter.color_by(self._table[self.color.value])

    def _keep_note(self) -> None:
        """Save what was written, also when the reader goes on without pressing the button."""
        if self._noted and self.note.value.strip() != self._notes[self._noted]:
            self._notes[self._noted] = self.note.value
            kept = self._notes.path or "kept until the kernel stops"
            self.saved.value = f"{self._noted}: saved ({kept})"

    def _subject(self, scan: int) -> str:
        return self._table["subject_id"][scan]


def _mean(arrays: Iterable[NDArray]) -> NDArray:
    """Average arrays one by one, so that a large group needs the memory of one scan."""
    total: Any = 0
    count = 0
    for array in arrays:
        total, count = total + np.asarray(array, np.float32), count + 1
    return total / count


def _dropdown(name: str, options: Sequence) -> widgets.Dropdown:
    layout = widgets.Layout(width="auto", max_width="260px")
    style = {"description_width": "auto"}
    return widgets.Dropdown(options=options, description=name, layout=layout, style=style)
