"""Sparse k-means against known solutions, and what it promises."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from clamlab.clustering.sparse import choose_bound, sparse_kmeans


def zscore(x):
    return (x - x.mean(0)) / x.std(0, ddof=1)


@pytest.fixture(scope="module")
def iris():
    return zscore(load_iris().data)


@pytest.fixture(scope="module")
def park_miller():
    """60 x 50 pseudo-random values that any language can make; 5 informative columns."""
    state, values = 20260101, []
    for _ in range(60 * 50):
        state = 16807 * state % 2147483647
        values.append(state / 2147483647)
    x = np.array(values).reshape(60, 50)
    np.testing.assert_allclose(x[0, :3], [0.56303166, 0.87309715, 0.14380891], atol=1e-8)
    x[30:, :5] += 1
    return zscore(x)


@pytest.mark.parametrize(
    ("bound", "weights", "objective", "sizes"),
    [
        (1.2, (0, 0, 0.97418, 0.22575), 168.51, [48, 50, 52]),
        (1.5, (0.0918, 0, 0.7007, 0.7075), 206.02, [48, 50, 52]),
        (1.8, (0.4138, 0.1084, 0.6569, 0.6209), 228.248, [39, 50, 61]),
    ],
)
def test_iris_agrees_with_the_published_implementation(iris, bound, weights, objective, sizes):
    fit = sparse_kmeans(iris, 3, bound=bound, seed=0)
    np.testing.assert_allclose(fit.weights, weights, atol=1e-3)
    assert fit.objective == pytest.approx(objective, rel=1e-4)
    assert sorted(np.bincount(fit.labels)) == sizes


@pytest.mark.parametrize(
    ("bound", "weights", "objective"),
    [
        (1.3, {1: 0.3716, 4: 0.9284}, 60.33),
        (2, {0: 0.28405, 1: 0.57173, 2: 0.10661, 3: 0.37260, 4: 0.66500}, 90.302),
    ],
)
def test_sparse_features_agree_with_the_published_implementation(
    park_miller, bound, weights, objective
):
    fit = sparse_kmeans(park_miller, 2, bound=bound, seed=0)
    assert set(np.flatnonzero(fit.weights)) == set(weights)
    np.testing.assert_allclose(fit.weights[list(weights)], list(weights.values()), atol=1e-3)
    assert fit.objective == pytest.approx(objective, rel=1e-4)


def test_a_loose_bound_does_not_bind(park_miller):
    fit = sparse_kmeans(park_miller, 2, bound=4, seed=0)
    assert fit.weights.sum() == pytest.approx(2.60091, abs=1e-3)
    assert fit.objective == pytest.approx(99.5839, rel=1e-4)


def test_units_do_not_matter(park_miller):
    fit = sparse_kmeans(park_miller, 2, bound=2, seed=0)
    small = sparse_kmeans(park_miller * 1e-3, 2, bound=2, seed=0)
    np.testing.assert_array_equal(small.labels, fit.labels)
    np.testing.assert_allclose(small.weights, fit.weights, atol=1e-9)
    assert small.objective == pytest.approx(fit.objective * 1e-6)


def test_weights_keep_both_constraints(park_miller):
    for bound in (1.01, 1.7, 3):
        weights = sparse_kmeans(park_miller, 3, bound=bound, seed=1, n_restarts=5).weights
        assert (weights >= 0).all()
        assert np.linalg.norm(weights) == pytest.approx(1)
        assert weights.sum() <= bound + 1e-9


def two_informative_of_fifty(seed):
    x = np.random.default_rng(seed).normal(size=(100, 50))
    x[50:, :2] += 3
    return zscore(x), np.repeat([0, 1], 50)


def agreement(labels, truth):
    share = (labels == truth).mean()
    return max(share, 1 - share)


def test_restarts_escape_the_local_optima_of_a_single_start():
    single, many = [], []
    for seed in range(6):
        x, truth = two_informative_of_fifty(seed)
        one = sparse_kmeans(x, 2, bound=1.4, seed=0, n_restarts=0)
        best = sparse_kmeans(x, 2, bound=1.4, seed=0)
        assert best.objective >= one.objective
        single.append(agreement(one.labels, truth))
        many.append(agreement(best.labels, truth))
    assert min(many) > 0.95
    assert min(single) < 0.8


def test_same_seed_same_answer(park_miller):
    first = sparse_kmeans(park_miller, 4, bound=2, seed=5, n_restarts=6)
    second = sparse_kmeans(park_miller, 4, bound=2, seed=5, n_restarts=6)
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.weights, second.weights)


def test_every_cluster_has_scans_even_when_k_is_far_too_large():
    x = np.repeat(np.random.default_rng(0).normal(size=(4, 3)), 5, axis=0)
    fit = sparse_kmeans(x, 8, bound=1.5, seed=0, n_restarts=4)
    assert len(np.unique(fit.labels)) == 8


def test_permutation_finds_few_features_where_the_largest_gap_keeps_all():
    x = np.random.default_rng(3).normal(size=(100, 50))
    x[50:, :5] += 1.5
    choice = choose_bound(zscore(x), 2, seed=0, n_permutations=10, n_restarts=4)
    table = choice.table.set_index("bound")
    assert len(table) == 10
    top = table.loc[choice.bound_argmax]
    assert top["gap"] == table["gap"].max()
    assert table.loc[choice.bound, "gap"] >= top["gap"] - top["gap_sd"]
    # The curve is flat past a point: its argmax keeps the idle features.
    assert table.loc[choice.bound, "n_features"] == 5
    assert top["n_features"] == 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bound": 1.0}, "bound must be above 1"),
        ({"bound": 9.0}, "bound must be above 1"),
        ({"n_clusters": 1}, "n_clusters must be from 2"),
        ({"n_clusters": 60}, "n_clusters must be from 2"),
    ],
)
def test_arguments_out_of_range_are_refused(park_miller, change, message):
    arguments = {"n_clusters": 2, "bound": 2.0, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        sparse_kmeans(park_miller, **arguments)


def test_bad_features_are_refused():
    x = np.ones((10, 4))
    with pytest.raises(ValueError, match="no feature varies"):
        sparse_kmeans(x, 2, bound=1.5, seed=0)
    x[3, 2] = np.nan
    with pytest.raises(ValueError, match="scan 3, feature 2"):
        sparse_kmeans(x, 2, bound=1.5, seed=0)
