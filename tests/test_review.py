"""What a person decides about scans holds, is seen, is never lost, and is never anybody else's."""

import json
import multiprocessing
import os
import re
import shutil

import numpy as np
import pandas as pd
import pydicom
import pytest
from ingest_phantom import AFFINE, chest

from clamlab.ingest import ingest_cohort, stack
from clamlab.ingest.cohort.cohort_template import draw_sample
from clamlab.ingest.cohort.decisions import Decision, judged
from clamlab.ingest.cohort.flow import cohort_flow
from clamlab.ingest.cohort.qc_pages import by_suspicion, write_index
from clamlab.ingest.cohort.subjects import Subject
from clamlab.paths import path_part
from clamlab.schema import check_table, load_schema, read_table
from clamlab.simulate.dicom import write_dicom
from clamlab.study import Study, StudyError
from clamlab.viewers import Review
from clamlab.volumes import describe_grid, load_nifti, save_nifti

# The template is then made from a, b and c: a decision on e leaves it as it is.
QUICK = {"spacing_mm": 10.0, "registration": "affine", "seed": 2, "progress": False}
IDS = ["a", "b", "c", "d", "e"]
SMALL = "lung volume 1200 ml"


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Four chests, the first twice: a and e are the same image, and so to be reviewed."""
    root = tmp_path_factory.mktemp("scans")
    for seed, name in enumerate(IDS[:4]):
        save_nifti(root / f"{name}.nii.gz", chest(seed=seed)[0], AFFINE)
    shutil.copy(root / "a.nii.gz", root / "e.nii.gz")
    return root


@pytest.fixture(scope="module")
def ingested(scans, tmp_path_factory):
    """A study whose notebook 02 was run once; never to be changed."""
    study = Study.create(tmp_path_factory.mktemp("made") / "study")
    study.update(scans=str(scans))
    stage = study.stage("01_cohort")
    names = [f"{name}.nii.gz" for name in IDS]
    stage.write("cohort", pd.DataFrame({"subject_id": IDS, "scan": names}))
    stage.write("exclusions", pd.DataFrame({"subject_id": ["z"], "reason": ["no scan"]}))
    stage.publish()
    run_02(study)
    stage = study.stage("03_autoencoder")
    stage.read("volumes")
    stage.write("autoencoder", {"weight": np.ones(1)})
    stage.write("autoencoder_config", {})
    stage.write("pretraining_history", pd.DataFrame({"epoch": [0], "loss": [1.0]}))
    stage.write("pretrained_features", np.zeros((len(IDS), 2)))
    stage.publish()
    return study


@pytest.fixture
def study(ingested, tmp_path):
    shutil.copytree(ingested.root, tmp_path / "study")
    return Study.open(tmp_path / "study")


def run_02(study, before_publishing=lambda: None):
    """Do what notebook 02 does."""
    stage = study.stage("02_volumes")
    cohort, root = stage.read("cohort"), stage.outside("scans")
    decisions = stage.previous("decisions")
    folder = stage.path("subjects").parent
    stage.path("qc_pages")
    qc = ingest_cohort(cohort, folder, decisions=decisions, scans_root=root, **QUICK)
    stage.write("qc", qc)
    template, affine = load_nifti(stage.path("template"))
    usable = qc.loc[qc["status"] != "excluded", ["subject_id", "status"]]
    stage.write("scans", usable)
    stage.write("lung_mask", template > 0)
    stage.write("grid", describe_grid(template.shape, affine))
    with stage.new_array("volumes", (len(usable), *template.shape), "int16") as hu:
        stack(qc, folder, hu)
    before_publishing()
    stage.publish()
    return qc.set_index("subject_id")


def review_of(study):
    return Review(study.read("qc"), study.path("qc_pages"), study.path("decisions"))


def states(study):
    return dict(study.status().set_index("stage")["status"])


def sheets(folder):
    page = (folder / "index.html").read_text()
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])["subjects"]


def test_what_was_decided_is_in_the_quality_table_and_in_the_flow(study):
    review = review_of(study)
    assert [subject["id"] for subject in review.subjects][:2] == ["a", "e"]  # to be reviewed
    assert review.to_decide == [0, 1]
    review.decide("a", "accept", note="the sister\n of e")
    review.decide("e", "reject", note="sent twice; see mail")
    before = {p: p.stat().st_mtime_ns for p in study.path("subjects").glob("[abcd]/*.nii.gz")}
    qc = run_02(study)
    assert qc.loc["a", ["status", "reason"]].tolist() == [
        "ok", "a person accepted it: the sister of e; the same image as e",
    ]  # fmt: skip
    assert qc.loc["e", ["status", "reason"]].tolist() == [
        "excluded", "a person rejected it: sent twice, see mail; the same image as a",
    ]  # fmt: skip
    assert qc["decision"].fillna("").tolist() == ["accept", "", "", "", "reject"]
    assert study.read("scans")["subject_id"].tolist() == ["a", "b", "c", "d"]
    assert study.read("volumes").shape[0] == 4
    flow = cohort_flow(qc.reset_index(), study.read("exclusions"))["n"]
    assert flow.tolist() == [6, 1, 0, 1, 4, 0]
    after = {p: p.stat().st_mtime_ns for p in study.path("subjects").glob("[abcd]/*.nii.gz")}
    assert after == before, "nobody else was registered anew"
    sheet = next(s for s in sheets(study.path("qc_pages")) if s["id"] == "e")
    assert sheet["decision"] == "reject" and sheet["picture"] == "e.png"
    again = review_of(study)
    assert (again.to_decide, again.changed) == ([], 0)


def test_a_decision_makes_02_stale_and_what_stands_on_it(study):
    assert (states(study)["02_volumes"], states(study)["03_autoencoder"]) == ("fresh", "fresh")
    review = review_of(study)
    review.decide("e", "reject")
    status = study.status().set_index("stage")
    assert status.loc["02_volumes", ["status", "why"]].tolist() == [
        "stale", "decisions has changed since",
    ]  # fmt: skip
    assert status.loc["03_autoencoder", "status"] == "stale"
    assert review.changed == 1
    with pytest.raises(StudyError, match="would rest on 02_volumes, which is stale"):
        study.stage("03_autoencoder").read("volumes")
    assert review.undo() == 1
    assert review.changed == 0
    review.decide("e", "reject")
    kept = study.path("decisions").read_bytes()
    run_02(study)
    assert study.path("decisions").read_bytes() == kept, "it survives the rerun"
    assert states(study)["02_volumes"] == "fresh"
    assert states(study)["03_autoencoder"] == "stale"
    study.path("decisions").unlink()
    assert study.status().set_index("stage").loc["02_volumes", "why"] == "decisions is gone"
    assert run_02(study).loc["e", "status"] == "review"


def test_a_decision_that_is_made_while_02_runs_is_not_passed_over(study):
    review = review_of(study)
    with pytest.raises(StudyError, match="decisions.csv was changed while 02_volumes ran"):
        run_02(study, before_publishing=lambda: review.decide("e", "reject"))
    assert study.read("qc")["decision"].isna().all()
    assert run_02(study).loc["e", "status"] == "excluded"


def test_a_decision_moves_the_template_only_where_it_must(tmp_path):
    subjects = [Subject(f"s{i:02}", tmp_path, tmp_path) for i in range(50)]
    records = {s.subject_id: {"flags": ["small"] if i % 10 == 0 else []} for i, s in
               enumerate(subjects)}  # fmt: skip

    def drawn(**decided):
        sample = draw_sample(subjects, records, 0.1, 0, decided=decided)
        return [s.subject_id for s in sample]

    first = drawn()
    assert len(first) == 5 and not {"s00", "s10", "s20", "s30", "s40"} & set(first)
    outside = next(s.subject_id for s in subjects if s.subject_id not in first)
    assert drawn(**{outside: Decision("reject"), first[0]: Decision("accept")}) == first
    records["s20"]["flags"] = []  # another series looks ordinary
    assert drawn(s20=Decision("series", series_number=3)) == first != drawn()
    records["s20"]["flags"] = ["small"]
    without = drawn(**{first[0]: Decision("reject")})
    assert len(without) == 5 and first[0] not in without


def table_of(*rows):
    columns = ["subject_id", "decision", "series_number", "note", "reason"]
    return pd.DataFrame([(*row, *[None] * (5 - len(row))) for row in rows], columns=columns)


@pytest.fixture
def two_series(tmp_path):
    for number, kernel in ((2, "B70f"), (3, "B31f")):
        write_dicom(
            chest(seed=number)[0], tmp_path / "p" / str(number), affine=AFFINE, subject_id="p",
            series_number=number, kernel=kernel,
        )  # fmt: skip
    return pd.DataFrame({"subject_id": ["p"], "scan": ["p"]})


def test_another_series_is_taken_and_stays_when_it_is_accepted(two_series, tmp_path):
    where = {"folder": tmp_path / "s", "scans_root": tmp_path}
    qc = ingest_cohort(two_series, **where, **QUICK)
    assert (qc["kernel"][0], qc["other_series"][0]) == (
        "B31f", "series 2 (68 slices of 5 mm, kernel B70f)",
    )  # fmt: skip
    file = tmp_path / "decisions.csv"
    review = Review(qc, tmp_path / "s" / "qc", file)
    review.decide("p", "series", series_number=2, note="sharp")
    decisions = check_table(read_table(file), load_schema("decisions"))
    qc = ingest_cohort(two_series, decisions=decisions, **where, **QUICK)
    assert qc["kernel"][0] == "B70f"
    assert qc["reason"][0] == "a person took series 2: sharp"
    assert qc["other_series"][0] == "series 3 (68 slices of 5 mm, kernel B31f)"
    review = Review(qc, tmp_path / "s" / "qc", file)
    review.decide("p", "accept")
    decisions = check_table(read_table(file), load_schema("decisions"))
    qc = ingest_cohort(two_series, decisions=decisions, **where, **QUICK)
    assert qc.loc[0, ["kernel", "status", "series_number"]].tolist() == ["B70f", "ok", 2]


def test_only_a_number_of_one_series_is_offered(two_series, tmp_path):
    write_dicom(
        chest(seed=4)[0], tmp_path / "p" / "4", affine=AFFINE, subject_id="p", series_number=4,
        kernel="B80f",
    )  # fmt: skip
    for file in (tmp_path / "p" / "4").iterdir():
        header = pydicom.dcmread(file)
        header.SeriesNumber = 2
        header.save_as(file)
    qc = ingest_cohort(two_series, tmp_path / "s", scans_root=tmp_path, **QUICK)
    assert (qc["kernel"][0], qc["other_series"][0]) == ("B31f", "")
    one_study = two_series.assign(study=1)
    (tmp_path / "p" / "4").rename(tmp_path / "elsewhere")
    qc = ingest_cohort(one_study, tmp_path / "t", scans_root=tmp_path, **QUICK)
    assert qc["other_series"][0] == "series 2 (68 slices of 5 mm, kernel B70f)"


def test_a_series_that_there_is_not_is_told_and_shows_no_other_picture(two_series, tmp_path):
    where = {"folder": tmp_path / "s", "scans_root": tmp_path}
    ingest_cohort(two_series, **where, **QUICK)
    assert sheets(tmp_path / "s" / "qc")[0]["picture"] == "p.png"
    qc = ingest_cohort(two_series, decisions=table_of(("p", "series", 9)), **where, **QUICK)
    assert qc["status"][0] == "excluded"
    assert qc["reason"][0].startswith("a person took series 9; expected series 9")
    assert qc["other_series"][0].count("series") == 2
    assert sheets(tmp_path / "s" / "qc")[0]["picture"] == ""
    save_nifti(tmp_path / "n.nii.gz", chest()[0], AFFINE)
    rows = pd.DataFrame({"subject_id": ["n"], "scan": ["n.nii.gz"]})
    qc = ingest_cohort(rows, decisions=table_of(("n", "series", 2)), **where, **QUICK)
    assert qc["status"][0] == "review"
    assert "series 2 was asked for, and the scan is one NIfTI volume" in qc["reason"][0]


@pytest.mark.parametrize(
    ("found", "decision", "failed", "status"),
    [
        ([SMALL], Decision("accept", reason=f"{SMALL}; cut"), False, "ok"),
        ([SMALL, "new"], Decision("accept", reason=SMALL), False, "review"),
        ([SMALL], Decision("accept", reason="nothing was found"), False, "review"),
        ([SMALL], Decision("accept"), False, "ok"),  # written by hand
        (["no lungs"], Decision("accept", reason="no lungs"), True, "excluded"),
        ([], Decision("series", series_number=3), False, "ok"),
        ([SMALL], Decision("series", series_number=3), False, "review"),
        ([], Decision("reject"), False, "excluded"),
        ([], None, False, "ok"),
    ],
)
def test_a_person_accepts_what_was_found_then(found, decision, failed, status):
    given, reasons = judged(found, decision, failed=failed)
    assert given == status
    assert reasons[-len(found) :] == found if found else len(reasons) == (decision is not None)


def test_what_did_not_settle_it_waits_again(study):
    study.path("decisions").write_text(
        "subject_id,decision,series_number,note,reason\ne,accept,,,the lungs are cut\n"
    )
    qc = run_02(study)
    assert qc.loc["e", "status"] == "review"
    assert "look again" in qc.loc["e", "reason"]
    review = review_of(study)
    assert [review.subjects[row]["id"] for row in review.to_decide] == ["e", "a"]
    review.decide("e", "accept")
    assert (len(review.to_decide), review.changed) == (1, 1)
    assert run_02(study).loc["e", "status"] == "ok"


def test_what_was_accepted_is_the_image_that_was_looked_at(study, scans, tmp_path):
    seen = study.read("qc").set_index("subject_id")["image_id"]
    assert seen["a"] == seen["e"] != seen["b"]
    file = study.path("decisions")
    head = "subject_id,decision,series_number,note,reason,image_id\n"
    rows = [f"a,accept,,,,{seen['a']}\n", f"e,accept,,,,{seen['e']}\n"]
    file.write_text("".join([head, *rows, f"d,reject,,,,{seen['b']}\n"]))
    again = tmp_path / "scans"
    shutil.copytree(scans, again)
    save_nifti(again / "e.nii.gz", chest(seed=9)[0], AFFINE)  # nothing is found about it
    study.update(scans=str(again))
    qc = run_02(study)
    told = "(it is another image since: look again)"
    assert qc.loc["a", "status"] == "ok"
    assert qc.loc["e", ["status", "reason"]].tolist() == ["review", f"a person accepted it {told}"]
    assert qc.loc["d", ["status", "reason"]].tolist() == [
        "excluded",
        f"a person rejected it {told}",
    ]
    review = review_of(study)
    assert [review.subjects[row]["id"] for row in review.to_decide] == ["e"]
    review.decide("e", "accept")
    qc = run_02(study)
    assert qc.loc["e", ["status", "reason"]].tolist() == ["ok", "a person accepted it"]


def test_a_table_that_a_spreadsheet_saved_is_understood(study):
    text = "subject_id;decision;series_number;note\r\ne;reject;;zu früh, zu kurz\r\n"
    study.path("decisions").write_bytes(text.encode("utf-8-sig"))
    assert run_02(study).loc["e", "reason"].startswith("a person rejected it: zu früh, zu kurz;")
    review = review_of(study)
    assert review.decisions[[s["id"] for s in review.subjects].index("e")]["note"] == (
        "zu früh, zu kurz"
    )
    review.decide("e", "accept")
    assert review.undo() is not None
    assert run_02(study).loc["e", "status"] == "excluded"


def test_the_last_decision_taken_back_leaves_a_table_that_can_be_read(study):
    review = review_of(study)
    review.decide("e", "reject")
    review.undo()
    assert study.path("decisions").read_text().count("\n") == 1
    assert run_02(study).loc["e", "status"] == "review"


def test_a_decision_about_nobody_is_named(study):
    study.path("decisions").write_text(
        "subject_id,decision,series_number,note\nE,reject,,capital\nb,accept,,\n"
    )
    with pytest.raises(ValueError, match=r"decisions.csv: E is not in the cohort.*exclusions.csv"):
        run_02(study)
    assert study.read("qc")["decision"].isna().all()


DAMAGED = {
    "subject_id,decision,series_number,note\ne,rejct,,\n": (
        "'rejct' is not one of 'accept', 'reject', 'series'.*; e", None,
    ),
    "subject_id,decision,series_number,note\ne,series,,\n": (
        "series_number: a value is missing", None,
    ),
    "subject_id,decision,series_number,note\ne,accept,,\ne,reject,,\n": (
        "'e' is not unique", "two for 'e'",
    ),
    "subject_id,decision\ne,reject\n": (
        "columns subject_id, decision, series_number, note, found 'subject_id, decision';",
        "has 'subject_id",
    ),
    "subject_id,decision,series_number,note\ne,reject,,a,b\n": (
        "holds values but has no name in the header", "needs quotes",
    ),
    'subject_id,decision,series_number,note\ne,reject,,"cut\na,accept,,\n': (
        "the quotes .* do not fit from line 2 on", "should close every quote .* from line 2 on",
    ),
    "subject_id,decision,series_number,note\ne,series,99999999999999999999,\n": (
        "series_number: 99999999999999999999 is a whole number of more digits", None,
    ),
    "subject_id,decision,series_number,note\na,accept,,\n,reject,,\n": (
        "subject_id: a value is missing", None,
    ),
    "subject_id,decision,series_number,note\na,accept,,\n\ne please reject,,,\n": (
        "decision: a value is missing.*; e please reject", None,
    ),
    f"subject_id,decision,series_number,note\ne,series,1{'0' * 30},\n": (
        "series_number: .* is not a integer", None,
    ),
    "\x00\x01PK": (
        "is a binary file of a kind that is not known here", "holds bytes that are no text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_told_and_left_alone(study, text):
    file = study.path("decisions")
    file.write_text(text)
    said, said_by_widget = DAMAGED[text]
    with pytest.raises(StudyError, match=f"(?s)^02_volumes/decisions.csv: .*{said}"):
        run_02(study)
    if said_by_widget:
        with pytest.raises(ValueError, match=f"decisions.csv .*{said_by_widget}"):
            review_of(study)
    assert file.read_text() == text


HOSTILE = ["..", "a/../../b", "x" * 300, "</script><img src=x onerror=alert(1)>", "=1+1", "007"]
NOTES = ["a,b;c", 'he said "no"', "=HYPERLINK(1)", "l1\nl2", "Zoë 肺", "'quoted"]


@pytest.mark.parametrize("name", ["Decisions.csv", "decisions.xlsx", "decisions.csv.txt"])
def test_decisions_under_another_name_are_not_passed_over(study, name):
    (study.root / "02_volumes" / name).write_text("subject_id,decision,series_number,note\n")
    with pytest.raises(StudyError, match=rf"expected a file of this name, found {name}; save it"):
        study.stage("02_volumes").previous("decisions")


def test_decisions_that_are_a_link_or_a_folder_are_not_passed_over(study):
    place = study.root / "02_volumes" / "decisions.csv"
    place.symlink_to("nowhere")
    with pytest.raises(StudyError, match="found a link to nothing of that name"):
        study.stage("02_volumes").previous("decisions")
    place.unlink()
    place.mkdir()
    with pytest.raises(StudyError, match="a folder of that name"):
        study.stage("02_volumes").previous("decisions")


def test_any_id_and_note_come_back_as_they_were(tmp_path):
    qc = pd.DataFrame({"subject_id": HOSTILE, "status": "review", "reason": SMALL})
    for subject in HOSTILE:
        (tmp_path / f"{path_part(subject)}.png").write_bytes(b"\x89PNG" + subject.encode())
    file = tmp_path / "decisions.csv"
    review = Review(qc, tmp_path, file)
    for subject, note in zip(HOSTILE, NOTES, strict=True):
        review.decide(subject, "reject", note=note)
    kept = [known["note"] for known in Review(qc, tmp_path, file).decisions]
    assert kept == NOTES
    assert review.picture == b"\x89PNG.."
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    assert table["note"][2] == "'=HYPERLINK(1)", "no spreadsheet runs it"
    path = write_index(qc.assign(reason=NOTES), tmp_path)
    assert path.read_text().count("</script>") == 2
    assert [sheet["id"] for sheet in sheets(tmp_path)] == by_suspicion(
        qc.assign(reason=NOTES)
    )["subject_id"].tolist()  # fmt: skip
    assert sorted(sheet["reason"] for sheet in sheets(tmp_path)) == sorted(NOTES)


def test_what_others_write_into_the_file_stays(tmp_path):
    qc = pd.DataFrame({"subject_id": ["a", "b"], "status": "review", "reason": SMALL})
    file = tmp_path / "decisions.csv"
    review = Review(qc, tmp_path, file, decided_by="reader 1")
    file.write_bytes(  # as a spreadsheet of western Europe saves it
        "subject_id;decision;series_number;note;day\r\nb;accept;;schön;Monday\r\n".encode("latin-1")
    )
    review.decide("a", "reject")
    table = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("subject_id")
    assert table.loc["b", ["decision", "note", "day"]].tolist() == ["accept", "schön", "Monday"]
    assert table.loc["a", ["decision", "reason", "decided_by"]].tolist() == [
        "reject", SMALL, "reader 1",
    ]  # fmt: skip
    review.decide("b", "reject", note="second thought")
    table = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("subject_id")
    assert table.loc["b", ["decision", "day"]].tolist() == ["reject", "Monday"]
    assert review.undo() == 1 and review.undo() == 0 and review.undo() is None
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    assert table[["subject_id", "decision", "note", "day"]].to_numpy().tolist() == [
        ["b", "accept", "schön", "Monday"]
    ]


def test_of_two_windows_none_saves_over_what_it_has_not_shown(tmp_path):
    qc = pd.DataFrame({"subject_id": ["a", "b"], "status": "review", "reason": SMALL})
    one, two = (Review(qc, tmp_path, tmp_path / "decisions.csv") for _ in range(2))
    one.decide("a", "reject", note="moved")
    two.decide("b", "accept")
    assert [known["decision"] for known in two.decisions] == ["reject", "accept"]
    with pytest.raises(ValueError, match="b was decided somewhere else meanwhile"):
        one.decide("b", "reject")
    assert one.decisions == two.decisions  # it is shown now, and may be changed
    one.decide("b", "reject")
    with pytest.raises(ValueError, match="b was decided somewhere else"):
        two.undo()
    table = pd.read_csv(tmp_path / "decisions.csv", dtype=str, keep_default_na=False)
    assert table[["subject_id", "decision", "note"]].to_numpy().tolist() == [
        ["a", "reject", "moved"], ["b", "reject", ""],
    ]  # fmt: skip


def decide_all(folder, ids):
    qc = pd.DataFrame({"subject_id": IDS * 8, "status": "review", "reason": SMALL})
    qc["subject_id"] = [f"{name}{i}" for i, name in enumerate(qc["subject_id"])]
    review = Review(qc, folder, folder / "decisions.csv")
    for row in ids:
        review.decide(qc["subject_id"][row], "reject")


def test_two_windows_at_the_same_time_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    halves = [range(0, 40, 2), range(1, 40, 2)]
    windows = [context.Process(target=decide_all, args=(tmp_path, half)) for half in halves]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert [window.exitcode for window in windows] == [0, 0]
    assert len(pd.read_csv(tmp_path / "decisions.csv")) == 40


def test_a_full_disk_loses_no_earlier_decision(tmp_path, monkeypatch):
    qc = pd.DataFrame({"subject_id": ["a", "b"], "status": "review", "reason": SMALL})
    review = Review(qc, tmp_path, tmp_path / "decisions.csv")
    review.decide("a", "reject")
    kept = (tmp_path / "decisions.csv").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            review.decide("b", "reject")
    assert (tmp_path / "decisions.csv").read_bytes() == kept
    assert [known and known["decision"] for known in review.decisions] == ["reject", None]
    review.decide("b", "reject")
    assert [known["decision"] for known in review.decisions] == ["reject", "reject"]


def test_what_cannot_be_is_refused_and_nothing_is_shown_as_decided(tmp_path):
    qc = pd.DataFrame({"subject_id": ["a", "f"], "status": ["review", "excluded"], "reason": SMALL})
    review = Review(qc, tmp_path, tmp_path / "decisions.csv")
    for asked, said in (
        (("f", "accept"), "could not be used"),
        (("q", "accept"), "found 'q'"),
        (("a", "maybe"), "found 'maybe'"),
        (("a", "series"), "number of a series"),
    ):
        with pytest.raises(ValueError, match=said):
            review.decide(*asked)
    (tmp_path / "file").write_text("in the way")
    refused = Review(qc, tmp_path, tmp_path / "file" / "decisions.csv")
    with pytest.raises(OSError):
        refused.decide("a", "reject")
    assert refused.decisions == review.decisions == [None, None]
    assert refused.undo() is None
    assert not (tmp_path / "decisions.csv").exists()


def test_a_thousand_pictures_stay_on_the_disk(tmp_path):
    ids = [f"S{i:04}" for i in range(1000)]
    qc = pd.DataFrame({"subject_id": ids, "status": "review", "reason": SMALL})
    for subject in ids:
        (tmp_path / f"{subject}.png").write_bytes(bytes(2000))
    review = Review(qc, [tmp_path / "gone", tmp_path], tmp_path / "decisions.csv")
    assert len(review.picture) == 2000
    state = review.get_state()
    assert len(json.dumps({k: v for k, v in state.items() if k[0] != "_" and k != "picture"},
                          default=str)) < 250_000  # fmt: skip


def test_the_most_suspicious_come_first():
    qc = pd.DataFrame(
        [
            ("fits", "ok", "", 0.97), ("fits badly", "ok", "", 0.91),
            ("accepted", "ok", "a person accepted it; small; cut", 0.95),
            ("one", "review", "small", 0.9), ("two", "review", "small; cut", 0.95),
            ("one, worse", "review", "small", 0.8), ("failed", "excluded", "no lungs", None),
        ],
        columns=["subject_id", "status", "reason", "dice"],
    )  # fmt: skip
    assert by_suspicion(qc)["subject_id"].tolist() == [
        "failed", "two", "one, worse", "one", "fits badly", "accepted", "fits",
    ]  # fmt: skip
