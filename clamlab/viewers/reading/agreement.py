"""How well readers agree, shown on request to who has read to the end."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from clamlab.stats.readers.agreement import reader_agreement
from clamlab.stats.tables.showing import show_table
from clamlab.viewers.reading.reading import Reading
from clamlab.viewers.reading.readings import Readings

LATER = "How well readers agree is shown once your last scan is read."
ALONE = (
    "Nothing to compare yet: that takes a second reader, or scans that come twice (as one in ten "
    "does, unless a reading was begun without)."
)


class Agreement(widgets.VBox):
    """Weighted kappa and ICC of all who read, behind a button that waits for the last scan.

    Parameters
    ----------
    reading : Reading
        Whose end is waited for.
    path : path
        The CSV file of readings.
    scores : mapping

    Attributes
    ----------
    show : ipywidgets.Button
    said, table : ipywidgets.HTML
    """

    def __init__(self, reading: Reading, path: Path, scores: Mapping[str, Any]) -> None:
        self._reading, self._path, self._scores = reading, path, scores
        layout = {"width": "auto"}
        self.show = widgets.Button(description="How well do readers agree?", layout=layout)
        self.said, self.table = widgets.HTML(), widgets.HTML()
        self.show.on_click(lambda button: self._tell())
        reading.observe(lambda change: self._wait(), ["n_read", "n_showings"])
        super().__init__([widgets.HBox([self.show, self.said]), self.table])
        self._wait()

    def _wait(self) -> None:
        self.show.disabled = self._reading.n_read < self._reading.n_showings
        if self.show.disabled:
            self.said.value, self.table.value = LATER, ""
        elif self.said.value == LATER:
            self.said.value = ""

    def _tell(self) -> None:
        try:
            readings = pd.DataFrame(list(Readings(self._path).rows.values()))
            found = reader_agreement(readings, self._scores)
        except (ValueError, OSError) as error:
            self.said.value = html.escape(str(error))
            return
        self.said.value = "" if len(found) else ALONE
        self.table.value = show_table(agreement_shown(found)).to_html() if len(found) else ""


def agreement_shown(found: pd.DataFrame) -> pd.DataFrame:
    """Lay out what `reader_agreement` found as a person reads it.

    Examples
    --------
    >>> rows = [(f"S{i}", name, "fibrosis", grade) for i in range(40)
    ...         for name, grade in [("AB", i % 4), ("CD", i % 4 if i % 5 else 1)]]
    >>> readings = pd.DataFrame(rows, columns=["subject_id", "reader", "score", "value"])
    >>> table = agreement_shown(reader_agreement(readings, {"fibrosis": [0, 1, 2, 3]}))
    >>> table.iloc[1, :6].tolist()
    ['Fibrosis', 'AB and CD', '40', '85', 'kappa, quadratic weights', '0.87 (0.72 to 0.97)']
    """
    rows = []
    for row in found.itertuples():
        both = f"{row.reader} and {row.other_reader}" if row.reader != row.other_reader else ""
        twice = row.reader if row.kind != "same reader" else f"{row.reader}, read twice"
        left = [(row.n_unreadable, "unreadable"), (row.n_not_read_by_all, "not read by all")]
        notes = [f"{n} {what}, left out" for n, what in left if n]
        rows.append(
            {
                "score": row.title,
                "readers": both or twice,
                "scans": str(row.n_scans),
                "same value, %": "" if pd.isna(row.percent_equal) else f"{row.percent_equal:.0f}",
                "measure": row.statistic,
                "estimate (95 % interval)": _interval(row),
                "note": "; ".join([*notes, *([row.note] if isinstance(row.note, str) else [])]),
            }
        )
    return pd.DataFrame(rows)


def _interval(row: Any) -> str:
    if pd.isna(row.estimate):
        return ""
    between = "" if pd.isna(row.low) else f" ({row.low:.2f} to {row.high:.2f})"
    return f"{row.estimate:.2f}{between}"
