"""Two scans side by side: what is done to one is done to the other."""

from typing import Any

import ipywidgets as widgets
from numpy.typing import ArrayLike

from clamlab.viewers.slices.slice_state import STATE
from clamlab.viewers.slices.slice_viewer import SliceViewer, close_whole

COLUMN = "minmax(0, 1fr)"
LINKED = tuple(name for name in STATE if name != "overlay")


class SideBySide(widgets.GridBox):
    """One slice viewer, or two that scroll, zoom and change window together.

    Parameters
    ----------
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres, of everything that is shown.
    view : dict
        What the first one shows: keywords of `SliceViewer.show`.

    Attributes
    ----------
    first, second : SliceViewer
        The second is None while there is none.

    Examples
    --------
    >>> import numpy as np
    >>> view = {"volume_hu": np.zeros((4, 4)), "overlays": {}, "title": "A"}
    >>> pair = SideBySide(None, view)
    >>> pair.show_beside(view | {"title": "B"})
    >>> len(pair.children), pair.second.title
    (2, 'B')
    """

    def __init__(self, affine: ArrayLike | None, view: dict[str, Any]) -> None:
        self._affine = affine
        self.first = SliceViewer(affine=affine, **view)
        self.second: SliceViewer | None = None
        self.first.observe(self._choose, "overlay")
        self.ties: list[widgets.Widget] = []
        super().__init__([self.first], layout=widgets.Layout(width="auto", grid_gap="8px"))
        self.layout.grid_template_columns = COLUMN

    def show(self, view: dict[str, Any]) -> None:
        """Show something else in the first."""
        self.first.show(affine=self._affine, **view)

    def show_beside(self, view: dict[str, Any] | None) -> None:
        """Show something in the second, which opens or, with None, closes."""
        if view is None:
            self._close_second()
        elif self.second is not None:
            self.second.show(affine=self._affine, **view)
        else:
            self._open_second(view)

    def _open_second(self, view: dict[str, Any]) -> None:
        state = {name: getattr(self.first, name) for name in LINKED}
        self.second = SliceViewer(affine=self._affine, **view, **state)
        # Linked in the browser: scrolling both asks nothing of the kernel.
        self.ties = [widgets.jslink((self.first, name), (self.second, name)) for name in LINKED]
        self.second.observe(self._choose, "overlay")
        if self.first.overlay_names:
            self._put(self.first.overlay)
        self.children = [self.first, self.second]
        self.layout.grid_template_columns = f"{COLUMN} {COLUMN}"

    def _choose(self, change: Any) -> None:
        if change.owner.overlay_names:  # where there is no map, nobody has chosen none
            self._put(change.new)

    def _put(self, overlay: str) -> None:
        """Show one map in both; of a scan whose map was not computed there is none to show."""
        for viewer in filter(None, (self.first, self.second)):
            if overlay in ("", *viewer.overlay_names):
                viewer.overlay = overlay

    def _close_second(self) -> None:
        self.children = [self.first]
        self.layout.grid_template_columns = COLUMN
        for part in (*self.ties, *([self.second] if self.second is not None else [])):
            close_whole(part)
        self.second, self.ties = None, []
