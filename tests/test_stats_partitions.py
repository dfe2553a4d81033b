"""What other groups of the same scans explain of the outcomes, held against formulas."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from clamlab.stats.outcomes import compare_partitions, partitions_sentence

SCHEMA = {
    "properties": {
        "age": {"x-role": "demographic"},
        "stage": {"x-role": "staging", "enum": [0, 1], "x-source": "reader"},
        "fvc": {"x-role": "outcome", "title": "FVC"},
        "crp": {"x-role": "outcome", "title": "CRP", "x-transform": "log"},
        "volume_ml": {"x-role": "outcome", "title": "Volume", "x-source": "derived"},
        "same": {"x-role": "outcome", "title": "Same"},
    }
}
N = 80


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1000)
    table = pd.DataFrame({"subject_id": [f"S{i:03}" for i in range(N)], "same": 1.0})
    table["cluster"] = rng.integers(0, 2, N)
    table["age"] = rng.normal(60, 9, N)
    table["stage"] = rng.integers(0, 2, N)
    table["fvc"] = 3 - table["cluster"] + 0.01 * table["age"] + rng.normal(0, 0.6, N)
    table["crp"] = np.exp(rng.normal(0, 1, N))
    table["volume_ml"] = rng.normal(5000, 400, N)
    table.loc[:3, "fvc"] = np.nan
    return table


@pytest.fixture(scope="module")
def partitions(table):
    rng = np.random.default_rng(1001)
    found = pd.DataFrame({"subject_id": table["subject_id"], "density": table["cluster"]})
    found["site"] = pd.array(rng.integers(0, 4, N), dtype="Int64")
    found.loc[70:74, "site"] = pd.NA
    found["rare"] = pd.array([0, 1] * 20 + [pd.NA] * 40, dtype="Int64")
    found["kernel"] = 0
    return found


@pytest.fixture(scope="module")
def compared(table, partitions):
    return compare_partitions(table, SCHEMA, partitions)


def of(compared, outcome):
    return compared[compared["outcome"] == outcome].set_index("partition")


def test_every_partition_is_that_of_a_formula_on_the_same_rows(table, partitions, compared):
    fvc = of(compared, "fvc")
    assert fvc.index.tolist() == ["demographics", "clusters", "density", "site"]
    kept = table.drop(index=range(70, 75)).dropna(subset="fvc")
    site = partitions["site"].dropna().astype(int)
    kept = kept.assign(site=site)
    assert fvc["n"].unique().tolist() == [len(kept)] == [71]
    assert fvc["n_missing"].unique().tolist() == [9]
    models = {"demographics": "age", "clusters": "age + C(cluster)", "site": "age + C(site)"}
    for name, terms in models.items():
        expected = smf.ols(f"fvc ~ {terms}", kept).fit().rsquared_adj
        assert fvc["adjusted_r2"][name] == pytest.approx(expected, abs=1e-12)
    assert fvc["adjusted_r2"]["density"] == fvc["adjusted_r2"]["clusters"]
    added = fvc["adjusted_r2"]["site"] - fvc["adjusted_r2"]["demographics"]
    assert fvc["added"]["site"] == pytest.approx(added)
    assert fvc["n_groups"].tolist()[1:] == [2, 2, 4]


def test_it_is_exploratory_without_p_and_says_what_was_left_out(compared):
    assert compared["exploratory"].all()
    assert not [name for name in compared if name.startswith(("p_", "f_")) or name == "p"]
    notes = " ".join(compared["note"])
    assert "rare left out: known of 40 of 80 scans" in notes
    assert "kernel left out: not known, or one group" in notes
    assert "constant" in of(compared, "same")["note"].iloc[0]


def test_the_sentence_counts_outcomes_from_outside_the_image(compared):
    more = of(compared, "crp")["adjusted_r2"]
    site = 1 + int(more["clusters"] > more["site"])
    assert partitions_sentence(compared) == (
        "Exploratory: of 2 outcomes the clusters explain more (adjusted R² beside demographics) "
        f"than density in 0 (as much in 2), site in {site}."
    )
    below = compared.dropna(subset="adjusted_r2")
    below = below.assign(adjusted_r2=-0.1 - 0.01 * (below["partition"] != "clusters"))
    told = (
        "than density in 0 (as much in 2), site in 0 (as much in 2). "
        "Of two adjusted R² below 0 neither is more: both explain nothing."
    )
    assert partitions_sentence(below).endswith(told), "neither explains anything"
    read = compared["outcome_source"].mask(compared["outcome"] == "crp", "reader")
    told = partitions_sentence(compared.assign(outcome_source=read))
    title = of(compared, "crp")["title"].iloc[0]
    assert told.startswith("Exploratory: of 1 outcome the clusters")
    assert told.endswith(f" Read from the images by a person, and not counted: {title}.")
    nothing = compared[compared["partition"].isin(["demographics", "clusters"])]
    assert partitions_sentence(nothing).startswith("No outcome could be modelled")


@pytest.mark.parametrize(
    ("covariates", "base", "words"),
    [((), "mean alone", "the mean alone"), (("scanner",), "covariates", "Model")],
)
def test_what_the_groups_are_added_to_is_named(table, partitions, covariates, base, words):
    rule = {"enum": ["A", "B"], "title": "Model", "x-role": "scanner"}
    schema = {"properties": {**SCHEMA["properties"], "scanner": rule}}
    scanned = table.assign(scanner=["A", "B"] * (N // 2))
    found = compare_partitions(scanned, schema, partitions, covariates=covariates)
    assert of(found, "fvc").index.tolist() == [base, "clusters", "density", "site"]
    assert found.loc[found["partition"] == base, ["n_groups", "added"]].isna().all(axis=None)
    assert f"(adjusted R² beside {words}) than density" in partitions_sentence(found)


def test_rows_are_joined_by_subject_and_never_by_luck(table, partitions, compared):
    shuffled = partitions.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(compare_partitions(table, SCHEMA, shuffled), compared)
    read_again = partitions.astype({"site": float, "rare": float})
    pd.testing.assert_frame_equal(compare_partitions(table, SCHEMA, read_again), compared)
    with pytest.raises(ValueError, match="found none for 1 and 0 doubled"):
        compare_partitions(table, SCHEMA, partitions.iloc[1:])
    with pytest.raises(ValueError, match="each of 80 rows, found 79"):
        compare_partitions(table, SCHEMA, partitions.iloc[1:].drop(columns="subject_id"))


def test_nothing_to_compare_leaves_the_clusters(table, partitions):
    found = compare_partitions(table, SCHEMA, partitions[["subject_id", "kernel"]])
    assert set(found["partition"]) == {"demographics", "clusters"}
    assert of(found, "fvc")["n"].tolist() == [76, 76]
