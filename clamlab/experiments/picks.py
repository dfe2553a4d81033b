"""Which criterion finds the true number of clusters, and where."""

import pandas as pd

from clamlab.experiments.simulation import RUN

PICK = "pick_"
AFTER = "silhouette_after"


def number_picks(study: pd.DataFrame) -> pd.DataFrame:
    """See for every cohort which number of clusters each criterion would have chosen.

    Parameters
    ----------
    study : DataFrame
        Of `simulation_study`.

    Returns
    -------
    DataFrame
        One row per run and rule: method, scenario, n_true, seed, settings, rule, pick, right.
        The rule "silhouette_after" is the silhouette of the features that the clustering phase
        left; it is there for runs in which several K were fitted.

    Examples
    --------
    >>> study = pd.DataFrame({
    ...     "method": "deep", "scenario": "size", "n_true": 3, "seed": 1, "settings": "",
    ...     "n_fitted": [2, 3], "silhouette_after": [0.4, 0.9], "pick_gap": 2,
    ... })
    >>> number_picks(study)[["rule", "pick", "right"]].to_numpy().tolist()
    [['gap', 2, False], ['silhouette_after', 3, True]]
    """
    columns = [name for name in study if name.startswith(PICK)]
    before = study.drop_duplicates(RUN).melt(RUN, columns, "rule", "pick")
    before["rule"] = before["rule"].str.removeprefix(PICK)
    best = best_after(study, RUN)[[*RUN, "n_fitted"]]
    after = best.rename(columns={"n_fitted": "pick"}).assign(rule=AFTER)
    picks = pd.concat([before, after], ignore_index=True).dropna(subset=["pick"])
    picks["pick"] = picks["pick"].astype(int)
    return picks.assign(right=picks["pick"] == picks["n_true"])


def best_after(study: pd.DataFrame, run: list[str]) -> pd.DataFrame:
    """Pick each run's row with the largest silhouette after clustering.

    A run, told by the columns ``run``, in which one K was fitted chooses nothing.
    """
    fits = study[study.groupby(run)["n_fitted"].transform("count") > 1].dropna(subset=[AFTER])
    return fits.loc[fits.groupby(run)[AFTER].idxmax()]


def who_was_right(picks: pd.DataFrame) -> pd.DataFrame:
    """Count how often each criterion was right, for the paper's method and the baselines.

    Parameters
    ----------
    picks : DataFrame
        Of `number_picks`.

    Returns
    -------
    DataFrame
        One row per rule, best first; for every method the cohorts it was right in and how many
        there were, such as "9/9".

    Examples
    --------
    >>> picks = pd.DataFrame({
    ...     "method": "deep", "rule": ["gap", "gap", "silhouette"], "right": [True, False, True]
    ... })
    >>> who_was_right(picks)["deep"].to_dict()
    {'silhouette': '1/1', 'gap': '1/2'}
    """
    told = picks.pivot_table(
        index="rule", columns="method", values="right", aggfunc=lambda r: f"{r.sum()}/{len(r)}"
    )
    order = picks.groupby("rule")["right"].mean().sort_values(ascending=False, kind="stable")
    return told.reindex(order.index).fillna("")
