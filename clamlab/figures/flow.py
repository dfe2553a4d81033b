"""The way of a cohort: who came how far, and where the others were lost."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from clamlab.figures.style import FONT_SIZE, axes_in_mm, new_figure

_BOX_MM, _HEIGHT_MM, _GAP_MM, _SIDE_MM = 62.0, 12.0, 11.0, 66.0
_LETTERS = 38


def flow_chart(steps: Sequence[tuple[str, Sequence[str]]], *, width_mm: float = 150) -> Figure:
    """Draw a cohort's flow as STROBE asks for: who stays down the middle, who leaves to the right.

    Parameters
    ----------
    steps : sequence of (str, sequence of str)
        From the top: what stands in a box, and in the box to its right who is lost below it, a
        line each.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure

    References
    ----------
    von Elm et al., The STROBE statement, Lancet 370, 1453-1457 (2007).

    Examples
    --------
    >>> steps = [("In the table (n = 50)", ["No scan (n = 2)"]), ("Study (n = 48)", [])]
    >>> figure = flow_chart(steps)
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['In the table (n = 50)', 'No scan (n = 2)', 'Study (n = 48)']
    """
    heights = [_HEIGHT_MM] * len(steps)
    gaps = [max(_GAP_MM, 4.2 * len(lost) + 7) for _, lost in steps[:-1]]
    total = sum(heights) + sum(gaps) + 4
    figure = new_figure(width_mm, total)
    axes = axes_in_mm(figure, 0, 0, width_mm, total)
    axes.set(xlim=(0, width_mm), ylim=(total, 0))
    axes.set_axis_off()
    left, top = (width_mm - _BOX_MM - _SIDE_MM - 12) / 2, 2.0
    middle = left + _BOX_MM / 2
    for (words, lost), gap in zip(steps, [*gaps, 0.0], strict=True):
        _box(axes, left, top, _BOX_MM, _HEIGHT_MM, words, bold=True)
        below = top + _HEIGHT_MM
        if gap:
            _arrow(axes, (middle, below), (middle, below + gap))
        if lost:
            centre = below + gap / 2
            _arrow(axes, (middle, centre), (left + _BOX_MM + 12, centre))
            high = gap - 3
            _box(axes, left + _BOX_MM + 12, centre - high / 2, _SIDE_MM, high, "\n".join(lost))
        top = below + gap
    return figure


def _box(
    axes: Axes, left: float, top: float, width: float, height: float, words: str, bold: bool = False
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left, top),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1.2",
            facecolor="#EAF2F8" if bold else "white",
            edgecolor="#2F5D7C",
            linewidth=0.8,
        )
    )
    lines = [textwrap.fill(line, _LETTERS) for line in words.split("\n")] if bold else [words]
    axes.text(
        left + width / 2 if bold else left + 2.5,
        top + height / 2,
        "\n".join(lines),
        ha="center" if bold else "left",
        va="center",
        fontsize=FONT_SIZE + (0.5 if bold else 0),
        linespacing=1.4,
    )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": "#2F5D7C", "linewidth": 0.9, "mutation_scale": 7}
    axes.annotate("", xy=end, xytext=start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})
