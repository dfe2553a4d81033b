"""Put right, in the second convolution's response, the few units of the first that change sign."""

import numba
import numpy as np


@numba.njit(cache=True, fastmath=True)
def add_sign_changes(
    heights, cells, units, negative, resting, responses, first, slope, weight, starts, steps, sums
):
    """Add what sign changes before a leaky ReLU do to the sums of the convolution after it.

    Parameters
    ----------
    heights : array, shape (n_masks, n_cells)
        Of each mask at each cell.
    cells, units, negative, resting, responses, first : array
        What may change sign, as in `HatResponses`; ``sums`` take ``negative`` for granted.
    slope : float
        Of the leaky ReLU below zero.
    weight : array, shape (n_units, n_steps, width)
        What each unit adds to the outputs that its group reaches.
    starts : array of int, shape (n_groups,)
        Where in ``sums`` a group's outputs begin.
    steps : array of int, shape (n_steps,)
        From there to each run of neighbouring outputs.
    sums : array, shape (n_masks, n_outputs)
        Changed in place.
    """
    width = weight.shape[2]
    values = np.zeros(len(weight), responses.dtype)
    which = np.zeros(len(weight) + 3, np.int64)
    change = np.zeros(len(weight) + 3, responses.dtype)
    # Neighbours in turn, so that the sums they share are still at hand.
    for group in np.argsort(starts):
        (row, unit, response), (row_end, unit_end, response_end) = first[group], first[group + 1]
        own, below, empty = units[unit:unit_end], negative[unit:unit_end], resting[unit:unit_end]
        seen = cells[row:row_end]
        rows = responses[response:response_end].reshape(len(seen), len(own))
        for mask in range(len(heights)):
            _add_up(heights[mask], rows, seen, empty, values)
            n = 0
            for i in range(len(own)):
                which[n] = own[i]
                # As far above zero as was taken for below, or the other way round.
                change[n] = abs(values[i]) * (1 - slope)
                n += (values[i] < 0) != below[i]
            change[n : n + 3] = 0
            for step in range(len(steps)):
                at = starts[group] + steps[step]
                _spread(which, change, n, weight, step, sums[mask, at : at + width])


@numba.njit(cache=True, fastmath=True)
def _add_up(heights, rows, cells, empty, values):
    """Sum a group's responses, each as high as the mask is at its cell."""
    n_rows, n_units = rows.shape
    for i in range(n_units):
        values[i] = empty[i]
    row = 0
    # Four at a time, so that the sums are fetched and stored a quarter as often.
    while row + 3 < n_rows:
        a, b = heights[cells[row]], heights[cells[row + 1]]
        c, d = heights[cells[row + 2]], heights[cells[row + 3]]
        for i in range(n_units):
            values[i] += (
                a * rows[row, i]
                + b * rows[row + 1, i]
                + c * rows[row + 2, i]
                + d * rows[row + 3, i]
            )
        row += 4
    while row < n_rows:
        a = heights[cells[row]]
        for i in range(n_units):
            values[i] += a * rows[row, i]
        row += 1


@numba.njit(cache=True, fastmath=True)
def _spread(which, change, n, weight, step, run):
    """Add changes of units, times their weights, to a run of outputs, four units at a time."""
    for i in range(0, n, 4):
        a, b, c, d = change[i], change[i + 1], change[i + 2], change[i + 3]
        w, x, y, z = which[i], which[i + 1], which[i + 2], which[i + 3]
        for j in range(len(run)):
            run[j] += (
                a * weight[w, step, j]
                + b * weight[x, step, j]
                + c * weight[y, step, j]
                + d * weight[z, step, j]
            )
