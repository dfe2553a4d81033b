"""How many subjects came how far, from the table to the study."""

import pandas as pd

from clamlab.ingest.cohort.decisions import REJECT


def cohort_flow(qc: pd.DataFrame, exclusions: pd.DataFrame) -> pd.DataFrame:
    """See how many subjects of the table are in the study, and where the others were lost.

    Parameters
    ----------
    qc : DataFrame
        From :func:`ingest_cohort`.
    exclusions : DataFrame
        One row per subject of the table that has no scan: ``subject_id``.

    Returns
    -------
    DataFrame
        Index: the step, in words; ``n``, the number of subjects.

    Examples
    --------
    >>> qc = pd.DataFrame({"subject_id": list("abcd"),
    ...                    "status": ["ok", "review", "excluded", "excluded"],
    ...                    "decision": [None, None, "reject", None]})
    >>> cohort_flow(qc, pd.DataFrame({"subject_id": ["e"]}))["n"].tolist()
    [5, 1, 1, 1, 2, 1]
    """
    excluded, rejected = qc["status"] == "excluded", qc["decision"] == REJECT
    without = exclusions["subject_id"].nunique()
    steps = {
        "in the table": len(qc) + without,
        "without a scan of their own": without,
        "could not be used": (excluded & ~rejected).sum(),
        "rejected by a person": (excluded & rejected).sum(),
        "in the study": (~excluded).sum(),
        "of these, marked review and not decided": (qc["status"] == "review").sum(),
    }
    return pd.DataFrame({"n": pd.Series(steps, dtype=int)})
