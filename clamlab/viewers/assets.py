"""The browser's side of the viewers: plain files beside the Python, joined and not built."""

from pathlib import Path

SLICE_VIEWER = (
    "drawing.js",
    "slices/planes.js",
    "slices/overlays.js",
    "slices/slabs.js",
    "slices/measures.js",
    "slices/measuring.js",
    "slices/slice_actions.js",
    "slices/slice_page.js",
    "snapshot.js",
    "slices/slice_viewer.js",
)
SCATTER = (
    "drawing.js",
    "points/marks.js",
    "points/stamps.js",
    "points/lasso.js",
    "points/point_grid.js",
    "points/scatter_legend.js",
    "points/scatter_bar.js",
    "points/latent_scatter.js",
)
COHORT_PAGE = (
    *SLICE_VIEWER,
    *(name for name in SCATTER if name not in SLICE_VIEWER),
    "pages/page_model.js",
    "pages/page_differences.js",
    "pages/page_together.js",
    "pages/page_averages.js",
    "pages/page_numbers.js",
    "pages/page_points.js",
    "pages/cohort_page.js",
)
FILTERS = ("drawing.js", "points/filter_rules.js", "points/filter_rows.js", "points/filters.js")


def read_together(*names: str) -> str:
    """Join files of this folder and its rooms, in the order they need one another."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
