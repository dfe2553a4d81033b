"""Scans and maps as a radiologist expects them: patient's right on the left, front at the top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from clamlab.figures.style import (
    DOUBLE_COLUMN_MM,
    FONT_SIZE,
    SINGLE_COLUMN_MM,
    SMALL_FONT_SIZE,
    axes_in_mm,
    new_figure,
)

_GAP_MM = 1.0
_COLUMN_GAP_MM = 3.0
_HEAD_MM = 5.0
_BAR_MM = 9.0
_MARGIN_MM = 2.0
_ROW_NAME_MM = 5.0
_BORDER_VOXELS = 2
_LEAST_AREA = 0.2


@dataclass(frozen=True)
class _Kind:
    """How one kind of image is coloured."""

    label: str
    limits: tuple[float, float]
    colormap: str
    ticks: tuple[float, ...]


_KINDS = {
    "hu": _Kind("HU", (-1000, 0), "viridis", (-1000, -750, -500, -250, 0)),
    "importance": _Kind("Importance", (0, 1), "inferno", (0, 0.25, 0.5, 0.75, 1)),
}


def radiological(volume: np.ndarray, index: int) -> np.ndarray:
    """Cut an axial slice of a RAS+ volume as it is displayed.

    Parameters
    ----------
    volume : array, shape (x, y, z)
        RAS+: x grows towards the patient's right, y to the front, z to the head.
    index : int
        Slice along z.

    Returns
    -------
    array, shape (y, x)
        Row 0 is the front, column 0 the patient's right.

    Examples
    --------
    >>> volume = np.zeros((3, 2, 1))
    >>> volume[2, 1, 0] = 1  # right and front
    >>> radiological(volume, 0)
    array([[1., 0., 0.],
           [0., 0., 0.]])
    """
    return volume[::-1, ::-1, index].T


def montage(
    volumes_by_name: Mapping[str, np.ndarray],
    *,
    mask: np.ndarray | None = None,
    kind: str = "hu",
    slices: int = 7,
    spacing_mm: Sequence[float] | None = None,
    limits: tuple[float, float] | None = None,
    colormap: str | None = None,
    width_mm: float = SINGLE_COLUMN_MM,
) -> Figure:
    """Show axial slices of several volumes side by side, from the top of the lung down.

    Parameters
    ----------
    volumes_by_name : mapping of str to array, shape (x, y, z) or (rows, columns)
        A column of the figure each, in order: "Overall", "Cluster 1", ... Volumes are RAS+
        and on one grid; 2-D images are as displayed and give a single row.
    mask : array of bool, same shape, optional
        The lung. Everything else stays white, and the picture is cropped to it.
    kind : {"hu", "importance"}
        Decides colours, limits and the colour bar's label.
    slices : int
        Slices shown, spread evenly over the mask's height.
    spacing_mm : sequence of float, optional
        Voxel size along each axis; cubes by default.
    limits : (float, float), optional
        Values at both ends of the colour bar; -1000 to 0 HU, or 0 to 1.
    colormap : str, optional
        Name of a matplotlib colour map.
    width_mm : float
        Width of the figure, 85 for one column of a journal and 180 for two.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is nothing to show, shapes differ, or the kind is unknown.

    References
    ----------
    Ryan et al., figures 7 to 9.
    """
    pages = _cut(volumes_by_name, mask, slices)
    look = _look(kind, limits, colormap)
    cell = _cell_size(pages, spacing_mm, width_mm - 2 * _MARGIN_MM)
    figure = new_figure(width_mm, _block_height(pages, cell[1]))
    _draw_block(figure, pages, look, left=_MARGIN_MM, cell=cell)
    return figure


def average_panel(
    scans: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    *,
    mask: np.ndarray | None = None,
    slices: int = 7,
    spacing_mm: Sequence[float] | None = None,
    hu_limits: tuple[float, float] | None = None,
    width_mm: float = DOUBLE_COLUMN_MM,
) -> Figure:
    """Show average scans (a) beside average importance (b), overall and by cluster.

    Parameters
    ----------
    scans, maps : mapping of str to array, shape (x, y, z) or (rows, columns)
        Averages in HU and in importance by name: "Overall", "Cluster 1", ... In 3-D a
        column each, as in figure 7; in 2-D a row each, as in figure 4.
    mask, slices, spacing_mm, width_mm
        As in :func:`montage`.
    hu_limits : (float, float), optional
        Values at both ends of the HU colour bar.

    Returns
    -------
    Figure

    References
    ----------
    Ryan et al., figures 4 and 7.
    """
    both = [_cut(scans, mask, slices), _cut(maps, mask, slices)]
    if np.ndim(next(iter(scans.values()))) == 2:
        both = [_turn(pages) for pages in both]
        width_mm = min(width_mm, SINGLE_COLUMN_MM)
    gap = 3 * _MARGIN_MM
    half = (width_mm - 2 * _MARGIN_MM - gap) / 2
    if both[0].row_names:
        half -= _ROW_NAME_MM / 2
    cell = _cell_size(both[0], spacing_mm, half, named_rows=False)
    figure = new_figure(width_mm, _block_height(both[0], cell[1], letter="a"))
    left = _MARGIN_MM
    for letter, pages, look in zip(
        "ab",
        both,
        (_look("hu", hu_limits, None), _look("importance", None, None)),
        strict=True,
    ):
        indent = _ROW_NAME_MM if letter == "a" and pages.row_names else 0.0
        _draw_block(
            figure, pages, look, left=left + indent, cell=cell, letter=letter, name_rows=indent > 0
        )
        left += half + indent + gap
    return figure


def image_grid(
    rows: Mapping[str, Mapping[str, np.ndarray]],
    *,
    mask: np.ndarray | None = None,
    kind: str = "importance",
    limits: tuple[float, float] | None = None,
    colormap: str | None = None,
    width_mm: float = SINGLE_COLUMN_MM,
) -> Figure:
    """Show 2-D images in a grid, such as scenarios by clusters.

    Parameters
    ----------
    rows : mapping of str to mapping of str to array, shape (rows, columns)
        Images as displayed, by row name and then column name. Rows may lack columns.
    mask, kind, limits, colormap, width_mm
        As in :func:`montage`.

    Returns
    -------
    Figure

    References
    ----------
    Ryan et al., figures 2, 5 and 6.
    """
    if not rows:
        raise ValueError("no images to show")
    names = list(dict.fromkeys(name for images in rows.values() for name in images))
    by_row = {row: _cut(images, mask, 1) for row, images in rows.items()}
    cells = [
        [dict(zip(page.names, page.cells[0], strict=True)).get(name) for name in names]
        for page in by_row.values()
    ]
    pages = _Pages(names, cells, list(rows), is_volume=False)
    cell = _cell_size(pages, None, width_mm - 2 * _MARGIN_MM)
    figure = new_figure(width_mm, _block_height(pages, cell[1]))
    left = _MARGIN_MM + _ROW_NAME_MM
    look = _look(kind, limits, colormap)
    _draw_block(figure, pages, look, left=left, cell=cell, name_rows=True)
    return figure


@dataclass(frozen=True)
class _Pages:
    """Displayed images in rows and columns; ``row_names`` is empty for slices of volumes."""

    names: list[str]
    cells: list[list[np.ndarray | None]]
    row_names: list[str]
    is_volume: bool


def _cut(images: Mapping[str, np.ndarray], mask: np.ndarray | None, slices: int) -> _Pages:
    """Cut volumes into displayed slices, blank outside the mask and cropped to it."""
    if not images:
        raise ValueError("no images to show")
    arrays = {name: np.asarray(image, dtype=float) for name, image in images.items()}
    shape = next(iter(arrays.values())).shape
    inside: np.ndarray = np.ones(shape, bool) if mask is None else np.asarray(mask, bool)
    for name, array in arrays.items():
        if array.shape != inside.shape or array.ndim not in (2, 3):
            raise ValueError(
                f"image {name!r} has shape {array.shape}, expected {inside.shape} in 2-D or 3-D"
            )
    if not inside.any():
        raise ValueError("the mask is empty: nothing to show")
    if inside.ndim == 2:
        window = _window(inside)
        blank = [np.where(inside, array, np.nan)[window] for array in arrays.values()]
        return _Pages(list(arrays), [[*blank]], [], is_volume=False)
    window = _window(radiological(np.any(inside, axis=2)[..., np.newaxis], 0))
    rows: list[list[np.ndarray | None]] = [
        [
            np.where(radiological(inside, z), radiological(array, z), np.nan)[window]
            for array in arrays.values()
        ]
        for z in _heights(inside, slices)
    ]
    return _Pages(list(arrays), rows, [], is_volume=True)


def _turn(pages: _Pages) -> _Pages:
    """One row per image instead of one column."""
    column = [[image] for image in pages.cells[0]]
    return _Pages([""], column, pages.names, is_volume=False)


def _heights(inside: np.ndarray, slices: int) -> np.ndarray:
    """Slices spread evenly over the mask, from the top down, without its slivers at the ends."""
    area = inside.sum(axis=(0, 1))
    used = np.flatnonzero(area >= _LEAST_AREA * area.max())
    return used[np.round(np.linspace(len(used) - 1, 0, slices)).astype(int)]


def _window(inside: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold the mask, with a small border."""
    spans = []
    for axis in (0, 1):
        used = np.flatnonzero(inside.any(axis=1 - axis))
        spans.append(slice(max(0, used[0] - _BORDER_VOXELS), used[-1] + 1 + _BORDER_VOXELS))
    return spans[0], spans[1]


def _look(
    kind: str, limits: tuple[float, float] | None, colormap: str | None
) -> tuple[_Kind, Normalize, Colormap]:
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(_KINDS)}")
    chosen = _KINDS[kind]
    low, high = limits or chosen.limits
    return chosen, Normalize(low, high), matplotlib.colormaps[colormap or chosen.colormap]


def _cell_size(
    pages: _Pages,
    spacing_mm: Sequence[float] | None,
    width_mm: float,
    *,
    named_rows: bool = True,
) -> tuple[float, float]:
    """Width and height of one image in mm, in the scan's own proportions."""
    if pages.row_names and named_rows:
        width_mm -= _ROW_NAME_MM
    image = next(cell for cell in pages.cells[0] if cell is not None)
    across, down = 1.0, 1.0
    if spacing_mm is not None:
        # x runs across a slice of a volume; a 2-D image's second axis does.
        across, down = spacing_mm[:2] if pages.is_volume else spacing_mm[::-1]
    width = (width_mm - _COLUMN_GAP_MM * (len(pages.names) - 1)) / len(pages.names)
    return width, width * (image.shape[0] * down) / (image.shape[1] * across)


def _head(pages: _Pages, letter: str) -> float:
    """Height above the images: a line for the letter, one for the names."""
    return _HEAD_MM * (bool(letter) + any(pages.names))


def _block_height(pages: _Pages, cell_height: float, *, letter: str = "") -> float:
    rows = len(pages.cells)
    return _head(pages, letter) + rows * cell_height + (rows - 1) * _GAP_MM + _BAR_MM + _MARGIN_MM


def _draw_block(
    figure: Figure,
    pages: _Pages,
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
            if image is None:
                continue
            axes = axes_in_mm(
                figure, left + j * (cell[0] + _COLUMN_GAP_MM), top + i * (cell[1] + _GAP_MM), *cell
            )
            axes.imshow(image, cmap=colors, norm=norm, aspect="auto", interpolation="nearest")
            axes.set_axis_off()
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
            color="0.35",
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
