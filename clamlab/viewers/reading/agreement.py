"""How well readers agree, shown on request to who has read to the end."""

import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from clamlab.stats.readers.agreement import ALL, SAME, reader_agreement
from clamlab.stats.readers.scores import scores_of
from clamlab.stats.tables.showing import show_table
from clamlab.viewers.reading.reading import Reading
from clamlab.viewers.reading.readings import Readings
from clamlab.viewers.stoppable import Stoppable

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
        self._reading, self._path, self._scores = reading, path, scores_of(scores)
        layout = {"width": "auto"}
        self.show = widgets.Button(description="How well do readers agree?", layout=layout)
        self.work, self.said, self.table = Stoppable(), widgets.HTML(), widgets.HTML()
        self.show.on_click(lambda button: self._tell())
        reading.observe(lambda change: self._wait(), ["n_read", "n_showings"])
        super().__init__([widgets.HBox([self.show, self.work, self.said]), self.table])
        self._wait()

    def _wait(self) -> None:
        self.show.disabled = self._reading.n_read < self._reading.n_showings
        if self.show.disabled:
            self.said.value, self.table.value = LATER, ""
        elif self.said.value == LATER:
            self.said.value = ""

    def _tell(self) -> None:
        if self.work.running:
            return
        self.said.value = self.table.value = ""
        found: list[pd.DataFrame] = []
        try:
            readings = pd.DataFrame(list(Readings(self._path).rows.values()))
        except (ValueError, OSError) as error:
            self._say(str(error))
            return

        def steps() -> Iterator[None]:
            for score in self._scores:
                found.append(reader_agreement(readings, {score.name: score.rule}))
                yield

        self.work.run(
            steps(),
            n_steps=len(self._scores),
            then=lambda: self._show(pd.concat(found)),
            otherwise=self._say,
        )

    def _show(self, found: pd.DataFrame) -> None:
        self.said.value = "" if len(found) else ALONE
        self.table.value = as_html(agreement_shown(found)) if len(found) else ""

    def _say(self, words: str) -> None:
        self.said.value = html.escape(words)


def agreement_shown(found: pd.DataFrame) -> pd.DataFrame:
    """Lay out what `reader_agreement` found as a person reads it, a row for each two readers.

    Examples
    --------
    >>> rows = [(f"S{i}", name, "fibrosis", grade) for i in range(40)
    ...         for name, grade in [("AB", i % 4), ("CD", i % 4 if i % 5 else 1)]]
    >>> readings = pd.DataFrame(rows, columns=["subject_id", "reader", "score", "value"])
    >>> table = agreement_shown(reader_agreement(readings, {"fibrosis": [0, 1, 2, 3]}))
    >>> table[["readers", "scans"]].values.tolist(), table.iloc[0, 4].partition("; ")[2]
    ([['AB and CD', '40']], 'kappa, quadratic weights: 0.87 (0.72 to 0.97)')
    """
    rows = []
    for _, of_two in found.groupby(["title", "kind", "reader", "other_reader"], sort=False):
        first = of_two.iloc[0]
        equal = first["percent_equal"]
        row = {
            "score": first["title"],
            "readers": _who(first),
            "scans": str(first["n_scans"]),
            "same value": "" if pd.isna(equal) else f"{equal:.0f} %",
            "agreement (95 % interval)": "; ".join(_estimate(one) for _, one in of_two.iterrows()),
            "note": "; ".join(dict.fromkeys(_notes(of_two))),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def as_html(frame: pd.DataFrame) -> str:
    """Print a table with room between its columns, which a notebook gives its own outputs alone."""
    roomy = [
        {"selector": "td, th", "props": "padding: 4px 10px; vertical-align: top; line-height: 1.4"}
    ]
    return show_table(frame).set_table_styles(roomy, overwrite=False).to_html()


def _who(row: pd.Series) -> str:
    if row["kind"] == SAME:
        return f"{row['reader']}, twice"
    return row["reader"] if row["reader"] == ALL else f"{row['reader']} and {row['other_reader']}"


def _estimate(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return f"{row['statistic']}: none"
    between = "" if pd.isna(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
    return f"{row['statistic']}: {row['estimate']:.2f}{between}"


def _notes(rows: pd.DataFrame) -> Iterator[str]:
    """Say what was left out, and each reservation once."""
    first = rows.iloc[0]
    if first["n_unreadable"]:
        yield f"{first['n_unreadable']} unreadable, left out"
    if first["n_not_read_by_all"]:
        yield f"{first['n_not_read_by_all']} not read by both, left out"
    for note in rows["note"].dropna():
        yield from filter(None, note.split("; "))
