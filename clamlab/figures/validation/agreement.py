"""How far clusters agree with those that needed no network."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clamlab.figures.style import (
    CLUSTER_COLORS,
    FONT_SIZE,
    SINGLE_COLUMN_MM,
    SMALL_FONT_SIZE,
    axes_in_mm,
    new_figure,
    style_axes,
)

_LEFT_MM, _RIGHT_MM, _TOP_MM, _ROW_MM, _BOTTOM_MM, _LEGEND_MM = 27.0, 4.0, 6.0, 5.0, 9.0, 7.0
_SAME = 0.8
_SAME_COLOR, _OTHER_COLOR = CLUSTER_COLORS[0], "0.35"
_COLUMNS = ("title", "n_clusters", "n_groups", "adjusted_rand", "adjusted_mutual_information",
            "same", "note")  # fmt: skip


def agreement_panel(found: pd.DataFrame, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """See at a glance whether a baseline finds the network's clusters.

    Parameters
    ----------
    found : DataFrame
        From :func:`clamlab.baselines.agreement`.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        A dot for each baseline: 0 is chance, beyond the dashed line (.8) clusters are called the
        same, and the dot is coloured. Where a baseline has another number of groups, a
        diamond beside it is the adjusted mutual information. Without a number, the reason.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from clamlab.baselines import agreement
    >>> parts = pd.DataFrame({"density": [0, 1] * 6, "volume": [0, 0, 1] * 4})
    >>> figure = agreement_panel(agreement(parts, [1, 0] * 6))
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['Mean lung density', 'Lung volume', 'Scanner']
    """
    if missing := [name for name in _COLUMNS if name not in found]:
        raise ValueError(f"expected the table of agreement(), found no column {', '.join(missing)}")
    other = (found["n_groups"] != found["n_clusters"]) & found["adjusted_rand"].notna()
    rows_mm, below = _ROW_MM * max(1, len(found)), _LEGEND_MM if other.any() else 0
    figure = new_figure(width_mm, _TOP_MM + rows_mm + _BOTTOM_MM + below)
    inner = width_mm - _LEFT_MM - _RIGHT_MM
    axes = style_axes(axes_in_mm(figure, _LEFT_MM, _TOP_MM, inner, rows_mm))
    for place, row in enumerate(found.itertuples()):
        _draw(axes, place, row, diamond=bool(other.iloc[place]))
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.axvline(_SAME, color="0.6", linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    axes.set_yticks(range(len(found)), [_label(title) for title in found["title"]])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(min(-0.25, found["adjusted_rand"].min() - 0.05), 1.05)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.set_xlabel("Adjusted Rand index", labelpad=2)
    axes.set_title(_title(found), fontsize=FONT_SIZE, pad=4)
    if other.any():
        _legend(figure)
    return figure


def _draw(axes: Axes, place: int, row, *, diamond: bool) -> None:
    if pd.isna(row.adjusted_rand):
        why = textwrap.shorten(row.note, 44, placeholder=" …")
        axes.text(0.02, place, why, fontsize=SMALL_FONT_SIZE, color="0.35", va="center")
        return
    color = _SAME_COLOR if row.same else _OTHER_COLOR
    axes.hlines(place, 0, row.adjusted_rand, color=color, linewidth=0.9)
    axes.plot(row.adjusted_rand, place, "o", color=color, markersize=4.2, clip_on=False)
    if diamond:
        shared = row.adjusted_mutual_information
        axes.plot(shared, place, "D", color=color, mfc="white", markersize=3.6, clip_on=False)


def _legend(figure: Figure) -> None:
    marks = {"adjusted Rand": ("o", _OTHER_COLOR), "adjusted mutual information": ("D", "white")}
    figure.legend(
        handles=[
            Line2D([], [], ls="", marker=marker, color=_OTHER_COLOR, mfc=face, ms=3.8, label=label)
            for label, (marker, face) in marks.items()
        ],
        loc="lower center",
        ncols=2,
        fontsize=SMALL_FONT_SIZE,
        frameon=False,
        handletextpad=0.2,
        columnspacing=1.5,
    )


def _label(title: str) -> str:
    return textwrap.shorten(title[:1].upper() + title[1:], 25, placeholder=" …")


def _title(found: pd.DataFrame) -> str:
    if found.empty:
        return "No baseline"
    n_clusters = int(found["n_clusters"].iloc[0])
    return f"Agreement with the network's {n_clusters} cluster{'s' * (n_clusters > 1)}"
