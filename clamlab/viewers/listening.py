"""Whether Python and a person hear each other."""

from collections.abc import Callable

import anywidget

from clamlab.viewers.assets import read_together


class Listening(anywidget.AnyWidget):
    """Say under plain controls that Python does not hear them; tell it when somebody looks.

    A notebook that was only opened shows its widgets, and nobody listens to them.

    Parameters
    ----------
    opened : callable, optional
        Called once, when a browser shows it: a run without a person need not work out what to
        show.

    Examples
    --------
    >>> looked = []
    >>> listening = Listening(lambda: looked.append(True))
    >>> listening.tell(), listening.tell(), looked
    (None, None, [True])
    """

    _esm = read_together("drawing.js", "listening.js")
    _css = read_together("listening.css")

    def __init__(self, opened: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._opened = opened
        self.on_msg(lambda *_: self._hear())

    def _hear(self) -> None:
        self.send({"heard": True})
        self.tell()

    def tell(self) -> None:
        """Do once what is to be done when somebody looks."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened()
