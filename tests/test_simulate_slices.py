"""2-D slices: what is pinned about them, and that the truth is the truth."""

import nibabel
import numpy as np
import pytest
from scipy import stats

from clamlab.simulate import SITES, lung_slices
from clamlab.simulate.slice_anatomy import healthy_slice, scaled_slice

CASES = [("intensity", 3), ("location", 4), ("size", 5), ("none", 1), ("continuum", 1)]


@pytest.mark.parametrize(("scenario", "k"), CASES)
@pytest.mark.parametrize("anatomy", ["smooth", "sharp"])
def test_truth_explains_every_pixel_but_noise(scenario, k, anatomy):
    cohort = lung_slices(scenario, k, n_scans=30, anatomy=anatomy, noise_sd=0, seed=4)
    for i, row in enumerate(cohort.truth.itertuples()):
        if row.lung_size == 1:
            expected = cohort.template + row.contrast_hu * cohort.lesion_masks[i]
            np.testing.assert_allclose(cohort.images[i], expected, rtol=1e-6)
        assert not cohort.lesion_masks[i][~cohort.lung_mask].any()
        assert (cohort.images[i][~cohort.lung_mask] == -1000).all()
    assert set(cohort.labels) == set(range(k))
    assert cohort.images.dtype == np.float32


def test_the_same_seed_gives_the_same_cohort_and_another_does_not():
    first, again, other = (lung_slices("size", 3, n_scans=9, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.images, again.images)
    assert first.truth.equals(again.truth)
    assert not np.array_equal(first.images, other.images)
    np.testing.assert_array_equal(first.template, other.template)


def test_one_thing_varies_at_a_time():
    varied = {"intensity": "contrast_hu", "location": "site", "size": "radius_px"}
    for scenario, column in varied.items():
        truth = lung_slices(scenario, 5, n_scans=25, seed=0).truth
        assert truth[column].nunique() == 5
        for still in set(varied.values()) - {column}:
            assert truth[still].nunique() == 1, (scenario, still)
    levels = lung_slices("intensity", 4, n_scans=8, seed=0).truth.groupby("cluster")["contrast_hu"]
    assert levels.first().tolist() == [0, 100, 200, 300]
    radii = lung_slices("size", 3, n_scans=8, seed=0).truth.groupby("cluster")["radius_px"]
    assert radii.first().tolist() == [2, 3, 4]


def test_noise_is_gamma_with_the_stated_moments_in_the_lung_only():
    cohort = lung_slices("none", 1, n_scans=300, seed=3)
    noise = (cohort.images - cohort.noise_free[0])[:, cohort.lung_mask].ravel()
    assert abs(noise.mean()) < 1
    assert noise.std() == pytest.approx(80, rel=0.01)
    assert stats.skew(noise) == pytest.approx(1.4, abs=0.05)


def test_lungs_are_pinned():
    smooth = lung_slices("none", 1, n_scans=1, seed=0)
    lung = smooth.lung_mask
    assert lung.sum() == pytest.approx(1376, abs=10)
    hu = smooth.template[lung]
    assert hu.mean() == pytest.approx(-865, abs=15)
    assert hu.max() == pytest.approx(-870 + 80, abs=25)
    rows = np.nonzero(lung)[0]
    assert np.corrcoef(rows, hu)[0, 1] > 0.3  # denser towards the back
    sharp = lung_slices("none", 1, n_scans=1, anatomy="sharp", seed=0).template[lung]
    assert sharp.max() > -300
    assert sharp.std() > 3 * hu.std()


def test_lesions_are_whole_discs_at_every_site():
    cohort = lung_slices("location", 5, n_scans=5, seed=0)
    assert set(cohort.truth["site"]) == set(SITES)
    assert (cohort.lesion_masks.sum(axis=(1, 2)) == 49).all()
    big = lung_slices("size", 5, n_scans=5, seed=0)
    assert big.lesion_masks.sum(axis=(1, 2)).max() == 113
    right = cohort.truth["site"].str.startswith("right")
    assert (cohort.truth.loc[right, "column"] < 32).all()  # the patient's right is on the left
    assert (cohort.truth.loc[~right, "column"] > 32).all()


@pytest.mark.parametrize(("scenario", "k"), [("intensity", 3), ("location", 3), ("continuum", 1)])
def test_the_radius_can_be_chosen_where_it_is_held_still(scenario, k):
    assert lung_slices(scenario, k, n_scans=6, seed=0).truth["radius_px"].unique() == [4]
    small = lung_slices(scenario, k, n_scans=6, radius_px=2, seed=0)
    assert small.truth["radius_px"].unique() == [2]
    assert small.lesion_masks.sum(axis=(1, 2)).max() == 13


def test_jitter_moves_centres_by_at_most_what_is_asked():
    still = lung_slices("size", 3, n_scans=60, seed=5).truth
    moved = lung_slices("size", 3, n_scans=60, jitter_px=3, seed=5)
    shift = moved.truth[["row", "column"]] - still[["row", "column"]].iloc[0]
    assert shift.abs().to_numpy().max() == 3
    assert moved.noise_free.shape == (60, 64, 64)


def test_continuum_has_no_groups_but_spread():
    truth = lung_slices("continuum", 1, n_scans=300, seed=0).truth
    assert truth["contrast_hu"].between(0, 400).all()
    assert stats.skew(truth["contrast_hu"]) > 0.8
    assert truth["lung_size"].std() > 0.02
    assert truth["noise_sd"].std() > 5


def test_lungs_of_nearly_one_size_look_nearly_the_same():
    template, labels = healthy_slice("smooth")
    lung = labels > 0
    for size in np.linspace(0.88, 0.99, 12):
        (hu, share), (next_hu, next_share) = (
            scaled_slice(template, labels, s) for s in (size, size + 1e-3)
        )
        # An edge that moves by whole pixels would jump from 0 to 1 here.
        assert np.abs(next_share - share).max() < 0.1
        assert np.abs(next_hu - hu)[lung].max() < 10


def test_contrast_and_clusters_share_scans():
    hard = lung_slices("location", 3, n_scans=301, contrast_hu=150, noise_sd=100, seed=0)
    assert set(hard.truth["contrast_hu"]) == {150}
    assert np.bincount(hard.labels).tolist() == [101, 100, 100]
    assert (np.diff(hard.labels) != 0).mean() > 0.5  # in random order


def test_a_template_array_gives_the_outline(tmp_path):
    labels = np.zeros((60, 50, 20), np.uint8)
    labels[35:55, 10:40, 4:16] = 1
    labels[5:25, 10:30, 4:16] = 2  # the left lung is shorter in front
    cohort = lung_slices("none", 1, n_scans=1, template_labels=labels, seed=0)
    mask = cohort.lung_mask
    assert mask[:, :32].sum() > mask[:, 32:].sum()  # right lung on the left of the picture
    columns = np.flatnonzero(mask.any(axis=0))
    assert np.ptp(columns) + 1 == pytest.approx(61, abs=1)
    left = np.flatnonzero(mask[:, 40:].any(axis=1))
    right = np.flatnonzero(mask[:, :24].any(axis=1))
    assert left[0] > right[0] + 5  # what is missing is missing in front, at the top
    flipped = nibabel.Nifti1Image(labels[::-1], np.diag([-2, 2, 2, 1]))
    nibabel.save(flipped, tmp_path / "template.nii.gz")
    again = lung_slices("none", 1, n_scans=1, template_labels=tmp_path / "template.nii.gz", seed=0)
    np.testing.assert_array_equal(again.lung_mask, mask)


def test_the_real_template_fits(real_data):
    path = real_data / "lungct_template" / "lung_template_mask.nii.gz"
    cohort = lung_slices("location", 5, n_scans=5, template_labels=path, seed=0)
    assert 1200 < cohort.lung_mask.sum() < 1900
    edges = cohort.lung_mask.copy()
    edges[1:-1, 1:-1] = False
    assert not edges.any()
    assert (cohort.lesion_masks.sum(axis=(1, 2)) > 30).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("shape", 3), "scenario must be one of"),
        (("size", 6), "1 to 5 clusters"),
        (("none", 2), "1 to 1 clusters"),
        (("continuum", 2), "1 to 1 clusters"),
    ],
)
def test_impossible_requests_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        lung_slices(*arguments, seed=0)


def test_other_bad_values_are_refused():
    with pytest.raises(ValueError, match="'size' varies the radius.*radius_px=4"):
        lung_slices("size", 3, radius_px=4, seed=0)
    with pytest.raises(ValueError, match="at least 1; found 0"):
        lung_slices("location", 3, radius_px=0, seed=0)
    with pytest.raises(ValueError, match="anatomy"):
        lung_slices("size", 3, anatomy="furry", seed=0)
    with pytest.raises(ValueError, match="n_scans=2"):
        lung_slices("size", 3, n_scans=2, seed=0)
    with pytest.raises(ValueError, match="template_labels"):
        lung_slices("size", 3, template_labels=np.ones((4, 4, 4)), seed=0)
