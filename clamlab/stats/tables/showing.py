"""Tables of numbers as a reader wants to see them in a notebook."""

from collections.abc import Sequence

import pandas as pd
from pandas.io.formats.style import Styler

from clamlab.stats.tables.digits import decimals_for
from clamlab.stats.tables.rendering import TEST_COLUMNS, cluster_name, p_text

CODES = ("cluster", "group", "other_group")
HEADINGS = TEST_COLUMNS | {
    "title": "",
    "group": "Cluster",
    "other_group": "Against",
    "n": "n",
    "n_missing": "Missing",
    "n_scans": "Scans",
    "n_read": "Read",
    "n_begun": "Begun",
    "subject_id": "Subject",
    "df1": "df 1",
    "df2": "df 2",
    "rank_p": "P of ranks",
    "tableone_p": "P of tableone",
}
P_VALUES = ("p", "p_holm", "p_bh", "rank_p", "tableone_p")
# In the units of one row's outcome, whatever those of the next are.
ESTIMATES = ("difference", "low", "high", "across_low", "across_high", "complete_difference")
LONG = 24  # letters: lines of more may be broken where a table would run out of its window


def show_table(
    frame: pd.DataFrame, columns: Sequence[str] | None = None, *, decimals: int = 2
) -> Styler:
    """Read a table in a notebook without its machinery: headings, clusters from 1, few digits.

    Parameters
    ----------
    frame : DataFrame
        A tidy table of this library, or one that is printed already.
    columns : sequence of str, optional
        What to show, in this order; by default everything.
    decimals : int
        Of numbers that are not whole. P-values have three, as papers print them; a difference and
        its interval have as many more as show two digits of the interval's width.

    Returns
    -------
    Styler
        Words to the left, numbers to the right, no row numbers, nothing where a value is missing.
        A title says on which scale its numbers are, as "CD4 count (log)", and beside a difference
        also its units, as "FVC, l".

    Raises
    ------
    ValueError
        If a column is not in the table.

    Examples
    --------
    >>> frame = pd.DataFrame({"group": [0, 1], "difference": [1.234, None], "p": [0.0004, 0.25]})
    >>> show_table(frame).data.to_numpy().tolist()
    [['1', '1.23', '<0.001'], ['2', '', '0.250']]
    """
    columns = list(frame.columns if columns is None else columns)
    if missing := [name for name in columns if name not in frame]:
        raise ValueError(f"no columns {missing}: the table has {', '.join(map(str, frame))}")
    if {"title", "transform"} <= set(frame) and "transform" not in columns:
        units = frame.get("units") if "difference" in columns and "units" not in columns else None
        frame = frame.assign(title=_on_its_scale(frame["title"], frame["transform"], units))
    own = _decimals_of(frame, decimals)
    plain = [decimals] * len(frame)
    cells = {name: _cells(frame[name], own if name in ESTIMATES else plain) for name in columns}
    shown = pd.DataFrame({_heading(name): texts for name, texts in cells.items()})
    style = shown.style.format(escape="html").hide(axis="index")
    return style.set_table_styles({name: _look(shown[name]) for name in shown})


def _on_its_scale(titles: pd.Series, transforms: pd.Series, units: pd.Series | None) -> pd.Series:
    """Add to a title how its numbers were transformed, or else their units, as figure 10 does."""
    titles, transforms = titles.astype(str), transforms.fillna("").astype(str)
    scaled = titles + " (" + transforms + ")"
    if units is not None:
        units = units.fillna("").astype(str)
        titles = titles.where(units == "", titles + ", " + units)
    return titles.where(transforms == "", scaled)


def _heading(name: str | int) -> str:
    """Name a column; those that are numbered stand for clusters."""
    if not isinstance(name, str):
        return cluster_name(name)
    text = name.replace("_", " ")
    return HEADINGS.get(name, text[:1].upper() + text[1:])


def _decimals_of(frame: pd.DataFrame, least: int) -> list[int]:
    """Return the decimals of each row's estimates, by its interval where there is one."""
    if not {"low", "high"} <= set(frame):
        return [least] * len(frame)
    return [decimals_for(width, least=least) for width in frame["high"] - frame["low"]]


def _cells(column: pd.Series, decimals: Sequence[int]) -> list[str]:
    """Print the values of one column, each with its decimals; none where all are whole."""
    if column.name in P_VALUES:
        return [p_text(value) for value in column]
    if column.name in CODES:
        return ["" if pd.isna(code) else str(int(code) + 1) for code in column]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return ["" if pd.isna(value) else str(value) for value in column]
    whole = (column.dropna() % 1 == 0).all()
    digits = [0] * len(column) if whole else decimals
    return ["" if pd.isna(v) else f"{v:.{n}f}" for v, n in zip(column, digits, strict=True)]


def _look(texts: pd.Series) -> list[dict[str, str]]:
    """Align a column, and break its lines only where there is much to read."""
    words = any(letter.isalpha() for text in texts for letter in text)
    wrap = "normal" if max(map(len, texts), default=0) > LONG else "nowrap"
    return [
        {"selector": "", "props": f"text-align: {'left' if words else 'right'}"},
        {"selector": "td", "props": f"white-space: {wrap}"},
    ]
