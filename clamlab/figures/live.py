"""A figure that grows while training runs."""

import time
from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

SECONDS_BETWEEN = 2.0
SHARE = 0.02  # of the time goes into drawing, also where nobody looks


class LiveFigure:
    """Watch a table grow as a figure in its notebook cell, for a fiftieth of the time.

    Parameters
    ----------
    draw : callable
        Makes the figure from the table, for instance :func:`loss_curves`.

    Examples
    --------
    >>> from clamlab.figures import loss_curves
    >>> watch = LiveFigure(loss_curves)  # hand it on as ``on_epoch``; at the end, ``watch.last``
    """

    def __init__(self, draw: Callable[[pd.DataFrame], Figure]) -> None:
        self.draw, self.handle = draw, None
        self.next = time.monotonic() + SECONDS_BETWEEN

    def __call__(self, table: pd.DataFrame) -> None:
        """Draw the table anew, unless that would take too large a share of the time."""
        if len(table) < 2 or time.monotonic() < self.next:
            return
        start = time.monotonic()
        self._show(table)
        took = time.monotonic() - start
        self.next = start + max(SECONDS_BETWEEN, took / SHARE)

    def last(self, table: pd.DataFrame) -> None:
        """Draw the whole table, once all is done."""
        self._show(table)

    def _show(self, table: pd.DataFrame) -> None:
        from IPython.display import display

        figure = self.draw(table)
        if self.handle is None:
            self.handle = display(figure, display_id=True)
        else:
            self.handle.update(figure)
