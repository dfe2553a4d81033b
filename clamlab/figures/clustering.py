"""How training went, how many clusters there are, and how they lie in the feature space."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.decomposition import PCA

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

_NOT_CURVES = ("epoch", "seconds", "effective_gamma")


def latent_scatter(
    features: np.ndarray | Mapping[str, np.ndarray],
    colored_by: Sequence | Mapping[str, Sequence],
    *,
    label: str = "",
    columns: int = 3,
    width_mm: float | None = None,
) -> Figure:
    """See how the scans lie in feature space, coloured by cluster or by any measurement.

    Parameters
    ----------
    features : array of float, shape (n_scans, n_features), or mapping of str to such arrays
        Features; for several panels one array by name, or one array for all.
    colored_by : sequence, shape (n_scans,), or mapping of str to sequences
        Whole numbers are clusters from 0; floats a measurement with a colour bar. For
        several panels by name, the same names as ``features`` where that is a mapping too.
    label : str
        Name of the measurement beside the colour bar of a single panel; several are
        titled with their names.
    columns : int
        Panels in a row.
    width_mm : float, optional
        Width of the figure; 85 for one panel, 180 for several.

    Returns
    -------
    Figure
        First two principal components of each panel's own features, with the share of
        variance they hold.

    Raises
    ------
    ValueError
        If names or numbers of scans differ.

    References
    ----------
    Ryan et al., figure 3.
    """
    panels = _panels(features, colored_by)
    columns = min(columns, len(panels))
    width_mm = width_mm or (SINGLE_COLUMN_MM if len(panels) == 1 else DOUBLE_COLUMN_MM)
    beside = 14.0 if len(panels) > 1 else 18.0  # a legend that counts is wider
    side = (width_mm - 11 - beside - 20 * (columns - 1)) / columns
    rows = -(-len(panels) // columns)
    figure = new_figure(width_mm, 7 + rows * side + (rows - 1) * 14 + 9)
    axes_list = grid_of_axes(
        figure, len(panels), columns=columns, gap_mm=(20, 14), margin_mm=(11, 7, beside, 9)
    )
    for axes, (name, (points, values)) in zip(axes_list, panels.items(), strict=True):
        _scatter(axes, points, np.asarray(values), label, alone=len(panels) == 1)
        axes.set_title(name, fontsize=FONT_SIZE, pad=3)
    return figure


def _panels(features, colored_by) -> dict[str, tuple[np.ndarray, Sequence]]:
    """Pair features and colours by panel name."""
    if not isinstance(colored_by, Mapping):
        names = list(features) if isinstance(features, Mapping) else [""]
        colored_by = dict.fromkeys(names, colored_by)
    if not isinstance(features, Mapping):
        features = dict.fromkeys(colored_by, features)
    if list(features) != list(colored_by):
        raise ValueError(f"features of {list(features)} but colours of {list(colored_by)}")
    for name, points in features.items():
        if len(points) != len(colored_by[name]):
            raise ValueError(
                f"panel {name!r}: {len(points)} scans but {len(colored_by[name])} colours"
            )
    return {name: (np.asarray(points), colored_by[name]) for name, points in features.items()}


def _scatter(
    axes: Axes, points: np.ndarray, values: np.ndarray, label: str, *, alone: bool
) -> None:
    pca = PCA(n_components=2, svd_solver="full").fit(points)
    x, y = pca.transform(points).T
    if np.issubdtype(values.dtype, np.integer):
        codes = np.unique(values)
        colors = cluster_colors(int(codes.max()) + 1)
        for code in codes:
            axes.scatter(
                x[values == code],
                y[values == code],
                s=7,
                marker=cluster_marker(code),
                color=colors[code],
                linewidths=0,
                alpha=0.75,
                label=f"{code + 1} (n={np.sum(values == code)})" if alone else str(code + 1),
            )
        _cluster_legend(axes)
    else:
        drawn = axes.scatter(x, y, s=7, c=values.astype(float), cmap="viridis", linewidths=0)
        _side_bar(axes, drawn, label if alone else "")
    first, second = 100 * pca.explained_variance_ratio_
    axes.set_xlabel(f"PC 1 ({first:.0f} %)", labelpad=1)
    axes.set_ylabel(f"PC 2 ({second:.0f} %)", labelpad=1)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _cluster_legend(axes: Axes) -> None:
    axes.legend(
        title="Cluster",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.02),
        fontsize=SMALL_FONT_SIZE - 0.5,
        title_fontsize=SMALL_FONT_SIZE,
        frameon=False,
        handletextpad=0.1,
        borderaxespad=0.1,
        borderpad=0.1,
    )


def _side_bar(axes: Axes, drawn, label: str) -> None:
    beside = axes.inset_axes((1.04, 0.0, 0.05, 1.0))
    bar = axes.figure.colorbar(drawn, cax=beside)
    bar.outline.set_linewidth(0.4)
    beside.tick_params(labelsize=SMALL_FONT_SIZE, width=0.4, length=1.5, pad=1)
    bar.set_label(label, fontsize=SMALL_FONT_SIZE, labelpad=1)


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
    columns = min(4, len(chosen))
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
    words = name.replace("_", " ")
    words = words[:1].upper() + words[1:]
    return words.replace("gmm", "GMM").replace("Gmm", "GMM").replace("bic", "BIC")
