"""Look at every number of clusters: points, sizes, stability, and the scans on average."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.clusters.number_slider import NumberSlider
from clamlab.viewers.groups.averages import GroupAverages
from clamlab.viewers.listening import Listening
from clamlab.viewers.memory import Memory
from clamlab.viewers.points.latent_scatter import LatentScatter
from clamlab.viewers.slices.slice_viewer import SliceViewer, close_whole
from clamlab.viewers.slices.together import Together
from clamlab.viewers.stills import Explorable, averages_still

FULL = {"width": "auto"}

_open: dict[str, "PartitionViewer"] = {}


class PartitionViewer(Explorable, widgets.HBox):
    """See what another number of clusters would give before deciding on one.

    A slider goes through the numbers; points, sizes, stability and average scans follow. Points
    are faint where the rule sees no gap between the clusters.

    Parameters
    ----------
    features : array (n, J)
        Before any clustering phase.
    partitions : DataFrame
        From :func:`clamlab.selection.every_partition`.
    volumes : array (n, *grid)
        HU in RAS+ order; a memory map is read scan by scan, once for each number looked at.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    mask : array (*grid), optional
        Lung: shown first are the slices in which the averages differ most inside of it.
    n_clusters : int
        Where the slider begins.
    key : str, optional
        Name of this viewer: the earlier one of the same name is closed, and a cell that runs again
        shows what it showed before.

    Attributes
    ----------
    numbers : NumberSlider
        Setting its `value` moves the view too.
    scatter : LatentScatter
    averages : Together
        The average scan of each cluster, linked.

    Raises
    ------
    ValueError
        If partitions and features are not of the same scans.

    Examples
    --------
    >>> told = {"n_clusters": 2, "subject_id": list("abc"), "cluster": [0, 1, 1]}
    >>> rows = pd.DataFrame(told | {"jaccard": 0.9, "apart": False})
    >>> scans = np.full((3, 8, 8), -800)
    >>> viewer = PartitionViewer(np.eye(3), rows, scans, n_clusters=2)
    >>> [picture.title for picture in viewer.averages.pictures], viewer.scatter.ghosted
    (['Cluster 1 (n = 1)', 'Cluster 2 (n = 2)'], True)
    """

    def __init__(
        self,
        features: NDArray,
        partitions: pd.DataFrame,
        volumes: NDArray,
        *,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        n_clusters: int,
        key: str | None = None,
    ) -> None:
        names = list(partitions["subject_id"].drop_duplicates())
        if not len(names) == len(features) == len(volumes):
            raise ValueError(
                f"expected partitions of {len(features)} scans with features and volumes, found "
                f"{len(names)} subjects and {len(volumes)} volumes"
            )
        self._affine = affine
        self._averages = GroupAverages(volumes, lambda kind, scan: volumes[scan])
        memory = Memory(key, of=names)
        self.numbers = NumberSlider(partitions, names, n_clusters=n_clusters)
        memory.tie(self.numbers, "value", "number")
        self.scatter = LatentScatter(features, [str(name) for name in names], layout=FULL)
        for trait in ("selected", "group", "axes"):
            memory.tie(self.scatter, trait, trait)
        first, slices = self._views(), key and f"{key}: slices"
        is_new = Memory(slices).recall("state") is None
        self._lead = SliceViewer(affine=affine, key=slices, **first[0])
        if np.ndim(volumes) == 4 and is_new:
            self._lead.index = where_they_differ([view["volume_hu"] for view in first], mask)
        self.averages = Together(self._lead, first, affine=affine)
        self.averages.lead(True)
        self._shown = {self.numbers.value: self.averages}
        left = widgets.Layout(width="34%", min_width="300px", padding="0 10px 0 0")
        self._right = widgets.VBox(
            [self.averages], layout=widgets.Layout(flex="1 1 0", min_width="0")
        )
        super().__init__(
            [widgets.VBox([self.numbers, Listening(), self.scatter], layout=left), self._right],
            layout=FULL,
        )
        self._color()
        self.numbers.observe(lambda change: self._turn(), "value")
        if key in _open:
            _open.pop(key)._close_all()
        if key:
            _open[key] = self

    def still(self) -> Any:
        """Draw the average scans of the number that is shown."""
        gap = "a gap" if self.numbers.is_apart else "no gap"
        self.in_words = (
            f"The scans on average, in {self.numbers.value} groups; the rule sees {gap} between "
            "each two of them."
        )
        averages = {view["title"]: view["volume_hu"] for view in self._views()}
        return averages_still(averages, {}, mask=None, affine=self._affine)

    def _turn(self) -> None:
        """Show another number; slice, window and close-up stay where they are."""
        number = self.numbers.value
        if number not in self._shown:  # pictures are sent once: the hand goes to and fro
            self._shown[number] = Together(self._lead, self._views(), affine=self._affine)
        self.averages = self._shown[number]
        self._right.children = [self.averages]
        self._color()

    def _color(self) -> None:
        self.scatter.ghosted = not self.numbers.is_apart
        self.scatter.color_by(self.numbers.names.rename("Cluster"))

    def _views(self) -> list[dict[str, Any]]:
        clusters = self.numbers.clusters
        return [
            {
                "volume_hu": self._average(list(rows.index)),
                "title": f"Cluster {k + 1} (n = {len(rows)})",
            }
            for k, rows in clusters.groupby(clusters)
        ]

    def _average(self, scans: list[int]) -> NDArray[np.float32]:
        for _ in self._averages.steps(scans):
            pass
        return self._averages(scans)

    def _close_all(self) -> None:
        for averages in self._shown.values():
            averages.close_all()
        close_whole(self)


def where_they_differ(averages: Sequence[NDArray], mask: ArrayLike | None = None) -> list[int]:
    """Find the slices, one of each plane, in which averages differ most, inside a mask if given.

    Examples
    --------
    >>> one, other = np.zeros((2, 4, 5, 6))
    >>> other[1, 2, 3] = 100
    >>> where_they_differ([one, other])
    [1, 2, 3]
    >>> other[0, 0, 0] = 900
    >>> where_they_differ([one, other], np.abs(other - 100) < 1)
    [1, 2, 3]
    """
    # The rim of the picture differs between any scans, as what was imaged ends there.
    varies = np.var(averages, axis=0) * (1 if mask is None else np.asarray(mask))
    planes = [(1, 2), (0, 2), (0, 1)]
    return [int(varies.sum(axis=plane).argmax()) for plane in planes]
