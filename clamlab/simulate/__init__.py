"""Synthetic cohorts whose clusters, lesions and clinical effects are known."""

from clamlab.simulate.clinical import clinical_table, paper_table_two
from clamlab.simulate.dicom import write_dicom
from clamlab.simulate.features import cluster_features
from clamlab.simulate.lesions import PATTERNS
from clamlab.simulate.lungs import lung_cohort
from clamlab.simulate.outcomes import OUTCOMES
from clamlab.simulate.slices import SCENARIOS, SITES, lung_slices
from clamlab.simulate.writing import write_cohort

__all__ = [
    "OUTCOMES",
    "PATTERNS",
    "SCENARIOS",
    "SITES",
    "clinical_table",
    "cluster_features",
    "lung_cohort",
    "lung_slices",
    "paper_table_two",
    "write_cohort",
    "write_dicom",
]
