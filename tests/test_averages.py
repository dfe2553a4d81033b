"""Averages: the rest of a cluster, the spread between scans, and the viewers of both."""

import numpy as np
import pytest

from clamlab import volumes
from clamlab.stats import maps

GRID = (4, 5, 6)


def cohort(clusters, seed=0):
    clusters = np.asarray(clusters)
    rng = np.random.default_rng(seed)
    scans = rng.normal(-800, 50, (len(clusters), *GRID)) + 60 * clusters[:, None, None, None]
    return np.rint(scans).astype("int16"), clusters


@pytest.mark.parametrize("clusters", [[0, 1, 1, 1, 2], [0, 0, 2, 2, 2, 2], [1, 0]])
def test_the_rest_is_every_scan_that_is_not_in_the_cluster(clusters):
    scans, clusters = cohort(clusters)
    rests = maps.average_of_rest(volumes.average_by_cluster(scans, clusters), clusters)
    assert set(rests) == {f"Cluster {k + 1}" for k in clusters}
    for k in np.unique(clusters):
        expected = scans[clusters != k].mean(axis=0)
        np.testing.assert_allclose(rests[f"Cluster {k + 1}"], expected, rtol=1e-5)


def test_one_cluster_has_no_rest():
    scans, clusters = cohort([0, 0, 0])
    assert maps.average_of_rest(volumes.average_by_cluster(scans, clusters), clusters) == {}


def test_averages_of_other_scans_have_no_rest():
    scans, clusters = cohort([0, 0, 1, 2])
    averages = volumes.average_by_cluster(scans, clusters)
    with pytest.raises(ValueError, match="Cluster 3"):
        maps.average_of_rest(averages, [0, 0, 1, 1])
    with pytest.raises(ValueError, match="do not make up"):
        maps.average_of_rest(averages, [0, 1, 2, 2])


def test_spread_is_that_of_a_linear_model_of_the_clusters():
    scans, clusters = cohort([0, 0, 1, 1, 1, 2])
    averages = volumes.average_by_cluster(scans, clusters)
    design = (clusters[:, None] == np.arange(3)).astype(float)
    flat = scans.reshape(len(scans), -1).astype(float)
    _, squares, *_ = np.linalg.lstsq(design, flat, rcond=None)
    expected = np.sqrt(squares / (6 - 3)).reshape(GRID)
    spread = maps.spread_within_clusters(scans, averages, clusters)
    np.testing.assert_allclose(spread, expected, rtol=1e-4)


def test_no_two_scans_no_spread():
    scans, clusters = cohort([0, 1])
    averages = volumes.average_by_cluster(scans, clusters)
    assert np.isnan(maps.spread_within_clusters(scans, averages, clusters)).all()
