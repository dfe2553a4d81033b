"""Masked counts cannot be worked out from what is shown: tried as an attacker would."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from clamlab.stats.disclosure import hidden_cells, mask_flow, mask_table_one
from clamlab.stats.tables import render_table_one, table_one


def possible(counts, hidden):
    """What each small count could be for all that is shown: cells, totals of groups and levels."""
    table = np.column_stack([np.sum(counts, axis=1), counts])
    cells = np.arange(table.size).reshape(table.shape)
    rows, totals = [], []
    for level in cells:  # the groups add up to all together
        rows.append(np.zeros(table.size))
        rows[-1][level[1:]], rows[-1][level[0]] = 1, -1
        totals.append(0)
    for column, total in zip(cells.T, table.sum(axis=0), strict=True):
        rows.append(np.zeros(table.size))
        rows[-1][column] = 1
        totals.append(total)
    known = zip(table.ravel(), hidden.ravel(), strict=True)
    bounds = [(0, None) if masked else (count, count) for count, masked in known]
    for cell in cells[(table > 0) & (table < 5)]:
        aim = (np.arange(table.size) == cell).astype(float)
        low, high = (linprog(s * aim, A_eq=rows, b_eq=totals, bounds=bounds) for s in (1, -1))
        yield low.fun, -high.fun


@pytest.mark.parametrize("seed", range(60))
def test_a_masked_count_could_be_one_and_could_be_four(seed):
    rng = np.random.default_rng(seed)
    levels, groups = rng.integers(2, 6), rng.integers(1, 5)
    counts = rng.poisson(rng.choice([2, 6, 15, 40], size=(levels, 1)), size=(levels, groups))
    counts[-1] = rng.integers(0, 3, groups)  # as those whose value is missing
    counts[0] += 5  # groups of five and more
    for low, high in possible(counts, hidden_cells(counts)):
        assert low < 1 + 1e-6 and high > 4 - 1e-6, (counts, low, high)


def test_the_attack_finds_what_is_masked_too_little():
    counts = np.array([[3, 10], [21, 14]])
    alone = (np.column_stack([counts.sum(axis=1), counts]) > 0) & (
        np.column_stack([counts.sum(axis=1), counts]) < 5
    )
    assert [tuple(np.round(r, 6)) for r in possible(counts, alone)] == [(3, 3)]


def test_nothing_is_masked_without_need():
    assert not hidden_cells([[5, 0, 60], [7, 12, 8]]).any()


def test_levels_that_are_not_printed_go_first():
    counts = [[60, 60], [60, 60], [2, 60]]
    assert hidden_cells(counts, spare=[True, False, True])[1].sum() == 0
    assert hidden_cells(counts, spare=[False, True, True])[0].sum() == 0


def shown(values, clusters, **rule):
    table = pd.DataFrame({"x": values, "cluster": clusters})
    contract = {"properties": {"x": {"x-role": "demographic", "title": "X", **rule}}}
    masked = mask_table_one(table_one(table, contract))
    return masked, render_table_one(masked, columns=["missing", "p"]).set_index("")


def test_means_of_a_few_persons_are_masked_and_those_of_many_stay():
    rng = np.random.default_rng(0)
    clusters = np.repeat([0, 1, 2], 20)
    values = rng.normal(50, 5, 60)
    values[3:20] = np.nan  # three of cluster 1 are left
    _, page = shown(values, clusters, type="number")
    line = page.loc["X (mean (sd))"]
    assert line["Cluster 1"] == "masked"
    assert "masked" in (line["Overall"], line["Cluster 2"], line["Cluster 3"])
    assert line["P-value"] == ""


def test_a_few_missing_values_leave_the_means():
    rng = np.random.default_rng(0)
    clusters = np.repeat([0, 1], 30)
    values = rng.normal(50, 5, 60)
    values[:2] = np.nan
    tidy, page = shown(values, clusters, type="number")
    assert "masked" not in page.loc["X (mean (sd))", ["Overall", "Cluster 1", "Cluster 2"]].tolist()
    assert page.loc["X (mean (sd))", "P-value"] != ""
    assert "masked" in page.loc["X (mean (sd))", "Missing"]
    rest = tidy[tidy["part"] != "size"]
    assert not rest[["n", "n_missing"]].isin([58, 28, 2]).any(axis=None)
    assert rest[["df1", "df2"]].isna().all(axis=None)  # they tell how many rows there were


def test_shares_do_not_tell_a_few_missing_values():
    clusters = np.repeat([0, 1], 40)
    values = ["a", "b"] * 20 + ["a"] * 25 + ["b"] * 13 + [None] * 2
    tidy, page = shown(values, clusters, type="string", enum=["a", "b"])
    few = tidy.query("part == 'summary' and group == 1")
    assert few["percent"].isna().all() and few["n"].isna().all()
    assert few["count"].notna().sum() <= 1
    assert page.loc["B (%)", "Cluster 1"] == "20 (50.0)"


@pytest.mark.parametrize("seed", range(40))
def test_a_masked_step_of_the_flow_could_be_one_and_could_be_four(seed):
    """Tried with all steps there may be: how many are left, and all that is shown, is known."""
    rng = np.random.default_rng(seed)
    lost = rng.integers(0, 8, 3) * rng.integers(0, 2, 3)
    left = int(rng.integers(10, 50))
    part = int(rng.integers(0, left + 1))
    shown = mask_flow(pd.DataFrame({"n": [left + lost.sum(), *lost, left, part]}))["n"]
    assert shown[4] == left
    tried = np.array(list(np.ndindex(25, 25, 25)))
    fits = np.ones(len(tried), bool)
    for step in range(3):
        fits &= pd.isna(shown[1 + step]) | (tried[:, step] == lost[step])
    fits &= pd.isna(shown[0]) | (tried.sum(axis=1) == lost.sum())
    for step, n in enumerate(lost):
        if 0 < n < 5:
            assert {1, 4} <= set(tried[fits, step])
    if 0 < part < 5 or 0 < left - part < 5:
        assert pd.isna(shown[5])
