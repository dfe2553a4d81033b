"""Go through a cohort: where a scan lies, what it looks like, and what drives its cluster."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike

from .latent_scatter import LatentScatter
from .maps import ScanMap, map_of
from .notes import Notes
from .slice_viewer import SliceViewer

OWN = -1  # in the cluster selector: each scan's own cluster
N_BORDERLINE = 20


class CohortViewer(widgets.VBox):
    """Find the scan behind a point, and the reason for its cluster, without leaving the cell.

    Choose a scan in the scatter, in the list of borderline scans or by name: its slices and its
    map appear. Draw a loop around points for the average of several. Only what is looked at
    travels to the browser, so a cohort may be as large as the disk.

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
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    mask : bool array of the grid, optional
        Lung; maps are not shown outside it.
    notes_path : str or Path, optional
        CSV file of the reader's notes (`subject_id`, `note`). Default: notes last as long as the
        viewer.

    Attributes
    ----------
    scan, cluster, map, color : ipywidgets.Dropdown
        The selectors; setting their `value` in Python moves the view too.
    scatter : LatentScatter
    slices : SliceViewer

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
        volumes: ArrayLike,
        features: ArrayLike,
        soft_assignments: ArrayLike,
        *,
        maps: Mapping[str, ScanMap | ArrayLike],
        table: pd.DataFrame | None = None,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        notes_path: str | Path | None = None,
    ) -> None:
        soft = np.asarray(soft_assignments, dtype=float)
        table = _checked_table(volumes, features, soft, table)
        if not maps:
            raise ValueError("expected at least one kind of map in `maps`, found none")
        self._volumes, self._soft, self._maps, self._affine = volumes, soft, maps, affine
        grid = volumes[0].shape
        self._mask = np.ones(grid, bool) if mask is None else np.asarray(mask, dtype=bool)
        self._names = [str(name) for name in table["subject_id"]]
        self._columns = _color_columns(table, soft)
        self._notes = Notes(notes_path)
        self._build()
        first, overlays, title = self._scan_view(0)
        self.slices = SliceViewer(first, overlays, affine=affine, title=title)
        self._describe(0)
        self._connect()
        super().__init__([widgets.HBox([self._left(), self._right()])])

    def _build(self) -> None:
        scans = [(name, i) for i, name in enumerate(self._names)]
        wide = widgets.Layout(width="100%")
        self.scatter = LatentScatter(self._features_of(), self._names)
        self.color = _dropdown("Colour", list(self._columns))
        self.scan = _dropdown("Scan", scans)
        self.previous = widgets.Button(icon="chevron-left", tooltip="Previous scan", layout=_SMALL)
        self.next = widgets.Button(icon="chevron-right", tooltip="Next scan", layout=_SMALL)
        clusters = [(f"Cluster {k + 1}", k) for k in range(self._soft.shape[1])]
        self.cluster = _dropdown("Map for", [("Own cluster", OWN), *clusters])
        self.map = _dropdown("Map", list(self._maps))
        self.summary = widgets.HTML()
        order, margins = borderline_scans(self._soft)
        listed = [(f"{self._names[i]}   {margins[i]:.2f}", int(i)) for i in order[:N_BORDERLINE]]
        self.borderline = widgets.Select(options=listed, value=None, rows=6, layout=wide)
        self.note = widgets.Textarea(placeholder="Note about this scan", rows=3, layout=wide)
        self.save_note = widgets.Button(description="Save note", layout=widgets.Layout(width="98px"))
        self.saved = widgets.Label()
