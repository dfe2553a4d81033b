"""What the table says of one scan."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import pandas as pd

from clamlab.viewers.points.columns import described, in_words

MISSING = "missing"
CELL = (
    '<td style="padding: 1px 14px 1px 0; line-height: 1.4; vertical-align: top; '
    'text-align: left; overflow-wrap: anywhere">'
)


class ScanFacts(widgets.HTML):
    """Read a scan's row of the table: names, values and units.

    Parameters
    ----------
    table : DataFrame
        One row per scan, in order. It is read anew by each `show`.
    contract : dict, optional
        JSON Schema of the table: gives titles and units.
    without : sequence of str
        Columns that are not shown.

    Attributes
    ----------
    contract : dict or None
        Can be replaced; read anew by each `show`.

    Examples
    --------
    >>> contract = {"properties": {"fvc": {"title": "FVC", "x-units": "litres"}}}
    >>> facts = ScanFacts(pd.DataFrame({"fvc": [2.5, None]}), contract)
    >>> facts.show(0)
    >>> facts.rows
    [('FVC', '2.5', 'litres')]
    >>> facts.show(1)
    >>> facts.rows
    [('FVC', 'missing', '')]
    """

    def __init__(
        self,
        table: pd.DataFrame,
        contract: Mapping[str, Any] | None = None,
        *,
        without: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self._table, self.contract, self._without = table, contract, without
        self.rows: list[tuple[str, str, str]] = []
        super().__init__(**options)

    def show(self, scan: int) -> None:
        """Show the row of one scan, counted from 0.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        if not 0 <= scan < len(self._table):
            raise ValueError(f"expected a scan from 0 to {len(self._table) - 1}, found {scan}")
        self.rows = []
        for k, name in enumerate(self._table):
            if name in self._without:
                continue
            title, units = described(str(name), self.contract)
            value = in_words(self._table.iloc[scan, k])
            self.rows.append((title, value, units) if value else (title, MISSING, ""))
        self.value = f"<table>{''.join(map(_line, self.rows))}</table>"


def _line(row: tuple[str, str, str]) -> str:
    title, value, units = map(html.escape, row)
    shown = f"<i>{value}</i>" if row[1:] == (MISSING, "") else f"<b>{value}</b> {units}"
    return f"<tr>{CELL}{title}</td>{CELL}{shown}</td></tr>"
