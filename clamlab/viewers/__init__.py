"""Interactive views: slices with maps, the whole cohort, the lung in 3-D, and pages to hand on."""

from .cohort_viewer import CohortViewer
from .export import embed, to_html
from .maps import layer_maps, study_maps
from .slice_viewer import SliceViewer
from .volume_view import volume_view

__all__ = [
    "CohortViewer",
    "SliceViewer",
    "embed",
    "layer_maps",
    "study_maps",
    "to_html",
    "volume_view",
]
