"""3-D cohorts: chests that segment like chests, lesions that are where the truth says."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from clamlab.simulate import PATTERNS, lung_cohort, write_cohort

COARSE = 6.0


@pytest.fixture(scope="module")
def cohort():
    return lung_cohort(spacing_mm=COARSE, seed=0)


@pytest.fixture(scope="module")
def scans(cohort):
    return [cohort.scan(i) for i in range(24)]


def segment(volume: np.ndarray) -> np.ndarray:
    """Air inside the body, without the airways: as crude as a segmentation can be."""
    air = np.pad(volume < -400, ((1, 1), (1, 1), (0, 0)), constant_values=True)
    parts, _ = ndimage.label(air)
    inside = ((parts > 0) & (parts != parts[0, 0, 0]))[1:-1, 1:-1]
    opened = ndimage.binary_opening(inside)
    parts, n = ndimage.label(opened)
    sizes = np.bincount(parts.ravel())[1:]
    return np.isin(parts, 1 + np.flatnonzero(sizes > 0.2 * sizes.max()))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_a_scan_depends_on_seed_and_number_only(cohort):
    late = cohort.scan(7)
    cohort.scan(2)
    again = lung_cohort(spacing_mm=COARSE, seed=0).scan(7)
    for first, second in zip(late, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(late[0], cohort.scan(8)[0])
    assert not np.array_equal(late[0], lung_cohort(spacing_mm=COARSE, seed=1).scan(7)[0])


def test_a_full_cohort_costs_nothing_until_it_is_looked_at():
    fine = lung_cohort(spacing_mm=0.7, seed=0)  # 150 million voxels a scan
    assert len(fine) == 301
    assert fine.shape == (549, 549, 480)
    assert np.bincount(fine.labels).tolist() == [126, 175]
    assert sum(v.nbytes for v in vars(fine).values() if isinstance(v, np.ndarray)) < 10_000


def test_chests_are_anatomical(scans):
    for volume, affine, _, lungs in scans[:6]:
        assert volume.dtype == np.int16
        litres = [(lungs == k).sum() * COARSE**3 / 1e6 for k in (1, 2)]
        assert 2.5 < sum(litres) < 8.5
        assert 0.65 < litres[1] / litres[0] < 1.02  # the heart lies in the left lung's place
        right = np.argwhere(lungs == 1).mean(axis=0) @ affine[:3, :3].T + affine[:3, 3]
        assert right[0] > 30  # x grows to the right
        for k in (1, 2):
            assert ndimage.label(lungs == k)[1] == 1
        assert not lungs[[0, -1]].any() and not lungs[:, [0, -1]].any()
        assert not (ndimage.binary_dilation(lungs == 1) & (lungs == 2)).any()
        # A quarter of every lung is healthy, also where most of it is not.
        assert np.quantile(volume[lungs > 0], 0.25) == pytest.approx(-860, abs=60)
        corners = volume[:4, :4]
        assert abs(corners.mean() + 1000) < 10
        assert 15 < corners.std() < 30
        assert volume.max() > 250  # bone


def test_lungs_do_not_reach_the_first_or_last_slice(scans):
    cut = [lungs[:, :, [0, -1]].any() for _, _, _, lungs in scans]
    assert sum(cut) <= 1


def test_a_rule_based_segmentation_finds_the_lungs(cohort):
    fine = lung_cohort(spacing_mm=4, seed=0)
    for i in (0, 1):
        volume, _, _, lungs = fine.scan(i)
        assert dice(segment(volume), lungs > 0) > 0.9


def test_tall_people_have_large_lungs(cohort, scans):
    sizes = [(lungs > 0).sum() for _, _, _, lungs in scans]
    assert np.corrcoef(sizes, cohort.participants["height_in"][: len(scans)])[0, 1] > 0.6


@pytest.mark.parametrize("k", range(5))
def test_lesions_add_density_inside_the_lung_and_nowhere_else(k):
    cohort = lung_cohort(5, n_clusters=5, spacing_mm=COARSE, noise_sd=0, seed=3)
    i = int(np.flatnonzero(cohort.labels == k)[0])
    volume, _, lesion, lungs = cohort.scan(i)
    bare = lung_cohort(5, n_clusters=5, spacing_mm=COARSE, noise_sd=0, seed=3)
    bare.truth["extent"] = 0.0
    healthy, _, empty, same_lungs = bare.scan(i)
    np.testing.assert_array_equal(lungs, same_lungs)
    assert not empty.any()
    assert not lesion[lungs == 0].any()
    difference = volume.astype(int) - healthy
    assert (difference[~lesion] == 0).all()
    parenchyma = lesion & (healthy < -500)
    assert difference[parenchyma].min() >= 99
    assert difference[parenchyma].max() <= cohort.truth["contrast_hu"][i] + 1 <= 301
    share = lesion.sum() / (lungs > 0).sum()
    assert share == pytest.approx(cohort.truth["extent"][i], abs=1e-3)
    assert cohort.truth["pattern"][i] == PATTERNS[k].name


def test_patterns_lie_where_they_say():
    cohort = lung_cohort(30, n_clusters=5, spacing_mm=8, seed=1)
    rows = []
    for i in range(30):
        _, _, lesion, lungs = cohort.scan(i)
        places, lung = np.argwhere(lesion), np.argwhere(lungs > 0)
        spread = lung.std(axis=0)
        shift = (places.mean(axis=0) - lung.mean(axis=0)) / spread
        inner = np.abs(places[:, 0] - lung[:, 0].mean()).mean() / spread[0]
        rows.append((cohort.truth["pattern"][i], *shift, inner, (lungs[lesion] == 1).mean()))
    columns = ["pattern", "right", "front", "up", "off_midline", "in_right_lung"]
    where = pd.DataFrame(rows, columns=columns).groupby("pattern").mean()
    assert where["up"]["diffuse"] > 0.4
    assert where["up"]["basal"] < -0.8
    assert where["front"]["basal"] < -0.3
    assert where["in_right_lung"]["right-sided"] == 1
    assert where["off_midline"].idxmin() == "hilar"
    assert abs(where["up"]["nodular"]) < 0.3


def test_diffuse_disease_is_denser_and_reaches_further_up(cohort, scans):
    density, upper = [], []
    for volume, _, lesion, lungs in scans:
        density.append(volume[lungs > 0].mean())
        z = np.nonzero(lungs)[2]
        top = (np.arange(lungs.shape[2]) > np.percentile(z, 70)) & (lungs > 0)
        upper.append(lesion[top].mean())
    labels = cohort.labels[: len(scans)]
    density, upper = np.array(density), np.array(upper)
    overlap = (density[labels == 0][:, None] > density[labels == 1]).mean()
    # Density alone does well here, as it does in the clinic: the linear baseline says how well.
    assert overlap > 0.9
    assert (upper[labels == 0][:, None] > upper[labels == 1]).mean() > 0.95


def test_anatomy_does_not_depend_on_the_voxel_size():
    scans = [lung_cohort(4, spacing_mm=s, seed=2).scan(1) for s in (8.0, (4.0, 8.0, 4.0))]
    litres = [(s[3] > 0).sum() * abs(np.linalg.det(s[1])) for s in scans]
    assert litres[0] == pytest.approx(litres[1], rel=0.05)
    means = [s[0][s[3] > 0].mean() for s in scans]
    assert means[0] == pytest.approx(means[1], abs=30)
    centres = [np.argwhere(s[3] > 0).mean(axis=0) @ s[1][:3, :3] + s[1][:3, 3] for s in scans]
    np.testing.assert_allclose(*centres, atol=4)


def test_grid_and_arguments_are_checked():
    odd = lung_cohort(3, spacing_mm=(5, 6, 7), shape=(50, 40, 30), seed=0)
    assert odd.scan(0)[0].shape == (50, 40, 30)
    with pytest.raises(IndexError, match="scan 3 of a cohort of 3"):
        odd.scan(3)
    with pytest.raises(ValueError, match="1 to 5"):
        lung_cohort(3, n_clusters=6, seed=0)
    with pytest.raises(ValueError, match="spacing_mm must be positive"):
        lung_cohort(3, spacing_mm=-1, seed=0)
    with pytest.raises(ValueError, match="at least 8"):
        lung_cohort(3, shape=(4, 4, 4), seed=0)


@pytest.fixture(scope="module")
def real_scan(real_data):
    import nibabel

    path = next((real_data / "cptac_3mm").glob("*.nii.gz"))
    image = nibabel.load(path)
    volume = np.asarray(image.dataobj)
    lungs = segment(volume)
    middle = np.argwhere(lungs)[:, 0].mean()
    toward_right = image.affine[0, 0] > 0
    right = (np.arange(volume.shape[0]) > middle) == toward_right
    return path, volume, image.affine, np.where(lungs, np.where(right[:, None, None], 1, 2), 0)


def test_real_anatomy_is_bent_but_stays_a_chest(real_scan):
    path, volume, affine, labels = real_scan
    cohort = lung_cohort(4, anatomy=(volume, affine, labels), noise_sd=20, seed=0)
    scan, grid, lesion, lungs = cohort.scan(0)
    assert scan.shape == volume.shape
    np.testing.assert_allclose(np.abs(np.diag(grid)), 3 * np.ones(4) - [0, 0, 0, 2])
    own = (labels > 0).sum()
    assert (lungs > 0).sum() == pytest.approx(own, rel=0.35)
    healthy = scan[(lungs > 0) & ~lesion].mean()
    assert healthy == pytest.approx(volume[labels > 0].mean(), abs=40)
    assert scan[lesion].mean() > healthy + 80
    assert not lesion[lungs == 0].any()
    other = cohort.scan(1)[3]
    assert 0.7 < dice(lungs > 0, other > 0) < 0.98  # a different person, but a person
    np.testing.assert_array_equal(cohort.scan(0)[0], scan)

    def find(volume_hu, spacing_mm):
        assert volume_hu.shape == labels.shape
        np.testing.assert_allclose(spacing_mm, 3)
        return labels

    by_path = lung_cohort(4, anatomy=path, lung_labels=find, noise_sd=20, seed=0)
    np.testing.assert_array_equal(by_path.scan(0)[0], scan)
    coarse = lung_cohort(4, anatomy=path, lung_labels=labels, spacing_mm=6, seed=0).scan(0)
    assert coarse[0].shape == (76, 76, 51)


def test_a_real_scan_without_lungs_is_refused(real_scan):
    path, volume, affine, labels = real_scan
    with pytest.raises(ValueError, match="its lungs are needed"):
        lung_cohort(2, anatomy=path, seed=0)
    with pytest.raises(ValueError, match=r"lung_labels of shape \(2, 2, 2\)"):
        lung_cohort(2, anatomy=path, lung_labels=np.ones((2, 2, 2)), seed=0)
    with pytest.raises(ValueError, match="with 1 .right. and 2 .left."):
        lung_cohort(2, anatomy=(volume, affine, labels == 1), seed=0)


def test_a_cohort_is_written_as_a_hospital_hands_it_over(tmp_path):
    import nibabel
    import pydicom

    cohort = lung_cohort(3, spacing_mm=12, seed=5)
    table = write_cohort(cohort, tmp_path, progress=False)
    read = pd.read_csv(tmp_path / "participants.csv")
    assert read["subject_id"].tolist() == cohort.truth["subject_id"].tolist()
    volume, affine, lesion, lungs = cohort.scan(1)
    slices = sorted((tmp_path / table["scan"][1]).iterdir())
    assert len(slices) == volume.shape[2]
    header = pydicom.dcmread(slices[0])
    assert header.PatientID == table["subject_id"][1]
    assert header.ManufacturerModelName == table["scanner_model"][1]
    # DICOM rows run from front to back and columns from right to left.
    pixels = header.pixel_array * header.RescaleSlope + header.RescaleIntercept
    np.testing.assert_array_equal(pixels, volume[::-1, ::-1, 0].T)
    for name, array in (("lesion", lesion), ("lungs", lungs)):
        image = nibabel.load(tmp_path / "truth" / f"{table['subject_id'][1]}_{name}.nii.gz")
        np.testing.assert_array_equal(np.asarray(image.dataobj), array)
        np.testing.assert_allclose(image.affine, affine)
    labels = pd.read_csv(tmp_path / "truth" / "labels.csv")
    assert labels["cluster"].tolist() == cohort.labels.tolist()
    assert len(pd.read_csv(tmp_path / "truth" / "known_effects.csv")) == 12
