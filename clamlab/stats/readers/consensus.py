"""One value per scan from several readers, and its way into Table 2 and Figure 10."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clamlab.stats.readers.paired import FIRST, Laid, checked, lay_out
from clamlab.stats.readers.scores import ROLE, Score, scores_of
from clamlab.stats.readers.to_read import EXTENT, scores_to_read

OUTCOME = "outcome"
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
        by score, how many readers gave each value, the rule in words, how many scans had to be
        settled by it, and how many have no value. It names no reader: it is meant for print.

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
    ([1, 3], ['Fibrosis: median of 2 readers (1 scan has values of 2, 1 of one alone); where it
    lies between two levels, the lower of the two middle levels (1 scan)'])
    """
    if between not in RULES:
        raise ValueError(f"between {between!r} is not one of {', '.join(RULES)}")
    table = checked(readings)
    table = table[table["repeat"] == FIRST]
    settled = pd.DataFrame({"subject_id": pd.unique(table["subject_id"])})
    said = []
    for score in scores_of(scores) if scores else []:
        laid = lay_out(table, score)
        if laid.codes.empty:
            said.append(f"{score.title}: read by nobody, left out")
            continue
        one = _medians(laid, score, between) if score.levels else laid.codes.mean(axis=1)
        settled[score.name] = _typed(settled["subject_id"].map(one), score)
        said.append(_said(laid, score, between))
    settled.attrs["said"] = said + _unknown(table, scores)
    return settled


def join_readings(
    table: pd.DataFrame,
    schema: Mapping[str, Any],
    *,
    readings: pd.DataFrame | None,
    scores: Mapping[str, Any] | None = None,
    between: str = "lower",
    role: str = ROLE,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Put what readers saw beside the clinical columns, as Table 2 and Figure 10 take it.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with ``subject_id``.
    schema : mapping
        Its contract.
    readings : DataFrame or None
        As for `reader_means`; None where nobody read: nothing is joined then.
    scores : mapping, optional
        As for `reader_means`; by default those of `scores_to_read` that somebody read.
    between
        As for `reader_means`.
    role : {"visual_score", "outcome"}
        "outcome" is for `stats.outcomes` alone, which make models of numbers: scores with levels
        are then named and left out.

    Returns
    -------
    (DataFrame, dict)
        The table with a column per score, and a contract that knows them as read by a person from
        the image (``x-source`` ``reader``). A score whose name the table has already becomes
        ``name_read``: what stood there stays. ``attrs["said"]`` is that of `reader_means`, and
        says how many scans of the table nobody read and how many readings have no row in it.

    Raises
    ------
    ValueError
        If the table has no ``subject_id``, or a subject twice.

    Examples
    --------
    >>> cohort = pd.DataFrame({"subject_id": ["S1", "S2"], "cluster": [0, 1]})
    >>> rows = pd.DataFrame({"subject_id": ["S1"], "reader": "AB", "score": "fibrosis", "value": 2})
    >>> contract = {"properties": {"fibrosis": {"enum": [0, 2], "x-role": "visual_score"}}}
    >>> joined, known = join_readings(cohort, contract, readings=rows)
    >>> joined["fibrosis"].tolist(), known["properties"]["fibrosis"]["x-source"]
    ([2, nan], 'reader')
    """
    if role not in (ROLE, OUTCOME):
        raise ValueError(f"role {role!r} is not one of {ROLE}, {OUTCOME}")
    if "subject_id" not in table or table["subject_id"].duplicated().any():
        raise ValueError("expected a table with the column subject_id, each subject once")
    if readings is None:
        return table, dict(schema)
    if scores is None:
        given = set(checked(readings)["score"])
        # A column of the contract that nobody was asked to read need not be one that can be.
        scores = {n: rule for n, rule in _known(schema).items() if n in given}
    scored = {s.name: s for s in _titled(scores, table)}
    means = reader_means(readings, {n: s.rule for n, s in scored.items()}, between=between)
    read = [score for name, score in scored.items() if name in means]
    taken = [score for score in read if role == ROLE or not score.levels]
    named = {s.name: f"{s.name}_read" if s.name in table else s.name for s in taken}
    clash = sorted({name for name in named.values() if name in table})
    if clash:
        raise ValueError(f"the table has {', '.join(clash)} already: readings are joined once")
    rules = {named[score.name]: _entry(score, role) for score in taken}
    ids = table["subject_id"].astype(str)
    joined = table.assign(
        **{new: _at(means, old, ids).set_axis(table.index) for old, new in named.items()}
    )
    graded = [
        f"{s.title}: levels, of which no linear model is made; see Table 2"
        for s in read
        if s not in taken
    ]
    said = [*means.attrs["said"], *graded, *_who_is_where(ids, means["subject_id"])]
    joined.attrs = {**table.attrs, "said": [*table.attrs.get("said", []), *said]}
    # At the end, behind what comes from outside the image.
    columns = {n: rule for n, rule in schema.get("properties", {}).items() if n not in rules}
    return joined, {**schema, "properties": {**columns, **rules}}


def _known(schema: Mapping[str, Any]) -> dict[str, Any]:
    """List every score that may have been read: also the one that stood in for the contract's."""
    return {**EXTENT, **scores_to_read(schema)}


def _titled(scores: Mapping[str, Any], table: pd.DataFrame) -> list[Score]:
    """List scores by the titles that their columns get: one that the table has is read again."""
    given = scores_of(scores) if scores else []
    return [
        Score(s.name, s.levels, {**s.rule, "title": f"{s.title}, read again"})
        if s.name in table
        else s
        for s in given
    ]


def _unknown(table: pd.DataFrame, scores: Mapping[str, Any]) -> list[str]:
    """Say which readings are of no score that is known, so that none is lost in silence."""
    known = [score.name for score in scores_of(scores)] if scores else []
    others = table.loc[~table["score"].isin(known), "score"].value_counts(sort=False)
    return [
        f"{name}: no visual score of the contract; {_counted(n, 'reading')} left out"
        for name, n in others.items()
    ]


def _who_is_where(ids: pd.Series, read: pd.Series) -> list[str]:
    """Say which scans have no reading, and which readings no scan."""
    unread, others = int((~ids.isin(read)).sum()), int((~read.isin(ids)).sum())
    said = [f"{unread} of {len(ids)} scans were read by nobody"] if unread else []
    if others:
        verb = "was read and is" if others == 1 else "were read and are"
        said.append(f"{_counted(others, 'scan')} {verb} not in this table")
    return said


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
    dark = int((laid.codes.isna().all(axis=1) & laid.unreadable.any(axis=1)).sum())
    rest = f"; {_counted(dark, 'scan')} unreadable to all who looked: no value" if dark else ""
    n_readers, by = len(laid.readers), laid.codes.notna().sum(axis=1)
    if n_readers == 1:
        return (
            f"{score.title}: as 1 reader gave it ({_counted(int((by == 1).sum()), 'scan')}){rest}"
        )
    rule = "median" if score.levels else "mean"
    told = f"{score.title}: {rule} of {n_readers} readers{_by_how_many(by)}"
    if not score.levels:
        return f"{told}{rest}"
    low, high = _middle(laid)
    split = _counted(int((low < high).sum()), "scan")
    return f"{told}; where it lies between two levels, {RULES[between]} ({split}){rest}"


def _by_how_many(by: pd.Series) -> str:
    """Say of how many readers scans have a value."""
    counts = by[by > 0].value_counts().sort_index(ascending=False)
    told = [f"{n} of {'one alone' if k == 1 else k}" for k, n in counts.items()]
    if not told:
        return ""
    n, _, of = told[0].partition(" ")
    have = "scan has values" if n == "1" else "scans have values"
    return f" ({', '.join([f'{n} {have} {of}', *told[1:]])})"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _entry(score: Score, role: str) -> dict[str, Any]:
    """Make the contract's entry of a score that was read: by a person, and it may be missing."""
    rule = {**score.rule, "x-role": role, "x-source": "reader"}
    if score.levels:
        rule.pop("type", None)
        return {**rule, "enum": [*score.levels, None]}
    return {**rule, "type": ["number", "null"]}  # a mean of whole numbers need not be one
