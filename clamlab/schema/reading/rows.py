"""Which rows of a table are subjects: not its totals, footnotes, units, or a header again."""

import re
from pathlib import Path

import pandas as pd

from clamlab.schema.naming import looks_like_id
from clamlab.schema.quantities import canonical_unit
from clamlab.schema.reading.sheet import Sheet, letters, listed, name_of, ranges

_TOTAL = re.compile(
    r"((grand |sub)?totals?|sum|(gesamt)?summe|gesamt|all|alle|mean|average|mw|mittel(wert)?|"
    r"median|sd|sem|std\.?( ?dev\.?)?|standard deviation|stabw|standardabweichung|min(imum)?|"
    r"max(imum)?|iqr|range|q[13]|count|anzahl|n)( ?[(\[±+].*)?|n ?= ?\d+.*|[*†‡§#¹²³].*|"
    r"(notes?|remarks?|comments?|source|legend|abbreviations?|anmerkung(en)?|bemerkung(en)?|"
    r"hinweise?|quelle|legende|abkürzungen)\b.*",
    re.IGNORECASE,
)
_MOST_OF_A_FOOTNOTE = 2  # cells; more, and it may be a person whose id was forgotten


def subjects_of(
    file: Path, sheet: Sheet, header: int, *, footed: bool = True
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Return the rows below the header that are subjects, the units, and what was left out.

    Where a table is not ``footed``, its last rows are subjects too, whatever they look like.

    Raises
    ------
    ValueError
        If another table begins below, cells are merged, or formulas were never calculated.
    """
    names = sheet.cells.loc[header]
    rows = sheet.cells.loc[header + 1 :, names.notna()]
    names = names[names.notna()].map(name_of)
    people = _people(rows, names)
    units: dict[str, str] = {}
    said: list[str] = []
    kept = rows
    if people is not None:
        units, kept = _units(rows, names, people)
        kept, said = _without_headers(file, kept, names, people)
        kept, last = _without_totals(kept, people) if footed else (kept, [])
        said += last + _doubtful(kept, people)
    _check_cells(file, sheet, kept)
    return kept, units, said + _hidden(sheet, kept, header)


def _people(rows: pd.DataFrame, names: pd.Series) -> int | None:
    """Choose the column with the ids: of those called so, the fullest, then the first."""
    called = [c for c in names.index if looks_like_id(names[c])]
    return max(called, key=lambda c: int(rows[c].notna().sum()), default=None)


def _units(
    rows: pd.DataFrame, names: pd.Series, people: int
) -> tuple[dict[str, str], pd.DataFrame]:
    """Take a row of units from directly below the header."""
    if rows.empty or rows.iloc[0].notna()[people]:
        return {}, rows
    given = rows.iloc[0].dropna()
    if not all(isinstance(cell, str) and (canonical_unit(cell) or cell == "-") for cell in given):
        return {}, rows
    return {names[c]: cell.strip("[]()") for c, cell in given.items() if cell != "-"}, rows.iloc[1:]


def _without_headers(
    file: Path, rows: pd.DataFrame, names: pd.Series, people: int
) -> tuple[pd.DataFrame, list[str]]:
    again = rows.index[[[*map(name_of, row)] == names.tolist() for row in rows.to_numpy().tolist()]]
    rows = rows.drop(again)
    other = [
        row for row, cell in rows[people].items()
        if isinstance(cell, str) and looks_like_id(cell) and not any(c.isdigit() for c in cell)
        and rows.loc[row].notna().sum() > 1
    ]  # fmt: skip
    if other:
        raise ValueError(
            f"{file}: row {other[0]} looks like the header of a second table below the first: keep "
            "one table a sheet"
        )
    said = [f"the header stands again in row {ranges(again)}: left out"] if len(again) else []
    return rows, said


def _without_totals(rows: pd.DataFrame, people: int) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the last rows that nobody's id begins; none where that would leave nobody."""
    end = len(rows)
    while end and _is_no_subject(rows.iloc[end - 1], rows[people].iloc[end - 1]):
        end -= 1
    gone = rows.iloc[end:]
    if gone.empty:
        return rows, []
    shown = [f"row {n} ({_beginning(row)})" for n, row in gone.iterrows()]
    return rows.iloc[:end], [f"no subjects, left out below the table: {listed(shown)}"]


def _is_no_subject(row: pd.Series, subject: object) -> bool:
    texts = [cell for cell in row if isinstance(cell, str)]
    if subject is None:
        few = row.notna().sum() <= max(1, min(_MOST_OF_A_FOOTNOTE, len(row) // 2))
        return bool(few or any(_TOTAL.fullmatch(text) for text in texts))
    called = isinstance(subject, str) and _TOTAL.fullmatch(subject) is not None
    alone = row.notna().sum() == 1 and isinstance(subject, str) and len(subject.split()) > 2
    return bool(called or alone)


def _doubtful(rows: pd.DataFrame, people: int) -> list[str]:
    """Name the rows among the subjects that may be none: totals, titles of groups."""
    shown = [
        f"row {n} ({_beginning(row)})" for n, row in rows.iterrows()
        if isinstance(row[people], str)
        and (_TOTAL.fullmatch(row[people]) or (len(row) > 2 and row.notna().sum() == 1))
    ]  # fmt: skip
    if not shown:
        return []
    return [
        f"read as subjects, although called like totals or without any value: {listed(shown)}; "
        "delete them if they are none"
    ]


def _beginning(row: pd.Series) -> str:
    text = str(row.dropna().iloc[0])
    return repr(text if len(text) <= 30 else f"{text[:27]}...")


def _check_cells(file: Path, sheet: Sheet, kept: pd.DataFrame) -> None:
    rows = set(kept.index)
    where = f"{file}, sheet {sheet.name!r}" if sheet.name else str(file)
    if never := [place for row, place in sheet.never_calculated if row in rows]:
        raise ValueError(
            f"{where}: formulas were never calculated ({listed(never)}): open the file in Excel, "
            "save it there, and give it again"
        )
    if merged := [place for span, place in sheet.merged if any(row in span for row in rows)]:
        raise ValueError(
            f"{where}: cells within the table are merged ({listed(merged)}), so it cannot be "
            "told whose value that is: unmerge them, and fill in each subject's own"
        )
    _check_percents(where, sheet, kept)


def _check_percents(where: str, sheet: Sheet, kept: pd.DataFrame) -> None:
    """Refuse a column in which 0.16 is shown as 16 %, and 16 stands beside it."""
    percents = {place for _, place in sheet.percents}
    for column in kept:
        numbers = {
            f"{letters(column)}{row}": cell for row, cell in kept[column].items()
            if isinstance(cell, int | float)
        }  # fmt: skip
        plain = [place for place, n in numbers.items() if place not in percents and abs(n) > 1]
        if plain and (shown := [place for place in numbers if place in percents]):
            raise ValueError(
                f"{where}: {listed(shown)} are shown as percent and read as fractions (0.45 for "
                f"45 %), {listed(plain)} in the same column are not: give all of them one format"
            )


def _hidden(sheet: Sheet, kept: pd.DataFrame, header: int) -> list[str]:
    said = []
    if rows := set(sheet.hidden_rows) & set(kept.index):
        said.append(f"hidden in the sheet, and read like the others: row {ranges(rows)}")
    columns = set(sheet.hidden_columns) & set(kept.columns)
    if names := [str(sheet.cells.loc[header, c]) for c in sorted(columns)]:
        said.append(f"hidden in the sheet, and read like the others: column {listed(names)}")
    if blank := [place for row, place in sheet.blank_formulas if row in set(kept.index)]:
        said.append(f"formulas without a value, taken as missing: {listed(blank)}")
    if percents := [place for row, place in sheet.percents if row in set(kept.index)]:
        said.append(f"shown as percent, read as fractions (0.45 for 45 %): {listed(percents)}")
    return said
