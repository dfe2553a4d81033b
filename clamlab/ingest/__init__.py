"""From a folder of DICOM or NIfTI scans to equal, oriented, registered volumes in HU."""

from clamlab.ingest.errors import IngestError
from clamlab.ingest.following import follow, read_transform
from clamlab.ingest.matching import Matching, match_scans
from clamlab.ingest.pipeline import ingest_cohort, stack
from clamlab.ingest.planning import ingest_forecast
from clamlab.ingest.quality import lung_qc
from clamlab.ingest.reading import Scan, read_scan
from clamlab.ingest.registration import register
from clamlab.ingest.segmentation import segment_lungs
from clamlab.ingest.template import build_template, template_grid
from clamlab.ingest.transforms import Transform, dice, warp_image, warp_labels

__all__ = [
    "IngestError",
    "Matching",
    "Scan",
    "Transform",
    "build_template",
    "dice",
    "follow",
    "ingest_cohort",
    "ingest_forecast",
    "lung_qc",
    "match_scans",
    "read_scan",
    "read_transform",
    "register",
    "segment_lungs",
    "stack",
    "template_grid",
    "warp_image",
    "warp_labels",
]
