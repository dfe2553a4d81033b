"""Differences between clusters when the clusters themselves are uncertain."""

import numpy as np
import pandas as pd
import pytest

from clamlab.selection import resampled_partitions
from clamlab.stats.outcomes import associations_across, outcome_associations

SCHEMA = {
    "properties": {
        "fvc": {"type": "number", "x-role": "outcome"},
        "score": {"type": "number", "x-role": "outcome", "x-source": "derived"},
        "age": {"type": "number", "x-role": "demographic"},
    }
}


def cohort(distance, n=60, seed=0):
    """Features of two groups so far apart, an outcome that goes with the group, and one derived."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat([0, 1], n // 2)
    features = rng.normal(size=(n, 4))
    features[:, 0] += distance * cluster
    table = pd.DataFrame({"cluster": cluster, "age": rng.normal(60, 9, n)})
    table["fvc"] = 3 - 0.5 * cluster + rng.normal(0, 0.3, n)
    table["score"] = features[:, 0]
    return features, table


def test_clear_borders_leave_nothing_to_vary():
    features, table = cohort(distance=20)
    partitions = resampled_partitions(features, table["cluster"], seed=1, n_bootstrap=10)
    assert (partitions == table["cluster"].to_numpy()).all()
    told = associations_across(table, SCHEMA, partitions).set_index("outcome").loc["fvc"]
    found = outcome_associations(table, SCHEMA).query("part == 'pairwise' and outcome == 'fvc'")
    assert told["across_low"] == pytest.approx(found["difference"].iloc[0])
    assert told["across_low"] == pytest.approx(told["across_high"])
    assert told["same_sign"] == told["below_05"] == 1


def test_blurred_borders_widen_what_the_interval_hides():
    near, far = (
        associations_across(
            table, SCHEMA, resampled_partitions(features, table["cluster"], seed=1, n_bootstrap=40)
        ).set_index("outcome")
        for features, table in (cohort(distance=1), cohort(distance=20))
    )
    spread = near["across_high"] - near["across_low"]
    assert (spread > far["across_high"] - far["across_low"] + 0.05).all()


def test_a_partition_that_comes_back_counts_each_time():
    features, table = cohort(distance=1)
    one = table["cluster"].to_numpy()
    opposite = 1 - one
    told = associations_across(table, SCHEMA, [opposite, one, one, one])
    told = told.set_index("outcome").loc["fvc"]
    assert (told["same_sign"], told["n_partitions"]) == (0.75, 4)


def test_what_comes_from_the_image_has_no_share_of_small_p():
    features, table = cohort(distance=20)
    partitions = resampled_partitions(features, table["cluster"], seed=1, n_bootstrap=3)
    told = associations_across(table, SCHEMA, partitions).set_index("outcome")
    assert np.isnan(told.loc["score", "below_05"])
    assert not np.isnan(told.loc["fvc", "below_05"])


def test_names_of_clusters_are_kept_whatever_k_means_calls_them():
    features, table = cohort(distance=20)
    swapped = 1 - table["cluster"]
    partitions = resampled_partitions(features, swapped, seed=1, n_bootstrap=5)
    assert (partitions == swapped.to_numpy()).all()


def test_one_cluster_has_nothing_to_compare():
    features, table = cohort(distance=0)
    table["cluster"] = 0
    partitions = resampled_partitions(features, table["cluster"], seed=1, n_bootstrap=2)
    told = associations_across(table, SCHEMA, partitions).set_index("outcome")
    assert list(told.index) == ["fvc", "score"] and told["difference"].isna().all()
    assert told["note"].str.contains("one cluster only: nothing to compare").all()


def test_partitions_of_other_scans_are_refused():
    features, table = cohort(distance=1)
    with pytest.raises(ValueError, match="expected partitions of 60 rows"):
        associations_across(table, SCHEMA, np.zeros((3, 59), int))
    with pytest.raises(ValueError, match="one cluster for each of 60 scans"):
        resampled_partitions(features, table["cluster"][:-1], seed=1)
