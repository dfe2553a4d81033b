"""Interactive views: slices with maps, the whole cohort, the lung in 3-D, and pages to hand on."""

from .export import embed, to_html
from .slice_viewer import SliceViewer

__all__ = ["SliceViewer", "embed", "to_html"]
