"""Simulated scans are DICOM that is read as a scanner's."""

import time

import numpy as np
import pydicom
import pytest

from clamlab.ingest import read_scan
from clamlab.simulate.dicom import write_dicom

AFFINE = np.array([[2.5, 0, 0, -91.3], [0, 2.6, 0, -60.7], [0, 0, 4.0, -83.2], [0, 0, 0, 1]])


@pytest.fixture
def volume():
    # Air, lung and tissue lie where a chest has them; no two voxels can be exchanged unnoticed.
    values = np.random.default_rng(0).integers(-100, 100, (48, 32, 40)).astype("int16")
    values[:, 24:] -= 900
    values[30:, 5:20, -3:] = 3000
    return values


def test_reading_gives_back_array_and_affine(volume, tmp_path):
    write_dicom(volume, tmp_path / "s", affine=AFFINE, subject_id="S-1_a")
    scan = read_scan(tmp_path / "s")
    assert np.array_equal(scan.volume, volume)
    assert np.allclose(scan.affine, AFFINE, atol=1e-4)


def test_an_oblique_scan_keeps_its_directions(volume, tmp_path):
    turn = np.deg2rad(8)
    rotation = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    affine = AFFINE.copy()
    affine[:3, :3] = rotation @ AFFINE[:3, :3]
    write_dicom(volume, tmp_path / "s", affine=affine, subject_id="S-1")
    scan = read_scan(tmp_path / "s")
    assert np.array_equal(scan.volume, volume)
    assert np.allclose(scan.affine, affine, atol=1e-3)


def test_the_same_call_writes_the_same_bytes(volume, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_dicom(volume, tmp_path / name, affine=AFFINE, subject_id="S", seed=seed)
    first, second, third = (
        [path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "abc"
    )
    assert first == second
    assert not set(first) & set(third)


def test_the_header_says_what_a_reader_needs_and_no_more(volume, tmp_path):
    folder = write_dicom(
        volume, tmp_path, affine=AFFINE, subject_id="S_9", scanner_model="iCT 128", kernel="B"
    )
    headers = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    first = headers[0]
    assert (first.Modality, first.Manufacturer, first.ConvolutionKernel) == ("CT", "Philips", "B")
    assert list(first.ImageType) == ["ORIGINAL", "PRIMARY", "AXIAL"]
    assert first.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert len({header.SOPInstanceUID for header in headers}) == len(headers)
    assert len({header.SeriesInstanceUID for header in headers}) == 1
    assert [header.InstanceNumber for header in headers] == list(range(1, 41))
    heights = [float(header.ImagePositionPatient[2]) for header in headers]
    assert heights == pytest.approx(AFFINE[2, 3] + 4.0 * np.arange(40))
    # The first pixel of the lowest slice is the patient's rightmost, foremost voxel.
    hu = first.pixel_array[0, 0] * first.RescaleSlope + first.RescaleIntercept
    assert hu == volume[-1, -1, 0]
    named = [e.keyword for e in first if e.VR in ("PN", "DA", "TM") and e.value]
    assert named == []


def test_a_cohort_is_written_in_seconds(tmp_path):
    volume = np.zeros((128, 128, 64), "int16")
    write_dicom(volume, tmp_path / "warm", affine=AFFINE, subject_id="w")
    start = time.process_time()
    write_dicom(volume, tmp_path / "s", affine=AFFINE, subject_id="s")
    assert (time.process_time() - start) / 64 < 0.005  # usually a tenth of it


@pytest.mark.parametrize(
    ("volume", "affine", "said"),
    [
        (np.zeros((4, 4)), AFFINE, "3-D volume"),
        (np.full((4, 4, 4), np.nan), AFFINE, "NaN"),
        (np.zeros((4, 4, 4)), np.diag([-2.0, 2, 2, 1]), "RAS"),
        (np.zeros((4, 4, 4)), AFFINE + np.eye(4, k=1) * [[1], [0], [0], [0]], "right angles"),
    ],
)
def test_what_is_no_scan_is_refused(volume, affine, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        write_dicom(volume, tmp_path, affine=affine, subject_id="S-1")
