"""Scroll through a scan with its maps on top, as fast as the hand moves."""

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from .packing import PRESETS, default_state, pack_scan, preset_of

HERE = Path(__file__).parent
JAVASCRIPT = (HERE / "drawing.js").read_text() + (HERE / "slice_viewer.js").read_text()
STYLE = (HERE / "slice_viewer.css").read_text()

COLORMAPS = ("inferno", "viridis", "cividis")  # perceptually uniform and colour-blind safe
VIEWS = ("three", "axial", "coronal", "sagittal")
STATE = (
    "index",
    "overlay",
    "opacity",
    "threshold",
    "colormap",
    "window",
    "level",
    "preset",
    "radiological",
    "view",
    "crosshair",
)

# What a reader last set, by key: a cell that runs again shows the slice it showed before.
_remembered: dict[str, dict[str, Any]] = {}


class SliceViewer(anywidget.AnyWidget):
    """Read a scan in three linked planes with the importance of its voxels in colour on top.

    The scan travels to the browser once; scrolling, windowing and choosing a map then need no
    kernel. The question mark in the viewer lists the keys.

    Parameters
    ----------
    volume_hu : array (X, Y, Z) or (H, W)
        Hounsfield units in RAS+ voxel order (x to the patient's right, y anterior, z superior).
        A 2-D array is one axial slice as displayed: row 0 anterior, column 0 the patient's right.
    overlays : dict of str to array, optional
        Maps in [0, 1] on the same grid, by the name shown in the selector (``"Cluster 1"``).
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres. Needed for a volume; a 2-D image may go without, and then has
        rows and columns instead of millimetres.
    title : str
        Shown above the pictures and in the saved PNG.
    key : str, optional
        Name under which the state is remembered while the kernel lives. Default: the title; no
        title, no memory. The earlier viewer of the same `key` is closed, so that a rerun cell does
        not pile up scans in memory; viewers that merely share a title stay open.
    **state
        Where to start: any of `index` (x, y, z), `overlay` (name, or ``""`` for none), `opacity`,
        `threshold` (both in [0, 1]; lower importance is not coloured), `colormap` (``inferno``,
        ``viridis``, ``cividis``), `preset` (``lung``, ``mediastinal``), `window`, `level` (HU),
        `radiological` (patient's right on the left of the picture), `view` (``three``, ``axial``,
        ``coronal``, ``sagittal``), `crosshair`. Each is also an attribute, to be read or set at
        any time. What is given here comes before what is remembered.

    Raises
    ------
    ValueError
        If the volume is not finite HU, is not in RAS+ order, has no affine, or a map has another
        shape or values outside [0, 1].
    TypeError
        If `state` names something that is no state of the viewer.

    Examples
    --------
    >>> scan = np.full((4, 5, 6), -870)
    >>> maps = {"Cluster 1": np.zeros(scan.shape)}
    >>> viewer = SliceViewer(scan, maps, affine=np.diag([3, 3, 3, 1]))
    >>> viewer.index, viewer.overlay, viewer.preset
    ([2, 2, 3], 'Cluster 1', 'lung')
    """

    _esm = JAVASCRIPT
    _css = STYLE

    title = traitlets.Unicode().tag(sync=True)
    volume = traitlets.Bytes().tag(sync=True)
    overlay_volumes = traitlets.Bytes().tag(sync=True)
    overlay_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    affine = traitlets.List(traitlets.Float()).tag(sync=True)
    units = traitlets.Unicode("mm").tag(sync=True)

    index = traitlets.List(traitlets.Int(), minlen=3, maxlen=3).tag(sync=True)
    overlay = traitlets.Unicode().tag(sync=True)
    opacity = traitlets.Float(0.55, min=0, max=1).tag(sync=True)
    threshold = traitlets.Float(0.3, min=0, max=1).tag(sync=True)
    colormap = traitlets.Enum(COLORMAPS, "inferno").tag(sync=True)
    window = traitlets.Int(1500, min=1).tag(sync=True)
    level = traitlets.Int(-600).tag(sync=True)
    preset = traitlets.Enum((*PRESETS, "custom"), "lung").tag(sync=True)
    radiological = traitlets.Bool(True).tag(sync=True)
    view = traitlets.Enum(VIEWS, "three").tag(sync=True)
    crosshair = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self,
        volume_hu: ArrayLike,
        overlays: dict[str, ArrayLike] | None = None,
        *,
        affine: ArrayLike | None = None,
        title: str = "",
        key: str | None = None,
        **state: Any,
    ) -> None:
        unknown = sorted(set(state) - set(STATE))
        if unknown:
            raise TypeError(f"{unknown} is no state of the viewer; there are {list(STATE)}")
        scan = pack_scan(volume_hu, overlays, affine=affine)
        self._key = key or title
        known = _recall(self._key, scan)
        if key and "viewer" in known:
            known["viewer"].close()
        start = default_state(scan) | known.get("state", {}) | state
        if "window" in state or "level" in state:
            start["preset"] = preset_of(start["window"], start["level"])
        elif state.get("preset") in PRESETS:
            start["window"], start["level"] = PRESETS[state["preset"]]
        super().__init__(title=title, **scan, **start)
        if self._key:
            _remembered[self._key] = {"viewer": self} if key else {}
            self._remember()
            self.observe(self._remember, STATE)

    def show(
        self,
        volume_hu: ArrayLike,
        overlays: dict[str, ArrayLike] | None = None,
        *,
        affine: ArrayLike | None = None,
        title: str | None = None,
    ) -> None:
        """Put another scan into the viewer; slice, window, map and side stay as they are.

        Takes what `SliceViewer` takes. The slice goes to the middle if the grid is another one,
        and the first map is chosen if the new scan has none of the present name.
        """
        scan = pack_scan(volume_hu, overlays, affine=affine)
        start = default_state(scan)
        with self.hold_sync():
            same_grid = scan["shape"] == self.shape
            keep_overlay = self.overlay in ("", *scan["overlay_names"])
            for name, value in scan.items():
                setattr(self, name, value)
            if not same_grid:
                self.index = start["index"]
            if not keep_overlay:
                self.overlay = start["overlay"]
            if title is not None:
                self.title = title

    @traitlets.validate("index")
    def _inside(self, proposal: Any) -> list[int]:
        return [int(np.clip(i, 0, n - 1)) for i, n in zip(proposal.value, self.shape, strict=True)]

    @traitlets.validate("overlay")
    def _known_overlay(self, proposal: Any) -> str:
        if proposal.value and proposal.value not in self.overlay_names:
            raise traitlets.TraitError(
                f"there is no map {proposal.value!r}; there are {self.overlay_names}"
            )
        return proposal.value

    @traitlets.observe("preset")
    def _apply_preset(self, change: Any) -> None:
        if change.new in PRESETS:
            with self.hold_trait_notifications():
                self.window, self.level = PRESETS[change.new]

    @traitlets.observe("window", "level")
    def _name_window(self, _: Any) -> None:
        self.preset = preset_of(self.window, self.level)

    def _remember(self, _: Any = None) -> None:
        state = {name: getattr(self, name) for name in STATE}
        _remembered[self._key].update(shape=self.shape, state=state)


def _recall(key: str, scan: dict[str, Any]) -> dict[str, Any]:
    """Find what an earlier viewer of this key knew, as far as it fits this scan."""
    known = _remembered.get(key, {}) if key else {}
    if not known:
        return {}
    state = dict(known["state"])
    if known["shape"] != scan["shape"]:
        del state["index"]
    if state["overlay"] not in ("", *scan["overlay_names"]):
        del state["overlay"]
    return known | {"state": state}
