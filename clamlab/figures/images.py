"""Scans and maps side by side: patient's right on the left, front at the top."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from clamlab.figures.blocks import (
    MARGIN_MM,
    ROW_NAME_MM,
    block_height,
    cell_size,
    draw_block,
    look_of,
)
from clamlab.figures.slices import Pages, cut, turn
from clamlab.figures.style import DOUBLE_COLUMN_MM, SINGLE_COLUMN_MM, new_figure


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
    kind : {"hu", "difference", "importance", "evidence", "t"}
        Decides colours, limits and the colour bar's label.
    slices : int
        Slices shown, spread evenly over the mask's height.
    spacing_mm : sequence of float, optional
        Voxel size along each axis; cubes by default.
    limits : (float, float), optional
        Values at both ends of the colour bar; -1000 to 0 HU, or 0 to 1.
    colormap : str, optional
        Name of a matplotlib colour map; by default viridis or inferno, and grey for a scan
        shown whole.
    width_mm : float
        Width of the figure, 90 for one column of a journal and 180 for two.

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

    Examples
    --------
    >>> scan = np.random.default_rng(0).normal(-850, 60, (12, 10, 20))
    >>> figure = montage({"Overall": scan, "Cluster 1": scan}, slices=4)
    >>> len(figure.axes)  # two by four pictures and a colour bar
    9
    """
    pages = cut(volumes_by_name, mask, slices)
    if kind == "hu" and mask is None:
        colormap = colormap or "gray"  # bones and vessels, as radiologists know them
    look = look_of(kind, limits, colormap)
    cell = cell_size(pages, spacing_mm, width_mm - 2 * MARGIN_MM)
    figure = new_figure(width_mm, block_height(pages, cell[1]))
    draw_block(figure, pages, look, left=MARGIN_MM, cell=cell)
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

    Examples
    --------
    >>> scan = np.full((12, 10, 20), -850.0)
    >>> figure = average_panel({"Overall": scan}, {"Overall": scan * 0}, slices=3)
    >>> len(figure.axes)  # per half: three pictures, a colour bar and its letter
    10
    """
    both = [cut(scans, mask, slices), cut(maps, mask, slices)]
    if np.ndim(next(iter(scans.values()))) == 2:
        both = [turn(pages) for pages in both]
        width_mm = min(width_mm, SINGLE_COLUMN_MM)
    gap = 3 * MARGIN_MM
    half = (width_mm - 2 * MARGIN_MM - gap) / 2
    if both[0].row_names:
        half -= ROW_NAME_MM / 2
    cell = cell_size(both[0], spacing_mm, half, named_rows=False)
    figure = new_figure(width_mm, block_height(both[0], cell[1], letter="a"))
    left = MARGIN_MM
    for letter, pages, look in zip(
        "ab",
        both,
        (look_of("hu", hu_limits, None), look_of("importance", None, None)),
        strict=True,
    ):
        indent = ROW_NAME_MM if letter == "a" and pages.row_names else 0.0
        draw_block(
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

    Examples
    --------
    >>> image = np.ones((8, 8))
    >>> figure = image_grid({"Location": {"Cluster 1": image, "Cluster 2": image}})
    >>> figure.axes[1].get_title()
    'Cluster 2'
    """
    if not rows:
        raise ValueError("no images to show")
    names = list(dict.fromkeys(name for images in rows.values() for name in images))
    by_row = {row: cut(images, mask, 1) for row, images in rows.items()}
    cells = [
        [dict(zip(page.names, page.cells[0], strict=True)).get(name) for name in names]
        for page in by_row.values()
    ]
    pages = Pages(names, cells, list(rows), is_volume=False)
    cell = cell_size(pages, None, width_mm - 2 * MARGIN_MM)
    figure = new_figure(width_mm, block_height(pages, cell[1]))
    left = MARGIN_MM + ROW_NAME_MM
    look = look_of(kind, limits, colormap)
    draw_block(figure, pages, look, left=left, cell=cell, name_rows=True)
    return figure
