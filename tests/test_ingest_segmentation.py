"""Lungs are found where they are, and a person is called where they may not be."""

import numpy as np
import pytest
from ingest_phantom import AFFINE, chest, overlap

from clamlab.ingest import lung_qc, segment_lungs

SPACING = AFFINE.diagonal()[:3]


def both(found, truth):
    return min(overlap(found, truth, 1), overlap(found, truth, 2))


def test_right_and_left_lung():
    volume, truth = chest()
    found = segment_lungs(volume, SPACING)
    assert found.dtype == np.uint8
    assert both(found, truth) > 0.97
    right_x, left_x = (np.nonzero(found == side)[0].mean() for side in (1, 2))
    assert right_x > left_x  # x grows to the patient's right


def test_sides_follow_the_body_when_it_is_mirrored():
    volume, truth = chest()
    mirrored = segment_lungs(volume[::-1], SPACING)
    swapped = np.array([0, 2, 1], "uint8")[truth[::-1]]
    assert both(mirrored, swapped) > 0.97


def test_the_trachea_is_left_out_even_where_the_scan_cuts_it():
    volume, truth = chest()
    found = segment_lungs(volume, SPACING)
    centre = np.linalg.solve(AFFINE, [0, -15, 150, 1])[:3].round().astype(int)
    assert volume[tuple(centre)] < -900
    trachea = found[centre[0] - 2 : centre[0] + 3, centre[1] - 2 : centre[1] + 3, 40:]
    assert not trachea.any()


def test_a_hollow_couch_is_no_lung():
    volume, truth = chest(couch=True)
    behind = np.linalg.solve(AFFINE, [0, -132, 0, 1])[1].round().astype(int)
    assert (volume[:, behind, 30] < -900).mean() > 0.5
    found = segment_lungs(volume, SPACING)
    assert not found[:, : behind + 2].any()
    assert both(found, truth) > 0.97


def test_padding_outside_the_scanners_circle():
    volume, truth = chest()
    x, y = np.indices(volume.shape[:2])
    outside = (x - 47.5) ** 2 + (y - 35.5) ** 2 > 45**2
    volume[outside] = -3024
    assert both(segment_lungs(volume, SPACING), truth) > 0.97


def test_lungs_cut_at_both_ends_are_found_and_flagged():
    volume, truth = chest()
    cut = slice(20, 50)
    found = segment_lungs(volume[:, :, cut], SPACING)
    assert both(found, truth[:, :, cut]) > 0.97
    flags = lung_qc(volume[:, :, cut], found, SPACING)["flags"]
    assert [flag for flag in flags if "cut at the top" in flag]
    assert [flag for flag in flags if "cut at the bottom" in flag]


def test_lungs_that_touch_in_front_are_parted():
    volume, truth = chest()
    bridge = (slice(36, 58), slice(46, 49), slice(40, 50))
    assert (truth[bridge] == 1).any() and (truth[bridge] == 2).any()
    volume[bridge] = -850
    found = segment_lungs(volume, SPACING)
    assert both(found, truth) > 0.95
    volumes = lung_qc(volume, found, SPACING)
    assert 0.5 < volumes["left_ml"] / volumes["right_ml"] < 1.0


def test_a_field_of_view_that_cuts_the_chest_wall():
    volume, truth = chest()
    inner = (slice(16, 80), slice(10, 62))
    found = segment_lungs(volume[inner], SPACING)
    assert both(found, truth[inner]) > 0.95
    flags = lung_qc(volume[inner], found, SPACING)["flags"]
    assert "the lungs touch the side of the image" in flags


def test_vessels_and_nodules_belong_to_the_lung():
    volume, truth = chest()
    nodule = np.linalg.solve(AFFINE, [75, -60, 20, 1])[:3].round().astype(int)
    box = tuple(slice(c - 1, c + 2) for c in nodule)
    volume[box] = 50
    assert (segment_lungs(volume, SPACING)[box] == 1).all()


def test_ground_glass_is_lung_and_consolidation_shows_as_a_flag():
    volume, truth = chest()
    hazy = np.where(truth == 1, volume + 350, volume)
    assert both(segment_lungs(hazy, SPACING), truth) > 0.95
    dense = np.where((truth == 2) & (np.indices(truth.shape)[2] < 40), 20, volume)
    measures = lung_qc(dense, segment_lungs(dense, SPACING), SPACING)
    assert any("left lung is" in flag for flag in measures["flags"])


def test_thick_slices_and_fine_voxels_give_the_same_lungs():
    fine = np.diag([2.0, 2.0, 7.0, 1.0])
    fine[:3, 3] = AFFINE[:3, 3]
    volume, truth = chest((192, 144, 48), fine)
    assert both(segment_lungs(volume, [2, 2, 7]), truth) > 0.97


def test_nothing_is_found_where_nothing_is():
    empty = segment_lungs(np.full((40, 40, 40), 40), 5.0)
    assert not empty.any()
    flags = lung_qc(np.full((40, 40, 40), 40), empty, 5.0)["flags"]
    assert flags == ["the right lung was not found", "the left lung was not found"]
    assert not segment_lungs(np.full((40, 40, 40), -1000), 5.0).any()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="3-D volume"):
        segment_lungs(np.zeros((4, 4)), 1.0)
    with pytest.raises(ValueError, match="positive"):
        segment_lungs(np.zeros((4, 4, 4)), [1, 0, 1])


def test_measures_are_those_of_the_labels():
    volume, truth = chest()
    measures = lung_qc(volume, truth, SPACING)
    assert measures["right_ml"] == pytest.approx((truth == 1).sum() * 0.08, abs=0.1)
    assert measures["mean_lung_hu"] == pytest.approx(volume[truth > 0].mean(), abs=0.1)
    assert measures["flags"] == []


def test_without_ribs_nothing_is_said_of_missing_lung():
    volume, truth = chest()
    assert lung_qc(volume, truth, SPACING)["right_missing_ml"] is None
    boneless = np.minimum(volume, 100)
    boneless[40, 40, 0] = 3000  # metal far below the lungs
    assert not truth[:, :, 0].any()
    assert lung_qc(boneless, truth, SPACING)["left_missing_ml"] is None


def test_one_lung_alone_is_not_cut_in_two():
    volume, truth = chest()
    for lost, kept in ((1, 2), (2, 1)):
        found = segment_lungs(np.where(truth == lost, 20, volume), SPACING)
        assert overlap(found, truth, kept) > 0.97
        assert not (found == lost).any()
