"""What is said of groups that needed no network, as it may be told outside of a study."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clamlab.baselines import baseline_title
from clamlab.stats.disclosure import mask_agreement, mask_partitions
from clamlab.stats.outcomes.fitting import choose_covariates


def told_agreement(
    found: pd.DataFrame, partitions: pd.DataFrame, assigned: pd.DataFrame, *, small_counts: bool
) -> pd.DataFrame:
    """Return the table of agreement; without ``small_counts`` no count of it is of a few scans."""
    found = found.astype({"baseline": object, "note": object}).fillna({"note": ""})
    return found if small_counts else mask_agreement(found, partitions, assigned["cluster"])


def told_comparison(
    compared: pd.DataFrame,
    partitions: pd.DataFrame,
    people: pd.DataFrame,
    *,
    contract: Mapping[str, Any],
    covariates: list[str] | None,
) -> pd.DataFrame:
    """Return what partitions explain of the outcomes, without a number that is of a few persons.

    Parameters
    ----------
    compared, partitions : DataFrame
        As notebooks 09 and 05 wrote them.
    people : DataFrame
        The clinical table with its clusters.
    contract : dict
        The table's.
    covariates : list of str or None
        What notebook 09 was run with.
    """
    adjust, _ = choose_covariates(people, dict(contract), covariates)
    titles = {name: baseline_title(name) for name in partitions if name != "subject_id"}
    return mask_partitions(
        compared,
        people,
        partitions.rename(columns=titles),
        covariates=[variable.name for variable in adjust],
    )
