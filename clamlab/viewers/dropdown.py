"""A list to choose from, as all viewers lay it out."""

from collections.abc import Sequence

import ipywidgets as widgets


def dropdown(name: str, options: Sequence) -> widgets.Dropdown:
    """Offer options under a name, as wide as they are and no wider than a column.

    Examples
    --------
    >>> dropdown("Map", ["CLAM", "Contrast"]).value
    'CLAM'
    """
    layout = widgets.Layout(width="auto", max_width="260px")
    style = {"description_width": "auto"}
    return widgets.Dropdown(options=options, description=name, layout=layout, style=style)
