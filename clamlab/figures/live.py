"""A figure that grows while training runs."""

import time
from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

SECONDS_BETWEEN = 2.0


class LiveFigure:
    """Redraws a figure in its notebook cell as a table grows, every two seconds at most.

    Parameters
    ----------
    draw : callable
        Makes the figure from the table, for instance :func:`loss_curves`.

    Examples
    --------
    >>> from clamlab.figures import loss_curves
    >>> watch = LiveFigure(loss_curves)  # hand it on as ``on_epoch``
    """

    def __init__(self, draw: Callable[[pd.DataFrame], Figure]) -> None:
        self.draw, self.handle, self.drawn = draw, None, 0.0

    def __call__(self, table: pd.DataFrame) -> None:
        """Draw the table anew, unless it was drawn a moment ago."""
        from IPython.display import display

        if len(table) < 2 or time.monotonic() - self.drawn < SECONDS_BETWEEN:
            return
        figure = self.draw(table)
        if self.handle is None:
            self.handle = display(figure, display_id=True)
        else:
            self.handle.update(figure)
        self.drawn = time.monotonic()
