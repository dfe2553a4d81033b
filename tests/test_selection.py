"""How many clusters: known answers, one of which is none. Seeds from 1000 on, never tuned on."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.stats import skew
from sklearn.datasets import load_iris

from clamlab.selection import (
    assignment_stability,
    choose_n_clusters,
    one_cluster_null,
    recommended_n_clusters,
    resampled_partitions,
)
from clamlab.selection.criteria import first_within_one_se, gap_statistic, prediction_strength
from clamlab.selection.decision import decide, decided_n_clusters
from clamlab.selection.dip import dip_p_value, dip_statistic


def recommended(x, k_max=5):
    return recommended_n_clusters(x, seed=0, k_max=k_max)[0]


def blobs(sizes, *, seed, separation=7.0, n_features=60):
    """Draw spherical clusters, each off the origin along an axis of its own, then rotate."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=(len(labels), n_features))
    x[np.arange(len(labels)), labels] += separation
    rotation = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    return x @ rotation, labels


# The dip: the definition itself, solved as a linear programme.


def best_unimodal_distance(x):
    """Smallest largest distance of the empirical distribution to a unimodal one."""
    x, n = np.sort(x), len(x)
    best = np.inf
    for mode in range(n):
        # Unknown: the function left of the mode (convex), right of it (concave), the distance.
        left, right = mode + 1, n - mode
        rows, bounds = [], []

        def add(bound, *terms, width=left + right + 1, rows=rows, bounds=bounds):
            row = np.zeros(width)
            for column, value in terms:
                row[column] += value
            rows.append(row)
            bounds.append(bound)

        points = [(i, i, i < mode, True) for i in range(left)]
        points += [(left + i - mode, i, True, i > mode) for i in range(mode, n)]
        for column, i, after, before in points:
            for height in [i / n] * before + [(i + 1) / n] * after:
                add(height, (column, 1), (-1, -1))
                add(-height, (column, -1), (-1, -1))
        for start, first, last, bend in ((0, 0, mode, 1), (left - mode, mode, n - 1, -1)):
            for i in range(first, last):
                add(0, (start + i, 1), (start + i + 1, -1))
            for i in range(first + 1, last):
                one, two = 1 / (x[i] - x[i - 1]), 1 / (x[i + 1] - x[i])
                add(
                    0,
                    (start + i, bend * (one + two)),
                    (start + i - 1, -bend * one),
                    (start + i + 1, -bend * two),
                )
        add(0, (mode, 1), (left, -1))
        cost = np.zeros(left + right + 1)
        cost[-1] = 1
        best = min(best, linprog(cost, A_ub=np.array(rows), b_ub=bounds, bounds=(None, None)).fun)
    return best


@pytest.mark.parametrize("seed", range(1000, 1006))
def test_dip_is_the_distance_to_the_nearest_unimodal_distribution(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=12) + 4 * (rng.uniform(size=12) < 0.4)
    assert dip_statistic(x) == pytest.approx(best_unimodal_distance(x), abs=1e-7)


def test_dip_of_equal_values_is_that_of_the_reference():
    """Values of the package diptest 0.12 (a port of R's); scans that stand twice make such ties."""
    rounded = np.round(np.random.default_rng(3).normal(size=60), 1)
    blocks = np.repeat([0, 1, 1.5, 4, 4.2], [5, 9, 2, 8, 6])
    once = np.random.default_rng(4).normal(size=40)
    twice = np.r_[once, once[:7]]
    found = [dip_statistic(x) for x in (rounded, blocks, twice, [0, 0, 0, 0, 1])]
    assert found == pytest.approx([0.05462962963, 0.16666666667, 0.05104213322, 0.1], abs=1e-10)


def test_dip_null_has_the_published_percentage_point():
    # Hartigan & Hartigan (1985), table 1: 90 % point 0.0471 for n = 100.
    rng = np.random.default_rng(1000)
    drawn = [dip_statistic(rng.uniform(size=100)) for _ in range(400)]
    assert np.quantile(drawn, 0.9) == pytest.approx(0.0471, abs=0.002)


def test_dip_depends_on_neither_scale_nor_sign():
    x = np.random.default_rng(1000).gamma(2, size=50)
    assert dip_statistic(-1e-6 * x + 3) == pytest.approx(dip_statistic(x))


def test_dip_calls_skewed_samples_unimodal_and_two_humps_not():
    rng = np.random.default_rng(1000)
    assert dip_p_value(rng.lognormal(size=300)) > 0.05
    assert dip_p_value(np.r_[rng.normal(size=200), rng.normal(6, 1, size=100)]) < 0.01
    assert dip_p_value([1.0, 2, 9]) == 1.0


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
        lambda rng, n: rng.gamma(1.5, size=(n, 1)),
        lambda rng, n: rng.gamma(1.5, size=(n, 60)),
        lambda rng, n: rng.lognormal(sigma=0.8, size=(n, 20)),
        lambda rng, n: rng.standard_t(3, size=(n, 60)),
        severity,
    ],
    ids=["gaussian", "elongated", "gamma1", "gamma60", "lognormal20", "heavy-tails", "severity"],
)
@pytest.mark.parametrize("n", [36, 120])
def test_one_cloud_is_not_cut(draw, n):
    assert recommended(draw(np.random.default_rng(1000 + n), n), k_max=4) == 1


def test_a_bent_band_is_not_cut():
    rng = np.random.default_rng(1001)
    angle = rng.uniform(0, np.pi, size=300)
    x = 0.5 * rng.normal(size=(300, 30))
    x[:, :2] += 8 * np.c_[np.cos(angle), np.sin(angle)]
    assert dip_p_value(x[:, 0]) < 0.05  # from its side it is dense at both ends
    assert recommended(x, k_max=4) == 1


def test_a_strong_direction_without_clusters_does_not_hide_them():
    rng = np.random.default_rng(1000)
    x, _ = blobs((100, 100), seed=1000)
    x[:, 3] += 4 * rng.gamma(2, size=200)
    assert recommended(x, k_max=4) == 2


@pytest.mark.parametrize(
    "sizes",
    [(150, 150), (240, 60), (100, 100, 100), (200, 70, 30), (75,) * 4, (60,) * 5],
    ids=str,
)
def test_separated_clusters_are_counted(sizes):
    x, _ = blobs(sizes, seed=1000 + len(sizes))
    assert recommended(x, k_max=len(sizes) + 1) == len(sizes)


@pytest.mark.parametrize("sizes", [(12, 12), (24, 24), (30, 18), (16, 16, 16)], ids=str)
def test_small_cohorts_work(sizes):
    x, _ = blobs(sizes, seed=1010, separation=12)
    assert recommended(x) == len(sizes)


def test_a_handful_of_scans_cannot_show_clusters():
    x = np.random.default_rng(1000).normal(size=(7, 20))
    x[4:] += 50
    assert recommended_n_clusters(x, seed=0, k_max=3) == (
        1,
        "7 scans are too few to show a valley between groups: whether there are clusters cannot "
        "be told.",
    )


def test_a_line_of_unevenly_spaced_levels_is_counted():
    rng = np.random.default_rng(1000)
    x = rng.normal(size=(250, 60))
    x[:, 0] += np.repeat([0, 6, 13, 22, 33], 50)
    assert recommended(x, k_max=6) == 5


# The face.


@pytest.fixture(scope="module")
def three():
    x, labels = blobs((50, 40, 30), seed=1003, separation=9, n_features=20)
    return x, labels, choose_n_clusters(x, seed=0, k_max=5, n_gap=10, sparse_bound=2.0)


def test_choice_has_one_row_per_k_and_every_criterion(three):
    table, choice = three[2]
    assert list(table["n_clusters"]) == [1, 2, 3, 4, 5]
    assert table.loc[0, ["silhouette", "calinski_harabasz", "valley_p"]].isna().all()
    assert table.iloc[1:].notna().all(axis=None)
    assert set(choice["picks"].values()) == {3}
    assert choice["n_clusters"] == 3
    assert "3 groups" in choice["reason"]
    assert json.loads(json.dumps(choice)) == choice


def test_same_seed_same_choice(three):
    x, _, (table, choice) = three
    again, same = choose_n_clusters(x, seed=0, k_max=5, n_gap=10, sparse_bound=2.0)
    pd.testing.assert_frame_equal(table, again)
    assert choice == same


def test_one_blob_gives_one_with_advice_in_plain_words():
    x = np.random.default_rng(1000).normal(size=(60, 8))
    table, choice = choose_n_clusters(x, seed=0, k_max=4, n_gap=10, sparse_bound=2.0)
    assert choice["n_clusters"] == choice["picks"]["gap"] == 1
    assert "continuum" in choice["reason"]
    assert choice["picks"]["silhouette"] > 1  # it cannot say 1: why it is not recommended
    assert table["silhouette_multimodal"].isna().all()


def test_units_do_not_matter(three):
    x, _, (table, choice) = three
    small, same = choose_n_clusters(x * 1e-3, seed=0, k_max=5, n_gap=10, sparse_bound=2.0)
    assert same["picks"] == choice["picks"]
    np.testing.assert_allclose(small["silhouette"], table["silhouette"], rtol=1e-6)


def test_a_single_feature_and_a_constant_one_are_fine():
    x = np.zeros((40, 2))
    x[:, 0] = np.random.default_rng(1000).normal(size=40) + np.repeat([0, 20], 20)
    table, choice = choose_n_clusters(x, seed=0, k_max=3, n_gap=5)
    assert choice["n_clusters"] == 2
    assert choice["sparse_bound"] is None
    assert table["silhouette_sparse"].isna().all()


def test_features_after_clustering_warn():
    x, _ = blobs((12, 12), seed=1000, n_features=5)
    with pytest.warns(UserWarning, match="went through a clustering phase"):
        choose_n_clusters(x, seed=0, k_max=2, n_gap=2, sparse_bound=1.5, after_clustering=True)


@pytest.mark.parametrize(
    ("features", "arguments", "message"),
    [
        (np.eye(10), {"k_max": 5}, "k_max must be from 2 and below half"),
        (np.eye(9), {}, "found 8, take at most 4"),
        (np.eye(1), {}, "5 scans or more.*found 1"),
        (np.eye(2)[[0, 0]], {}, "5 scans or more.*found 2"),
        (np.eye(10), {"k_max": 1}, "k_max must be a whole number from 2"),
        (np.eye(10), {"k_max": 3.0}, "k_max must be a whole number"),
        (np.eye(20), {"n_gap": 1}, "n_gap must be a whole number from 2"),
        (np.eye(20), {"seed": -1}, "seed must be a whole number from 0"),
        (np.eye(20), {"seed": None}, "seed must be a whole number from 0"),
        (np.eye(20), {"sparse_bound": 9.0}, "bound must be above 1 and at most"),
        (np.eye(20), {"sparse_bound": np.nan}, "bound must be a finite number"),
        (np.ones((30, 4)), {}, "no feature varies"),
        (np.full((30, 4), np.nan), {}, "found nan at scan 0, feature 0"),
        (np.full((30, 4), np.inf), {}, "found inf at scan 0, feature 0"),
        (np.ones(30), {}, "found shape"),
    ],
)
def test_what_cannot_be_answered_is_refused(features, arguments, message):
    with pytest.raises(ValueError, match=message):
        choose_n_clusters(features, **{"seed": 0, **arguments})


def test_nine_patients_and_twins_among_them_are_served():
    x = np.random.default_rng(1000).normal(size=(9, 6))
    x[1] = x[0]
    assert choose_n_clusters(x, seed=0, k_max=4, n_gap=2)[1]["n_clusters"] == 1
    assert assignment_stability(x, 4, seed=0, n_bootstrap=2).verdict == "unstable"


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
    assert "nothing here speaks for separate clusters" in found.reason
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


@pytest.mark.parametrize("n_clusters", [0, -3])
def test_no_number_of_clusters_is_decided_on(n_clusters):
    with pytest.raises(ValueError, match=f"expected 1 or more clusters, found .*{n_clusters}"):
        decide({"n_clusters": 2, "reason": "a valley"}, n_clusters=n_clusters)


@pytest.mark.parametrize("written", ["two", 2.5, None, 0])
def test_a_choice_that_is_no_number_is_told_with_its_file(written):
    with pytest.raises(ValueError, match="choice.json: expected n_clusters as a whole number"):
        decided_n_clusters({"n_clusters": written})
