"""Tests and effect sizes between groups, each with its name, or the reason why there is none."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

PRESETS = ("recommended", "paper")
MONTE_CARLO_TABLES = 9999
_NORMAL_95 = stats.norm.ppf(0.975)


def check_preset(preset: str) -> None:
    """Refuse a preset nobody defined."""
    if preset not in PRESETS:
        raise ValueError(f"preset {preset!r} is not one of {', '.join(PRESETS)}")


def adjust_p(p: Sequence[float], method: str) -> np.ndarray:
    """Adjust p-values for their number; missing ones stay missing and are not counted.

    ``method`` is ``"holm"`` (family-wise error) or ``"bh"`` (false discovery rate,
    Benjamini and Hochberg).

    >>> adjust_p([0.01, float("nan"), 0.04], "holm").tolist()
    [0.02, nan, 0.04]
    """
    raw = np.asarray(p, dtype=float)
    adjusted = np.full(raw.shape, np.nan)
    known = ~np.isnan(raw)
    if known.any():
        adjusted[known] = _ADJUSTMENTS[method](raw[known])
    return adjusted


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(stepped, 1)[np.argsort(order)]


_ADJUSTMENTS = {"holm": _holm, "bh": stats.false_discovery_control}


def compare_means(samples: Sequence[np.ndarray], preset: str) -> dict:
    """Test whether the means of two or more samples (values without gaps) differ.

    Preset "paper" is one-way ANOVA with equal variances (for two groups the pooled t
    test), "recommended" is Welch's test. Groups of fewer than two values are left out
    of the test and named in the note.

    Returns
    -------
    dict
        test, statistic (t for two groups, otherwise F), df1, df2, p,
        effect ("eta squared"), effect_size, note.
    """
    note = ""
    usable = [sample for sample in samples if len(sample) >= 2]
    if len(usable) < len(samples):
        note = "groups of fewer than two values are left out of the test"
    if len(usable) < 2:
        return {"note": note or "one cluster only: nothing to compare"}
    spreads = [np.ptp(sample) for sample in usable]  # a variance would keep what rounding leaves
    if max(spreads) == 0 or (preset == "recommended" and min(spreads) == 0):
        constant = "constant" if max(spreads) == 0 else "constant within one cluster"
        return {"note": f"{constant}: no test of means"}
    two = len(usable) == 2
    result = anova_oneway(usable, use_var="equal" if preset == "paper" else "unequal")
    if preset == "paper":
        name = "pooled t (one-way ANOVA)" if two else "one-way ANOVA"
    else:
        name = "Welch t" if two else "Welch ANOVA"
    statistic = float(result.statistic)
    if two:  # F is the square of t; t keeps the direction
        statistic = float(np.sign(usable[0].mean() - usable[1].mean()) * np.sqrt(statistic))
    pooled = np.concatenate(usable)
    within = sum(np.sum((sample - sample.mean()) ** 2) for sample in usable)
    return {
        "test": name,
        "statistic": statistic,
        "df1": float(result.df_num),
        "df2": float(result.df_denom),
        "p": float(result.pvalue),
        "effect": "eta squared",
        "effect_size": 1 - within / np.sum((pooled - pooled.mean()) ** 2),
        "note": note,
    }


def compare_counts(counts: np.ndarray, preset: str, *, seed: int = 0) -> dict:
    """Test whether the shares of levels differ between groups.

    Preset "paper" is the chi-squared test, with Yates' correction for two by two.
    "recommended" is Pearson's without correction; where an expected count is below 5,
    Fisher's exact test (two by two) or seeded Monte Carlo over tables with the same margins.

    Parameters
    ----------
    counts : array of int, shape (n_levels, n_groups)
        Empty levels and empty groups are ignored.

    Returns
    -------
    dict
        test, statistic, df1, p, effect ("Cramer's V"), effect_size, note.

    Examples
    --------
    >>> compare_counts(np.array([[51, 91], [75, 84]]), "paper")["test"]
    'chi-squared (Yates)'
    """
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if counts.size == 0:
        return {"note": "empty: no test"}
    if counts.shape[1] < 2:
        return {"note": "one cluster only: nothing to compare"}
    if counts.shape[0] < 2:
        return {"note": "one level only: no test"}
    two_by_two = counts.shape == (2, 2)
    plain = stats.chi2_contingency(counts, correction=False)
    statistic, p, name, note = plain.statistic, plain.pvalue, "chi-squared", ""
    small = plain.expected_freq.min() < 5
    if preset == "paper" and two_by_two:
        statistic, p = stats.chi2_contingency(counts, correction=True)[:2]
        name = "chi-squared (Yates)"
    elif preset == "recommended" and small and two_by_two:
        statistic, p = stats.fisher_exact(counts)
        name = "Fisher exact"
    elif preset == "recommended" and small:
        p = _monte_carlo_p(counts, plain, seed)
        name = "chi-squared (Monte Carlo)"
    if preset == "paper" and small:
        note = "an expected count is below 5: the chi-squared p is approximate"
    return {
        "test": name,
        "statistic": float(statistic),
        "df1": float(plain.dof),
        "p": float(p),
        "effect": "Cramer's V",
        "effect_size": float(np.sqrt(plain.statistic / counts.sum() / (min(counts.shape) - 1))),
        "note": note,
    }


def _monte_carlo_p(counts: np.ndarray, plain, seed: int) -> float:
    """Share of random tables with the same margins that are at least as uneven (Hope 1968)."""
    drawn = stats.random_table(counts.sum(axis=1), counts.sum(axis=0)).rvs(
        MONTE_CARLO_TABLES, random_state=np.random.default_rng(seed)
    )
    uneven = ((drawn - plain.expected_freq) ** 2 / plain.expected_freq).sum(axis=(1, 2))
    # The tolerance keeps tables that tie with the observed one despite rounding.
    return (1 + np.sum(uneven >= plain.statistic * (1 - 1e-9))) / (MONTE_CARLO_TABLES + 1)


def difference_of_means(first: np.ndarray, second: np.ndarray, preset: str) -> dict:
    """Give the difference first - second with its 95 % interval, and the standardised one."""
    if min(len(first), len(second)) < 2:
        return {"note": "fewer than two values in a cluster: no difference"}
    if np.ptp(first) == np.ptp(second) == 0:
        return {"note": "constant: no standardised difference"}
    means = CompareMeans(DescrStatsW(first), DescrStatsW(second))
    low, high = means.tconfint_diff(usevar="pooled" if preset == "paper" else "unequal")
    return {
        "difference": first.mean() - second.mean(),
        "difference_low": low,
        "difference_high": high,
        **standardised_difference(first, second),
    }


def standardised_difference(first: np.ndarray, second: np.ndarray) -> dict:
    """Give the standardised mean difference first - second with its 95 % interval.

    The divisor is the root of the mean of both variances (Austin 2009); the interval is
    Hedges and Olkin's.

    >>> round(standardised_difference(np.array([1., 2, 3]), np.array([2., 3, 4]))["smd"], 3)
    -1.0
    """
    spread = np.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2)
    if np.ptp(first) == np.ptp(second) == 0:
        return {"note": "constant: no standardised difference"}
    return _smd_interval((first.mean() - second.mean()) / spread, len(first), len(second))


def difference_of_shares(counts: np.ndarray) -> dict:
    """Give the standardised difference of two groups' shares of levels.

    For two levels it carries the sign of the second (printed) level's share in the first
    group minus the second, and the difference itself has Newcombe's 95 % interval, in
    percentage points. For more it is the multinomial distance of Yang and Dalton (2012),
    which has no sign; its interval is cut at 0.

    Parameters
    ----------
    counts : array of int, shape (n_levels, 2)
        The reference level first.
    """
    sizes = counts.sum(axis=0)
    if sizes.min() == 0:
        return {"note": "no values in a cluster: no difference"}
    if np.count_nonzero(counts.sum(axis=1)) < 2:
        return {"note": "one level only: no difference"}
    shares = (counts / sizes)[1:]
    gap = shares[:, 0] - shares[:, 1]
    mean_covariance = sum(np.diag(s) - np.outer(s, s) for s in shares.T) / 2
    inverse = np.linalg.pinv(mean_covariance, hermitian=True)
    if not np.allclose(mean_covariance @ inverse @ gap, gap):
        return {"note": "a level separates the clusters fully: no standardised difference"}
    distance = float(np.sqrt(gap @ inverse @ gap))
    if len(counts) != 2:
        found = _smd_interval(distance, *sizes)
        return {**found, "smd_low": max(0.0, found["smd_low"])}
    low, high = confint_proportions_2indep(
        counts[1, 0], sizes[0], counts[1, 1], sizes[1], method="newcomb"
    )
    return {
        "difference": 100 * gap[0],
        "difference_low": 100 * low,
        "difference_high": 100 * high,
        **_smd_interval(float(np.sign(gap[0])) * distance, *sizes),
    }


def _smd_interval(smd: float, n_first: int, n_second: int) -> dict:
    n = n_first + n_second
    error = np.sqrt(n / (n_first * n_second) + smd**2 / (2 * n))
    return {
        "smd": float(smd),
        "smd_low": float(smd - _NORMAL_95 * error),
        "smd_high": float(smd + _NORMAL_95 * error),
    }


def count_levels(values: pd.Series, levels: Sequence[str], groups: pd.Series) -> np.ndarray:
    """Count each level in each group, missing values left out: (n_levels, n_groups)."""
    names = sorted(groups.unique())
    return pd.crosstab(values, groups).reindex(index=levels, columns=names, fill_value=0).to_numpy()
