"""Clinical results: adjusted means per outcome (figure 10) and a forest of differences."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clamlab.figures.fitting import LINE_MM, fitted
from clamlab.figures.style import (
    DOUBLE_COLUMN_MM,
    FONT_SIZE,
    SINGLE_COLUMN_MM,
    SMALL_FONT_SIZE,
    axes_in_mm,
    cluster_colors,
    cluster_marker,
    grid_of_axes,
    new_figure,
    style_axes,
)

_PANEL_MM = 26.0
_NARROWEST_MM, _MOST_LINES = 20.0, 3  # of a panel, and of its title
_NAMES_MM = 25.0  # beside a forest plot
_GAP_MM, _MARGIN_MM = (12.0, 13.0), (11.0, 7.0, 2.0, 9.0)
# As in Table 2: what a person read from an image is marked wherever it stands.
READ = "†"
READ_WORDS = (
    f"{READ} Read from an image by a person: not from outside the images that were clustered."
)
P_LABELS = {
    "p": "p",
    "p_holm": "p(Holm)",
    "p_bh": "p(BH)",
    "p_not_confirmatory": "exploratory p",
}


def outcome_panel(
    adjusted: pd.DataFrame,
    associations: pd.DataFrame,
    *,
    columns: int = 4,
    p_column: str = "p",
    width_mm: float = DOUBLE_COLUMN_MM,
) -> Figure:
    """Show each outcome's adjusted mean with its 95 % interval by cluster, and the p on top.

    Parameters
    ----------
    adjusted : DataFrame
        From :func:`clamlab.stats.outcomes.adjusted_means`; any number of clusters.
    associations : DataFrame
        From :func:`clamlab.stats.outcomes.outcome_associations`, of the same models.
    columns : int
        Panels in a row, at most: fewer where they would be narrower than 20 mm.
    p_column : {"p", "p_holm", "p_bh", "p_not_confirmatory"}
        Which p is printed; the last, as exploratory tables call theirs, is printed as such.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        A panel per outcome, in order; an outcome on the log scale is shown on it, and says
        so; what a person read from an image is marked. An outcome without model keeps its panel
        with the reason; without any outcome a sentence says so.

    References
    ----------
    Ryan et al., figure 10.

    Examples
    --------
    >>> from clamlab.stats.outcomes import adjusted_means, outcome_associations
    >>> table = pd.DataFrame({"cluster": [0, 0, 0, 1, 1, 1], "fvc": [3.0, 3.2, 3.1, 2.4, 2.6, 2.7]})
    >>> schema = {"properties": {"fvc": {"title": "FVC", "x-role": "outcome"}}}
    >>> associations = outcome_associations(table, schema)
    >>> outcome_panel(adjusted_means(table, schema), associations).axes[0].get_title()
    'FVC'
    """
    outcomes = list(dict.fromkeys(adjusted["outcome"]))
    if not outcomes:
        return _sentence("No outcome to show: mark columns with x-role 'outcome'.", width_mm)
    columns = min(columns, len(outcomes), _most_columns(width_mm))
    rows = -(-len(outcomes) // columns)
    titles = {
        row.outcome: _in_lines(row, _panel_width(width_mm, columns))
        for _, row in adjusted.drop_duplicates("outcome").iterrows()
    }
    over = LINE_MM * max(title.count("\n") for title in titles.values())
    said = textwrap.wrap(READ_WORDS, int(width_mm * 0.75)) if _are_read(adjusted) else []
    foot = 3.0 * len(said)
    figure = new_figure(width_mm, rows * (_PANEL_MM + 13 + over) + 3 + foot)
    if said:
        figure.text(0.01, 0.01, "\n".join(said), va="bottom", fontsize=SMALL_FONT_SIZE)
    omnibus = associations[associations["part"] == "omnibus"].set_index("outcome")
    codes = sorted(adjusted["group"].dropna().astype(int).unique())
    left, top, right, bottom = _MARGIN_MM
    panels = grid_of_axes(
        figure,
        len(outcomes),
        columns=columns,
        gap_mm=(_GAP_MM[0], _GAP_MM[1] + over),
        margin_mm=(left, top + over, right, bottom),
        foot_mm=foot,
    )
    for axes, outcome in zip(panels, outcomes, strict=True):
        means = adjusted[adjusted["outcome"] == outcome]
        p = omnibus[p_column].get(outcome, np.nan)
        _draw_means(axes, means, codes, _p_label(p, p_column))
        # Where matplotlib would put it; looking for the place takes an eighth of the drawing.
        axes.set_title(titles[outcome], fontsize=FONT_SIZE, pad=9, y=1.0, fontweight="bold")
    return figure


def _panel_width(width_mm: float, columns: int) -> float:
    return (width_mm - _MARGIN_MM[0] - _MARGIN_MM[2] - _GAP_MM[0] * (columns - 1)) / columns


def _most_columns(width_mm: float) -> int:
    """Count the panels in a row that are wide enough for words; one there is always."""
    room = width_mm - _MARGIN_MM[0] - _MARGIN_MM[2] + _GAP_MM[0]
    return max(1, int(room / (_NARROWEST_MM + _GAP_MM[0])))


def _in_lines(row: pd.Series, width_mm: float) -> str:
    words, tail = _title(row)
    return fitted(words, width_mm, lines=_MOST_LINES, tail=tail, weight="bold")


def _draw_means(axes: Axes, means: pd.DataFrame, codes: list[int], p_label: str) -> None:
    first = means.iloc[0]
    axes.text(0.5, 1.03, p_label, transform=axes.transAxes, ha="center", fontsize=SMALL_FONT_SIZE)
    units = "" if first["transform"] else str(first["units"])
    axes.set_ylabel(fitted(units, _PANEL_MM), labelpad=2)
    axes.set_xlim(-0.6, len(codes) - 0.4)
    axes.set_xticks(range(len(codes)), [str(code + 1) for code in codes])
    axes.set_xlabel("Cluster", labelpad=1)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    drawn = means.dropna(subset=["mean"])
    if drawn.empty:
        axes.set_yticks([])
        why = textwrap.shorten(first["note"] or "no model", 150, placeholder=" …")
        _say(axes, textwrap.fill(why, 24))
    colors = cluster_colors(max(codes, default=0) + 1)  # also where a cluster has gone
    for row in drawn.itertuples():
        axes.errorbar(
            codes.index(row.group),
            row.mean,
            yerr=[[row.mean - row.low], [row.high - row.mean]],
            fmt=cluster_marker(row.group),
            color=colors[row.group],
            markersize=3.5,
            capsize=2,
            elinewidth=1,
        )


def _title(row: pd.Series) -> tuple[str, str]:
    """Name an outcome; behind it its scale, and the mark of what a person read."""
    scale = f" ({row['transform']})" if row["transform"] else ""
    return str(row["title"]), f"{READ if row['source'] == 'reader' else ''}{scale}"


def _are_read(rows: pd.DataFrame) -> bool:
    return bool((rows["source"] == "reader").any())


def _say(axes: Axes, sentence: str) -> None:
    """Put a sentence where nothing can be drawn."""
    axes.text(
        0.5,
        0.5,
        sentence,
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=SMALL_FONT_SIZE,
    )


def _p_label(p: float, p_column: str) -> str:
    kind = P_LABELS[p_column]
    if pd.isna(p):
        return "not tested"
    return f"{kind}<0.001" if p < 0.001 else f"{kind}={p:.3f}"


def forest_plot(associations: pd.DataFrame, *, width_mm: float = SINGLE_COLUMN_MM) -> Figure:
    """Show all outcomes' standardised differences between clusters in one picture.

    Parameters
    ----------
    associations : DataFrame
        From :func:`clamlab.stats.outcomes.outcome_associations`. Each pair of clusters has its own
        marker.
    width_mm : float
        Width of the figure.

    Returns
    -------
    Figure
        Differences in residual standard deviations with 95 % intervals. A filled marker
        means that the outcome's p is below 0.05 after Holm's adjustment over the outcomes,
        and beyond two clusters the pair's Tukey p too. Where no difference could be estimated, as
        with one cluster, a sentence says why.

    Examples
    --------
    >>> from clamlab.stats.outcomes import outcome_associations
    >>> table = pd.DataFrame({"cluster": [0, 0, 0, 1, 1, 1], "fvc": [3.0, 3.2, 3.1, 2.4, 2.6, 2.7]})
    >>> schema = {"properties": {"fvc": {"title": "FVC", "x-role": "outcome"}}}
    >>> associations = outcome_associations(table, schema)
    >>> [label.get_text() for label in forest_plot(associations).axes[0].get_yticklabels()]
    ['FVC']
    """
    pairs = associations[associations["part"] == "pairwise"].dropna(subset=["standardised"])
    omnibus = associations[associations["part"] == "omnibus"].set_index("outcome")
    if pairs.empty:
        why = _why_no_pairs(omnibus["note"].unique())
        return _sentence(f"No difference between clusters could be estimated: {why}.", width_mm)
    outcomes = list(dict.fromkeys(pairs["outcome"]))
    kinds = sorted(set(zip(pairs["group"], pairs["other_group"], strict=True)))
    step = max(4.5, 2.2 * len(kinds) + 1.5)
    height = 12 + step * len(outcomes)
    words = textwrap.wrap(READ_WORDS, int(width_mm * 0.6)) if _are_read(pairs) else []
    foot = 3.5 * len(words)
    figure = new_figure(width_mm, height + 11 + foot)
    axes = style_axes(
        axes_in_mm(figure, _NAMES_MM + 2, 5 + 3, width_mm - _NAMES_MM - 5, height - 7)
    )
    axes.axvline(0, color="0.6", linewidth=0.6)
    colors = dict(zip(kinds, cluster_colors(len(kinds)), strict=True))
    for place, outcome in enumerate(outcomes):
        for row in pairs[pairs["outcome"] == outcome].itertuples():
            kind = (row.group, row.other_group)
            pair_p = row.p if pd.isna(row.p_tukey) else row.p_tukey
            certain = omnibus.loc[outcome, "p_holm"] < 0.05 and pair_p < 0.05
            axes.errorbar(
                row.standardised,
                place + (kinds.index(kind) - (len(kinds) - 1) / 2) * 0.7 / len(kinds),
                xerr=[
                    [row.standardised - row.standardised_low],
                    [row.standardised_high - row.standardised],
                ],
                fmt=cluster_marker(kinds.index(kind)),
                color=colors[kind],
                markerfacecolor=colors[kind] if certain else "white",
                markersize=3.5,
                elinewidth=0.9,
                label=f"Cluster {row.group + 1} \N{MINUS SIGN} {row.other_group + 1}",
            )
    titles = pairs.drop_duplicates("outcome").set_index("outcome")
    axes.set_yticks(range(len(outcomes)), [_beside(titles.loc[outcome]) for outcome in outcomes])
    axes.set_ylim(len(outcomes) - 0.5, -0.5)
    axes.set_xlabel("\n".join(["Standardised difference, 95 % interval", *words]))
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    axes.legend(
        shown.values(),
        shown.keys(),
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=min(3, len(shown)),
        fontsize=SMALL_FONT_SIZE,
        frameon=False,
        borderaxespad=0.2,
        handletextpad=0.3,
        columnspacing=1,
    )
    return figure


def _beside(row: pd.Series) -> str:
    words, tail = _title(row)
    return fitted(words, _NAMES_MM, tail=tail, size=SMALL_FONT_SIZE)


def _sentence(words: str, width_mm: float) -> Figure:
    """Say in place of a picture why there is none."""
    figure = new_figure(width_mm, 16)
    axes = axes_in_mm(figure, 0, 0, width_mm, 16)
    axes.set_axis_off()
    _say(axes, textwrap.fill(words, int(width_mm * 0.75)))
    return figure


def _why_no_pairs(notes: Sequence[str]) -> str:
    if len(notes) == 0:
        return "there is no outcome"
    return notes[0] if len(notes) == 1 else "the note of each outcome in the table says why"
