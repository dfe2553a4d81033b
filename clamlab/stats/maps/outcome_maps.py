"""Where in the lung an outcome goes along with the maps, adjusted as the outcome's model is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clamlab.stats.maps.voxelwise import Progress, UntestableError, voxelwise_association
from clamlab.stats.outcomes.design import CONSTANT, build_design
from clamlab.stats.outcomes.fitting import choose_covariates, complete_rows, find_outcomes
from clamlab.stats.variables import DERIVED_REASON, Variable

NO_OUTCOME = "the contract marks no outcome from outside the image that is a number"


@dataclass(frozen=True)
class OutcomeMap:
    """Where maps go along with an outcome.

    Attributes
    ----------
    title : str
        Of the outcome, with transform and units.
    n : int
        Scans with outcome and covariates known.
    t, p : array, shape (*grid)
        From `voxelwise_association`: p is corrected for looking everywhere. Missing everywhere if
        there is no map; p also if nothing was permuted.
    note : str
        Why there is no map; empty if there is one.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"fvc": rng.normal(3, 0.6, 40)})
    >>> schema = {"properties": {"fvc": {"type": "number", "x-role": "outcome", "x-units": "l"}}}
    >>> maps = rng.normal(size=(40, 3)) - np.outer(table["fvc"] - 3, [0, 0, 3])
    >>> found = outcome_map(maps, table, schema, n_permutations=200, seed=1)
    >>> found.title, np.flatnonzero(found.p < 0.05).tolist(), bool(found.t[2] < 0)
    ('fvc, l', [2], True)
    """

    title: str
    n: int
    t: NDArray
    p: NDArray
    note: str = ""

    def smallest_p(self, mask: ArrayLike | None = None) -> float:
        """Get the smallest p of the places that a picture inside the mask shows.

        Parameters
        ----------
        mask : array of bool, shape (*scan_grid), optional
            The lung; without it every place counts.
        """
        seen = True if mask is None else cells_seen(np.asarray(mask, dtype=bool), self.p.shape)
        return float(np.min(self.p, where=seen, initial=np.inf))


def cells_seen(mask: NDArray, grid: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which cells of a layer's grid have a part in what is shown inside a mask.

    Parameters
    ----------
    mask : array of bool, shape (*scan_grid)
    grid : tuple of int
        The layer's; maps are brought to the scan's linearly (:func:`clamlab.clam.upsample`).

    Examples
    --------
    >>> cells_seen(np.array([True, False, False, False, False, False]), (3,)).tolist()
    [True, False, False]
    """
    seen = mask.astype(float)
    for n_voxels, n_cells in zip(mask.shape, grid, strict=True):
        places = (np.arange(n_voxels) + 0.5) * n_cells / n_voxels - 0.5
        away = np.abs(np.clip(places, 0, n_cells - 1)[:, None] - np.arange(n_cells))
        seen = np.tensordot(seen, away < 1, axes=(0, 0))  # this axis goes last
    return seen > 0


def outcome_map(
    maps: ArrayLike,
    table: pd.DataFrame,
    schema: dict,
    *,
    outcome: str | None = None,
    covariates: Sequence[str] | None = None,
    n_permutations: int = 1000,
    seed: int,
    progress: Progress = False,
) -> OutcomeMap:
    """See where in the lung people's maps change with one of their outcomes.

    Parameters
    ----------
    maps : array, shape (n, *grid)
        One map per row of the table; best at the layer's own grid. A row that was not computed
        (NaN) is left out, as are rows without a value.
    table : DataFrame
        The clinical table.
    schema : dict
        Its contract.
    outcome : str, optional
        A column with role "outcome" that is a number; by default the first that neither a person
        nor the network took from the image.
    covariates : sequence of str, optional
        As for `outcome_associations`: all demographics by default.
    n_permutations, seed : int
    progress : bool or callable
        As for `voxelwise_association`.

    Returns
    -------
    OutcomeMap

    Raises
    ------
    ValueError
        If the outcome asked for is not one of the contract's or is derived from the images, or
        there is not one map per row. What the values do not allow is told by the map's note.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"age": rng.normal(60, 9, 40), "dlco": rng.normal(17, 4, 40)})
    >>> schema = {"properties": {"age": {"type": "number", "x-role": "demographic"},
    ...                          "dlco": {"type": "number", "x-role": "outcome"}}}
    >>> maps = rng.normal(size=(40, 3)) + np.outer(table["dlco"] - 17, [0, 0.5, 0])
    >>> found = outcome_map(maps, table, schema, n_permutations=200, seed=1)
    >>> found.title, found.n, (found.p < 0.05).tolist()
    ('dlco', 40, [False, True, False])
    """
    maps = np.asarray(maps)
    if len(maps) != len(table):
        raise ValueError(
            f"one map per row of the table expected: {len(maps)} maps, {len(table)} rows"
        )
    wanted = _choose(table, schema, outcome)
    if wanted is None:
        return _no_map(maps, "No outcome", 0, NO_OUTCOME)
    adjust, _ = choose_covariates(table, schema, covariates)
    values = wanted.transformed(table)
    # Of some scans no map was computed: they have no value to go along with the outcome.
    mapped = np.isfinite(maps.reshape(len(maps), -1)).all(axis=1)
    rows = (values.notna() & complete_rows(table, adjust)).to_numpy() & mapped
    n = int(rows.sum())
    if n == 0:
        return _no_map(maps, wanted.label, n, "no row is complete")
    design = build_design(table[rows], adjust)
    try:
        t, p = voxelwise_association(
            maps[rows],
            values[rows],
            confounders=design.matrix.drop(columns=CONSTANT),
            n_permutations=n_permutations,
            seed=seed,
            progress=progress,
        )
    except UntestableError as error:
        return _no_map(maps, wanted.label, n, str(error))
    return OutcomeMap(wanted.label, n, t, p)


def first_outside(known: Sequence[Variable]) -> Variable | None:
    """Find the first outcome from outside the image: what a person read of it is none."""
    return next((variable for variable in known if variable.source == "external"), None)


def _choose(table: pd.DataFrame, schema: dict, name: str | None) -> Variable | None:
    """Find the outcome that is asked for, or else the first that may be tested, if there is one."""
    known, _ = find_outcomes(table, schema)
    if name is None:
        return first_outside(known)
    by_name = {variable.name: variable for variable in known}
    if name not in by_name:
        raise ValueError(
            f"no outcome {name!r} in numbers: there are {', '.join(by_name) or 'none'}"
        )
    if by_name[name].source == "derived":
        raise ValueError(f"{name!r} is {DERIVED_REASON}")
    return by_name[name]


def _no_map(maps: NDArray, title: str, n: int, why: str) -> OutcomeMap:
    missing = np.full(maps.shape[1:], np.nan)
    return OutcomeMap(title, n, missing, missing, f"{title}: no map ({why})")
