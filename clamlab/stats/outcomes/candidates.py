"""The models that are compared, and what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from clamlab.stats.variables import DEMOGRAPHICS, NOTHING, Variable, base_of


@dataclass(frozen=True)
class Candidate:
    """One model of the comparison: the covariates, with or without cluster and a reader's term."""

    has_cluster: bool
    reader: Variable | None

    @property
    def source(self) -> str:
        """Name the least independent of its terms."""
        if self.reader is not None:
            return self.reader.source
        return "derived" if self.has_cluster else "external"

    def describe(self, covariates: Sequence[Variable]) -> dict:
        """Give what a row of the comparison says about the model."""
        base, reader = base_of(covariates), self.reader
        terms = [base] if covariates else []
        terms += ["cluster"] if self.has_cluster else []
        terms += [reader.title] if reader else []
        return {
            "model": " + ".join(terms) or base,
            "covariates": ", ".join(variable.title for variable in covariates),
            "reader": reader.name if reader else "",
            "reader_title": reader.title if reader else "",
            "reader_role": reader.role if reader else "",
            "has_cluster": self.has_cluster,
            "source": self.source,
        }


SMALLEST = Candidate(has_cluster=False, reader=None)


def base_words(compared: pd.DataFrame, names: str) -> str:
    """Say what the cluster was added to.

    Parameters
    ----------
    compared : DataFrame
        A whole comparison. One from before the covariates were kept does not tell which they were.
    names : str
        Its column of models, or of partitions.

    Returns
    -------
    str

    Examples
    --------
    >>> base_words(pd.DataFrame({"model": ["covariates"], "covariates": "Scanner"}), "model")
    'Scanner'
    """
    if "covariates" not in compared:
        return "the covariates"
    used = set(compared[names])
    if NOTHING in used:
        return "the mean alone"
    return DEMOGRAPHICS if DEMOGRAPHICS in used else str(compared["covariates"].iloc[0])
