"""How often a reader chose the right one of two."""

import pandas as pd
from scipy.stats import binomtest

CHANCE = 0.5


def choice_result(choices: pd.DataFrame) -> pd.DataFrame:
    """Tell for each reader and kind of trial how many were right, and whether chance does as well.

    What it means depends on the kind: a counterfactual that cannot be told from a scan earns one
    half, and so does a map that says nothing about its cluster.

    Parameters
    ----------
    choices : DataFrame
        One row per reader and trial: ``reader``, ``kind`` and ``correct`` (yes or no). Each counts:
        leave out, by the column ``pictures``, what is about pictures of an earlier run.

    Returns
    -------
    DataFrame
        ``reader``, ``kind``, ``n_trials``, ``n_right``, ``share``, ``low`` and ``high`` (exact 95 %
        interval of Clopper and Pearson), ``chance`` (.5) and ``p`` (exact, two-sided, against
        chance). Readers are not pooled: they see the same scans.

    Raises
    ------
    ValueError
        If a column is missing, or an answer is neither right nor wrong.

    Examples
    --------
    >>> answers = ["yes"] * 9 + ["no"]
    >>> choices = pd.DataFrame({"reader": "AB", "kind": "average", "correct": answers})
    >>> choice_result(choices)[["n_right", "low", "high", "p"]].round(3).values.tolist()
    [[9.0, 0.555, 0.997, 0.021]]
    """
    if missing := {"reader", "kind", "correct"} - set(choices):
        raise ValueError(
            f"choices should have the columns reader, kind, correct; missing: {missing}"
        )
    right = choices["correct"].map({"yes": True, "no": False, True: True, False: False})
    if right.isna().any():
        raise ValueError(f"correct should be yes or no, found {set(choices['correct'])}")
    counted = right.astype(bool).groupby([choices["reader"], choices["kind"]]).agg(["size", "sum"])
    records = []
    for (reader, kind), (n, n_right) in counted.iterrows():
        test = binomtest(int(n_right), int(n), CHANCE)
        interval = test.proportion_ci(0.95, method="exact")
        share = {"n_trials": int(n), "n_right": int(n_right), "share": n_right / n}
        told = {"low": interval.low, "high": interval.high, "chance": CHANCE, "p": test.pvalue}
        records.append({"reader": reader, "kind": kind, **share, **told})
    return pd.DataFrame(records)
