"""Leave scans out of sight by what the table says of them, and always say how many."""

from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets
from numpy.typing import NDArray

from clamlab.viewers.assets import FILTERS, read_together
from clamlab.viewers.points.columns import as_levels, described

MOST_BOXES = 24  # a column with more levels than this is searched by a word
KINDS = {
    "number": {"low", "high", "missing"},
    "levels": {"levels", "missing"},
    "text": {"text", "missing"},
}


class Filters(anywidget.AnyWidget):
    """Show only the scans that meet conditions on any columns of a table.

    Numbers have sliders with two ends, levels have boxes, and texts with many levels a field for a
    word. Scans without a value have a box of their own in every filter, and are kept until it is
    unticked. How many scans are hidden is said for each filter and for all.

    Parameters
    ----------
    table : DataFrame
        One row per scan.
    contract : dict, optional
        JSON Schema of the table: gives titles and units.

    Attributes
    ----------
    conditions : dict of str to dict
        By column: ``low`` and ``high`` (both included; None or left out: no bound), ``levels`` (a
        list of those kept), or ``text`` (kept if the value holds it, in capitals or not), and
        ``missing`` (whether scans without a value are kept; True unless told).
    shown : bool array (n_scans,)
        The scans that meet all conditions; observe it to hear of changes.

    Raises
    ------
    ValueError
        If two columns have the same name.
    traitlets.TraitError
        If a condition names a column, level or bound that there is not.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50.5, 60.5, None], "sex": ["f", "m", "m"]})
    >>> filters = Filters(table)
    >>> filters.conditions = {"age": {"low": 55}}
    >>> filters.shown.tolist()
    [False, True, True]
    >>> filters.conditions = {"age": {"low": 55, "missing": False}, "sex": {"levels": ["m"]}}
    >>> filters.shown.tolist()
    [False, True, False]
    """

    _esm = read_together(*FILTERS)
    _css = read_together("slice_viewer.css", "points/filters.css")

    columns: traitlets.List = traitlets.List().tag(sync=True)
    # Column after column, float64: numbers, or codes of levels; NaN where there is no value.
    values = traitlets.Bytes().tag(sync=True)
    length = traitlets.Int(0).tag(sync=True)
    conditions: traitlets.Dict = traitlets.Dict().tag(sync=True)
    # `shown` as bytes, worked out by the browser for other widgets there; empty: all.
    mask = traitlets.Bytes().tag(sync=True, from_json=lambda value, _: bytes(value))
    told = traitlets.Unicode().tag(sync=True)
    shown = traitlets.Any()

    def __init__(
        self, table: pd.DataFrame, contract: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        self._contract = contract
        columns, values = _packed(table, contract)
        super().__init__(columns=columns, values=values.tobytes(), length=len(table), **options)
        self.shown = np.ones(len(table), dtype=bool)

    def replace(self, table: pd.DataFrame, contract: Mapping[str, Any] | None = None) -> None:
        """Take another table of the same scans; conditions that it cannot meet are taken off.

        Without a contract of its own it is read by the one before.

        Raises
        ------
        ValueError
            If its length is another.
        """
        if len(table) != self.length:
            raise ValueError(f"expected {self.length} rows, one per scan, found {len(table)}")
        self._contract = contract or self._contract
        columns, values = _packed(table, self._contract)
        by_name = {column["name"]: column for column in columns}
        wrong = {n: why for n, c in self.conditions.items() if (why := _wrong(by_name, n, c))}
        with self.hold_sync():
            self.columns, self.values = columns, values.tobytes()
            self.conditions = {n: c for n, c in self.conditions.items() if n not in wrong}
            self.told = " ".join(f"Filter taken off: {why}." for why in wrong.values())
        self._apply()

    @traitlets.validate("conditions")
    def _check(self, proposal: Any) -> dict[str, dict]:
        by_name = {column["name"]: column for column in self.columns}
        for name, condition in proposal["value"].items():
            if why := _wrong(by_name, name, condition):
                raise traitlets.TraitError(why)
        return proposal["value"]

    @traitlets.observe("conditions")
    def _apply(self, _: Any = None) -> None:
        values = np.frombuffer(self.values).reshape(len(self.columns), self.length)
        shown = np.ones(self.length, dtype=bool)
        for column, numbers in zip(self.columns, values, strict=True):
            if column["name"] in self.conditions:
                shown &= _kept(column, numbers, self.conditions[column["name"]])
        self.shown = shown


def _packed(
    table: pd.DataFrame, contract: Mapping[str, Any] | None
) -> tuple[list[dict[str, Any]], NDArray]:
    """Describe the columns, and give their values as numbers, one row of the array a column."""
    names = [str(name) for name in table]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected each column once, found {', '.join(twice)} more than once")
    columns, values = [], np.full((len(names), len(table)), np.nan)
    for k, name in enumerate(names):
        column = table.iloc[:, k]
        levels, coded = as_levels(column)
        title, units = described(name, contract)
        told: dict[str, Any] = {"name": name, "title": title, "units": units, "levels": levels}
        values[k] = [np.nan if value is None else value for value in coded]
        known = values[k][~np.isnan(values[k])]
        if levels or not known.size:
            told["kind"] = "levels" if len(levels) <= MOST_BOXES else "text"
        else:
            whole = bool((known == np.rint(known)).all())
            told |= {"kind": "number", "low": known.min(), "high": known.max(), "whole": whole}
        columns.append(told)
    return columns, values


def _wrong(columns: Mapping[str, dict], name: str, condition: Mapping[str, Any]) -> str:
    """Say what is wrong with a condition; "" if nothing is."""
    if name not in columns:
        return f"there is no column {name!r}; there are {', '.join(columns)}"
    kind = columns[name]["kind"]
    if unknown := set(condition) - KINDS[kind]:
        expected = ", ".join(sorted(KINDS[kind]))
        return f"{name}: expected {expected}, found {', '.join(sorted(unknown))}"
    lost = [
        level for level in condition.get("levels") or [] if level not in columns[name]["levels"]
    ]
    if lost:
        return f"{name} has no level {lost[0]!r}; it has {', '.join(columns[name]['levels'])}"
    return ""


def _kept(column: Mapping[str, Any], values: NDArray, condition: Mapping[str, Any]) -> NDArray:
    """Tell which values meet a condition; filter_rules.js says the same in the browser."""
    missing = np.isnan(values)
    if column["kind"] == "number":
        low, high = condition.get("low"), condition.get("high")
        kept = (values >= (-np.inf if low is None else low)) & (
            values <= (np.inf if high is None else high)
        )
    else:
        word, wanted = condition.get("text", "").lower(), condition.get("levels")
        good = [
            word in level.lower() and (wanted is None or level in wanted)
            for level in column["levels"]
        ]
        codes = np.where(missing, len(good), values).astype(int)
        kept = np.array([*good, False])[codes]
    return np.where(missing, bool(condition.get("missing", True)), kept)
