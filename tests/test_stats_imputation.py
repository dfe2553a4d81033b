"""Filled gaps change what they must and nothing else; Rubin's rules on numbers known on paper."""

import numpy as np
import pandas as pd
import pytest

from clamlab.stats.outcomes import imputed_associations, outcome_associations
from clamlab.stats.outcomes.imputation import _join

NUMBER = {"type": "number"}
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
    draws = pd.DataFrame({"difference": [1.0, 2.0, 3.0], "se": [1.0, 1.0, 1.0], "df2": [98.0] * 3})
    complete = pd.Series(
        {"title": "", "transform": "", "source": "external", "difference": 2.0, "p": 0.1}
    )
    row = _join(("y", 0, 1), complete, draws)
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
