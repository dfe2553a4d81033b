"""Readings laid out by scan and reader, so that what stands in a row can be compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.stats.readers.scores import UNREADABLE, Score

NEEDED = ("subject_id", "reader", "score", "value")
FIRST, SECOND = 1, 2


@dataclass(frozen=True)
class Laid:
    """One score's readings, one row per scan.

    Attributes
    ----------
    codes : DataFrame
        Numbers, or places of levels; NaN where there is none. Columns are (reader, repeat).
    unreadable : DataFrame of bool
    """

    codes: pd.DataFrame
    unreadable: pd.DataFrame

    @property
    def readers(self) -> list[str]:
        """Who read any scan."""
        return list(dict.fromkeys(name for name, _ in self.codes))

    def complete(self, columns: list[tuple[str, int]]) -> tuple[NDArray, dict]:
        """Give some readers' columns where all have a value, and count what is left out."""
        codes, dark = self.codes[columns], self.unreadable[columns]
        last = columns[-1]
        if last[1] == SECOND:  # most scans are never shown again: they lack nothing
            shown = codes[last].notna() | dark[last]
            codes, dark = codes[shown], dark[shown]
        full, read = codes.notna().all(axis=1), codes.notna() | dark
        counts = {
            "n_scans": int(full.sum()),
            "n_unreadable": int((read.all(axis=1) & dark.any(axis=1)).sum()),
            "n_not_read_by_all": int((read.any(axis=1) & ~read.all(axis=1)).sum()),
        }
        return codes[full].to_numpy(float), counts


def checked(readings: pd.DataFrame) -> pd.DataFrame:
    """Return readings as texts, with whole repeats, or say what is wrong with them.

    Raises
    ------
    ValueError
        If a column is missing, a repeat is neither 1 nor 2, or a row stands there twice.
    """
    if missing := [name for name in NEEDED if name not in readings]:
        raise ValueError(
            f"readings should have the columns {', '.join(NEEDED)} (and repeat); "
            f"missing: {', '.join(missing)}"
        )
    keys = ["subject_id", "reader", "score"]
    if (gaps := readings[keys].isna().any(axis=1)).any():
        raise ValueError(f"{int(gaps.sum())} readings lack {', '.join(keys[:-1])} or {keys[-1]}")
    table = readings.assign(**{name: readings[name].astype(str).str.strip() for name in keys})
    given = readings.get("repeat", pd.Series(FIRST, index=readings.index))
    repeats = pd.to_numeric(given.replace("", FIRST).fillna(FIRST), errors="coerce")
    if not repeats.isin([FIRST, SECOND]).all():
        raise ValueError(f"repeat should be 1 or 2, found {sorted(map(str, given.unique()))}")
    table["repeat"] = repeats.astype(int)
    twice = table.duplicated([*keys, "repeat"])
    if twice.any():
        first = ", ".join(table.loc[twice, keys].iloc[0])
        raise ValueError(
            f"{int(twice.sum())} readings stand there twice for one scan, reader, score and repeat "
            f"(first: {first}): keep one"
        )
    return table


def lay_out(readings: pd.DataFrame, score: Score) -> Laid:
    """Lay one score's readings out by scan; those without a value are as if not read.

    Raises
    ------
    ValueError
        If a value is none of the score's levels, or outside its range; by whom and of which scan.
    """
    rows = readings[(readings["score"] == score.name) & readings["value"].notna()]
    rows = rows[rows["value"].astype(str).str.strip() != ""]
    texts = [_text(score, row) for row in rows.itertuples()]
    codes = rows.assign(value=np.array([score.code(text) for text in texts], dtype=float))
    dark = rows.assign(value=np.array([text == UNREADABLE for text in texts], dtype=bool))
    return Laid(_wide(codes), _wide(dark).eq(True))


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    # pivot_table would lose a reader who could read nothing.
    return rows.pivot(index="subject_id", columns=["reader", "repeat"], values="value")  # noqa: PD010


def _text(score: Score, row: Any) -> str:
    try:
        return score.text(row.value)
    except ValueError as error:
        raise ValueError(f"readings of {row.subject_id} by {row.reader}: {error}") from error
