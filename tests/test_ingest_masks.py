"""Masks from elsewhere are taken for what they are, or refused with what contradicts them."""

from dataclasses import replace

import numpy as np
import pytest
from ingest_phantom import AFFINE, chest, overlap
from scipy import ndimage

from clamlab.cli.main import main
from clamlab.ingest import IngestError
from clamlab.ingest.lungs.given import given_labels
from clamlab.simulate import lung_cohort
from clamlab.volumes import save_nifti
from studies.chests import painting
from studies.chests.drawing import draw, random_build, scanned

VOLUME, TRUTH = chest()
RIGHT, LEFT = TRUTH == 1, TRUTH == 2


def lobes(upper_left, lower_left, upper_right, middle_right, lower_right):
    """The lungs cut into lobes by height."""
    z = np.indices(TRUTH.shape)[2]
    labels = np.where(LEFT, np.where(z > 34, upper_left, lower_left), 0)
    right = np.where(z > 42, upper_right, np.where(z > 26, middle_right, lower_right))
    return np.where(RIGHT, right, labels)


def taken(mask, tmp_path, *, affine=AFFINE, volume=VOLUME, convention=None):
    labels, said, _ = read(mask, tmp_path, affine, volume, convention=convention)
    return labels, said


def read(mask, tmp_path, affine, volume, *, grid=AFFINE, convention=None):
    path = save_nifti(tmp_path / "mask.nii.gz", mask.astype("uint8"), affine)
    return given_labels(path, volume, grid, convention)


def doubts(mask, tmp_path, *, affine=AFFINE, volume=VOLUME, grid=AFFINE):
    return read(mask, tmp_path, affine, volume, grid=grid)[2]


def why(mask, tmp_path, **how):
    with pytest.raises(IngestError) as error:
        taken(mask, tmp_path, **how)
    return str(error.value)


@pytest.mark.parametrize(
    ("mask", "name"),
    [
        (TRUTH, "lungs"),
        (lobes(1, 2, 3, 4, 5), "lungmask-lobes"),
        (lobes(10, 11, 12, 13, 14), "totalsegmentator"),
        (lobes(13, 14, 15, 16, 17), "totalsegmentator-v1"),
        (TRUTH > 0, "binary"),
        ((TRUTH > 0) * 255, "binary"),
    ],
)
def test_conventions_are_recognised_and_sides_are_right(mask, name, tmp_path):
    labels, said = taken(mask, tmp_path)
    assert said == f"{name} (told by its labels)"
    assert min(overlap(labels, TRUTH, 1), overlap(labels, TRUTH, 2)) > 0.99
    again, said = taken(mask, tmp_path, convention=name)
    assert said == name
    assert np.array_equal(again, labels)


def test_other_organs_of_totalsegmentator_are_left_out(tmp_path):
    for ours, name in (
        (lobes(10, 11, 12, 13, 14), "totalsegmentator"),
        (lobes(13, 14, 15, 16, 17), "totalsegmentator-v1"),
    ):
        whole = np.where((TRUTH == 0) & (VOLUME > 100), 51, ours)
        for extra in range(1, 18):  # organs with the numbers that the other version gives to lobes
            if extra not in ours:
                whole[44 + extra % 4, 10 + extra, 30] = extra
        labels, said = taken(whole, tmp_path)
        assert said == f"{name} (told by its labels)"
        assert min(overlap(labels, TRUTH, 1), overlap(labels, TRUTH, 2)) > 0.99


def test_a_mask_on_a_grid_of_its_own_lies_where_its_mm_say(tmp_path):
    flipped = AFFINE @ np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = AFFINE[0, 3] + 4.0 * (TRUTH.shape[0] - 1)
    labels, _ = taken(TRUTH[::-1], tmp_path, affine=flipped)
    assert min(overlap(labels, TRUTH, 1), overlap(labels, TRUTH, 2)) > 0.99


@pytest.mark.parametrize(
    "mask",
    [
        np.array([0, 2, 1])[TRUTH],
        TRUTH[::-1],
        lobes(5, 4, 1, 2, 3),
        lobes(12, 13, 10, 10, 11),
    ],
)
def test_exchanged_sides_are_refused_and_both_are_said(mask, tmp_path):
    said = why(mask, tmp_path)
    assert "labels and place contradict each other" in said
    assert "(right) lies on the left" in said and "(left) lies on the right" in said


def test_lobes_are_not_taken_for_lungs_by_name(tmp_path):
    said = why(lobes(1, 2, 3, 4, 5), tmp_path, convention="lungs")
    assert "labels 3, 4, 5 are of no convention here" in said


def test_unknown_labels_are_listed_beside_the_conventions(tmp_path):
    said = why(np.where(RIGHT, 20, np.where(LEFT, 30, 0)), tmp_path)
    assert "found 20, 30" in said
    assert "lungmask-lobes 1, 2, 3, 4, 5" in said and "--mask-labels" in said


def test_a_mask_of_another_scan_is_refused(tmp_path):
    _, other = chest(scale=(0.9, 1.1, 1.15))
    assert "lung that is found in the scan" in why(other, tmp_path)
    moved = AFFINE.copy()
    moved[:3, 3] += 60, 0, 40
    assert "lung that is found in the scan" in why(TRUTH, tmp_path, affine=moved)
    moved[:3, 3] += 2000
    assert "found 0% of it there" in why(TRUTH, tmp_path, affine=moved)
    liver = np.roll(TRUTH, -34, axis=2) * (VOLUME > 0)
    assert "of its voxels below -320 HU" in why(liver, tmp_path)


def test_a_mask_may_hold_what_no_threshold_sees(tmp_path):
    dense = np.where((TRUTH == 2) & (np.indices(TRUTH.shape)[2] < 40), 20, VOLUME)
    labels, _ = taken(TRUTH, tmp_path, volume=dense)
    assert overlap(labels, TRUTH, 2) > 0.99


def test_a_lung_that_is_not_found_is_said_to_be_held_against_nothing(tmp_path):
    dense = np.where(LEFT, 20, VOLUME)
    assert "left lung was held against nothing: 0 ml" in doubts(TRUTH, tmp_path, volume=dense)[0]


@pytest.mark.parametrize("convention", [None, "lungs"])
def test_a_patient_with_one_lung_has_a_mask_of_one(convention, tmp_path):
    lost = np.where(LEFT, 20, VOLUME)
    labels, _, said = read(RIGHT * 1, tmp_path, AFFINE, lost, convention=convention)
    assert overlap(labels, TRUTH, 1) > 0.99 and not (labels == 2).any()
    assert said == [
        "the lung mask's left lung was held against nothing: 0 ml of it are found in the scan"
    ]


def test_one_label_of_two_lungs_or_of_the_other_side_is_refused(tmp_path):
    said = why(RIGHT * 1, tmp_path, convention="lungs")
    assert "expected it to hold at least 90% of the left lung" in said and "found 0% of it" in said
    lost = np.where(LEFT, 20, VOLUME)
    said = why(RIGHT * 2, tmp_path, volume=lost, convention="lungs")
    assert "expected it to hold at least 90% of the right lung" in said and "found 0% of it" in said
    said = why(TRUTH, tmp_path, convention="totalsegmentator")
    assert "expected labels of lungs, found none of them; name the convention" in said


def test_a_share_just_below_the_least_is_not_rounded_up_to_it(tmp_path):
    inside = np.flatnonzero(RIGHT & (VOLUME < -320))
    kept = RIGHT.copy()
    kept.flat[np.random.default_rng(0).choice(inside, round(0.103 * inside.size), False)] = False
    said = why(kept + 2 * LEFT, tmp_path)
    assert "at least 90% of the right lung that is found in the scan, found 89% of it" in said


@pytest.fixture(scope="module")
def simulated():
    """One chest, and another's lungs, which are larger."""
    cohort = lung_cohort(10, spacing_mm=4, seed=1)
    volume, affine, _, labels = cohort.scan(0)
    return volume, affine, labels, cohort.scan(1)[3]


def smoothed(labels):
    right, left = (ndimage.gaussian_filter((labels == s) * 1.0, 1) for s in (1, 2))
    return np.where(right + left > 0.5, np.where(right >= left, 1, 2), 0)


def grown(labels, voxels):
    away, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    return np.where(away <= voxels, labels[tuple(nearest)], 0)


def with_vessels(labels):
    return np.where(grown(labels, 4) * ndimage.binary_closing(labels > 0, iterations=4), labels, 0)


@pytest.mark.parametrize("same", [np.asarray, smoothed, with_vessels])
def test_a_good_mask_is_not_doubted(same, simulated, tmp_path):
    volume, affine, labels, _ = simulated
    assert doubts(same(labels), tmp_path, affine=affine, volume=volume, grid=affine) == []


def test_a_mask_that_is_too_large_or_moved_is_doubted(simulated, tmp_path):
    volume, affine, labels, _ = simulated
    up, wide = affine.copy(), affine.copy()
    up[2, 3] += 9
    wide[:3] *= 1.08
    closed = ndimage.binary_closing(labels > 0, iterations=9)
    here = {"volume": volume, "grid": affine}
    for mask, placed, said in (
        (labels, up, "along the border"),
        (grown(labels, 1), affine, "along the border"),
        (labels, wide, "ml outside the lungs"),
        (closed, affine, "right and left lung touch over"),
    ):
        assert said in "; ".join(doubts(mask, tmp_path, affine=placed, **here))


def test_a_mask_that_is_far_too_large_or_of_larger_lungs_is_refused(simulated, tmp_path):
    volume, affine, labels, others = simulated
    for mask in (others, grown(labels, 2)):
        with pytest.raises(IngestError, match="ml outside them, on all sides: another scan's"):
            doubts(mask, tmp_path, affine=affine, volume=volume, grid=affine)


@pytest.mark.parametrize("disease", ["consolidation", "effusions"])
def test_dense_lung_in_a_good_mask_is_not_doubted(disease, tmp_path):
    build = replace(random_build(310), spacing=(3.0, 3.0))
    sick = draw(build, 310)
    if disease == "consolidation":
        sick = painting.consolidation(sick, mm=100, side=1, seed=0)
    else:
        sick = painting.effusion(painting.effusion(sick, ml=500, side=1), ml=500, side=2)
    seen = scanned(sick, build, seed=1)
    dense = ((seen.labels > 0) & (seen.volume > -200)).sum() * 0.027
    assert dense > 300
    grid = np.diag([*seen.spacing, 1.0])
    assert doubts(seen.labels, tmp_path, affine=grid, volume=seen.volume, grid=grid) == []


def with_trachea(right, left, trachea):
    x, y = np.indices(TRUTH.shape)[:2]
    tube = (VOLUME < -930) & (TRUTH == 0) & (np.abs(x - 47) < 4) & (np.abs(y - 34) < 4)
    assert tube.sum() > 300
    return np.where(tube, trachea, np.where(RIGHT, right, np.where(LEFT, left, 0)))


def test_a_trachea_is_no_lobe(tmp_path):
    said = why(with_trachea(3, 2, 1), tmp_path)
    assert said.startswith("its lung mask: expected label 1 to be lung")
    assert "air outside the lungs: a trachea" in said
    wall = np.where(with_trachea(3, 2, 1) == 1, 20, VOLUME)
    assert "label 1 lies by 0% on lung" in doubts(with_trachea(3, 2, 1), tmp_path, volume=wall)[0]


def test_a_label_beside_the_two_lungs_is_named(tmp_path):
    lesion = np.where(LEFT & (np.indices(TRUTH.shape)[2] > 40), 3, TRUTH)
    for mask in (with_trachea(1, 2, 3), lesion):
        assert "label 3 is of no convention here; remove it from the mask" in why(mask, tmp_path)


@pytest.mark.parametrize(("mask", "said"), [(TRUTH * 0.5, "whole numbers"), (TRUTH * 0, "empty")])
def test_what_is_no_label_image_is_refused(mask, said, tmp_path):
    path = save_nifti(tmp_path / "mask.nii.gz", mask.astype("float32"), AFFINE)
    with pytest.raises(IngestError, match=said):
        given_labels(path, VOLUME, AFFINE)


def test_init_keeps_the_convention_and_refuses_an_unknown_one(tmp_path, capsys):
    (tmp_path / "scans").mkdir()
    for name in ("1", "2"):
        save_nifti(tmp_path / "scans" / f"S{name}.nii.gz", VOLUME, AFFINE)
    (tmp_path / "t.csv").write_text("subject_id,age\nS1,50\nS2,61\n")
    asked = ["init", str(tmp_path / "study"), "--participants", str(tmp_path / "t.csv")]
    asked += ["--scans", str(tmp_path / "scans"), "--mask-labels"]
    assert main([*asked, "lobes"]) == 1
    assert "expected lungs, lungmask-lobes" in capsys.readouterr().err
    assert main([*asked, "lungmask-lobes"]) == 0
    assert '"mask_labels": "lungmask-lobes"' in (tmp_path / "study" / "study.json").read_text()
