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
from clamlab.figures.scatter import latent_scatter
from clamlab.figures.style import (
    save_figure,
)

__all__ = [
    "LiveFigure",
    "average_panel",
    "criteria_panel",
    "example_scans",
    "explanation_panel",
    "forest_plot",
    "image_grid",
    "latent_scatter",
    "loss_curves",
    "montage",
    "outcome_panel",
    "save_figure",
]
