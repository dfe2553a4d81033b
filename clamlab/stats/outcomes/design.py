"""Design matrices built term by term, so that no formula can misread a column's name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from clamlab.stats.variables import Variable

CONSTANT = "(intercept)"


@dataclass
class Design:
    """A full-rank design matrix that knows which of its columns belong to which term.

    ``weights`` holds, for every column, the value at which an adjusted mean holds it: the
    mean of a covariate, and 1 / number of levels for a factor (equal weights).
    """

    matrix: pd.DataFrame
    terms: dict[str, list[str]]
    weights: pd.Series
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
    notes = []
    for variable in variables:
        coded = _code(variable, table)
        if not coded:
            what = "one level only" if variable.is_categorical else "constant"
            notes.append(f"{variable.title}: {what}, left out")
        terms[variable.name] = []
        for name, values in coded.items():
            if not _is_new(values, columns):
                notes.append(f"{name}: collinear with the terms before it, left out")
                continue
            columns[name] = values
            terms[variable.name].append(name)
            # Dummies plus reference: each level weighs 1 / number of levels.
            weights[name] = 1 / (len(coded) + 1) if variable.is_categorical else values.mean()
    return Design(pd.DataFrame(columns, index=table.index), terms, pd.Series(weights), notes)


def _code(variable: Variable, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Columns of one variable; none if it does not vary."""
    values = variable.values(table)
    if not variable.is_categorical:
        return {variable.name: values.to_numpy()} if np.ptp(values) > 0 else {}
    seen = [level for level in variable.levels if (values == level).any()]
    reference = variable.reference if variable.reference in seen else (*seen, "")[0]
    return {
        column_name(variable.name, level): (values == level).to_numpy(float)
        for level in seen
        if level != reference
    }


def column_name(variable: str, level: object) -> str:
    """Name the column that marks one level of a factor."""
    return f"{variable}: {level}"


def _is_new(values: np.ndarray, columns: dict[str, np.ndarray]) -> bool:
    """Whether a column says something the columns before it do not (R's tolerance, 1e-7)."""
    basis = np.column_stack([column / np.linalg.norm(column) for column in columns.values()])
    unit = values / np.linalg.norm(values)
    left = unit - basis @ np.linalg.lstsq(basis, unit, rcond=None)[0]
    return bool(np.linalg.norm(left) > 1e-7)
