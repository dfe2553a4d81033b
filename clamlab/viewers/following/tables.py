"""Table 2 that follows: without the unsure scans, with other characteristics."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clamlab.atomic import whole_file
from clamlab.cells import write_csv
from clamlab.stats import tables
from clamlab.stats.variables import TABLE_ROLES, select_variables
from clamlab.viewers.following.boxes import Boxes
from clamlab.viewers.following.explorer import Explorer
from clamlab.viewers.following.marks import EXPLORATORY, as_exploratory, without_roles

COLUMNS = {"paper": ("p",), "recommended": ("missing", "p", "smd", "test")}
P_HEADING = "P (not confirmatory)"
STEM = "table_one_exploratory"


class TableExplorer(Explorer):
    """Ask what Table 2 would say without the unsure scans, or with other characteristics.

    Move the least confidence, tick characteristics: the table follows. At the planned setting (all
    scans, all characteristics) it is the planned table; any other is marked as exploratory, on the
    screen and in what is kept.

    Parameters
    ----------
    table : DataFrame
        One row per scan: the clinical columns, ``cluster`` and ``confidence``. Without confidence
        the cut is shut and says so; a scan of unknown confidence goes with any cut.
    contract : dict
        The table's contract.
    seed : int
        Of the Monte Carlo tests, as for `stats.tables.table_one`.
    preset : {"recommended", "paper"}
        As for `stats.tables.table_one`.
    folder : path, optional
        Where "Keep this one" makes a folder for each: table (CSV, HTML, Word) and settings
        (JSON), named by the day and a person's words. It writes nowhere else and over nothing.
    key : str, optional
        Name of this explorer: the earlier one of the same name is closed, and a cell that runs
        again shows the setting it showed before.

    Attributes
    ----------
    confidence : ipywidgets.FloatSlider
    characteristics : Boxes
        Its ``chosen`` are the columns ticked; it can be set.
    tidy : DataFrame
        What `stats.tables.table_one` says at the present setting.
    looked_at : int
        Settings that were shown in this session beside the planned one.

    Notes
    -----
    A p-value that was looked for is not what it says: of twenty independent looks at nothing one
    gives p < .05, and a cut at the confidence takes away just the scans between the clusters, which
    makes them differ more. No correction holds for looks that nobody planned, so p is shown, is
    called *not confirmatory*, stands beside the number of looks, and has no Holm or
    Benjamini-Hochberg column, which would look like a plan. The count is of different settings
    that were shown in this session of the kernel; with a `key` it goes on when the cell runs
    again.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [40, 50, 60, 45, 70.0], "cluster": [0, 0, 1, 1, 1],
    ...                       "confidence": [0.9, 0.8, 0.95, 0.55, 0.9]})
    >>> contract = {"properties": {"age": {"title": "Age", "x-role": "demographic"}}}
    >>> explorer = TableExplorer(table, contract)
    >>> explorer.confidence.value = 0.6
    >>> tidy = explorer.tidy
    >>> tidy[tidy["part"] == "size"]["n"].tolist(), explorer.looked_at
    ([4, 2, 2], 1)
    """

    what, where = "table", "it is the table that the notebook has written"

    def __init__(
        self,
        table: pd.DataFrame,
        contract: dict,
        *,
        seed: int = 1,
        preset: str = "recommended",
        folder: str | Path | None = None,
        key: str | None = None,
    ) -> None:
        self._seed, self._preset = seed, preset
        known, _ = select_variables(table, contract, TABLE_ROLES)
        titles = {variable.name: variable.title for variable in known}
        self.characteristics = Boxes(
            "Characteristics", titles, ticked=list(titles), spoken="characteristics"
        )
        self._tidy = pd.DataFrame()
        super().__init__(table, contract, boxes=[self.characteristics], folder=folder, key=key)

    @property
    def tidy(self) -> pd.DataFrame:
        """The table's numbers at the present setting."""
        self.follow()
        return self._tidy

    def _work_out(self, rows: pd.DataFrame) -> str:
        self._tidy = pd.DataFrame()
        left = [n for n in self.characteristics.titles if n not in self.characteristics.chosen]
        self._tidy = tables.table_one(
            rows, without_roles(self._contract, left), preset=self._preset, seed=self._seed
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        table = tables.show_table(self._printed()).to_html()
        return f'{table}<div class="clam-notes">{notes}</div>'

    @property
    def _columns(self) -> Sequence[str] | None:
        return None if self._is_planned else COLUMNS[self._preset]

    def _printed(self) -> pd.DataFrame:
        printed = tables.render_table_one(self._tidy, columns=self._columns)
        return printed if self._is_planned else printed.rename(columns={"P-value": P_HEADING})

    def _notes(self) -> list[str]:
        return tables.table_notes(self._tidy, columns=self._columns)

    def _write(self, folder: Path) -> Mapping[str, Any]:
        if self._tidy.empty:
            raise ValueError("this setting could not be worked out")
        words = f"{EXPLORATORY}. {self._words()}"
        with whole_file(folder / f"{STEM}.csv") as file:
            write_csv(as_exploratory(self._tidy, words), file)
        pages = [folder / f"{STEM}.{ending}" for ending in ("html", "docx")]
        caption = f"{EXPLORATORY}: characteristics by cluster"
        tables.export_table(self._printed(), pages, caption=caption, notes=[words, *self._notes()])
        chosen = self.characteristics.chosen
        return {
            "characteristics": list(chosen),
            "characteristics_left_out": [
                n for n in self.characteristics.planned if n not in chosen
            ],
            "preset": self._preset,
            "seed": self._seed,
        }
