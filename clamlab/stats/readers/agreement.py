"""How well readers agree, with one another and with themselves."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clamlab.stats.readers.paired import FIRST, SECOND, Laid, checked, lay_out
from clamlab.stats.readers.scores import Score, scores_of

COLUMNS = (  # noqa: SIM905 - a name a line would fill the page
    "score title kind reader other_reader n_scans n_unreadable n_not_read_by_all percent_equal "
    "statistic estimate low high note"
).split()
FEW = 30  # scans below which a percentile interval is somewhat too short
ALL, SAME = "all readers", "same reader"
Statistic = Callable[[NDArray], float]


def reader_agreement(
    readings: pd.DataFrame, scores: Mapping[str, Any], *, n_resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Tell how well readers agree, each two of them and each with a second look of their own.

    Parameters
    ----------
    readings : DataFrame
        One row per scan, reader and score: ``subject_id``, ``reader``, ``score``, ``value`` (a
        level, a number or "unreadable") and ``repeat`` (1, or 2 where a scan was shown again).
    scores : mapping
        The contract, or a mapping of names to levels (see `scores_of`).
    n_resamples : int
        Resamples of scans for the intervals.
    seed : int

    Returns
    -------
    DataFrame
        One row per score, two readers and statistic. ``kind`` is "between readers" (first looks)
        or "same reader" (first and second look). Levels get Cohen's kappa with linear and with
        quadratic weights, over all levels of the contract also where some were never given;
        numbers get ICC(2,1): two-way random effects, absolute agreement, of a single reader (with
        a further row over all readers, if they are more than two). ``low`` and ``high`` are the 95
        % percentile interval of a bootstrap by scan. ``n_scans`` have a value of both,
        ``n_unreadable`` were seen by both and called unreadable by one or both,
        ``n_not_read_by_all`` by one only: neither enters. ``percent_equal`` is the share of scans
        with the very same value. ``note`` says why a number is missing, or is to be doubted.

    Raises
    ------
    ValueError
        If a value is none of its score's, or a row stands there twice.

    Notes
    -----
    Quadratic weights are Fleiss and Cohen's, close to an ICC; linear ones count a step of two
    levels as two steps. Kappa falls where one level is rare, however well readers agree: look at
    ``percent_equal`` beside it.

    References
    ----------
    Cohen, Weighted kappa, Psychological Bulletin 1968. Shrout and Fleiss, Intraclass correlations:
    uses in assessing rater reliability, Psychological Bulletin 1979.

    Examples
    --------
    >>> rows = [(f"S{i}", name, "fibrosis", grade) for i in range(12)
    ...         for name, grade in [("AB", i % 4), ("CD", i % 4 if i % 5 else 1)]]
    >>> readings = pd.DataFrame(rows, columns=["subject_id", "reader", "score", "value"])
    >>> table = reader_agreement(readings, {"fibrosis": [0, 1, 2, 3]})
    >>> table[["statistic", "n_scans", "estimate"]].round(2).values.tolist()
    [['kappa, linear weights', 12, 0.86], ['kappa, quadratic weights', 12, 0.93]]
    """
    table = checked(readings)
    records: list[dict] = []
    for score in scores_of(scores):
        laid = lay_out(table, score)
        for what, columns in _comparisons(laid, score):
            values, counts = laid.complete(columns)
            equal = (values == values[:, :1]).all(axis=1)
            head = {"score": score.name, "title": score.title, **what, **counts}
            head["percent_equal"] = 100 * equal.mean() if len(equal) else np.nan
            for name, statistic in _statistics(score).items():
                told = _estimated(values, statistic, n_resamples, seed)
                records.append({**head, "statistic": name, **told})
    return pd.DataFrame(records, columns=COLUMNS)


def weighted_kappa(pairs: NDArray, *, n_levels: int, power: int) -> float:
    """Cohen's kappa of two columns of levels' places; a step of d levels weighs d to a power."""
    first, second = pairs.astype(int).T
    counts = np.bincount(first * n_levels + second, minlength=n_levels**2)
    seen = counts.reshape(n_levels, n_levels) / max(1, len(pairs))
    apart = np.abs(np.subtract.outer(np.arange(n_levels), np.arange(n_levels))) ** power
    by_chance = (apart * np.outer(seen.sum(axis=1), seen.sum(axis=0))).sum()
    return float(1 - (apart * seen).sum() / by_chance) if by_chance else np.nan


def icc_2_1(values: NDArray) -> float:
    """Intraclass correlation of scans by readers: two-way random, absolute, single reader."""
    n, k = values.shape
    if n < 2 or np.ptp(values) == 0:
        return np.nan
    of_scan, of_reader = values.mean(axis=1, keepdims=True), values.mean(axis=0)
    rest = values - of_scan - of_reader + values.mean()
    scans = k * np.square(of_scan - values.mean()).sum() / (n - 1)
    readers = n * np.square(of_reader - values.mean()).sum() / (k - 1)
    error = np.square(rest).sum() / ((n - 1) * (k - 1))
    total = scans + (k - 1) * error + k * (readers - error) / n
    return float((scans - error) / total) if total > 0 else np.nan


def _statistics(score: Score) -> dict[str, Statistic]:
    if not score.levels:
        return {"ICC(2,1)": icc_2_1}
    kappa = partial(weighted_kappa, n_levels=len(score.levels))
    return {
        "kappa, linear weights": partial(kappa, power=1),
        "kappa, quadratic weights": partial(kappa, power=2),
    }


def _comparisons(laid: Laid, score: Score) -> Iterator[tuple[dict, list[tuple[str, int]]]]:
    """Yield who is compared with whom, and the columns that are."""
    first = [name for name in laid.readers if (name, FIRST) in laid.codes]
    between = {"kind": "between readers"}
    for one, other in combinations(first, 2):
        yield {**between, "reader": one, "other_reader": other}, [(one, FIRST), (other, FIRST)]
    if len(first) > 2 and not score.levels:
        yield {**between, "reader": ALL, "other_reader": ALL}, [(name, FIRST) for name in first]
    for name in first:
        if (name, SECOND) in laid.codes:
            same = {"kind": SAME, "reader": name, "other_reader": name}
            yield same, [(name, FIRST), (name, SECOND)]


def _estimated(values: NDArray, statistic: Statistic, n_resamples: int, seed: int) -> dict:
    """Estimate a statistic with its interval, or say why there is none."""
    n = len(values)
    if n < 2:
        return {"note": f"{n} scans with a value of both: nothing to tell"}
    if np.ptp(values) == 0:
        return {"note": "one value only was ever given: nothing to tell readers' agreement by"}
    estimate = statistic(values)
    if np.isnan(estimate):
        return {"note": "no reader's values differ: nothing to tell readers' agreement by"}
    if (values == values[:, :1]).all():
        note = "no scan was read differently: resampling cannot tell how sure that is"
        return {"estimate": estimate, "note": note}
    rng = np.random.default_rng(seed)
    drawn = [statistic(values[rng.integers(n, size=n)]) for _ in range(n_resamples)]
    lost = float(np.mean(np.isnan(drawn)))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    notes = [f"fewer than {FEW} scans: the interval is somewhat too short"] if n < FEW else []
    if lost > 0.01:
        notes.append(f"{100 * lost:.0f} % of resamples held one value only and are left out")
    return {"estimate": estimate, "low": low, "high": high, "note": "; ".join(notes)}
