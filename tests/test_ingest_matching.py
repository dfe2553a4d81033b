"""Scans and rows find each other by one rule, and what does not is named both ways.

Layouts are those that hospitals send; where each scan belongs is known.
"""

import os
import unicodedata

import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from clamlab.ingest.matching.match import match_scans


def nifti(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), "int16"), np.eye(4)), path)


def dicom(folder, patient="", *, name="1.dcm", study=None, preamble=True, **header):
    """Write a header without pixels: all that matching looks at."""
    folder.mkdir(parents=True, exist_ok=True)
    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, generate_uid(), "CT"
    data.PatientID, data.StudyInstanceUID = patient, study or generate_uid()
    for keyword, value in header.items():
        setattr(data, keyword, value)
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if preamble:
        data.save_as(folder / name, enforce_file_format=True)
    else:
        pydicom.dcmwrite(folder / name, data, implicit_vr=False, little_endian=True)


def table(*ids, **columns):
    return pd.DataFrame({"subject_id": [str(i) for i in ids], **columns})


def scans_of(matching):
    return dict(zip(matching.cohort["subject_id"], matching.cohort["scan"], strict=True))


def reasons_of(matching):
    return dict(matching.exclusions.to_numpy().tolist())


LAYOUTS = {
    # ids, and by id the folder of slices that is theirs
    "a series' number is another's id": (range(1, 41), lambda i: f"{i}/{max(41 - i, 9)}"),
    "every series has the next patient's number": (range(1, 13), lambda i: f"{i}/{i + 1}"),
    "series numbers repeat": (range(1, 41), lambda i: f"{i}/{1 + i % 3}/DICOM"),
    "dates": (range(1, 32), lambda i: f"{i}/2019-07-{32 - i:02}"),
    "german dates": (range(1, 32), lambda i: f"{i}/{32 - i:02}.09.2019"),
    "dates as numbers": (range(1, 13), lambda i: f"{i}/201907{13 - i:02}"),
    "a level called DICOM": (range(1, 13), lambda i: f"{i}/2/DICOM"),
    "series and their number": (range(1, 13), lambda i: f"{i}/Series {13 - i}"),
    "thickness and kernel": (range(1, 13), lambda i: f"{i}/Thorax {i % 5 + 1}.0 B30f"),
    "two sites": (range(1, 13), lambda i: f"site{1 + i % 2}/{i}/{i % 9}"),
    "zeros in folders": ([7, 8, 10], lambda i: f"{i:03}/1"),
    "zeros in the table": (["007", "008", "010"], lambda i: f"{int(i)}/1"),
    "a spreadsheet's point and zero": (
        ["1234567890.0", "1234567891.0"], lambda i: i.removesuffix(".0"),
    ),
    "lines or hyphens": ([f"C3N-0024{i}" for i in range(5)], lambda i: i.replace("-", "_")),
    "capitals": (["s01", "s02", "s03"], lambda i: i.upper()),
    "BIDS": (range(1, 5), lambda i: f"sub-{i:02}/ct"),
    "a collection's prefix": (range(1, 5), lambda i: f"LIDC-IDRI-{i:04}/01-01-2000/CT"),
    "the table's prefix": (["P001", "P002", "P003"], lambda i: f"{i[1:]}/1"),
    "a name before the id": (
        ["1001", "1002", "1003"], lambda i: f"{['DOE', 'ROE', 'POE'][int(i) % 3]}_{i}/ct",
    ),
    "umlauts that a Mac wrote": (
        ["Müller A", "Jäger E", "Köhler J"], lambda i: unicodedata.normalize("NFD", i),
    ),
    "ids with a common beginning": (["p1", "p12", "p1-b"], lambda i: f"{i}/12"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("files", ["folders of slices", "NIfTI"])
def test_every_scan_goes_to_its_own_patient(tmp_path, kind, files):
    ids, place = LAYOUTS[kind]
    expected = {}
    for own in ids:
        if files == "NIfTI":
            expected[str(own)] = f"{place(own)}.nii.gz"
            nifti(tmp_path / expected[str(own)])
        else:
            expected[str(own)] = place(own)
            dicom(tmp_path / place(own), "hospital's own")
    matching = match_scans(table(*ids), tmp_path)
    assert scans_of(matching) == expected
    assert matching.strangers == [] and len(matching.exclusions) == 0
    # The rule that was told gives the same when a person states it.
    assert scans_of(match_scans(table(*ids), tmp_path, match=matching.match)) == expected


def test_the_rule_is_told(tmp_path):
    for i in (1, 2, 3):
        nifti(tmp_path / f"sub-{i:02}_ct.nii.gz")
    nifti(tmp_path / "phantom.nii.gz")
    matching = match_scans(table(1, 2, 3, 4), tmp_path)
    said = matching.report().splitlines()
    assert said[0] == (
        "3 subjects have a scan, by the rule sub-{id}-ct, capitals, separators, leading zeros and "
        ".0 ignored."
    )
    assert "  1 -> sub-01_ct.nii.gz" in said and "  4: no scan bears its id" in said
    assert said[-2:] == ["1 scans are without a row:", "  phantom.nii.gz"]
    assert "sub-01_ct" not in matching.report(places=False)
    assert "phantom" not in matching.report(places=False)


def test_one_rule_for_all(tmp_path):
    """What another rule would find is left out by name, not matched by that rule."""
    for i in range(1, 10):
        dicom(tmp_path / f"{i}" / "1", "")
    dicom(tmp_path / "x", "10")
    nifti(tmp_path / "sub-11.nii.gz")
    matching = match_scans(table(*range(1, 12)), tmp_path)
    assert set(scans_of(matching)) == {str(i) for i in range(1, 10)}
    assert reasons_of(matching) == dict.fromkeys(["10", "11"], "no scan bears its id")
    assert matching.strangers == ["sub-11.nii.gz", "x"]


def test_by_patient_id(tmp_path):
    for place, patient in (("A1", "p-07"), ("A2", "p-08"), ("A3", "unknown")):
        dicom(tmp_path / place, patient)
    matching = match_scans(table("p-07", "p-08"), tmp_path)
    assert scans_of(matching) == {"p-07": "A1", "p-08": "A2"}
    assert matching.match == "header:PatientID" and matching.strangers == ["A3"]
    dicom(tmp_path / "B" / "1", "007", AccessionNumber="X1")
    stated = match_scans(table("X1"), tmp_path, match="header:AccessionNumber")
    assert scans_of(stated) == {"X1": "B/1"}
    assert scans_of(match_scans(table("7"), tmp_path / "B")) == {"7": "1"}


def test_folders_and_headers_that_disagree_throughout_are_refused(tmp_path):
    ids = [f"S{i}" for i in range(1, 6)]
    for own, other in zip(ids, [*ids[1:], ids[0]], strict=True):
        dicom(tmp_path / own, other)
    with pytest.raises(ValueError, match="two rules serve 5 of 5 rows") as refused:
        match_scans(table(*ids), tmp_path)
    assert "--match '{id}' or --match 'header:PatientID'" in str(refused.value)
    assert scans_of(match_scans(table(*ids), tmp_path, match="{id}/*"))["S1"] == "S1"
    assert scans_of(match_scans(table(*ids), tmp_path, match="header:PatientID"))["S2"] == "S1"


def test_levels_that_serve_alike_and_differ_are_refused(tmp_path):
    for i in range(1, 13):
        dicom(tmp_path / f"{i}" / f"{13 - i}", "")
    with pytest.raises(ValueError, match="two rules serve 12 of 12 rows") as refused:
        match_scans(table(*range(1, 13)), tmp_path)
    assert "--match '{id}' or --match '*/{id}'" in str(refused.value)
    assert scans_of(match_scans(table(*range(1, 13)), tmp_path, match="{id}/*"))["1"] == "1/12"


RIVALS = {
    # names by row, of ids 1 to 12; both rules may hold, and only a person knows
    "numbers of series below subjects": (
        lambda i: [f"sub-{i:02}/{13 - i}"], "'*/{id}' or --match 'sub-{id}'",
    ),
    "one mask more than scans": (
        lambda i: [f"{i}_seg", *[f"{i}_ct"] * (i > 1)], "'{id}_seg' or --match '{id}_ct'",
    ),
    "a second visit of some": (
        lambda i: [f"{i:03}a", *[f"{i:03}b"] * (i < 5)], "'{id}a' or --match '{id}b'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RIVALS)
def test_parts_of_names_that_differ_are_refused(tmp_path, kind):
    names, said = RIVALS[kind]
    for i in range(1, 13):
        for name in names(i):
            nifti(tmp_path / f"{name}.nii.gz")
    with pytest.raises(ValueError, match="two rules serve 12 ") as refused:
        match_scans(table(*range(1, 13)), tmp_path)
    assert said in str(refused.value)


def test_ids_as_they_are_written_are_heard_beside_numbers_of_cases(tmp_path):
    ids = [f"PAT{i}" for i in range(1, 13)]
    for i in range(1, 13):  # the first has no scan, and the last no row
        nifti(tmp_path / f"case_{i}" / f"PAT{i + 1}.nii.gz")
    with pytest.raises(ValueError, match="two rules serve 12 and 11 of 12 rows"):
        match_scans(table(*ids), tmp_path)
    assert scans_of(match_scans(table(*ids), tmp_path, match="*/{id}"))["PAT2"] == (
        "case_1/PAT2.nii.gz"
    )


def test_sexes_that_differ_for_many_refuse_the_rule(tmp_path):
    """The others' sex is right by chance."""
    people = table(*range(1, 13), sex=["m", "f"] * 6)
    for i in people["subject_id"]:
        dicom(tmp_path / i, "", PatientSex="F" if i in ("1", "2", "3", "4", "5", "6") else "M")
    with pytest.raises(ValueError, match="'sex' for 6 of 12 rows.*--match"):
        match_scans(people, tmp_path)
    assert set(reasons_of(match_scans(people, tmp_path, match="{id}"))) == set("135") | {
        "8", "10", "12",
    }  # fmt: skip


def test_one_study_of_two_patients(tmp_path):
    for i in range(1, 8):
        dicom(tmp_path / f"{i}", f"H{i}", study=f"1.2.{3 if i == 7 else i}")
    reasons = reasons_of(match_scans(table(*range(1, 8)), tmp_path))
    assert reasons == {
        "3": "its header's StudyInstanceUID is that of '7' too",
        "7": "its header's StudyInstanceUID is that of '3' too",
    }
    for i in range(1, 8):
        dicom(tmp_path / f"{i}", f"H{i}", study="1.2")
    assert len(match_scans(table(*range(1, 8)), tmp_path, match="{id}").cohort) == 7


def test_what_was_deleted_is_no_scan(tmp_path):
    nifti(tmp_path / "site" / "1.nii.gz")
    nifti(tmp_path / "site" / "2.nii.gz")
    nifti(tmp_path / ".Trash-1000" / "3.nii.gz")
    matching = match_scans(table(1, 2, 3), tmp_path)
    assert set(scans_of(matching)) == {"1", "2"}
    assert matching.problems == [".Trash-1000: holds what was deleted"]


def test_two_exchanged_patients_are_left_out_by_name(tmp_path):
    ids = [f"S{i}" for i in range(1, 13)]
    for own in ids:
        dicom(tmp_path / own, {"S1": "S2", "S2": "S1"}.get(own, own))
    told = {
        None: "header:PatientID gives it another scan than {id} does",
        "{id}/*": "its header's PatientID is that of 'S2'",
    }
    for stated, why in told.items():
        matching = match_scans(table(*ids), tmp_path, match=stated)
        assert set(scans_of(matching)) == set(ids[2:])
        assert set(reasons_of(matching)) == {"S1", "S2"}
        assert reasons_of(matching)["S1"] == why


def test_a_file_that_lies_in_the_folder_of_another(tmp_path):
    ids = [f"T{i:02d}" for i in range(12)]
    for own in ids:
        nifti(tmp_path / "a" / own / f"{own}_ct.nii")
        nifti(tmp_path / "b" / own / f"{ {'T02': 'T03', 'T03': 'T02'}.get(own, own) }_ct.nii")
    (tmp_path / "a/T03/T03_ct.nii").rename(tmp_path / "a/T02/T03_ct.nii")
    (tmp_path / "a/T02/T02_ct.nii").unlink()
    for folder in ("a", "b"):
        found = match_scans(table(*ids), tmp_path / folder)
        assert set(scans_of(found)) == {*ids} - {"T02", "T03"}
        assert reasons_of(found)["T02"] == "its scan is another row's by */{id}_ct"


def test_a_stranger_among_those_who_bear_their_own_id(tmp_path):
    for i in range(1, 11):
        dicom(tmp_path / f"{i}", "77" if i == 4 else f"{i}")
    matching = match_scans(table(*range(1, 11)), tmp_path, match="{id}")
    assert "4" not in scans_of(matching) and len(matching.cohort) == 9
    assert "is not its id, as all the others' are" in reasons_of(matching)["4"]
    assert "77" not in matching.report()


@pytest.mark.parametrize(
    ("column", "own", "header", "others"),
    [
        ("sex", ["m", "female", "F", "x"], {"PatientSex": "M"}, ["female", "F"]),
        ("Geschlecht", ["w", "m", "m", "m"], {"PatientSex": "F"}, ["m"]),
        ("age_years", [61, 64, 75, 62, 60, 63], {"PatientAge": "061Y"}, [75]),
        (
            "age",
            [61, 64, 61, 62, 60, 31],
            {"PatientBirthDate": "19580301", "StudyDate": "20190611"},
            [31],
        ),
        ("ct_date", ["2019-06-11", "11.06.2019", "20190612", "06/11/2019", "2018-06-11"],
         {"StudyDate": "20190611"}, ["2018-06-11"]),
        ("study date", ["2019-06-11"] * 5 + ["2019-11-06"], {"StudyDate": "20190611"},
         ["2019-11-06"]),
    ],
)  # fmt: skip
def test_headers_that_contradict_the_table(tmp_path, column, own, header, others):
    people = table(*range(len(own)), **{column: own, "note": "-"})
    for i in people["subject_id"]:
        dicom(tmp_path / i, "", **header)
    matching = match_scans(people, tmp_path)
    assert people.set_index("subject_id").loc[list(reasons_of(matching)), column].isin(others).all()
    assert len(matching.exclusions) == sum(value in others for value in own)
    for reason in matching.exclusions["reason"]:
        assert repr(column) in reason and not set(header.values()) & set(reason.split())


@pytest.mark.parametrize("codes", [(1, 2), (1.0, 0.0), ("A", "B")])
def test_codes_of_sex_are_learnt_from_the_headers(tmp_path, codes):
    people = table(*range(12), sex=[codes[i % 2] for i in range(12)])
    people.loc[3, "sex"] = codes[0]
    for i in range(12):
        dicom(tmp_path / f"{i}", "", PatientSex="MF"[i % 2])
    assert set(reasons_of(match_scans(people, tmp_path))) == {"3"}
    people.loc[5, "sex"] = people.loc[7, "sex"] = codes[0]  # nobody knows then what it means
    assert len(match_scans(people, tmp_path).cohort) == 12


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber"])
def test_a_scan_that_bears_the_number_of_another_row(tmp_path, keyword):
    numbers = [88000 + i for i in range(6)]
    people = table(*"abcdef", hospital_no=numbers, age=range(40, 46))
    for own, number in zip("abcdef", [88001, 88000, *numbers[2:]], strict=True):
        dicom(tmp_path / own, **{"patient": "", keyword: f"00{number}"})
    matching = match_scans(people, tmp_path)
    assert set(scans_of(matching)) == set("cdef")
    assert (
        reasons_of(matching)["a"]
        == f"its header's {keyword} is that of another row's 'hospital_no'"
    )
    people["hospital_no"] = numbers[::-1]  # it numbers something else
    assert len(match_scans(people, tmp_path).cohort) == 6


def test_ages_that_mean_something_else_refuse_nobody(tmp_path):
    people = table(*range(5), age_at_onset=[20, 25, 30, 22, 61])
    for i in people["subject_id"]:
        dicom(tmp_path / i, "", PatientAge="061Y")
    matching = match_scans(people, tmp_path)
    assert len(matching.cohort) == 5
    assert (
        "PatientAge in the headers is not that of the table's 'age_at_onset' for 4 of 5 rows"
        in (matching.report(places=False))
    )


def test_numbers_that_look_like_ids_match_nobody(tmp_path):
    for i in range(20):
        dicom(tmp_path / "abcdefghijklmnopqrst"[i] / f"{1 + i % 4}", "")
    with pytest.raises(ValueError, match="no one rule says") as refused:
        match_scans(table(*range(1, 21)), tmp_path)
    assert "--match" in str(refused.value) and "--path-column" in str(refused.value)
    for i in range(20):  # sites are no patients
        dicom(tmp_path / "sites" / f"{1 + i % 2}" / "abcdefghijklmnopqrst"[i], f"H{90 + i}")
        nifti(tmp_path / "files" / f"{1 + i % 2}" / f"{'abcdefghijklmnopqrst'[i]}.nii.gz")
    for folder, why in (("sites", "several patients"), ("files", "10 scans could be meant")):
        matching = match_scans(table(*range(1, 21)), tmp_path / folder)
        assert matching.cohort.empty
        assert why in reasons_of(matching)["1"] and why in reasons_of(matching)["2"]


def test_one_folder_for_all_patients_is_told(tmp_path):
    for own in ("F1", "F2", "F3"):
        dicom(tmp_path / "all", own, name=f"{own}.dcm")
    with pytest.raises(ValueError, match="3 ids share a folder with others: make one for each"):
        match_scans(table("F1", "F2", "F3"), tmp_path)


def test_a_folder_of_several_patients_belongs_to_none(tmp_path):
    for i in range(1, 7):
        dicom(tmp_path / f"{i}", f"H{i}")
    for name, patient in (("0.dcm", "Ha"), ("2.dcm", "Hb")):
        dicom(tmp_path / "6", patient, name=name)
    matching = match_scans(table(*range(1, 7)), tmp_path)
    assert set(scans_of(matching)) == set("12345")
    assert "PatientIDs of several patients" in reasons_of(matching)["6"]


def test_a_copy_costs_its_own_row_only(tmp_path):
    for i in range(1, 8):
        dicom(tmp_path / "batch1" / f"{i}", f"{i}")
    dicom(tmp_path / "batch2" / "3", "3")
    matching = match_scans(table(*range(1, 8)), tmp_path)
    assert set(scans_of(matching)) == set("124567")
    assert "2 studies could be meant" in reasons_of(matching)["3"]
    assert "(batch1/3, batch2/3)" in matching.report()
    assert "batch" not in matching.report(places=False)


def test_a_mask_beside_the_scan(tmp_path):
    for i in (1, 2):
        nifti(tmp_path / "flat" / f"{i}.nii.gz")
        nifti(tmp_path / "flat" / f"{i}_mask.nii.gz")
        nifti(tmp_path / "deep" / f"{i}" / "ct.nii.gz")
        nifti(tmp_path / "deep" / f"{i}" / "mask.nii.gz")
    assert scans_of(match_scans(table(1, 2), tmp_path / "flat")) == {
        "1": "1.nii.gz", "2": "2.nii.gz",
    }  # fmt: skip
    matching = match_scans(table(1, 2), tmp_path / "deep")
    assert "2 scans could be meant" in reasons_of(matching)["1"] and matching.cohort.empty
    stated = match_scans(table(1, 2), tmp_path / "deep", match="{id}/ct.nii.gz")
    assert scans_of(stated) == {"1": "1/ct.nii.gz", "2": "2/ct.nii.gz"}


def test_what_a_person_states_must_be_a_rule(tmp_path):
    nifti(tmp_path / "1.nii.gz")
    for wrong in ("*/*", "{id}/{id}", "header:PatientName"):
        with pytest.raises(ValueError, match="is no rule: expected"):
            match_scans(table(1), tmp_path, match=wrong)


def test_by_a_column_of_paths(tmp_path):
    nifti(tmp_path / "x" / "1.nii.gz")
    nifti(tmp_path / "x" / "2.nii.gz")
    nifti(tmp_path / "x" / "3.nii.gz")
    where = [
        "x/1.nii.gz", "x\\2.nii.gz", "x/4.nii.gz", None, "x/3.nii.gz", str(tmp_path / "x/3.nii.gz"),
        "D:\\scans\\5.nii.gz", "x" * 300, "1\0.nii.gz",
    ]  # fmt: skip
    matching = match_scans(table(*"abcdefghi", where=where), tmp_path, path_column="where")
    assert scans_of(matching) == {"a": "x/1.nii.gz", "b": "x/2.nii.gz"}
    assert reasons_of(matching) == {
        "c": "its path leads to nothing",
        "d": "its row names no path",
        "e": "its path is that of 'f' too",
        "f": "its path is that of 'e' too",
        "g": "its path leads to nothing: it is one of a Windows machine",
        "h": "its path leads to nothing",
        "i": "its path leads to nothing",
    }


def test_paths_that_lead_to_one_scan(tmp_path):
    dicom(tmp_path / "p1" / "ct")
    dicom(tmp_path / "p2" / "ct")
    dicom(tmp_path / "p3" / "ct")
    (tmp_path / "linked").symlink_to(tmp_path / "p2")
    where = ["p1", "p1/ct", "p2", "linked", "p3/"]
    matching = match_scans(table(*"abcde", where=where), tmp_path, path_column="where")
    assert scans_of(matching) == {"e": "p3/ct"}
    assert reasons_of(matching) == {
        own: f"its path is that of {other!r} too"
        for own, other in (("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"))
    }


def test_several_series_of_one_study_are_one_scan(tmp_path):
    dicom(tmp_path / "p1" / "study" / "thin", "p1", study="1.2.3")
    dicom(tmp_path / "p1" / "study" / "thick", "p1", study="1.2.3")
    dicom(tmp_path / "p2", "p2")
    matching = match_scans(table("p1", "p2"), tmp_path)
    assert scans_of(matching) == {"p1": "p1/study", "p2": "p2"}
    assert matching.strangers == [] and matching.cohort["study"].isna().all()


VISITS = {"2019-06-11": "1.2.1", "2020-01-15": "1.2.2", "2021-12-24": "1.2.3"}


@pytest.fixture(params=["folders", "one folder"])
def visits(request, tmp_path):
    """Two patients, one with three studies, each in a folder of its own or all in one."""
    for day, study in VISITS.items():
        for i in range(2):
            folder = tmp_path / "1" / (study if request.param == "folders" else "")
            header = {"StudyDate": day.replace("-", ""), "AccessionNumber": f"A-{study[-1]}"}
            dicom(folder, "1", name=f"{study}_{i}.dcm", study=study, **header)
    dicom(tmp_path / "2", "2", StudyDate="20190611")
    return tmp_path


@pytest.mark.parametrize(
    ("visit", "value", "number"),
    [
        ("first", None, 1), ("last", None, 3), ("nearest:seen", "2020-03-01", 2),
        ("seen", "15.01.2020", 2), ("seen", "20211224", 3), ("number", "A3", None),
        ("number", "A-3", 3), ("number", "1.2.2", 2), ("seen", "2018-01-01", None),
        ("nearest:seen", "unknown", None), (None, None, None),
    ],
)  # fmt: skip
def test_several_studies_of_one_patient(visits, visit, value, number):
    people = table(1, 2, seen=[value, "2019-06-11"], number=[value, ""])
    matching = match_scans(people, visits, visit=visit)
    assert scans_of(matching)["2"] == "2"
    if number is None:
        assert "3 studies" in reasons_of(matching)["1"]
        return
    row = matching.cohort.set_index("subject_id").loc["1"]
    assert row["studies"] == 3
    if (visits / "1" / "1.2.1").is_dir():
        assert row["scan"] == f"1/1.2.{number}" and pd.isna(row["study"])
    else:
        assert row["scan"] == "1" and row["study"] == number
    assert "Of 1 one of several studies was taken" in matching.report()


def test_sessions_of_files(tmp_path):
    for subject, session in (("01", "1"), ("01", "2"), ("02", "1")):
        folder = tmp_path / f"sub-{subject}" / f"ses-{session}" / "ct"
        nifti(folder / f"sub-{subject}_ses-{session}_ct.nii.gz")
    people = table(1, 2, visit=["2", "1"])
    first = match_scans(people, tmp_path)
    assert set(scans_of(first)) == {"2"} and "--visit" in reasons_of(first)["1"]
    chosen = scans_of(match_scans(people, tmp_path, visit="visit"))
    assert chosen["1"] == "sub-01/ses-2/ct/sub-01_ses-2_ct.nii.gz"
    people["visit"] = ["2", "2"]
    wanted = match_scans(people, tmp_path, visit="visit")
    assert set(scans_of(wanted)) == {"1"}
    assert reasons_of(wanted)["2"] == "its one study is not that which 'visit' names"
    people["visit"] = ["2", None]
    assert set(scans_of(match_scans(people, tmp_path, visit="visit"))) == {"1", "2"}
    without_dates = match_scans(people, tmp_path, visit="last")
    assert "no dates tell them apart" in reasons_of(without_dates)["1"]


def test_the_one_study_of_a_patient_is_of_the_day_that_was_meant(tmp_path):
    for subject, day in (("1", "20190611"), ("2", "20190611"), ("3", "")):
        dicom(tmp_path / subject, subject, StudyDate=day)
    people = table(1, 2, 3, seen=["11.06.2019", "12.07.2019", "11.06.2019"])
    matching = match_scans(people, tmp_path, visit="seen")
    assert set(scans_of(matching)) == {"1", "3"}
    assert reasons_of(matching)["2"] == "its one study is not that which 'seen' names"


def test_letters_with_marks_are_the_same_however_they_are_coded(tmp_path):
    names = ["Müller", "Köhler", "Öztürk"]
    for name in names:
        nifti(tmp_path / unicodedata.normalize("NFD", name) / "ct.nii")
    assert set(scans_of(match_scans(table(*names), tmp_path))) == set(names)


def test_scans_are_found_wherever_they_lie(tmp_path):
    nifti(tmp_path / "s01.nii.gz")
    (tmp_path / "s01.nii.gz").rename(tmp_path / "S01.NII.GZ")
    dicom(tmp_path / "S02" / "a", "", name="z.dcm")
    for name in ("a.pdf", "b.pdf", "c.pdf", "DICOMDIR"):
        (tmp_path / "S02" / "a" / name).write_bytes(b"%PDF-1.4" + bytes(200))
    dicom(tmp_path / "S03", "", preamble=False)
    (tmp_path / "S03" / "._1.dcm").write_bytes(b"left by another system")
    dicom(tmp_path / "elsewhere", "")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "S04").symlink_to(tmp_path / "elsewhere")
    matching = match_scans(table("S01", "S02", "S03"), tmp_path)
    assert scans_of(matching) == {"S01": "S01.NII.GZ", "S02": "S02/a", "S03": "S03"}
    assert scans_of(match_scans(table("S04"), tmp_path / "linked")) == {"S04": "S04"}


def test_what_cannot_be_searched_is_named(tmp_path):
    nifti(tmp_path / "1.nii.gz")
    (tmp_path / "2.zip").write_bytes(b"PK")
    (tmp_path / "export.tar.xz").write_bytes(b"")
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "again").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    matching = match_scans(table(1), tmp_path)
    assert scans_of(matching) == {"1": "1.nii.gz"}
    assert sorted(matching.problems) == [
        "2.zip: an archive; unpack it, and start again",
        "again: a link to what was searched already",
        "export.tar.xz: an archive; unpack it, and start again",
        "lost: a link to nothing",
    ]
    assert "2.zip" in matching.report() and "2.zip" not in matching.report(places=False)


def test_the_tables_own_columns_come_along(tmp_path):
    nifti(tmp_path / "7.nii.gz")
    people = pd.DataFrame({"PatientID": [7], "age": [50], "name": ["Doe"], "lung_mask": ["m.nii"]})
    cohort = match_scans(people, tmp_path, id_column="PatientID", keep=["PatientID", "age"]).cohort
    (row,) = cohort.to_dict("records")
    assert pd.isna(row.pop("study"))
    assert row == {
        "subject_id": "7", "scan": "7.nii.gz", "studies": 1, "PatientID": 7, "age": 50,
        "lung_mask": "m.nii",
    }  # fmt: skip


def test_columns_that_the_study_adds_are_refused(tmp_path):
    nifti(tmp_path / "1.nii.gz")
    with pytest.raises(ValueError, match="'cluster'.*rename yours"):
        match_scans(table("1", cluster=["a"]), tmp_path)


def test_ids_that_cannot_be_used_are_excluded_and_the_cohort_goes_on(tmp_path):
    for name in ("S1", "s1", "S2", "..x"):
        nifti(tmp_path / f"{name}.nii.gz")
    people = pd.DataFrame(
        {"subject_id": ["S1", "s1", "S2", None, " ", "a\udcff", "..x", "x" * 300]}
    )
    matching = match_scans(people, tmp_path)
    assert scans_of(matching) == {"S2": "S2.nii.gz", "..x": "..x.nii.gz"}
    reasons = reasons_of(matching)
    assert list(reasons) == ["S1", "s1", "(row 4)", "(row 5)", r"a\udcff", "x" * 300]
    assert "differs from 's1' only in capital" in reasons["S1"]
    assert "differs from 'S1' only in capital" in reasons["s1"]
    assert reasons["(row 4)"] == reasons["(row 5)"] == "it has no id: give every subject one"
    assert "broken character" in reasons[r"a\udcff"]
    assert reasons["x" * 300] == "no scan bears its id"
    assert matching.strangers == []  # S1 and s1 have rows, though both are left out
    matching.exclusions.to_csv(tmp_path / "exclusions.csv")
    matching.report().encode()


def test_a_scan_whose_name_is_no_text_is_left_out(tmp_path):
    nifti(tmp_path / "a" / "ct.nii.gz")
    nifti(tmp_path / "b" / os.fsdecode(b"b_\xff.nii.gz"))
    nifti(tmp_path / os.fsdecode(b"stranger_\xff.nii.gz"))
    matching = match_scans(table("a", "b"), tmp_path)
    assert scans_of(matching) == {"a": "a/ct.nii.gz"}
    assert "its scan's name holds a broken character" in matching.exclusions["reason"][0]
    assert matching.strangers == [r"stranger_\udcff.nii.gz"]
    matching.report().encode()


def test_a_subject_twice_is_refused(tmp_path):
    nifti(tmp_path / "a.nii.gz")
    with pytest.raises(ValueError, match="a more than once"):
        match_scans(table("a", "a"), tmp_path)
    with pytest.raises(ValueError, match="no column 'id'"):
        match_scans(table("a"), tmp_path, id_column="id")
    with pytest.raises(ValueError, match="no column 'day'"):
        match_scans(table("a"), tmp_path, visit="nearest:day")


def test_a_folder_without_scans_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(ValueError, match="holds no scan"):
        match_scans(table("a"), tmp_path)


def test_folders_that_bear_another_columns_numbers_are_refused(tmp_path):
    """Two series of numbers overlap: six of eight would get another's scan."""
    people = table(*range(700, 708), accession=[str(n) for n in range(705, 697, -1)])
    for number in people["accession"]:
        nifti(tmp_path / number / "ct.nii")
    with pytest.raises(ValueError, match=r"'accession' are more \(8\) than .* \(6\)"):
        match_scans(people, tmp_path)
    by_number = people.rename(columns={"subject_id": "mrn", "accession": "subject_id"})
    assert len(match_scans(by_number, tmp_path).cohort) == 8
    assert len(match_scans(people, tmp_path, match="{id}/*").cohort) == 6
