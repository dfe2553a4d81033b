"""A cohort goes through, whatever one of its scans is, and goes on where it was stopped."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from ingest_phantom import AFFINE, chest

from clamlab.ingest import IngestError, follow, ingest_cohort, ingest_forecast, stack
from clamlab.ingest.cohort.subjects import Subject, recorded
from clamlab.paths import path_part
from clamlab.simulate.dicom import write_dicom
from clamlab.volumes import load_nifti, save_nifti

QUICK = {"spacing_mm": 10.0, "registration": "affine", "progress": False}
SCALES = {"S-1": (1, 1, 1), "S_2": (0.92, 1.05, 1.0), "S-3_b": (1.05, 0.95, 0.93)}


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Three chests, one of them DICOM; a copy; a chest without air; a path to nothing."""
    root = tmp_path_factory.mktemp("scans")
    for seed, (name, scale) in enumerate(SCALES.items()):
        volume, _ = chest(seed=seed, scale=scale)
        if name == "S_2":
            write_dicom(volume, root / name, affine=AFFINE, subject_id=name)
        else:
            save_nifti(root / f"{name}.nii.gz", volume, AFFINE)
    dense = np.where(chest()[1] > 0, 20, chest()[0])
    save_nifti(root / "dense.nii.gz", dense.astype("int16"), AFFINE)
    return root


@pytest.fixture(scope="module")
def cohort():
    names = ["S-1.nii.gz", "S_2", "S-3_b.nii.gz", "dense.nii.gz", "nowhere", "S-1.nii.gz"]
    ids = [*SCALES, "dense", "gone", "twin"]
    return pd.DataFrame({"subject_id": ids, "scan": names})


@pytest.fixture(scope="module")
def done(scans, cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "02_volumes"
    return folder, ingest_cohort(cohort, folder, scans_root=scans, **QUICK)


def test_every_subject_has_a_status_and_a_reason(done, cohort):
    _, qc = done
    assert qc["subject_id"].tolist() == cohort["subject_id"].tolist()
    status = qc.set_index("subject_id")["status"].to_dict()
    assert status == {
        "S-1": "review", "S_2": "ok", "S-3_b": "ok", "dense": "excluded", "gone": "excluded",
        "twin": "review",
    }  # fmt: skip
    reason = qc.set_index("subject_id")["reason"]
    assert reason["S-1"] == "the same image as twin"
    assert "the right and the left lung was not found" in reason["dense"]
    assert "gas beside the lung" in reason["dense"]
    assert "found nothing" in reason["gone"] and "/" not in reason["gone"]
    assert reason["S_2"] == ""


def test_measures_are_the_scans_own(done):
    qc = done[1].set_index("subject_id")
    for seed, (name, scale) in enumerate(SCALES.items()):
        volume, truth = chest(seed=seed, scale=scale)
        assert qc.loc[name, "right_ml"] == pytest.approx((truth == 1).sum() * 0.08, rel=0.05)
        assert qc.loc[name, "mean_lung_hu"] == pytest.approx(-850, abs=25)
        assert qc.loc[name, "dice"] > 0.93
    assert qc.loc["S_2", "scanner_model"] == "Definition AS+"
    assert qc.loc["S_2", "slices"] == 68


def test_volumes_lie_on_the_grid_in_hu(done):
    folder, qc = done
    template, affine = load_nifti(folder / "template.nii.gz")
    used = qc.loc[qc["status"] != "excluded", "subject_id"]
    out = np.zeros((len(used), *template.shape), "int16")
    assert stack(qc, folder, out) is out
    lungs = template > 0
    for row, subject in enumerate(used):
        volume, own = load_nifti(folder / "scans" / subject / "registered.nii.gz")
        assert np.array_equal(out[row], volume)
        assert np.allclose(own, affine)
        inside = volume[lungs]
        assert inside.mean() == pytest.approx(-850, abs=15)  # at 10 mm, no wall is mixed in
        assert volume.max() > 20  # the chest around the lungs is there to be looked at
        labels, _ = load_nifti(folder / "scans" / subject / "registered_lungs.nii.gz")
        missing = lungs & (labels == 0)
        share = qc.set_index("subject_id").loc[subject, "filled_fraction"]
        assert missing.sum() / lungs.sum() == pytest.approx(share, abs=1e-3)
        assert inside.max() < -600 and len(np.unique(volume[missing])) > 5  # lung, not one value
    with pytest.raises(ValueError, match=f"room for {len(used)} volumes"):
        stack(qc, folder, out[:-1])


def test_a_point_goes_the_way_its_scan_went(done, scans, tmp_path):
    """A lesion drawn on the scan lands where the registered scan shows it."""
    folder, _ = done
    template, affine = load_nifti(folder / "template.nii.gz")
    _, truth = chest(seed=2, scale=SCALES["S-3_b"])
    save_nifti(tmp_path / "left.nii.gz", (truth == 2).astype("uint8"), AFFINE)
    on_grid = follow(
        tmp_path / "left.nii.gz", folder / "scans" / "S-3_b", template=template, affine=affine
    )
    labels, _ = load_nifti(folder / "scans" / "S-3_b" / "registered_lungs.nii.gz")
    assert 2 * (on_grid & (labels == 2)).sum() / (on_grid.sum() + (labels == 2).sum()) > 0.93


def test_pictures_and_their_page(done, cohort):
    folder, qc = done
    sheets = sheets_of(folder)
    pictures = {sheet["id"]: sheet["picture"] for sheet in sheets}
    assert pictures.keys() == set(cohort["subject_id"])
    for subject in [*SCALES, "dense"]:
        assert (folder / "qc" / f"{subject}.png").read_bytes().startswith(b"\x89PNG")
        assert pictures[subject] == f"{subject}.png"
    assert pictures["gone"] == ""
    status = [sheet["status"] for sheet in sheets]
    assert status == ["excluded"] * 2 + ["review"] * 2 + ["ok"] * 2  # trouble first


def sheets_of(folder):
    """The subjects of the index page, in its order, as the browser reads them."""
    page = (folder / "qc" / "index.html").read_text()
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(data)["subjects"]


def test_nothing_half_written_and_nothing_of_a_patient(done):
    folder, _ = done
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]
    state = json.loads((folder / "scans" / "S_2" / "state.json").read_text())
    assert set(state["read"]["facts"]) <= {
        "format", "slices", "slices_left_out", "slices_filled", "resampled", "hu_difference",
        "thickness_mm", "spacing_mm", "coverage_mm", "kernel", "contrast", "manufacturer",
        "scanner_model", "kvp", "image_type",
    }  # fmt: skip


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("scans/*/*.nii.gz")}


def test_a_second_run_computes_nothing_and_a_changed_scan_only_itself(scans, cohort, tmp_path):
    rows = cohort[:2]
    first = ingest_cohort(rows, tmp_path / "s", scans_root=scans, **QUICK)
    before = times(tmp_path / "s")
    again = ingest_cohort(rows, tmp_path / "s", scans_root=scans, **QUICK)
    assert times(tmp_path / "s") == before
    pd.testing.assert_frame_equal(first, again)
    (tmp_path / "s" / "scans" / "S-1" / "registered.nii.gz").unlink()
    ingest_cohort(rows, tmp_path / "s", scans_root=scans, **QUICK)
    changed = {path.parent.name for path, at in times(tmp_path / "s").items() if at != before[path]}
    assert changed == {"S-1"}
    finer = ingest_cohort(rows, tmp_path / "s", scans_root=scans, **{**QUICK, "spacing_mm": 8.0})
    assert load_nifti(tmp_path / "s" / "template.nii.gz")[1][0, 0] == 8.0
    assert (finer["dice"] > 0.9).all()


def test_a_killed_run_goes_on_to_the_same_result(scans, cohort, done, tmp_path):
    folder, whole = done
    code = (
        "import sys, pandas as pd\nfrom clamlab.ingest import ingest_cohort\n"
        f"cohort = pd.DataFrame({cohort.to_dict('list')!r})\n"
        f"ingest_cohort(cohort, sys.argv[1], scans_root={str(scans)!r}, **{QUICK!r})\n"
    )
    target = tmp_path / "killed"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for wanted in ("scans/S-1/lungs.nii.gz", ".template-so-far.nii.gz", "scans/S-1/registered*"):
        run = subprocess.Popen([sys.executable, "-c", code, str(target)], env=environment)
        deadline = time.monotonic() + 60
        while not list(target.glob(wanted)) and run.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
    qc = ingest_cohort(cohort, target, scans_root=scans, **QUICK)
    pd.testing.assert_frame_equal(qc.drop(columns="seconds"), whole.drop(columns="seconds"))
    for subject in SCALES:
        name = f"scans/{subject}/registered.nii.gz"
        assert np.array_equal(load_nifti(target / name)[0], load_nifti(folder / name)[0])
    assert not list(target.glob(".template*"))


def test_processes_give_what_one_gives(scans, cohort, done, tmp_path):
    _, whole = done
    parallel = ingest_cohort(cohort, tmp_path, scans_root=scans, n_jobs=2, **QUICK)
    pd.testing.assert_frame_equal(parallel.drop(columns="seconds"), whole.drop(columns="seconds"))


def test_a_mask_of_the_users_own_is_taken(scans, tmp_path):
    """Where one lung is too dense to be found, the mask says where it is."""
    volume, labels = chest()
    dense = np.where(labels == 2, 20, volume).astype("int16")
    save_nifti(scans / "half.nii.gz", dense, AFFINE)
    save_nifti(scans / "own_mask.nii.gz", labels, AFFINE)
    rows = pd.DataFrame(
        {"subject_id": ["half"], "scan": ["half.nii.gz"], "lung_mask": ["own_mask.nii.gz"]}
    )
    without = ingest_cohort(rows.drop(columns="lung_mask"), tmp_path, scans_root=scans, **QUICK)
    assert "the left lung was not found" in without["reason"][0]
    qc = ingest_cohort(rows, tmp_path, scans_root=scans, **QUICK)
    assert -560 < qc["mean_lung_hu"][0] < -420  # the dense lung is in it
    assert qc["lung_mask"][0] == "lungs (told by its labels)"
    assert qc["left_ml"][0] == pytest.approx((labels == 2).sum() * 0.08, rel=0.03)
    named = ingest_cohort(rows, tmp_path, scans_root=scans, mask_labels="lungmask-lobes", **QUICK)
    assert (
        "its lung mask, read as lungmask-lobes: expected it to hold at least 90% of the right lung"
        in (named["reason"][0])
    )
    with pytest.raises(ValueError, match="mask_labels must be one of lungs, lungmask-lobes"):
        ingest_cohort(rows, tmp_path, scans_root=scans, mask_labels="lobes", **QUICK)


def test_a_full_disk_is_said_clearly_and_leaves_valid_files(scans, cohort, tmp_path):
    code = (
        "import resource, signal, sys, pandas as pd\nfrom clamlab.ingest import ingest_cohort\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n"
        f"cohort = pd.DataFrame({cohort[:1].to_dict('list')!r})\n"
        f"ingest_cohort(cohort, sys.argv[1], scans_root={str(scans)!r}, **{QUICK!r})\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "cannot write to" in run.stderr
    assert "finished subjects are kept" in run.stderr
    qc = ingest_cohort(cohort[:1], tmp_path, scans_root=scans, **QUICK)
    assert qc["status"][0] == "ok"


def test_a_folder_that_cannot_be_made(scans, cohort, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="cannot write to"):
        ingest_cohort(cohort, tmp_path / "file" / "study", scans_root=scans, **QUICK)


READY = {"registration": "none", "progress": False}


def test_ready_made_volumes_are_checked_and_taken(tmp_path):
    rows = pd.DataFrame({"subject_id": ["a-1", "b_2"], "scan": ["a.nii.gz", "b.nii.gz"]})
    volumes = [chest(seed=seed)[0] for seed in (0, 1)]
    for name, volume in zip(rows["scan"], volumes, strict=True):
        save_nifti(tmp_path / name, volume.clip(-1024), AFFINE)
    qc = ingest_cohort(rows, tmp_path / "majority", scans_root=tmp_path, **READY)
    assert (qc["status"] == "ok").all()
    out = np.zeros((2, *volumes[0].shape), "int16")
    stack(qc, tmp_path / "majority", out)
    assert np.array_equal(out, [volume.clip(-1024) for volume in volumes])
    mask, affine = load_nifti(tmp_path / "majority" / "template.nii.gz")
    assert np.allclose(affine, AFFINE)
    assert (mask == chest()[1]).mean() > 0.98
    save_nifti(tmp_path / "mask.nii.gz", chest()[1] > 0, AFFINE)
    given = ingest_cohort(
        rows, tmp_path / "given", scans_root=tmp_path, template=tmp_path / "mask.nii.gz", **READY
    )
    assert (given["status"] == "ok").all()
    assert np.array_equal(load_nifti(tmp_path / "given" / "template.nii.gz")[0], chest()[1] > 0)


def test_ready_made_volumes_on_two_grids_are_named(tmp_path):
    rows = pd.DataFrame({"subject_id": ["a", "b"], "scan": ["a.nii.gz", "b.nii.gz"]})
    save_nifti(tmp_path / "a.nii.gz", chest()[0], AFFINE)
    save_nifti(tmp_path / "b.nii.gz", chest()[0][:-1], AFFINE)
    with pytest.raises(IngestError, match=r"one grid.* b \(95, 72, 68\)"):
        ingest_cohort(rows, tmp_path / "s", scans_root=tmp_path, **READY)


def test_slices_of_one_plane_enter_too(tmp_path):
    rows = pd.DataFrame({"subject_id": ["a", "b"], "scan": ["a.nii.gz", "b.nii.gz"]})
    for name in rows["scan"]:
        save_nifti(tmp_path / name, chest()[0][:, :, 30:31], AFFINE)
    save_nifti(tmp_path / "mask.nii.gz", chest()[1][:, :, 30:31], AFFINE)
    qc = ingest_cohort(
        rows, tmp_path / "s", scans_root=tmp_path, template=tmp_path / "mask.nii.gz", **READY
    )
    assert "the same image as" in qc["reason"][0]
    assert stack(qc, tmp_path / "s", np.zeros((2, 96, 72, 1), "int16")).min() < -800


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ({"subject_id": ["a"]}, {}, "columns subject_id and scan"),
        ({"subject_id": ["a", "a"], "scan": ["x", "y"]}, {}, "repeated: a"),
        ({"subject_id": ["a"], "scan": ["x"]}, {"registration": "bspline"}, "registration must"),
        ({"subject_id": ["a"], "scan": ["x"]}, {"spacing_mm": 0}, "spacing_mm must"),
        ({"subject_id": ["a"], "scan": ["x"]}, {"template_share": 0}, "template_share must"),
    ],
)
def test_bad_arguments_are_refused(rows, options, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        ingest_cohort(pd.DataFrame(rows), tmp_path, progress=False, **options)


HOSTILE = ["..", "a/../../b", "x" * 300, r"$\no$", "100% b#?"]


def test_a_subject_called_anything_has_files_of_its_own(scans, tmp_path):
    rows = pd.DataFrame({"subject_id": HOSTILE, "scan": "S-1.nii.gz"})
    folder = tmp_path / "study" / "02_volumes"
    qc = ingest_cohort(rows, folder, scans_root=scans, **QUICK)
    assert qc["subject_id"].tolist() == HOSTILE
    assert set(qc["status"]) == {"review"}, qc["reason"]  # all the same image, and said to be
    assert [p.name for p in tmp_path.iterdir()] == ["study"]
    assert [p.name for p in (tmp_path / "study").iterdir()] == ["02_volumes"]
    assert sorted(p.name for p in folder.iterdir()) == [
        "qc", "scans", "template.json", "template.nii.gz",
    ]  # fmt: skip
    names = {p.name for p in (folder / "scans").iterdir()}
    assert names == {path_part(subject) for subject in HOSTILE}
    pictures = {f"{name}.png" for name in names}
    assert {p.name for p in (folder / "qc").iterdir()} == pictures | {"index.html"}
    links = [unquote(sheet["picture"]) for sheet in sheets_of(folder)]
    assert sorted(links) == sorted(pictures)
    out = np.zeros((len(HOSTILE), *load_nifti(folder / "template.nii.gz")[0].shape), "int16")
    assert (stack(qc, folder, out) == out[0]).all() and out[0].min() < -700


def test_ids_that_cannot_be_used_fail_alone(scans, tmp_path):
    ids = ["S-1", "s-1", "a\udcff", None, "", "good", "long", "nowhere"]
    paths = ["S-1.nii.gz"] * 6 + ["x" * 300, None]
    rows = pd.DataFrame({"subject_id": ids, "scan": paths})
    qc = ingest_cohort(rows, tmp_path, scans_root=scans, **QUICK)
    assert qc["subject_id"].tolist() == [
        "S-1", "s-1", r"a\udcff", "(row 4)", "(row 5)", "good", "long", "nowhere",
    ]  # fmt: skip
    assert qc["status"].tolist() == ["excluded"] * 5 + ["ok"] + ["excluded"] * 2
    assert "'s-1' only in capital" in qc["reason"][0] and "'S-1' only" in qc["reason"][1]
    assert "broken character" in qc["reason"][2] and "no id" in qc["reason"][3]
    assert "column scan" in qc["reason"][6] and "too long" in qc["reason"][6]
    assert "names no scan" in qc["reason"][7]
    assert [p.name for p in (tmp_path / "scans").iterdir()] == ["good"]
    qc.to_csv(tmp_path / "qc.csv")
    assert qc["reason"][3] in [sheet["reason"] for sheet in sheets_of(tmp_path)]


def test_a_link_to_nothing_is_the_affair_of_its_own_scan(scans, tmp_path):
    shutil.copytree(scans / "S_2", tmp_path / "scans" / "linked")
    (tmp_path / "scans" / "linked" / "lost.dcm").symlink_to("nowhere")
    good = scans / "S-1.nii.gz"
    rows = pd.DataFrame({"subject_id": ["linked", "good"], "scan": ["linked", str(good)]})
    qc = ingest_cohort(rows, tmp_path / "s", scans_root=tmp_path / "scans", **QUICK)
    assert qc["status"].tolist() == ["review", "ok"]
    assert qc["reason"][0].startswith("left out 1 file(s): file 1 is a link to nothing")


def test_reasons_name_no_file_of_a_patient(scans, tmp_path):
    """Hospitals name files and folders after patients; reasons are read and passed on."""
    root = tmp_path / "scans"
    shutil.copytree(scans / "S_2", root / "DOE_JANE_1")
    first = sorted((root / "DOE_JANE_1").iterdir())[0]
    first.rename(first.with_name("DOE_JANE.dcm")).write_bytes(first.name.encode())
    shutil.copytree(scans / "S_2", root / "DOE_JANE_2")
    for file in (root / "DOE_JANE_2").iterdir():
        file.rename(file.with_name(f"DOE_JANE_{file.name}")).write_bytes(b"\0" * 128 + b"DICMx")
    (root / "DOE_JANE_3.nii.gz").write_bytes(b"no image")
    save_nifti(root / "DOE_JANE_4.nii.gz", np.zeros((4, 4, 4), "int16"), AFFINE)
    names = ["DOE_JANE_1", "DOE_JANE_2", "DOE_JANE_3.nii.gz", "DOE_JANE_4.nii.gz", "DOE_JANE_5"]
    rows = pd.DataFrame({"subject_id": list("abcde"), "scan": names})
    qc = ingest_cohort(rows, tmp_path / "s", scans_root=root, **QUICK)
    assert (qc["status"] == "excluded")[1:].all(), qc["reason"].tolist()
    assert qc["reason"][1:].str.len().min() > 20
    assert "DOE_JANE" not in qc.to_csv()
    for state in (tmp_path / "s").rglob("*.json"):
        assert "DOE_JANE" not in state.read_text(), state


def test_a_cohort_of_nothing_usable_is_told_not_raised(tmp_path):
    rows = pd.DataFrame({"subject_id": ["a"], "scan": ["x"]})
    qc = ingest_cohort(rows, tmp_path, progress=False)
    assert qc["status"].tolist() == ["excluded"]


def test_the_forecast_is_measured_on_a_scan(scans, cohort):
    said = ingest_forecast(
        cohort, scans_root=scans, spacing_mm=10.0, registration="affine", n_jobs=2
    )
    assert "on disk" in said and "At 20 mm instead of 10 mm" in said
    assert "No forecast" in ingest_forecast(cohort[4:5], scans_root=scans)
    with pytest.raises(ValueError, match="registration must be one of"):
        ingest_forecast(cohort, scans_root=scans, registration="nonlinear")


def test_a_killed_run_with_other_settings_leaves_nothing_under_the_old_record(tmp_path):
    subject = Subject("a", tmp_path / "a.nii", tmp_path / "a")

    def work(subject, made, killed=False):
        (subject.folder / "image").write_text(made)
        if killed:
            raise KeyboardInterrupt
        return {"files": ["image"]}

    recorded(subject, "read", "10 mm", work, "coarse")
    with pytest.raises(KeyboardInterrupt):
        recorded(subject, "read", "5 mm", work, "fine", True)
    recorded(subject, "read", "10 mm", work, "coarse")
    assert (tmp_path / "a" / "image").read_text() == "coarse"
