"""Read the tables people really send: CSV of any dialect, or Excel."""

import io
import re
from pathlib import Path

import pandas as pd

# "None" is not here: it is a level of its own in many clinical tables.
_MISSING = {"", "NA", "N/A", "n/a", "na", "NaN", "nan", "#N/A", "NULL", "null", "."}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_ID_STEMS = "subj|subject|usubj|pat|patient|participant|record|study|case|scan"
_EXCEL = {".xlsx", ".xlsm"}


def read_table(path: str | Path) -> pd.DataFrame:
    r"""Open a table as it was exported, without losing leading zeros or decimal commas.

    Parameters
    ----------
    path : str or Path
        A CSV file (comma, semicolon or tab; UTF-8 with or without byte-order mark, UTF-16, or
        Latin-1; decimal comma understood where the separator is not the comma) or the first
        sheet of an Excel file (``.xlsx``).

    Returns
    -------
    DataFrame
        Columns of identifiers, and columns with leading zeros ("007"), are texts; columns in
        which every value is a number are numbers; all others are texts. Blank cells and NA
        are missing.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, a column has no name or appears twice, or a row is longer than
        the header.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "clinic.csv"
    >>> _ = file.write_text("subject_id;bmi\n007;24,5\n008;NA\n")
    >>> read_table(file)
      subject_id   bmi
    0        007  24.5
    1        008   NaN
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"no table at {file}")
    if file.suffix.lower() in _EXCEL:
        cells = pd.read_excel(file, header=None, dtype=object, keep_default_na=False)
        separator = ";"  # text cells of a sheet have no separator to clash with
    else:
        text = _decode(file.read_bytes())
        separator = _separator(text)
        cells = _split(text, separator, file)
    cells = cells.map(_clean).dropna(axis=0, how="all")
    if cells.empty:
        raise ValueError(f"{file} is empty: expected a header row and one row per subject")
    cells = cells.loc[:, cells.notna().any()]
    names = _names(cells.iloc[0], file)
    columns = {
        name: _column(
            name,
            cells.iloc[1:, i].reset_index(drop=True),
            decimal_comma=separator != ",",
        )
        for i, name in enumerate(names)
    }
    return pd.DataFrame(columns)


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _separator(text: str) -> str:
    """Choose the separator that the header uses most, quoted names aside."""
    header = re.sub(r'"[^"]*"', "", next((line for line in text.splitlines() if line.strip()), ""))
    return max(",;\t", key=header.count)


def _split(text: str, separator: str, file: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            keep_default_na=False,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except pd.errors.ParserError as error:
        raise ValueError(f"{file}: a row does not fit the header ({error})") from error


def _clean(cell):
    if isinstance(cell, str):
        cell = cell.strip()
        return None if cell in _MISSING else cell
    return None if pd.isna(cell) else cell


def _names(header: pd.Series, file: Path) -> list[str]:
    if header.isna().any():
        place = int(header.isna().to_numpy().argmax()) + 1
        raise ValueError(f"{file}: column {place} holds values but has no name in the header")
    names = [str(name) for name in header]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file}: columns appear twice: {', '.join(twice)}")
    return names


def words_of(name: str) -> list[str]:
    """Split a column name into its lower-case words, "SubjectID" and "subject_id" alike."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(name))
    return re.findall(r"[a-z]+|\d+", spaced.lower())


def looks_like_id(name: str) -> bool:
    """Tell whether a column's name says that it identifies something."""
    words = words_of(name)
    if "id" in words or "mrn" in words:
        return True
    return re.fullmatch(f"({_ID_STEMS})(id|no)?", "".join(words)) is not None


def _column(name: str, values: pd.Series, *, decimal_comma: bool) -> pd.Series:
    given = values.dropna()
    texts = given[given.map(lambda v: isinstance(v, str))]
    if not looks_like_id(name) and len(given):
        if decimal_comma and texts.map(lambda v: "." not in v).all():
            comma = texts.map(lambda v: _DECIMAL_COMMA.fullmatch(v) is not None)
            texts = texts.where(~comma, texts.str.replace(",", "."))
            values = values.where(~values.index.isin(texts.index), texts.reindex(values.index))
        if _all_numbers(given, texts):
            return pd.to_numeric(values)
    return values.map(_text, na_action="ignore").astype("str")


def _all_numbers(given: pd.Series, texts: pd.Series) -> bool:
    others = given.drop(texts.index)
    plain = others.map(lambda v: isinstance(v, int | float) and not isinstance(v, bool))
    written = texts.map(
        lambda v: _NUMBER.fullmatch(v) is not None and _LEADING_ZERO.match(v) is None
    )
    return bool(plain.all() and written.all())


def _text(cell) -> str:
    # Excel keeps an identifier such as 12 as the number 12.0.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
