"""Diagnostics find what was planted, and are what their definitions say."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2, shapiro

from clamlab.stats.outcomes import model_diagnostics, outcome_associations

NUMBER = {"type": "number"}
SCHEMA = {
    "properties": {
        "age": {**NUMBER, "x-role": "demographic"},
        "height": {**NUMBER, "x-role": "demographic"},
        "fvc": {**NUMBER, "x-role": "outcome"},
    }
}


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    n = 120
    age, height = rng.normal(60, 9, n), rng.normal(170, 8, n)
    cluster = np.arange(n) % 2
    fvc = 3 - 0.3 * cluster - 0.01 * age + 0.02 * height + rng.normal(0, 0.4, n)
    names = [f"s{i}" for i in range(n)]
    return pd.DataFrame(
        {"subject_id": names, "cluster": cluster, "age": age, "height": height, "fvc": fvc}
    )


def only(table, schema=SCHEMA, **options):
    return model_diagnostics(table, schema, **options).iloc[0]


def test_a_model_that_holds_gives_no_objection(table):
    told = only(table)
    assert told["advice"] == "no objection" and told["n"] == 120
    omnibus = outcome_associations(table, SCHEMA).query("part == 'omnibus'").iloc[0]
    assert told["p"] == pytest.approx(omnibus["p"])
    assert told["rank_p"] < 0.01


def test_numbers_are_what_their_definitions_say(table):
    told = only(table)
    design = sm.add_constant(table[["age", "height", "cluster"]])
    fit = sm.OLS(table["fvc"], design).fit()
    auxiliary = sm.OLS(fit.resid**2, design).fit()
    assert told["equal_variance_p"] == pytest.approx(chi2.sf(120 * auxiliary.rsquared, 3))
    assert told["normality_p"] == pytest.approx(shapiro(fit.resid).pvalue)
    others = {
        name: 1 / (1 - sm.OLS(design[name], design.drop(columns=name)).fit().rsquared)
        for name in ("age", "height", "cluster")
    }
    assert told["max_vif"] == pytest.approx(max(others.values()))
    x = design.to_numpy()
    hat = x @ np.linalg.inv(x.T @ x) @ x.T
    assert told["max_leverage"] == pytest.approx(np.diag(hat).max())


def test_with_hc3_both_p_are_robust_and_hc3_is_not_advised_again(table):
    rng = np.random.default_rng(0)
    table["fvc"] += rng.normal(0, 1.5, 120) * table["cluster"]
    equal, robust = only(table), only(table, covariance="HC3")
    assert "use covariance HC3" in equal["advice"] and "HC3" not in robust["advice"]
    tidy = outcome_associations(table, SCHEMA, covariance="HC3")
    assert robust["p"] == pytest.approx(tidy.query("part == 'omnibus'")["p"].item())
    ranked = table.assign(**table[["age", "height", "fvc"]].rank())
    tidy = outcome_associations(ranked, SCHEMA, covariance="HC3")
    assert robust["rank_p"] == pytest.approx(tidy.query("part == 'omnibus'")["p"].item())
    assert robust["p"] != equal["p"] and robust["rank_p"] != equal["rank_p"]
    assert (equal["covariance"], robust["covariance"]) == ("classical", "HC3")
    same = ["residual_skew", "normality_p", "equal_variance_p", "max_cook", "max_vif"]
    assert equal[same].equals(robust[same])  # what the data are like does not hang on it


def test_where_hc3_does_not_exist_the_scan_that_is_alone_is_still_named(table):
    site = {"type": "string", "enum": ["a", "b", "only"], "x-role": "demographic"}
    schema = {"properties": SCHEMA["properties"] | {"site": site}}
    told = only(table.assign(site=["only"] + ["a", "b"] * 59 + ["a"]), schema, covariance="HC3")
    assert told["alone"] == "s0" and np.isnan(told["p"]) and np.isnan(told["rank_p"])
    assert told["note"].startswith("leverage 1 at index 0: HC3 does not exist")


def test_an_outlier_is_named(table):
    table.loc[17, "fvc"] = 40.0
    told = only(table)
    assert told["influential"].startswith("s17")
    assert "look at s17" in told["advice"]
    assert told["rank_p"] < 0.01  # ranks hardly notice


def test_a_scan_alone_with_its_level_is_named_without_noise(table, recwarn):
    table["site"] = ["only"] + ["a", "b"] * 59 + ["a"]
    site = {"type": "string", "enum": ["a", "b", "only"], "x-role": "scanner"}
    schema = {"properties": SCHEMA["properties"] | {"site": site}}
    told = model_diagnostics(table, schema, covariates=["age", "site"]).iloc[0]
    assert told["alone"] == "s0" and "s0: alone" in told["advice"]
    assert np.isfinite(told["max_cook"]) and not told["influential"].startswith("s0")
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_unequal_variances_and_skew_come_with_a_remedy(table):
    rng = np.random.default_rng(0)
    table["fvc"] = rng.lognormal(0, 1, 120) * (1 + 3 * table["cluster"])
    told = only(table)
    assert "HC3" in told["advice"] and "x-transform log" in told["advice"]
    schema = {"properties": {**SCHEMA["properties"], "fvc": {**NUMBER, "x-role": "outcome",
                                                            "x-transform": "log"}}}  # fmt: skip
    assert "x-transform" not in only(table, schema)["advice"]


def test_covariates_that_tell_each_other_are_named(table):
    table["height"] = 2 * table["age"] + np.random.default_rng(1).normal(0, 0.5, 120)
    told = only(table)
    assert told["max_vif"] > 100 and told["vif_term"] in ("age", "height")
    assert "nearly told" in told["advice"]


def test_derived_outcomes_get_no_p_and_what_has_no_model_says_why(table):
    derived = {**NUMBER, "x-role": "outcome", "x-source": "derived"}
    told = only(table, {"properties": {**SCHEMA["properties"], "fvc": derived}})
    assert np.isnan(told["p"]) and np.isnan(told["rank_p"])
    told = only(table.assign(fvc=2.0))
    assert "constant" in told["note"] and pd.isna(told["advice"])
