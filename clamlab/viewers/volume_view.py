"""See importance inside the lung, in three dimensions."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike

from clamlab.viewers.memory import Memory
from clamlab.viewers.number_box import NumberBox
from clamlab.viewers.slices.slice_state import COLORMAPS
from clamlab.viewers.stills import Explorable
from clamlab.viewers.volume_camera import SIDES, seen_from, side_of, turned_to
from clamlab.viewers.volume_scene import (
    check_pair,
    merge,
    paired,
    transfer_table,
    was_computed,
)

HANDS = "drag to turn, wheel to come closer"
# Without a widget of our own, whose start a browser that is busy drawing could miss.
GONE = (
    "<style>.clam-gone { display: none }"
    ".jupyter-widgets-disconnected .clam-gone { display: block }</style>"
    "<b class='clam-gone' role='status'>Python is not listening: the picture can be turned, but "
    "the words beneath do not follow, and the sliders do nothing. Run this cell again.</b>"
)
FLAT = "These are slices of one plane: there is nothing to turn. They are shown above, as slices."
OPACITY = 0.55  # at the start, as in the slice viewer


def volume_view(
    average_hu: ArrayLike | Mapping[str, ArrayLike],
    importance: ArrayLike | Mapping[str, ArrayLike],
    *,
    mask: ArrayLike | None = None,
    affine: ArrayLike | None = None,
    threshold: float = 0.5,
    size: int = 520,
    key: str | None = None,
) -> widgets.Widget:
    """Turn a lung in the hand, with the important regions glowing inside.

    The lung is a translucent cloud in the greys of the lung window, denser where it is denser;
    importance at or above the threshold has the colours of the slice viewer: the same colour is
    the same importance. It starts seen from the front, head up, the patient's right on the left of
    the picture; beneath it stands from where it is seen now. Sliders go through clusters, threshold
    and opacity, a list through the six sides. Drawn with ipyvolume (WebGL).

    Parameters
    ----------
    average_hu : array (X, Y, Z), or dict of str to such arrays
        HU in RAS+ voxel order: an average, a single scan, or the average of any group.
    importance : array (X, Y, Z), or dict of str to such arrays
        Importance in [0, 1]. Dicts hold several under the same names (``"Cluster 1"``, or
        ``"S012"`` for a scan), and a slider goes through them. What has no map (NaN, or no such
        name) is shown without, and that is said.
    mask : bool array (X, Y, Z), optional
        Lung; nothing is drawn outside it. Without it, everything denser than air is drawn.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; gives the proportions. Default: cubic voxels.
    threshold : float
        Least importance that is coloured, at the start.
    size : int
        Width and height of the picture in screen pixels.
    key : str, optional
        Name of this view: a cell that runs again shows what it showed before.

    Returns
    -------
    ipywidgets.Widget
        A box: the slider of names (if there are several), threshold, opacity, colours and sides,
        the picture, and its caption. Of two-dimensional averages, words that say so.

    Raises
    ------
    ValueError
        If names or shapes differ, importance leaves [0, 1], or the threshold is not in (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> averages = {"Cluster 1": np.full((8, 8, 8), -700), "Cluster 2": np.full((8, 8, 8), -800)}
    >>> box = volume_view(averages, {name: np.zeros((8, 8, 8)) for name in averages})
    >>> box.children[0].options
    ('Cluster 1', 'Cluster 2')
    """
    if not 0 < threshold < 1:
        raise ValueError(f"expected a threshold between 0 and 1, found {threshold}")
    pairs = paired(average_hu, importance)
    if all(average.ndim == 2 for average, _ in pairs.values()):
        return widgets.HTML(FLAT)
    grid = next(iter(pairs.values()))[0].shape
    lung = np.ones(grid, bool) if mask is None else np.asarray(mask, dtype=bool)
    for name, (average, values) in pairs.items():
        check_pair(name, average, values, lung)
    spacing = np.ones(3) if affine is None else np.linalg.norm(np.asarray(affine)[:3, :3], axis=0)
    return _VolumeBox(
        pairs, lung, spacing=spacing, threshold=threshold, size=size, memory=Memory(key, of=pairs)
    )


class _VolumeBox(Explorable, widgets.VBox):
    """The picture and the sliders that change it."""

    in_words = "Importance from the front: of each line of sight the greatest, right on the left."

    def __init__(
        self,
        pairs: dict[str, tuple[np.ndarray, np.ndarray]],
        lung: np.ndarray,
        *,
        spacing: np.ndarray,
        threshold: float,
        size: int,
        memory: Memory,
    ) -> None:
        self._pairs, self._lung = pairs, lung
        self.shown = widgets.SelectionSlider(
            options=list(pairs), description="Show", layout={"width": f"{size}px"}
        )
        # A new threshold makes a new volume, which takes a moment: when the hand lets go.
        self.threshold = _slider("Threshold", threshold, least=0.05, continuous_update=False)
        self.opacity = _slider("Opacity", OPACITY)
        self.colormap = widgets.Dropdown(options=COLORMAPS, description="Colours")
        memory.tie(self.shown, "value", "shown")
        memory.tie(self.threshold, "value", "threshold")
        memory.tie(self.opacity, "value", "opacity")
        memory.tie(self.colormap, "value", "colormap")
        self._caption = widgets.HTML()
        self.side = widgets.Dropdown(
            options=[(side.capitalize(), side) for side in SIDES], description="Seen from"
        )
        self._figure, self._volume = _figure(self._scene(), self._table(), spacing, size)
        camera = self._figure.camera
        memory.tie(camera, "up", "up")
        memory.tie(camera, "position", "position")
        for control in (self.shown, self.threshold):
            control.observe(self._redraw, "value")
        self.colormap.observe(self._recolor, "value")
        self.opacity.observe(self._fade, "value")
        self.side.observe(self._go_to_side, "value")
        camera.observe(self._turned, ["position", "up"])
        self._told = self._in_colours()
        self._turned()
        sliders = [self.shown] if len(pairs) > 1 else []
        sliders += [NumberBox(self.threshold), NumberBox(self.opacity), self.colormap, self.side]
        super().__init__([*sliders, self._figure, self._caption, widgets.HTML(GONE)])

    def still(self) -> Any:
        """Draw the most important place behind each point, from the front."""
        from clamlab import figures

        # Patient's right on the left of the picture, head up.
        seen = {
            name or "Importance": np.where(self._lung, values, 0).max(axis=1)[::-1, ::-1].T
            for name, (_, values) in self._pairs.items()
        }
        return figures.image_grid({"": seen}, kind="importance")

    def _scene(self) -> np.ndarray:
        average, values = self._pairs[self.shown.value]
        if not self.opacity.value or not was_computed(values, self._lung):
            values = np.zeros_like(average)  # the lung goes on where a map would hide it
        return merge(average, values, self._lung, threshold=self.threshold.value)

    def _table(self) -> np.ndarray:
        colors, opacity = _colors(self.colormap.value), self.opacity.value
        return transfer_table(colors, opacity, threshold=self.threshold.value)

    def _redraw(self, _: Any) -> None:
        with quiet():
            self._volume.data = self._scene()
        self._recolor()

    def _fade(self, change: Any) -> None:
        (self._recolor if change.old and change.new else self._redraw)(change)

    def _recolor(self, _: Any = None) -> None:
        self._volume.tf.rgba = self._table()
        self._tell()

    def _go_to_side(self, _: Any) -> None:
        if self.side.value is not None:
            camera = self._figure.camera
            with camera.hold_sync(), camera.hold_trait_notifications():  # one turn, not two
                camera.position, camera.up = SIDES[self.side.value]
                # ipyvolume makes its own `up` from the turn, and heeds no other.
                camera.quaternion = turned_to(camera.position, camera.up)

    def _turned(self, _: Any = None) -> None:
        """Name the side that is seen; no side where a hand has turned it elsewhere."""
        camera = self._figure.camera
        self.side.value = side_of(camera.position, camera.up)
        self._write()

    def _tell(self) -> None:
        """Say what the colours mean, and how much of the lung they cover."""
        self._told = self._in_colours()
        self._write()

    def _write(self) -> None:
        camera = self._figure.camera
        seen = f"Seen {seen_from(camera.position, camera.up)}; {HANDS}."
        self._caption.value = f"<small>{self._told}<br>{seen}</small>"

    def _in_colours(self) -> str:
        if not was_computed(self._pairs[self.shown.value][1], self._lung):
            name = escape(self.shown.value) or "it"
            return f"No map was computed of {name}."
        values = self._pairs[self.shown.value][1][self._lung]
        n = int(np.sum((values >= self.threshold.value) & (values > 0)))
        if not self.opacity.value:
            covered = "nothing is coloured: the lung alone"
        else:
            covered = (
                f"coloured: ≥ {self.threshold.value:.2f}, {_share(n, values.size)} of the lung"
            )
        stops = _colors(self.colormap.value)[:: 255 // 8]
        colors = ", ".join("rgb({:.0f}, {:.0f}, {:.0f})".format(*255 * stop) for stop in stops)
        bar = (
            "display: inline-block; width: 120px; height: 9px; "
            f"background: linear-gradient(to right, {colors})"
        )
        return f"importance 0 <i style='{bar}'></i> 1 · {covered}"


def _share(n: int, of: int) -> str:
    """Print a share in whole percent; a little is not nothing."""
    return "less than 1%" if 0 < n < 0.01 * of else f"{n / max(of, 1):.0%}"


def _slider(
    name: str, value: float, *, least: float = 0.0, continuous_update: bool = True
) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        value=value,
        min=least,
        max=1,
        step=0.05,
        description=name,
        continuous_update=continuous_update,
        layout={"width": "420px"},
    )


def _colors(name: str) -> np.ndarray:
    from clamlab.figures.style import color_table  # opens matplotlib

    return color_table(name)


def _figure(scene: np.ndarray, table: np.ndarray, spacing: np.ndarray, size: int) -> tuple:
    with quiet():
        import ipyvolume as ipv
        import pythreejs

        half = np.array(scene.shape[::-1]) * spacing / 2
        volume = ipv.Volume(
            data=scene,
            data_min=0,
            data_max=1,
            tf=ipv.TransferFunction(rgba=table),
            extent=[[-h, h] for h in half],
            rendering_lighting=False,
        )
        place, up = SIDES["front"]
        camera = pythreejs.PerspectiveCamera(fov=45, position=place, up=up, aspect=1)
        # Axes that are not drawn are asked for their colour all the same.
        axes = {"visible": False, "color": "#9aa4b2"}
        style = {"background-color": "#0e1116", "axes": axes}
        figure = ipv.Figure(
            width=size,
            height=size,
            volumes=[volume],
            camera=camera,
            style=style | {"box": {"visible": False}},
        )
    limits = (-half.max(), half.max())  # the same for all axes, or the lung is stretched to a cube
    figure.xlim = figure.ylim = figure.zlim = limits
    return figure, volume


@contextmanager
def quiet() -> Iterator[None]:
    """Keep ipyvolume's remarks about flat regions, which have no gradient, from the reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
