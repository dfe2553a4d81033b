"""Facts of how scans were made nest: a manufacturer's scans less those of a model are another's."""

import pandas as pd

ROLE = "scanner"


def hidden_scanner_rows(masked: pd.DataFrame, whole: pd.DataFrame) -> pd.Series:
    """Tell the rows of all scanner columns with levels, where a count of one of them is masked.

    What one column masks could be worked out with another, since each hides partners of its own.

    Parameters
    ----------
    masked, whole : DataFrame
        The same Table 2, with and without what is masked.

    Returns
    -------
    Series of bool
        False for all rows where no count of a scanner is masked.

    Examples
    --------
    >>> whole = pd.DataFrame({"role": ["scanner", "scanner", "demographic"], "count": [21, 1, 9]})
    >>> whole["kind"] = "categorical"
    >>> hidden_scanner_rows(whole.assign(count=[21, None, 9]), whole).tolist()
    [True, True, False]
    >>> hidden_scanner_rows(whole, whole).any()
    np.False_
    """
    own = whole["role"].eq(ROLE) & whole["kind"].eq("categorical")
    gone = masked["count"].isna() & whole["count"].notna()
    return own & bool((own & gone).any())
