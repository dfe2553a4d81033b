"""How often clusters would be found, against what a study can choose."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clamlab.figures.style import (
    DOUBLE_COLUMN_MM,
    FONT_SIZE,
    SINGLE_COLUMN_MM,
    SMALL_FONT_SIZE,
    cluster_colors,
    cluster_marker,
    grid_of_axes,
    new_figure,
)

_TITLES = {
    "clusters": "Clusters found",
    "number": "Number of clusters found",
    "site": "Site of every lesion found",
    "any": "Any clusters found",
}
_QUANTITIES = {
    "n_scans": "Number of scans",
    "apart_sd": "Distance (SD)",
    "contrast_hu": "Lesion contrast (HU)",
    "radius_px": "Lesion radius (pixels)",
    "noise_sd": "Noise SD (HU)",
    "jitter_px": "Jitter of the lesion (pixels)",
    "anatomy": "Anatomy",
    "method": "Method",
}
_ENOUGH = 0.8
_LEGEND_MM = 22.0


def power_panel(
    summary: pd.DataFrame, x: str, *, lines: str = "method", width_mm: float = DOUBLE_COLUMN_MM
) -> Figure:
    """Read off how many scans, or how strong a lesion, a study needs.

    Parameters
    ----------
    summary : DataFrame
        One row per value of `x`, line and target: ``target``, ``share``, ``low``, ``high``, from
        0 to 1, as :func:`clamlab.experiments.power_summary` gives them.
    x : str
        Column of the quantity along the axis, such as ``n_scans``. Unevenly spaced numbers get a
        logarithmic axis, as far as they are positive.
    lines : str
        Column with a line for each of its values.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        A panel per target: the share found with its limits. The dashed line is at 80 %, the power
        that studies are usually planned for.

    Raises
    ------
    ValueError
        If a column is missing, or several rows would fall on one point.

    Examples
    --------
    >>> summary = pd.DataFrame({
    ...     "n_scans": [50, 300], "method": "deep", "target": "number",
    ...     "share": [0.4, 0.9], "low": [0.2, 0.7], "high": [0.6, 1.0],
    ... })
    >>> power_panel(summary, "n_scans").axes[0].get_title()
    'Number of clusters found'
    """
    _check(summary, x, lines)
    targets = list(dict.fromkeys(summary["target"]))
    names = _in_order(summary[lines])
    if len(targets) == 1:
        width_mm = min(width_mm, SINGLE_COLUMN_MM)
    figure = new_figure(width_mm, 52)
    margins = (11.0, 7.0, _LEGEND_MM, 10.0)
    panels = grid_of_axes(
        figure, len(targets), columns=len(targets), gap_mm=(7, 0), margin_mm=margins
    )
    places = _places(_in_order(summary[x]))
    for axes, target in zip(panels, targets, strict=True):
        _draw(axes, summary[summary["target"] == target], x, lines, names, places)
        axes.set_title(_TITLES.get(target, target), fontsize=FONT_SIZE, pad=4)
        axes.set_xlabel(_QUANTITIES.get(x, x), labelpad=2)
    panels[0].set_ylabel("Share of cohorts, 95 % limits", labelpad=2)
    for axes in panels[1:]:
        axes.set_yticklabels([])
    _legend(panels[-1], _QUANTITIES.get(lines, lines).replace(" (", "\n("))
    return figure


def _check(summary: pd.DataFrame, x: str, lines: str) -> None:
    key = ["target", lines, x]
    missing = [name for name in (*key, "share", "low", "high") if name not in summary]
    if missing:
        raise ValueError(f"the summary has no {', '.join(missing)}; it has {list(summary)}")
    twice = summary[summary.duplicated(key, keep=False)]
    if len(twice):
        told = {*key, "share", "low", "high", "n_runs", "settings"}
        others = [name for name in twice if name not in told and len(set(twice[name])) > 1]
        raise ValueError(
            f"each {x} and {lines} needs one row per target, but {', '.join(others) or 'the rows'} "
            "differ as well: keep one value of each before drawing"
        )


def _in_order(values: pd.Series) -> list:
    """Give the values that there are: numbers by size, words as they come."""
    found = values.drop_duplicates()
    return (found.sort_values() if pd.api.types.is_numeric_dtype(found) else found).tolist()


def _places(values: list) -> dict:
    """Decide where values lie along the axis: even steps for words, a logarithm for leaps."""
    if any(isinstance(value, str) for value in values):
        return {value: float(i) for i, value in enumerate(values)}
    gaps = np.diff(values)
    leaps = len(gaps) > 1 and gaps.max() > 3 * gaps.min() and min(values) > 0
    return {value: float(np.log(value) if leaps else value) for value in values}


def _draw(axes: Axes, rows: pd.DataFrame, x: str, lines: str, names: list, places: dict) -> None:
    span = max(places.values()) - min(places.values()) or 1.0
    axes.axhline(_ENOUGH, color="0.6", linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    for i, (name, color) in enumerate(zip(names, _colors(names), strict=True)):
        line = rows[rows[lines] == name].set_index(x)
        line = line.loc[[value for value in places if value in line.index]]
        # Side by side, so that no interval hides another.
        aside = 0.03 * span * (i - (len(names) - 1) / 2)
        axes.errorbar(
            [places[value] + aside for value in line.index],
            line["share"],
            yerr=[line["share"] - line["low"], line["high"] - line["share"]],
            color=color,
            marker=cluster_marker(i),
            markersize=3.2,
            linewidth=0.9,
            elinewidth=0.7,
            capsize=1.3,
            capthick=0.7,
            label=f"{name:g}" if isinstance(name, int | float) else str(name),
        )
    axes.set_xlim(min(places.values()) - 0.09 * span, max(places.values()) + 0.09 * span)
    labels = [value if isinstance(value, str) else f"{value:g}" for value in places]
    axes.set_xticks(list(places.values()), labels)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])


def _colors(names: list) -> list:
    """Colours with an order for numbers, and without one for words."""
    if all(isinstance(name, str) for name in names):
        return cluster_colors(len(names))
    return list(colormaps["viridis"](np.linspace(0, 0.8, len(names))))


def _legend(axes: Axes, title: str) -> None:
    axes.legend(
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.03, 1.03),
        fontsize=SMALL_FONT_SIZE,
        title_fontsize=SMALL_FONT_SIZE,
        alignment="left",
        frameon=False,
        borderaxespad=0.2,
        handletextpad=0.6,
    )
