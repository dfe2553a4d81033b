"""One look for all figures: journal widths, colours every reader can tell apart, exact saving."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from clamlab.atomic import whole_file

SINGLE_COLUMN_MM = 90
DOUBLE_COLUMN_MM = 180
MM_PER_INCH = 25.4
FONT_SIZE = 7.0
SMALL_FONT_SIZE = 6.0

# Okabe and Ito's palette, told apart with every form of colour vision; black and yellow left out.
CLUSTER_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
CLUSTER_MARKERS = ("o", "s", "^", "D", "v", "P")

_SAVING: Any = {
    "svg.hashsalt": "clamlab",
    "svg.fonttype": "none",  # text stays text, to be edited by the journal
    "pdf.fonttype": 42,  # TrueType, which journals ask for
}
# Neither a date nor a program, so that the same figure gives the same bytes tomorrow.
_SAYS_NOTHING: dict[str, dict[str, None]] = {
    "pdf": dict.fromkeys(["CreationDate", "Creator", "Producer"]),
    "svg": dict.fromkeys(["Date", "Creator"]),
    "png": {"Software": None},
}


class PaperFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot and its global state.

    A dollar sign is one: words come from people's tables, and begin no formula. Only the numbers
    of a logarithmic axis are formulas, of matplotlib's own.
    """

    def draw(self, renderer: Any) -> None:
        """Draw all words as they are written."""
        for text in self.findobj(Text):
            text.set_parse_math(text.get_text().startswith(r"$\mathdefault"))
        super().draw(renderer)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()


def new_figure(width_mm: float, height_mm: float) -> PaperFigure:
    """Open an empty figure of a size in millimetres."""
    return PaperFigure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), facecolor="white")


def axes_in_mm(
    figure: Figure, left: float, top: float, width: float, height: float, **options
) -> Axes:
    """Place axes by millimetres from the figure's upper left corner."""
    full_width, full_height = (inches * MM_PER_INCH for inches in figure.get_size_inches())
    box = (
        left / full_width,
        1 - (top + height) / full_height,
        width / full_width,
        height / full_height,
    )
    return figure.add_axes(box, **options)


def style_axes(axes: Axes) -> Axes:
    """Give axes two thin lines, small ticks and small type."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)
    axes.tick_params(labelsize=SMALL_FONT_SIZE, width=0.6, length=2, pad=2)
    axes.xaxis.label.set_fontsize(FONT_SIZE)
    axes.yaxis.label.set_fontsize(FONT_SIZE)
    return axes


def grid_of_axes(
    figure: Figure,
    n_panels: int,
    *,
    columns: int,
    gap_mm: tuple[float, float] = (12.0, 13.0),
    margin_mm: tuple[float, float, float, float] = (11.0, 7.0, 2.0, 9.0),
    foot_mm: float = 0.0,
) -> list[Axes]:
    """Lay out panels row by row, over room for a footnote; margins are left, top, right, bottom."""
    left, top, right, bottom = margin_mm
    bottom += foot_mm
    rows = -(-n_panels // columns)
    width_mm, height_mm = (inches * MM_PER_INCH for inches in figure.get_size_inches())
    width = (width_mm - left - right - gap_mm[0] * (columns - 1)) / columns
    height = (height_mm - top - bottom - gap_mm[1] * (rows - 1)) / rows
    places = [divmod(panel, columns) for panel in range(n_panels)]
    return [
        style_axes(
            axes_in_mm(
                figure,
                left + column * (width + gap_mm[0]),
                top + row * (height + gap_mm[1]),
                width,
                height,
            )
        )
        for row, column in places
    ]


def cluster_colors(n_clusters: int) -> list:
    """Give one colour per cluster; beyond the palette, even steps of a perceptual map.

    Examples
    --------
    >>> cluster_colors(2)
    ['#D55E00', '#0072B2']
    """
    if n_clusters <= len(CLUSTER_COLORS):
        return list(CLUSTER_COLORS[:n_clusters])
    return list(matplotlib.colormaps["viridis"](np.linspace(0, 0.95, n_clusters)))


def cluster_marker(code: int) -> str:
    """Give a cluster's marker, so that colour is never the only difference."""
    return CLUSTER_MARKERS[code % len(CLUSTER_MARKERS)]


def save_figure(
    figure: Figure, stem_path: str | Path, *, formats: Sequence[str] = ("pdf", "svg", "png")
) -> list[Path]:
    """Save a figure for a journal: the same figure always gives the same bytes.

    Parameters
    ----------
    figure : Figure
    stem_path : str or Path
        Path without ending; its folder is made if it is not there.
    formats : sequence of {"pdf", "svg", "png"}
        PNG has 300 dots per inch; text in PDF and SVG stays text.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ValueError
        If a format is not one of the three; nothing is written then.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> paths = save_figure(new_figure(90, 40), Path(mkdtemp()) / "figure_10", formats=["svg"])
    >>> paths[0].name
    'figure_10.svg'
    """
    unknown = [name for name in formats if name not in _SAYS_NOTHING]
    if unknown:
        raise ValueError(f"formats {unknown} are not known: choose from {', '.join(_SAYS_NOTHING)}")
    stem = Path(stem_path)
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.with_name(f"{stem.name}.{name}") for name in formats]
    with matplotlib.rc_context(_SAVING):
        for path, name in zip(paths, formats, strict=True):
            with whole_file(path) as temporary:
                figure.savefig(temporary, format=name, dpi=300, metadata=_SAYS_NOTHING[name])
    return paths


def color_table(name: str) -> np.ndarray:
    """Return 256 colours (256, 3) in [0, 1] of a colour map, from its low end to its high end.

    >>> color_table("inferno")[[0, -1]].round(2).tolist()
    [[0.0, 0.0, 0.01], [0.99, 1.0, 0.64]]
    """
    return matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3]
