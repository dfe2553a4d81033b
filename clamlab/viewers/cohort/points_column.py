"""The column of a cohort viewer that holds the points, and what moves them."""

from html import escape

import ipywidgets as widgets

from clamlab.viewers.clusters.number_slider import NumberSlider
from clamlab.viewers.cohort.choices import CohortChoices
from clamlab.viewers.points.latent_scatter import LatentScatter


def points_column(
    choose: CohortChoices, scatter: LatentScatter, numbers: NumberSlider | str
) -> widgets.VBox:
    """Put colours, the numbers of clusters or why there are none, points and doubtful scans."""
    layout = widgets.Layout(width="34%", min_width="300px", padding="0 10px 0 0")
    if isinstance(numbers, str):
        said = f'<div role="status">{escape(numbers)}</div>'
        shown = [widgets.HTML(said)] if numbers else []
    else:
        shown = [numbers]
    colors = widgets.HBox([choose.color, choose.projection])
    return widgets.VBox(
        [colors, *shown, scatter, choose.least_certain, choose.borderline], layout=layout
    )
