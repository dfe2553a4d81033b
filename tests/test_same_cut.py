"""A gap that was seen is claimed for those clusters only between which it lies."""

import numpy as np
import pandas as pd
import pytest

from clamlab.evaluation import adjusted_rand
from clamlab.selection import (
    assignment_stability,
    best_sight,
    choose_n_clusters,
    decide,
    decision_words,
    every_partition,
    with_test,
)
from clamlab.viewers.clusters.number_slider import NumberSlider
from clamlab.viewers.clusters.partition_viewer import PartitionViewer
from clamlab.viewers.pages.about import About
from clamlab.viewers.pages.numbers import numbers_told

N = 64


@pytest.fixture(scope="module")
def hidden():
    """Halves that are plain in the second direction, and a first one that varies far more."""
    rng = np.random.default_rng(1003)
    halves = np.arange(N) % 2
    x = 0.3 * rng.normal(size=(N, 10))
    x[:, 0] = 5 * rng.normal(size=N)
    x[:, 1] = 6 * halves + rng.normal(size=N)
    criteria, choice = choose_n_clusters(x, seed=0, k_max=3, n_gap=2, sparse_bound=1.5)
    partitions = every_partition(
        x, criteria, choice, density=x[:, 0], subjects=range(N), seed=0, n_bootstrap=5
    )
    return x, halves, choice, partitions


def test_clusters_that_cut_something_else_are_not_called_apart(hidden):
    x, halves, choice, partitions = hidden
    assert (choice["answer"], choice["n_clusters"]) == ("clusters", 2)
    assert any("does not give the 2 clusters that were seen" in note for note in choice["notes"])
    two = partitions.query("n_clusters == 2")
    assert adjusted_rand(halves, two["cluster"]) < 0.2
    assert not partitions["apart"].any()
    test = with_test(decide(choice), x, seed=0, n_bootstrap=5)["test"]
    assert test["p_value"] <= 0.04 and test["is_between"] is False
    assert "not those between which a gap is seen" in test["words"]


def test_once_that_is_taken_out_they_are(hidden):
    x, halves, _, _ = hidden
    without = pd.DataFrame({"lung_ml": x[:, 0]})
    asked = {"seed": 0, "without": without}
    criteria, choice = choose_n_clusters(x, k_max=3, n_gap=2, sparse_bound=1.5, **asked)
    assert choice["n_clusters"] == 2 and len(choice["notes"]) == 1, choice["notes"]
    partitions = every_partition(
        x, criteria, choice, density=x[:, 0], subjects=range(N), n_bootstrap=5, **asked
    )
    two = partitions.query("n_clusters == 2")
    assert two["apart"].all() and adjusted_rand(halves, two["cluster"]) > 0.9
    test = with_test(decide(choice), x, n_bootstrap=5, **asked)["test"]
    assert test["is_between"] is True and "the two clusters are apart" in test["words"]
    # The network clusters the scans as they are: what was seen is not said of its clusters.
    fitted = (x[:, 0] > 0).astype(int)
    slider = NumberSlider(partitions, list(range(N)), n_clusters=2, fitted=fitted)
    assert not slider.is_apart
    (own, _) = numbers_told(About(fitted, partitions=partitions))
    assert own["is_own"] and "does not see a gap" in own["words"]
    (own, _) = numbers_told(About(halves, partitions=partitions))
    assert own["words"].startswith("The rule sees a gap between each two of them.")


def test_a_persons_number_is_judged_by_the_two_that_are_hardest_to_tell_apart():
    """Not by the nearest: two of them are near and plain, and one long band is cut in two."""
    rng = np.random.default_rng(1004)
    x = 0.5 * rng.normal(size=(120, 6))
    x[:60, :2] = rng.normal(size=(60, 2)) + np.repeat([[0, 0], [8, 0]], 30, axis=0)
    x[60:, 0] += 60
    x[60:, 1] = np.linspace(-10, 10, 60)
    decision = with_test({"n_clusters": 4, "decided_by": "A. Reader"}, x, seed=0, n_bootstrap=5)
    test = decision["test"]
    assert test["p_value"] > 0.04 and test["n_scans"] == 60 and test["is_between"] is None
    assert "the two that are hardest to tell apart are not shown to be apart" in test["words"]
    assert test["words"] in decision_words(decision)


def test_the_densest_cluster_is_the_first_here_too():
    rng = np.random.default_rng(1005)
    labels = np.repeat([0, 1, 2], [10, 20, 30])
    x = rng.normal(size=(60, 4))
    x[:, 0] += 12 * labels
    density = -900 + 100.0 * (labels == 1) + 50 * (labels == 2)
    told = assignment_stability(x, 3, seed=0, n_bootstrap=5, density=density)
    assert told.clusters["n_scans"].tolist() == [20, 30, 10]
    criteria = pd.DataFrame({"n_clusters": [1, 2, 3], "separation": [None, 1.0, 1.0]})
    choice = {"answer": "clusters", "n_clusters": 3}
    every = every_partition(
        x, criteria, choice, density=density, subjects=range(60), seed=0, n_bootstrap=5
    )
    three = every.query("n_clusters == 3").reset_index(drop=True)
    assert three["cluster"].tolist() == told.scans["cluster"].tolist()
    np.testing.assert_array_equal(three["agreement"], told.scans["agreement"])
    with pytest.raises(ValueError, match="a density for each of 60 scans, found 3"):
        assignment_stability(x, 3, seed=0, n_bootstrap=5, density=[1, 2, 3])


def test_no_pair_is_shown_where_a_cluster_is_a_handful():
    rng = np.random.default_rng(1006)
    x = rng.normal(size=(60, 4))
    x[:6] *= 0.3
    x[:3, 0] += 40  # three near one another are not left out as far
    x[3:6, 1] += 60
    with pytest.raises(ValueError, match="expected 3 clusters of some size"):
        best_sight(x, 3, seed=0)


def test_a_still_of_another_number_says_which_and_what_the_rule_sees():
    told = {"n_clusters": 2, "subject_id": list("abc"), "cluster": [0, 1, 1]}
    rows = pd.DataFrame(told | {"jaccard": 0.9, "apart": False})
    viewer = PartitionViewer(np.eye(3), rows, np.full((3, 8, 8), -800), n_clusters=1)
    still = viewer.still_html()
    assert "in 2 groups; the rule sees no gap between each two of them" in still
