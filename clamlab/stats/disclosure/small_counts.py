"""Which cells of a table of counts are hidden, so that no small count can be worked out."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMALLEST = 5
"""Counts from 1 to one less than this are a person's."""


def is_small(counts: ArrayLike) -> NDArray:
    """Tell of each count whether it is a person's.

    >>> is_small([0, 4, 5]).tolist()
    [False, True, False]
    """
    counts = np.asarray(counts)
    return (counts > 0) & (counts < SMALLEST)


def hidden_cells(counts: ArrayLike, *, spare: ArrayLike | None = None) -> NDArray:
    """Choose the cells of a table to hide: small counts, and what would tell them by subtraction.

    Parameters
    ----------
    counts : array of int, shape (levels, groups)
        Every subject of a group stands in one level, so that the total of each group is known.
    spare : array of bool, shape (levels,), optional
        Levels that are hidden rather than others, for instance those that are not printed.

    Returns
    -------
    array of bool, shape (levels, 1 + groups)
        Cells to hide; the first column is that of all groups together.

    Notes
    -----
    A count of 1 to 4 is hidden, and with it the corners of a rectangle of cells along which
    subjects could be exchanged without a change in any total, or in any cell that stays visible:
    for all that is shown, the count could as well be 1 or 4. What a side of the rectangle sums up
    to is no small count either. Of all such rectangles the one that hides least is taken. Where
    there is none, the whole table is hidden.

    References
    ----------
    Giessing and Repsilber, Tools and strategies to protect multiple tables with the GHQUAR cell
    suppression engine, in Domingo-Ferrer (ed.), Inference Control in Statistical Databases, 2002.

    Examples
    --------
    Three of group 1 and ten of group 2 smoke; the totals of both groups are known:

    >>> hidden_cells([[3, 10], [21, 14]]).astype(int).tolist()
    [[0, 1, 1], [0, 1, 1]]
    >>> hidden_cells([[6, 10], [18, 14]]).any()
    np.False_
    """
    counts = np.asarray(counts, dtype=int)
    table = np.column_stack([counts.sum(axis=1), counts])
    unprinted = np.zeros(len(table), bool) if spare is None else np.asarray(spare, bool)
    small = is_small(table)
    hidden = small.copy()
    for row, column in np.argwhere(small):
        rectangles = list(_rectangles(table, row, column))
        if not rectangles:
            return np.ones_like(hidden)
        for corner in min(rectangles, key=lambda cells: _cost(cells, table, hidden, unprinted)):
            hidden[corner] = True
    return hidden


def _rectangles(table: NDArray, row: int, column: int) -> Iterator[list[tuple[int, int]]]:
    """Yield rectangles along which a small count could become 1 and could become 4."""
    up, down = SMALLEST - 1 - table[row, column], table[row, column] - 1
    others = np.delete(np.arange(len(table)), row)
    columns = np.delete(np.arange(table.shape[1]), column)
    for other, beside in product(others, columns):
        # A column and that of all together rise and fall as one, two groups in exchange.
        together = 0 in (column, beside)
        falls_with, falls_against = (down, up) if together else (up, down)
        enough = (
            table[row, beside] >= falls_with
            and table[other, column] >= up
            and table[other, beside] >= falls_against
        )
        corners = table[np.ix_([row, other], [column, beside])]
        sums = [*corners.sum(axis=0), *([] if together else corners.sum(axis=1))]
        if enough and min(sums) >= SMALLEST:  # nor is what they sum up to a small count
            yield [(row, beside), (other, column), (other, beside)]


def _cost(
    cells: list[tuple[int, int]], table: NDArray, hidden: NDArray, unprinted: NDArray
) -> tuple[int, int]:
    """Tell what hiding cells takes from a reader: printed cells first, then subjects."""
    new = [cell for cell in cells if not hidden[cell]]
    return sum(not unprinted[row] for row, _ in new), sum(int(table[cell]) for cell in new)
