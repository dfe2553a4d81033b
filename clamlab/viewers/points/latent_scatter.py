"""See where the scans lie in feature space, and pick those to look at."""

from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.assets import SCATTER, read_together
from clamlab.viewers.points.columns import as_levels
from clamlab.viewers.points.filters import Filters
from clamlab.viewers.points.projections import PRINCIPAL, projected
from clamlab.viewers.points.projections import PROJECTIONS as PROJECTIONS  # what `project` takes


def _as_bytes(value: Any, _: Any) -> bytes:
    return bytes(value)


class LatentScatter(anywidget.AnyWidget):
    """Pick scans by hand from a picture of their features: principal components, or UMAP.

    Click a point or press the arrow keys to select a scan; choose a group by a loop, by a level of
    the legend or by keys, and add to it or take from it. The question mark lists the keys.

    Parameters
    ----------
    features : array (n, J)
    names : list of str
        One per scan, shown under the pointer.

    Attributes
    ----------
    selected : int
        Row of the scan that is looked at.
    group : list of int
        Rows of a chosen group, in order; empty while one scan is looked at. A filter takes nobody
        out of a group that stands: the widget then says how many of it are filtered out.
    axes : list of int
        Which two components are shown, counted from 0.
    shown : bytes
        One per scan, 0 where it is filtered out; empty if none is. A loop takes only shown scans.
    faint : bool
        Whether scans that are filtered out stay in sight, faintly.
    ghosted : bool
        Whether all points are faint, as nothing was seen of the clusters they are coloured by.

    Raises
    ------
    ValueError
        If features and names are not of one length, or a feature is not a finite number.

    Examples
    --------
    >>> scatter = LatentScatter(np.eye(4), [f"S{i}" for i in range(4)])
    >>> scatter.color_by(pd.Series(["a", "b", "a", None], name="kind"))
    >>> scatter.levels, scatter.column
    (['a', 'b'], [0, 1, 0, None])
    >>> scatter.show_only([True, False, True, True])
    >>> list(scatter.shown)
    [1, 0, 1, 1]
    """

    _esm = read_together(*SCATTER, "points/scatter_widget.js")
    _css = read_together("slice_viewer.css", "points/scatter.css")

    # Component after component, each brought to 0..1: axes are changed without the kernel.
    components = traitlets.Bytes().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    axis_labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    axes = traitlets.List(traitlets.Int(), [0, 1]).tag(sync=True)
    column: traitlets.List = traitlets.List().tag(sync=True)
    levels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    color_label = traitlets.Unicode().tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    group = traitlets.List(traitlets.Int()).tag(sync=True)
    shown = traitlets.Bytes().tag(sync=True, from_json=_as_bytes)
    faint = traitlets.Bool(True).tag(sync=True)
    ghosted = traitlets.Bool(False).tag(sync=True)

    def __init__(self, features: ArrayLike, names: list[str], **options: Any) -> None:
        if len(np.asarray(features)) != len(names):
            raise ValueError(
                f"one name per scan: found {len(np.asarray(features))} rows of features and "
                f"{len(names)} names"
            )
        places, labels = projected(features, PRINCIPAL)
        self.ties: list[widgets.Widget] = []
        super().__init__(
            components=places.T.tobytes(),
            axis_labels=labels,
            names=names,
            column=[0.0] * len(names),
            **options,
        )

    @property
    def points(self) -> NDArray:
        """Where the scans lie on the two axes shown, from 0 to 1: (n, 2) float32."""
        components = np.frombuffer(self.components, "<f4").reshape(len(self.axis_labels), -1)
        return np.ascontiguousarray(components[self.axes].T)

    def project(self, features: ArrayLike, method: str) -> None:
        """Place the points anew: "PCA" or, if umap-learn is installed, "UMAP"."""
        places, labels = projected(features, method)
        with self.hold_sync():
            self.axes = [0, 1]
            self.components, self.axis_labels = places.T.tobytes(), labels

    def color_by(self, column: pd.Series) -> None:
        """Colour the points by a column: levels for words and few whole numbers, else a scale."""
        self._expect(len(column), "the column")
        levels, values = as_levels(column)
        with self.hold_sync():
            self.color_label, self.levels, self.column = str(column.name), levels, values

    def show_only(self, shown: ArrayLike) -> None:
        """Filter scans out, by one true or false per scan."""
        mask = np.asarray(shown, dtype=bool)
        self._expect(len(mask), "the filter")
        self.shown = mask.astype(np.uint8).tobytes()

    def follow(self, filters: Filters) -> None:
        """Let filters decide which scans are shown, from now on and without the kernel."""
        self._expect(len(filters.shown), "the filter")
        self.show_only(filters.shown)
        self.ties.append(widgets.jsdlink((filters, "mask"), (self, "shown")))

    def _expect(self, length: int, what: str) -> None:
        if length != len(self.names):
            raise ValueError(f"{what} has {length} rows, the scatter {len(self.names)} scans")

    @traitlets.validate("axes")
    def _two_axes(self, proposal: Any) -> list[int]:
        axes = proposal["value"]
        if len(axes) != 2 or not all(0 <= k < max(2, len(self.axis_labels)) for k in axes):
            raise traitlets.TraitError(
                f"expected two of the components 0 to {len(self.axis_labels) - 1}, found {axes}"
            )
        return axes
