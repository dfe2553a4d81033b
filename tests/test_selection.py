"""How many clusters: known answers, one of which is none. Seeds from 1000 on, never tuned on."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew
from sklearn.datasets import load_iris

from clamlab.selection import (
    assignment_stability,
    choose_n_clusters,
    decide,
    decided_n_clusters,
    decision_words,
    recommended_n_clusters,
    resampled_partitions,
    what_varies,
    with_test,
)
from clamlab.selection.choice import every_pick
from clamlab.selection.criteria import first_within_one_se, gap_statistic, prediction_strength
from clamlab.selection.null import one_cluster_null
from clamlab.selection.preparing import take_out
from clamlab.simulate.features import cluster_features


def recommended(x, k_max=5):
    return recommended_n_clusters(x, seed=0, k_max=k_max)


def blobs(sizes, *, seed, separation=7.0, n_features=60):
    """Draw spherical clusters, each off the origin along an axis of its own, then rotate."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=(len(labels), n_features))
    x[np.arange(len(labels)), labels] += separation
    rotation = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    return x @ rotation, labels


# The recommended rule.


def severity(rng, n):
    """One pattern whose severity is skewed and shows in several features, not all linearly."""
    s = rng.gamma(1.2, size=n)
    x = rng.normal(size=(n, 60))
    x[:, :4] += np.c_[6 * s, 4 * np.tanh(s), s**2, 4 * rng.normal(size=n)]
    return x


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=(n, 60)),
        lambda rng, n: rng.normal(size=(n, 60)) * 0.8 ** np.arange(60),
        lambda rng, n: rng.gamma(1.5, size=(n, 2)),
        lambda rng, n: rng.gamma(1.5, size=(n, 60)),
        lambda rng, n: rng.lognormal(sigma=0.8, size=(n, 20)),
        lambda rng, n: rng.standard_t(3, size=(n, 60)),
        severity,
    ],
    ids=["gaussian", "elongated", "gamma2", "gamma60", "lognormal20", "heavy-tails", "severity"],
)
@pytest.mark.parametrize("n", [36, 120])
def test_one_cloud_is_not_cut(draw, n):
    """One cohort in twenty-five may be: of two, one is let pass."""
    cohorts = (draw(np.random.default_rng(seed + n), n) for seed in (1000, 2000))
    assert 1 in [recommended(x, k_max=4) for x in cohorts]


def test_a_bent_band_is_not_cut():
    rng = np.random.default_rng(1001)
    angle = rng.uniform(0, np.pi, size=300)
    x = 0.5 * rng.normal(size=(300, 30))
    x[:, :2] += 8 * np.c_[np.cos(angle), np.sin(angle)]
    assert recommended(x, k_max=4) == 1


def test_a_strong_direction_without_clusters_does_not_hide_them():
    rng = np.random.default_rng(1000)
    x, _ = blobs((100, 100), seed=1000)
    x[:, 3] += 4 * rng.gamma(2, size=200)
    assert recommended(x, k_max=4) == 2


@pytest.mark.parametrize(
    "sizes",
    [(75, 75), (80, 20), (50, 50, 50), (100, 35, 20), (40,) * 4, (40,) * 5],
    ids=str,
)
def test_separated_clusters_are_counted(sizes):
    x, _ = blobs(sizes, seed=1000 + len(sizes))
    assert recommended(x, k_max=len(sizes) + 1) == len(sizes)


@pytest.mark.parametrize("sizes", [(12, 12), (24, 24), (30, 18), (16, 16, 16)], ids=str)
def test_small_cohorts_work(sizes):
    x, _ = blobs(sizes, seed=1010, separation=12)
    assert recommended(x) == len(sizes)


def test_a_line_of_unevenly_spaced_levels_is_counted():
    rng = np.random.default_rng(1000)
    x = rng.normal(size=(250, 60))
    x[:, 0] += np.repeat([0, 6, 13, 22, 33], 50)
    assert recommended(x, k_max=6) == 5


# The face.


OF_THREE = {"seed": 0, "k_max": 4, "n_gap": 3, "sparse_bound": 2.0}


@pytest.fixture(scope="module")
def three():
    x, _ = blobs((25, 20, 16), seed=1003, separation=9, n_features=20)
    return x, choose_n_clusters(x, **OF_THREE)


def test_choice_has_one_row_per_k_and_every_criterion(three):
    table, choice = three[1]
    assert list(table["n_clusters"]) == [1, 2, 3, 4]
    assert table.loc[0, ["silhouette", "calinski_harabasz", "separation"]].isna().all()
    assert table.iloc[1:].notna().all(axis=None)
    assert set(choice["picks"].values()) == {3}
    assert (choice["answer"], choice["n_clusters"]) == ("clusters", 3)
    assert "3 clusters" in choice["reason"]
    assert json.loads(json.dumps(choice)) == choice


def test_picks_alone_are_those_of_the_choice(three):
    x, (_, choice) = three
    found = every_pick(x, seed=0, k_max=4, n_gap=3)
    assert found == choice["picks"] and list(found) == list(choice["picks"])


def test_same_seed_same_choice(three):
    x, (table, choice) = three
    again, same = choose_n_clusters(x, **OF_THREE)
    pd.testing.assert_frame_equal(table, again)
    assert choice == same


def test_one_blob_of_few_scans_is_undecided_and_says_what_it_would_take():
    x = np.random.default_rng(1000).normal(size=(48, 8))
    table, choice = choose_n_clusters(x, seed=0, k_max=4, n_gap=10, sparse_bound=2.0)
    assert choice["answer"] == "undecided"
    assert choice["n_clusters"] == choice["picks"]["gap"] == 1
    assert 3.5 < choice["seen_from_sd"] < 5.5
    assert 50 < choice["n_scans_needed"] < 130
    assert f"About {choice['n_scans_needed']} scans" in choice["reason"]
    assert "continu" not in choice["reason"]
    assert choice["picks"]["silhouette"] > 1  # it cannot say 1: why it is not recommended
    assert table["silhouette_multimodal"].isna().all()


def test_one_blob_of_many_scans_is_a_continuum():
    x = np.random.default_rng(1000).gamma(2, size=(240, 8)) * 0.8 ** np.arange(8)
    choice = choose_n_clusters(x, seed=0, k_max=3, n_gap=2, sparse_bound=2.0)[1]
    assert choice["answer"] == "continuum"
    assert choice["seen_from_sd"] < 4
    assert "A continuum, as far as 2" in choice["reason"]


def test_units_do_not_matter(three):
    x, (table, choice) = three
    small, same = choose_n_clusters(x * 1e-3, **OF_THREE)
    assert same["picks"] == choice["picks"]
    np.testing.assert_allclose(small["silhouette"], table["silhouette"], rtol=1e-6)


def test_two_features_and_a_constant_one_are_fine():
    x = np.zeros((40, 3))
    x[:, :2] = np.random.default_rng(1000).normal(size=(40, 2))
    x[20:, 0] += 20
    table, choice = choose_n_clusters(x, seed=0, k_max=3, n_gap=5)
    assert choice["n_clusters"] == 2
    assert choice["sparse_bound"] is None
    assert table["silhouette_sparse"].isna().all()


def test_features_after_clustering_warn():
    x, _ = blobs((12, 12), seed=1000, n_features=5)
    with pytest.warns(UserWarning, match="went through a clustering phase"):
        choose_n_clusters(x, seed=0, k_max=2, n_gap=2, sparse_bound=1.5, after_clustering=True)


CLOUD = np.random.default_rng(1000).normal(size=(20, 5))


@pytest.mark.parametrize(
    ("features", "arguments", "message"),
    [
        (CLOUD, {"k_max": 10}, "k_max must be from 2 and below half.*found 10, take at most 9"),
        (CLOUD[:11], {}, "12 or more different scans; found 11"),
        (CLOUD[[0] * 30], {}, "12 or more different scans; found 1"),
        (CLOUD, {"subjects": [1, 2] * 10}, "12 or more different scans; found 2"),
        (CLOUD, {"subjects": [1] * 19}, "one subject for each of 20 scans, found 19"),
        (CLOUD, {"subjects": [None, *range(19)]}, "found 20, 1 of them missing"),
        (CLOUD, {"without": pd.DataFrame({"age": [np.nan] * 20})}, "age: missing for 20 scans"),
        (CLOUD, {"without": pd.DataFrame({"age": [1]})}, "one row of `without` for each of 20"),
        (CLOUD, {"without": pd.DataFrame({"id": list("abcdefghijklmnopqrst")})}, "too many"),
        (np.outer(np.arange(20), [1, 2, 3]), {}, "vary together, along one direction"),
        (CLOUD, {"k_max": 1}, "k_max must be a whole number from 2"),
        (CLOUD, {"k_max": 3.0}, "k_max must be a whole number"),
        (CLOUD, {"n_gap": 1}, "n_gap must be a whole number from 2"),
        (CLOUD, {"seed": -1}, "seed must be a whole number from 0"),
        (CLOUD, {"seed": None}, "seed must be a whole number from 0"),
        (CLOUD, {"sparse_bound": 9.0}, "bound must be above 1 and at most"),
        (CLOUD, {"sparse_bound": np.nan}, "bound must be a finite number"),
        (np.ones((30, 4)), {}, "12 or more different scans; found 1"),
        (np.full((30, 4), np.nan), {}, "found nan at scan 0, feature 0"),
        (np.full((30, 4), np.inf), {}, "found inf at scan 0, feature 0"),
        (np.ones(30), {}, "found shape"),
    ],
)
def test_what_cannot_be_answered_is_refused(features, arguments, message):
    with pytest.raises(ValueError, match=message):
        choose_n_clusters(features, **{"seed": 0, "k_max": 4, **arguments})


def test_a_stray_scan_neither_makes_nor_hides_clusters():
    for apart, expected in ((0, 1), (7, 2)):
        x, _ = cluster_features([0.5, 0.5], apart_sd=apart, n_scans=48, seed=1002)
        x[5] += 20 * np.ones(40) / np.sqrt(40)
        choice = choose_n_clusters(x, seed=0, k_max=4, n_gap=2, sparse_bound=2.0)[1]
        assert choice["n_clusters"] == expected
        assert choice["notes"] == [
            "1 of 48 scans lie far from all others and are left out: rows 6."
        ]


def test_a_few_scans_apart_are_named_and_keep_a_cohort_from_being_a_continuum():
    x = np.random.default_rng(1000).normal(size=(150, 6))
    x[:9, 0] += 20
    choice = choose_n_clusters(x, seed=0, k_max=2, n_gap=2, sparse_bound=1.5)[1]
    assert (choice["answer"], choice["n_clusters"]) == ("undecided", 1)
    assert choice["notes"] == [
        "9 scans lie apart from all others, too few to be called a cluster: rows 1, 2, 3, 4, 5, 6, "
        "7, 8, 9. Look at them."
    ]


def test_what_cannot_be_foreseen_is_not_made_up():
    x = np.random.default_rng(1000).normal(size=(14, 3)) * [30, 1, 1]
    x[:2, 1] += 8
    choice = choose_n_clusters(x, seed=0, k_max=2, n_gap=2, sparse_bound=1.5)[1]
    assert choice["seen_from_sd"] is None


def test_clusters_in_a_row_have_the_p_of_the_two_that_are_hardest_to_tell_apart():
    rng = np.random.default_rng(1000)
    x = rng.normal(size=(120, 10))
    x[:, 0] += 8 * np.repeat(range(3), 40)
    choice = choose_n_clusters(x, seed=0, k_max=4, n_gap=2, sparse_bound=1.5)[1]
    assert choice["n_clusters"] == 3
    assert choice["p_value"] == pytest.approx(1 / 300)
    assert choice["p_of_pair"] and "as the two hardest to tell apart (p = .003" in choice["reason"]


def test_units_and_constant_features_change_nothing():
    x, _ = cluster_features([0.5, 0.5], apart_sd=7, n_scans=36, seed=1001)
    for same in (x * 1e-160, x * 1e150, np.c_[x, np.full(36, 1e12)]):
        assert recommended_n_clusters(same, seed=0, k_max=3) == 2


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.date_range("2020", periods=20), "age: expected numbers or names, found datetime"),
        ([1 + 1j] * 20, "age: expected numbers or names, found complex"),
        ([np.inf, *range(19)], "age: expected finite numbers, found inf"),
    ],
)
def test_a_covariate_that_cannot_be_taken_out_is_refused(column, message):
    with pytest.raises(ValueError, match=message):
        choose_n_clusters(CLOUD, seed=0, k_max=3, without=pd.DataFrame({"age": column}))


def test_what_is_taken_out_is_taken_out_in_any_unit():
    x, labels = cluster_features([0.5, 0.5], apart_sd=9, n_scans=40, seed=1000)
    for unit in (1, 1e16, 1e-17):
        table = pd.DataFrame({"group": labels * unit, "other": np.arange(40) % 3, "same": 7})
        assert recommended_n_clusters(take_out(x, table), seed=0, k_max=3) == 1


def test_missing_subjects_are_no_patient_called_nan():
    with pytest.raises(ValueError, match="found 20, 2 of them missing"):
        choose_n_clusters(CLOUD, seed=0, k_max=3, subjects=[np.nan, None, *"abcdefghijklmnopqr"])


def test_copies_and_scans_of_one_patient_count_once():
    x, _ = cluster_features([0.5, 0.5], apart_sd=0, n_scans=24, seed=1000)
    again = np.repeat(x, 3, axis=0)
    settings = {"seed": 0, "k_max": 4, "n_gap": 2, "sparse_bound": 2.0}
    once = choose_n_clusters(x, **settings)[1]
    copies = choose_n_clusters(again, **settings)[1]
    moved = again + 1e-3 * np.random.default_rng(0).normal(size=again.shape)
    subjects = choose_n_clusters(moved, subjects=np.repeat(range(24), 3), **settings)[1]
    assert copies["notes"] == ["48 scans are copies of others and are not counted."]
    assert subjects["notes"] == ["72 scans of 24 patients: each patient counts once."]
    assert once["p_value"] == copies["p_value"] == pytest.approx(subjects["p_value"], abs=0.05)
    assert once["n_scans"] == copies["n_scans"] == subjects["n_scans"] == 24


def test_what_is_taken_out_neither_makes_nor_hides_clusters():
    x, labels = cluster_features([0.5, 0.5], apart_sd=7, n_scans=60, seed=1000)
    rng = np.random.default_rng(1)
    scanner = rng.choice(["A", "B"], size=60)
    moved = x + 30 * rng.normal(size=40) * (scanner == "B")[:, None]
    settings = {"seed": 0, "k_max": 3}
    assert recommended_n_clusters(moved, **settings) > 1
    without = pd.DataFrame({"scanner": scanner, "volume": rng.normal(size=60)})
    found = choose_n_clusters(moved, without=without, n_gap=2, sparse_bound=2.0, **settings)[1]
    assert found["n_clusters"] == 2
    assert found["notes"] == ["Taken out before looking: scanner, volume."]
    flat = x - x.mean(0) - np.where(labels, 1, -1)[:, None] * (x[labels == 1].mean(0) - x.mean(0))
    told = flat + 30 * (scanner == "B")[:, None]
    assert recommended_n_clusters(told, **settings) == 2  # the scanners
    alone = choose_n_clusters(
        told, without=without[["scanner"]], n_gap=2, sparse_bound=2.0, **settings
    )[1]
    assert alone["n_clusters"] == 1


def test_what_varies_names_the_scanner():
    x = np.random.default_rng(1000).normal(size=(40, 10))
    scanner = np.repeat(["A", "B", None], [18, 18, 4])
    x[scanner == "B"] += 4
    table = what_varies(x, pd.DataFrame({"scanner": scanner, "age": np.arange(40) % 7}))
    first = table[table["component"] == 1].set_index("covariate")
    assert first["r_squared"]["scanner"] > 0.8 > 0.2 > first["r_squared"]["age"]
    assert first["n_scans"].to_dict() == {"scanner": 36, "age": 40}


def test_a_persons_number_is_held_to_the_same_test():
    x, _ = cluster_features([1 / 3] * 3, apart_sd=9, n_scans=60, seed=1001)
    rule = {"n_clusters": 3, "reason": "apart", "answer": "clusters"}
    for k, apart in ((3, True), (4, False)):
        person = decide(rule, previous={"n_clusters": k, "decided_by": "A. Reader", "reason": "r"})
        decision = with_test(person, x, seed=0, n_bootstrap=10)
        test = decision["test"]
        assert (test["p_value"] <= 0.04) is apart
        assert test["stability"] == "stable" or not apart
        assert test["words"] in decision_words(decision)
        assert decision_words(decision).startswith(f"{k} clusters, decided by A. Reader (the ")
        assert json.loads(json.dumps(decision)) == decision
        assert decision["recommended"] == rule


def test_a_choice_of_another_shape_is_told_with_its_file():
    for written in ([], {"n_clusters": 2, "recommended": 3}, {"n_clusters": 2, "test": "good"}):
        for ask in (decided_n_clusters, decision_words):
            with pytest.raises(ValueError, match="choice.json: expected"):
                ask(written)


def test_a_parameter_holds_while_it_is_given_and_a_name_until_it_is_changed():
    rule = {"n_clusters": 2, "reason": "two humps", "answer": "clusters"}
    given = decide(rule, n_clusters=4)
    assert "4 clusters, given as N_CLUSTERS (the rule: 2)" in decision_words(given)
    one = decision_words(decide(rule, n_clusters=1), shown=2)
    assert one.startswith(
        "1 cluster, given as N_CLUSTERS (the rule: 2). Shown are 2 clusters, made"
    )
    assert decide(rule, previous=given)["n_clusters"] == 2
    person = {"n_clusters": 3, "reason": "on sight", "decided_by": "A. Reader"}
    assert decide(rule, previous=person)["n_clusters"] == 3
    # Another number than was given, and tested, is not the parameter's.
    by_hand = {**given, "n_clusters": 3, "test": {"n_clusters": 4}}
    assert decision_words(by_hand).startswith("3 clusters, decided by a person (the rule: 2).")
    kept = decide(rule, previous=by_hand)
    assert (kept["n_clusters"], kept["decided_by"]) == (3, "a person")
    assert kept["reason"].startswith("written into 04_n_clusters/choice.json")
    assert decide(rule, previous={**given, "test": {"n_clusters": 4}})["n_clusters"] == 2
    one = {**decide(rule, n_clusters=1), "test": None}
    assert decide(rule, previous=one)["n_clusters"] == 2
    assert decide(rule, previous={**one, "n_clusters": 3})["n_clusters"] == 3


def test_a_number_put_into_the_rules_mouth_is_a_persons():
    rule = {"n_clusters": 2, "reason": "two humps"}
    changed = {**decide(rule), "n_clusters": 3}
    said = "3 clusters, decided by a person (the rule: 2)"
    assert decision_words(changed) == f"{said}. This number was not tested: run notebook 04 again."
    kept = decide(rule, previous=changed)  # which is what running it does
    assert kept["n_clusters"] == 3 and kept["recommended"] == rule
    assert decision_words(kept).startswith(said) and "two humps" not in kept["reason"]
    own = {"n_clusters": 3, "decided_by": "a person", "reason": "three on sight"}
    assert decide(rule, previous=own)["reason"] == "three on sight"
    nameless = {**changed, "reason": "three on sight"}
    assert decide(rule, previous=nameless)["reason"] == "three on sight"
    one = {**decide(rule), "n_clusters": 1}
    with pytest.raises(ValueError, match="^A person decided that there is one.*without a name"):
        decided_n_clusters(one)
    assert "two humps" not in decision_words(one)


def test_a_number_written_by_hand_is_called_untested():
    test = {"n_clusters": 3, "words": "3 clusters: apart."}
    changed = {"n_clusters": 4, "decided_by": "A. Reader", "test": test}
    assert "not tested" in decision_words(changed)
    assert "apart" in decision_words({**changed, "n_clusters": 3})


@pytest.mark.parametrize(
    ("answer", "said"),
    [("continuum", "look like a continuum"), ("undecided", "cannot be told from these scans")],
)
def test_one_cluster_stops_with_the_answer_that_was_given(answer, said):
    rule = {"n_clusters": 1, "reason": "why", "answer": answer}
    with pytest.raises(ValueError, match=said):
        decided_n_clusters(decide(rule))
    with pytest.raises(ValueError, match="^N_CLUSTERS says that there is one cluster"):
        decided_n_clusters(decide(rule | {"n_clusters": 2}, n_clusters=1))
    with pytest.raises(ValueError, match="A. Reader decided that there is one"):
        decided_n_clusters({**decide(rule), "decided_by": "A. Reader"})


# Classical criteria.


def test_gap_of_one_cluster_is_that_of_a_uniform_box():
    x = np.random.default_rng(1000).normal(size=(400, 3)) * [3, 2, 1]
    gap, error = gap_statistic(x, [1], seed=0, n_reference=30)
    centred = x - x.mean(0)
    box = np.ptp(centred @ np.linalg.svd(centred, full_matrices=False)[2].T, axis=0)
    # Scans uniform in a box of sides r have a sum of squares of (n - 1) r^2 / 12 in expectation.
    expected = np.log((len(x) - 1) * (box**2).sum() / 12) - np.log((centred**2).sum())
    assert gap[0] == pytest.approx(expected, abs=0.02)
    assert 0 < error[0] < 0.1


def test_gap_reads_iris_as_its_authors_rule_does():
    x = load_iris().data
    gap, error = gap_statistic((x - x.mean(0)) / x.std(0), range(1, 5), seed=0, n_reference=20)
    assert first_within_one_se(range(1, 5), gap, error) in (2, 3)


def test_prediction_strength_falls_beyond_the_true_number(three):
    x = three[0]
    strength = [prediction_strength(x, k, seed=0) for k in (1, 3, 4)]
    assert strength[0] == 1.0
    assert strength[1] > 0.95
    assert strength[2] < 0.8


def test_null_keeps_covariance_and_skew():
    rng = np.random.default_rng(1000)
    mix = rng.normal(size=(3, 3))
    x = rng.gamma(1.5, size=(4000, 3)) * [6, 2, 1] @ mix
    drawn = one_cluster_null(x, seed=1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(x.T), atol=0.1 * np.cov(x.T).max())
    first = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][0]
    assert skew(drawn @ first) == pytest.approx(skew(x @ first), abs=0.3)


# Stability.


def test_separated_clusters_are_stable_and_every_scan_stays():
    x, labels = blobs((40, 30, 20), seed=1001, separation=10)
    found = assignment_stability(x, 3, seed=0, n_bootstrap=10)
    assert found.verdict == "stable"
    assert not found.scans["borderline"].any()
    assert sorted(found.clusters["n_scans"]) == [20, 30, 40]
    assert (found.clusters["jaccard"] > 0.95).all()
    assert len(found.bootstraps) == 10
    assert pd.crosstab(found.scans["cluster"], labels).gt(0).sum(axis=None) == 3


@pytest.mark.parametrize("scale", [1.0, 0.6], ids=["round", "long"])
def test_one_blob_is_unstable_even_when_it_is_cut_at_the_same_place_each_time(scale):
    x = np.random.default_rng(1000).normal(size=(100, 10)) * 6 * scale ** np.arange(10)
    found = assignment_stability(x, 2, seed=0, n_bootstrap=20)
    assert found.verdict == "unstable"
    assert "does not speak for separate clusters" in found.reason
    assert found.clusters["verdict"].unique().tolist() == ["as one cloud"]
    assert found.scans["borderline"].any()


def test_borderline_scans_are_those_between_the_clusters():
    x, _ = blobs((60, 60), seed=1004, separation=8, n_features=4)
    x[0] = x.mean(0)
    found = assignment_stability(x, 2, seed=0, n_bootstrap=30)
    assert found.scans["agreement"].idxmin() == 0
    assert found.scans["borderline"].sum() <= 2


@pytest.mark.parametrize(
    ("features", "arguments", "message"),
    [
        (np.eye(10), {"n_clusters": 5}, "below half.*found 5, take at most 4"),
        (np.eye(9), {"n_clusters": 12}, "below half.*found 12, take at most 4"),
        (np.eye(10), {"n_clusters": 2.5}, "n_clusters must be a whole number from 2"),
        (np.eye(1), {}, "5 scans or more.*found 1"),
        (np.eye(10), {"n_bootstrap": 1}, "n_bootstrap must be a whole number from 2"),
        (np.eye(10), {"seed": -1}, "seed must be a whole number from 0"),
        (np.ones((10, 2)), {}, "no feature varies"),
        (np.full((10, 2), np.nan), {}, "found nan at scan 0, feature 0"),
    ],
)
def test_stability_refuses_what_cannot_be_answered(features, arguments, message):
    with pytest.raises(ValueError, match=message):
        assignment_stability(features, **{"n_clusters": 2, "seed": 0, **arguments})


def test_missing_features_reach_neither_the_null_nor_other_partitions():
    missing, clusters = np.full((10, 2), np.nan), [0, 1] * 5
    with pytest.raises(ValueError, match="found nan at scan 0, feature 0"):
        one_cluster_null(missing, seed=0)
    with pytest.raises(ValueError, match="no feature varies between the 10 scans"):
        one_cluster_null(np.ones((10, 2)), seed=0)
    with pytest.raises(ValueError, match="found nan at scan 0, feature 0"):
        resampled_partitions(missing, clusters, seed=0)
    with pytest.raises(ValueError, match=r"values \[-1, 0\]"):
        resampled_partitions(np.eye(4), [0, -1, 0, 0], seed=0)


@pytest.mark.parametrize("n_clusters", [0, -3, 2.5, True, "3"])
def test_no_number_of_clusters_is_decided_on(n_clusters):
    with pytest.raises(
        ValueError, match=f"expected n_clusters as a whole number from 1, found .*{n_clusters}"
    ):
        decide({"n_clusters": 2, "reason": "a valley"}, n_clusters=n_clusters)


@pytest.mark.parametrize("written", ["two", 2.5, None, 0, True])
def test_a_choice_that_is_no_number_is_told_with_its_file(written):
    with pytest.raises(ValueError, match="choice.json: expected n_clusters as a whole number"):
        decided_n_clusters({"n_clusters": written})
