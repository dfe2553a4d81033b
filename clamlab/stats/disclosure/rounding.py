"""How exactly a table that leaves the study tells its numbers."""

from functools import partial

import numpy as np
import pandas as pd

FEW_DIGITS = 3  # significant ones of a number, where a count beside it is masked
# Of an estimate where no count is masked: three would make 171.3 and 170.6 cm the same, and a
# share that is rounded again as it is printed another.
PLAIN_DIGITS = 6
# Shares of the variation have decimals, as they are printed; what a term adds has one digit: with
# its p and the adjusted R², three of them give the rows of the model.
_SHARES = ["adjusted_r2", "added_low", "added_high"]
_ADDED = ["added", "added_r2"]
SHARE_DECIMALS, ADDED_DIGITS = 2, 1
_ESTIMATES = [
    *("mean", "sd", "se", "median", "q1", "q3", "percent", "low", "high", "aic", "bic"),
    *("difference", "difference_low", "difference_high", "smd", "smd_low", "smd_high"),
    *("response", "response_low", "response_high"),
    *("standardised", "standardised_low", "standardised_high"),
    *_SHARES,
    *_ADDED,
]
_ADJUSTED = ["p_holm", "p_bh"]  # over a family of tests
_COUNTS = ["n", "n_missing", "count"]


def told_less_exactly(masked: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Round, and take out what was adjusted for p-values that are masked.

    A mean of ages tells how many there were: with sixteen digits always, with two decimals often,
    since few counts give just that. So beside masked counts all numbers have three digits,
    shares of the variation two decimals, and what a term adds to them one digit. Where every count
    is told, estimates have six, which is more than a table prints; ``digits`` says which. An
    adjusted p-value may be that of another row, or twice that.

    Parameters
    ----------
    masked, whole : DataFrame
        The same table, with and without what is masked.

    Returns
    -------
    DataFrame
    """
    if "p" in whole and (masked["p"].isna() & whole["p"].notna()).any():
        masked[masked.columns.intersection(_ADJUSTED)] = np.nan
    exact = [name for name in masked if masked[name].dtype.kind == "f"]
    estimates = [name for name in exact if name in _ESTIMATES]
    told = masked[exact].apply(_coarsely)
    if estimates:
        plain = ~_beside_masked(masked, whole)
        told.loc[plain, estimates] = masked.loc[plain, estimates].map(_rounded, digits=PLAIN_DIGITS)
        masked["digits"] = np.where(plain, PLAIN_DIGITS, FEW_DIGITS)
    masked[exact] = told
    return masked


def _coarsely(column: pd.Series) -> pd.Series:
    """Round a column as far as beside a masked count."""
    if column.name in _SHARES:
        return column.round(SHARE_DECIMALS)
    return column.map(
        partial(_rounded, digits=ADDED_DIGITS if column.name in _ADDED else FEW_DIGITS)
    )


def _beside_masked(masked: pd.DataFrame, whole: pd.DataFrame) -> pd.Series:
    """Tell the rows of a variable, or an outcome, of which some count is masked."""
    counts = masked.columns.intersection(_COUNTS)
    gone = (masked[counts].isna() & whole[counts].notna()).any(axis=1)
    about = masked["variable" if "variable" in masked else "outcome"]
    return gone.groupby(about, dropna=False).transform("any").astype(bool)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
