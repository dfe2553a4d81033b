"""Masked counts cannot be worked out from what is shown: tried as an attacker would."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import linprog

from clamlab.baselines import agreement, recorded
from clamlab.stats.disclosure import (
    hidden_cells,
    mask_agreement,
    mask_flow,
    mask_outcomes,
    mask_partitions,
    mask_table_one,
    mask_trust,
)
from clamlab.stats.disclosure import partitions as of_partitions
from clamlab.stats.disclosure.masking import MASKED
from clamlab.stats.disclosure.sentences import without_counts
from clamlab.stats.outcomes import (
    adjusted_means,
    compare_models,
    compare_partitions,
    outcome_associations,
)
from clamlab.stats.tables import render_table_one, table_notes, table_one


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


def test_numbers_of_an_exported_table_are_those_of_the_notebook():
    clusters = np.repeat([0, 1], 24)
    heights = [171.26] * 23 + [171.5] + [170.64] * 23 + [170.1]
    tidy, page = shown(heights, clusters, type="number")
    line = page.loc["X (mean (sd))"]
    assert line[["Cluster 1", "Cluster 2"]].tolist() == ["171.27 (0.05)", "170.62 (0.11)"]
    assert set(tidy.loc[tidy["part"] == "summary", "digits"]) == {6}
    assert not any("three digits" in note for note in table_notes(tidy))
    shares = ["a"] * 7 + ["b"] * 129 + ["a"] * 70 + ["b"] * 66  # 5.147 %: not 5.15, and so 5.2
    _, page = shown(shares, np.repeat([0, 1], 136), type="string", enum=["b", "a"])
    assert page.loc["A (%)", "Cluster 1"] == "7 (5.1)"


@pytest.mark.parametrize(
    ("value", "step", "printed"),
    [(53.58, 12, "53.6 (12.0)"), (171.3, 9.8, "171 (9.80)"), (2876.4, 820, "2880 (820)")],
)
def test_beside_masked_counts_no_decimals_are_made_up(value, step, printed):
    values = np.tile([value - step, value + step], 30)
    values = value + (values - value) * np.sqrt(27 / 28)  # of 28 values the SD is the step
    values[:2] = np.nan
    tidy, page = shown(values, np.repeat([0, 1], 30), type="number")
    assert page.loc["X (mean (sd))", "Cluster 1"] == printed
    assert "and other numbers have three digits" in table_notes(tidy)[-1]


def test_a_mean_beside_a_masked_count_is_that_of_any_count():
    """Ages are whole, so that a mean to two decimals is that of few counts: of 26, not of 27."""
    ages = np.random.default_rng(1).integers(40, 70, 60).astype(float)
    ages[[*range(4)]] = np.nan
    tidy, _ = shown(ages, np.repeat([0, 1], 30), type="number")
    told = tidy.query("part == 'summary' and group == 0")["mean"].item()

    def could_be(mean, digits):
        nearest = [round(mean * n) / n for n in range(26, 30)]
        return [float(f"{value:.{digits}g}") == mean for value in nearest]

    assert all(could_be(told, 3))
    assert not all(could_be(float(f"{np.nanmean(ages[:30]):.2f}"), 4))


def test_information_criteria_keep_what_tells_models_apart():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": np.repeat([0, 1], 200), "fvc": rng.normal(2900, 800, 400)})
    schema = {"properties": {"fvc": {"x-role": "outcome"}}}
    ways = (outcome_associations, adjusted_means, compare_models)
    whole = [way(table, schema) for way in ways]
    associations, means, models = mask_outcomes(*whole)
    assert models["aic"].diff()[1] == pytest.approx(whole[2]["aic"].diff()[1], abs=0.02)
    assert means["mean"].tolist() == pytest.approx(whole[1]["mean"].tolist(), abs=0.01)
    assert associations["p"].max() == float(f"{whole[0]['p'].max():.3g}")


def test_a_masked_outcome_does_not_tell_what_its_few_have_in_common():
    """Of the few in cluster 2 whose value is known, nobody learns that all of them are women."""
    clusters = np.repeat([0, 1], 20)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": clusters, "sex": "F", "fvc": rng.normal(3, 1, 40)})
    table.loc[22:, "fvc"] = None
    properties = {"fvc": {"type": "number", "x-role": "outcome"}}
    properties["sex"] = {"enum": ["F", "M"], "title": "Sex", "x-role": "demographic"}
    ways = (outcome_associations, adjusted_means, compare_models)
    whole = [way(table, {"properties": properties}) for way in ways]
    assert all(part["note"].str.contains("Sex: one level only").any() for part in whole)
    for part in mask_outcomes(*whole):
        assert set(part["note"]) == {MASKED}


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


def test_agreement_tells_no_few_scans():
    """Who is not measured, and who of a scanner lies in the other cluster."""
    assert of_partitions.SCANNER == recorded.SCANNER
    clusters, row = np.repeat([0, 1], 20), np.arange(40)
    groups = pd.DataFrame(
        {
            "density": np.where(row < 2, 1, clusters),
            "volume": np.where(row < 37, row % 2, np.nan),
            "radiomics": np.where(row < 3, 0, np.nan),
            "scanner: site": np.where(row < 22, "a", "b"),
            "scanner: kernel": np.where(row < 30, "a", "b"),
        }
    )
    whole = agreement(groups, clusters)
    told = mask_agreement(whole, groups, clusters).set_index("baseline")
    exact = whole.set_index("baseline")["adjusted_rand"]
    assert told["n"].isna().tolist() == [False, True, True, False, False]
    assert told.loc["volume", "note"] == "not known of all scans"
    assert told.loc["radiomics", "note"] == "known of too few scans, fewer than 10"
    assert told.loc["density", "adjusted_rand"] == float(f"{exact['density']:.3g}") == 0.805
    assert 0.8 < exact["scanner: site"] < 0.9 and told.loc["scanner: site", "adjusted_rand"] == 0.8
    assert told.loc["scanner: kernel", "adjusted_rand"] == float(f"{exact['scanner: kernel']:.3g}")


def rows_that_fit(told, n_parameters, candidates=range(30, 60)):
    """Numbers of rows at which one printed number of a model follows from others, as rounded."""

    def low_high(name):
        written = len(str(told[name]).partition(".")[2])
        return told[name] - 0.5 * 10**-written, told[name] + 0.5 * 10**-written

    fit = set(candidates)
    if pd.notna(told["r2"]):  # adjusted R² is R² with as many rows
        a, b = low_high("adjusted_r2"), low_high("r2")
        among = [((1 - x) / (1 - y)) for x in a for y in b]
        fit &= {n for n in fit if min(among) <= (n - 1) / (n - n_parameters) <= max(among)}
    p, added, adjusted = low_high("p_cluster"), low_high("added_r2"), low_high("adjusted_r2")
    for n in list(fit):  # F is what is added, by what is left for each row
        f = [stats.f.isf(each, 1, n - n_parameters) for each in p]
        among = [1 + x * (1 - y) / z for x in f for y in adjusted for z in added]
        fit -= set() if min(among) <= n <= max(among) else {n}
    return fit


def test_how_many_miss_an_outcome_does_not_follow_from_what_models_explain():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"cluster": [0, 1] * 24, "age": rng.normal(60, 8, 48)})
    table["fvc"] = 3 - 0.5 * table["cluster"] + 0.03 * table["age"] + rng.normal(0, 1, 48)
    table.loc[[4, 7], "fvc"] = np.nan
    schema = {"properties": {"fvc": {"x-role": "outcome"}, "age": {"x-role": "demographic"}}}
    found = [f(table, schema) for f in (outcome_associations, adjusted_means, compare_models)]
    names = ["r2", "adjusted_r2", "added_r2", "p_cluster"]
    exact = found[2].set_index("model").loc["demographics + cluster", names]
    three = exact.map(lambda value: float(f"{value:.3g}"))
    assert rows_that_fit(three, 3) == {46}  # the attack works where three digits stand
    told, _, models = mask_outcomes(*found)
    models = models.set_index("model").loc["demographics + cluster", names]
    assert rows_that_fit(models, 3) >= {44, 45, 46, 47}  # one to four of 48 miss it
    assert told["effect_size"].isna().all()  # with p, as good as the rows


@pytest.mark.parametrize(("n_without", "stays"), [(3, False), (12, True), (0, True)])
def test_rows_of_models_beside_those_of_associations_tell_of_no_few(n_without, stays):
    """Who lacks a reader's score, or a group, is in the associations and in no model beside it."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"subject_id": [f"S{i}" for i in range(60)], "cluster": [0, 1] * 30})
    table = table.assign(fvc=rng.normal(3, 1, 60), stage=rng.normal(2, 1, 60))
    table.loc[: n_without - 1, "stage"] = np.nan
    table.loc[48:, "fvc"] = np.nan  # so many are missing that they may be counted
    schema = {"properties": {"fvc": {"x-role": "outcome"}, "stage": {"x-role": "staging"}}}
    found = [f(table, schema) for f in (outcome_associations, adjusted_means, compare_models)]
    assert set(found[2]["n"]) == {48 - n_without}
    associations, _, models = mask_outcomes(*found)
    assert associations.loc[associations["part"] == "omnibus", "n"].notna().all()
    assert models["n"].notna().all() == stays
    groups = table[["subject_id"]].assign(density=np.arange(60.0) % 2)
    groups.loc[: n_without - 1, "density"] = np.nan
    compared = compare_partitions(table, schema, groups)
    assert set(compared["n"]) == {48 - n_without}
    told = mask_partitions(compared, table, schema, groups)
    assert told["n"].notna().all() == stays and told["adjusted_r2"].notna().all()


def test_what_partitions_explain_rests_on_no_few_persons():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"subject_id": [f"S{i}" for i in range(60)], "cluster": [0, 1] * 30})
    table = table.assign(fvc=rng.normal(3, 1, 60), dlco=rng.normal(15, 4, 60), age=60.0)
    table["age"] += rng.normal(0, 8, 60)
    table.loc[table.index[:32:2], "dlco"] = np.nan
    table.loc[table.index[-20:], "age"] = np.nan  # dlco and age are known of four of cluster 0
    groups = table[["subject_id"]].assign(
        density=np.arange(60) % 3, volume=np.where((np.arange(60) > 2) & (np.arange(60) < 45), 1, 0)
    )
    rules = {"fvc": {"x-role": "outcome"}, "dlco": {"x-role": "outcome"}}
    schema = {"properties": {**rules, "age": {"x-role": "demographic"}}}
    compared = compare_partitions(table, schema, groups)
    told = mask_partitions(compared, table, schema, groups, covariates=["age"])
    left = told.set_index(["outcome", "partition"])["adjusted_r2"].notna()
    assert left["fvc"].to_dict() == {
        "demographics": True, "clusters": True, "density": True, "volume": False,
    }  # fmt: skip
    assert not left["dlco"].any()
    # Were no age needed, the first group of volume would be eighteen.
    assert mask_partitions(compared, table, schema, groups)["adjusted_r2"].notna().all()
    with pytest.raises(ValueError, match="no column density"):
        mask_partitions(compared, table, schema, groups.drop(columns="density"))


def test_a_value_that_has_no_logarithm_is_none_of_a_partition():
    """Of cluster 1 and of density 1 three values are above 0; all have one."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"subject_id": [f"S{i}" for i in range(40)], "cluster": [0, 1] * 20})
    table["crp"] = np.exp(rng.normal(0, 1, 40))
    table.loc[table.index[7::2], "crp"] = 0.0
    groups = table[["subject_id"]].assign(density=table["cluster"])
    schema = {"properties": {"crp": {"x-role": "outcome", "x-transform": "log"}}}
    compared = compare_partitions(table, schema, groups)
    assert compared["n"].unique().tolist() == [23]
    told = mask_partitions(compared, table, schema, groups)
    assert told[["n", "n_missing", "adjusted_r2", "added"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("unstaged", "stays", "stays_of_before"),
    [(range(3, 20), False, False), (range(40, 58), True, False), ([], True, True)],
)
def test_models_of_a_few_persons_of_a_cluster_keep_no_number(unstaged, stays, stays_of_before):
    """The outcome is known of twenty and forty; models are compared where the stage is, too."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": np.repeat([0, 1], [20, 40]), "fvc": rng.normal(3, 1, 60)})
    table["stage"] = np.arange(60) % 2.0
    table.loc[[*unstaged], "stage"] = np.nan
    rules = {"fvc": {"x-role": "outcome"}, "stage": {"x-role": "staging", "enum": [0, 1]}}
    ways = (outcome_associations, adjusted_means, compare_models)
    *others, models = (way(table, {"properties": rules}) for way in ways)
    associations, _, told = mask_outcomes(*others, models)
    assert told["adjusted_r2"].notna().all() == told["n"].notna().all() == stays
    assert associations["difference"].notna().any() and "n_smallest" not in told
    # Tables from before do not tell of which cluster those are that are lost.
    before = mask_outcomes(*others, models.drop(columns="n_smallest"))[2]
    assert before["adjusted_r2"].notna().all() == stays_of_before


def test_a_note_of_one_row_is_a_count_of_one():
    assert without_counts("group 4 has one row; 3 rows left out") == (
        "group 4 has a few rows; a few rows left out"
    )
    assert without_counts(
        "46 of 48 scans agree, 1 of 3 maps is empty, 0 of 4 rows, 4 of 4 rows"
    ) == (
        "all but a few of 48 scans agree, some of a few maps is empty, none of a few rows, "
        "all of a few rows"
    )
    for told in (
        "one level only, 13 rows",
        "groups of fewer than two values are left out",
        "20 of 48 scans",
    ):
        assert without_counts(told) == told


def test_trust_cards_count_no_few_maps():
    cards = {
        "n_examined": [6, 6, 6, 12],
        "n_empty": [0, 2, 6, 9],
        "verdict": "2 of 6 maps are empty.",
    }
    told = mask_trust(pd.DataFrame(cards))
    assert told["n_empty"].fillna(-1).tolist() == [0, -1, 6, -1]
    assert set(told["verdict"]) == {"a few of 6 maps are empty."}
