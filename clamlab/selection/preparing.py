"""What is looked at: each patient once, without what is known beforehand, without stray scans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from clamlab.clustering.checks import finite_features

FEWEST_SCANS = 12
# Against rounding: components that vary by less are none.
RANK = 1e-9
# A scan is far when its second neighbour is so many times as far as that of a usual scan: fewer
# than three together are no cluster, and one that lies apart turns every component towards it.
# What a tenth of the scans and more have in common is how the cohort varies.
FAR, NEIGHBOUR, FAR_COMPONENTS, MOST_FAR = 5.0, 2, 3, 0.1


@dataclass(frozen=True)
class Prepared:
    """Features to look for clusters in.

    Attributes
    ----------
    features : array, shape (n_counted, p)
        One row a patient.
    scores : array, shape (n_kept, d)
        Principal components of the rows that are not far from all others.
    rows : array of int, shape (n_counted,)
        The first scan of each row.
    kept : array of int, shape (n_kept,)
        The first scan of each row of `scores`.
    notes : tuple of str
        What was counted once, taken out or left out.
    """

    features: NDArray[np.float64]
    scores: NDArray[np.float64]
    rows: NDArray[np.int64]
    kept: NDArray[np.int64]
    notes: tuple[str, ...]


def prepare(
    features: ArrayLike,
    *,
    subjects: Sequence | None = None,
    without: pd.DataFrame | None = None,
) -> Prepared:
    """Prepare features for the question how many clusters they show.

    Parameters
    ----------
    features : array, shape (n_scans, p)
    subjects : sequence, optional
        Whose each scan is: scans of one patient count once, by their mean.
    without : DataFrame, optional
        What is taken out by linear regression before looking, one row a scan: numbers, or names
        such as those of scanners.

    Returns
    -------
    Prepared

    Raises
    ------
    ValueError
        For missing values, fewer than twelve different scans, or features that vary along one
        direction or none.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(14, 3))
    >>> prepared = prepare(x, subjects=[1, 1, *range(2, 14)])
    >>> prepared.features.shape, prepared.notes
    ((13, 3), ('14 scans of 13 patients: each patient counts once.',))
    """
    x = finite_features(features)
    notes = []
    if without is not None and without.shape[1]:
        x = take_out(x, without)
        notes.append(f"Taken out before looking: {', '.join(map(str, without.columns))}.")
    rows = np.arange(len(x))
    if subjects is not None:
        x, rows = _once_each(x, subjects)
        if len(rows) < len(subjects):
            notes.append(
                f"{len(subjects)} scans of {len(rows)} patients: each patient counts once."
            )
    first = np.sort(np.unique(x, axis=0, return_index=True)[1]) if len(x) else rows
    if len(first) < len(x):
        notes.append(f"{len(x) - len(first)} scans are copies of others and are not counted.")
        x, rows = x[first], rows[first]
    _enough(len(x))
    near = _near(principal_scores(x))
    if not near.all():
        notes.append(
            f"{(~near).sum()} of {len(x)} scans lie far from all others and are left out: "
            f"rows {row_numbers(rows[~near])}."
        )
    _enough(int(near.sum()))
    scores = principal_scores(x[near])
    if scores.shape[1] < 2:
        raise ValueError(
            "all features vary together, along one direction: there is one number a scan and no "
            "features to cluster. Look at the encoder's training history"
        )
    return Prepared(x, scores, rows, rows[near], tuple(notes))


def principal_scores(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the scores of all principal components that vary, whatever the unit of the features.

    Examples
    --------
    >>> principal_scores(np.array([[0.0, 0], [1, 2], [2, 4]])).shape
    (3, 1)
    """
    largest = np.abs(features).max(0)
    # A column whose values differ by rounding alone does not vary.
    varying = features[:, np.ptp(features, axis=0) > RANK * largest]
    if not varying.shape[1]:
        raise ValueError("no feature varies between scans: look at the encoder's training history")
    centred = varying - varying.mean(0)
    unit = np.abs(centred).max()
    left, size, _ = np.linalg.svd(centred / unit, full_matrices=False)
    return (left * size)[:, size > RANK * size[0]]


def row_numbers(rows: NDArray[np.int64]) -> str:
    """Name the first ten rows as people count them, from 1."""
    return ", ".join(str(row + 1) for row in rows[:10])


def _enough(n_scans: int) -> None:
    if n_scans < FEWEST_SCANS:
        raise ValueError(
            f"whether there are clusters can be asked of {FEWEST_SCANS} or more different scans; "
            f"found {n_scans}"
        )


def _once_each(x: NDArray, subjects: Sequence) -> tuple[NDArray, NDArray]:
    codes, names = pd.factorize(pd.Series(list(subjects), dtype=object))
    if len(codes) != len(x) or (codes < 0).any():
        raise ValueError(
            f"expected one subject for each of {len(x)} scans, found {len(codes)}, "
            f"{(codes < 0).sum()} of them missing"
        )
    total = np.zeros((len(names), x.shape[1]))
    np.add.at(total, codes, x)
    first = np.unique(codes, return_index=True)[1]
    return total / np.bincount(codes)[:, None], first


def take_out(x: NDArray, without: pd.DataFrame) -> NDArray:
    """Give what a linear regression on the covariates leaves of each feature."""
    if len(without) != len(x):
        raise ValueError(
            f"expected one row of `without` for each of {len(x)} scans, found {len(without)}"
        )
    design = design_of(without)
    if design.shape[1] + FEWEST_SCANS > len(x):
        raise ValueError(
            f"{', '.join(map(str, without.columns))} make {design.shape[1]} columns: too many to "
            f"take out of {len(x)} scans"
        )
    return x - design @ np.linalg.lstsq(design, x, rcond=None)[0]


def design_of(covariates: pd.DataFrame) -> NDArray[np.float64]:
    """Give a constant and a column for each number, and for each name but one.

    Examples
    --------
    >>> design_of(pd.DataFrame({"scanner": ["A", "B", "A"]})).tolist()
    [[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]

    Columns of numbers have mean 0 and standard deviation 1; those that do not vary have none.
    """
    if not isinstance(covariates, pd.DataFrame) or not covariates.columns.is_unique:
        raise ValueError("expected a table of covariates with a name of its own for each column")
    missing = covariates.columns[covariates.isna().any()]
    if len(missing):
        rows = np.flatnonzero(covariates.isna().any(axis=1))
        raise ValueError(
            f"{', '.join(map(str, missing))}: missing for {len(rows)} scans (the first: row "
            f"{rows[0] + 1}); fill it in, or look without taking it out"
        )
    columns = [_columns_of(str(name), column) for name, column in covariates.items()]
    return np.column_stack([np.ones(len(covariates)), *columns])


def _columns_of(name: str, column: pd.Series) -> NDArray[np.float64]:
    """Bring numbers to mean 0 and standard deviation 1; give names a column each but one."""
    kind = column.dtype.kind
    if isinstance(column.dtype, pd.CategoricalDtype) or kind == "O":
        return pd.get_dummies(column.astype(str), drop_first=True, dtype=float).to_numpy(float)
    if kind not in "biuf":
        raise ValueError(
            f"{name}: expected numbers or names, found {column.dtype}; turn it into one of them"
        )
    values = column.to_numpy(float)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name}: expected finite numbers, found {values[~np.isfinite(values)][0]}"
        )
    if np.ptp(values) <= RANK * np.abs(values).max():
        return np.empty((len(values), 0))
    unit = values / np.abs(values).max()
    return ((unit - unit.mean()) / unit.std())[:, None]


def _near(scores: NDArray) -> NDArray[np.bool_]:
    leading = scores[:, :FAR_COMPONENTS]
    second = cKDTree(leading).query(leading, k=NEIGHBOUR + 1)[0][:, -1]
    near = second <= FAR * np.median(second)
    return near if near.mean() > 1 - MOST_FAR else np.ones_like(near)
