"""Rooms of a viewer that a reader opens when they are wanted, by mouse or keys."""

from collections.abc import Mapping

import anywidget
import ipywidgets as widgets
import traitlets

from clamlab.viewers.assets import read_together


class Door(anywidget.AnyWidget):
    """A button that opens and closes the widget that stands below it in a box.

    Examples
    --------
    >>> Door(words="Filters").value
    False
    """

    _esm = read_together("drawing.js", "cohort/rooms.js")
    _css = read_together("cohort/rooms.css")

    words = traitlets.Unicode().tag(sync=True)
    value = traitlets.Bool(False).tag(sync=True)


class Rooms(widgets.VBox):
    """Lay widgets out below buttons that open and close them; all are closed at first.

    In place of ipywidgets' accordion, whose headings no key reaches.

    Parameters
    ----------
    rooms : mapping of str to Widget
        By what stands on the button.

    Attributes
    ----------
    doors : list of Door
        Their ``value`` tells, and sets, which rooms are open.

    Examples
    --------
    >>> rooms = Rooms({"Filters": widgets.Label("all are shown")})
    >>> [type(part).__name__ for part in rooms.children]
    ['Door', 'Label']
    """

    def __init__(self, rooms: Mapping[str, widgets.Widget]) -> None:
        self.doors = [Door(words=words) for words in rooms]
        pairs = zip(self.doors, rooms.values(), strict=True)
        super().__init__([part for pair in pairs for part in pair], layout={"width": "auto"})
