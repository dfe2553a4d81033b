"""Figures of methods held to account: evidence for clusters, maps, length of training, power."""

from clamlab.figures.validation.agreement import agreement_panel
from clamlab.figures.validation.evidence import evidence_panel
from clamlab.figures.validation.power import power_panel
from clamlab.figures.validation.steps import clam_steps
from clamlab.figures.validation.training_length import silhouette_by_training

__all__ = [
    "agreement_panel",
    "clam_steps",
    "evidence_panel",
    "power_panel",
    "silhouette_by_training",
]
