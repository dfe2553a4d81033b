"""Figures of the simulation study: how maps come about, length of training, power."""

from clamlab.figures.validation.power import power_panel
from clamlab.figures.validation.steps import clam_steps
from clamlab.figures.validation.training_length import silhouette_by_training

__all__ = ["clam_steps", "power_panel", "silhouette_by_training"]
