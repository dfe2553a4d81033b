"""Nested models: R's numbers, one set of rows, and the sentence they end in."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.datasets import load_iris

from clamlab.stats.outcomes import compare_models, summary_sentence

OUTCOME = {"type": "number", "x-role": "outcome"}
DEMOGRAPHIC = {"type": "number", "x-role": "demographic"}
STAGE = {"enum": [0, 1, 2], "title": "Stage", "x-role": "staging"}


@pytest.fixture(scope="module")
def cohort() -> tuple[pd.DataFrame, dict]:
    rng = np.random.default_rng(0)
    n = 90
    table = pd.DataFrame({"cluster": rng.integers(0, 2, n), "age": rng.normal(50, 9, n)})
    table["stage"] = rng.integers(0, 3, n)
    table["score"] = rng.integers(0, 4, n)
    table["fvc"] = 3 - table["cluster"] + 0.01 * table["age"] + rng.normal(0, 0.8, n)
    table["crp"] = 0.6 * table["stage"] + rng.normal(0, 0.8, n)
    table.loc[:4, "fvc"] = np.nan
    table["stage"] = table["stage"].astype("Int64")
    table.loc[80:, "stage"] = pd.NA
    properties = {"age": DEMOGRAPHIC, "stage": STAGE}
    properties |= {"score": {"enum": [0, 1, 2, 3], "title": "Score", "x-role": "visual_score"}}
    properties |= {"fvc": {**OUTCOME, "title": "FVC"}, "crp": {**OUTCOME, "title": "CRP"}}
    return table, {"properties": properties}


@pytest.fixture(scope="module")
def compared(cohort) -> pd.DataFrame:
    return compare_models(*cohort, n_bootstrap=200)


def rows(compared: pd.DataFrame, outcome: str) -> pd.DataFrame:
    return compared[compared["outcome"] == outcome].set_index("model")


def test_iris_adjusted_r2_and_information_are_rs():
    frame = load_iris(as_frame=True).frame.set_axis(["sl", "sw", "pl", "pw", "cluster"], axis=1)
    schema = {"properties": {"sl": DEMOGRAPHIC, "sw": DEMOGRAPHIC, "pw": OUTCOME}}
    two = compare_models(frame, schema, n_bootstrap=0)
    assert two["adjusted_r2"].to_numpy() == pytest.approx([0.7394304, 0.9444457], abs=5e-8)
    # R counts the residual variance as a parameter: 2 more in AIC, ln 150 in BIC.
    assert two["aic"].to_numpy() + 2 == pytest.approx([147.469287, -82.411910], abs=2e-6)
    assert two["bic"].to_numpy() + np.log(150) == pytest.approx([159.511829, -64.348099], abs=2e-6)
    assert two["f_cluster"].iloc[1] == pytest.approx(272.2414, abs=5e-5)


def test_all_models_of_an_outcome_stand_on_the_same_rows(compared):
    assert rows(compared, "fvc")["n"].unique().tolist() == [75]
    assert rows(compared, "fvc")["n_missing"].unique().tolist() == [15]
    assert rows(compared, "crp")["n"].unique().tolist() == [80]


def test_nested_f_both_ways_is_that_of_formulas(cohort, compared):
    kept = cohort[0].dropna(subset=["fvc", "stage"]).astype({"stage": int})
    formulas = {
        "cluster": "fvc ~ age + cluster",
        "stage": "fvc ~ age + C(stage)",
        "both": "fvc ~ age + cluster + C(stage)",
    }
    fits = {name: smf.ols(formula, kept).fit() for name, formula in formulas.items()}
    both = rows(compared, "fvc").loc["demographics + cluster + Stage"]
    f, p, _ = fits["both"].compare_f_test(fits["stage"])
    assert (both["f_cluster"], both["p_cluster"]) == pytest.approx((f, p))
    f, p, _ = fits["both"].compare_f_test(fits["cluster"])
    assert (both["f_reader"], both["p_reader"]) == pytest.approx((f, p))
    assert both["adjusted_r2"] == pytest.approx(fits["both"].rsquared_adj)
    assert both["source"] == "reader"
    assert rows(compared, "fvc").loc["demographics + cluster"]["source"] == "derived"
    assert rows(compared, "fvc").loc["demographics"]["source"] == "external"


def test_bootstrap_is_seeded_and_is_the_plain_bootstrap(cohort):
    table, schema = cohort
    few = {"properties": {name: schema["properties"][name] for name in ("age", "fvc")}}
    made = compare_models(table, few, n_bootstrap=60, seed=5).iloc[1]
    again = compare_models(table, few, n_bootstrap=60, seed=5).iloc[1]
    other = compare_models(table, few, n_bootstrap=60, seed=6).iloc[1]
    assert made["added_low"] == again["added_low"] != other["added_low"]
    kept = table.dropna(subset=["fvc"])
    n = len(kept)
    added = []
    for weights in np.random.default_rng(5).multinomial(n, np.full(n, 1 / n), size=60):
        drawn = kept.loc[np.repeat(kept.index, weights)]
        r2 = [
            sm.OLS(drawn["fvc"], sm.add_constant(drawn[columns])).fit().rsquared
            for columns in (["age"], ["age", "cluster"])
        ]
        added.append(r2[1] - r2[0])
    expected = np.quantile(added, [0.025, 0.975])
    assert made[["added_low", "added_high"]].astype(float).to_numpy() == pytest.approx(expected)
    assert made["added_low"] < made["added_r2"] < made["added_high"]


def test_sentence_names_what_adjusted_r2_says(compared):
    sentence = summary_sentence(compared)
    assert sentence == (
        "Adding the cluster to demographics explained more variation (adjusted R²) for FVC. "
        "The cluster explained more variation than Stage for FVC. "
        "Of two adjusted R² below 0 neither is more: both explain nothing."
    )
    assert "than Score for" in summary_sentence(compared, reader="score")
    with pytest.raises(ValueError, match="no models with 'size'"):
        summary_sentence(compared, reader="size")


SCANNER = {"enum": ["A", "B"], "title": "Model", "x-role": "scanner"}
BASES = {
    (): ("mean alone", "", "the mean alone", ["cluster", "cluster + Score"]),
    ("age",): ("demographics", "age", "demographics", ["demographics + cluster"]),
    ("scanner",): ("covariates", "Model", "Model", ["covariates + cluster"]),
    ("age", "scanner"): ("covariates", "age, Model", "age, Model", ["covariates + Score"]),
}


@pytest.mark.parametrize("covariates", BASES)
def test_models_are_called_after_what_they_hold(cohort, covariates):
    base, titles, words, models = BASES[covariates]
    table = cohort[0].assign(scanner=["A", "B"] * 45)
    schema = {"properties": {**cohort[1]["properties"], "scanner": SCANNER}}
    found = compare_models(table, schema, covariates=covariates, n_bootstrap=0)
    assert found["model"].iloc[0] == base and {*models} <= {*found["model"]}
    assert set(found["covariates"]) == {titles}
    sentence = summary_sentence(found)
    assert sentence.startswith(f"Adding the cluster to {words} explained more variation")
    if "age" not in covariates:
        assert "demographics" not in sentence + " ".join(found["model"])
    # A table from before does not tell.
    before = summary_sentence(found.drop(columns="covariates"))
    assert before.startswith("Adding the cluster to the covariates explained")


def test_a_contract_without_demographics_has_none_in_its_models(cohort):
    rules = {name: cohort[1]["properties"][name] for name in ("fvc", "stage")}
    found = compare_models(cohort[0], {"properties": rules}, n_bootstrap=0)
    assert found["model"].tolist() == ["mean alone", "cluster", "Stage", "cluster + Stage"]
    assert found["r2"].iloc[0] == 0


def test_sentence_lists_exceptions_as_the_paper_does():
    titles = ["A", "B", "C", "D"]
    frame = pd.DataFrame(
        {
            "title": np.repeat(titles, 2),
            "model": "m",
            "outcome_source": "external",
            "reader": "",
            "reader_title": "",
            "reader_role": "",
            "has_cluster": [False, True] * 4,
            "adjusted_r2": [0.1, 0.2, 0.1, 0.2, 0.1, 0.05, 0.1, 0.3],
        }
    )
    assert summary_sentence(frame).endswith("for all outcomes except C.")
    frame["adjusted_r2"] = [-0.2, -0.1, 0.1, 0.2, -0.1, 0.05, 0.1, 0.3]
    assert summary_sentence(frame).endswith(
        "all outcomes except A. Of two adjusted R² below 0 neither is more: both explain nothing."
    )
    frame["adjusted_r2"] = [0.1, 0.2] * 4
    assert summary_sentence(frame).endswith("for all 4 outcomes.")


def test_derived_outcomes_and_readers_are_not_tested(cohort):
    table, schema = cohort
    properties = dict(schema["properties"])
    properties["fvc"] = {**properties["fvc"], "x-source": "derived"}
    properties["score"] = {**properties["score"], "x-source": "derived"}
    found = compare_models(table, {"properties": properties}, n_bootstrap=0)
    assert not found["model"].str.contains("Score").any()
    derived = rows(found, "fvc")
    assert derived[["p_cluster", "f_cluster", "p_reader"]].isna().all(axis=None)
    assert derived["r2"].notna().all()
    assert derived["note"].str.contains("derived from the images").all()
    assert "FVC" not in summary_sentence(found)


def test_what_a_person_read_is_named_and_not_counted(compared):
    read = compared.assign(
        outcome_source=compared["outcome_source"].mask(compared["outcome"] == "crp", "reader")
    )
    title = compared.loc[compared["outcome"] == "crp", "title"].iloc[0]
    told = f" Read from the images by a person, and not counted: {title}."
    sentence = summary_sentence(read)
    assert sentence.endswith(told) and title not in sentence.removesuffix(told)
    nothing = summary_sentence(compared.assign(outcome_source="reader"))
    assert nothing.startswith("No outcome could be modelled with the cluster")
    assert "not counted: FVC and " in nothing


def test_what_cannot_be_compared_says_why(cohort):
    table, schema = cohort
    broken = table.assign(fvc=1.0, crp=np.nan, stage=pd.NA)
    found = compare_models(broken, schema, n_bootstrap=10).set_index("outcome")
    assert "constant: no model" in found.loc["fvc", "note"]
    assert "no row is complete" in found.loc["crp", "note"]
    assert "Stage: empty column, left out" in found.loc["fvc", "note"]
    assert "No outcome could be modelled" in summary_sentence(found.reset_index())


def test_one_cluster_compares_without_a_test(cohort):
    table, schema = cohort
    found = compare_models(table.assign(cluster=0), schema, n_bootstrap=0)
    assert found["p_cluster"].isna().all()
    assert found["p_reader"].notna().any()


def test_outcomes_of_one_title_are_not_taken_for_one(cohort):
    """A table by title would give their average, and the sentence would name one of two."""
    table, schema = cohort
    rules = schema["properties"] | {"crp": {**OUTCOME, "title": "FVC"}}
    comparison = compare_models(table, {"properties": rules}, n_bootstrap=0)
    assert list(dict.fromkeys(comparison["title"])) == ["FVC (fvc)", "FVC (crp)"]
    assert "for FVC (fvc)." in summary_sentence(comparison).split(" The cluster")[0]


def test_one_cluster_explains_nothing(cohort):
    table, schema = cohort
    comparison = compare_models(table.assign(cluster=0), schema, n_bootstrap=0)
    with_cluster = comparison[comparison["has_cluster"]]
    assert with_cluster["adjusted_r2"].isna().all()
    assert with_cluster["note"].str.startswith("one cluster only").all()
    assert comparison.loc[~comparison["has_cluster"], "adjusted_r2"].notna().all()
    assert summary_sentence(comparison).startswith("No outcome could be modelled with the cluster")


def test_all_outcomes_are_only_those_that_a_reader_was_compared_for(compared):
    """An outcome of few rows bears the cluster, and not the levels of a stage as well."""
    too_few = (compared["title"] == "CRP") & (compared["reader"] == "stage")
    found = compared.assign(adjusted_r2=compared["adjusted_r2"].mask(too_few))
    assert summary_sentence(found) == (
        "Adding the cluster to demographics explained more variation (adjusted R²) for FVC. "
        "The cluster explained more variation than Stage for FVC. "
        "No comparison with Stage could be made for CRP. "
        "Of two adjusted R² below 0 neither is more: both explain nothing."
    )
