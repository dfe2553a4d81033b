"""What other ways of grouping the same scans explain of the outcomes, beside the clusters."""

from collections.abc import Sequence

import pandas as pd

from clamlab.stats.outcomes.candidates import base_words
from clamlab.stats.outcomes.model_comparison import compare_models
from clamlab.stats.outcomes.summary import below_zero, without_read
from clamlab.stats.variables import BASES

KNOWN_SHARE = 0.8
AS_MUCH = 1e-9
CLUSTERS = "clusters"
COLUMNS = (
    "outcome", "title", "outcome_source", "partition", "n", "n_missing", "n_groups", "n_parameters",
    "adjusted_r2", "added", "exploratory", "covariates", "note",
)  # fmt: skip


def compare_partitions(
    table: pd.DataFrame,
    schema: dict,
    partitions: pd.DataFrame,
    *,
    group: str = "cluster",
    covariates: Sequence[str] | None = None,
) -> pd.DataFrame:
    """See whether other groups of the same scans explain the outcomes as well as the clusters do.

    Every partition is added to the covariates by itself (:func:`compare_models`), all of an
    outcome on the same rows: those of which every partition is known. None of it was planned: there
    is no p, and all rows are exploratory.

    Parameters
    ----------
    table, schema, group, covariates
        As in :func:`outcome_associations`.
    partitions : DataFrame
        A column for each partition, of whole numbers from 0, missing where a scan is in none; the
        rows of ``table`` by ``subject_id`` if both have it, by their order if not. One that is
        known of fewer than four fifths of the rows, or has one group, is left out.

    Returns
    -------
    DataFrame
        A row for each outcome and partition, after that without groups ("demographics",
        "covariates", or "mean alone" if there are none) and "clusters": ``n``, ``n_missing``,
        ``n_groups``, ``n_parameters``, ``adjusted_r2``, ``added`` (adjusted R squared above that
        without groups), ``exploratory`` (always true), ``covariates`` and ``note``.

    Raises
    ------
    ValueError
        If the partitions are not of the table's scans, or as :func:`compare_models`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"cluster": np.repeat([0, 1], 30)})
    >>> table["fvc"] = 3 - 0.5 * table["cluster"] + rng.normal(0, 0.4, 60)
    >>> schema = {"properties": {"fvc": {"x-role": "outcome"}}}
    >>> found = compare_partitions(table, schema, pd.DataFrame({"density": [0, 1] * 30}))
    >>> found[["partition", "adjusted_r2"]].round(2).values.tolist()
    [['mean alone', 0.0], ['clusters', 0.18], ['density', 0.02]]
    """
    groups, left_out = _usable(_aligned(partitions, table))
    known = groups.notna().all(axis=1)
    rows, found = table[known.to_numpy()], []
    candidates = {CLUSTERS: rows[group]} | {
        name: groups.loc[known, name].astype(int).set_axis(rows.index) for name in groups
    }
    for name, codes in candidates.items():
        models = compare_models(
            rows.assign(**{group: codes}),
            schema,
            group=group,
            covariates=covariates,
            readers=(),
            n_bootstrap=0,
        )
        models = models.assign(n_groups=codes.nunique(), partition=name)
        models["note"] = models["note"].str.replace("cluster ", "group ", regex=False)
        if name == CLUSTERS:
            base = models[~models["has_cluster"].fillna(False)]
            found.append(base.assign(partition=base["model"]))
        found.append(models[models["has_cluster"].fillna(False)])
    together = pd.concat(found, ignore_index=True)
    ungrouped = together["partition"].isin(BASES)
    base = together[ungrouped].set_index("outcome")["adjusted_r2"]
    together["added"] = together["adjusted_r2"] - together["outcome"].map(base)
    together.loc[ungrouped, ["n_groups", "added"]] = pd.NA
    together["n_missing"] += int((~known).sum())
    together["exploratory"] = True
    together["note"] = [_joined(note, *left_out) for note in together["note"]]
    order = {name: place for place, name in enumerate(dict.fromkeys(together["outcome"]))}
    together = together.sort_values("outcome", key=lambda c: c.map(order), kind="stable")
    return together.reindex(columns=list(COLUMNS)).reset_index(drop=True)


def partitions_sentence(compared: pd.DataFrame) -> str:
    """Say in how many outcomes the clusters explain more than each other partition does.

    Parameters
    ----------
    compared : DataFrame
        From :func:`compare_partitions`; outcomes derived from the image are not counted, and
        those that a person read from it are named as not counted.

    Returns
    -------
    str
        Below an adjusted R squared of 0 nothing is explained: of two such, as much.

    Examples
    --------
    >>> compared = pd.DataFrame({"outcome": "fvc", "title": "FVC", "outcome_source": "external",
    ...     "partition": ["demographics", "clusters", "density"], "covariates": "Age",
    ...     "adjusted_r2": [0.1, 0.2, 0.3]})
    >>> partitions_sentence(compared)[-70:]
    'ters explain more (adjusted R² beside demographics) than density in 0.'
    """
    external = compared[
        (compared["outcome_source"] == "external") & compared["adjusted_r2"].notna()
    ]
    after = without_read(compared)
    scores = external.pivot_table(
        index="outcome", columns="partition", values="adjusted_r2", sort=False
    )
    after = below_zero(scores) + after
    scores = scores.clip(lower=0)
    others = [name for name in scores if name not in (*BASES, CLUSTERS)]
    if CLUSTERS not in scores or not others:
        return f"No outcome could be modelled with the clusters and another partition.{after}"
    n = len(scores)
    parts = [_count(name, (scores[CLUSTERS] - scores[name]).dropna(), n) for name in others]
    return (
        f"Exploratory: of {n} outcome{'s' * (n > 1)} the clusters explain more (adjusted R² beside "
        f"{base_words(compared, 'partition')}) than {', '.join(parts)}.{after}"
    )


def _count(name: str, ahead: pd.Series, n_outcomes: int) -> str:
    more, equal = int((ahead > AS_MUCH).sum()), int((ahead.abs() <= AS_MUCH).sum())
    of = f" of {len(ahead)}" if len(ahead) < n_outcomes else ""
    return f"{name} in {more}{of}" + (f" (as much in {equal})" if equal else "")


def _aligned(partitions: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Bring the partitions into the table's rows."""
    if "subject_id" in partitions and "subject_id" in table:
        named = partitions.set_index("subject_id")
        unknown = ~table["subject_id"].isin(named.index)
        if unknown.any() or not named.index.is_unique:
            raise ValueError(
                f"expected one row of partitions for each scan, found none for {int(unknown.sum())}"
                f" and {int(named.index.duplicated().sum())} doubled: run notebook 05 again"
            )
        return named.loc[table["subject_id"]].reset_index(drop=True)
    if len(partitions) != len(table):
        raise ValueError(
            f"expected a row of partitions for each of {len(table)} rows, found {len(partitions)}"
        )
    return partitions.drop(columns="subject_id", errors="ignore").reset_index(drop=True)


def _usable(partitions: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out what is known of too few scans to keep the others' rows, and say so."""
    kept, left_out = [], []
    for name in partitions:
        known = partitions[name].dropna()
        if known.nunique() < 2:
            left_out.append(f"{name} left out: not known, or one group")
        elif len(known) < KNOWN_SHARE * len(partitions):
            left_out.append(f"{name} left out: known of {len(known)} of {len(partitions)} scans")
        else:
            kept.append(name)
    return partitions[kept], left_out


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))
