"""Outcome models against R's numbers on iris, and against data that models cannot take."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats
from sklearn.datasets import load_iris

from clamlab import resources
from clamlab.schema import check_table, load_schema
from clamlab.stats.outcomes import (
    adjusted_means,
    associations_across,
    associations_with_means,
    compare_models,
    imputed_associations,
    model_diagnostics,
    outcome_associations,
    summary_sentence,
)
from clamlab.stats.outcomes.summary import covariates_words
from clamlab.stats.tables import missing_by_cluster

NUMBER = {"type": "number"}
DEMOGRAPHIC = {**NUMBER, "x-role": "demographic"}
OUTCOME = {**NUMBER, "x-role": "outcome"}
IRIS_SCHEMA = {
    "properties": {"sepal_length": DEMOGRAPHIC, "sepal_width": DEMOGRAPHIC, "petal_width": OUTCOME}
}


@pytest.fixture(scope="module")
def iris() -> pd.DataFrame:
    frame = load_iris(as_frame=True).frame
    return frame.set_axis(
        ["sepal_length", "sepal_width", "petal_length", "petal_width", "cluster"], axis=1
    )


def part(tidy: pd.DataFrame, name: str) -> pd.DataFrame:
    return tidy[tidy["part"] == name].set_index("outcome")


def test_iris_adjusted_means_are_rs_emmeans(iris):
    means = adjusted_means(iris, IRIS_SCHEMA)
    assert means["mean"].to_numpy() == pytest.approx([0.2131261, 1.3868738, 1.9980001], abs=5e-8)
    assert means["se"].to_numpy() == pytest.approx([0.0489113, 0.0303862, 0.0376569], abs=5e-8)
    robust = adjusted_means(iris, IRIS_SCHEMA, covariance="HC3")
    assert robust["se"].to_numpy() == pytest.approx([0.0539491, 0.0294295, 0.0476559], abs=5e-8)
    # t, not normal quantiles, as R's coeftest.
    width = (robust["high"] - robust["mean"]) / robust["se"]
    assert width.to_numpy() == pytest.approx(scipy_stats.t.ppf(0.975, 145))


def test_iris_omnibus_and_pairs_are_rs(iris):
    tidy = outcome_associations(iris, IRIS_SCHEMA)
    omnibus = part(tidy, "omnibus").iloc[0]
    assert omnibus["statistic"] == pytest.approx(272.2414, abs=5e-5)
    assert (omnibus["df1"], omnibus["df2"]) == (2, 145)
    pairs = part(tidy, "pairwise")
    assert pairs["difference"].to_numpy() == pytest.approx(
        [-1.173748, -1.784874, -0.611126], abs=5e-7
    )
    assert pairs["se"].to_numpy() == pytest.approx([0.067585, 0.077794, 0.040557], abs=5e-7)
    assert list(zip(pairs["group"], pairs["other_group"], strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_tukey_without_covariates_is_tukeys_hsd(iris):
    noisy = iris.assign(y=iris["sepal_width"] + 2 * np.sin(np.arange(150) ** 2))
    schema = {"properties": {"y": OUTCOME}}
    pairs = part(outcome_associations(noisy, schema), "pairwise")
    groups = [noisy.loc[noisy["cluster"] == code, "y"] for code in range(3)]
    expected = scipy_stats.tukey_hsd(*groups).pvalue[[0, 0, 1], [1, 2, 2]]
    assert pairs["p_tukey"].to_numpy() == pytest.approx(expected, rel=1e-6)
    assert (pairs["p_holm"] >= pairs["p"]).all()


def test_a_covariate_that_does_not_vary_among_an_outcomes_rows_is_not_among_its_own():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": [0, 1] * 15, "age": rng.normal(60, 9, 30)})
    table = table.assign(rare=["no"] * 29 + ["yes"], fvc=rng.normal(3, 1, 30), crp=rng.random(30))
    table.loc[29, "crp"] = np.nan  # of the only one
    rules = {"age": {"x-role": "demographic"}, "rare": {"enum": ["no", "yes"]}}
    rules["rare"]["x-role"] = "demographic"
    rules |= {name: {"x-role": "outcome", "title": name.upper()} for name in ("fvc", "crp")}
    tidy = outcome_associations(table, {"properties": rules})
    held = tidy.groupby("outcome")["covariates"].unique().str.join("|").to_dict()
    assert held == {"fvc": "age, rare", "crp": "age"}
    assert covariates_words(tidy) == "age, rare (CRP: for age)"
    alone = outcome_associations(table, {"properties": rules}, covariates=())
    assert covariates_words(alone) == covariates_words(alone[:0]) == "nothing"


def test_two_clusters_without_covariates_is_the_pooled_t(iris):
    two = iris[iris["cluster"] < 2].assign(kind="outcome")
    tidy = outcome_associations(two, IRIS_SCHEMA, covariates=())
    groups = [two.loc[two["cluster"] == code, "petal_width"] for code in range(2)]
    expected = scipy_stats.ttest_ind(*groups)
    pair = part(tidy, "pairwise").iloc[0]
    assert pair["statistic"] == pytest.approx(expected.statistic)
    assert part(tidy, "omnibus").iloc[0]["p"] == pytest.approx(expected.pvalue)
    pooled = np.sqrt(np.mean([group.var() for group in groups]))
    assert pair["standardised"] == pytest.approx((groups[0].mean() - groups[1].mean()) / pooled)


def test_factor_levels_weigh_equally_or_by_share():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": np.arange(120) % 2, "sex": ["f"] * 100 + ["m"] * 20})
    table["y"] = table["cluster"] + 10.0 * (table["sex"] == "m") + rng.normal(0, 0.01, 120)
    schema = {"properties": {"sex": {"enum": ["f", "m"], "x-role": "demographic"}, "y": OUTCOME}}
    equal = adjusted_means(table, schema)["mean"].to_numpy()
    share = adjusted_means(table, schema, weights="proportional")["mean"].to_numpy()
    assert equal == pytest.approx([5, 6], abs=0.02)
    assert share == pytest.approx([10 / 6, 1 + 10 / 6], abs=0.02)
    with pytest.raises(ValueError, match="neither 'equal' nor"):
        adjusted_means(table, schema, weights="emmeans")


def test_a_log_outcome_gives_ratios_and_geometric_means():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"cluster": np.repeat([0, 1], 40)})
    table["crp"] = np.exp(0.5 * table["cluster"] + rng.normal(0, 0.3, 80))
    table.loc[[3, 50], "crp"] = [0.0, -1.0]
    schema = {"properties": {"crp": {**OUTCOME, "x-transform": "log"}}}
    means = adjusted_means(table, schema).set_index("group")
    inside = table.loc[(table["cluster"] == 1) & (table["crp"] > 0), "crp"]
    assert means.loc[1, "response"] == pytest.approx(scipy_stats.gmean(inside))
    assert means.loc[1, "mean"] == pytest.approx(np.log(inside).mean())
    tidy = outcome_associations(table, schema)
    pair = part(tidy, "pairwise").iloc[0]
    assert pair["ratio"] == pytest.approx(means.loc[0, "response"] / means.loc[1, "response"])
    assert pair["ratio_low"] < pair["ratio"] < pair["ratio_high"]
    assert part(tidy, "omnibus").iloc[0]["n_missing"] == 2
    assert "2 values of 0 or less have no logarithm" in part(tidy, "omnibus").iloc[0]["note"]


def test_used_and_missing_are_counted_by_cluster(iris):
    gaps = iris.copy()
    gaps.loc[[0, 60, 61], "petal_width"] = np.nan
    gaps.loc[[1, 149], "sepal_width"] = np.nan
    rows = part(outcome_associations(gaps, IRIS_SCHEMA), "group")
    assert rows["n"].tolist() == [145, 48, 48, 49]
    assert rows["n_missing"].tolist() == [5, 2, 2, 1]


def test_p_is_adjusted_over_the_outcomes_tested():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(60, 4)), columns=list("abcd"))
    table["cluster"] = np.arange(60) % 2
    table["a"] += table["cluster"]
    derived = {**OUTCOME, "x-source": "derived"}
    schema = {"properties": {"a": OUTCOME, "b": OUTCOME, "c": OUTCOME, "d": derived}}
    omnibus = part(outcome_associations(table, schema), "omnibus")
    raw = omnibus["p"].drop("d").to_numpy()
    assert omnibus["p_holm"].drop("d").min() == pytest.approx(3 * raw.min())
    assert np.all(omnibus["p_bh"].drop("d") >= raw)
    rows = part(outcome_associations(table, schema), "pairwise").loc[["d"]]
    assert rows[["p", "statistic", "p_tukey"]].isna().all(axis=None)
    assert rows["standardised"].notna().all()
    assert np.isnan(omnibus.loc["d", "p"])
    assert "derived from the images" in omnibus.loc["d", "note"]


def messy() -> tuple[pd.DataFrame, dict]:
    """Names that break formulas, and every kind of column a model cannot take."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "cluster": np.repeat([0, 1, 2], [20, 19, 1]),
            "C": rng.normal(size=40),
            "np": rng.choice(["u", "v"], 40),
            "a b-c": rng.normal(size=40),
            "constant": 1.0,
            "empty": np.nan,
            "y": rng.normal(size=40),
            "y_empty": np.nan,
            "y_constant": 2.0,
            "y_words": ["good", "bad"] * 20,
        }
    )
    table["twice"] = 2 * table["C"] + 1
    names = ("C", "a b-c", "constant", "empty", "twice")
    properties = {name: DEMOGRAPHIC for name in names}
    properties["np"] = {"enum": ["u", "v"], "x-role": "demographic"}
    properties |= {name: OUTCOME for name in ("y", "y_empty", "y_constant")}
    properties["y_words"] = {"enum": ["good", "bad"], "x-role": "outcome"}
    properties["typo"] = {"x-role": "outcomes"}
    return table, {"properties": properties}


def test_what_cannot_be_modelled_says_why_and_the_rest_is_made():
    table, schema = messy()
    omnibus = part(outcome_associations(table, schema), "omnibus")
    note = omnibus["note"]
    for said in ("twice: collinear", "constant: constant", "empty: empty", "cluster 3 has one row"):
        assert said in note["y"]
    assert "no row is complete" in note["y_empty"]
    assert "constant: no model" in note["y_constant"]
    assert "no linear model" in note["y_words"]
    assert "x-role 'outcomes'" in note["typo"]
    assert 0 < omnibus.loc["y", "p"] < 1
    means = adjusted_means(table, schema).set_index("outcome")
    assert means.loc["y", "mean"].notna().all()
    assert np.isnan(means.loc["y_empty", "mean"])


def test_collinear_terms_do_not_change_the_model():
    table, schema = messy()
    plain = {"properties": {name: schema["properties"][name] for name in ("C", "np", "y")}}
    plain["properties"]["a b-c"] = DEMOGRAPHIC
    whole = part(outcome_associations(table, schema), "omnibus").loc["y", "p"]
    assert whole == pytest.approx(part(outcome_associations(table, plain), "omnibus").loc["y", "p"])


def test_hc3_refuses_a_row_that_fits_itself():
    table, schema = messy()
    omnibus = part(outcome_associations(table, schema, covariance="HC3"), "omnibus")
    assert "leverage 1 at index 39" in omnibus.loc["y", "note"]
    assert np.isnan(omnibus.loc["y", "p"])


def test_a_cluster_that_a_covariate_names_cannot_be_told_apart():
    table = pd.DataFrame({"cluster": [0, 1] * 20, "site": ["a", "b"] * 20})
    table["y"] = np.random.default_rng(4).normal(size=40)
    schema = {"properties": {"site": {"enum": ["a", "b"], "x-role": "demographic"}, "y": OUTCOME}}
    tidy = outcome_associations(table, schema)
    note = part(tidy, "omnibus").loc["y", "note"]
    assert "cluster 2: collinear" in note and "cluster: " not in note
    assert "covariates tell cluster 1 from cluster 2: not compared" in note
    assert np.isnan(part(tidy, "omnibus").loc["y", "p"])
    assert (tidy["part"] != "pairwise").all()
    means = adjusted_means(table, schema)
    assert means["mean"].isna().all() and means["n"].tolist() == [20, 20]


def sites(site_b: list[int]) -> tuple[pd.DataFrame, dict]:
    """Three clusters with means 3.0, 1.0 and 2.8, of which site B holds some, and nobody else."""
    table = pd.DataFrame({"cluster": np.repeat([0, 1, 2], 20)})
    table["site"] = np.where(table["cluster"].isin(site_b), "B", "A")
    table["y"] = np.repeat([3.0, 1.0, 2.8], 20) + np.tile([-0.1, 0.1], 30)
    schema = {"properties": {"site": {"enum": ["A", "B"], "x-role": "scanner"}, "y": OUTCOME}}
    return table, schema


@pytest.mark.parametrize(
    ("site_b", "pair", "difference", "said"),
    [
        ([1], (0, 2), 0.2, "covariates tell clusters 1 and 3 from cluster 2: not compared"),
        ([2], (0, 1), 2.0, "covariates tell clusters 1 and 2 from cluster 3: not compared"),
        # Cluster 3 is the one left out, and yet it is cluster 1 that cannot be compared.
        ([1, 2], (1, 2), -1.8, "covariates tell cluster 1 from clusters 2 and 3: not compared"),
    ],
)
def test_only_clusters_of_one_site_are_compared_and_none_has_a_mean(site_b, pair, difference, said):
    table, schema = sites(site_b)
    associations, means = associations_with_means(table, schema, covariates=["site"])
    pairs = part(associations, "pairwise")
    assert list(zip(pairs["group"], pairs["other_group"], strict=True)) == [pair]
    assert pairs["difference"].item() == pytest.approx(difference)
    assert said in part(associations, "omnibus").loc["y", "note"]
    assert means[["mean", "low", "response"]].isna().all(axis=None)
    assert means["group"].tolist() == [0, 1, 2] and means["n"].tolist() == [20, 20, 20]
    assert means["note"].str.startswith("no mean at equal covariates; ").all()
    assert means["note"].str.contains(said).all()
    shares = adjusted_means(table, schema, covariates=["site"], weights="proportional")
    assert shares["mean"].isna().all()
    kept(associations=associations, adjusted_means=means)


def test_a_scan_of_the_other_site_lets_all_clusters_be_compared():
    table, schema = sites([1])
    table.loc[0, "site"] = "B"
    associations, means = associations_with_means(table, schema, covariates=["site"])
    assert len(part(associations, "pairwise")) == 3 and means["mean"].notna().all()


def test_the_third_cluster_is_called_cluster_3():
    table, schema = sites([2])
    note = part(outcome_associations(table, schema, covariates=["site"]), "omnibus")["note"].item()
    assert "cluster 3: collinear" in note and "cluster: " not in note
    table.loc[20, "site"] = "B"
    told = model_diagnostics(table, schema, covariates=["site"]).iloc[0]
    others = pd.get_dummies(table[["cluster", "site"]].astype(str), dtype=float)
    fit = sm.OLS(others["cluster_2"], others[["cluster_1", "site_B"]].assign(one=1.0)).fit()
    assert told["max_vif"] == pytest.approx(1 / (1 - fit.rsquared)) and told["max_vif"] > 5
    assert told["vif_term"] == "cluster 3" and "cluster 3 is nearly told" in told["advice"]


def test_what_is_no_declared_level_is_missing_and_not_the_reference():
    rng = np.random.default_rng(6)
    table = pd.DataFrame({"cluster": np.arange(60) % 2, "sex": rng.choice(["male", "female"], 60)})
    table["stage"] = rng.integers(0, 3, 60).astype(float)
    table["y"] = table["cluster"] + 2.0 * (table["sex"] == "female") + rng.normal(0, 0.3, 60)
    table.loc[[7, 20], "sex"], table.loc[33, "stage"] = ["unknown", "Female"], 9.0
    sex = {"enum": ["male", "female"], "x-role": "demographic", "title": "Sex"}
    stage = {"enum": [0, 1, 2], "x-role": "staging", "title": "Stage"}
    schema = {"properties": {"sex": sex, "stage": stage, "y": OUTCOME}}
    said = "Sex: 2 values are not declared levels: counted as missing"
    known = table.drop(index=[7, 20])
    for way in (outcome_associations, adjusted_means):
        tidy, without = way(table, schema), way(known, schema)
        missing = [c for c in tidy if c in ("note", "n_missing")]
        pd.testing.assert_frame_equal(tidy.drop(columns=missing), without.drop(columns=missing))
        assert said in tidy["note"].max()
    sizes = part(outcome_associations(table, schema), "group")
    assert (sizes["n"].iloc[0], sizes["n_missing"].iloc[0]) == (58, 2)
    compared = compare_models(table, schema, n_bootstrap=0)
    assert (compared["n"] == 57).all() and compared["note"].str.contains(said).all()
    assert compared["note"].str.contains("Stage: 1 values are not declared levels").all()
    numbers = ["r2", "aic", "p_cluster", "p_reader"]
    alone = compare_models(table.drop(index=[7, 20, 33]), schema, n_bootstrap=0)
    pd.testing.assert_frame_equal(compared[numbers], alone[numbers])
    gone = missing_by_cluster(table, schema).set_index("variable")["n_missing"]
    assert gone.to_dict() == {"sex": 2, "stage": 1}
    imputed = imputed_associations(table, schema, n_imputations=2, seed=1)
    assert (imputed["note"] == said).all() and imputed["difference"].notna().all()


def test_clusters_kept_as_text_are_the_same_clusters(iris):
    words = iris.assign(cluster=iris["cluster"].map("{:.1f}".format))
    plain, told = (outcome_associations(table, IRIS_SCHEMA) for table in (iris, words))
    pd.testing.assert_frame_equal(plain, told)


def test_one_cluster_has_means_and_no_test(iris):
    one = iris.assign(cluster=0)
    tidy = outcome_associations(one, IRIS_SCHEMA)
    assert part(tidy, "omnibus")["p"].isna().all()
    assert "one cluster only" in part(tidy, "omnibus").iloc[0]["note"]
    assert adjusted_means(one, IRIS_SCHEMA)["mean"].item() == pytest.approx(
        iris["petal_width"].mean()
    )


def test_arguments_that_make_no_sense(iris):
    with pytest.raises(ValueError, match=r"covariates \['weight'\]"):
        outcome_associations(iris, IRIS_SCHEMA, covariates=["weight"])
    with pytest.raises(ValueError, match="covariance 'HC4'"):
        outcome_associations(iris, IRIS_SCHEMA, covariance="HC4")


def test_log1p_keeps_the_zeros_and_comes_back():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {"cluster": np.repeat([0, 1], 30), "crp": rng.poisson(3, 60).astype(float)}
    )
    table.loc[5, "crp"], table.loc[6, "crp"] = 0.0, -1.0
    schema = {"properties": {"crp": {**OUTCOME, "x-transform": "log1p"}}}
    means = adjusted_means(table, schema, covariates=())
    first = table.loc[(table["cluster"] == 0) & (table["crp"] >= 0), "crp"]
    assert means["n"].tolist() == [29, 30]
    assert means["response"].iloc[0] == pytest.approx(np.expm1(np.log1p(first).mean()))
    assert "1 values below 0 count" in means["note"].iloc[0]
    pair = part(outcome_associations(table, schema, covariates=()), "pairwise").iloc[0]
    assert np.isnan(pair["ratio"])  # a difference of log1p is no ratio


def hostile(n=6):
    """One outcome that can be modelled among those that cannot, each for another reason."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": np.arange(n) % 3})
    for name in ("few", "fine", "empty_cluster"):
        table[name] = rng.normal(3, 1, n)
    table.loc[2:, "few"] = np.nan
    table.loc[table["cluster"] == 2, "empty_cluster"] = np.nan
    table["constant"], table["infinite"] = 2.0, np.inf
    table["told"] = table["cluster"] * 1.0 + 1e6
    return table, {"properties": {name: OUTCOME for name in table.columns[1:]}}


WHY = {
    "few": "2 rows for 2 coefficients: no model",
    "constant": "constant: no model",
    "infinite": "holds infinite values",
    "told": "the model fits without any error",
}


@pytest.mark.filterwarnings("error")
def test_every_room_gives_each_outcome_its_own_note_and_makes_the_others():
    table, schema = hostile()
    found = {
        "p": outcome_associations(table, schema).query("part == 'omnibus'"),
        "se": adjusted_means(table, schema),
        "adjusted_r2": compare_models(table, schema, n_bootstrap=50),
        "residual_skew": model_diagnostics(table, schema),
        "across_low": associations_across(table, schema, [table["cluster"]] * 2),
    }
    for number, tidy in found.items():
        of = {name: rows for name, rows in tidy.groupby("outcome")}
        assert set(of) == set(schema["properties"]), number
        for name in ("fine", "empty_cluster"):
            assert of[name][number].notna().any(), (number, name)
        assert of["empty_cluster"]["note"].str.contains("cluster 3 has no complete row").all()
        told = WHY if number != "adjusted_r2" else WHY | {"few": ""}  # demographics alone fit
        for name, why in told.items():
            notes = " ".join(of[name]["note"])
            assert why in notes and notes, (number, name)
            assert name == "few" or of[name]["note"].str.contains(why).any(), (number, name)
            if why:
                assert of[name].loc[of[name]["note"].str.contains(why), number].isna().all()


def test_every_table_of_differences_says_on_which_scale_and_in_which_units(iris):
    rule = {"type": "number", "x-role": "outcome", "x-units": "cm"}
    schema = {"properties": {"sepal_width": rule, "petal_length": {**rule, "x-transform": "log"}}}
    for tidy in (
        outcome_associations(iris, schema),
        associations_across(iris, schema, [iris["cluster"]] * 2),
        imputed_associations(iris, schema, n_imputations=2, seed=1),
    ):
        named = tidy.groupby("outcome")[["transform", "units"]].first().fillna("")
        assert named.loc["sepal_width"].tolist() == ["", "cm"]
        assert named.loc["petal_length"].tolist() == ["log", "cm"]


def kept(**tables):
    """Hold tables of results against the contracts that a study keeps."""
    for name, table in tables.items():
        check_table(table, load_schema(resources.schemas() / f"{name}.schema.json"))


@pytest.mark.filterwarnings("error")
def test_without_outcomes_every_table_is_empty_and_keeps_its_contract(iris):
    schema = {"properties": {"sepal_width": DEMOGRAPHIC}}
    comparison = compare_models(iris, schema)
    found = {
        "associations": outcome_associations(iris, schema),
        "adjusted_means": adjusted_means(iris, schema),
        "model_comparison": comparison,
    }
    kept(**found)
    others = [
        model_diagnostics(iris, schema),
        associations_across(iris, schema, [iris["cluster"]]),
        imputed_associations(iris, schema, seed=1),
    ]
    assert [len(tidy) for tidy in (*found.values(), *others)] == [0] * 6
    assert summary_sentence(comparison).startswith("There is no outcome to compare")


@pytest.mark.parametrize(("made", "base"), [(hostile, "mean alone"), (messy, "demographics")])
def test_an_outcome_without_a_model_keeps_the_contracts_too(made, base):
    table, schema = made()
    comparison = compare_models(table, schema, n_bootstrap=5)
    kept(
        associations=outcome_associations(table, schema),
        adjusted_means=adjusted_means(table, schema),
        model_comparison=comparison,
    )
    constant = comparison[comparison["note"].str.contains("constant: no model")]
    assert constant["model"].tolist() == [base]
    assert constant["adjusted_r2"].isna().all()


def test_why_there_is_no_model_stands_before_what_was_left_out():
    table, schema = messy()
    table.loc[4:, "y"] = np.nan
    note = adjusted_means(table, schema).set_index("outcome").loc["y", "note"]
    assert note.startswith("4 rows for 4 coefficients: no model")
    assert "cluster 3 has no complete row" in note


def test_what_is_left_out_is_told_by_its_title_and_source():
    table, schema = messy()
    schema["properties"]["y_words"] |= {"title": "Well-being", "x-source": "reader"}
    for tidy in (outcome_associations(table, schema), adjusted_means(table, schema)):
        row = tidy[tidy["outcome"] == "y_words"].iloc[0]
        assert (row["title"], row["source"]) == ("Well-being", "reader")


@pytest.mark.filterwarnings("error")
def test_hc3_does_not_test_a_difference_without_error():
    """Both clusters of the pair hold one value each; only the third varies."""
    table = pd.DataFrame(
        {"cluster": np.repeat([0, 1, 2], 4), "y": [1.0] * 4 + [2.0] * 4 + [3, 4] * 2}
    )
    schema = {"properties": {"y": OUTCOME}}
    omnibus = part(outcome_associations(table, schema, covariance="HC3"), "omnibus").loc["y"]
    assert "HC3 does not exist" in omnibus["note"] and np.isnan(omnibus["p"])
    assert part(outcome_associations(table, schema), "omnibus").loc["y", "p"] < 0.001


@pytest.mark.filterwarnings("error")
def test_ranks_that_cannot_tell_terms_apart_give_no_rank_p():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"cluster": np.arange(8) % 2, "age": np.arange(8.0)})
    table["years"], table["y"] = table["age"] ** 2, rng.normal(size=8)
    schema = {"properties": {"age": DEMOGRAPHIC, "years": DEMOGRAPHIC, "y": OUTCOME}}
    row = model_diagnostics(table, schema).iloc[0]
    assert np.isnan(row["rank_p"]) and "no rank_p" in row["note"] and 0 < row["p"] < 1


@pytest.mark.filterwarnings("error")
def test_random_small_tables_never_stop_and_never_go_without_a_word():
    """Gaps, constants, single people and more columns than rows, ten times."""
    for seed in range(50, 60):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 14))
        table = pd.DataFrame({"cluster": rng.integers(0, 3, n)})
        for name in ("age", "fev", "fvc", "crp"):
            table[name] = rng.normal(size=n).round(int(rng.integers(0, 3)))
            table.loc[rng.random(n) < rng.choice([0, 0.3]), name] = np.nan
        table["sex"] = rng.choice(["f", "m", None], n, p=[0.8, 0.15, 0.05])
        rules = {"sex": {"enum": ["f", "m", None], "x-role": "demographic"}, "age": DEMOGRAPHIC}
        schema = {"properties": rules | {name: OUTCOME for name in ("fev", "fvc", "crp")}}
        partitions = [rng.permutation(table["cluster"]) for _ in range(2)]
        for number, tidy in {
            "p": outcome_associations(table, schema, covariance="HC3").query("part == 'omnibus'"),
            "mean": adjusted_means(table, schema),
            "adjusted_r2": compare_models(table, schema, n_bootstrap=20),
            "p_of_model": model_diagnostics(table, schema).rename(columns={"p": "p_of_model"}),
            "across_low": associations_across(table, schema, partitions),
            "difference": imputed_associations(table, schema, n_imputations=2, seed=seed),
        }.items():
            assert set(tidy["outcome"]) == {"fev", "fvc", "crp"}
            assert not np.isinf(tidy.select_dtypes("float")).any(axis=None), (seed, number)
            silent = tidy[tidy[number].isna()]["note"].fillna("") == ""
            assert not silent.any(), (seed, number)
