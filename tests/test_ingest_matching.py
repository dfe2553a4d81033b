"""Scans and rows find each other, and what does not is named both ways."""

import os

import nibabel
import numpy as np
import pandas as pd
import pytest

from clamlab.ingest.matching import match_scans
from clamlab.simulate.dicom import write_dicom


def nifti(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), "int16"), np.eye(4)), path)


def series(folder, patient):
    volume = np.zeros((4, 4, 3), "int16")
    write_dicom(volume, folder, affine=np.diag([1.0, 1, 1, 1]), subject_id=patient)


def table(*ids, **columns):
    return pd.DataFrame({"subject_id": list(ids), **columns})


def scans_of(matching):
    return dict(zip(matching.cohort["subject_id"], matching.cohort["scan"], strict=True))


def test_by_name_of_file_or_folder(tmp_path):
    nifti(tmp_path / "p-01.nii.gz")
    nifti(tmp_path / "sub-p_02_ct.nii")
    series(tmp_path / "p-03" / "export" / "thin", "other")
    matching = match_scans(table("p-01", "p_02", "p-03", "p-04"), tmp_path)
    assert scans_of(matching) == {
        "p-01": "p-01.nii.gz",
        "p_02": "sub-p_02_ct.nii",
        "p-03": "p-03/export/thin",
    }
    assert matching.exclusions["subject_id"].tolist() == ["p-04"]
    assert "no scan bears this id" in matching.report()


def test_an_id_is_a_whole_token_and_the_longest_wins(tmp_path):
    nifti(tmp_path / "p1.nii.gz")
    nifti(tmp_path / "p12.nii.gz")
    nifti(tmp_path / "p1-b.nii.gz")
    matching = match_scans(table("p1", "p12", "p1-b"), tmp_path)
    assert scans_of(matching) == {"p1": "p1.nii.gz", "p12": "p12.nii.gz", "p1-b": "p1-b.nii.gz"}


def test_a_name_with_two_ids_is_not_guessed(tmp_path):
    nifti(tmp_path / "3_session_1.nii.gz")
    nifti(tmp_path / "2.nii.gz")
    matching = match_scans(table("1", "2", "3"), tmp_path)
    assert scans_of(matching) == {"2": "2.nii.gz"}
    assert matching.exclusions["subject_id"].tolist() == ["1", "3"]
    assert matching.exclusions["reason"].str.contains("another subject's id too").all()


def test_columns_that_the_study_adds_are_refused(tmp_path):
    nifti(tmp_path / "1.nii.gz")
    with pytest.raises(ValueError, match="'cluster'.*rename yours"):
        match_scans(table("1", cluster=["a"]), tmp_path)


def test_by_patient_id(tmp_path):
    series(tmp_path / "A0001", "p-07")
    series(tmp_path / "A0002", "unknown")
    matching = match_scans(table("p-07"), tmp_path)
    assert scans_of(matching) == {"p-07": "A0001"}
    assert matching.cohort["matched_by"].tolist() == ["PatientID"]
    assert matching.strangers == ["A0002"]
    assert "1 scans are without a row" in matching.report()


def test_by_a_column_of_paths(tmp_path):
    nifti(tmp_path / "x" / "1.nii.gz")
    matching = match_scans(
        table("a", "b", "c", where=["x/1.nii.gz", "x/2.nii.gz", None]),
        tmp_path,
        path_column="where",
    )
    assert scans_of(matching) == {"a": "x/1.nii.gz"}
    assert matching.exclusions["reason"].tolist() == ["its path leads to no scan"] * 2


def test_several_series_of_one_subject_are_one_scan(tmp_path):
    series(tmp_path / "p1" / "study" / "thin", "p1")
    series(tmp_path / "p1" / "study" / "thick", "p1")
    series(tmp_path / "p2", "p2")
    matching = match_scans(table("p1", "p2"), tmp_path)
    assert scans_of(matching) == {"p1": "p1/study", "p2": "p2"}
    assert matching.strangers == []


def test_two_candidates_are_not_guessed_between(tmp_path):
    nifti(tmp_path / "first" / "p1.nii.gz")
    nifti(tmp_path / "second" / "p1.nii.gz")
    matching = match_scans(table("p1"), tmp_path)
    assert matching.cohort.empty
    assert "first/p1.nii.gz, second/p1.nii.gz" in matching.report()


def test_the_tables_own_columns_come_along(tmp_path):
    nifti(tmp_path / "7.nii.gz")
    people = pd.DataFrame({"PatientID": [7], "age": [50]})
    cohort = match_scans(people, tmp_path, id_column="PatientID").cohort
    assert cohort.to_dict("records") == [
        {"subject_id": "7", "scan": "7.nii.gz", "matched_by": "name", "PatientID": 7, "age": 50}
    ]


def test_ids_that_cannot_be_used_are_excluded_and_the_cohort_goes_on(tmp_path):
    for name in ("S1", "s1", "S2", "..x"):
        nifti(tmp_path / f"{name}.nii.gz")
    people = table("S1", "s1", "S2", None, " ", "a\udcff", "..x", "x" * 300)
    matching = match_scans(people, tmp_path)
    assert scans_of(matching) == {"S2": "S2.nii.gz", "..x": "..x.nii.gz"}
    reasons = dict(matching.exclusions.to_numpy().tolist())
    assert list(reasons) == ["S1", "s1", "(row 4)", "(row 5)", r"a\udcff", "x" * 300]
    assert "differs from 's1' only in capital" in reasons["S1"]
    assert "differs from 'S1' only in capital" in reasons["s1"]
    assert reasons["(row 4)"] == reasons["(row 5)"] == "it has no id: give every subject one"
    assert "broken character" in reasons[r"a\udcff"]
    assert reasons["x" * 300] == "no scan bears this id"
    assert matching.strangers == []  # S1 and s1 have rows, though both are left out
    matching.exclusions.to_csv(tmp_path / "exclusions.csv")
    matching.report().encode()


def test_a_scan_whose_name_is_no_text_is_left_out(tmp_path):
    nifti(tmp_path / "a.nii.gz")
    nifti(tmp_path / os.fsdecode(b"b_\xff.nii.gz"))
    nifti(tmp_path / os.fsdecode(b"stranger_\xff.nii.gz"))
    matching = match_scans(table("a", "b"), tmp_path)
    assert scans_of(matching) == {"a": "a.nii.gz"}
    assert "its scan's name holds a broken character" in matching.exclusions["reason"][0]
    assert matching.strangers == [r"stranger_\udcff.nii.gz"]
    matching.report().encode()


def test_a_path_that_is_none_excludes_its_subject(tmp_path):
    nifti(tmp_path / "1.nii.gz")
    people = table("a", "b", "c", where=["1.nii.gz", "x" * 300, "1\0.nii.gz"])
    matching = match_scans(people, tmp_path, path_column="where")
    assert scans_of(matching) == {"a": "1.nii.gz"}
    assert matching.exclusions["reason"].tolist() == ["its path leads to no scan"] * 2


def test_a_subject_twice_is_refused(tmp_path):
    nifti(tmp_path / "a.nii.gz")
    with pytest.raises(ValueError, match="a more than once"):
        match_scans(table("a", "a"), tmp_path)
    with pytest.raises(ValueError, match="no column 'id'"):
        match_scans(table("a"), tmp_path, id_column="id")


def test_a_folder_without_scans_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(ValueError, match="holds no scan"):
        match_scans(table("a"), tmp_path)
