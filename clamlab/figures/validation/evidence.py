"""What the test for clusters looks at: scans along the line between two groups, and both laws."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clamlab.figures.style import (
    FONT_SIZE,
    SMALL_FONT_SIZE,
    axes_in_mm,
    cluster_colors,
    new_figure,
    style_axes,
)

_LEFT_MM, _RIGHT_MM, _TOP_MM, _CURVES_MM, _RUG_MM, _BOTTOM_MM = 10.0, 41.0, 7.0, 38.0, 5.5, 9.0
_BORDERLINE_MM = 3.0
# Bins in standard deviations within a group: narrow enough for a gap between groups to be seen.
_BIN, _FINE_BIN, _MANY_SCANS = 0.5, 0.25, 150
_LINES = ("-", (0, (3.5, 1.8)))
_GROUPS = ("lower", "upper")


class _Sight(Protocol):
    """What :func:`clamlab.selection.best_sight` gives."""

    along: np.ndarray
    upper: np.ndarray

    def laws(self) -> dict[str, Callable]: ...


def evidence_panel(
    sight: _Sight,
    *,
    p_value: float | None = None,
    borderline: Sequence[bool] | None = None,
    width_mm: float = 127,
) -> Figure:
    """See with your own eyes whether two groups are apart, beside the p-value that says so.

    Parameters
    ----------
    sight : Sight
        From :func:`clamlab.selection.best_sight`.
    p_value : float, optional
        How often one continuous cloud looks as split: printed above.
    borderline : sequence of bool, shape (n_scans,), optional
        Scans that often change cluster, in the order of the sight's rows: marked by rings.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        Scans along the line between the two groups, as stacked bars and as ticks, under the two
        laws fitted to them: two humps, and the one hump that fits best.

    Raises
    ------
    ValueError
        If the borderline scans are not as many as those of the sight.

    Examples
    --------
    >>> from clamlab.selection import best_sight
    >>> x = np.random.default_rng(0).normal(size=(60, 4))
    >>> x[30:, 0] += 8
    >>> figure = evidence_panel(best_sight(x, 2, seed=0), p_value=0.0033)
    >>> figure.axes[0].get_title()
    '60 scans, p = .003'
    """
    n = len(sight.along)
    marked = np.zeros(n, bool) if borderline is None else np.asarray(borderline, bool)
    if len(marked) != n:
        raise ValueError(
            f"expected borderline for each of the {n} scans of the sight, found {len(marked)}; "
            "take those of its rows: borderline[sight.rows]"
        )
    rug_mm = _RUG_MM + (_BORDERLINE_MM if marked.any() else 0)
    figure = new_figure(width_mm, _TOP_MM + _CURVES_MM + rug_mm + _BOTTOM_MM)
    inner = width_mm - _LEFT_MM - _RIGHT_MM
    curves = style_axes(axes_in_mm(figure, _LEFT_MM, _TOP_MM, inner, _CURVES_MM))
    rug = axes_in_mm(figure, _LEFT_MM, _TOP_MM + _CURVES_MM, inner, rug_mm, sharex=curves)
    colors = cluster_colors(2)
    _draw_curves(curves, sight, colors)
    _draw_rug(style_axes(rug), sight, marked, colors)
    title = f"{n} scans" if p_value is None else f"{n} scans, {_p_text(p_value)}"
    curves.set_title(title, fontsize=FONT_SIZE, pad=4)
    _legend(curves, rings=bool(marked.any()))
    return figure


def _draw_curves(axes: Axes, sight: _Sight, colors: list) -> None:
    n = len(sight.along)
    width = _BIN if n < _MANY_SCANS else _FINE_BIN
    reach = np.abs(sight.along).max() + 1
    steps = np.arange(-np.ceil(reach / width), np.ceil(reach / width) + 1)
    sides = [sight.along[~sight.upper], sight.along[sight.upper]]
    names = [
        f"{side.capitalize()} group ({len(s)})" for side, s in zip(_GROUPS, sides, strict=True)
    ]
    axes.hist(
        sides,
        bins=list(width * steps),
        stacked=True,
        color=colors,
        alpha=0.35,
        edgecolor="white",
        linewidth=0.5,
        label=names,
    )
    places = np.linspace(sight.along.min() - 1, sight.along.max() + 1, 600)
    for (name, density), line, grey in zip(
        sight.laws().items(), _LINES, ("0.1", "0.35"), strict=True
    ):
        two = name == "two humps"
        axes.plot(
            places,
            n * width * density(places),
            color=grey,
            linewidth=1.2,
            linestyle=line,
            label="Two humps" if two else f"One hump ({name})",
        )
    axes.set_xlim(places[0], places[-1])
    axes.set_ylabel("Scans", labelpad=2)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(axis="x", bottom=False, labelbottom=False)


def _draw_rug(axes: Axes, sight: _Sight, marked: np.ndarray, colors: list) -> None:
    for side, color in zip((~sight.upper, sight.upper), colors, strict=True):
        axes.vlines(sight.along[side], 0.7, 3, color=color, linewidth=0.7, alpha=0.8)
        at = sight.along[side & marked]
        axes.scatter(at, np.full(len(at), -0.5), s=7, facecolor="white", edgecolor=color, lw=0.7)
    axes.set_ylim(-1.6 if marked.any() else 0, 3.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Along the line (SD within a group)", labelpad=2)
    axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))


def _legend(curves: Axes, *, rings: bool) -> None:
    if rings:
        curves.scatter(
            [], [], s=7, facecolor="white", edgecolor="0.3", lw=0.7, label="Borderline scan"
        )
    handles, labels = curves.get_legend_handles_labels()
    # Laws first: they are what the eye compares; rings last.
    rank = {label: ("group" in label) + 2 * ("scan" in label) for label in labels}
    order = sorted(range(len(labels)), key=lambda i: rank[labels[i]])
    handles, labels = [handles[i] for i in order], [labels[i] for i in order]
    curves.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.03),
        fontsize=SMALL_FONT_SIZE,
        frameon=False,
        borderaxespad=0.2,
        handlelength=2,
        handletextpad=0.6,
        labelspacing=0.7,
    )


def _p_text(p_value: float) -> str:
    digits = f"{p_value:.3f}" if p_value < 0.1 else f"{p_value:.2f}"
    return f"p = {digits.removeprefix('0')}"
