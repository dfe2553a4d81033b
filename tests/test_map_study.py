"""The measures of maps give what is known on paper; the study is resumed, not repeated."""

import numpy as np
import pandas as pd
import pytest

from clamlab.simulate import lung_slices
from studies.maps.blind_spots import blind_spots
from studies.maps.kinds import Examined, Maps
from studies.maps.measures import specificity, true_places, whereabouts
from studies.maps.study import map_study
from studies.maps.volumes import typical_place, volume_map_measures


def examined(cohort, scans) -> Examined:
    images = cohort.images[scans]
    means = np.stack([cohort.images[cohort.labels == k].mean(0) for k in np.unique(cohort.labels)])
    return Examined(
        None, images, cohort.labels[scans], cohort.lung_mask, cohort.template, images.mean(0), means
    )


@pytest.fixture(scope="module")
def location():
    cohort = lung_slices("location", 3, n_scans=6, seed=1)
    return cohort, np.arange(6)


def test_the_truth_itself_is_a_perfect_map(location):
    cohort, scans = location
    seen = examined(cohort, scans)
    pairs, clusters = true_places(cohort, scans)
    truth = np.stack([cohort.lesion_masks[cohort.labels == k][0] for k in range(3)])
    perfect = Maps(truth[seen.own].astype(float), pairs.astype(float))
    found = specificity(perfect, truth[seen.others].astype(float), seen, pairs)
    assert found["pair_iou"] == 1
    assert found["pair_correlation"] == pytest.approx(found["perfect_pair_correlation"])
    assert 0.4 < found["pair_correlation"] < 0.55  # two of them share the scan's own lesion
    assert found["own_other"] < 0
    where = whereabouts(perfect, seen, clusters)
    assert (where["iou"], where["iou_worst_cluster"]) == (1, 1)


def test_a_map_that_knows_no_cluster_is_not_specific(location):
    cohort, scans = location
    seen = examined(cohort, scans)
    same = np.abs(seen.images - seen.template)
    pairs, clusters = true_places(cohort, scans)
    assert specificity(Maps(same), same, seen, pairs) == {"own_other": pytest.approx(1)}
    assert whereabouts(Maps(same), seen, clusters)["iou"] < 0.5


def test_every_other_cluster_is_asked_about_and_never_the_own(location):
    cohort, scans = location
    seen = examined(cohort, scans)
    assert not (seen.others == seen.own).any()
    assert {(1, 0), (1, 2)} <= set(zip(seen.own.tolist(), seen.others.tolist(), strict=True))


def test_clusters_by_size_share_no_place_of_their_own_but_pairs_differ_in_rings():
    cohort = lung_slices("size", 3, n_scans=6, seed=1)
    pairs, clusters = true_places(cohort, np.arange(6))
    middle = cohort.labels == 1
    assert not clusters[middle].any()
    ring = pairs[middle][0, 0]
    smallest, larger = (cohort.lesion_masks[cohort.labels == k][0] for k in (0, 1))
    np.testing.assert_array_equal(ring, larger & ~smallest)


def test_of_lesions_that_vary_in_place_the_scans_own_counts():
    cohort = lung_slices("location", 2, n_scans=4, jitter_px=3, seed=1)
    _, clusters = true_places(cohort, np.arange(4))
    np.testing.assert_array_equal(clusters, cohort.lesion_masks)


def test_an_interrupted_study_goes_on_where_it_was(tmp_path):
    small = dict(data_seed=1, channels=(2, 2, 4), n_scans=12, n_examined=4, progress=False)
    path = tmp_path / "maps.csv"
    first = map_study([("location", 2)], seeds=[1, 2], path=path, **small)
    stamp = path.stat().st_mtime_ns
    again = map_study([("location", 2)], seeds=[1, 2], path=path, **small)
    assert path.stat().st_mtime_ns == stamp
    assert len(again) == len(first)
    seeds = first[(first["measure"] == "seeds") & (first["kind"] == "contrast")]
    assert len(seeds) == 1 and -1 <= seeds["value"].iloc[0] <= 1
    both = {"deletion_donor", "untrained", "shuffled", "flips"}
    assert both <= set(first.loc[first["kind"] == "contrast", "measure"])
    assert "insertion_donor" in set(first.loc[first["kind"] == "perfect", "measure"])


def test_where_lesions_vary_there_is_no_perfect_map_to_compare_with():
    small = dict(data_seed=1, seeds=[1], channels=(2, 2, 4), n_scans=12, n_examined=4)
    table = map_study([("location", 2)], slices=[{"jitter_px": 3}], progress=False, **small)
    assert "perfect" not in set(table["kind"])
    assert not table["measure"].str.startswith("perfect_shuffled").any()


def test_contrast_maps_leave_out_what_the_encoder_cannot_see_and_what_is_unrelated():
    table = blind_spots(data_seed=1, seed=1, channels=(4, 8, 8), n_scans=90, n_examined=12)
    contrast, difference = (table.set_index("kind").loc[k] for k in ("contrast", "mean_difference"))
    assert contrast["seen"] > 0.5 and contrast["unseen"] < 0.1
    assert difference["unseen"] > 0.1  # no network knows no difference between the two places
    assert contrast["unrelated"] < 0.2


def test_maps_of_volumes_are_held_against_own_and_typical_lesions():
    lesions = np.zeros((4, 6, 6, 6), bool)
    lesions[:2, 1, 1:3, 1:3] = lesions[2:, 4, 4, 2:5] = True
    scans, own, lung = lesions * 3.0, np.array([0, 0, 1, 1]), np.ones((6, 6, 6), bool)
    typical = np.stack([typical_place(lesions[own == k]) for k in (0, 1)])
    means = np.stack([scans[:2].mean(0), scans[2:].mean(0)])
    seen = Examined(None, scans, own, lung, np.zeros(lung.shape), scans.mean(0), means)
    kinds = ["mean_difference", "deviation"]
    found = volume_map_measures(seen, lesions, typical, spacing_mm=6, kinds=kinds)
    both, alone = (found[found["kind"] == kind] for kind in kinds)
    assert both[["dice", "mass_inside"]].to_numpy() == pytest.approx(1)
    assert both["in_own_lesion"].tolist() == pytest.approx([4 / 7, 3 / 7])
    # What differs from the healthy lung is the own lesion; the rival's is left to luck.
    assert alone["in_own_lesion"].tolist() == pytest.approx([1, 1])
    assert (alone["dice"] < 1).all()


def test_maps_are_measured_again_on_kept_networks(tmp_path, monkeypatch):
    small = dict(data_seed=1, channels=(2, 2, 4), n_scans=12, n_examined=4, progress=False)
    small |= dict(seeds=[1], networks=tmp_path / "networks")
    first = map_study([("location", 2)], **small)
    monkeypatch.setattr("studies.maps.networks.Deep", None)  # nothing is trained again
    again = map_study([("location", 2)], **small)
    pd.testing.assert_frame_equal(again, first)


def test_blind_spots_are_measured_again_on_kept_networks(tmp_path, monkeypatch):
    small = dict(data_seed=1, seed=1, channels=(2, 2, 4), n_scans=12, n_examined=6)
    first = blind_spots(**small, networks=tmp_path)
    monkeypatch.setattr("studies.maps.networks.Deep", None)  # nothing is trained again
    pd.testing.assert_frame_equal(blind_spots(**small, networks=tmp_path), first)
