"""One picture per subject, for a radiologist to accept or refuse."""

from pathlib import Path

import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from clamlab.atomic import whole_file
from clamlab.ingest.alignment.transforms import LEFT, RIGHT
from clamlab.ingest.cohort.files import writing

WINDOW = (-1200.0, 300.0)
COLOURS = {RIGHT: "#ff5c5c", LEFT: "#4fc3f7"}
TEMPLATE_COLOUR = "#ffd54f"
AROUND_MM = 35.0
HEIGHTS = (0.75, 0.5, 0.25)  # axial slices, as shares of the lungs' height


def draw_subject(
    path: Path,
    title: str,
    own: tuple[NDArray, NDArray, NDArray],
    registered: tuple[NDArray, NDArray, NDArray, NDArray] | None = None,
) -> None:
    """Draw the scan with its lungs outlined, the registered scan with the template's, the HU.

    Parameters
    ----------
    path : Path
        The PNG to write.
    title : str
    own : (volume, labels, affine)
        The subject's scan.
    registered : (volume, labels, template labels, affine) or None
        The scan on the template's grid.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 6.2 if registered else 3.3), facecolor="black")
    FigureCanvasAgg(figure)
    rows = figure.subplots(2 if registered else 1, 6, squeeze=False)
    volume, labels, affine = _crop(*own)
    _row(rows[0], volume, affine, labels > 0, [(labels == s, c) for s, c in COLOURS.items()])
    _histogram(rows[0][5], volume[labels > 0], "HU in the scan's own lungs")
    if registered:
        volume, labels, template, affine = registered
        outlines = [(template > 0, TEMPLATE_COLOUR)]
        outlines += [(labels == side, colour) for side, colour in COLOURS.items()]
        _row(rows[1], volume, affine, template > 0, outlines)
        _histogram(rows[1][5], volume[template > 0], "HU in the template's lungs")
    # An id is no formula, whatever dollar signs it holds.
    figure.suptitle(title, color="white", fontsize=11, parse_math=False)
    figure.subplots_adjust(0.005, 0.07, 0.985, 0.88, wspace=0.03, hspace=0.2)
    with writing(path.parent), whole_file(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png", facecolor="black")


def _crop(volume: NDArray, labels: NDArray, affine: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Look at the lungs with some body around them, not at the room."""
    if not labels.any():
        return volume, labels, affine
    margin = np.ceil(AROUND_MM / voxel_sizes(affine)).astype(int)
    corners = np.argwhere(labels)
    low = np.maximum(corners.min(axis=0) - margin, 0)
    high = corners.max(axis=0) + margin + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return volume[box], labels[box], affine


def _row(axes, volume: NDArray, affine: NDArray, lungs: NDArray, outlines: list) -> None:
    """Three axial, one coronal and one sagittal plane, the patient's right on the left."""
    sizes = voxel_sizes(affine)
    inside = lungs if lungs.any() else np.ones(lungs.shape, bool)
    z = np.flatnonzero(inside.any(axis=(0, 1)))
    y = np.flatnonzero(inside.any(axis=(0, 2)))
    x = np.flatnonzero(inside.any(axis=(1, 2)))
    planes = [("axial", 2, z[0] + int(share * (z[-1] - z[0]))) for share in HEIGHTS]
    planes += [
        ("coronal", 1, (y[0] + y[-1]) // 2),
        ("sagittal, right", 0, x[0] + 3 * np.ptp(x) // 4),
    ]
    for axis, (name, normal, index) in zip(axes, planes, strict=False):
        across, down = [side for side in range(3) if side != normal]
        axis.imshow(
            _plane(volume, normal, index),
            cmap="gray",
            vmin=WINDOW[0],
            vmax=WINDOW[1],
            aspect=sizes[down] / sizes[across],
        )
        for mask, colour in outlines:
            plane = _plane(mask, normal, index)
            if plane.any():
                axis.contour(plane, [0.5], colors=colour, linewidths=0.8)
        axis.set_title(name, color="#bbbbbb", fontsize=8, pad=2, y=1.0)
        side = "A" if normal == 0 else "R"
        axis.text(0.02, 0.5, side, color="white", fontsize=9, transform=axis.transAxes)
        axis.axis("off")


def _plane(volume: NDArray, normal: int, index: int) -> NDArray:
    """Cut a plane as a radiologist looks at it: right on the left, front and head up."""
    return np.take(volume, int(index), axis=normal)[::-1, ::-1].T


def _histogram(axis, values: NDArray, name: str) -> None:
    axis.set_facecolor("black")
    if values.size:
        axis.hist(values, bins=np.arange(-1050, 151, 25), color="#9ccc65")
        axis.axvline(values.mean(), color="white", linewidth=0.8)
        name = f"{name}, mean {values.mean():.0f}"
    axis.set_title(name, color="#bbbbbb", fontsize=8, pad=2, y=1.0)
    axis.tick_params(colors="#bbbbbb", labelsize=7)
    axis.set_yticks([])
