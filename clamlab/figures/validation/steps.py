"""How a cluster activation map comes about, step by step."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clamlab.figures.style import (
    DOUBLE_COLUMN_MM,
    FONT_SIZE,
    SMALL_FONT_SIZE,
    axes_in_mm,
    new_figure,
)

_TITLES = ("Scan", "Activation", "Mask, 0 to 1", "Scan seen\nthrough it", "Confidence", "Map")
_TOP_MM, _LEFT_MM, _RIGHT_MM, _GAP_MM, _ROW_GAP_MM = 10.0, 2.0, 4.0, 7.0, 5.0


def clam_steps(
    scan: np.ndarray,
    names: Sequence[int],
    channels: np.ndarray,
    masks: np.ndarray,
    masked: np.ndarray,
    confidence: Sequence[float],
    importance: np.ndarray,
    *,
    lung: np.ndarray | None = None,
    width_mm: float = DOUBLE_COLUMN_MM,
) -> Figure:
    """Show how one cluster activation map comes about, from the scan to the picture.

    Parameters
    ----------
    scan, names, channels, masks, masked, confidence, importance
        As :func:`clamlab.clam.clam_steps` gives them for a 2-D image: a row of pictures for each
        channel.
    lung : array of bool, shape (rows, columns), optional
        The map stays white elsewhere.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the scan is not a 2-D image.

    References
    ----------
    Ryan et al., figure 1.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(size=(8, 8))
    >>> stack = image[np.newaxis]
    >>> figure = clam_steps(image, [5], stack[:, :4, :4], stack, stack, [0.4], image)
    >>> [axes.get_title() for axes in figure.axes][:2]
    ['Scan', 'Activation']
    """
    if np.ndim(scan) != 2:
        raise ValueError(f"expected a 2-D image, found one of shape {np.shape(scan)}")
    side = (width_mm - _LEFT_MM - _RIGHT_MM - 5 * _GAP_MM) / len(_TITLES)
    pitch = side * scan.shape[0] / scan.shape[1] + _ROW_GAP_MM
    figure = new_figure(width_mm, _TOP_MM + len(names) * pitch)

    def panel(step: int, row: float) -> Axes:
        left = _LEFT_MM + step * (side + _GAP_MM)
        axes = axes_in_mm(figure, left, _TOP_MM + row * pitch, side, pitch - _ROW_GAP_MM)
        if row == 0 or step in (0, len(_TITLES) - 1):
            axes.set_title(_TITLES[step], fontsize=FONT_SIZE, pad=3)
        return axes

    middle = (len(names) - 1) / 2
    low, high = np.quantile(scan, [0.01, 0.995])
    grey = {"cmap": "gray", "vmin": low, "vmax": high}
    _draw(panel(0, middle), scan, **grey)
    for row, name in enumerate(names):
        first = panel(1, row)
        _draw(first, channels[row], cmap="viridis")
        _under(first, f"channel {name}")
        _draw(panel(2, row), masks[row], cmap="viridis", vmin=0, vmax=1)
        _draw(panel(3, row), masked[row], **grey)
        _draw_confidence(panel(4, row), confidence[row])
    shown = importance if lung is None else np.where(lung, importance, np.nan)
    last = panel(5, middle)
    _draw(last, shown, cmap="inferno", vmin=0, vmax=1)
    _under(last, "confidence × activation,\nsum of all channels")
    for axes in figure.axes[:-1]:
        _arrow(axes, _GAP_MM / side)
    return figure


def _draw(axes: Axes, image: np.ndarray, **look) -> None:
    axes.imshow(image, interpolation="nearest", aspect="auto", **look)
    axes.set_axis_off()


def _draw_confidence(axes: Axes, confidence: float) -> None:
    axes.barh(0, 1, height=1, color="0.92")
    axes.barh(0, confidence, height=1, color="0.35")
    axes.set(xlim=(0, 1), ylim=(-3, 3))
    axes.text(0.5, 1, f"{confidence:.2f}", ha="center", va="bottom", fontsize=FONT_SIZE)
    axes.set_axis_off()


def _under(axes: Axes, text: str) -> None:
    axes.text(
        0.5,
        -0.04,
        text,
        transform=axes.transAxes,
        ha="center",
        va="top",
        fontsize=SMALL_FONT_SIZE,
        linespacing=0.95,
    )


def _arrow(axes: Axes, gap: float) -> None:
    """Point from a picture's right edge to the next one's left."""
    axes.annotate(
        "",
        (1 + 0.85 * gap, 0.5),
        xytext=(1 + 0.15 * gap, 0.5),
        xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "lw": 0.6, "color": "0.3", "shrinkA": 0, "shrinkB": 0},
        annotation_clip=False,
    )
