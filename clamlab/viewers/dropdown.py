"""A list to choose from, as all viewers lay it out."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import traitlets


class Choice(widgets.Dropdown):
    """A drop-down in which None is a choice like any other, and not an empty field.

    What is chosen stays chosen where the same options get other labels.

    Examples
    --------
    >>> choice = Choice(options=[("no other", None), ("S01", 0)], value=0)
    >>> choice.value = None
    >>> choice.index, choice.label
    (0, 'no other')
    >>> choice.value = 0
    >>> choice.options = [("nothing", None), ("Scan 1", 0)]
    >>> choice.value, choice.label
    (0, 'Scan 1')
    """

    @traitlets.observe("options")
    def _propagate_options(self, change: Any) -> None:
        labels = [label for label, _ in self._options_full]
        known = getattr(self, "_options_values", None)
        if known and known == tuple(value for _, value in self._options_full):
            self.set_trait("_options_labels", tuple(labels))
            self.label = None if self.index is None else labels[self.index]
        else:
            super()._propagate_options(change)

    @traitlets.observe("value")
    def _propagate_value(self, change: Any) -> None:
        if change.new is None and None in self._options_values:
            self.index = self._options_values.index(None)
        else:
            super()._propagate_value(change)


def dropdown(name: str, options: Sequence, *, width: str = "auto") -> Choice:
    """Offer options under a name, as wide as they are and no wider than a column.

    Examples
    --------
    >>> dropdown("Map", ["CLAM", "Contrast"]).value
    'CLAM'
    """
    layout = widgets.Layout(width=width, max_width="260px")
    style = {"description_width": "auto"}
    first = 0 if options else None
    return Choice(options=options, index=first, description=name, layout=layout, style=style)
