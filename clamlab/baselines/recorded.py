"""What was recorded of scans without looking into them: the size of the lungs, and the scanner."""

from typing import Any

import pandas as pd

LUNG_ML = "lung_ml"
SCANNER = "scanner: "  # before the name of each column that tells scanners apart
OF_QC = ("manufacturer", "scanner_model", "kernel")
NOT_RECORDED = "not recorded"
MOST_NUMBERS = 10


def recorded_of_scans(
    table: pd.DataFrame, schema: dict[str, Any], qc: pd.DataFrame
) -> pd.DataFrame:
    """Gather of each scan the volume of its lungs, and every way to tell scanners apart.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with ``subject_id`` and the columns of its person.
    schema : dict
        The table's contract: columns with the role scanner are taken. Numbers with more than ten
        values (a dose, a thickness) are no partition and are not.
    qc : DataFrame
        The quality table of the volumes: ``right_ml`` and ``left_ml``, as measured before the scan
        was brought to the template, and the headers' manufacturer, model and kernel, unless the
        contract has a column of that name.

    Returns
    -------
    DataFrame
        The rows of ``table``: ``lung_ml``, missing where it was not measured, and a column of
        texts for each way to tell scanners apart, missing where nothing was recorded.

    Raises
    ------
    ValueError
        If a scan has not one row in ``qc``.

    Examples
    --------
    >>> table = pd.DataFrame({"subject_id": ["a", "b"], "site": ["north", "south"]})
    >>> schema = {"properties": {"site": {"x-role": "scanner"}}}
    >>> qc = pd.DataFrame({"subject_id": ["b", "a"], "right_ml": [2000, 2500],
    ...                    "left_ml": [1800, 2100], "kernel": ["B30f", "not recorded"]})
    >>> recorded_of_scans(table, schema, qc).values.tolist()
    [[4600.0, 'north', nan], [3800.0, 'south', 'B30f']]
    """
    scans = qc.set_index("subject_id")
    if not scans.index.is_unique or not table["subject_id"].isin(scans.index).all():
        raise ValueError("expected one row of qc for each scan: run notebook 02 again")
    scans = scans.loc[table["subject_id"]].set_axis(table.index)
    rules = schema.get("properties", {})
    own = [n for n, rule in rules.items() if rule.get("x-role") == "scanner" and n in table]
    told = {name: table[name] for name in own}
    told |= {name: scans[name] for name in OF_QC if name in scans and name not in own}
    columns = {SCANNER + name: _texts(column) for name, column in told.items() if _tells(column)}
    size = scans.reindex(columns=["right_ml", "left_ml"]).astype(float)
    return pd.DataFrame({LUNG_ML: size.sum(axis=1, min_count=2), **columns}, index=table.index)


def _tells(column: pd.Series) -> bool:
    many = pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_NUMBERS
    return bool(column.notna().any()) and not many


def _texts(column: pd.Series) -> pd.Series:
    known = column.notna() & (column.astype("string") != NOT_RECORDED).fillna(False)
    return column.astype("string").astype(object).where(known)
