"""Scroll through a scan with its maps on top, as fast as the hand moves."""

import hashlib
from typing import Any

import anywidget
from numpy.typing import ArrayLike

from clamlab.viewers.assets import SLICE_VIEWER, read_together
from clamlab.viewers.memory import Memory
from clamlab.viewers.slices.packing import pack_scan
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.slices.slice_state import STATE, SliceState, start_state

JAVASCRIPT = read_together(*SLICE_VIEWER, "slices/slice_widget.js")
STYLE = read_together("slice_viewer.css")

_open: dict[str, "SliceViewer"] = {}


class SliceViewer(SliceState, anywidget.AnyWidget):
    """Read a scan in three linked planes with the importance of its voxels in colour on top.

    The scan travels to the browser once; scrolling, windowing and choosing a map then need no
    kernel. The question mark in the viewer lists the keys.

    Parameters
    ----------
    volume_hu : array (X, Y, Z) or (H, W)
        Hounsfield units in RAS+ voxel order (x to the patient's right, y anterior, z superior).
        A 2-D array is one axial slice as displayed: row 0 anterior, column 0 the patient's right.
    overlays : dict of str to array or SignedMap, optional
        Maps in [0, 1] on the same grid, by the name shown in the selector (``"Cluster 1"``), or
        differences with a sign.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres. Needed for a volume; a 2-D image may go without, and then has
        rows and columns instead of millimetres.
    title : str
        Shown above the pictures and in the saved PNG.
    key : str, optional
        Name under which the state is remembered: a cell that runs again, also after a restart,
        shows the slice it showed before. Default: no memory, whatever the title. The earlier
        viewer of the same `key` is closed, so that a rerun cell does not pile up scans in memory.
        Rulers and regions last as long as the kernel.
    **state
        Where to start: any of `index` (x, y, z), `overlay` (name, or ``""`` for none), `opacity`,
        `threshold` (both in [0, 1]; lower importance is not coloured; of a signed map, a share of
        its limit, or lower evidence where it has some), `blending` (``fade``: opacity grows with
        importance, effect or evidence; ``cut``: colour from the threshold on; ``auto``: fade where
        there is evidence), `colormap` (``inferno``, ``viridis``, ``cividis``; of maps in [0, 1]),
        `preset` (``lung``, ``mediastinal``), `window`, `level` (HU), `radiological` (patient's
        right on the left of the picture), `view` (``three``, ``axial``, ``coronal``,
        ``sagittal``), `crosshair`, `zoom` (1 to 8 times), `center` (the voxel in the middle of
        what is zoomed), `slab` (``off``, ``mean``, ``MIP``, ``MinIP``), `slab_mm` (its thickness),
        `speed` (slices per second), `measures` (rulers and regions, each a dict of `kind`,
        `plane` and its two `ends` in voxels; they belong to the scan they were drawn on). Each is
        also an attribute, to be read or set at any time. What is given here comes before what is
        remembered.

    Raises
    ------
    ValueError
        If the volume is not finite HU, is not in RAS+ order, has no affine, or a map has another
        shape or values outside [0, 1].
    TypeError
        If `state` names something that is no state of the viewer.

    Examples
    --------
    >>> import numpy as np
    >>> scan = np.full((4, 5, 6), -870)
    >>> maps = {"Cluster 1": np.zeros(scan.shape)}
    >>> viewer = SliceViewer(scan, maps, affine=np.diag([3, 3, 3, 1]))
    >>> viewer.index, viewer.overlay, viewer.preset
    ([2, 2, 3], 'Cluster 1', 'lung')
    """

    _esm = JAVASCRIPT
    _css = STYLE

    def __init__(
        self,
        volume_hu: ArrayLike,
        overlays: dict[str, ArrayLike | SignedMap] | None = None,
        *,
        affine: ArrayLike | None = None,
        title: str = "",
        key: str | None = None,
        **state: Any,
    ) -> None:
        scan = pack_scan(volume_hu, overlays, affine=affine)
        self._memory = Memory(key)
        self._scan_shown = _name_of(scan)
        self._measured: dict[str, list] = self._memory.recall("measured") or {}
        remembered = self._recall(scan)
        start = start_state(scan, state, remembered=remembered)
        if key in _open:
            close_whole(_open.pop(key))
        super().__init__(title=title, **scan, **start)
        if key:
            _open[key] = self
        self._remember()
        self.observe(self._remember, STATE)

    def show(
        self,
        volume_hu: ArrayLike,
        overlays: dict[str, ArrayLike | SignedMap] | None = None,
        *,
        affine: ArrayLike | None = None,
        title: str | None = None,
    ) -> None:
        """Put another scan into the viewer; slice, window, map and side stay as they are.

        Takes what `SliceViewer` takes. The slice goes to the middle if the grid is another one,
        and the first map is chosen if the new scan has none of the present name. Rulers and
        regions go with their scan, and come back with it.
        """
        scan = pack_scan(volume_hu, overlays, affine=affine)
        start = start_state(scan, {})
        if scan["shape"] == self.shape:
            del start["index"], start["center"]
        if self.overlay_names and self.overlay in ("", *scan["overlay_names"]):
            del start["overlay"]
        if title is not None:
            start["title"] = title
        self._scan_shown = _name_of(scan)
        start["measures"] = self._measured.get(self._scan_shown, [])
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in (scan | start).items():
                setattr(self, name, value)

    def _remember(self, _: Any = None) -> None:
        self._measured[self._scan_shown] = self.measures
        self._memory.keep("measured", self._measured, written=False)
        state = {name: getattr(self, name) for name in STATE if name != "measures"}
        self._memory.keep("shape", self.shape)
        self._memory.keep("state", state)

    def _recall(self, scan: dict[str, Any]) -> dict[str, Any]:
        """Find the state an earlier viewer of this key had, as far as it fits this scan."""
        state = dict(self._memory.recall("state") or {})
        if not state:
            return {}
        state["measures"] = self._measured.get(_name_of(scan), [])
        if self._memory.recall("shape") != scan["shape"]:
            for name in ("index", "center", "zoom"):
                del state[name]
        if state["overlay"] not in ("", *scan["overlay_names"]):
            del state["overlay"]
        return state


def close_whole(widget: Any) -> None:
    """Close a widget, what it holds, what ties it to others, and what it is laid out with."""
    for part in (*getattr(widget, "children", ()), *getattr(widget, "ties", ())):
        close_whole(part)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if part is not None and part.comm is not None:
            part.close()
    widget.close()


def _name_of(scan: dict[str, Any]) -> str:
    """Tell scans apart by what they hold: a ruler on one means nothing on another."""
    return hashlib.blake2b(scan["volume"], digest_size=16).hexdigest()
