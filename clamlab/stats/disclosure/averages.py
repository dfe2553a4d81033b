"""Whether averages of clusters may be shown: only where each is known to be one of enough scans."""

import pandas as pd

from clamlab.stats.disclosure.small_counts import SMALLEST, is_small


def sizes_of_maps(trust: pd.DataFrame) -> pd.Series | None:
    """Return how many scans each cluster had when its maps were averaged; None where untold.

    >>> cards = pd.DataFrame({"cluster": [0, 0, 1], "n_scans": [20, 20, 28]})
    >>> sizes_of_maps(cards).to_dict(), sizes_of_maps(cards[["cluster"]])
    ({0: 20, 1: 28}, None)
    """
    return trust.groupby("cluster")["n_scans"].min() if "n_scans" in trust else None


def sizes_of_outcomes(associations: pd.DataFrame) -> pd.Series:
    """Return how many scans each cluster had when its outcomes were; none where none were.

    >>> rows = pd.DataFrame({"part": "group", "group": [None, 0, 1], "n": [5, 3, 2]})
    >>> sizes_of_outcomes(rows.assign(n_missing=[2, 2, 0])).to_dict()
    {0: 5, 1: 2}
    """
    rows = associations[(associations["part"] == "group") & associations["group"].notna()]
    sizes = (rows["n"] + rows["n_missing"]).groupby(rows["group"].astype(int)).min()
    return sizes.rename("n_scans")


def why_hidden(made_of: pd.Series | None, now: pd.Series | None) -> str:
    """Say why averages may not be shown; nothing where they may.

    Parameters
    ----------
    made_of : Series or None
        Scans of each cluster when the averages were made, which may be of another run than today's
        clusters; None or missing where nobody knows.
    now : Series or None
        Scans of each cluster of today.

    Returns
    -------
    str

    Examples
    --------
    >>> why_hidden(pd.Series([20, 28]), pd.Series([20, 28]))
    ''
    >>> why_hidden(pd.Series([2, 46]), pd.Series([20, 28]))
    'a cluster had fewer than 5 scans when they were made, and an average of so few shows persons'
    """
    for sizes, has, when in ((made_of, "had", " when they were made"), (now, "has", "")):
        if sizes is None or sizes.isna().any():
            return (
                f"how many scans each cluster {has}{when} is not known, and an average of a few "
                "shows persons"
            )
        if is_small(sizes).any():
            few = f"fewer than {SMALLEST} scans{when}"
            return f"a cluster {has} {few}, and an average of so few shows persons"
    return ""
