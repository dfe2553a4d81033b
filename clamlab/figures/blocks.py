"""Blocks of pictures: size, names, sides and one colour bar each."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from clamlab.figures.slices import Pages
from clamlab.figures.style import FONT_SIZE, SMALL_FONT_SIZE, axes_in_mm

_GAP_MM = 1.0
_COLUMN_GAP_MM = 3.0
_HEAD_MM = 5.0
_LINE_MM = 3.0
_BAR_MM = 9.0
MARGIN_MM = 2.0
ROW_NAME_MM = 5.0


@dataclass(frozen=True)
class _Kind:
    """How one kind of image is coloured."""

    label: str
    limits: tuple[float, float]
    colormap: str
    ticks: tuple[float, ...]


_KINDS = {
    "hu": _Kind("HU", (-1000, 0), "viridis", (-1000, -750, -500, -250, 0)),
    "difference": _Kind("HU difference", (-400, 400), "RdBu_r", (-400, -200, 0, 200, 400)),
    "importance": _Kind("Importance", (0, 1), "inferno", (0, 0.25, 0.5, 0.75, 1)),
    "evidence": _Kind("Evidence (1: even)", (0, 10), "inferno", (0, 2.5, 5, 7.5, 10)),
    "t": _Kind("t", (-5, 5), "RdBu_r", (-5, -2.5, 0, 2.5, 5)),
}


def look_of(
    kind: str, limits: tuple[float, float] | None, colormap: str | None
) -> tuple[_Kind, Normalize, Colormap]:
    """Choose unit, limits and colours of one kind of image."""
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(_KINDS)}")
    chosen = _KINDS[kind]
    low, high = limits or chosen.limits
    return chosen, Normalize(low, high), matplotlib.colormaps[colormap or chosen.colormap]


def cell_size(
    pages: Pages,
    spacing_mm: Sequence[float] | None,
    width_mm: float,
    *,
    named_rows: bool = True,
) -> tuple[float, float]:
    """Width and height of one image in mm, in the scan's own proportions."""
    if pages.row_names and named_rows:
        width_mm -= ROW_NAME_MM
    image = next(cell for cell in pages.cells[0] if cell is not None)
    across, down = 1.0, 1.0
    if spacing_mm is not None:
        # x runs across a slice of a volume; a 2-D image's second axis does.
        across, down = spacing_mm[:2] if pages.is_volume else spacing_mm[::-1]
    width = (width_mm - _COLUMN_GAP_MM * (len(pages.names) - 1)) / len(pages.names)
    return width, width * (image.shape[0] * down) / (image.shape[1] * across)


def _head(pages: Pages, letter: str) -> float:
    """Height above the images: a line for the letter, and those of the names."""
    more_lines = max(name.count("\n") for name in pages.names)
    return _HEAD_MM * (bool(letter) + any(pages.names)) + _LINE_MM * more_lines


def block_height(pages: Pages, cell_height: float, *, letter: str = "") -> float:
    """Height of a block with its names and its colour bar, in mm."""
    rows = len(pages.cells)
    return _head(pages, letter) + rows * cell_height + (rows - 1) * _GAP_MM + _BAR_MM + MARGIN_MM


def draw_block(
    figure: Figure,
    pages: Pages,
    look: tuple[_Kind, Normalize, Colormap],
    *,
    left: float,
    cell: tuple[float, float],
    letter: str = "",
    name_rows: bool = False,
) -> None:
    """Draw images with their names above, side letters, and one colour bar below."""
    kind, norm, colors = look
    top = _head(pages, letter)
    for i, row in enumerate(pages.cells):
        for j, image in enumerate(row):
            axes = axes_in_mm(
                figure, left + j * (cell[0] + _COLUMN_GAP_MM), top + i * (cell[1] + _GAP_MM), *cell
            )
            axes.set_axis_off()
            if image is not None:
                axes.imshow(image, cmap=colors, norm=norm, aspect="auto", interpolation="nearest")
            if i == 0:
                axes.set_title(pages.names[j], fontsize=FONT_SIZE, pad=2)
                _name_sides(axes)
            if name_rows and j == 0:
                _write_left(axes, pages.row_names[i])
    width = len(pages.names) * (cell[0] + _COLUMN_GAP_MM) - _COLUMN_GAP_MM
    bottom = top + len(pages.cells) * (cell[1] + _GAP_MM) + 0.5
    _draw_bar(figure, kind, norm, colors, left=left, top=bottom, width=width)
    if letter:
        axes = axes_in_mm(figure, left, 0, width, _HEAD_MM)
        axes.set_axis_off()
        axes.text(0, 0.4, f"({letter})", fontsize=FONT_SIZE + 1, va="center")


def _name_sides(axes: Axes) -> None:
    for place, side, align in ((0.01, "R", "left"), (0.99, "L", "right")):
        axes.text(
            place,
            0.99,
            side,
            transform=axes.transAxes,
            ha=align,
            va="top",
            fontsize=SMALL_FONT_SIZE,
            color="0.25",
            # Readable on white paper and on a dark scan.
            path_effects=[withStroke(linewidth=1.2, foreground="white")],
        )


def _write_left(axes: Axes, name: str) -> None:
    axes.text(
        -0.03,
        0.5,
        name,
        transform=axes.transAxes,
        rotation=90,
        ha="right",
        va="center",
        fontsize=FONT_SIZE,
    )


def _draw_bar(
    figure: Figure,
    kind: _Kind,
    norm: Normalize,
    colors: Colormap,
    *,
    left: float,
    top: float,
    width: float,
) -> None:
    """Draw a horizontal colour bar with its unit."""
    length = min(0.86 * width, 50.0)
    axes = axes_in_mm(figure, left + (width - length) / 2, top, length, 2.0)
    bar = figure.colorbar(
        matplotlib.cm.ScalarMappable(norm, colors), cax=axes, orientation="horizontal"
    )
    if (norm.vmin, norm.vmax) == kind.limits:
        bar.set_ticks(kind.ticks)
    bar.outline.set_linewidth(0.4)
    axes.tick_params(labelsize=SMALL_FONT_SIZE, width=0.4, length=1.5, pad=1)
    bar.set_label(kind.label, fontsize=FONT_SIZE, labelpad=1)
