"""From a folder of DICOM or NIfTI scans to equal, oriented, registered volumes in HU.

A scan goes through the rooms in this order: ``matching`` (whose it is), ``reading`` (one upright
volume in HU), ``lungs`` (right and left), ``alignment`` (onto the study's grid); ``cohort`` takes
all subjects along that way.
"""

from clamlab.ingest.alignment.following import follow
from clamlab.ingest.alignment.registration import register
from clamlab.ingest.alignment.template import build_template
from clamlab.ingest.cohort.pipeline import ingest_cohort, stack
from clamlab.ingest.cohort.planning import ingest_forecast
from clamlab.ingest.errors import IngestError
from clamlab.ingest.lungs.quality import lung_qc
from clamlab.ingest.lungs.segmentation import segment_lungs
from clamlab.ingest.matching.match import match_scans
from clamlab.ingest.reading.read import read_scan

__all__ = [
    "IngestError",
    "build_template",
    "follow",
    "ingest_cohort",
    "ingest_forecast",
    "lung_qc",
    "match_scans",
    "read_scan",
    "register",
    "segment_lungs",
    "stack",
]
