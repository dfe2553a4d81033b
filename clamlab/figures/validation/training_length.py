"""How the silhouette's choice of a number of clusters moves while a network trains."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clamlab.figures.style import (
    FONT_SIZE,
    SINGLE_COLUMN_MM,
    SMALL_FONT_SIZE,
    axes_in_mm,
    new_figure,
    style_axes,
)

_LEFT_MM, _RIGHT_MM = 18.0, 13.0
_RULES = {"pick_silhouette": "Silhouette", "pick_recommended": "Recommended"}
_COLUMNS = ("epochs", "n_clusters", "silhouette", "n_true", "accuracy", "held_out_loss", *_RULES)


def silhouette_by_training(table: pd.DataFrame, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """See that the silhouette's number of clusters depends on how long the network trained.

    Parameters
    ----------
    table : DataFrame
        One training, from :func:`clamlab.experiments.training_length`.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        From the top: the number that the silhouette and the recommended rule pick at each look;
        the silhouette of each number, the picked one dotted, the true one bold; the accuracy of
        k-means at the true number. The dashed line is at the look with the least held-out loss,
        where training should end.

    Raises
    ------
    ValueError
        If a column is missing, or the table holds more than one training.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "n_true": 3, "epochs": [5, 5, 10, 10], "n_clusters": [2, 3, 2, 3],
    ...     "silhouette": [0.4, 0.6, 0.5, 0.3], "accuracy": [0.9, 0.9, 1, 1],
    ...     "held_out_loss": [0.8, 0.8, 0.7, 0.7],
    ...     "pick_silhouette": [3, 3, 2, 2], "pick_recommended": 3,
    ... })
    >>> [text.get_text() for text in silhouette_by_training(table).axes[0].texts]
    ['3', '2', '3']
    """
    _check(table)
    looks = table.drop_duplicates("epochs").sort_values("epochs").set_index("epochs")
    figure = new_figure(width_mm, 89)
    inner = width_mm - _LEFT_MM - _RIGHT_MM
    picks, silhouettes, accuracy = (
        style_axes(axes_in_mm(figure, _LEFT_MM, top, inner, height))
        for top, height in ((6.0, 9.0), (18.0, 38.0), (61.0, 18.0))
    )
    k_values = sorted(table["n_clusters"].unique())
    _draw_picks(picks, looks, k_values)
    _draw_silhouettes(silhouettes, table, k_values)
    _draw_accuracy(accuracy, looks["accuracy"])
    _mark_end(silhouettes, accuracy, looks["held_out_loss"].idxmin())
    edges = _edges(looks.index)
    for axes in (picks, silhouettes, accuracy):
        axes.set_xlim(edges[0], edges[-1])
    return figure


def _check(table: pd.DataFrame) -> None:
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise ValueError(f"the table has no {', '.join(missing)}; it has {list(table)}")
    if table.duplicated(["epochs", "n_clusters"]).any():
        raise ValueError(
            "the table holds more than one training: select one scenario, n_true and seed"
        )


def _draw_picks(axes: Axes, looks: pd.DataFrame, k_values: Sequence[int]) -> None:
    """One bar per rule, in pieces: each as long as the rule kept to its number."""
    edges = _edges(looks.index)
    for place, rule in enumerate(_RULES):
        picked = looks[rule].to_numpy()
        starts = np.flatnonzero(np.r_[True, picked[1:] != picked[:-1]])
        for first, end in zip(starts, [*starts[1:], len(picked)], strict=True):
            k, left, right = int(picked[first]), edges[first], edges[end]
            color = _color(k, k_values)
            axes.barh(
                place, right - left, left=left, height=0.8, color=color, edgecolor="white", lw=0.5
            )
            light = np.dot(color[:3], (0.299, 0.587, 0.114)) > 0.5
            axes.text(
                (left + right) / 2,
                place,
                str(k),
                ha="center",
                va="center_baseline",
                fontsize=SMALL_FONT_SIZE,
                color="black" if light else "white",
            )
    axes.set_yticks(range(len(_RULES)), list(_RULES.values()))
    axes.set_ylim(len(_RULES) - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Number of clusters picked", fontsize=FONT_SIZE, pad=2)


def _draw_silhouettes(axes: Axes, table: pd.DataFrame, k_values: Sequence[int]) -> None:
    n_true = table["n_true"].iloc[0]
    for k in k_values:
        line = table[table["n_clusters"] == k].sort_values("epochs")
        axes.plot(
            line["epochs"],
            line["silhouette"],
            color=_color(k, k_values),
            linewidth=1.8 if k == n_true else 0.8,
            marker="o",
            markersize=3,
            markevery=(line["pick_silhouette"] == k).tolist(),
            label=f"{k} (true)" if k == n_true else str(k),
        )
    axes.set_ylabel("Silhouette", labelpad=2)
    axes.tick_params(labelbottom=False)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    legend = axes.legend(
        title="Clusters",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.03),
        fontsize=SMALL_FONT_SIZE,
        title_fontsize=SMALL_FONT_SIZE,
        alignment="left",
        frameon=False,
        borderaxespad=0.1,
        handlelength=0.9,
        handletextpad=0.4,
    )
    for line in legend.get_lines():
        line.set_marker("")  # the dots are picks, not a part of a line's look


def _draw_accuracy(axes: Axes, accuracy: pd.Series) -> None:
    axes.plot(accuracy.index, accuracy, color="black", linewidth=0.9, marker="o", markersize=2)
    axes.set_ylim(min(0.5, accuracy.min() - 0.05), 1.03)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.set_ylabel("Accuracy at\nthe true number", labelpad=2)
    axes.set_xlabel("Epochs of pre-training", labelpad=2)


def _mark_end(silhouettes: Axes, accuracy: Axes, epoch: int) -> None:
    """Draw where training should end through both panels, with its name between them."""
    for axes in (silhouettes, accuracy):
        axes.axvline(epoch, color="0.4", linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    accuracy.annotate(
        "least held-out loss",
        (epoch, 1.0),
        xycoords=accuracy.get_xaxis_transform(),
        xytext=(0, 1.5),
        textcoords="offset points",
        ha="center",
        fontsize=SMALL_FONT_SIZE,
        color="0.3",
    )


def _color(k: int, k_values: Sequence[int]) -> tuple[float, ...]:
    """Order the colours as the numbers are; one cluster is grey."""
    if k not in k_values:
        return 0.75, 0.75, 0.75, 1.0
    return colormaps["viridis"](0.92 * list(k_values).index(k) / max(1, len(k_values) - 1))


def _edges(epochs: pd.Index) -> np.ndarray:
    """Set borders halfway between looks; those at the ends as far out as their neighbours."""
    at = epochs.to_numpy(float)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.r_[2 * at[0] - middle[0], middle, 2 * at[-1] - middle[-1]]
