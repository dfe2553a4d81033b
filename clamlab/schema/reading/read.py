"""Open a table, whatever program has kept it, and know what was read and what was left out."""

import os
from pathlib import Path

import pandas as pd

from clamlab.io import regular_file
from clamlab.schema.reading.columns import (
    check_marks,
    column_of,
    has_decimal_points,
    taken_for_decimal,
    without_decimals,
    without_missing,
)
from clamlab.schema.reading.excel import read_excel
from clamlab.schema.reading.formats import AS_XLSX, KINDS, kind_of
from clamlab.schema.reading.old_excel import read_old_excel
from clamlab.schema.reading.open_document import read_open_document
from clamlab.schema.reading.place import find_place
from clamlab.schema.reading.rows import subjects_of
from clamlab.schema.reading.sheet import Sheet, name_of
from clamlab.schema.reading.statistics import STATISTICS, read_statistics
from clamlab.schema.reading.text import read_text


def read_table(
    path: str | Path,
    *,
    sheet: str | None = None,
    header: int | None = None,
    footed: bool = True,
) -> pd.DataFrame:
    r"""Open a table as it is kept, and learn which sheet, row and cells were taken for it.

    Nothing is guessed of what a cell means: ``60 y``, ``<0.1`` and ``-999`` stay as they are
    (see `draft_schema`).

    Parameters
    ----------
    path : str or Path
        Text with commas, semicolons, tabs or ``|`` between the cells, in any usual encoding; a
        workbook (``.xlsx``, ``.xlsm``, ``.xls``, ``.ods``); a file of SPSS, Stata or SAS.
    sheet : str, optional
        Which sheet of a workbook. Left out: the only one with a table whose columns are named
        and one of them like an identifier.
    header : int, optional
        Which row names the columns, counted from 1 as spreadsheets do. Left out: the first in
        which one cell is called like an identifier and every column below has a name.
    footed : bool
        Whether totals and footnotes may stand below the subjects, and are left out.

    Returns
    -------
    DataFrame
        One row per row of the table. Columns of
        identifiers, and columns with leading zeros ("007"), are texts; columns in which every
        value is a number are numbers; all others are texts. Blank cells and NA are missing.
        ``attrs["said"]`` lists in sentences what a person should know of the reading, ``units``
        and ``labels`` what the file says of its columns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no table or damaged, two tables could be meant, a column has no name or
        appears twice, a row is longer than the header, cells are merged, or formulas were never
        calculated.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "clinic.csv"
    >>> _ = file.write_text("Our clinic\n\nsubject_id;bmi\n007;24,5\n008;NA\nMean;24,5\n")
    >>> table = read_table(file)
    >>> table
      subject_id   bmi
    0        007  24.5
    1        008   NaN
    >>> print(*table.attrs["said"], sep="\n")
    the columns' names are taken from row 3
    1 row above the table left out
    no subjects, left out below the table: row 6 ('Mean')
    taken as missing: 'NA' (1)
    """
    file = Path(path)
    if not os.path.lexists(file):
        raise FileNotFoundError(f"no table at {file}")
    regular_file(file, expected="a table")
    kind, said = kind_of(file)
    sheets = _sheets(file, kind)
    if kind in STATISTICS:
        header = header or 1  # they name their columns themselves
    place, told = find_place(file, sheets, sheet=sheet, header=header)
    rows, units, left = subjects_of(file, place.sheet, place.header, footed=footed)
    table, missing = _typed(file, place.sheet, rows, place.header)
    for name, levels in place.sheet.levels.items():
        if name in table and table[name].dropna().isin(levels).all():
            table[name] = table[name].astype(pd.CategoricalDtype(list(dict.fromkeys(levels))))
    sentences = [*filter(None, [said]), *told, *place.sheet.said, *left, *missing]
    known = {"said": sentences, "units": units, "labels": place.sheet.labels}
    table.attrs = {key: value for key, value in known.items() if value}
    return table


def read_own(file: Path) -> pd.DataFrame:
    """Read a table that the study itself has written: all its rows are subjects, none is guessed.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    sheet = read_text(regular_file(file, expected="a table"), separator=",")[0]
    if sheet.cells.empty:
        raise ValueError(f"{file} is empty: expected a header row")
    header = int(sheet.cells.index[0])
    return _typed(file, sheet, sheet.cells.loc[header + 1 :], header, own=True)[0]


def _typed(
    file: Path, sheet: Sheet, rows: pd.DataFrame, header: int, *, own: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """Give the rows their names and types; say what was taken as missing."""
    names = _names(file, sheet, header)
    rows, said = without_missing(rows)
    rows, whole = without_decimals(rows, names)
    said += whole
    decimal_comma = not sheet.commas_separate
    rows = rows.reset_index(drop=True)
    try:
        if decimal_comma or not (own or has_decimal_points(rows, names)):
            check_marks(rows, names)
        if decimal_comma:
            said += taken_for_decimal(rows, names)
        columns = {
            name: column_of(name, rows[c], decimal_comma=decimal_comma) for c, name in names.items()
        }
    except ValueError as error:
        raise ValueError(f"{file}, {error}") from None
    return pd.DataFrame(columns), said


def _sheets(file: Path, kind: str) -> list[Sheet]:
    try:
        if kind == "text":
            return read_text(file)
        if kind == "xlsx":
            return read_excel(file)
        if kind == "xls":
            return read_old_excel(file)
        if kind == "ods":
            return read_open_document(file)
        return read_statistics(file, kind)
    except (ValueError, OSError) as error:
        if str(error).startswith(str(file)):
            raise  # told in our words
        raise _damaged(file, kind) from error
    except Exception as error:  # whatever a library says of a damaged file
        raise _damaged(file, kind) from error


def _damaged(file: Path, kind: str) -> ValueError:
    return ValueError(
        f"{file} is damaged (it begins like {KINDS[kind]}, and cannot be read to its end): copy it "
        f"again from where it comes, or {AS_XLSX}"
    )


def _names(file: Path, sheet: Sheet, header: int) -> dict[int, str]:
    names = {int(c): name_of(n) for c, n in sheet.cells.loc[header].items() if n is not None}
    given = list(names.values())
    if twice := sorted({name for name in given if given.count(name) > 1}):
        raise ValueError(f"{file}: columns appear twice: {', '.join(twice)}")
    return names
