"""Edit a small table in the notebook: lists and texts in its cells, saved once they are right."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import anywidget
import pandas as pd
import traitlets

from clamlab.viewers.assets import read_together

Save = Callable[[pd.DataFrame], Mapping[str, str]]


class TableEditor(anywidget.AnyWidget):
    """Edit a table of texts by hand; nothing is saved before it is found right.

    What is wrong stands in the row that it concerns. A saved notebook, or one that ran without a
    person, shows the table as it was; a page made from it, a plain table.

    Parameters
    ----------
    rows : DataFrame
        Texts; its first column names the rows. In a categorical column one of its categories is
        chosen.
    save : callable
        Takes the rows as edited, and returns what is wrong by the name of a row ("" for the table
        as a whole); empty where it was saved.
    fixed : collection of str
        Columns that are shown and not edited, besides the first.

    Examples
    --------
    >>> rows = pd.DataFrame({"column": ["age", "fvc"], "role": ["demographic", ""]})
    >>> rows["role"] = pd.Categorical(rows["role"], ["", "outcome", "demographic"])
    >>> saved = []
    >>> editor = TableEditor(rows, lambda rows: saved.append(rows) or {})
    >>> editor.save([["age", "demographic"], ["fvc", "outcome"]])
    {}
    >>> saved[0]["role"].tolist()
    ['demographic', 'outcome']
    """

    _esm = read_together("drawing.js", "deciding/table_editor.js")
    _css = read_together("slice_viewer.css", "deciding/table_editor.css")

    columns: traitlets.List = traitlets.List().tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)
    choices: traitlets.Dict = traitlets.Dict().tag(sync=True)
    fixed: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(self, rows: pd.DataFrame, save: Save, *, fixed: Collection[str] = ()) -> None:
        columns = [str(name) for name in rows.columns]
        self._save = save
        super().__init__(
            columns=columns,
            rows=rows.astype(str).to_numpy().tolist(),
            choices={
                str(name): list(rows[name].cat.categories)
                for name in rows.select_dtypes("category")
            },
            fixed=[columns[0], *(name for name in columns[1:] if name in fixed)],
        )
        self.on_msg(self._hear)

    def save(self, rows: list[list[str]]) -> dict[str, str]:
        """Save rows, and keep them; return what is wrong with them, by the name of a row."""
        edited = pd.DataFrame(rows, columns=self.columns, dtype=str)
        try:
            wrong = dict(self._save(edited))
        except (ValueError, OSError) as error:  # a disk that refuses, for instance
            wrong = {"": str(error)}
        if not wrong:
            self.rows = rows
        return wrong

    def _hear(self, _: Any, asked: dict[str, Any], __: Any) -> None:
        self.send({"wrong": self.save(asked["rows"])})

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Show a plain table where no widget can be."""
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        table = pd.DataFrame(self.rows, columns=self.columns)
        return {**data, "text/html": table.to_html(index=False, border=0)}, metadata
