"""Figures as blocks of a report: the same figure always gives the same bytes."""

import tempfile
from pathlib import Path
from typing import Any

from clamlab import figures
from clamlab.report.blocks import Picture

MM_PER_INCH = 25.4


def drawn(figure: Any, caption: str, *, page: str = "") -> Picture:
    """Turn a figure into a block with its caption.

    Examples
    --------
    >>> import pandas as pd
    >>> criteria = pd.DataFrame({"n_clusters": [2, 3], "silhouette": [0.4, 0.2]})
    >>> drawn(figures.criteria_panel(criteria), "Criteria.").png[1:4]
    b'PNG'
    """
    with tempfile.TemporaryDirectory() as folder:
        [path] = figures.save_figure(figure, Path(folder) / "figure", formats=["png"])
        return Picture(caption, path.read_bytes(), figure.get_size_inches()[0] * MM_PER_INCH, page)
