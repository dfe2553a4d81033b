"""What readers score in a study, and how far each of them has come."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clamlab.stats.readers.paired import FIRST, checked
from clamlab.stats.readers.scores import ROLE, Score, scores_of

Rules = dict[str, dict[str, Any]]
EXTENT: Rules = {
    "extent_of_disease": {
        "title": "Extent of disease",
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "x-units": "%",
        "description": "Share of the lungs that looks abnormal, to the nearest 5 %",
    }
}


def scores_to_read(schema: Mapping[str, Any], only: Sequence[str] | None = None) -> Rules:
    """Get what readers score in a study: the contract's visual scores, or one that stands in.

    Parameters
    ----------
    schema : mapping
        The contract. Its columns with ``x-role`` ``visual_score`` are scored.
    only : sequence of str, optional
        Some of them, in the order of the contract.

    Returns
    -------
    dict
        Each score's rule by its name. A contract without any gets one that suits most lungs: the
        extent of disease in per cent, as a number from 0 to 100.

    Raises
    ------
    ValueError
        If one that is asked for is none of them.

    Examples
    --------
    >>> grades = {"fibrosis": {"enum": [0, 1, 2], "x-role": "visual_score"}}
    >>> list(scores_to_read({"properties": grades}))
    ['fibrosis']
    >>> list(scores_to_read({"properties": {}}))
    ['extent_of_disease']
    """
    columns = schema.get("properties", {})
    rules = {name: rule for name, rule in columns.items() if rule.get("x-role") == ROLE} or EXTENT
    if unknown := [name for name in only or () if name not in rules]:
        raise ValueError(
            f"no score {', '.join(map(repr, unknown))}: there are {', '.join(rules)} (a column of "
            f"the contract with x-role {ROLE!r} is one)"
        )
    return {n: {"title": n, **rule} for n, rule in rules.items() if not only or n in only}


def reading_progress(
    readings: pd.DataFrame | None, scores: Mapping[str, Any], *, subject_ids: Sequence[str]
) -> pd.DataFrame:
    """Tell how many of the scans each reader has read to the end.

    Parameters
    ----------
    readings : DataFrame or None
        As for `reader_agreement`; None where nobody read.
    scores : mapping
        What is to be scored (see `scores_of`).
    subject_ids : sequence of str
        The scans that are to be read.

    Returns
    -------
    DataFrame
        One row per reader, in the order of the readings: ``reader``, ``n_read`` (scans with a value
        for every score, or "unreadable"), ``n_begun`` (with a value for some of them) and
        ``n_scans``. Second looks do not count.

    Examples
    --------
    >>> readings = pd.DataFrame({"subject_id": ["S1", "S2"], "reader": "AB", "score": "fibrosis",
    ...                          "value": [2, "unreadable"]})
    >>> table = reading_progress(readings, {"fibrosis": [0, 1, 2]}, subject_ids=["S1", "S2", "S3"])
    >>> table.values.tolist()
    [['AB', 2, 0, 3]]
    """
    columns = ["reader", "n_read", "n_begun", "n_scans"]
    if readings is None or readings.empty:
        return pd.DataFrame(columns=columns)
    table, wanted = checked(readings), {score.name: score for score in scores_of(scores)}
    order = list(dict.fromkeys(table["reader"]))
    asked = table["subject_id"].isin(list(subject_ids)) & table["score"].isin(wanted)
    first = table[asked & (table["repeat"] == FIRST)]
    given = first[[_fits(wanted[row.score], row.value) for row in first.itertuples()]]
    n_given = given.groupby(["reader", "subject_id"]).size()
    rows = []
    for name in order:
        of_reader = n_given[n_given.index.get_level_values("reader") == name]
        n_read = int((of_reader == len(wanted)).sum())
        rows.append([name, n_read, len(of_reader) - n_read, len(subject_ids)])
    return pd.DataFrame(rows, columns=columns)


def _fits(score: Score, value: object) -> bool:
    """Whether a value is one of the score's: one from when the levels were others is none."""
    try:
        return not pd.isna(value) and bool(score.text(value))
    except ValueError:
        return False
