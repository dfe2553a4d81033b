"""Curves to judge by: how training went, and how many clusters there are."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clamlab.figures.style import (
    DOUBLE_COLUMN_MM,
    FONT_SIZE,
    SINGLE_COLUMN_MM,
    grid_of_axes,
    new_figure,
)

_NAMES = {"gmm_bic": "GMM BIC", "calinski_harabasz": "Calinski-Harabasz"}
_NOT_CURVES = ("epoch", "seconds", "effective_gamma")


def loss_curves(
    history: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    width_mm: float = DOUBLE_COLUMN_MM,
) -> Figure:
    """Judge whether training has levelled off, as the paper does, by looking at its curves.

    Parameters
    ----------
    history : DataFrame
        One row per epoch with a column ``epoch``.
    columns : sequence of str, optional
        Curves to draw; by default every number but ``epoch``, ``seconds`` and
        ``effective_gamma``.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        A small panel per curve.

    Raises
    ------
    ValueError
        If a column is not in the history.

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [0, 1, 2], "loss": [1.0, 0.4, 0.3]})
    >>> loss_curves(history).axes[0].get_title()
    'Loss'
    """
    numbers = history.select_dtypes("number").columns
    chosen = list(columns or [name for name in numbers if name not in _NOT_CURVES])
    missing = [name for name in ("epoch", *chosen) if name not in history]
    if missing:
        raise ValueError(f"the history has no {', '.join(missing)}; it has {list(history)}")
    return _small_panels(history, "epoch", chosen, "Epoch", width_mm)


def criteria_panel(
    criteria: pd.DataFrame,
    *,
    recommended: int | None = None,
    columns: Sequence[str] | None = None,
    titles: Mapping[str, str] | None = None,
    width_mm: float = DOUBLE_COLUMN_MM,
) -> Figure:
    """Compare what each criterion says about the number of clusters.

    Parameters
    ----------
    criteria : DataFrame
        One row per number of clusters, column ``n_clusters``. A column ``<name>_se`` is
        drawn as the error of ``<name>``.
    recommended : int, optional
        Number of clusters to mark.
    columns : sequence of str, optional
        Criteria to draw; by default every number.
    titles : mapping of str to str, optional
        Printed names of the criteria.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        A small panel per criterion.

    Raises
    ------
    ValueError
        If a column is not in the table.

    Examples
    --------
    >>> criteria = pd.DataFrame({"n_clusters": [2, 3], "silhouette": [0.4, 0.2]})
    >>> criteria_panel(criteria, recommended=2).axes[0].get_title()
    'Silhouette'
    """
    numbers = criteria.select_dtypes("number").columns
    chosen = list(columns or [n for n in numbers if n != "n_clusters" and not n.endswith("_se")])
    missing = [name for name in ("n_clusters", *chosen) if name not in criteria]
    if missing:
        raise ValueError(f"the criteria have no {', '.join(missing)}; they have {list(criteria)}")
    figure = _small_panels(
        criteria, "n_clusters", chosen, "Number of clusters", width_mm, titles=titles, dots=True
    )
    if recommended is not None:
        for axes in figure.axes:
            axes.axvline(recommended, color="0.5", linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    return figure


def _small_panels(
    table: pd.DataFrame,
    x: str,
    chosen: list[str],
    x_label: str,
    width_mm: float,
    *,
    titles: Mapping[str, str] | None = None,
    dots: bool = False,
) -> Figure:
    if not chosen:
        raise ValueError(f"no column of numbers to draw; there are {list(table)}")
    columns = min(4 if width_mm > 1.5 * SINGLE_COLUMN_MM else 2, len(chosen))
    width_mm = width_mm if columns > 1 else min(width_mm, SINGLE_COLUMN_MM)
    rows = -(-len(chosen) // columns)
    figure = new_figure(width_mm, rows * 39 + 1)
    panels = grid_of_axes(figure, len(chosen), columns=columns)
    for axes, name in zip(panels, chosen, strict=True):
        known = table.dropna(subset=[name])
        error = known.get(f"{name}_se")
        axes.errorbar(
            known[x],
            known[name],
            yerr=error,
            color="#0072B2",
            marker="o" if dots else None,
            markersize=2.8,
            linewidth=0.9,
            capsize=1.5,
        )
        axes.set_xlim(*_widened(table[x]))
        title = (titles or {}).get(name, _printed(name))
        axes.set_title(title, fontsize=FONT_SIZE, pad=3)
        axes.set_xlabel(x_label, labelpad=1)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.ticklabel_format(axis="y", useOffset=False)
    return figure


def _widened(values: pd.Series) -> tuple[float, float]:
    """One range for all panels, so that they can be read below each other."""
    low, high = values.min(), values.max()
    border = 0.05 * (high - low) or 0.5
    return low - border, high + border


def _printed(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
