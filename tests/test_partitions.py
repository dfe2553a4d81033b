"""Every number of clusters: the partitions of notebook 04, and the slider over them."""

import numpy as np
import pandas as pd
import pytest
import traitlets

from clamlab.selection import assignment_stability, choose_n_clusters, every_partition
from clamlab.selection.every_number import numbers_apart
from clamlab.simulate import cluster_features
from clamlab.viewers import PartitionViewer
from clamlab.viewers.clusters.number_slider import NumberSlider
from clamlab.volumes import mean_inside

N = 60
IDS = [f"S{i:02d}" for i in range(N)]


@pytest.fixture(scope="module")
def thirds():
    """Three clusters, the answer, and a density that is least in the first."""
    features, labels = cluster_features(
        (1 / 3,) * 3, apart_sd=8.0, other_sd=2.0, n_scans=N, seed=11
    )
    criteria, choice = choose_n_clusters(features, seed=0, k_max=5, n_gap=2)
    density = labels * 100.0 - 900
    partitions = every_partition(
        features, criteria, choice, density=density, subjects=IDS, seed=0, n_bootstrap=20
    )
    return features, labels, choice, partitions


def test_every_number_has_a_row_for_each_scan_and_the_rules_verdict(thirds):
    _, labels, choice, partitions = thirds
    assert choice["n_clusters"] == 3
    assert partitions.groupby("n_clusters").size().to_dict() == dict.fromkeys(range(2, 6), N)
    apart = partitions.groupby("n_clusters")["apart"].agg(["min", "max"])
    assert apart.loc[3].all() and not apart.loc[[4, 5]].any(axis=None)
    three = partitions.query("n_clusters == 3")
    assert three["subject_id"].tolist() == IDS
    # Densest first: the last true cluster is the first here.
    assert three["cluster"].tolist() == (2 - labels).tolist()
    assert three["jaccard"].min() > 0.95
    assert partitions.query("n_clusters == 5")["jaccard"].min() < 0.8


def test_a_partition_is_the_one_whose_stability_is_told(thirds):
    features, labels, _, partitions = thirds
    density = labels * 100.0 - 900
    told = assignment_stability(features, 4, seed=0, n_bootstrap=20, density=density)
    rows = partitions.query("n_clusters == 4").reset_index(drop=True)
    np.testing.assert_array_equal(rows["cluster"], told.scans["cluster"])
    np.testing.assert_array_equal(rows["agreement"], told.scans["agreement"])
    jaccard = rows.groupby("cluster")["jaccard"].first()
    assert jaccard.tolist() == pytest.approx(told.clusters["jaccard"].tolist())


@pytest.mark.parametrize("answer", ["continuum", "undecided"])
def test_where_no_clusters_are_seen_no_number_is_apart(answer):
    criteria = pd.DataFrame({"n_clusters": [1, 2, 3], "separation": [None, 4.0, 2.0]})
    assert numbers_apart(criteria, {"answer": answer, "n_clusters": 1}) == set()
    assert numbers_apart(criteria, {"answer": "clusters", "n_clusters": 3}) == {2, 3}


def test_scans_and_densities_must_be_equally_many(thirds):
    features, *_ = thirds
    criteria = pd.DataFrame({"n_clusters": [1, 2], "separation": [None, 4.0]})
    choice = {"answer": "clusters", "n_clusters": 2}
    with pytest.raises(ValueError, match=f"for each of {N} scans, found 3 and {N}"):
        every_partition(features, criteria, choice, density=[1, 2, 3], subjects=IDS, seed=0)


def test_the_slider_tells_sizes_stability_and_verdict(thirds):
    *_, partitions = thirds
    numbers = NumberSlider(partitions, IDS, n_clusters=3)
    assert numbers.is_apart and "sees a gap between each two" in numbers.verdict.value
    assert numbers.sizes.value.count(">20<") == 3
    numbers.value = 5
    assert numbers.slider.value == 5
    assert not numbers.is_apart and "points are faint" in numbers.verdict.value
    assert numbers.names.tolist() == [
        f"Cluster {k + 1}" for k in partitions.query("n_clusters == 5")["cluster"]
    ]
    with pytest.raises(traitlets.TraitError, match="no partition in 9 clusters"):
        numbers.value = 9


def test_at_the_networks_own_number_its_clusters_are_shown(thirds):
    *_, partitions = thirds
    fitted = np.r_[np.zeros(10, int), np.ones(N - 10, int)]
    numbers = NumberSlider(partitions, IDS, n_clusters=2, fitted=fitted)
    assert numbers.clusters.tolist() == fitted.tolist()
    assert set(numbers.names) == {"Cluster 1", "Cluster 2"}
    assert "clusters of the network" in numbers.verdict.value
    assert "Comes back" not in numbers.sizes.value  # that was asked of k-means
    numbers.value = 3
    assert set(numbers.names) == {"Cluster 1 of 3", "Cluster 2 of 3", "Cluster 3 of 3"}
    assert "maps stay those of 2" in numbers.verdict.value
    assert "Comes back" in numbers.sizes.value


def test_rows_taken_out_since_are_told_beside_the_stability_of_all(thirds):
    *_, partitions = thirds
    assert partitions["n_scans"].unique().tolist() == [N]
    assert "not here" not in NumberSlider(partitions, IDS, n_clusters=3).verdict.value
    left = partitions[partitions["subject_id"] != IDS[0]]  # what a withdrawal leaves
    fitted = left.query("n_clusters == 2")["cluster"]
    for told in ({}, {"fitted": fitted}):
        numbers = NumberSlider(left, IDS[1:], n_clusters=2, **told)
        for number in (2, 3):
            numbers.value = number
            assert "1 of the scans that were partitioned are not here" in numbers.verdict.value
    before = left.drop(columns="n_scans")  # of a study from before: nobody can know
    assert "not here" not in NumberSlider(before, IDS[1:], n_clusters=3).verdict.value


def test_scans_in_another_order_keep_their_clusters_and_missing_ones_are_named(thirds):
    *_, partitions = thirds
    turned = NumberSlider(partitions, IDS[::-1], n_clusters=3)
    straight = NumberSlider(partitions, IDS, n_clusters=3)
    assert turned.clusters.tolist() == straight.clusters.tolist()[::-1]
    with pytest.raises(ValueError, match="none for 1 \\(first 'new'\\): run notebook 04 again"):
        NumberSlider(partitions, [*IDS, "new"], n_clusters=3)
    with pytest.raises(ValueError, match="none called apart"):
        NumberSlider(partitions.drop(columns="apart"), IDS, n_clusters=3)


def test_the_averages_are_those_of_the_number_chosen(thirds):
    _, labels, _, partitions = thirds
    hu = np.full((N, 6, 6, 6), -800, "int16")
    hu[labels == 2, 1, 2, 4] = -300
    viewer = PartitionViewer(np.eye(N), partitions, hu, affine=np.diag([3, 3, 3, 1]), n_clusters=3)
    titles = [picture.title for picture in viewer.averages.pictures]
    assert titles == [f"Cluster {k + 1} (n = 20)" for k in range(3)]
    assert viewer.averages.pictures[0].index == [1, 2, 4]  # where they differ
    volumes = [
        np.frombuffer(p.volume, "<i2").reshape(6, 6, 6)[1, 2, 4] for p in viewer.averages.pictures
    ]
    assert volumes == [-300, -800, -800]
    viewer.numbers.value = 5
    assert len(viewer.averages.pictures) == 5 and viewer.scatter.ghosted
    sizes = partitions.query("n_clusters == 5")["cluster"].value_counts()
    titles = [picture.title for picture in viewer.averages.pictures]
    assert titles == [f"Cluster {k + 1} (n = {sizes[k]})" for k in range(5)]
    with pytest.raises(ValueError, match="found 60 subjects and 2 volumes"):
        PartitionViewer(np.eye(N), partitions, hu[:2], n_clusters=3)


def test_density_is_that_of_the_lung():
    hu = np.array([[[-800, 0], [-700, 0]], [[-900, 50], [-900, 50]]], "int16")
    mask = np.array([[True, False], [True, False]])
    assert mean_inside(hu, mask).tolist() == [-750, -900]
    with pytest.raises(ValueError, match="with voxels in it"):
        mean_inside(hu, np.zeros((2, 2), bool))
