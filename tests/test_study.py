"""The rules that make a study folder safe."""

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clamlab.schema import TableError
from clamlab.study import ARTEFACTS, STAGES, Study, StudyError, arrays, lock, rows_kept
from clamlab.study.files import write_file

IDS = ["b-2", "a_1", "007"]


@pytest.fixture
def study(tmp_path):
    """A study with a cohort of three and its volumes."""
    study = Study.create(tmp_path / "study")
    table = pd.DataFrame({"subject_id": IDS, "scan": IDS})
    cohort = study.stage("01_cohort")
    cohort.write("cohort", table)
    cohort.write("exclusions", pd.DataFrame({"subject_id": [], "reason": []}, dtype="string"))
    cohort.publish()
    prepare(study, table)
    return study


def prepare(study, table, seed=1, outside=()):
    stage = study.stage("02_volumes", seed=seed)
    stage.read("cohort")
    for name in outside:
        stage.outside(name)
    stage.write("scans", table[["subject_id"]])
    stage.write("volumes", np.arange(24, dtype="int16").reshape(3, 2, 2, 2))
    stage.write("lung_mask", np.ones((2, 2, 2), bool))
    stage.write("qc", pd.DataFrame({"subject_id": IDS, "status": "ok", "reason": ""}))
    stage.write("grid", {"spacing_mm": [3.0, 3.0, 3.0]})
    stage.path("template").write_bytes(b"template")
    stage.publish()


def pretrain(study):
    stage = study.stage("03_autoencoder", seed=1)
    stage.read("volumes")
    stage.write("autoencoder", {"weight": np.ones(2, "float32")})
    stage.write("autoencoder_config", {"shape": [2, 2, 2]})
    stage.write("pretraining_history", pd.DataFrame({"epoch": [1], "loss": [0.5]}))
    stage.write("pretrained_features", np.zeros((3, 4), "float32"))
    stage.publish()


def choose(study, choice=None):
    stage = study.stage("04_n_clusters")
    stage.read("pretrained_features")
    stage.write("criteria", pd.DataFrame({"n_clusters": [1, 2], "silhouette": 0.3, "gap": 0.1}))
    stable = {"subject_id": IDS, "cluster": 0, "agreement": 1.0, "borderline": False}
    stage.write("stability", pd.DataFrame(stable))
    parts = {"agreement": 1.0, "jaccard": 1.0, "apart": True}
    told = {"subject_id": IDS, "n_clusters": 2, "cluster": 0, **parts}
    stage.write("partitions", pd.DataFrame(told))
    stage.write("choice", choice or {"n_clusters": 2})
    stage.publish()


def states(study):
    return dict(study.status().set_index("stage")["status"])


def test_a_new_study_is_hidden_from_git_and_has_its_own_notebooks(tmp_path):
    study = Study.create(tmp_path / "study", name="lungs", simulated=True)
    assert (study.root / ".gitignore").read_text() == "*\n"
    assert (study.root / "schemas" / "scans.schema.json").is_file()
    assert study.settings == {"name": "lungs", "simulated": True}
    assert set(states(study).values()) == {"missing"}


def test_a_folder_with_something_in_it_is_not_taken(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(StudyError, match="not empty"):
        Study.create(tmp_path)


def test_a_study_is_found_from_within(study, monkeypatch):
    monkeypatch.chdir(study.root / "notebooks")
    assert Study.open().root == study.root
    monkeypatch.chdir(study.root.parent)
    with pytest.raises(StudyError, match="clamlab init"):
        Study.open()


def test_what_was_written_comes_back(study):
    assert study.read("scans")["subject_id"].tolist() == IDS  # 007 is not 7
    assert study.read("volumes")[2, 1, 1, 1] == 23
    pretrain(study)
    assert study.read("autoencoder")["weight"].tolist() == [1, 1]
    assert study.read("autoencoder_config") == {"shape": [2, 2, 2]}


def test_floats_survive_the_table(study):
    values = [0.1 + 0.2, 1 / 3, 1e-300]
    stage = study.stage("03_autoencoder")
    stage.write("pretraining_history", pd.DataFrame({"epoch": [1, 2, 3], "loss": values}))
    assert stage.read("pretraining_history")["loss"].tolist() == values


def test_arrays_are_read_only(study):
    with pytest.raises(ValueError, match="read-only"):
        study.read("volumes")[0] = 0


@pytest.mark.parametrize("n", [2, 4])
def test_another_number_of_rows_is_refused(study, n):
    stage = study.stage("03_autoencoder")
    with pytest.raises(StudyError, match=f"{n} rows, but scans.csv lists 3"):
        stage.write("pretrained_features", np.zeros((n, 4)))
    assert not study.path("pretrained_features").exists()


def test_another_order_of_rows_is_refused(study):
    wrong = pd.DataFrame({"subject_id": IDS[::-1], "cluster": 0, "confidence": 1.0})
    with pytest.raises(StudyError, match="row 1 is '007', expected 'b-2'"):
        study.stage("05_clusters").write("assignments", wrong)


def test_data_flow_one_way(study):
    with pytest.raises(StudyError, match="05_clusters writes it, and data flow one way"):
        study.stage("03_autoencoder").read("features")
    with pytest.raises(StudyError, match="belongs to 05_clusters"):
        study.stage("06_clam").write("features", np.zeros((3, 4)))


def test_what_is_missing_names_its_notebook(study):
    with pytest.raises(StudyError, match="run notebook 03_autoencoder first"):
        study.stage("05_clusters").read("pretrained_features")


def test_a_table_that_breaks_its_contract_is_not_written(study):
    wrong = pd.DataFrame({"subject_id": IDS, "cluster": [0, -1, 1], "confidence": [0.5, 0.5, 7]})
    with pytest.raises(TableError) as caught:
        study.stage("05_clusters").write("assignments", wrong)
    assert "a_1" in str(caught.value)
    assert "007" in str(caught.value)
    assert not study.path("assignments").exists()


def test_staleness_reaches_through(study):
    pretrain(study)
    choose(study)
    assert states(study)["02_volumes"] == states(study)["04_n_clusters"] == "fresh"
    study.write("cohort", study.read("cohort").assign(scan="elsewhere"))
    status = study.status().set_index("stage")
    assert status["status"][["02_volumes", "03_autoencoder", "04_n_clusters"]].tolist() == [
        "stale",
        "stale",
        "stale",
    ]
    assert status["why"]["02_volumes"] == "cohort has changed since"
    assert status["why"]["04_n_clusters"] == "03_autoencoder is stale"


def test_a_stage_begun_anew_leaves_the_earlier_one_whole_until_it_is_published(study):
    pretrain(study)
    stage = study.stage("03_autoencoder", seed=2)
    stage.write("autoencoder_config", {"shape": [4, 4, 4]})
    assert study.read("autoencoder_config") == {"shape": [2, 2, 2]}
    row = study.status().set_index("stage").loc["03_autoencoder"]
    assert row["status"] == "fresh" and "did not come to its end" in row["why"]
    with pytest.raises(StudyError, match="not complete: .* not written autoencoder.safetensors"):
        stage.publish()
    assert study.read("autoencoder_config") == {"shape": [2, 2, 2]}


def test_a_stage_that_failed_its_last_check_is_not_there(study):
    stage = study.stage("03_autoencoder")
    stage.read("volumes")
    stage.write("autoencoder_config", {"shape": [2, 2, 2]})
    row = study.status().set_index("stage").loc["03_autoencoder"]
    assert row["status"] == "missing" and "03_autoencoder/unfinished" in row["why"]
    with pytest.raises(StudyError, match="run notebook 03_autoencoder first"):
        study.stage("04_n_clusters").read("autoencoder_config")


def test_what_was_altered_by_hand_is_told(study):
    pretrain(study)
    path = study.path("pretrained_features")
    np.save(path, np.ones((3, 4), "float32"))
    row = study.status().set_index("stage").loc["03_autoencoder"]
    assert row["status"] == "altered" and "features.npy" in row["why"]
    stamp = path.stat()
    np.save(path, np.full((3, 4), 2, "float32"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert study.status(verify=True).set_index("stage")["status"]["03_autoencoder"] == "altered"


def test_a_copied_study_is_as_fresh_as_its_original(study, tmp_path):
    pretrain(study)
    choose(study)
    shutil.copytree(study.root, tmp_path / "copy", copy_function=shutil.copy)  # with new times
    copy = Study.open(tmp_path / "copy")
    assert states(copy)["04_n_clusters"] == "fresh"
    assert not copy.status(verify=True)["status"].isin(["stale", "altered"]).any()


def test_a_stale_stage_is_built_on_only_when_it_is_named(study):
    pretrain(study)
    study.write("cohort", study.read("cohort").assign(scan="elsewhere"))
    with pytest.raises(StudyError, match="03_autoencoder, which is stale .*--stale 03"):
        study.stage("04_n_clusters").read("pretrained_features")
    told = Study.open(study.root, stale=["03"])
    assert told.stage("04_n_clusters").read("pretrained_features").shape == (3, 4)
    with pytest.raises(StudyError, match="--stale 02"):
        told.stage("04_n_clusters").read("scans")


def test_an_input_that_changes_while_a_stage_runs_is_told(study):
    pretrain(study)
    choose(study)
    stage = study.stage("04_n_clusters")
    stage.read("pretrained_features")
    decision = stage.previous("choice")
    stage.write("choice", decision)
    stage.write("criteria", study.read("criteria"))
    stage.write("stability", study.read("stability"))
    stage.write("partitions", study.read("partitions"))
    study.path("choice").write_text('{"n_clusters": 7, "decided_by": "a reader"}')
    with pytest.raises(StudyError, match="choice.json was changed while 04_n_clusters ran"):
        stage.publish()
    assert study.read("choice")["n_clusters"] == 7


def test_a_persons_choice_makes_what_follows_stale_but_not_the_choice(study):
    pretrain(study)
    choose(study)
    stage = study.stage("05_clusters")
    stage.read("choice")
    for name in ("features", "soft_assignments"):
        stage.write(name, np.zeros((3, 2)))
    stage.write("deep_clustering", {"w": np.zeros(1)})
    stage.write("deep_clustering_config", {})
    stage.write("clustering_history", pd.DataFrame({"epoch": [1], "loss": [1.0]}))
    table = pd.DataFrame({"subject_id": IDS, "cluster": 0, "confidence": 1.0})
    stage.write("assignments", table)
    stage.publish()
    assert states(study)["05_clusters"] == "fresh"
    study.write("choice", {"n_clusters": 3, "why": "the radiologist sees three"})
    assert states(study)["04_n_clusters"] == "fresh"
    assert states(study)["05_clusters"] == "stale"


CHOICE = {
    "n_clusters": 2,
    "reason": "two humps",
    "decided_by": "rule",
    "recommended": {"n_clusters": 2, "p_value": 0.0067, "picks": {"gap": 2, "silhouette": 3}},
    "test": {"n_clusters": 2, "p_value": 0.0067, "agreement": 1.0, "words": "2 clusters"},
}
OF_PERSON = {"n_clusters": 3, "decided_by": "A. Reader", "reason": "on sight", "seen": "twice"}


def measured(part, **values):
    return CHOICE | {part: CHOICE[part] | values}


def chosen(study, choice=CHOICE):
    """Publish a decision as notebook 04 does."""
    pretrain(study)
    choose(study, choice)
    return study.path("choice")


def of_number(study):
    return tuple(
        study.status(verify=True).set_index("stage").loc["04_n_clusters"][["status", "why"]]
    )


@pytest.mark.parametrize(
    "choice",
    [
        measured("test", p_value=0.0006),
        measured("test", agreement=0.2),
        measured("recommended", picks={"gap": 2, "silhouette": 2}),
        OF_PERSON | measured("recommended", n_clusters=3),
        {name: value for name, value in CHOICE.items() if name != "test"},
        CHOICE | {"test": None},
    ],
)
def test_what_was_measured_beside_a_decision_is_nobodys_to_change(study, choice):
    path = chosen(study)
    was = path.stat()
    path.write_text(json.dumps(choice))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    why = "what was measured in choice.json (recommended, test) is not what the notebook wrote"
    assert of_number(study) == ("altered", why)
    with pytest.raises(StudyError, match="05_clusters would rest on 04_n_clusters, which is alter"):
        study.stage("05_clusters").read("choice")
    choose(study, CHOICE)
    assert of_number(study) == ("fresh", "")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CHOICE | OF_PERSON),
        json.dumps(OF_PERSON),  # nothing is said to have been measured
        json.dumps(CHOICE, sort_keys=True),
        json.dumps(CHOICE, indent=8).replace("1.0", "1"),
    ],
)
def test_a_decision_is_a_persons_and_how_it_is_written_does_not_count(study, text):
    chosen(study).write_text(text)
    assert of_number(study) == ("fresh", "")
    study.stage("05_clusters").read("choice")


def test_a_choice_of_which_nothing_was_measured_is_given_no_test_by_hand(study):
    chosen(study, {"n_clusters": 2}).write_text(json.dumps(CHOICE))
    assert of_number(study)[0] == "altered"


def test_a_choice_from_before_its_measures_went_on_record_stays_what_it_was(study):
    path, record = chosen(study), study.root / "04_n_clusters" / "stage.json"
    told = json.loads(record.read_text())
    assert len(told["outputs"]["choice"].pop("measured")) == 64
    record.write_text(json.dumps(told))
    path.write_text(json.dumps(measured("test", p_value=0.0006)))
    assert of_number(study) == ("fresh", "")


def test_a_parameter_that_was_changed_on_record_is_told(study):
    """A report says how a stage was run by its record alone: no file could contradict it."""
    record = study.root / "02_volumes" / "stage.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps(told, indent=4, sort_keys=True))  # said otherwise, and the same
    assert states(study)["02_volumes"] == "fresh"
    record.write_text(json.dumps(told | {"parameters": {"seed": 2}}))
    table = study.status().set_index("stage")
    why = "what stage.json says of its run is not what the notebook wrote"
    assert table.loc["02_volumes", ["status", "why"]].tolist() == ["altered", why]
    before = {name: value for name, value in told.items() if name != "seal"}
    record.write_text(json.dumps(before | {"parameters": {"seed": 2}}))
    assert states(study)["02_volumes"] == "fresh", "of a study from before nothing is known"


def test_a_slip_in_a_decision_is_told_with_its_place(study):
    chosen(study).write_text('{"n_clusters": 3,}')
    state, why = of_number(study)
    assert state == "altered"
    assert why.startswith("choice.json cannot be read: found no valid JSON (line 1, column ")


def test_provenance_is_on_record(study):
    record = json.loads((study.root / "02_volumes" / "stage.json").read_text())
    assert record["parameters"] == {"seed": 1}
    assert len(record["inputs"]["cohort"]["sha256"]) == 64
    assert record["versions"]["numpy"] == np.__version__


# No number and no file of a study depends on them.
OF_NO_RESULT = {
    "joblib", "threadpoolctl", "psutil", "filelock", "jsonschema", "referencing", "google-re2",
    "tqdm", "jupyterlab", "ipykernel", "nbclient", "nbformat", "ipywidgets", "anywidget",
    "ipyvolume", "ipython_genutils",
}  # fmt: skip


def test_every_package_that_results_depend_on_is_on_record(study):
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    wanted = {line.split(">=")[0] for line in project["dependencies"]} - OF_NO_RESULT
    record = json.loads((study.root / "02_volumes" / "stage.json").read_text())
    assert record["versions"] == {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in {"clamlab", *wanted}},
    }


def test_a_setting_that_a_stage_read_is_watched(study):
    def cohort():
        stage = study.stage("01_cohort")
        assert stage.settings("match", "visit") == {"match": study.settings["match"], "visit": None}
        stage.write("cohort", pd.DataFrame({"subject_id": ["a"], "scan": ["a"]}))
        stage.write("exclusions", pd.DataFrame({"subject_id": ["b"], "reason": ["no scan"]}))
        return stage

    study.update(match="{id}")
    cohort().publish()
    study.update(name="another name")
    assert study.status().set_index("stage")["status"]["01_cohort"] == "fresh"
    study.update(visit="last")
    state = study.status().set_index("stage").loc["01_cohort"]
    assert (state["status"], state["why"]) == ("stale", "visit in study.json has changed since")
    study.update(visit=None)
    assert study.status().set_index("stage")["status"]["01_cohort"] == "fresh"
    stage = cohort()
    study.update(match="header:PatientID")
    with pytest.raises(StudyError, match="match was changed while 01_cohort ran: run it again"):
        stage.publish()


def publish_cohort_of(study, source):
    """Publish stage 01 of a table that lies outside the study."""
    study.update(participants=str(source))
    stage = study.stage("01_cohort")
    stage.outside("participants")
    stage.write("cohort", study.read("cohort"))
    stage.write("exclusions", study.read("exclusions"))
    stage.publish()


def test_a_file_outside_is_watched(study, tmp_path):
    source = tmp_path / "participants.csv"
    source.write_text("subject_id\n1\n")
    publish_cohort_of(study, source)
    assert states(study)["01_cohort"] == "fresh"
    assert str(tmp_path) not in (study.root / "01_cohort" / "stage.json").read_text()
    source.rename(tmp_path / "moved.csv")
    assert "moved? write its new place into study.json" in study.status()["why"][1]
    study.update(participants=str(tmp_path / "moved.csv"))
    assert states(study)["01_cohort"] == "fresh"
    (tmp_path / "moved.csv").write_text("subject_id\n2\n")
    assert states(study)["01_cohort"] == "stale"


def test_scans_behind_links_and_masks_elsewhere_are_watched(study, tmp_path):
    """As ingestion reads them: it follows links, and masks where the cohort says that they are."""
    scans, store = tmp_path / "scans", tmp_path / "store"
    for place in (scans / "S00", store / "series"):
        place.mkdir(parents=True)
        (place / "1.dcm").write_bytes(b"a scan")
    (scans / "S01").symlink_to(store)
    (tmp_path / "masks").mkdir()
    mask = tmp_path / "masks" / "S00.nii"
    mask.write_bytes(b"a mask")
    people = pd.DataFrame(
        {"subject_id": IDS, "scan": IDS, "lung_mask": ["../masks/S00.nii", str(mask), ""]}
    )
    study.update(scans=str(scans))

    def publish_both():
        stage = study.stage("01_cohort")
        stage.outside("scans")
        stage.write("cohort", people)
        stage.write("exclusions", study.read("exclusions"))
        stage.publish()
        prepare(study, people, outside=["scans"])

    def both():
        return [states(study)[stage] for stage in ("01_cohort", "02_volumes")]

    publish_both()
    record = (study.root / "02_volumes" / "stage.json").read_text()
    assert both() == ["fresh", "fresh"] and str(tmp_path) not in record
    (scans / ".DS_Store").write_bytes(b"looked at")
    assert both() == ["fresh", "fresh"]
    (store / "series" / "1.dcm").write_bytes(b"another scan")
    assert both() == ["stale", "stale"]
    publish_both()
    mask.write_bytes(b"another mask")
    assert both() == ["fresh", "stale"]
    assert study.status()["why"][2] == "lung_mask has changed since"
    publish_both()
    mask.rename(tmp_path / "elsewhere.nii")
    assert both() == ["fresh", "stale"]
    (tmp_path / "elsewhere.nii").rename(mask)
    shutil.rmtree(scans / "S00")  # nothing but a link is left
    publish_both()
    assert both() == ["fresh", "fresh"]


def test_every_byte_of_a_large_table_is_watched(study, tmp_path):
    """Scans may be too large to be read whole; the table is not, and a digit in it counts."""
    source = tmp_path / "participants.csv"
    source.write_bytes(b"subject_id\n" + b"1234567\n" * 50_000)
    publish_cohort_of(study, source)
    record = json.loads((study.root / "01_cohort" / "stage.json").read_text())
    whole = hashlib.sha256(source.read_bytes()).hexdigest()
    assert record["inputs"]["outside:participants"]["sha256"] == whole
    assert states(study)["01_cohort"] == "fresh"
    with source.open("rb+") as file:
        file.seek(100_003)
        assert file.read(1) == b"1"
        file.seek(100_003)
        file.write(b"9")
    assert states(study)["01_cohort"] == "stale"


def test_a_full_disk_leaves_the_old_file(study):
    before = study.read("scans")
    # A file of the process's limited size is the closest thing to a full disk that a test can make.
    code = f"""
        import resource, signal
        import numpy as np
        from clamlab.study import Study, StudyError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        study = Study.open({str(study.root)!r})
        stage = study.stage("02_volumes")
        stage.write("scans", study.read("scans"))
        try:
            stage.write("volumes", np.zeros((3, 64, 64, 64), "int16"))
        except StudyError as error:
            print(error)
        try:
            with stage.new_array("volumes", (3, 64, 64, 64), "int16"):
                print("there is room")
        except StudyError as error:
            print(error)
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    ).stdout
    assert said.count("could not write") == 2
    assert said.count("untouched") == 2
    assert "there is room" not in said
    assert study.read("volumes").shape == (3, 2, 2, 2)
    assert study.read("scans").equals(before)
    assert not list(study.root.rglob(".partial-*"))


def test_a_killed_run_goes_on_where_it_was(study):
    code = f"""
        import time
        from clamlab.study import Study
        stage = Study.open({str(study.root)!r}).stage("06_clam", layer=-1)
        with stage.new_array("maps", (3, 2)) as maps:
            maps[0] = 7
            maps.flush()
            print("half way", flush=True)
            time.sleep(60)
    """
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "half way\n"
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert not study.path("maps").exists()
    stage = study.stage("06_clam", layer=-1)
    with stage.new_array("maps", (3, 2)) as maps:
        assert np.isnan(maps[:, 0]).tolist() == [False, True, True]
        maps[1:] = 8
    assert stage.read("maps")[:, 0].tolist() == [7, 8, 8]


def test_an_unfinished_array_of_other_parameters_is_not_gone_on_with(study):
    stage = study.stage("06_clam", layer=-1)
    with pytest.raises(KeyboardInterrupt), stage.new_array("maps", (3, 2)) as maps:
        maps[0] = 7
        raise KeyboardInterrupt
    stage = study.stage("06_clam", layer=0)
    with stage.new_array("maps", (3, 2)) as maps:
        assert np.isnan(maps).all()
        maps[:] = 1
    assert stage.read("maps").tolist() == [[1, 1]] * 3


@pytest.mark.parametrize("damage", [lambda d: d[:-20], lambda d: d.replace(b"(3, 2)", b"(2, 3)")])
def test_an_unfinished_array_that_was_damaged_is_not_gone_on_with(study, damage):
    """One that is cut would be opened with zeros, which look like rows that are done."""
    stage = study.stage("06_clam", layer=-1)
    with pytest.raises(KeyboardInterrupt), stage.new_array("maps", (3, 2)) as maps:
        maps[:] = 7
        raise KeyboardInterrupt
    (kept,) = study.root.rglob(".partial-maps.npy")
    kept.write_bytes(damage(kept.read_bytes()))
    with study.stage("06_clam", layer=-1).new_array("maps", (3, 2)) as maps:
        assert np.isnan(maps).all() and maps.shape == (3, 2)
        maps[:] = 1


def test_the_same_run_again_finds_its_rows_done(study):
    with study.stage("06_clam", layer=0).new_array("maps", (3, 2)) as maps:
        maps[:] = 1
    with study.stage("06_clam", layer=0).new_array("maps", (3, 2)) as maps:
        assert not np.isnan(maps).any()
    stage = study.stage("06_clam", layer=1)
    with stage.new_array("maps", (3, 2)) as maps:
        assert np.isnan(maps).all()
        maps[:] = 2
    assert stage.read("maps").tolist() == [[2, 2]] * 3


def clam_maps(study):
    """Publish stage 06 with maps of 1; tell of its array of maps how many rows stood before."""
    stage = study.stage("06_clam")
    stage.read("scans")
    found = {}
    for name in ("maps", "channel_confidence", "unweighted", "contrast", "counterfactual_hu"):
        with stage.new_array(name, (3, 2)) as array:
            found[name] = rows_kept(array)
            array[:] = 1
    measures = {"subject_id": IDS, "cluster": 0, "region": "both lungs"}
    for name, table in (("map_measures", measures), ("trust", {"question": ["?"]})):
        write_file(stage.unfinished / ARTEFACTS[name].file, pd.DataFrame(table))
        stage.written.add(name)
    (stage.path("averages") / "hu.nii.gz").write_bytes(b"")
    stage.publish()
    return found["maps"]


@pytest.mark.parametrize("change", [("versions", lambda: {"torch": "0.1"}), ("VERSION", 0)])
def test_no_array_of_other_programs_passes_for_one_of_todays(study, monkeypatch, change):
    assert clam_maps(study).startswith("0 of 3 rows kept")
    assert clam_maps(study).startswith("3 of 3 rows kept")
    monkeypatch.setattr(arrays, *change)
    assert clam_maps(study).startswith("0 of 3 rows kept")


def test_a_published_array_that_was_altered_or_is_gone_is_not_gone_on_with(study):
    clam_maps(study)
    place = study.path("maps")
    np.save(place, np.full((3, 2), 9, "float32"))
    assert states(study)["06_clam"] == "altered"
    assert clam_maps(study).startswith("0 of 3")
    place.unlink()
    assert states(study)["06_clam"] == "partial"
    assert clam_maps(study).startswith("0 of 3") and states(study)["06_clam"] == "fresh"


def stacked(study, value=None):
    """Stage 02 with its volumes in a new array, and what the array held when it was opened."""
    stage = study.stage("02_volumes", seed=7)
    stage.write("scans", study.read("scans"))
    with stage.new_array("volumes", (3, 2, 2, 2), "int16") as volumes:
        found = volumes.copy()
        volumes[:] = value
    for name in ("lung_mask", "qc", "grid"):
        stage.write(name, study.read(name))
    stage.path("template")
    return stage, found


def test_the_same_run_finds_the_rows_that_were_published_and_leaves_them_whole(study):
    stacked(study, 5)[0].publish()
    again, found = stacked(study, 6)
    assert (found == 5).all()
    assert (study.read("volumes") == 5).all() and (again.read("volumes") == 6).all()


def test_arrays_of_another_list_of_scans_are_not_read(study):
    pretrain(study)
    prepare(study, pd.DataFrame({"subject_id": ["b-2", "a_1", "008"]}), seed=2)  # as many as before
    with pytest.raises(StudyError, match="another list of scans"):
        study.read("pretrained_features")


def test_the_clinical_table_comes_back_as_it_was(study):
    table = study.read("cohort").assign(site=["01", "02", "01"], smoking=["None", "Current", None])
    study.write("cohort", table)
    again = study.read("cohort")
    assert again["site"].tolist() == ["01", "02", "01"]
    assert again["smoking"].tolist()[:2] == ["None", "Current"]
    assert again["smoking"].isna().tolist() == [False, False, True]


def test_no_cell_is_run_as_a_formula_and_every_cell_comes_back(study):
    notes = ["=HYPERLINK(1)", "'=1", "-2.5"]
    study.write("cohort", study.read("cohort").assign(remark=notes, scan=["@a", "-b", "c"]))
    assert not [c for c in study.path("cohort").read_text().split(",") if c[0] in "=+@"]
    again = study.read("cohort")
    assert again["remark"].tolist() == notes and again["scan"].tolist() == ["@a", "-b", "c"]


def test_a_checkpoint_goes_when_the_stage_is_complete(study):
    stage = study.stage("03_autoencoder", seed=1)
    stage.checkpoint().write_bytes(b"kept")
    stage.write("autoencoder_config", {})
    assert stage.checkpoint().exists()
    pretrain(study)
    assert not stage.checkpoint().exists()


def test_a_kill_while_writing_leaves_the_old_file(study):
    code = f"""
        import numpy as np
        from clamlab.study import Study
        study = Study.open({str(study.root)!r})
        stage = study.stage("02_volumes")
        stage.write("scans", study.read("scans"))
        print("writing", flush=True)
        while True:
            stage.write("volumes", np.ones((3, 128, 128, 64), "int16"))
            stage.write("volumes", np.ones((3, 128, 128, 65), "int16"))
    """
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    run.stdout.readline()
    time.sleep(0.5)
    assert run.poll() is None
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert study.read("volumes").shape == (3, 2, 2, 2)
    assert states(study)["02_volumes"] == "fresh"


WRITER = """
    import sys
    from clamlab.study import Study, StudyError
    stage = Study.open({root!r}).stage("04_n_clusters")
    try:
        stage.checkpoint()
    except StudyError as error:
        print(error, flush=True)
    else:
        print("writing", flush=True)
        sys.stdin.readline()
"""


def writer(study):
    code = textwrap.dedent(WRITER.format(root=str(study.root)))
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], **streams)


def test_two_runs_at_once_are_told_of_each_other(study):
    first = writer(study)
    assert first.stdout.readline() == "writing\n"
    second = writer(study)
    said = second.communicate()[0]
    assert f"being written by process {first.pid} on " in said and "04_n_clusters, since" in said
    with pytest.raises(StudyError, match="being written by process"):
        study.write("choice", {"n_clusters": 2})
    os.kill(first.pid, signal.SIGKILL)  # a dead owner holds nothing
    first.wait()
    third = writer(study)
    assert third.stdout.readline() == "writing\n"
    third.communicate("")
    study.write("choice", {"n_clusters": 2})


def test_a_run_shares_its_turn_with_the_notebooks_it_starts(study, monkeypatch):
    with lock.taken(study.root, "a run") as turn:
        assert "being written" in writer(study).communicate("")[0]
        monkeypatch.setenv(lock.TURN, turn[lock.TURN])
        assert writer(study).communicate("")[0] == "writing\n"


def test_what_a_person_writes_down_needs_no_run(study):
    """A viewer that is shown again after its notebook's end must not hold the study."""
    notes = study.stage("07_explore").path("notes")
    assert notes == study.path("notes")
    assert writer(study).communicate("")[0] == "writing\n"
    assert states(study)["07_explore"] == "missing" and not notes.parent.exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\x00", b'{"stage": "04", "time": 3}'])
def test_a_broken_record_is_told_by_name(study, content):
    study.write("choice", {"n_clusters": 2})
    record = study.root / "04_n_clusters" / "stage.json"
    record.write_bytes(content)
    told = study.status().set_index("stage")
    assert told["status"]["04_n_clusters"] == "altered"
    why = told["why"]["04_n_clusters"]
    assert "04_n_clusters/stage.json is not what clamlab wrote there" in why
    assert "run notebook 04 again" in why
    assert "altered" not in set(told["status"].drop("04_n_clusters"))
    with pytest.raises(StudyError, match="05_clusters would rest on 04_n_clusters, which is alter"):
        study.stage("05_clusters").read("choice")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\x00"])
def test_broken_settings_are_told_by_name(study, content):
    (study.root / "study.json").write_bytes(content)
    with pytest.raises(StudyError, match="study.json is not what clamlab wrote there"):
        study.stage("01_cohort")
    (study.root / "study.json").write_text("{}")
    with pytest.raises(StudyError, match="names no 'participants'"):
        study.stage("01_cohort").outside("participants")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"participants": 7}, "expected text for participants, found 7"),
        ({"header": True}, "expected a whole number or null for header, found true"),
        ({"simulated": "no"}, 'expected true or false for simulated, found "no"'),
        ({"visit": ["v1"]}, r"expected text or null for visit, found \["),
    ],
)
def test_settings_of_another_kind_are_told_before_they_are_used(study, line, told):
    write_file(study.root / "study.json", {**study.settings, **line})
    with pytest.raises(StudyError, match=f"study.json is not what clamlab wrote there \\({told}"):
        study.stage("01_cohort")


def test_no_artefact_has_two_places():
    places = [(artefact.stage, artefact.file) for artefact in ARTEFACTS.values()]
    assert len(set(places)) == len(places)
    assert list(STAGES) == sorted(STAGES)
