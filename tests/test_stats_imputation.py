"""Filled gaps change what they must and nothing else; Rubin's rules on numbers known on paper."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.imputation.mice import MICEData

from clamlab.stats.outcomes import imputed_associations, outcome_associations
from clamlab.stats.outcomes.chained_equations import fill
from clamlab.stats.outcomes.imputation import _join

pytestmark = pytest.mark.filterwarnings("error")  # nothing of a library's reaches the reader
NUMBER = {"type": "number"}
DEMOGRAPHIC, OUTCOME = {**NUMBER, "x-role": "demographic"}, {**NUMBER, "x-role": "outcome"}
SCHEMA = {
    "properties": {
        "age": {**NUMBER, "x-role": "demographic"},
        "sex": {"type": "string", "enum": ["f", "m", None], "x-role": "demographic"},
        "fvc": {**NUMBER, "x-role": "outcome"},
        "crp": {**NUMBER, "x-role": "outcome", "x-transform": "log"},
    }
}


def people(n=200, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"cluster": np.arange(n) % 2, "age": rng.normal(60, 9, n)})
    table["sex"] = rng.choice(["f", "m"], n)
    table["fvc"] = 5 - 0.4 * table["cluster"] - 0.03 * table["age"] + rng.normal(0, 0.3, n)
    table["crp"] = np.exp(0.3 * table["cluster"] + rng.normal(0, 0.5, n))
    return table


def told(table, **options):
    return imputed_associations(table, SCHEMA, seed=1, **options).set_index("outcome")


def test_without_gaps_it_is_the_complete_analysis():
    table = people()
    joined = told(table, n_imputations=3)
    pairs = outcome_associations(table, SCHEMA).query("part == 'pairwise'").set_index("outcome")
    assert joined["difference"].to_numpy() == pytest.approx(pairs["difference"].to_numpy())
    assert joined["se"].to_numpy() == pytest.approx(pairs["se"].to_numpy())
    assert (joined["missing_information"] == 0).all() and (joined["n_imputed"] == 0).all()


def test_with_hc3_it_assumes_equal_variances_no_more_than_the_complete_analysis():
    table = people(60)
    table["fvc"] += np.random.default_rng(8).normal(0, 0.6, 60) * table["cluster"]
    robust, equal = (told(table, n_imputations=2, covariance=c) for c in ("HC3", "classical"))
    tidy = outcome_associations(table, SCHEMA, covariance="HC3")
    pairs = tidy.query("part == 'pairwise'").set_index("outcome")
    assert (abs(robust["se"] / equal["se"] - 1) > 0.005).all()
    assert robust["se"].to_numpy() == pytest.approx(pairs["se"].to_numpy())
    assert robust["complete_p"].to_numpy() == pytest.approx(pairs["p"].to_numpy())
    df = pairs["df2"] * (pairs["df2"] + 1) / (pairs["df2"] + 3)  # Barnard and Rubin's, no gaps
    margin = scipy_stats.t.ppf(0.975, df) * pairs["se"]
    assert robust["low"].to_numpy() == pytest.approx((pairs["difference"] - margin).to_numpy())
    assert robust["high"].to_numpy() == pytest.approx((pairs["difference"] + margin).to_numpy())
    p = 2 * scipy_stats.t.sf(abs(pairs["statistic"]), df)
    assert robust["p"].to_numpy() == pytest.approx(p)
    assert (robust["covariance"] == "HC3").all()


def test_a_pair_that_hc3_refuses_gets_no_imputed_interval():
    table = people(40)
    table["sex"] = ["m"] + ["f"] * 39
    joined = told(table, n_imputations=2, covariance="HC3")
    assert joined["difference"].isna().all() and len(joined) == 2
    assert joined["note"].str.startswith("leverage 1 at index 0: HC3 does not exist").all()


def test_a_bias_of_complete_cases_is_taken_back():
    """The sickest miss their breathing test, but answer the questionnaire that goes with it."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"cluster": np.arange(600) % 2})
    table["fvc"] = 3 - 0.5 * table["cluster"] + rng.normal(0, 0.4, 600)
    table["sobq"] = 50 - 10 * table["fvc"] + rng.normal(0, 1, 600)
    table.loc[(table["sobq"] > 25) & (rng.random(600) < 0.8), "fvc"] = np.nan
    schema = {"properties": {name: {**NUMBER, "x-role": "outcome"} for name in ("fvc", "sobq")}}
    joined = imputed_associations(table, schema, n_imputations=10, seed=1).set_index("outcome")
    assert joined.loc["fvc", "complete_difference"] < 0.38
    assert joined.loc["fvc", "difference"] == pytest.approx(0.5, abs=0.1)
    assert joined.loc["fvc", "n_imputed"] > 100


def test_gaps_cost_certainty_and_every_kind_of_column_is_filled():
    table = people()
    rng = np.random.default_rng(4)
    gaps = table.copy()
    for column in ("age", "sex", "fvc", "crp"):
        gaps.loc[rng.random(len(gaps)) < 0.2, column] = None
    joined, whole = told(gaps), told(table, n_imputations=3)
    assert (joined["se"] > whole["se"]).all()
    assert joined["missing_information"].between(0.02, 0.6).all()
    assert (joined["low"] < whole["difference"]).all()
    assert (joined["high"] > whole["difference"]).all()
    assert joined["n_imputed"].tolist() == [gaps["fvc"].isna().sum(), gaps["crp"].isna().sum()]
    pd.testing.assert_frame_equal(joined, told(gaps))  # seeded


def test_rubins_rules_on_paper():
    draws = pd.DataFrame(
        {"difference": [1.0, 2.0, 3.0], "se": [1.0] * 3, "df2": [98.0] * 3, "p": [0.1] * 3}
    )
    row = _join(draws)
    assert row["difference"] == 2
    assert row["se"] == pytest.approx(np.sqrt(1 + 4 / 3))  # within 1, between 1, times 4/3
    share = (4 / 3) / (7 / 3)
    observed = 98 * 99 / 101 * (1 - share)
    assert row["df2"] == pytest.approx(1 / (1 / observed + share**2 / 2))


def test_derived_outcomes_get_no_p_and_one_imputation_is_refused():
    derived = {**NUMBER, "x-role": "outcome", "x-source": "derived"}
    schema = {"properties": {"fvc": derived}}
    joined = imputed_associations(people(60), schema, n_imputations=2, seed=1)
    assert joined["p"].isna().all()
    with pytest.raises(ValueError, match="at least 2"):
        imputed_associations(people(60), schema, n_imputations=1, seed=1)


def few(n, n_outcomes, n_covariates, seed=0):
    """So many people and columns of noise, in two clusters."""
    rng = np.random.default_rng(seed)
    rules = {f"y{i}": OUTCOME for i in range(n_outcomes)}
    rules |= {f"x{i}": DEMOGRAPHIC for i in range(n_covariates)}
    table = pd.DataFrame({name: rng.normal(size=n) for name in rules})
    return table.assign(cluster=np.arange(n) % 2), {"properties": rules}


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((4, 1, 1), "expected 10 values or more, found 3"),
        ((8, 1, 5), "expected 10 values or more, found 7"),
        (
            (12, 13, 6),
            "expected 21 values or more for 19 predictors (name fewer outcomes, covariates), "
            "found 11",
        ),
    ],
)
def test_an_outcome_with_too_few_values_says_so_and_the_others_are_made(size, said):
    table, schema = few(*size)
    whole = imputed_associations(table, schema, n_imputations=3, seed=1).set_index("outcome")
    table.loc[3, "y0"] = np.nan
    joined = imputed_associations(table, schema, n_imputations=3, seed=1).set_index("outcome")
    assert list(dict.fromkeys(joined.index)) == list(schema["properties"])[: size[1]]
    assert f"y0: 1 of 1 gaps stay open: {said}; report complete" in joined.loc["y0", "note"]
    assert joined.loc["y0", ["difference", "se", "low", "high", "p"]].isna().all()
    assert joined.loc["y0", "n_imputed"] == 0
    others = joined.drop(index="y0")
    assert others["difference"].to_numpy(float) == pytest.approx(
        whole["difference"].drop(index="y0").to_numpy(float)
    )


def test_a_covariate_that_cannot_be_filled_is_named_by_every_outcome():
    table, schema = few(8, 2, 2)
    table.loc[3, "x1"] = np.nan
    joined = imputed_associations(table, schema, n_imputations=3, seed=1)
    assert joined["note"].str.contains("x1: 1 of 1 gaps stay open: expected 10 values").all()
    assert joined["difference"].to_numpy() == pytest.approx(joined["complete_difference"])


def only_hispanic(gap):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"cluster": np.arange(48) % 3, "age": rng.normal(60, 9, 48)})
    table["hispanic"] = ["yes" if i == 7 else "no" for i in range(48)]
    table["fvc"], table["crp"] = rng.normal(3, 0.5, 48), np.exp(rng.normal(size=48))
    table.loc[gap, "fvc"] = np.nan
    rules = SCHEMA["properties"] | {
        "hispanic": {"enum": ["no", "yes"], "title": "Hispanic", "x-role": "demographic"}
    }
    return table, {"properties": {name: rules[name] for name in table.columns[1:]}}


def test_a_gap_of_the_only_one_of_a_kind_stays_open():
    """Of 48 people one is Hispanic: what that does to an outcome, nobody with a value tells."""
    table, schema = only_hispanic(gap=[7])
    joined = imputed_associations(table, schema, n_imputations=3, seed=1).set_index("outcome")
    assert (joined.loc["fvc", "n_imputed"] == 0).all()
    assert joined.loc["fvc", "difference"].isna().all()
    assert joined.loc["fvc", "complete_difference"].notna().all()
    said = "fvc: 1 of 1 gaps stay open: nobody with a value is like these scans in Hispanic"
    assert joined.loc["fvc", "note"].str.startswith(said).all()
    assert joined.loc["crp", "difference"].notna().all() and (joined.loc["crp", "note"] == "").all()


def test_the_other_gaps_are_filled_and_the_open_one_is_left_out():
    table, schema = only_hispanic(gap=[7, 20, 30])
    joined = imputed_associations(table, schema, n_imputations=3, seed=1).set_index("outcome")
    assert (joined.loc["fvc", "n_imputed"] == 2).all()
    assert joined.loc["fvc", "difference"].notna().all()
    assert joined.loc["fvc", "note"].str.contains("fvc: 1 of 3 gaps stay open").all()
    without = imputed_associations(table.drop(index=7), schema, n_imputations=3, seed=1)
    assert (without["note"] == "Hispanic: one level only, left out").all()


def test_an_outcome_missing_in_a_whole_cluster_is_not_made_up_there():
    table = people(60)
    table["cluster"] = np.arange(60) % 3
    table.loc[table["cluster"] == 2, "fvc"] = np.nan
    table.loc[[0, 4], "fvc"] = np.nan
    joined = told(table, n_imputations=3)
    fvc, crp = joined.loc[["fvc"]].iloc[0], joined.loc["crp"]
    assert (fvc["group"], fvc["other_group"], fvc["n_imputed"]) == (0, 1, 2)
    assert (
        "20 of 22 gaps stay open: nobody with a value is like these scans in cluster"
        in (fvc["note"])
    )
    assert "cluster 3 has no complete row: not compared" in fvc["note"]
    assert len(joined) == 1 + 3 and crp["difference"].notna().all()


def test_what_has_no_complete_row_can_still_be_compared():
    """Every row misses one covariate or another: imputation is made for that."""
    table = people(60)
    for start, column in enumerate(("age", "sex", "fvc")):
        table.loc[start::3, column] = None
    joined = told(table, n_imputations=3)
    assert joined["difference"].notna().all() and (joined["note"] == "").all()
    assert np.isnan(joined.loc["fvc", "complete_difference"])


def test_every_outcome_keeps_a_row():
    table = people(40).assign(fvc=2.0, words="good", empty=np.nan)
    rules = SCHEMA["properties"] | {
        "empty": OUTCOME,
        "words": {"enum": ["good", "bad"], "x-role": "outcome"},
    }
    joined = imputed_associations(table, {"properties": rules}, n_imputations=2, seed=1)
    joined = joined.set_index("outcome")
    assert set(joined.index) == {"fvc", "crp", "empty", "words"}
    assert "constant: no model" in joined.loc["fvc", "note"]
    assert "found 0" in joined.loc["empty", "note"]
    assert "no linear model" in joined.loc["words", "note"]
    one = told(people(40).assign(cluster=0), n_imputations=2)
    assert one["note"].str.contains("one cluster only").all() and len(one) == 2


def test_filled_values_are_those_of_statsmodels_mice():
    """With donors as few as ours, the peer fills in the same means and relations."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    whole = pd.DataFrame({"x": x, "y": x + rng.normal(0, 0.5, 400), "k": np.arange(400) % 2.0})
    values = whole.copy()
    values.loc[rng.random(400) < 1 / (1 + np.exp(-x)), "y"] = np.nan
    gaps = values["y"].isna()
    peer = MICEData(values, k_pmm=5, rng=np.random.default_rng(3))
    ours = list(fill(values, {"k"}, n=20, rng=np.random.default_rng(3)))
    theirs = []
    for _ in ours:
        peer.update_all(5)
        theirs.append(peer.data.copy())
    for measure in (lambda t: t.loc[gaps, "y"].mean(), lambda t: t["x"].corr(t["y"])):
        mine, other = (np.mean([measure(table) for table in made]) for made in (ours, theirs))
        assert mine == pytest.approx(other, abs=0.03)
        assert mine == pytest.approx(measure(whole), abs=0.1)
    assert all(table.loc[~gaps, "y"].equals(values.loc[~gaps, "y"]) for table in ours)


def test_few_values_are_drawn_alike_and_not_the_largest_again_and_again():
    """Of 12 values that nothing predicts each is as likely as another."""
    values = pd.DataFrame({"y": [*np.arange(12.0), np.nan], "k": np.zeros(13)})
    drawn = [t["y"].iloc[-1] for t in fill(values, {"k"}, n=400, rng=np.random.default_rng(0))]
    assert np.mean(drawn) == pytest.approx(5.5, abs=0.6)
    assert np.isin(drawn, [0, 11]).mean() < 0.25
