"""A reading without knowing, from the reader's name to how well readers agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
from numpy.typing import NDArray

from clamlab.stats.readers.to_read import reading_progress
from clamlab.viewers.reading.agreement import Agreement
from clamlab.viewers.reading.desk import Desk
from clamlab.viewers.reading.reading import Reading
from clamlab.viewers.reading.readings import Readings


class ReadingDesk(Desk):
    """Read scans without knowing whose they are, and see at the end how well readers agree.

    Whoever types a name, or gives one as ``reader``, gets the `Reading` that is theirs. Agreement
    is shown on request, and to nobody before the last scan is read.

    Parameters
    ----------
    volumes : array (n, *grid)
    subject_ids : sequence of str
    scores : mapping
        What is scored (see `stats.readers.scores_to_read`).
    path : path
        The CSV file of readings, which all readers share.
    reader : str
        Who reads; empty to ask.
    **options
        As for `Reading`: affine, mask, seed, repeated.

    Attributes
    ----------
    work : Widget or None
        What is open: the reading, with the agreement below.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "readings.csv"
    >>> scans, grades = np.full((2, 8, 8), -800), {"fibrosis": [0, 1, 2, 3]}
    >>> desk = ReadingDesk(scans, ["S1", "S2"], grades, path=path, repeated=0)
    >>> desk.name.value = "AB"
    >>> reading, agreement = desk.work.children
    >>> reading.score("fibrosis", 2)
    >>> reading.n_read, agreement.show.disabled
    (1, True)
    """

    def __init__(
        self,
        volumes: NDArray,
        subject_ids: Sequence[str],
        scores: Mapping[str, Any],
        *,
        path: str | Path,
        reader: str = "",
        **options: Any,
    ) -> None:
        ids, file = [str(name) for name in subject_ids], Path(path)

        def open_for(name: str) -> widgets.Widget:
            reading = Reading(volumes, ids, scores, reader=name, path=file, **options)
            return widgets.VBox([reading, Agreement(reading, file, scores)])

        def known() -> dict[str, str]:
            rows = pd.DataFrame(list(Readings(file).rows.values()))
            progress = reading_progress(rows, scores, subject_ids=ids)
            return {row.reader: _so_far(row) for row in progress.itertuples()}

        super().__init__(open_for, known=known, file=file, reader=reader)


def _so_far(row: Any) -> str:
    if row.n_read == row.n_scans:
        return f"all {row.n_scans} scans read"
    return f"{row.n_read} of {row.n_scans} scans read"
