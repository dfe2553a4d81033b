"""How the scans lie in feature space."""

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
        What is coloured: the title of the legend, "Cluster" unless told, or the name beside
        the colour bar of a single panel.
    columns : int
        Panels in a row.
    width_mm : float, optional
        Width of the figure; 90 for one panel, 180 for several.

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

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(20, 5))
    >>> figure = latent_scatter(features, np.arange(20) % 2)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['1 (n=10)', '2 (n=10)']
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
        _scatter(axes, points, _numbers(values), label, alone=len(panels) == 1)
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


def _numbers(values: Sequence) -> np.ndarray:
    """Whole numbers stay whole, also where a table's type allows gaps."""
    series = pd.Series(values)
    whole = pd.api.types.is_integer_dtype(series) and not series.isna().any()
    return series.to_numpy(int if whole else float, na_value=np.nan)


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
        _cluster_legend(axes, label or "Cluster")
    else:
        drawn = axes.scatter(x, y, s=7, c=values, cmap="viridis", linewidths=0)
        _side_bar(axes, drawn, label if alone else "")
    first, second = 100 * pca.explained_variance_ratio_
    axes.set_xlabel(f"PC 1 ({first:.0f} %)", labelpad=1)
    axes.set_ylabel(f"PC 2 ({second:.0f} %)", labelpad=1)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _cluster_legend(axes: Axes, title: str) -> None:
    axes.legend(
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.02),
        fontsize=SMALL_FONT_SIZE,
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
