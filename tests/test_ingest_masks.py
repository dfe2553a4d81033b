"""Masks from elsewhere are taken for what they are, or refused with what contradicts them."""

import numpy as np
import pytest
from ingest_phantom import AFFINE, chest, overlap

from clamlab.cli.main import main
from clamlab.ingest import IngestError
from clamlab.ingest.lungs.given import given_labels
from clamlab.volumes import save_nifti

VOLUME, TRUTH = chest()
RIGHT, LEFT = TRUTH == 1, TRUTH == 2


def lobes(upper_left, lower_left, upper_right, middle_right, lower_right):
    """The lungs cut into lobes by height."""
    z = np.indices(TRUTH.shape)[2]
    labels = np.where(LEFT, np.where(z > 34, upper_left, lower_left), 0)
    right = np.where(z > 42, upper_right, np.where(z > 26, middle_right, lower_right))
    return np.where(RIGHT, right, labels)


def taken(mask, tmp_path, *, affine=AFFINE, volume=VOLUME, convention=None):
    path = save_nifti(tmp_path / "mask.nii.gz", mask.astype("uint8"), affine)
    return given_labels(path, volume, AFFINE, convention)


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
    assert "expected the labels 1, 2, found 3, 4, 5 too" in said


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
