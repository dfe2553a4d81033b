"""Table 2: the published numbers, a second package, and columns that cannot be tested."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from clamlab.simulate import paper_table_two
from clamlab.stats.tables import (
    check_with_tableone,
    describe_groups,
    render_table_one,
    table_notes,
    table_one,
)
from clamlab.stats.tables.comparisons import adjust_p, compare_means

SCANNERS = [
    "Discovery CT750", "iCT 128", "LightSpeed VCT", "Optima CT660", "Sensation 64",
    "Definition", "Definition AS+", "Definition Flash",
]  # fmt: skip
SCHEMA = {
    "properties": {
        "scadding_stage": {
            "type": "integer", "enum": [0, 1, 2, 3, 4], "title": "Scadding",
            "x-role": "staging", "x-source": "reader",
        },
        "scanner_model": {"enum": SCANNERS, "title": "Model", "x-role": "scanner"},
        "sex": {"enum": ["female", "male"], "title": "Sex", "x-role": "demographic"},
        "race": {"enum": ["other", "white"], "title": "Race", "x-role": "demographic"},
        "hispanic": {"enum": ["no", "yes", None], "title": "Hispanic", "x-role": "demographic"},
        "age_years": {"type": "number", "title": "Age", "x-role": "demographic"},
        "bmi": {"type": "number", "title": "BMI", "x-role": "demographic"},
        "height_in": {"type": "number", "title": "Height", "x-role": "demographic"},
    }
}  # fmt: skip
NUMBER = {"type": "number", "x-role": "demographic"}


@pytest.fixture(scope="module")
def paper() -> pd.DataFrame:
    return paper_table_two()


def omnibus(tidy: pd.DataFrame) -> pd.DataFrame:
    return tidy[tidy["part"] == "omnibus"].set_index("variable")


def pairs(tidy: pd.DataFrame) -> pd.DataFrame:
    return tidy[tidy["part"] == "pairwise"].set_index("variable")


def test_the_papers_eight_p_values(paper):
    p = omnibus(table_one(paper, SCHEMA, preset="paper"))["p"]
    printed = {"sex": 0.063, "hispanic": 0.355, "bmi": 0.267, "height_in": 0.045}
    assert {name: round(p[name], 3) for name in printed} == printed
    assert round(p["scanner_model"], 3) == 0.929
    assert p["race"] < 0.001
    assert p["scadding_stage"] == pytest.approx(1.1e-9, rel=0.02)
    # The printed means and SDs allow this interval; the published .287 lies in it.
    assert 0.281 <= p["age_years"] <= 0.289


def test_the_papers_table_as_printed(paper):
    shown = render_table_one(table_one(paper, SCHEMA, preset="paper"))
    rows = {row[0]: row[1:] for row in shown.itertuples(index=False)}
    assert list(shown.columns) == ["", "Overall", "Cluster 1", "Cluster 2", "P-value"]
    assert rows["Sample Size"] == ("301", "126", "175", "")
    assert rows["Male (%)"] == ("142 (47.2)", "51 (40.5)", "91 (52.0)", "0.063")
    assert rows["White (%)"] == ("218 (72.4)", "77 (61.1)", "141 (80.6)", "<0.001")
    assert rows["Hispanic (%)"] == ("14 (4.7)", "8 (6.4)", "6 (3.4)", "0.355")
    assert rows["Age (mean (sd))"][:3] == ("52.87 (9.75)", "53.58 (9.32)", "52.36 (10.04)")
    assert rows["BMI (mean (sd))"][1:] == ("31.05 (7.05)", "30.20 (6.16)", "0.267")
    assert rows["Scadding† (%)"] == ("", "", "", "<0.001")
    assert rows["\u20034"] == ("72 (23.9)", "54 (42.9)", "18 (10.3)", "")
    # Roles decide the order, not the contract's own.
    assert list(rows).index("Height (mean (sd))") < list(rows).index("Model (%)")
    assert list(rows).index("Model (%)") < list(rows).index("Scadding† (%)")


def test_effect_sizes_and_adjusted_p(paper):
    tidy = table_one(paper, SCHEMA, preset="paper")
    # SMD: computed independently from the printed margins.
    expected = {
        "sex": -0.233, "race": -0.438, "hispanic": 0.138, "age_years": 0.126, "bmi": 0.128,
        "height_in": -0.236, "scanner_model": 0.184, "scadding_stage": 0.858,
    }  # fmt: skip
    smd = pairs(tidy)["smd"]
    assert {name: round(smd[name], 3) for name in expected} == expected
    cramer = omnibus(tidy)["effect_size"].round(3)
    assert cramer[["sex", "race", "scanner_model", "scadding_stage"]].tolist() == [
        0.114, 0.215, 0.091, 0.398,
    ]  # fmt: skip
    age = pairs(tidy).loc["age_years", ["difference", "difference_low", "difference_high"]]
    assert age.astype(float).to_numpy() == pytest.approx([1.22, -1.02, 3.46], abs=0.01)
    assert round(omnibus(tidy).loc["sex", "p_holm"], 3) == 0.315
    assert round(omnibus(tidy).loc["height_in", "p_bh"], 3) == 0.120


def test_recommended_tests_are_named_and_known(paper):
    found = omnibus(table_one(paper, SCHEMA))
    assert found.loc["sex", "test"] == "chi-squared"
    assert found.loc["sex", "p"] == pytest.approx(0.0482, abs=5e-5)
    assert found.loc["bmi", "test"] == "Welch t"
    assert found.loc["bmi", "p"] == pytest.approx(0.278, abs=5e-4)
    assert found.loc["scanner_model", "test"] == "chi-squared (Monte Carlo)"
    assert found.loc["scanner_model", "p"] == pytest.approx(0.94, abs=0.01)
    again = omnibus(table_one(paper, SCHEMA, seed=0))
    assert again["p"].equals(found["p"])


def test_small_two_by_two_is_fishers_exact():
    table = pd.DataFrame({"cluster": [0] * 6 + [1] * 6, "sex": list("fffffm" + "fmmmmm")})
    schema = {"properties": {"sex": {"enum": ["f", "m"], "x-role": "demographic"}}}
    row = omnibus(table_one(table, schema)).loc["sex"]
    assert row["test"] == "Fisher exact"
    assert row["p"] == pytest.approx(scipy_stats.fisher_exact([[5, 1], [1, 5]]).pvalue)


def test_missing_values_are_counted_and_left_out(paper):
    tidy = table_one(paper, SCHEMA, preset="paper")
    rows = tidy[(tidy["variable"] == "hispanic") & (tidy["level"] == "yes")]
    assert rows["n"].tolist() == [300, 125, 175]
    assert rows["n_missing"].tolist() == [1, 1, 0]
    assert "Missing values, left out: Hispanic 1." in table_notes(tidy)
    wide = render_table_one(tidy, columns=("missing", "p"))
    assert wide.loc[wide[""] == "Hispanic (%)", "Missing"].item() == "1 (1, 0)"


@pytest.mark.parametrize("n_clusters", [2, 3])
def test_tableone_agrees(paper, n_clusters):
    table = paper.assign(cluster=np.arange(len(paper)) % 3 if n_clusters == 3 else paper["cluster"])
    tidy = table_one(table, SCHEMA, preset="paper")
    checked = check_with_tableone(tidy, table, SCHEMA).set_index("variable")
    assert checked["agrees"].all()
    assert checked["agrees"].notna().all()
    # The check can fail: another group has other p-values.
    other = table.assign(cluster=table["cluster"].sample(frac=1, random_state=0).to_numpy())
    assert not check_with_tableone(tidy, other, SCHEMA)["agrees"].any()


def test_tests_tableone_lacks_are_not_called_equal(paper):
    tidy = table_one(paper, SCHEMA)
    agrees = check_with_tableone(tidy, paper, SCHEMA).set_index("variable")["agrees"]
    assert agrees[["sex", "race", "hispanic", "scanner_model"]].isna().all()
    assert agrees[["age_years", "bmi", "height_in", "scadding_stage"]].all()


def test_more_than_two_clusters_have_an_omnibus_and_all_pairs(paper):
    table = paper.assign(cluster=np.arange(len(paper)) % 3)
    tidy = table_one(table, SCHEMA)
    assert omnibus(tidy).loc["age_years", "test"] == "Welch ANOVA"
    rows = pairs(tidy).loc["age_years"]
    assert list(zip(rows["group"], rows["other_group"], strict=True)) == [(0, 1), (0, 2), (1, 2)]
    ages = [table.loc[table["cluster"] == code, "age_years"] for code in (0, 1)]
    welch = scipy_stats.ttest_ind(*ages, equal_var=False)
    assert rows["p"].iloc[0] == pytest.approx(welch.pvalue)
    assert rows["statistic"].iloc[0] == pytest.approx(welch.statistic)
    assert (rows["p_holm"] >= rows["p"]).all()
    shown = render_table_one(tidy)
    assert [name for name in shown if name.startswith("SMD")] == [
        "SMD 1 - 2",
        "SMD 1 - 3",
        "SMD 2 - 3",
    ]


def test_one_cluster_is_described_and_not_tested(paper):
    tidy = table_one(paper.assign(cluster=0), SCHEMA)
    assert omnibus(tidy)["p"].isna().all()
    assert set(omnibus(tidy)["note"]) == {"one cluster only: nothing to compare"}
    assert list(render_table_one(tidy).columns[:3]) == ["", "Overall", "Cluster 1"]


def test_derived_variables_never_get_a_p(paper):
    table = paper.assign(mean_hu=-800 + 50 * paper["cluster"] + np.arange(len(paper)) % 7)
    rule = {"type": "number", "title": "Mean HU", "x-role": "visual_score", "x-source": "derived"}
    schema = {"properties": {**SCHEMA["properties"], "mean_hu": rule}}
    tidy = table_one(table, schema)
    rows = tidy[tidy["variable"] == "mean_hu"]
    assert rows[["p", "p_holm", "p_bh", "statistic"]].isna().all(axis=None)
    assert rows.loc[rows["part"] == "pairwise", "smd"].item() < -10
    assert any(note.startswith("‡ Derived from the images") for note in table_notes(tidy))
    # It is no member of the family either.
    without = omnibus(table_one(paper, SCHEMA))["p_holm"]
    assert omnibus(tidy)["p_holm"].drop("mean_hu").equals(without)


@pytest.mark.parametrize("preset", ["recommended", "paper"])
def test_a_constant_whose_mean_is_rounded_has_no_p(preset):
    """0.7 in 18 rows and in 48: the means differ by rounding, and so do the rows from them."""
    for value in (0.1, 0.7, 2.3):
        for sizes in [(18, 48), *((n, m) for n in range(2, 9) for m in range(2, 9))]:
            found = compare_means([np.full(n, value) for n in sizes], preset)
            assert found == {"note": "constant: no test of means"}, (value, sizes)
    table = pd.DataFrame(
        {"cluster": np.repeat([0, 1], [18, 48]), "kv": 0.7, "age": np.arange(66.0)}
    )
    properties = {"kv": {**NUMBER, "x-role": "scanner"}, "age": NUMBER}
    tested = omnibus(table_one(table, {"properties": properties}, preset=preset))
    assert np.isnan(tested.loc["kv", "p"]) and np.isnan(tested.loc["kv", "p_holm"])
    assert tested.loc["age", "p_holm"] == tested.loc["age", "p"]  # a family of one


def test_a_constant_cluster_beside_one_that_varies_has_the_paper_s_test_only():
    samples = [np.full(3, 0.1), np.arange(10.0)]
    found = compare_means(samples, "recommended")
    assert found == {"note": "constant within one cluster: no test of means"}
    paper = compare_means(samples, "paper")
    assert paper["p"] == pytest.approx(scipy_stats.f_oneway(*samples).pvalue)


def test_every_column_that_cannot_be_tested_says_why():
    n = 21
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "cluster": np.repeat([0, 1, 2], [10, 10, 1]),
            "fine": rng.normal(size=n),
            "constant": 1.0,
            "empty": np.nan,
            "one_level": "a",
            "stray": ["a"] * 10 + ["b"] * 10 + ["undeclared"],
            "nullable": pd.array([1, None, 3] * 7, dtype="Int64"),
            "typo": 1.0,
        }
    )
    properties = {name: NUMBER for name in ("fine", "constant", "empty", "nullable")}
    properties |= {
        "one_level": {"enum": ["a"], "x-role": "demographic"},
        "stray": {"enum": ["a", "b"], "x-role": "demographic"},
        "typo": {"type": "number", "x-role": "demografic"},
        "absent": NUMBER,
        "optional": NUMBER,
    }
    tidy = table_one(table, {"properties": properties, "required": ["absent"]})
    note = omnibus(tidy)["note"]
    assert "fewer than two values" in note["fine"]
    assert note["constant"].startswith(("constant", "groups"))
    assert note["empty"] == "empty: no test"
    assert note["one_level"] == "one level only: no test"
    assert "1 values are not declared levels" in note["stray"]
    assert "x-role 'demografic' is not one of" in note["typo"]
    assert "the table has none" in note["absent"]
    assert "optional" not in note.index
    assert omnibus(tidy)["p"].notna()[["fine", "nullable", "stray"]].all()
    render_table_one(tidy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cluster": [0, None, 1]}, "1 of 3 rows hold no whole number"),
        ({"cluster": [0.5, 0, 1]}, "1 of 3 rows hold no whole number"),
        ({"group": [0, 0, 1]}, "no column 'cluster'"),
    ],
)
def test_clusters_that_are_none(change, message):
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0], **change})
    with pytest.raises(ValueError, match=message):
        table_one(table, {"properties": {"age": NUMBER}})


def test_unknown_preset_column_source_and_transform():
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0], "cluster": [0, 0, 1, 1]})
    with pytest.raises(ValueError, match="preset 'gtsummary' is not one of"):
        table_one(table, {"properties": {"age": NUMBER}}, preset="gtsummary")
    with pytest.raises(ValueError, match="choose from missing"):
        render_table_one(table_one(table, {"properties": {"age": NUMBER}}), columns=("q",))
    with pytest.raises(ValueError, match="x-source 'image'"):
        table_one(table, {"properties": {"age": {**NUMBER, "x-source": "image"}}})
    with pytest.raises(ValueError, match="x-transform 'sqrt'"):
        table_one(table, {"properties": {"age": {**NUMBER, "x-transform": "sqrt"}}})


def test_reference_decides_which_of_two_levels_is_printed(paper):
    schema = {"properties": {"sex": {**SCHEMA["properties"]["sex"], "x-reference": "male"}}}
    tidy = table_one(paper, schema, preset="paper")
    assert render_table_one(tidy).iloc[1, :3].tolist() == ["Female (%)", "159 (52.8)", "75 (59.5)"]
    assert pairs(tidy).loc["sex", "smd"] == pytest.approx(0.2327, abs=1e-4)


TWO_LEVELS = {
    "sex": {"title": "Sex", "enum": [1, 2]},
    "ethnicity": {"title": "Ethnicity", "enum": [1, 2]},
    "recoded": {"title": "Recoded", "enum": [2, 1]},  # of 2 and 1 nobody knows which is yes
    "smoking": {"title": "Smoking", "enum": ["ever", "never"]},
    "diabetes": {"title": "Diabetes", "type": "boolean", "x-reference": True},
    "oedema": {"title": "Oedema", "enum": [0, 1]},
    "hispanic": {"title": "Hispanic", "enum": ["no", "yes"]},
    "gender": {"title": "Gender", "enum": ["female", "male"]},
    "site": {"title": "Site", "enum": ["Denver", "Boston"]},
    "born": {"title": "Born in", "enum": ["elsewhere", "boston"]},
    "race": {"title": "Race", "enum": ["white", "Hispanic", "black"]},
    "group": {"title": "Group", "enum": ["rest", "gender"]},  # a level that is a title
}


def test_a_row_says_which_variable_it_is_of():
    levels = {name: rule.get("enum", [True, False]) for name, rule in TWO_LEVELS.items()}
    table = pd.DataFrame(
        {n: [values[i % len(values)] for i in range(12)] for n, values in levels.items()}
    )
    rules = {name: {"x-role": "demographic", **rule} for name, rule in TWO_LEVELS.items()}
    schema = {"properties": rules}
    names = [
        "Sex: 2 (%)", "Ethnicity: 2 (%)", "Recoded: 1 (%)", "Smoking: never (%)",
        "Diabetes: no (%)", "Oedema (%)", "Hispanic (%)", "Male (%)", "Site: Boston (%)",
        "Born in: boston (%)", "Race (%)", "Group: gender (%)",
    ]  # fmt: skip
    page = render_table_one(table_one(table.assign(cluster=[0] * 5 + [1] * 7), schema))
    groups = describe_groups(table, schema, {"left": range(5)}).printed
    for printed in (page, groups):
        assert [name for name in printed[""] if name.endswith("(%)")] == names
    counted = page.set_index("")["Overall"]
    assert counted["Diabetes: no (%)"] == "6 (50.0)" and counted["Race (%)"] == ""


def test_adjusted_p_are_statsmodels():
    p = np.random.default_rng(0).random(20) ** 3
    for ours, theirs in (("holm", "holm"), ("bh", "fdr_bh")):
        assert adjust_p(p, ours) == pytest.approx(multipletests(p, method=theirs)[1])
    assert np.isnan(adjust_p([np.nan, np.nan], "holm")).all()
