"""Put right, in the second convolution's answer, the few units of the first that change sign."""

import numba
import numpy as np


@numba.njit(cache=True, fastmath=True)
def add_flips(heights, answers, cells, first, negative, slope, weight, starts, steps, sums):
    """Add what sign changes before a leaky ReLU do to the sums of the convolution after it.

    Parameters
    ----------
    heights : array, shape (n_masks, n_cells + 1)
        Of each mask at each cell; 1 in the last place.
    answers : array, shape (n_rows, n_units)
        How groups of units answer to the cells' hats, row by row.
    cells : array of int, shape (n_rows,)
        Whose hat each row answers to.
    first : array of int, shape (n_groups + 1,)
        The first row of each group, and the number of all rows.
    negative : array of bool, shape (n_groups, n_units)
        The signs that ``sums`` take for granted.
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
    n_units = answers.shape[1]
    width = weight.shape[2]
    values = np.zeros(n_units, answers.dtype)
    flipped = np.zeros((n_units + 7) // 8 * 8, np.uint8)
    eights = flipped.view(np.uint64)
    which = np.zeros(n_units + 3, np.int64)
    change = np.zeros(n_units + 3, answers.dtype)
    # Neighbours in turn, so that the sums they share are still at hand.
    for group in np.argsort(starts):
        below = negative[group]
        for mask in range(len(heights)):
            _add_up(heights[mask], answers, cells, first[group], first[group + 1], values)
            for unit in range(n_units):
                flipped[unit] = (values[unit] < 0) != below[unit]
            n = 0
            # Few units flip: eight at a time are looked at, and mostly passed over.
            for eight in range(len(eights)):
                if eights[eight] != 0:
                    for unit in range(8 * eight, 8 * eight + 8):
                        if flipped[unit]:
                            value = values[unit]
                            which[n] = unit
                            change[n] = value * (slope - 1) if value < 0 else value * (1 - slope)
                            n += 1
            change[n : n + 3] = 0
            for step in range(len(steps)):
                at = starts[group] + steps[step]
                _spread(which, change, n, weight, step, sums[mask, at : at + width])


@numba.njit(cache=True, fastmath=True)
def _add_up(heights, answers, cells, first, end, values):
    """Sum a group's answers, each as high as the mask is at its cell."""
    for i in range(len(values)):
        values[i] = answers[end - 1, i]
    row = first
    # Four at a time, so that the sums are fetched and stored a quarter as often.
    while row + 3 < end - 1:
        a, b = heights[cells[row]], heights[cells[row + 1]]
        c, d = heights[cells[row + 2]], heights[cells[row + 3]]
        for i in range(len(values)):
            values[i] += (
                a * answers[row, i]
                + b * answers[row + 1, i]
                + c * answers[row + 2, i]
                + d * answers[row + 3, i]
            )
        row += 4
    while row < end - 1:
        a = heights[cells[row]]
        for i in range(len(values)):
            values[i] += a * answers[row, i]
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
