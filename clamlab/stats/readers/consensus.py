"""One value per scan from several readers, and its way into Table 2 and Figure 10."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clamlab.stats.readers.paired import FIRST, Laid, checked, lay_out
from clamlab.stats.readers.scores import ROLE, Score, scores_of

RULES = {
    "lower": "the lower of the two middle levels",
    "upper": "the upper of the two middle levels",
    "missing": "no value",
}


def reader_means(
    readings: pd.DataFrame, scores: Mapping[str, Any], *, between: str = "lower"
) -> pd.DataFrame:
    """Get one value per scan and score from all who read it: a mean, or a median of levels.

    Second looks at a scan do not enter: they tell a reader's own agreement, and nothing else.

    Parameters
    ----------
    readings : DataFrame
        As for `reader_agreement`.
    scores : mapping
        The contract, or a mapping of names to levels.
    between : {"lower", "upper", "missing"}
        What an even number of readers gives whose median lies between two levels: the lower or the
        upper of the two middle levels, or no value.

    Returns
    -------
    DataFrame
        ``subject_id`` and a column per score that anybody read, one row per scan. Numbers are the
        mean of the readers who could read the scan, levels their median, in the contract's own
        values and order; where nobody could, the value is missing. ``attrs["said"]`` tells, score
        by score, the rule in words, how many scans had to be settled by it, and how many have no
        value.

    Raises
    ------
    ValueError
        If ``between`` is unknown, a value is none of its score's, or a row stands there twice.

    Examples
    --------
    >>> rows = [("S1", "AB", "fibrosis", 1), ("S1", "CD", "fibrosis", 2),
    ...         ("S2", "AB", "fibrosis", 3), ("S2", "CD", "fibrosis", "unreadable")]
    >>> readings = pd.DataFrame(rows, columns=["subject_id", "reader", "score", "value"])
    >>> table = reader_means(readings, {"fibrosis": [0, 1, 2, 3]})
    >>> table["fibrosis"].tolist(), table.attrs["said"]
    ([1, 3], ['Fibrosis: median of up to 2 readers; where it lies between two levels, the lower of
    the two middle levels (1 of 2 scans)'])
    """
    if between not in RULES:
        raise ValueError(f"between {between!r} is not one of {', '.join(RULES)}")
    table = checked(readings)
    table = table[table["repeat"] == FIRST]
    settled = pd.DataFrame({"subject_id": pd.unique(table["subject_id"])})
    said = []
    for score in scores_of(scores):
        laid = lay_out(table, score)
        if laid.codes.empty:
            said.append(f"{score.title}: read by nobody, left out")
            continue
        one = _medians(laid, score, between) if score.levels else laid.codes.mean(axis=1)
        settled[score.name] = _typed(settled["subject_id"].map(one), score)
        said.append(_said(laid, score, between))
    settled.attrs["said"] = said
    return settled


def join_readings(
    table: pd.DataFrame,
    schema: Mapping[str, Any],
    *,
    readings: pd.DataFrame | None,
    scores: Mapping[str, Any],
    between: str = "lower",
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Put what readers saw beside the clinical columns, as Table 2 and Figure 10 take it.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with ``subject_id``.
    schema : mapping
        Its contract.
    readings, scores, between
        As for `reader_means`; readings may be None, where nobody read: nothing is joined then.

    Returns
    -------
    (DataFrame, dict)
        The table with a column per score, and a contract that knows them as visual scores read by
        a person (``x-source`` ``reader``). A score whose name the table has already becomes
        ``name_read``: what stood there stays. ``attrs["said"]`` is that of `reader_means`, and
        says which scans of the table nobody read and which readings have no row in it.

    Raises
    ------
    ValueError
        If the table has no ``subject_id``, or a subject twice.

    Examples
    --------
    >>> cohort = pd.DataFrame({"subject_id": ["S1", "S2"], "cluster": [0, 1]})
    >>> rows = pd.DataFrame({"subject_id": ["S1"], "reader": "AB", "score": "fibrosis", "value": 2})
    >>> contract = {"properties": {"subject_id": {"type": "string", "x-role": "id"}}}
    >>> joined, known = join_readings(cohort, contract, readings=rows, scores={"fibrosis": [0, 2]})
    >>> joined["fibrosis"].tolist(), known["properties"]["fibrosis"]["x-source"]
    ([2, nan], 'reader')
    """
    if "subject_id" not in table or table["subject_id"].duplicated().any():
        raise ValueError("expected a table with the column subject_id, each subject once")
    if readings is None:
        return table, dict(schema)
    means = reader_means(readings, scores, between=between)
    read = [score for score in scores_of(scores) if score.name in means]
    named = {s.name: f"{s.name}_read" if s.name in table else s.name for s in read}
    clash = sorted({name for name in named.values() if name in table})
    if clash:
        raise ValueError(f"the table has {', '.join(clash)} already: readings are joined once")
    rules = {named[score.name]: _entry(score, named[score.name]) for score in read}
    ids = table["subject_id"].astype(str)
    joined = table.assign(
        **{new: _at(means, old, ids).set_axis(table.index) for old, new in named.items()}
    )
    joined.attrs = {**table.attrs, "said": [*table.attrs.get("said", []), *means.attrs["said"]]}
    unread = int((~ids.isin(means["subject_id"])).sum())
    others = int((~means["subject_id"].isin(ids)).sum())
    joined.attrs["said"] += [f"{unread} of {len(ids)} scans were read by nobody"] if unread else []
    joined.attrs["said"] += (
        [f"{others} scans that were read are not in the table"] if others else []
    )
    return joined, {**schema, "properties": {**schema.get("properties", {}), **rules}}


def as_outcomes(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Let Figure 10 model what readers saw: visual scores count as outcomes in this contract.

    For `stats.outcomes` only; Table 2 takes the contract as it is. A score with levels has no
    linear model and is named there as left out.

    Parameters
    ----------
    schema : mapping
        A contract; left as it is.

    Returns
    -------
    dict
        The contract with other roles. Where a score comes from stays: ``reader``.

    Examples
    --------
    >>> contract = {"properties": {"extent": {"type": "number", "x-role": "visual_score"}}}
    >>> as_outcomes(contract)["properties"]["extent"]
    {'type': 'number', 'x-role': 'outcome', 'x-source': 'reader'}
    """
    changed = {
        name: {**rule, "x-role": "outcome", "x-source": rule.get("x-source", "reader")}
        for name, rule in schema["properties"].items()
        if rule.get("x-role") == ROLE
    }
    return {**schema, "properties": {**schema["properties"], **changed}}


def _at(means: pd.DataFrame, name: str, ids: pd.Series) -> pd.Series:
    """Give a column in the order of some subjects, of the type it has."""
    return means.set_index("subject_id")[name].reindex(ids.to_numpy())


def _medians(laid: Laid, score: Score, between: str) -> pd.Series:
    """Give each scan's median place among the levels, by the rule where it lies between two."""
    low, high = _middle(laid)
    return {"lower": low, "upper": high, "missing": low.where(low == high)}[between]


def _middle(laid: Laid) -> tuple[pd.Series, pd.Series]:
    """Give the two middle places of each scan's levels: one and the same for an odd number."""
    lower, higher = (laid.codes.quantile(0.5, axis=1, interpolation=w) for w in ("lower", "higher"))
    return lower, higher


def _typed(values: pd.Series, score: Score) -> pd.Series:
    if not score.levels:
        return values.astype(float)
    levels = list(score.levels)
    found = [np.nan if pd.isna(place) else levels[int(place)] for place in values]
    kind = pd.CategoricalDtype(levels, ordered=True)
    return pd.Series(pd.Categorical(found, dtype=kind), index=values.index)


def _said(laid: Laid, score: Score, between: str) -> str:
    n, readers = len(laid.codes), len(laid.readers)
    dark = int((laid.codes.isna().all(axis=1) & laid.unreadable.any(axis=1)).sum())
    rest = f"; {dark} unreadable to all who looked: no value" if dark else ""
    if not score.levels:
        return f"{score.title}: mean of up to {readers} readers{rest}"
    low, high = _middle(laid)
    split = int((low < high).sum())
    return (
        f"{score.title}: median of up to {readers} readers; where it lies between two levels, "
        f"{RULES[between]} ({split} of {n} scans){rest}"
    )


def _entry(score: Score, name: str) -> dict[str, Any]:
    """Make the contract's entry of a score that was read: a visual score, and it may be missing."""
    rule = {**score.rule, "x-role": ROLE, "x-source": "reader"}
    if name != score.name:
        rule["title"] = f"{score.title}, read again"
    if score.levels:
        rule.pop("type", None)
        return {**rule, "enum": [*score.levels, None]}
    return {**rule, "type": ["number", "null"]}  # a mean of whole numbers need not be one
