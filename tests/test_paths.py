"""Whatever a subject is called, its files stay in the study and are its own."""

import json
import os
import random
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pydicom
import pytest

from clamlab.cli.truth import true_lesions
from clamlab.paths import path_part, unusable_ids, writable
from clamlab.simulate import lung_cohort, write_cohort, write_dicom
from clamlab.study import Study
from clamlab.volumes import save_nifti

HOSTILE = [
    "", ".", "..", "...", "/", "/etc/passwd", "../../x", "a/../b", "a\\b", "C:", "C:\\x", "~",
    "~root", " ", " a", "a ", "a.", "a. ", ".hidden", "a\0b", "a\nb", "\x7f", "a\u202eb", "CON",
    "con", "NUL.txt", "aux .a", "COM1", "lpt9.nii", "COM\N{SUPERSCRIPT ONE}", "%", "%41", "a%2Fb",
    '*?<>|:"', "$HOME", "\udcff", "a\ud800", "\ud83d\ude00", "\N{GRINNING FACE}", "x" * 300,
    "x" * 299 + "y", "é" * 300, "x" * 67 + "~" + "0" * 32, "%" * 100, "-rf", "<img src=x>", "a;b&c",
    "e\u0301", "é",
]  # fmt: skip


@pytest.mark.parametrize("text", ["S-01_b", "sub-01", "007", "A.b_c-1", "Smith (2)", "x" * 100])
def test_an_ordinary_id_stays_itself(text):
    assert path_part(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("..", "%2E%2E"), (".", "%2E"), ("", "%"), ("%", "%25"), ("a/b", "a%2Fb"), ("a.", "a%2E"),
        ("CON", "%43ON"), ("nul.txt", "%6Eul.txt"), ("console", "console"), ("\udcff", "%ED%B3%BF"),
        ("a ", "a%20"), ("~root", "%7Eroot"), ("é", "%C3%A9"),
    ],
)  # fmt: skip
def test_the_rest_is_written_by_its_numbers(text, name):
    assert path_part(text) == name


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_name_is_one_part_of_a_path_everywhere(text, tmp_path):
    name = path_part(text)
    assert name.isascii() and name.isprintable() and 0 < len(name) <= 100
    for kind in (PurePosixPath, PureWindowsPath):
        assert kind("study", name).parts == ("study", name)
    assert not PureWindowsPath(name).is_reserved()
    assert not PureWindowsPath(f"{name}.png").is_reserved()
    assert name[0] not in ".~ " and name[-1] not in ". "
    (tmp_path / f"{name}_lesion.nii.gz").write_text("whole")
    assert os.listdir(tmp_path) == [f"{name}_lesion.nii.gz"]


def test_no_two_texts_share_a_name():
    letters = ["a", "A", ".", " ", "%", "~", "/", "2", "E", "\udcff", "é", "\0"]
    draw = random.Random(1)
    texts = {"".join(draw.choices(letters, k=draw.randint(0, 120))) for _ in range(20_000)}
    texts |= set(HOSTILE)
    names = [path_part(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert sum("~" in name for name in names) > 1000
    for text, name in zip(texts, names, strict=True):
        if text and "~" not in name:
            assert unquote(name, errors="surrogatepass") == text


def test_a_cut_name_tells_its_start_and_depends_on_the_whole():
    name = path_part("é" * 300)
    start, whole = name.split("~")
    assert unquote(start, errors="strict") == "é" * (len(start) // 6)
    assert len(whole) == 32 and path_part("é" * 299) != name


def test_a_text_can_be_written_whatever_it_holds():
    assert writable("Zoë 7") == "Zoë 7"
    assert writable("a\ud800").encode() == rb"a\ud800"


def test_who_cannot_have_a_folder_of_its_own_is_told_why():
    found = unusable_ids(["S1", "s1", None, "", " ", "a\udcff", "..", "x" * 300, "S1", "Ok"])
    assert sorted(found) == [0, 1, 2, 3, 4, 5, 8]
    assert "'s1' only in capital" in found[0] and "'S1' only in capital" in found[1]
    assert "no id" in found[2] and "broken character" in found[5]


def test_a_simulated_cohort_stays_in_its_folder(tmp_path):
    """Also what is written beside the scans, and what reads it back."""
    cohort = lung_cohort(2, spacing_mm=24, seed=1)
    ids = ["..", "a/../../../b"]
    called = replace(cohort, participants=cohort.participants.assign(subject_id=ids))
    study = Study.create(tmp_path / "study", simulated=True)
    folder = study.root / "00_simulate"
    table = write_cohort(called, folder, progress=False)
    assert os.listdir(tmp_path) == ["study"]
    assert sorted(p.name for p in folder.iterdir()) == ["dicom", "participants.csv", "truth"]
    names = [path_part(subject) for subject in ids]
    assert table["scan"].tolist() == [f"dicom/{name}" for name in names]
    headers = [pydicom.dcmread(min((folder / scan).iterdir())) for scan in table["scan"]]
    assert [header.PatientID for header in headers] == ids
    # As if ingested, without moving anything.
    _, affine, lesion, lungs = cohort.scan(1)
    study.path("template").parent.mkdir()
    save_nifti(study.path("template"), lungs, affine)
    for name in names:
        way = study.path("subjects") / name / "transform.json"
        way.parent.mkdir(parents=True)
        way.write_text(json.dumps({"affine": np.eye(4).tolist(), "warp": None}))
    pd.DataFrame({"subject_id": ids}).to_csv(study.path("scans"), index=False)
    np.testing.assert_array_equal(true_lesions(study)[1], lesion)


@pytest.mark.parametrize(
    "text", ["é", "中", "..", "a/b", "2000000001", "8000000000.00000", "x" * 64]
)
def test_a_patient_id_is_written_as_it_is(text, tmp_path):
    volume = np.zeros((4, 4, 2), "int16")
    write_dicom(volume, tmp_path, affine=np.diag([2.0, 2, 3, 1]), subject_id=text)
    header = pydicom.dcmread(tmp_path / "slice_0002.dcm")
    assert header.PatientID == text
    assert header.InstanceNumber == 2 and header.SliceLocation == 3


@pytest.mark.parametrize("text", ["a\\b", "a\nb", "a\udcff", "x" * 65], ids=ascii)
def test_what_is_no_patient_id_is_refused(text, tmp_path):
    volume = np.zeros((4, 4, 2), "int16")
    with pytest.raises(ValueError, match="cannot be written as a DICOM PatientID"):
        write_dicom(volume, tmp_path, affine=np.diag([2.0, 2, 3, 1]), subject_id=text)
