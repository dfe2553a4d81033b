"""The rule for clusters: two humps against one."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from clamlab.selection import recommended_n_clusters
from clamlab.selection.answer import Answer, words_of
from clamlab.selection.counting import separations
from clamlab.selection.densities import DENSITIES, TWO_HUMPS, fitted_laws
from clamlab.selection.foresight import foresee
from clamlab.selection.humps import ONE_HUMP, SHARE_PRIOR, evidence, standardised, two_humps
from clamlab.selection.preparing import principal_scores
from clamlab.selection.presence import LEVEL, is_present, presence
from clamlab.simulate import cluster_features


def two_apart():
    rng = np.random.default_rng(1000)
    upper = np.arange(60) >= 40
    return rng.normal(size=60) + 5 * upper, upper


LINES = {
    "two apart": two_apart(),
    "leaning up": (np.random.default_rng(1001).gamma(2, size=90), np.arange(90) % 3 == 0),
    "leaning down": (-np.random.default_rng(1002).lognormal(size=90), np.arange(90) % 2 == 0),
    "flat": (np.random.default_rng(1003).uniform(3, 9, 90), np.arange(90) % 2 == 0),
}


def fit_of(name, z, upper):
    return two_humps(z, upper[None]) if name == TWO_HUMPS else ONE_HUMP[name](z)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", DENSITIES)
def test_what_is_drawn_is_the_law_that_was_fitted(name, line):
    values, upper = LINES[line]
    z = standardised(values[None])
    fit = fit_of(name, z, upper)
    log_likelihood = fit.log_likelihood[0]
    if name == TWO_HUMPS:
        part = fit.parameters[0, 3]
        log_likelihood -= (SHARE_PRIOR - 1) * np.log(4 * part * (1 - part))
    drawn = np.log(DENSITIES[name](z[0], fit.parameters[0])).sum()
    assert drawn == pytest.approx(log_likelihood, rel=1e-9)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", DENSITIES)
def test_densities_hold_all_scans(name, line):
    values, upper = LINES[line]
    fit = fit_of(name, standardised(values[None]), upper)
    t = np.linspace(-60, 60, 400_001)
    assert trapezoid(DENSITIES[name](t, fit.parameters[0]), t) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("line", LINES)
def test_laws_are_in_the_units_of_the_values(line):
    values, upper = LINES[line]
    laws = fitted_laws(1000 + 7 * values, upper)
    assert list(laws)[0] == TWO_HUMPS and len(laws) == 2
    t = np.linspace(1000 - 7 * 60, 1000 + 7 * 60, 400_001)
    for density in laws.values():
        assert trapezoid(density(t), t) == pytest.approx(1, abs=1e-3)
    one = list(laws)[1]
    z = standardised(values[None])
    assert all(
        ONE_HUMP[one](z).log_likelihood[0] >= fit(z).log_likelihood[0] for fit in ONE_HUMP.values()
    )


# The rule. Whole tables of error rates: benchmarks/n_clusters.csv.


@pytest.mark.parametrize("apart", [0, 3, 4, 7])
def test_an_early_stop_changes_no_decision(apart):
    x, _ = cluster_features([0.5, 0.5], apart_sd=apart, n_scans=36, seed=1000 + apart)
    scores = principal_scores(x)
    assert is_present(scores, seed=0) is (presence(scores, seed=0).p_value <= LEVEL)


def test_evidence_depends_on_neither_scale_nor_sign():
    values = np.random.default_rng(1000).gamma(2, size=(3, 50))
    upper = values > 2
    once = evidence(values, upper)
    np.testing.assert_allclose(evidence(1e-3 * values + 7, upper), once, rtol=1e-6)
    np.testing.assert_allclose(evidence(-values, ~upper), once, rtol=0.05, atol=0.05)


def test_p_of_one_cloud_is_no_smaller_than_chance():
    """A flat line is the hardest: of 16 cohorts, .6 are expected at .04 (benchmarks: of 400)."""
    drawn = np.random.default_rng(1000)
    p_values = []
    for _ in range(16):
        x = drawn.normal(size=(24, 10)) * 0.6 ** np.arange(10)
        x[:, 0] = 3 * drawn.uniform(-1, 1, size=24)
        p_values.append(presence(principal_scores(x), seed=0).p_value)
    assert np.mean(np.array(p_values) <= LEVEL) <= 0.1
    assert 0.3 < np.median(p_values) < 0.8


def test_what_is_foreseen_is_what_is_seen():
    """Halves are seen in four of five cohorts from 4.5 SD among 48 scans (benchmarks)."""
    x, _ = cluster_features([0.5, 0.5], apart_sd=0, n_scans=48, seed=1000)
    scores = principal_scores(x)
    foreseen = foresee(scores, presence(scores, seed=0).critical, seed=0)
    assert foreseen.seen_from_sd == pytest.approx(4.5, abs=0.5)
    assert 78 / 1.3 < foreseen.n_scans_needed < 78 * 1.3
    assert not foreseen.is_ample


@pytest.mark.parametrize("sizes", [(40, 40, 40), (30, 30, 30, 30)], ids=["row", "longer row"])
def test_clusters_in_a_row_are_counted_though_halves_look_flat(sizes):
    rng = np.random.default_rng(1000)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=(120, 20))
    x[:, 0] += 6 * labels
    scores = principal_scores(x)
    assert presence(scores, seed=0).p_value > 0.2
    found = separations(scores, [2, 3, 4, 5], seed=0)
    assert [s.is_enough for s in found] == [s.n_clusters == len(sizes) for s in found]


def test_noise_in_many_components_is_not_many_clusters():
    scores = principal_scores(np.random.default_rng(1000).normal(size=(150, 60)))
    assert not any(found.is_apart for found in separations(scores, range(2, 9), seed=0))


def test_nobody_is_told_to_collect_the_scans_that_are_there():
    """A fifth of the scans would not have been seen, or a few lie apart: halves would."""
    halves = Answer("undecided", 1, 0.4, seen_from_sd=3.6, n_scans_needed=60)
    assert words_of(halves, 100).endswith(
        "halves of the cohort would have been seen, from 3.6 standard deviations apart; a smaller "
        "cluster may be there all the same."
    )
    assert "About 60 scans" in words_of(halves, 59)


def test_no_distance_and_no_number_of_scans_is_made_up():
    unseen = Answer("undecided", 1, 0.4, seen_from_sd=None, n_scans_needed=None)
    assert "More than 700 scans would show halves" in words_of(unseen, 24)
    assert "seen not even from 10 standard deviations apart" in words_of(unseen, 24)


@pytest.mark.parametrize(("apart", "number"), [(3.0, 2), (3.5, 3)])
def test_groups_that_kmeans_does_not_give_need_more_evidence(apart, number):
    # Halves 14 SD apart, and across them thirds in two lesser directions: barely apart, or plainly.
    rng = np.random.default_rng(1)
    features = rng.normal(size=(48, 6)) * [1, 1, 1, 0.3, 0.3, 0.3]
    features[:24, 0] += 14
    angle = 2 * np.pi / 3 * rng.permutation(np.arange(48) % 3)
    features[:, 1] += apart * np.cos(angle)
    features[:, 2] += apart * np.sin(angle)
    assert recommended_n_clusters(features, seed=0, k_max=4) == number
