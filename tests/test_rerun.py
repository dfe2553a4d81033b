"""A study made again from its manifest: identical, or told what differs and by how much."""

import json
import shutil
from hashlib import sha256
from importlib.metadata import version

import nbformat
import nibabel
import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator, ValidationError
from rerun_study import PARAMETERS, N, hand_over, name, run_here
from sklearn.metrics import adjusted_rand_score

from clamlab import figures, resources, traces
from clamlab.cli import main
from clamlab.cli.repeatable import code_of
from clamlab.cli.rerun import command
from clamlab.cli.rerun.amounts import how_much
from clamlab.cli.rerun.comparing import kept_contract
from clamlab.figures.style import new_figure
from clamlab.study import Study, StudyError
from clamlab.study.files import write_file
from clamlab.study.fingerprints import SAMPLE

K, WHO = 3, "A. Reader"
REJECTED = name(3)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Table, scans, and the study of them up to the clusters, with its manifest."""
    folder = tmp_path_factory.mktemp("then")
    table, scans = hand_over(folder)
    root = folder / "lungs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "criteria_panel", lambda *args, **options: new_figure(20, 20))
        assert main(["init", str(root), "--participants", str(table), "--scans", str(scans)]) == 0
        study = Study.open(root)
        decisions = pd.DataFrame(
            {"subject_id": [REJECTED], "decision": "reject", "series_number": "", "note": ""}
        )
        decisions.to_csv(_place(study, "decisions"), index=False)
        study.write("choice", {"n_clusters": K, "decided_by": WHO, "reason": f"as for {name(5)}"})
        for stage, values in PARAMETERS.items():
            if stage == "01_cohort":  # the real notebook
                assert main(["run", str(root), "--to", "01", "-p", "MIN_SUBJECTS=3"]) == 0
            else:
                run_here(root / "notebooks", [f"{stage}.ipynb"], values)
        assert main(["report", str(root)]) == 0
    return table, scans, study


def _place(study, artefact):
    path = study.path(artefact)
    path.parent.mkdir(exist_ok=True)
    return path


@pytest.fixture
def here(monkeypatch):
    """Notebooks are not started: what they would do is done in this process."""
    monkeypatch.setattr(command, "run_notebooks", run_here)


@pytest.fixture
def again(begun, tmp_path):
    """Call the command; by default with all that it needs."""
    table, scans, study = begun

    def call(*more, manifest=None, inputs=("--table", "--scans"), kept=True, new="new"):
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(manifest or manifest_of(study)))
        given = {"--table": str(table), "--scans": str(scans)}
        arguments = [part for flag in inputs for part in (flag, given[flag])]
        arguments += ["--by-hand", str(study.root / "02_volumes")] if kept else []
        return main(["rerun", str(path), "--study", str(tmp_path / new), *arguments, *more])

    return call


def manifest_of(study):
    return json.loads((study.root / "report" / "manifest.json").read_text("utf-8"))


def result(folder):
    told = json.loads((folder / "report" / "rerun.json").read_text("utf-8"))
    rules = json.loads((resources.schemas() / "rerun.schema.json").read_text("utf-8"))
    assert [e.message for e in Draft202012Validator(rules).iter_errors(told)] == []
    return told


def test_the_real_notebook_gives_the_same_tables(begun, again, tmp_path, capfd):
    assert again("--to", "01") == 0
    said = capfd.readouterr().out
    assert "01_cohort: done in" in said and "01_cohort: 2 identical" in said
    *_, same, left_out, _ = said.rstrip().splitlines()
    assert same == "01_cohort is identical to the manifest."
    others = "02_volumes (--to 01), 04_n_clusters (--to 01), 05_clusters (--to 01)"
    assert left_out == f"Not compared: {others}."
    told = result(tmp_path / "new")
    assert told["identical"] is False
    assert list(told["left_out"]) == ["02_volumes", "04_n_clusters", "05_clusters"]
    old, new = begun[2], Study.open(tmp_path / "new")
    assert new.path("cohort").read_bytes() == old.path("cohort").read_bytes()
    assert len(new.read("cohort")) == N
    assert new.schema("participants")["properties"] == old.schema("participants")["properties"]
    assert {**new.settings, "rerun_of": None} == {**old.settings, "rerun_of": None}


def test_labels_tables_and_decisions_are_the_same(begun, again, here, tmp_path, capsys):
    assert again() == 0
    said = capsys.readouterr().out
    assert "Same programs and machine." in said and "Not as it was" not in said
    old, new = begun[2], Study.open(tmp_path / "new")
    told = result(new.root)
    assert told["identical"] is True and told["differs_in"] == [] and told["left_out"] == {}
    assert said.rstrip().splitlines()[-2] == "All is identical to the manifest."
    assert list(told["stages"]) == list(PARAMETERS)
    states = {n: a["state"] for s in told["stages"].values() for n, a in s["artefacts"].items()}
    assert set(states.values()) == {"identical"} and len(states) == 18
    for table in ("assignments", "scans", "cohort"):
        assert new.path(table).read_bytes() == old.path(table).read_bytes()
    choice = new.read("choice")
    assert (choice["n_clusters"], choice["decided_by"]) == (K, WHO)
    assert name(5) not in choice["reason"]
    assert REJECTED not in set(new.read("scans")["subject_id"])
    record = json.loads((new.root / "04_n_clusters" / "stage.json").read_text())
    assert record["parameters"]["without"] == ["sex"] and record["parameters"]["seed"] == 7
    ids = [name(i) for i in range(N)]
    assert traces.find(new.root / "report", ids) == [] and not any(i in said for i in ids)


def test_a_stage_that_is_not_on_record_is_named_and_not_called_identical(
    begun, again, here, tmp_path, capsys
):
    """Its record was broken when the manifest was written, so that nobody can make it again."""
    manifest = manifest_of(begun[2])
    manifest["stages"]["05_clusters"] = {"status": "altered", "why": "its record is broken"}
    assert again(manifest=manifest) == 4
    said = capsys.readouterr().out
    why = "what it was run with is not on record"
    assert f"  05_clusters cannot be made again: {why}" in said
    *_, same, left_out, _ = said.rstrip().splitlines()
    assert same == "01_cohort, 02_volumes, 04_n_clusters are identical to the manifest."
    assert left_out == f"Not compared: 05_clusters ({why})."
    told = result(tmp_path / "new")
    assert told["identical"] is False and told["left_out"] == {"05_clusters": why}


def test_programs_that_were_not_on_record_are_told_first(begun, again, here, tmp_path, capsys):
    manifest = manifest_of(begun[2])
    for told in manifest["stages"].values():
        if "versions" in told:
            told["versions"]["scikit-image"] = "0.24"
            del told["versions"]["python-gdcm"]
    assert again("--to", "01", manifest=manifest) == 0
    said = capsys.readouterr().out
    was, new = (version(name) for name in ("scikit-image", "python-gdcm"))
    for start in ("Not as it was:\n", "Programs and machine differ:\n"):
        lines = said.partition(start)[2].splitlines()[:2]
        assert lines == [
            f"  scikit-image: 0.24 then, {was} here (all stages)",
            f"  python-gdcm: not on record then, {new} here (all stages)",
        ]
    assert "Same programs and machine." not in said


def test_what_differs_is_told_first_and_by_how_much(begun, again, here, tmp_path, capsys):
    old, manifest = begun[2], manifest_of(begun[2])
    for told in manifest["stages"].values():
        if "versions" in told:
            told["versions"]["numpy"] = "0.9"
            told["machine"]["threads"] = 64
    manifest["stages"]["05_clusters"]["parameters"]["seed"] = 8
    assert again("--against", str(old.root), manifest=manifest) == 4
    said = capsys.readouterr().out
    assert said.startswith("Not as it was:\n  numpy: 0.9 then, ")
    after = said.partition("Programs and machine differ:")[2]
    assert "numpy: 0.9 then" in after and "threads: 64 then, " in after
    assert after.rstrip().splitlines()[-2] == "Something differs from the manifest."
    new = Study.open(tmp_path / "new")
    told = result(new.root)
    assert told["identical"] is False and told["differs_in"][0]["stages"] == list(PARAMETERS)
    assert [s["state"] for s in told["stages"].values()] == ["identical"] * 3 + ["differs"]
    found = told["stages"]["05_clusters"]["artefacts"]
    was, now = (study.read("assignments")["cluster"] for study in (old, new))
    assert found["assignments"]["n_changed"] == (was != now).sum() > 0
    assert found["assignments"]["adjusted_rand"] == pytest.approx(adjusted_rand_score(was, now))
    largest = np.abs(old.read("features") - new.read("features")).max()
    assert found["features"]["largest_absolute"] == pytest.approx(largest)
    assert found["clustering_history"]["state"] == "identical"
    assert f"{(was != now).sum()} of {len(was)} scans changed" in after
    # Without the old study there are hashes alone.
    assert again(manifest=manifest, new="other") == 4
    found = result(tmp_path / "other")["stages"]["05_clusters"]["artefacts"]
    assert "--against STUDY" in found["features"]["how"]
    # Another study is not what the manifest is of.
    assert again("--against", str(tmp_path / "other"), manifest=manifest_of(old), new="third") == 0


def test_other_inputs_are_refused_before_anything_runs(begun, again, here, tmp_path, capsys):
    table, scans, _ = begun
    less = tmp_path / "less"
    shutil.copytree(table.parent / "scans", less / "scans")
    (less / "scans" / f"{name(4)}.nii").unlink()
    other = tmp_path / "other.csv"
    pd.read_csv(table).assign(age=40).to_csv(other, index=False)
    refused = {
        "table: ": (["--table", str(other), "--scans", str(scans)], f"{N} subjects have a row"),
        "scans: ": (["--table", str(table), "--scans", str(less / "scans")], f"{N - 1} subjects"),
        "--scans FOLDER --table FILE": (["--table", str(table)], ""),
        "there is nothing at": (["--table", str(table), "--scans", str(tmp_path / "no")], ""),
        "expected a file for --table": (["--table", str(scans), "--scans", str(scans)], ""),
    }
    for expected, (arguments, counts) in refused.items():
        assert again(*arguments, inputs=()) == 1
        said = capsys.readouterr()
        assert expected in said.err and counts in said.err
        assert not any(name(i) in said.err + said.out for i in range(N))
    assert f"{N - 1} scans were clustered then" in _said_of(again, less / "scans", table, capsys)
    simulated = manifest_of(begun[2])
    simulated["study"]["settings"]["simulated"] = True
    assert again(manifest=simulated) == 1
    assert "give neither" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def _said_of(again, scans, table, capsys):
    assert again("--table", str(table), "--scans", str(scans), inputs=()) == 1
    return capsys.readouterr().err


def test_one_digit_of_a_large_table_makes_it_another(begun, again, here, tmp_path, capsys):
    """Beyond what would be read of a scan, too."""
    table, scans, _ = begun
    large, other = tmp_path / "large.csv", tmp_path / "other.csv"
    text = pd.read_csv(table).assign(remark="0" * 40_000).to_csv(index=False)
    large.write_text(text)
    assert len(text) > 3 * SAMPLE
    manifest = manifest_of(begun[2])
    manifest["stages"]["01_cohort"]["inputs"]["outside:participants"] = sha256(
        large.read_bytes()
    ).hexdigest()
    middle = len(text) // 4
    assert text[middle] == "0"
    other.write_text(f"{text[:middle]}1{text[middle + 1 :]}")
    given = ["--scans", str(scans), "--to", "01", "--table"]
    assert again(*given, str(other), manifest=manifest, inputs=()) == 1
    assert "table: " in capsys.readouterr().err
    assert again(*given, str(large), manifest=manifest, inputs=()) == 0
    assert "01_cohort: 2 identical" in capsys.readouterr().out


def test_what_people_made_is_asked_for(begun, again, here, tmp_path, capsys):
    old = begun[2]
    assert again(kept=False) == 1
    said = capsys.readouterr().err
    assert "a person's decisions.csv (02_volumes)" in said and "it is not there" in said
    (tmp_path / "hand").mkdir()
    (tmp_path / "hand" / "decisions.csv").write_text("subject_id,decision\n")
    assert again("--by-hand", str(tmp_path / "hand"), kept=False) == 1
    assert "another one is there" in capsys.readouterr().err
    assert again("--against", str(old.root), kept=False) == 0  # it holds them
    manifest = manifest_of(old)
    manifest["stages"]["01_cohort"]["inputs"]["outside:withdrawn"] = "0" * 64
    assert again(manifest=manifest, new="other") == 1
    assert "subjects have withdrawn" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_no_study_is_written_over_and_a_stopped_one_is_gone_on_with(
    begun, again, monkeypatch, tmp_path, capsys
):
    ran = []

    def stops(folder, names, *rest, **options):
        ran.extend(names)
        if names == ["04_n_clusters.ipynb"] and ran.count(names[0]) == 1:
            raise StudyError("the disk is full")
        run_here(folder, names, *rest, **options)

    monkeypatch.setattr(command, "run_notebooks", stops)
    assert again() == 1
    said = capsys.readouterr()
    assert "the disk is full" in said.err and "04_n_clusters: not made" in said.out
    stages = result(tmp_path / "new")["stages"]
    assert [s["state"] for s in stages.values()] == ["identical"] * 2 + ["not made"] * 2
    assert again() == 0
    assert [n[:2] for n in ran] == ["01", "02", "04", "04", "05"]  # no stage twice that stood
    before = (tmp_path / "new" / "study.json").read_bytes()
    manifest = manifest_of(begun[2])
    manifest["study"]["name"] = "another"
    assert again(manifest=manifest) == 1
    assert "is another study than a rerun of this manifest" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert again(new="full") == 1 and "is not empty" in capsys.readouterr().err
    assert (tmp_path / "new" / "study.json").read_bytes() == before


def test_parameters_are_those_of_the_manifest(begun, again, here, tmp_path, capsys):
    assert again("-p", "EPOCHS=4") == 1
    assert "EPOCHS stands in the manifest (05_clusters)" in capsys.readouterr().err
    assert again("-p", "COLOUR=4") == 1
    assert "no notebook of this rerun takes COLOUR" in capsys.readouterr().err
    manifest = manifest_of(begun[2])
    manifest["stages"]["02_volumes"]["parameters"]["template"] = "lungs.nii.gz"
    assert again(manifest=manifest) == 1
    assert "-p TEMPLATE=PATH" in capsys.readouterr().err
    (tmp_path / "lungs.nii.gz").write_bytes(b"other lungs")
    assert again("-p", f"TEMPLATE={tmp_path}/lungs.nii.gz", manifest=manifest) == 1
    assert "TEMPLATE is another than that of the manifest" in capsys.readouterr().err
    del manifest["stages"]["02_volumes"]["parameters"]
    manifest["format"] = 2
    assert again(manifest=manifest) == 1
    assert "is not what clamlab report writes" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_decision_outlives_a_number_given_as_a_parameter(begun, again, here, tmp_path, capsys):
    """Stages that no longer stand, edited notebooks and an unknown machine are told, too."""
    manifest = manifest_of(begun[2])
    stages = manifest["stages"]
    stages["04_n_clusters"]["parameters"]["n_clusters"] = 2  # a person decided since
    stages["05_clusters"] |= {"status": "stale", "why": "choice has changed since"}
    stages["05_clusters"] |= {"notebook": "1" * 64, "machine": None}
    stages["04_n_clusters"]["parameters"]["colour"] = "red"
    again(manifest=manifest)
    said = capsys.readouterr().out
    assert "05_clusters was stale when the manifest was written (choice has changed" in said
    assert "notebooks with other code than this version's: 05_clusters" in said
    assert "the machine is not on record (05_clusters)" in said
    assert "04_n_clusters of this version takes no COLOUR" in said
    assert Study.open(tmp_path / "new").read("choice")["n_clusters"] == K
    manifest["choices"]["n_clusters"] |= {"decided_by": "rule", "recommended": 2}  # edited by hand
    again(manifest=manifest, new="other")
    assert Study.open(tmp_path / "other").read("choice")["n_clusters"] == K


def test_code_is_told_apart_and_parameters_are_no_code(tmp_path):
    shipped = resources.notebooks() / "05_clusters.ipynb"
    notebook, path = nbformat.read(shipped, as_version=4), tmp_path / "05_clusters.ipynb"
    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    cell.source = cell.source.replace("EPOCHS = 500", "EPOCHS = 3")
    notebook.cells[0].source += " A remark."
    nbformat.write(notebook, path)
    assert code_of(path) == code_of(shipped) != code_of(shipped.with_name("06_clam.ipynb"))
    notebook.cells[-1].source += "\nprint(1)"
    nbformat.write(notebook, path)
    assert code_of(path) != code_of(shipped)
    assert code_of(tmp_path / "none.ipynb") is None


def test_how_much_tables_arrays_and_images_differ(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    table = pd.DataFrame({"outcome": ["a", "b"], "p": [0.5, 0.0], "n": [4, 5]})
    arrays = {"w": np.arange(4.0), "b": np.zeros(2)}
    for folder, much in ((old, 0), (new, 1)):
        write_file(folder / "t.csv", table.assign(p=[0.5 + much / 2, 0.0], note=["x", "yz"[much]]))
        write_file(folder / "short.csv", table.head(2 - much))
        write_file(folder / "a.npy", np.array([1.0, 2 + much / 4, np.nan if much else 3]))
        write_file(folder / "w.safetensors", {**arrays, "b": np.full(2, -much / 8)})
        write_file(folder / "c.json", {"seed": much, "k": 2})
        image = nibabel.Nifti1Image(np.full((2, 2, 2), 7.0 * much), np.eye(4))
        write_file(folder / "averages" / "hu.nii.gz", image)
        (folder / "averages" / "note.txt").write_text("same")
    told = how_much("associations", old / "t.csv", new / "t.csv")
    assert told["largest_relative"] == 0.5 and told["other_cells"] == 1
    told = how_much("associations", old / "short.csv", new / "short.csv")["how"]
    assert told == "2 rows and 3 columns then, 1 row and 3 columns here"
    told = how_much("features", old / "a.npy", new / "a.npy")
    assert told["largest_absolute"] == 0.25 and told["n_values"] == 1
    assert "in 1 value; 1 value missing in one" in told["how"]
    told = how_much("autoencoder", old / "w.safetensors", new / "w.safetensors")
    assert told["largest_absolute"] == 0.125
    assert how_much("grid", old / "c.json", new / "c.json")["how"] == "differs in seed"
    told = how_much("averages", old / "averages", new / "averages")
    assert told["largest_absolute"] == 7 and told["how"].startswith("1 of 2 files differ; images:")


def test_a_result_outside_its_contract_is_not_written():
    whole = {
        "format": 1, "manifest": "0" * 64, "identical": True, "differs_in": [], "told": [],
        "stages": {"01_cohort": {"state": "identical", "inputs": {}, "artefacts": {}}},
        "left_out": {},
    }  # fmt: skip
    assert kept_contract(whole) is whole
    with pytest.raises(ValidationError, match="'odd' is not one of"):
        kept_contract(
            {**whole, "stages": {"01_cohort": {**whole["stages"]["01_cohort"], "state": "odd"}}}
        )
    with pytest.raises(ValidationError, match="'PAT-0007' was unexpected"):
        kept_contract({**whole, "PAT-0007": 1})
