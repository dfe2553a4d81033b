"""Figures for papers: radiological convention, journal widths, colours every reader can tell.

Every function returns a matplotlib figure and touches no global state; :func:`save_figure`
writes it as PDF, SVG and PNG, the same bytes for the same input.
"""

from clamlab.figures.curves import criteria_panel, loss_curves
from clamlab.figures.examples import example_scans
from clamlab.figures.explanation import explanation_panel
from clamlab.figures.images import average_panel, image_grid, montage
from clamlab.figures.live import LiveFigure
from clamlab.figures.outcomes import forest_plot, outcome_panel
from clamlab.figures.power import power_panel
from clamlab.figures.scatter import latent_scatter
from clamlab.figures.slices import radiological
from clamlab.figures.steps import clam_steps
from clamlab.figures.style import (
    DOUBLE_COLUMN_MM,
    SINGLE_COLUMN_MM,
    cluster_colors,
    save_figure,
)
from clamlab.figures.training_length import silhouette_by_training

__all__ = [
    "DOUBLE_COLUMN_MM",
    "SINGLE_COLUMN_MM",
    "LiveFigure",
    "average_panel",
    "clam_steps",
    "cluster_colors",
    "criteria_panel",
    "example_scans",
    "explanation_panel",
    "forest_plot",
    "image_grid",
    "latent_scatter",
    "loss_curves",
    "montage",
    "outcome_panel",
    "power_panel",
    "radiological",
    "save_figure",
    "silhouette_by_training",
]
