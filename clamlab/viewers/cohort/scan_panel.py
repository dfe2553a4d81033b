"""What is known of the scan that is looked at, and what a reader notes of it."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.clusters.naming import NetworkNames
from clamlab.viewers.cohort.note_box import NoteBox
from clamlab.viewers.cohort.scan_facts import ScanFacts
from clamlab.viewers.points.columns import titled
from clamlab.viewers.points.neighbours import nearest_scans

FULL = {"width": "auto"}
N_NEAREST = 5


class ScanPanel(widgets.VBox):
    """Read a scan's probabilities, its row of the table and its nearest scans; keep a note.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with ``subject_id``. It is read anew by each `show`.
    features : array (n, J)
        Scans are near in these.
    soft : array (n, K)
    go_to : callable(int)
        Called with the scan that was chosen among the nearest.
    contract : dict, optional
        Titles and units of the table's columns.
    notes_path : path, optional

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["A", "B", "C"], "age": [50, 60, 70]})
    >>> panel = ScanPanel(table, [[0.0], [5.0], [1.0]], [[0.9, 0.1]] * 3, go_to=print)
    >>> panel.show(0)
    >>> [name for name, scan in panel.nearest.options]
    ['C   1.00', 'B   5.00']
    """

    def __init__(
        self,
        table: pd.DataFrame,
        features: ArrayLike,
        soft: NDArray,
        *,
        go_to: Callable[[int], Any],
        contract: dict[str, Any] | None = None,
        notes_path: str | Path | None = None,
    ) -> None:
        self._table, self._features, self._soft = table, features, soft
        n_clusters = np.shape(soft)[1]
        self._names = NetworkNames(n_clusters, shown=n_clusters)
        self.summary = widgets.HTML()
        scrolled = {"max_height": "240px", "overflow": "auto", "padding": "0 12px 0 0"}
        self.facts = ScanFacts(table, contract, without=["subject_id"], layout=scrolled)
        self.nearest = widgets.Select(rows=N_NEAREST, layout=FULL)
        self._filling = False  # a list that is filled chooses its first line by itself
        self._go_to = go_to
        self.nearest.observe(self._choose, "value")
        self.note_box = NoteBox(notes_path)
        heading = widgets.HTML("<b>Most like it</b>: distance in features")
        like = widgets.VBox([heading, self.nearest], layout={"min_width": "240px"})
        aside = {"flex_flow": "row wrap", "grid_gap": "18px"}
        known = widgets.HBox([self.facts, like], layout=aside)
        super().__init__([self.summary, self.note_box, known], layout=FULL)

    def call(self, names: NetworkNames) -> None:
        """Name the clusters of the probabilities, from the next `show` on."""
        self._names = names
        self.facts.contract = titled(self.facts.contract, "Confidence", names.confidence)

    def show(self, scan: int) -> None:
        """Turn to a scan; the note about the one before is saved."""
        subject = self._subject(scan)
        self.note_box.turn_to(subject)
        shares = " · ".join(
            f"{name.lower()}: {q:.2f}"
            for name, q in zip(self._names.clusters, self._soft[scan], strict=True)
        )
        self.summary.value = f"<b>{html.escape(subject)}</b>: {shares}"
        self.facts.show(scan)
        self._list(self._near(scan))

    def show_group(self, scans: list[int]) -> None:
        """Say how many scans are looked at together, and in which clusters; notes are of one."""
        self.note_box.turn_to("")
        sizes = self._table["Cluster"].iloc[scans].value_counts().sort_index()
        counts = " · ".join(f"{name}: {n}" for name, n in sizes.items())
        self.summary.value = f"<b>{len(scans)} scans</b>, by cluster: {counts}"
        self.facts.value = ""
        self._list([])

    def _list(self, options: list[tuple[str, int]]) -> None:
        self._filling = True
        self.nearest.options = options
        self.nearest.value = None
        self._filling = False

    def _choose(self, change: Any) -> None:
        if change.new is not None and not self._filling:
            self._go_to(change.new)

    def _near(self, scan: int) -> list[tuple[str, int]]:
        if len(self._table) < 2:
            return []
        rows, distances = nearest_scans(self._features, scan, n=N_NEAREST)
        pairs = zip(rows, distances, strict=True)
        return [(f"{self._subject(i)}   {d:.2f}", int(i)) for i, d in pairs]

    def _subject(self, scan: int) -> str:
        return str(self._table["subject_id"].iloc[scan])
