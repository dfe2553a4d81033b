"""Several scans side by side under one row of controls: what is done to one is done to all."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
from numpy.typing import ArrayLike

from clamlab.viewers.assets import read_together
from clamlab.viewers.slices.slice_state import STATE
from clamlab.viewers.slices.slice_viewer import STYLE, SliceViewer, close_whole

# Rulers and regions belong to the scan they were drawn on.
LINKED = tuple(name for name in STATE if name not in ("overlay", "measures"))
# As many in a row as fit, and at most four.
GRID = "repeat(auto-fit, minmax(max(240px, 22%), 1fr))"
ALL_PLANES = 2  # so many scans leave room for three planes each


class _Picture(SliceViewer):
    """A slice viewer without controls; its style also hides the pictures of the one that leads."""

    _css = STYLE + read_together("slices/together.css")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.add_class("clam-picture")


class Together(widgets.VBox):
    """Show several scans at the same slice, close-up and window.

    Parameters
    ----------
    lead : SliceViewer
        Its controls work for all; its own pictures are hidden meanwhile.
    views : sequence of dict
        What is shown: keywords of `SliceViewer.show`.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres, of all of them.

    Examples
    --------
    >>> import numpy as np
    >>> views = [{"volume_hu": np.zeros((4, 4)), "title": name} for name in "AB"]
    >>> [picture.title for picture in Together(SliceViewer(**views[0]), views).pictures]
    ['A', 'B']
    """

    def __init__(
        self,
        lead: SliceViewer,
        views: Sequence[dict[str, Any]],
        *,
        affine: ArrayLike | None = None,
    ) -> None:
        self._lead, self._affine, self._view_before = lead, affine, lead.view
        state = {name: getattr(lead, name) for name in LINKED}
        self.pictures = [_Picture(affine=affine, **view, **state) for view in views]
        # Linked in the browser: scrolling all of them asks nothing of the kernel.
        self.ties = [
            widgets.jslink((lead, name), (picture, name))
            for picture in self.pictures
            for name in LINKED
        ]
        self._put(lead.overlay)
        for picture in self.pictures:
            picture.observe(self._choose, "overlay")
        lead.observe(self._choose, "overlay")
        grid = widgets.GridBox(self.pictures, layout=widgets.Layout(width="auto", grid_gap="8px"))
        grid.layout.grid_template_columns = GRID
        super().__init__([lead, grid], layout={"width": "auto"})
        self.add_class("clam-together")

    def lead(self, leads: bool) -> None:
        """Let the first viewer choose planes for all, or go back to its own."""
        if leads:
            self._view_before = self._lead.view
            if len(self.pictures) > ALL_PLANES and self._lead.view == "three":
                self._lead.view = "axial"
        else:
            self._lead.view = self._view_before

    def show(self, views: Sequence[dict[str, Any]], *, overlay: str) -> None:
        """Show something else in each, with one kind of map wherever there is one."""
        for picture, view in zip(self.pictures, views, strict=True):
            picture.show(affine=self._affine, **view)
        self._put(overlay)

    def close_all(self) -> None:
        """Close the pictures and the links, but not the first viewer, which is somebody else's."""
        for part in (*self.ties, *self.pictures):
            close_whole(part)

    def _choose(self, change: Any) -> None:
        self._put(change.new)

    def _put(self, overlay: str) -> None:
        """Show one kind of map in all of them; one that has none of it stays as it is."""
        for viewer in (self._lead, *self.pictures):
            if overlay in ("", *viewer.overlay_names):
                viewer.overlay = overlay
