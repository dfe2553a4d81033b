"""Every kind of folder a hospital sends is read, or refused with its reason."""

import shutil

import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest
from ingest_phantom import AFFINE, chest

from clamlab.ingest import IngestError, match_scans, read_scan
from clamlab.ingest.cohort.files import file_stamp
from clamlab.ingest.reading.choice import choose_series
from clamlab.ingest.reading.series import find_series
from clamlab.simulate.dicom import write_dicom

VOLUME = np.maximum(chest(shape=(48, 36, 40), affine=np.diag([8.0, 8, 8, 1]))[0], -1024)
GRID = np.diag([8.0, 8.0, 8.0, 1.0])


@pytest.fixture
def folder(tmp_path):
    return write_dicom(VOLUME, tmp_path / "scan", affine=GRID, subject_id="S-1")


def edit(folder, pick=slice(None), **values):
    for path in sorted(folder.glob("*.dcm"))[pick]:
        data = pydicom.dcmread(path)
        for keyword, value in values.items():
            setattr(data, keyword, value)
        data.save_as(path)


def test_a_linked_series_is_read_as_if_it_lay_there(folder, tmp_path):
    there = read_scan(folder)
    linked = tmp_path / "subject"
    linked.mkdir()
    (linked / "series").symlink_to(folder)
    here = read_scan(linked)
    assert np.array_equal(here.volume, there.volume) and here.facts == there.facts
    stamp = file_stamp(linked)
    assert len(stamp) == len(list(folder.iterdir()))
    (folder / "0.dcm").write_bytes(b"another")
    assert file_stamp(linked) != stamp


def test_facts_are_whitelisted(folder):
    secret = {"PatientName": "Doe^Jane", "InstitutionName": "Hospital", "StudyDate": "20200101"}
    edit(folder, **secret)
    facts = read_scan(folder).facts
    assert facts["slices"] == 40
    assert facts["kernel"] == "B35f"
    assert not any(value in str(facts) for value in (*secret.values(), "Doe", "S-1"))


def test_soft_and_thin_is_preferred_and_the_choice_is_told(tmp_path):
    thick = write_dicom(
        VOLUME[:, :, ::2],
        tmp_path / "p" / "a",
        affine=GRID @ np.diag([1, 1, 2, 1]),
        subject_id="p",
        kernel="B31f",
        series_number=1,
    )
    edit(thick, SliceThickness="5")
    for number, kernel in ((2, "B70f"), (3, "B31f")):
        one = write_dicom(
            VOLUME, tmp_path / "p" / str(number), affine=GRID, subject_id="p", kernel=kernel,
            series_number=number,
        )  # fmt: skip
        edit(one, SliceThickness="1")
    scan = read_scan(tmp_path / "p")
    assert scan.facts["kernel"] == "B31f"
    assert scan.facts["slices"] == 40
    assert "chose series 3" in scan.log[0] and "soft kernel" in scan.log[0]
    assert read_scan(tmp_path / "p", series_number=2).facts["kernel"] == "B70f"
    with pytest.raises(IngestError, match="expected series 9"):
        read_scan(tmp_path / "p", series_number=9)


def test_the_only_series_is_taken_whatever_it_is_called(folder):
    edit(
        folder,
        ImageType=["DERIVED", "SECONDARY", "AXIAL"],
        ConvolutionKernel="B80f",
        ContrastBolusAgent="yes",
        SeriesDescription="EXPIRATION THICK",
        SliceThickness="10",
    )
    scan = read_scan(folder)
    assert np.array_equal(scan.volume, VOLUME)
    assert scan.facts["contrast"] == "yes"


def test_a_localizer_and_a_projection_lose(tmp_path):
    make = {"affine": GRID, "subject_id": "p"}
    write_dicom(VOLUME, tmp_path / "1", **make, series_number=1, kernel="B60f")
    edit(write_dicom(VOLUME, tmp_path / "2", **make, series_number=2), SeriesDescription="MIP thin")
    edit(
        write_dicom(VOLUME, tmp_path / "3", **make, series_number=3),
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )
    chosen, log = choose_series(find_series(tmp_path))
    assert chosen.get("SeriesNumber") == 1
    assert log[0].startswith("chose series 1")


def test_two_series_alike_are_told(tmp_path):
    for number in (1, 2):
        write_dicom(
            VOLUME, tmp_path / str(number), affine=GRID, subject_id="p", series_number=number
        )
    assert any("would serve as well" in note for note in read_scan(tmp_path).notes)


def test_repeated_files_and_places_do_not_make_a_fourth_dimension(folder):
    files = sorted(folder.glob("*.dcm"))
    for path in files[:10]:
        (folder / f"copy_{path.name}").write_bytes(path.read_bytes())
    for path in files[10:15]:  # a second acquisition of the same places
        data = pydicom.dcmread(path)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        data.AcquisitionNumber = 2
        data.PixelData = bytes(len(data.PixelData))
        data.save_as(folder / f"again_{path.name}")
    scan = read_scan(folder)
    assert np.array_equal(scan.volume, VOLUME)
    assert any("told apart by AcquisitionNumber; 5 slice(s)" in note for note in scan.notes)
    assert "left out 10 slice(s) that repeat others" in scan.notes


def test_a_truncated_file_is_left_out_and_its_slice_interpolated(folder):
    broken = folder / "slice_0020.dcm"
    broken.write_bytes(broken.read_bytes()[:-500])
    # 8 mm slices with one missing would leave 16 mm: too much to interpolate.
    with pytest.raises(IngestError, match=r"at most 10 mm between neighbours, found 16\.0 mm"):
        read_scan(folder)
    broken.unlink()


def test_few_missing_slices_are_interpolated_and_told(tmp_path):
    fine = np.repeat(VOLUME, 2, axis=2)
    folder = write_dicom(fine, tmp_path, affine=GRID @ np.diag([1, 1, 0.5, 1]), subject_id="p")
    broken = folder / "slice_0040.dcm"
    broken.write_bytes(broken.read_bytes()[:-1])
    scan = read_scan(folder)
    assert scan.volume.shape[2] in (79, 80)
    assert any("truncated" in note for note in scan.notes)
    assert any("1 slice(s) are missing" in note for note in scan.notes)
    middle = scan.volume[:, :, 38].astype(int)
    assert np.abs(middle - fine[:, :, 38]).mean() < 5


def test_slices_in_any_order_and_jittered(folder):
    files = sorted(folder.glob("*.dcm"))
    for old, new in zip(files, reversed(range(len(files))), strict=True):
        old.rename(folder / f"x{new:03d}")
    assert np.array_equal(read_scan(folder).volume, VOLUME)


def test_compressed_pixels_are_read_and_checked(folder):
    for path in folder.glob("*.dcm"):
        data = pydicom.dcmread(path)
        data.compress(pydicom.uid.RLELossless)
        data.save_as(path)
    assert np.array_equal(read_scan(folder).volume, VOLUME)


def test_padding_and_metal_are_clamped(folder):
    for path in folder.glob("*.dcm"):
        data = pydicom.dcmread(path)
        pixels = data.pixel_array.astype("int16") - 1024
        pixels[:3], pixels[20:22, 20:22] = -3024, 9000
        data.PixelRepresentation, data.RescaleIntercept = 1, 0
        data.PixelData = pixels.tobytes()
        data.save_as(path)
    volume = read_scan(folder).volume
    assert (volume[:, -3:] == -1024).all()
    assert (volume == 3071).sum() == 4 * 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Modality": "MR"}, "expected a CT series, found MR"),
        ({"RescaleIntercept": "0"}, "rescale intercept was lost"),
    ],
)
def test_what_is_no_chest_ct_is_refused(folder, change, said):
    edit(folder, **change)
    with pytest.raises(IngestError, match=said):
        read_scan(folder)


def test_one_of_several_studies_is_read_by_its_number(tmp_path):
    """Numbers go by date, as matching gives them; which is meant is never guessed."""
    tmp_path = tmp_path / "scans" / "mixed"
    for day, above in (("20200115", 7), ("20190611", 0)):
        write_dicom(
            VOLUME + above, tmp_path / day, affine=GRID, subject_id="p", series_number=above
        )
        study = pydicom.uid.generate_uid()
        for file in (tmp_path / day).iterdir():
            data = pydicom.dcmread(file)
            data.StudyInstanceUID, data.StudyDate = study, day
            data.save_as(tmp_path / f"{day}_{file.name}")
        shutil.rmtree(tmp_path / day)
    with pytest.raises(IngestError, match="the images of one study, found 2; .*--visit"):
        read_scan(tmp_path)
    assert np.array_equal(read_scan(tmp_path, study=1).volume, VOLUME)
    assert np.array_equal(read_scan(tmp_path, study=2).volume, VOLUME + 7)
    with pytest.raises(IngestError, match="at least 3 studies, found 2"):
        read_scan(tmp_path, study=3)
    people = pd.DataFrame({"subject_id": ["p"], "seen": ["2020-01-15"]})
    rule = {"match": "header:PatientID", "visit": "seen"}
    (row,) = match_scans(people, tmp_path.parent, **rule).cohort.to_dict("records")
    found = read_scan(tmp_path.parent / row["scan"], study=row["study"])
    assert (row["study"], row["studies"]) == (2, 2) and np.array_equal(found.volume, VOLUME + 7)


def test_two_patients_in_a_folder_are_refused(tmp_path):
    for name in ("a", "b"):
        write_dicom(VOLUME, tmp_path / name, affine=GRID, subject_id=name)
    with pytest.raises(IngestError, match="2 different PatientIDs"):
        read_scan(tmp_path)


def test_too_short_for_whole_lungs(tmp_path):
    write_dicom(VOLUME[:, :, :12], tmp_path, affine=GRID, subject_id="p")
    with pytest.raises(IngestError, match=r"too short for whole lungs.* 96 mm \(12 slices\)"):
        read_scan(tmp_path)
    assert read_scan(tmp_path, min_coverage_mm=50).volume.shape[2] == 12


def test_folders_without_scans(tmp_path):
    (tmp_path / "notes.txt").write_text("no scan")
    with pytest.raises(IngestError, match="expected DICOM images, found none"):
        read_scan(tmp_path)
    with pytest.raises(IngestError, match="found nothing"):
        read_scan(tmp_path / "nowhere")


def save(path, array, affine=GRID, code=1):
    image = nibabel.Nifti1Image(array, affine)
    image.set_sform(affine, code=code)
    image.set_qform(affine, code=code)
    nibabel.save(image, path)
    return path


def test_nifti_in_any_orientation_becomes_the_same_volume(tmp_path):
    flipped = GRID @ np.array([[-1, 0, 0, 47], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    scan = read_scan(save(tmp_path / "s.nii.gz", np.ascontiguousarray(VOLUME[::-1]), flipped))
    assert np.array_equal(scan.volume, VOLUME)
    assert np.allclose(scan.affine, GRID)


@pytest.mark.parametrize(
    ("array", "options", "said"),
    [
        (np.stack([VOLUME, VOLUME], -1), {}, "expected a 3-D volume, found 4-D"),
        (VOLUME, {"code": 0}, "sform_code 0"),
        (np.where(VOLUME < -990, np.nan, VOLUME).astype("float32"), {}, "NaN"),
        (np.full_like(VOLUME, -700), {}, "-700 everywhere"),
        (VOLUME - VOLUME.min(), {}, "intercept was lost"),
        (np.clip(VOLUME, -160, 240), {}, "display window"),
        (VOLUME, {"affine": GRID * [[1000], [1000], [1000], [1]]}, "voxel sides"),
        (VOLUME, {"affine": GRID + np.eye(4, k=1) * [[3], [0], [0], [0]]}, "right angles"),
    ],
)
def test_a_nifti_that_cannot_be_trusted_is_refused(array, options, said, tmp_path):
    path = save(tmp_path / "subject-9.nii.gz", array, **options)
    with pytest.raises(IngestError, match=said) as refused:
        read_scan(path)
    assert str(refused.value).startswith("subject-9.nii.gz: ")


def test_a_broken_nifti_is_refused(tmp_path):
    path = save(tmp_path / "s.nii.gz", VOLUME)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(IngestError, match="expected a NIfTI image"):
        read_scan(path)


def test_the_phantoms_affine_is_used(tmp_path):
    volume, _ = chest()
    assert np.allclose(read_scan(save(tmp_path / "s.nii", volume, AFFINE)).affine, AFFINE)
