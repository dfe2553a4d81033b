"""Design matrices built term by term, so that no formula can misread a column's name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from clamlab.stats.variables import Variable

CONSTANT = "(intercept)"
CLUSTER = "cluster"  # role of the factor whose levels are clusters, numbered from 0


@dataclass
class Design:
    """A full-rank design matrix that knows which of its columns belong to which term.

    ``weights`` holds, for every column, the value at which an adjusted mean holds it: the
    mean of a covariate, and 1 / number of levels for a factor (equal weights). ``words`` names a
    column to a reader, who counts clusters from 1. ``mixtures`` tells of every column left out as
    collinear how much of each column makes it up.
    """

    matrix: pd.DataFrame
    terms: dict[str, list[str]]
    weights: pd.Series
    words: dict[str, str]
    mixtures: dict[str, pd.Series]
    notes: list[str] = field(default_factory=list)

    def of(self, *terms: str) -> list[str]:
        """Columns of the intercept and of the given terms, in the matrix's order."""
        wanted = {CONSTANT}.union(*(self.terms.get(term, []) for term in terms))
        return [column for column in self.matrix.columns if column in wanted]


def build_design(table: pd.DataFrame, variables: Sequence[Variable]) -> Design:
    """Code each variable for a linear model: its numbers, or one column per other level.

    Parameters
    ----------
    table : DataFrame
        Complete in all variables.
    variables : sequence of Variable
        In order of entry: where two say the same, the later one is left out.

    Returns
    -------
    Design
        ``notes`` names what was left out (constant, one level, collinear) and why.
    """
    columns: dict[str, np.ndarray] = {CONSTANT: np.ones(len(table))}
    weights = {CONSTANT: 1.0}
    terms: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    mixtures: dict[str, pd.Series] = {}
    notes = []
    for variable in variables:
        coded = _code(variable, table)
        if not coded:
            what = "one level only" if variable.is_categorical else "constant"
            notes.append(f"{variable.title}: {what}, left out")
        terms[variable.name] = []
        for name, (said, values) in coded.items():
            words[name] = said
            mixture = _mixture(values, columns)
            if mixture is not None:
                notes.append(f"{said}: collinear with the terms before it, left out")
                mixtures[name] = mixture
                continue
            columns[name] = values
            terms[variable.name].append(name)
            # Dummies plus reference: each level weighs 1 / number of levels.
            weights[name] = 1 / (len(coded) + 1) if variable.is_categorical else values.mean()
    matrix = pd.DataFrame(columns, index=table.index)
    return Design(matrix, terms, pd.Series(weights), words, mixtures, notes)


def _code(variable: Variable, table: pd.DataFrame) -> dict[str, tuple[str, np.ndarray]]:
    """Columns of one variable, each with its words; none if it does not vary."""
    values = variable.values(table)
    name = variable.name
    if not variable.is_categorical:
        return {name: (name, values.to_numpy())} if np.ptp(values) > 0 else {}
    seen = [level for level in variable.levels if (values == level).any()]
    reference = variable.reference if variable.reference in seen else (*seen, "")[0]
    return {
        column_name(name, level): (_words(variable, level), (values == level).to_numpy(float))
        for level in seen
        if level != reference
    }


def column_name(variable: str, level: object) -> str:
    """Name the column that marks one level of a factor."""
    return f"{variable}: {level}"


def _words(variable: Variable, level: str) -> str:
    if variable.role == CLUSTER:
        return f"cluster {int(level) + 1}"
    return column_name(variable.name, level)


def _mixture(values: np.ndarray, columns: dict[str, np.ndarray]) -> pd.Series | None:
    """How much of each column before it makes a column up; None if it says something new."""
    before = np.column_stack(list(columns.values()))
    lengths, length = np.linalg.norm(before, axis=0), np.linalg.norm(values)
    basis, unit = before / lengths, values / length
    parts = np.linalg.lstsq(basis, unit, rcond=None)[0]
    if np.linalg.norm(unit - basis @ parts) > 1e-7:  # R's tolerance
        return None
    return pd.Series(parts * length / lengths, index=list(columns))
