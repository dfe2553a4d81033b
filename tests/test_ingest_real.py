"""Real scans of four sources, from the files that hospitals and archives send."""

import subprocess
import tarfile

import dcm2niix
import nibabel
import numpy as np
import pandas as pd
import pytest

from clamlab.ingest import ingest_cohort, match_scans, read_scan
from clamlab.ingest.reading.mixing import lie_in_turn
from clamlab.volumes import load_nifti

ARCHIVES = {
    "CPTAC-PDA_1": "cptac_pda_C3N-00249_dicom",
    "ACRIN_013-b": "acrin_flt_breast_013_dicom",
    "LIDC": "lidc_idri_0001-0003_small_dicom",
}


@pytest.fixture(scope="module")
def ingested(real_data, tmp_path_factory):
    """The cohort as a user has it: unpacked archives, a table, and the standard lung."""
    root = tmp_path_factory.mktemp("real")
    for name, archive in ARCHIVES.items():
        with tarfile.open(real_data / archive / "dicom.tar.xz") as tar:
            tar.extractall(root / name, filter="data")
    for folder in sorted(root.glob("LIDC/*")):  # one level of the path for all
        folder.rename(root / folder.name)
    (root / "single-0").mkdir()
    source = real_data / "lungmask_testdata" / "0.dcm"
    (root / "single-0" / "slice.dcm").write_bytes(source.read_bytes())
    ids = ["CPTAC-PDA_1", "ACRIN_013-b", *(f"LIDC-IDRI-000{n}" for n in (1, 2, 3))]
    table = pd.DataFrame({"subject_id": [*ids, "single-0", "absent"]})
    matching = match_scans(table, root)
    folder = root / "02_volumes"
    qc = ingest_cohort(
        matching.cohort,
        folder,
        scans_root=root,
        spacing_mm=6.0,
        registration="affine",
        template=real_data / "lungct_template" / "lung_template_mask.nii.gz",
        progress=False,
    )
    return matching, folder, qc.set_index("subject_id")


def test_every_scan_is_matched(ingested):
    matching, _, _ = ingested
    assert len(matching.cohort) == 6
    assert matching.exclusions["subject_id"].tolist() == ["absent"]


def test_a_whole_chest_is_used(ingested):
    _, _, qc = ingested
    row = qc.loc["CPTAC-PDA_1"]
    assert (row["status"], row["reason"]) == ("ok", "")
    assert (row["slices"], row["thickness_mm"], row["kernel"]) == (102, 3.0, "B40f")
    assert 2000 < row["right_ml"] < 2350
    assert 1750 < row["left_ml"] < 2050
    assert -790 < row["mean_lung_hu"] < -730
    assert row["dice"] == pytest.approx(0.87, abs=0.01)  # twelve numbers cannot do better


def test_lungs_cut_at_the_top_come_through_for_review(ingested):
    _, folder, qc = ingested
    row = qc.loc["ACRIN_013-b"]
    assert row["status"] == "review"
    assert "the lungs are cut at the top of the scan" in row["reason"]
    assert row["dice"] > 0.8
    labels, affine = load_nifti(folder / "scans" / "ACRIN_013-b" / "lungs.nii.gz")
    volume, _ = load_nifti(folder / "scans" / "ACRIN_013-b" / "image.nii.gz")
    # The hollow couch behind the back is as dense as emphysema; nothing of it is lung.
    back = np.flatnonzero((volume[:, :, 20] > 0).any(axis=0))[0]
    foam = (volume[:, :back, 20] > -960) & (volume[:, :back, 20] < -850)
    assert foam.sum() * affine[0, 0] * affine[1, 1] > 2000  # mm2 in one slice
    assert not labels[:, :back].any()


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("LIDC-IDRI-0001", "40 mm (16 slices)"),
        ("LIDC-IDRI-0002", "15 mm (12 slices)"),
        ("LIDC-IDRI-0003", "28 mm (11 slices)"),
        ("single-0", "1 mm (1 slice)"),
    ],
)
def test_slabs_and_single_slices_are_excluded_with_their_reason(ingested, subject, found):
    _, _, qc = ingested
    assert qc.loc[subject, "status"] == "excluded"
    assert "too short for whole lungs: expected at least 150 mm" in qc.loc[subject, "reason"]
    assert found in qc.loc[subject, "reason"]


def test_the_trachea_is_no_lung(ingested):
    _, folder, _ = ingested
    here = folder / "scans" / "CPTAC-PDA_1"
    volume, affine = load_nifti(here / "image.nii.gz")
    labels, _ = load_nifti(here / "lungs.nii.gz")
    # The topmost slice holds the trachea and no lung; from there the darkest spot is followed.
    x, y = slice(volume.shape[0] // 3, 2 * volume.shape[0] // 3), slice(50, 100)
    spot = np.unravel_index(np.argmin(volume[x, y, -1]), volume[x, y, -1].shape)
    spot = np.array(spot) + [x.start, y.start]
    below_apex = int(np.argwhere(labels)[:, 2].max()) - 10
    for z in range(volume.shape[2] - 1, below_apex, -1):
        window = volume[spot[0] - 2 : spot[0] + 3, spot[1] - 2 : spot[1] + 3, z]
        spot = spot - 2 + np.unravel_index(np.argmin(window), window.shape)
        assert volume[*spot, z] < -900
        assert labels[*spot, z] == 0


def test_the_grid_holds_the_standard_lung(ingested, real_data):
    _, folder, _ = ingested
    template, affine = load_nifti(folder / "template.nii.gz")
    original, own = load_nifti(real_data / "lungct_template" / "lung_template_mask.nii.gz")
    assert all(side % 8 == 0 for side in template.shape)
    assert (template > 0).sum() * 6.0**3 == pytest.approx((original > 0).sum(), rel=0.02)
    for side in (1, 2):
        centres = [
            (np.argwhere(labels == side) @ matrix[:3, :3].T + matrix[:3, 3]).mean(axis=0)
            for labels, matrix in ((template, affine), (original, own))
        ]
        assert np.abs(centres[0] - centres[1]).max() < 1.0  # mm


@pytest.mark.parametrize("archive", ["CPTAC-PDA_1", "ACRIN_013-b"])
def test_another_converter_gives_the_same_volume(archive, real_data, tmp_path):
    """Not for truth, which the headers are: two readers do not make the same mistake easily."""
    (tmp_path / "in").mkdir()
    with tarfile.open(real_data / ARCHIVES[archive] / "dicom.tar.xz") as tar:
        tar.extractall(tmp_path / "in", filter="data")
    command = [dcm2niix.bin, "-b", "n", "-z", "n", "-f", "v", "-o", tmp_path, tmp_path / "in"]
    subprocess.run(command, check=True, capture_output=True)
    other = nibabel.as_closest_canonical(nibabel.load(tmp_path / "v.nii"))
    scan = read_scan(tmp_path / "in")
    assert np.array_equal(scan.volume, np.clip(np.asanyarray(other.dataobj), -1024, 3071))
    assert np.allclose(scan.affine, other.affine, atol=1e-3)
    assert (scan.facts["hu_difference"], scan.facts["slices_left_out"], scan.notes) == (0, 0, [])


@pytest.mark.parametrize("every", [1, 2, 3])  # slices of 3, 6 and 9 mm
def test_one_scan_is_one_and_two_in_turn_are_two(every, real_data):
    hu, _ = load_nifti(real_data / "cptac_3mm" / "cptac_pda_C3N-00249_3mm.nii.gz")
    hu = hu[..., ::every] + np.random.default_rng(every).normal(0, 60, hu[..., ::every].shape)
    number = np.arange(hu.shape[2])
    denser = np.where((hu < -500) & (hu > -960), hu + 60, hu)

    def found(volume):
        return lie_in_turn(list(np.moveaxis(volume, 2, 0))) is not None

    assert not found(hu)
    assert not found(np.delete(hu, number[number < len(number) // 2][1::2], axis=2))  # uneven
    for turn in (number % 2, number % 3 == 0, number // 2 % 2, number // 3 % 2):
        assert found(np.where(turn, denser, hu))
        assert found(np.where(turn, hu[::-1], hu))
