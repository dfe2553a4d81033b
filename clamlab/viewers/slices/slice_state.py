"""What a slice viewer shows and how: the same in a notebook and in an exported page."""

from typing import Any

import numpy as np
import traitlets

from clamlab.viewers.slices.packing import first_map

PRESETS = {"lung": (1500, -600), "mediastinal": (400, 40)}  # window width and level, HU
COLORMAPS = ("inferno", "viridis", "cividis")  # perceptually uniform and colour-blind safe
MAX_ZOOM = 8.0
VIEWS = ("three", "axial", "coronal", "sagittal")
BLENDINGS = ("auto", "fade", "cut")  # auto: fade where a map has evidence
SLABS = ("off", "mean", "MIP", "MinIP")
MAX_SLAB_MM = 300.0
MAX_SPEED = 40  # slices per second
THROUGH = {"axial": 2, "coronal": 1, "sagittal": 0}  # the axis that a plane scrolls along
# The kernel does not answer with what it was told: the hand may be further by then, and what it has
# done since is told when it rests. Such an answer would move the slice back, or undo half a ruler.
STATE_OF_VIEW = {"sync": True, "state": True, "echo_update": False}


class SliceState(traitlets.HasTraits):
    """Keep scan and display settings consistent, whoever changes them.

    The scan's own traits are those of `packing.pack_scan`; the others are described in
    `SliceViewer`. An index outside the scan moves to its border, as a slider would; a map or
    colour map that does not exist raises ``traitlets.TraitError``.
    """

    title = traitlets.Unicode().tag(sync=True)
    volume = traitlets.Bytes().tag(sync=True)
    overlay_volumes = traitlets.Bytes().tag(sync=True)
    overlay_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    overlay_kinds = traitlets.List(traitlets.Dict()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    affine = traitlets.List(traitlets.Float()).tag(sync=True)
    units = traitlets.Unicode("mm").tag(sync=True)

    index = traitlets.List(traitlets.Int(), minlen=3, maxlen=3).tag(**STATE_OF_VIEW)
    overlay = traitlets.Unicode().tag(**STATE_OF_VIEW)
    opacity = traitlets.Float(0.55, min=0, max=1).tag(**STATE_OF_VIEW)
    threshold = traitlets.Float(0.3, min=0, max=1).tag(**STATE_OF_VIEW)
    blending = traitlets.Enum(BLENDINGS, "auto").tag(**STATE_OF_VIEW)
    colormap = traitlets.Enum(COLORMAPS, "inferno").tag(**STATE_OF_VIEW)
    window = traitlets.Int(1500, min=1).tag(**STATE_OF_VIEW)
    level = traitlets.Int(-600).tag(**STATE_OF_VIEW)
    radiological = traitlets.Bool(True).tag(**STATE_OF_VIEW)
    view = traitlets.Enum(VIEWS, "three").tag(**STATE_OF_VIEW)
    crosshair = traitlets.Bool(True).tag(**STATE_OF_VIEW)
    zoom = traitlets.Float(1.0, min=1, max=MAX_ZOOM).tag(**STATE_OF_VIEW)
    center = traitlets.List(traitlets.Float(), minlen=3, maxlen=3).tag(**STATE_OF_VIEW)
    slab = traitlets.Enum(SLABS, "off").tag(**STATE_OF_VIEW)
    slab_mm = traitlets.Float(20.0, min=1, max=MAX_SLAB_MM).tag(**STATE_OF_VIEW)
    speed = traitlets.Int(10, min=1, max=MAX_SPEED).tag(**STATE_OF_VIEW)
    measures = traitlets.List(traitlets.Dict()).tag(**STATE_OF_VIEW)

    # The name of window and level. The browser finds it by itself: sent as well, it could arrive
    # between the two, and stay.
    preset = traitlets.Enum((*PRESETS, "custom"), "lung")

    @traitlets.validate("index")
    def _inside(self, proposal: Any) -> list[int]:
        return [int(np.clip(i, 0, n - 1)) for i, n in zip(proposal.value, self.shape, strict=True)]

    @traitlets.validate("center")
    def _within(self, proposal: Any) -> list[float]:
        return [
            float(np.clip(c, 0, n - 1)) for c, n in zip(proposal.value, self.shape, strict=True)
        ]

    @traitlets.validate("measures")
    def _measures_of_a_slice(self, proposal: Any) -> list[dict[str, Any]]:
        return [checked_measure(measure, self.shape) for measure in proposal.value]

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
        self.preset = _preset_of(self.window, self.level)


STATE = tuple(SliceState.class_trait_names(state=True))


def checked_measure(measure: dict[str, Any], shape: list[int]) -> dict[str, Any]:
    """Check that a ruler or a region lies in one slice of a scan.

    Examples
    --------
    >>> ruler = {"kind": "ruler", "plane": "axial", "ends": [[1, 1, 2], [3, 1, 2]]}
    >>> checked_measure(ruler, [4, 4, 4]) == ruler
    True
    """
    kind, plane, ends = (measure.get(name) for name in ("kind", "plane", "ends"))
    expected = "expected kind 'ruler' or 'region', a plane, and as ends two voxels of one slice"
    if kind not in ("ruler", "region") or plane not in THROUGH or len(measure) != 3:
        raise traitlets.TraitError(f"{expected}; found {measure}")
    places = np.array(ends, dtype=float)
    through = THROUGH[plane]
    inside = (
        places.shape == (2, 3)
        and (np.abs(places - (np.array(shape) - 1) / 2) <= np.array(shape) / 2).all()
    )
    if not inside or places[0, through] != places[1, through] or places[0, through] % 1:
        raise traitlets.TraitError(f"{expected}, inside the scan of shape {shape}; found {measure}")
    return measure


def start_state(
    scan: dict[str, Any], given: dict[str, Any], *, remembered: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Choose where a reader starts: what is given, else what is remembered, else the first map.

    Examples
    --------
    >>> scan = {"shape": [4, 4, 4], "overlay_names": [], "overlay_volumes": b""}
    >>> start_state(scan, {"preset": "mediastinal"})
    {'index': [2, 2, 2], 'overlay': '', 'center': [1.5, 1.5, 1.5], 'window': 400, 'level': 40}
    """
    known = {*STATE, "preset"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise TypeError(f"{unknown} is no state of the viewer; there are {sorted(known)}")
    names = scan["overlay_names"]
    start: dict[str, Any] = {"index": _bulk(scan), "overlay": names[0] if names else ""}
    start["center"] = [(n - 1) / 2 for n in scan["shape"]]
    start |= (remembered or {}) | given
    start.pop("preset", None)
    if given.get("preset") in PRESETS and not {"window", "level"} & set(given):
        start["window"], start["level"] = PRESETS[given["preset"]]
    return start


def _preset_of(window: int, level: int) -> str:
    return next((name for name, pair in PRESETS.items() if pair == (window, level)), "custom")


def _bulk(scan: dict[str, Any]) -> list[int]:
    """Find a voxel in the slice where the first map has most; its brightest may lie at a rim."""
    shape = scan["shape"]
    if not scan["overlay_names"]:
        return [n // 2 for n in shape]
    values = first_map(scan)
    if not values.any():
        return [n // 2 for n in shape]
    z = int(values.sum((0, 1), dtype=float).argmax())
    x = int(values[:, :, z].sum(1, dtype=float).argmax())
    return [x, int(values[x, :, z].argmax()), z]
