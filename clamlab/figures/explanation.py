"""Why scans are in their clusters: scan, counterfactual, difference and maps side by side."""

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
from clamlab.figures.slices import Pages, cut, radiological
from clamlab.figures.style import DOUBLE_COLUMN_MM, new_figure

_GAP_MM = 3.0
_STRONGEST = 99.5  # per cent: where the colours of the evidence end

# A scan, the scan as a rival would have it, its activation map and its contrast map.
Explained = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def explanation_panel(
    rows: Mapping[str, Explained],
    *,
    mask: np.ndarray,
    spacing_mm: Sequence[float] | None = None,
    width_mm: float = DOUBLE_COLUMN_MM,
) -> Figure:
    """Show what a scan is, what a rival cluster would have it be, and what the maps say of it.

    Parameters
    ----------
    rows : mapping of str to four arrays, each of shape (x, y, z) or (rows, columns)
        For each row of the figure: the scan, HU; the same as a rival cluster would have it, HU
        (``contrast.counterfactual``); its cluster activation map, 0 to 1; its contrast map against
        that rival, 1 where evidence is spread evenly.
    mask : array of bool, same shape
        The lung. Of volumes the slice is shown that holds most evidence.
    spacing_mm, width_mm
        As in :func:`montage`.

    Returns
    -------
    Figure
        Columns: scan, scan as the rival would have it, their difference in HU (red is denser than
        the rival would be), activation map, contrast map.

    Raises
    ------
    ValueError
        If there is nothing to show or a shape is not the mask's.

    Examples
    --------
    >>> scan, even = np.full((8, 8, 4), -800.0), np.ones((8, 8, 4))
    >>> figure = explanation_panel({"A": (scan, scan, even, even)}, mask=even > 0)
    >>> len(figure.axes)  # five pictures and five colour bars
    10
    """
    inside = [np.asarray(evidence)[mask] for *_, evidence in rows.values()]
    strongest = max(float(np.percentile(inside, _STRONGEST)), 1.0) if inside else 1.0
    shown = {
        name: [scan, other, np.subtract(scan, other, dtype=float), importance, evidence]
        for name, (scan, other, importance, evidence) in rows.items()
    }
    looks = [
        ("Scan", look_of("hu", None, None)),
        ("As the rival", look_of("hu", None, None)),
        ("Scan less rival", look_of("difference", None, None)),
        ("Activation (CLAM)", look_of("importance", None, None)),
        ("Contrast", look_of("evidence", (0, strongest), None)),
    ]
    pages = [
        _column(title, {name: (images[j], images[-1]) for name, images in shown.items()}, mask)
        for j, (title, _) in enumerate(looks)
    ]
    width = width_mm - 2 * MARGIN_MM - ROW_NAME_MM - _GAP_MM * (len(pages) - 1)
    cell = cell_size(pages[0], spacing_mm, width / len(pages), named_rows=False)
    figure = new_figure(width_mm, block_height(pages[0], cell[1]))
    for j, (page, (_, look)) in enumerate(zip(pages, looks, strict=True)):
        left = MARGIN_MM + ROW_NAME_MM + j * (cell[0] + _GAP_MM)
        draw_block(figure, page, look, left=left, cell=cell, name_rows=j == 0)
    return figure


def _column(
    title: str, images: Mapping[str, tuple[np.ndarray, np.ndarray]], mask: np.ndarray
) -> Pages:
    """Cut each image where its evidence is strongest."""
    whole = mask if mask.ndim == 2 else radiological(np.any(mask, axis=2, keepdims=True), 0)
    cells = []
    for name, (image, evidence) in images.items():
        shown, lung = np.asarray(image, float), mask
        if mask.ndim == 3:
            z = int(np.where(mask, evidence, 0).sum(axis=(0, 1)).argmax())
            shown, lung = radiological(shown, z), radiological(mask, z)
        # Cropped to the whole lung, so that all rows have one size.
        cells.append(cut({name: np.where(lung, shown, np.nan)}, whole, 1).cells[0])
    if not cells:
        raise ValueError("no scans to explain")
    return Pages([title], cells, list(images), is_volume=mask.ndim == 3)
