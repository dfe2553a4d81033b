"""What is said of groups that needed no network, as it may be told outside of a study."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clamlab.baselines import baseline_title
from clamlab.cli.standing import changed_since
from clamlab.stats.disclosure import mask_agreement, mask_partitions
from clamlab.stats.outcomes.fitting import choose_covariates
from clamlab.study import Study, StudyError
from clamlab.study.provenance import record_of

STAGE = "09_associations"
COUNTED_IN = ("cohort", "assignments", "baseline_partitions", "schema:participants")


def told_agreement(
    found: pd.DataFrame, partitions: pd.DataFrame, assigned: pd.DataFrame, *, small_counts: bool
) -> pd.DataFrame:
    """Return the table of agreement; without ``small_counts`` no count of it is of a few scans."""
    found = found.astype({"baseline": object, "note": object}).fillna({"note": ""})
    return found if small_counts else mask_agreement(found, partitions, assigned["cluster"])


def told_comparison(
    study: Study,
    compared: pd.DataFrame,
    partitions: pd.DataFrame,
    people: pd.DataFrame,
    *,
    contract: Mapping[str, Any],
) -> pd.DataFrame:
    """Return what partitions explain of the outcomes, without a number that is of a few persons.

    Parameters
    ----------
    study : Study
    compared, partitions : DataFrame
        As notebooks 09 and 05 wrote them.
    people : DataFrame
        The clinical table with its clusters.
    contract : dict
        The table's.

    Raises
    ------
    StudyError
        If notebook 09 was run with another table, other clusters or other partitions: by those of
        today nobody can tell which of its numbers are of a few.
    """
    if changed := changed_since(study, STAGE, COUNTED_IN):
        raise StudyError(
            f"{STAGE} was run with another {', '.join(changed)} than there is now, and so it is "
            "not known which of its numbers are of a few persons (--small-counts shows them)"
        )
    told = record_of(study.root, STAGE).get("parameters", {})
    adjust, _ = choose_covariates(people, dict(contract), told.get("covariates"))
    titles = {name: baseline_title(name) for name in partitions if name != "subject_id"}
    return mask_partitions(
        compared,
        people,
        dict(contract),
        partitions.rename(columns=titles),
        covariates=[variable.name for variable in adjust],
    )
