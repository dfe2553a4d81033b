"""The browser's side of the viewers: plain files beside the Python, joined and not built."""

from pathlib import Path

SLICE_VIEWER = (
    "drawing.js",
    "planes.js",
    "overlays.js",
    "slabs.js",
    "measures.js",
    "measuring.js",
    "slice_actions.js",
    "slice_page.js",
    "snapshot.js",
    "slice_viewer.js",
)
SCATTER = (
    "drawing.js",
    "marks.js",
    "stamps.js",
    "lasso.js",
    "point_grid.js",
    "scatter_legend.js",
    "scatter_bar.js",
    "latent_scatter.js",
)
FILTERS = ("drawing.js", "filter_rules.js", "filter_rows.js", "filters.js")


def read_together(*names: str) -> str:
    """Join files of this folder, in the order they need one another."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
