"""Interactive views: slices with maps, the whole cohort, the lung in 3-D, and pages to hand on."""

from clamlab.viewers.cluster_averages import ClusterAverages
from clamlab.viewers.cohort_viewer import CohortViewer
from clamlab.viewers.export import embed, to_html
from clamlab.viewers.maps import study_maps
from clamlab.viewers.partition_viewer import PartitionViewer
from clamlab.viewers.review import Review
from clamlab.viewers.signed_map import SignedMap
from clamlab.viewers.slice_viewer import SliceViewer
from clamlab.viewers.table_editor import TableEditor
from clamlab.viewers.volume_view import volume_view
from clamlab.viewers.way import Way

__all__ = [
    "ClusterAverages",
    "CohortViewer",
    "PartitionViewer",
    "Review",
    "SignedMap",
    "SliceViewer",
    "TableEditor",
    "Way",
    "embed",
    "study_maps",
    "to_html",
    "volume_view",
]
