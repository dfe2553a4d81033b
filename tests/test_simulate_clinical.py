"""Clinical tables: the paper's marginals, and effects that come out as published."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from clamlab.schema import check_table, load_schema
from clamlab.simulate import OUTCOMES, clinical_table, paper_table_two
from clamlab.simulate.clinical import cluster_sizes

PAPER = np.repeat([0, 1], [126, 175])
BASE = "value ~ sex + race + hispanic + age_years + bmi + height_in"
DIFFERENT = {"dlco", "fev1_l", "fvc_l", "sobq", "sf12_physical", "cd4"}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    shuffled = np.random.default_rng(0).permutation(PAPER)
    return clinical_table(shuffled, seed=11).assign(cluster=shuffled)


def test_counts_are_those_of_table_two(frame):
    by = frame.groupby("cluster")
    assert by["sex"].apply(lambda s: (s == "male").sum()).tolist() == [51, 91]
    assert by["race"].apply(lambda s: (s == "white").sum()).tolist() == [77, 141]
    assert by["hispanic"].apply(lambda s: (s == "yes").sum()).tolist() == [8, 6]
    assert by["hispanic"].count().tolist() == [125, 175]
    stages = pd.crosstab(frame["cluster"], frame["scadding_stage"])
    assert stages.to_numpy().tolist() == [[7, 17, 32, 16, 54], [33, 42, 55, 27, 18]]
    models = pd.crosstab(frame["cluster"], frame["scanner_model"])
    assert models["LightSpeed VCT"].tolist() == [45, 56]
    assert models["Discovery CT750"].tolist() == [1, 3]
    assert models["Definition AS+"].tolist() == [36, 51]
    assert models.to_numpy().sum() == 301


@pytest.mark.parametrize(
    ("column", "printed"),
    [
        ("age_years", ["52.87 (9.75)", "53.58 (9.32)", "52.36 (10.04)"]),
        ("bmi", ["30.56 (6.55)", "31.05 (7.05)", "30.20 (6.16)"]),
        ("height_in", ["67.08 (4.15)", "66.52 (3.96)", "67.49 (4.24)"]),
    ],
)
def test_means_print_as_in_table_two(frame, column, printed):
    groups = [frame[column], *(g for _, g in frame.groupby("cluster")[column])]
    assert [f"{g.mean():.2f} ({g.std():.2f})" for g in groups] == printed


def test_the_paper_frame_has_the_same_marginals():
    rebuilt = paper_table_two()
    assert len(rebuilt) == 301
    assert rebuilt["cluster"].value_counts().to_dict() == {1: 175, 0: 126}
    assert f"{rebuilt['bmi'].mean():.2f}" == "30.56"
    assert "outcome" not in rebuilt and "dlco" not in rebuilt
    pd.testing.assert_frame_equal(rebuilt, paper_table_two())


def _models(frame: pd.DataFrame, outcome: str):
    value = frame[outcome]
    logged = load_schema("participants")["properties"][outcome].get("x-transform") == "log"
    data = frame.assign(value=np.log(value) if logged else value).dropna(
        subset=["value", "hispanic"]
    )
    return [smf.ols(BASE + term, data).fit() for term in (" + C(cluster)", " + C(scadding_stage)")]


@pytest.mark.parametrize("seed", [0, 2022])
def test_adjusted_effects_come_out_as_published(seed):
    frame = clinical_table(PAPER, seed=seed).assign(cluster=PAPER)
    wins = 0
    for outcome, effect in OUTCOMES.iterrows():
        clustered, staged = _models(frame, outcome)
        difference = clustered.params["C(cluster)[T.1]"]
        error = clustered.bse["C(cluster)[T.1]"]
        p = clustered.pvalues["C(cluster)[T.1]"]
        if outcome in DIFFERENT:
            # Rounding and the ends of a questionnaire's scale cost a little.
            assert abs(difference - (effect["cluster_2"] - effect["cluster_1"])) < 0.3 * error
            assert p < 0.001, outcome
        else:
            assert effect["cluster_1"] == effect["cluster_2"]
            assert p > 0.1, outcome
        assert np.sqrt(clustered.scale) == pytest.approx(effect["residual_sd"], rel=0.06)
        wins += clustered.rsquared_adj > staged.rsquared_adj
        missing = frame[outcome].isna().groupby(PAPER).sum().tolist()
        assert missing == [effect["missing_1"], effect["missing_2"]]
    assert wins >= 7  # of twelve: for most, clusters explain more than stages


def test_other_sizes_follow_the_same_effects_on_average():
    labels = np.repeat([0, 1], [800, 1100])
    frame = clinical_table(labels, seed=3).assign(cluster=labels)
    for outcome, effect in OUTCOMES.iterrows():
        clustered = _models(frame, outcome)[0]
        set_difference = effect["cluster_2"] - effect["cluster_1"]
        error = clustered.bse["C(cluster)[T.1]"]
        assert abs(clustered.params["C(cluster)[T.1]"] - set_difference) < 4 * error
    assert (frame["sex"] == "male").groupby(labels).mean().tolist() == pytest.approx(
        [51 / 126, 91 / 175], abs=0.06
    )
    assert frame["honeycombing"].max() == 3


def test_values_are_possible_and_keep_the_contract(frame):
    schema = load_schema("participants")
    table = frame.drop(columns="cluster")
    assert list(schema["properties"]) == list(table.columns)
    check_table(table, schema)
    measured = frame.dropna(subset=["fev1_l", "fvc_l"])
    assert (measured["fev1_l"] < measured["fvc_l"]).all()
    sexes = frame.groupby("sex")["height_in"].mean()
    assert sexes["male"] - sexes["female"] > 4


def test_readers_follow_the_extent_of_disease():
    severity = np.random.default_rng(1).random(301)
    frame = clinical_table(PAPER, severity=severity, seed=1)
    for column in ("scadding_stage", "ground_glass", "fibrosis", "oberstein_score"):
        for k in (0, 1):
            own = np.equal(PAPER, k)
            assert frame[column][own].corr(pd.Series(severity)[own], method="spearman") > 0.5
        assert frame[column][PAPER == 0].mean() > frame[column][PAPER == 1].mean() + 0.3


def test_any_number_of_clusters():
    for k in (1, 3, 5):
        labels = np.repeat(np.arange(k), cluster_sizes(60, k))
        table = clinical_table(labels, seed=0)
        assert len(table) == 60
        check_table(table, load_schema("participants"))
    assert clinical_table([0], seed=0).shape[0] == 1


def test_same_seed_same_table_and_bad_labels_are_refused():
    pd.testing.assert_frame_equal(clinical_table(PAPER, seed=7), clinical_table(PAPER, seed=7))
    with pytest.raises(ValueError, match="whole numbers from 0"):
        clinical_table([0.5, 1.5], seed=0)
    with pytest.raises(ValueError, match="3 labels but 2 severities"):
        clinical_table([0, 1, 1], severity=[1, 2], seed=0)
    with pytest.raises(ValueError, match="cannot form"):
        cluster_sizes(2, 3)
