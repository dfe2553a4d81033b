"""Interactive views: slices with maps, the whole cohort, the lung in 3-D, and pages to hand on."""

from clamlab.viewers.clusters.cluster_averages import ClusterAverages
from clamlab.viewers.clusters.partition_viewer import PartitionViewer
from clamlab.viewers.clusters.way import Way
from clamlab.viewers.cohort.cohort_viewer import CohortViewer
from clamlab.viewers.cohort.maps import study_maps
from clamlab.viewers.deciding.review import Review
from clamlab.viewers.deciding.table_editor import TableEditor
from clamlab.viewers.one_thread import hear_in_order
from clamlab.viewers.pages.export import embed, to_html
from clamlab.viewers.slices.signed_map import SignedMap
from clamlab.viewers.slices.slice_viewer import SliceViewer
from clamlab.viewers.volume_view import volume_view

hear_in_order()

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
