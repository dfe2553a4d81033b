"""The command line: parameters into notebooks, errors out in plain words, exports without scans."""

import shutil
from argparse import ArgumentTypeError

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from clamlab.cli import commands, main
from clamlab.cli.parameters import parameters_of, parse_parameter
from clamlab.cli.running import run_notebooks
from clamlab.study import Study, StudyError


@pytest.fixture
def folder(tmp_path):
    """A notebook with one parameter, as small as one can be."""
    parameters = new_code_cell("N = 3")
    parameters.metadata["tags"] = ["parameters"]
    cells = [
        new_markdown_cell("# Numbers\n\n**How many?**"),
        parameters,
        new_code_cell("print(N * 7)"),
    ]
    notebook = new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "01_numbers.ipynb")
    return tmp_path


def outputs(folder, name="01_numbers.ipynb"):
    notebook = nbformat.read(folder / name, as_version=4)
    return [o.get("text", "") for c in notebook.cells if c.cell_type == "code" for o in c.outputs]


def begin_with(folder, parameters):
    """Write other parameters into the notebook."""
    notebook = nbformat.read(folder / "01_numbers.ipynb", as_version=4)
    notebook.cells[1].source = parameters
    nbformat.write(notebook, folder / "01_numbers.ipynb")


def test_parameters_are_read_as_python_or_as_text():
    assert parse_parameter("CHANNELS=(8, 16, 32)") == ("CHANNELS", (8, 16, 32))
    assert parse_parameter("TEMPLATE=None") == ("TEMPLATE", None)
    assert parse_parameter("REGISTRATION=affine") == ("REGISTRATION", "affine")
    assert parse_parameter("05.EPOCHS=90") == ("05.EPOCHS", 90)
    with pytest.raises(ArgumentTypeError, match="NAME=VALUE"):
        parse_parameter("affine")


def test_a_notebook_runs_with_its_defaults_and_keeps_its_outputs(folder, capfd):
    run_notebooks(folder, ["01_numbers.ipynb"], {})
    assert outputs(folder) == ["21\n"]
    said = capfd.readouterr().out
    assert "01_numbers: How many?" in said
    assert "21" in said


def test_a_parameter_replaces_the_default_and_leaves_it_readable(folder):
    run_notebooks(folder, ["01_numbers.ipynb"], {"N": 6})
    assert outputs(folder) == ["42\n"]
    notebook = nbformat.read(folder / "01_numbers.ipynb", as_version=4)
    assert parameters_of(notebook) == {"N": 3}


def test_running_again_starts_from_the_notebook_not_from_the_last_run(folder):
    run_notebooks(folder, ["01_numbers.ipynb"], {"N": 6})
    run_notebooks(folder, ["01_numbers.ipynb"], {})
    assert outputs(folder) == ["21\n"]


def test_an_unknown_parameter_is_refused_before_anything_runs(folder):
    with pytest.raises(StudyError, match="takes M: expected one of N"):
        run_notebooks(folder, ["01_numbers.ipynb"], {"M": 1})
    assert outputs(folder) == []


def test_a_name_of_two_notebooks_is_told_and_can_be_set_in_one_alone(folder, capsys):
    second = "02_numbers.ipynb"
    (folder / second).write_bytes((folder / "01_numbers.ipynb").read_bytes())
    both = ["01_numbers.ipynb", second]
    run_notebooks(folder, both, {"N": 6})
    assert outputs(folder) == outputs(folder, second) == ["42\n"]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "N = 6 in 01_numbers, 02_numbers (one alone: -p 02.N=VALUE)"
    run_notebooks(folder, both, {"N": 6, "02.N": 5})
    assert (outputs(folder), outputs(folder, second)) == (["42\n"], ["35\n"])
    run_notebooks(folder, both, {"02.N": 4})
    assert (outputs(folder), outputs(folder, second)) == (["21\n"], ["28\n"])
    assert "one alone" not in capsys.readouterr().out
    with pytest.raises(StudyError, match="takes 03.N: expected one of N"):
        run_notebooks(folder, both, {"03.N": 4})
    with pytest.raises(StudyError, match="02_numbers takes N as int .*found 'x'"):
        run_notebooks(folder, both, {"02.N": "x"})


KINDS = """
N = 3
SHARE = 0.1
NAME = "syn"
SIDES = (32, 64)
OTHERS = ()
LOUD = False
GIVEN = None
K: int | None = None
COLUMNS: tuple[str, ...] | None = None  # such as ("age",)
PLACE: object = None
QUOTED: 'Path' = None
"""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("N", "abc", "int (default 3): found 'abc'"),
        ("N", 2.5, "int (default 3): found 2.5"),
        ("N", True, "int (default 3): found True"),
        ("N", None, "int (default 3): found None"),
        ("SHARE", "0,1", "float (default 0.1): found '0,1'"),
        ("NAME", 7, "str (default 'syn'): found 7"),
        ("SIDES", 32, "tuple[int, ...] (default (32, 64)): found 32"),
        ("SIDES", (32, "x"), "tuple[int, ...] (default (32, 64)): found (32, 'x')"),
        ("OTHERS", 3, "tuple (default ()): found 3"),
        ("LOUD", 1, "bool (default False): found 1"),
        ("K", 2.5, "int | None (default None): found 2.5"),
        ("COLUMNS", "age", "tuple[str, ...] | None (default None): found 'age'"),
    ],
)
def test_a_value_of_another_kind_is_refused_before_anything_runs(folder, name, value, expected):
    begin_with(folder, KINDS)
    with pytest.raises(StudyError) as refused:
        run_notebooks(folder, ["01_numbers.ipynb"], {name: value})
    assert str(refused.value).endswith(f"01_numbers takes {name} as {expected}")
    assert outputs(folder) == []


def test_what_can_be_taken_is_taken(folder):
    begin_with(folder, KINDS)
    given = {"N": 6, "SHARE": 0, "NAME": "affine", "SIDES": [8, 16, 32], "OTHERS": (3, 4)}
    given |= {
        "LOUD": True,
        "GIVEN": 2.5,
        "K": 2,
        "COLUMNS": ("age", "sex"),
        "PLACE": "mask.nii",
        "QUOTED": 1,
    }
    run_notebooks(folder, ["01_numbers.ipynb"], given)
    assert outputs(folder) == ["42\n"]
    run_notebooks(folder, ["01_numbers.ipynb"], {"K": None, "COLUMNS": None, "SIDES": ()})
    assert outputs(folder) == ["21\n"]


def test_one_name_of_two_kinds_is_told_by_notebook(tmp_path, capsys):
    study = str(Study.create(tmp_path / "study").root)
    wrong = ["-p", "EPOCHS=abc", "-p", "CHANNELS=(8, 'x')", "-p", "SPACING_MM=6"]
    assert main(["run", study, "--from", "00", *wrong]) == 1
    said = capsys.readouterr()
    assert "00_simulate takes SPACING_MM as tuple[float, ...] (default (3.0, 3.0, 5.0))" in said.err
    assert "02_volumes takes SPACING_MM" not in said.err
    assert "03_autoencoder takes EPOCHS as int (default 200): found 'abc'" in said.err
    assert "05_clusters takes EPOCHS as int (default 500): found 'abc'" in said.err
    assert "takes CHANNELS as tuple[int, ...] (default (32, 64, 128)): found (8, 'x')" in said.err
    assert "Who is in the study?" not in said.out  # no notebook was begun
    assert (
        main(
            ["run", study, "-p", "SPACING_MM=6", "-p", "N_CLUSTERS=2", "-p", "WITHOUT=('scanner',)"]
        )
        == 1
    )
    said = capsys.readouterr()
    assert "takes" not in said.err
    assert "Who is in the study?" in said.out  # it stops later: the study has no participants


def test_what_a_person_edits_during_a_run_is_kept(folder, capfd):
    path = folder / "01_numbers.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[
        -1
    ].source = f"open({str(path)!r}, 'w').write(open({str(path)!r} + '.new').read())"
    nbformat.write(notebook, path)
    edited = nbformat.read(path, as_version=4)
    edited.cells[0].source += " An afterthought."
    nbformat.write(edited, f"{path}.new")
    run_notebooks(folder, ["01_numbers.ipynb"], {})
    assert "afterthought" in nbformat.read(path, as_version=4).cells[0].source
    kept = folder / "01_numbers_as_run.ipynb"
    assert "afterthought" not in nbformat.read(kept, as_version=4).cells[0].source
    said = capfd.readouterr().out
    assert f"01_numbers.ipynb was edited while it ran: what ran is kept in {kept}" in said


def write_code(path, code):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# One"), new_code_cell(code)]), path)


def test_a_copy_beside_a_stages_notebook_does_not_run(tmp_path):
    study = Study.create(tmp_path / "study")
    folder, result = study.root / "notebooks", tmp_path / "result"
    for name, value in (("01_cohort", 2), ("01_cohort_as_run", 1), ("01_cohort-Copy1", 3)):
        write_code(folder / f"{name}.ipynb", f"open({str(result)!r}, 'a').write('{value}')")
    assert main(["run", str(study.root), "--to", "01"]) == 0
    assert result.read_text() == "2"


def test_a_notebook_edited_while_an_earlier_one_runs_is_run_as_edited(tmp_path):
    result, later = tmp_path / "result", tmp_path / "02_later.ipynb"
    write_code(later, f"open({str(result)!r}, 'w').write('old')")
    edit = f"text = open({str(later)!r}).read()\nopen({str(later)!r}, 'w').write("
    write_code(tmp_path / "01_first.ipynb", f"{edit}text.replace('old', 'new'))")
    run_notebooks(tmp_path, ["01_first.ipynb", later.name], {})
    assert result.read_text() == "new"
    assert "'new'" in later.read_text() and not list(tmp_path.glob("*_as_run.ipynb"))


def test_a_parameter_must_be_a_literal(folder):
    begin_with(folder, "N = 3 * 14")
    with pytest.raises(StudyError, match="the parameter N is '3 [*] 14'"):
        run_notebooks(folder, ["01_numbers.ipynb"], {})


def test_a_killed_kernel_is_told_as_such(folder):
    path = folder / "01_numbers.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = "import os; os.kill(os.getpid(), 9)"
    nbformat.write(notebook, path)
    with pytest.raises(StudyError, match="want of memory"):
        run_notebooks(folder, ["01_numbers.ipynb"], {})


def test_a_failing_cell_is_told_and_the_notebook_kept(folder):
    begin_with(folder, "N = None")
    with pytest.raises(StudyError, match="01_numbers stopped: TypeError"):
        run_notebooks(folder, ["01_numbers.ipynb"], {})
    notebook = nbformat.read(folder / "01_numbers.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[0].ename == "TypeError"


@pytest.fixture
def inputs(tmp_path):
    """Two NIfTI scans and a table of three, with a scan nobody owns."""
    nibabel = pytest.importorskip("nibabel")
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("p-01", "p_02", "stranger"):
        volume = np.random.default_rng(0).normal(-800, 90, (8, 8, 8)).astype("int16")
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([3, 3, 3, 1])), scans / f"{name}.nii.gz")
    table = tmp_path / "patients.csv"
    table.write_text("PatientID;age;FEV1\np-01;50;2,5\np_02;61;3,0\np-03;47;\n")
    return table, scans


def test_init_matches_drafts_and_tells(inputs, tmp_path, capsys):
    table, scans = inputs
    study = tmp_path / "study"
    assert main(["init", str(study), "--participants", str(table), "--scans", str(scans)]) == 0
    said = capsys.readouterr().out
    assert "p-03" in said  # a row without a scan
    assert "stranger" in said  # a scan without a row
    assert "participants.schema.json" in said
    contract = Study.open(study).schema("participants")
    assert contract["properties"]["PatientID"]["x-role"] == "id"
    assert contract["properties"]["FEV1"]["type"] == ["number", "null"]


def test_init_says_what_is_wrong_and_makes_nothing(inputs, tmp_path, capsys):
    table, scans = inputs
    pd.DataFrame({"PatientID": ["a", "a"]}).to_csv(table, index=False)
    study = tmp_path / "study"
    assert main(["init", str(study), "--participants", str(table), "--scans", str(scans)]) == 1
    assert "a" in capsys.readouterr().err
    assert not study.exists()


def test_a_spreadsheet_works_too(inputs, tmp_path):
    table, scans = inputs
    sheet = tmp_path / "patients.xlsx"
    pd.DataFrame({"subject": ["p-01", "p_02"], "age": [50, 61]}).to_excel(sheet, index=False)
    study = tmp_path / "study"
    arguments = ["--participants", str(sheet), "--scans", str(scans), "--id-column", "subject"]
    assert main(["init", str(study), *arguments]) == 0


def test_init_says_what_it_took_for_the_table_and_notebook_01_takes_the_same(
    inputs, tmp_path, capsys
):
    _, scans = inputs
    file, study = tmp_path / "patients.xlsx", tmp_path / "study"
    rows = [["PatientID", "visit", "FEV1 (l)", "CRP"], ["p-01", "V1", 2.5, "<1"],
            ["p-01", "V2", 2.25, "3"], ["p_02", "V1", 3.0, "4"], ["Mean", "", 2.6, ""]]  # fmt: skip
    with pd.ExcelWriter(file) as writer:
        pd.DataFrame(rows).to_excel(writer, sheet_name="new", index=False, startrow=2, header=False)
        pd.DataFrame(rows).to_excel(writer, sheet_name="old", index=False, header=False)
    arguments = ["init", str(study), "--participants", str(file), "--scans", str(scans)]
    assert main(arguments) == 1
    assert "'new' (header in row 3, 4 rows below); 'old'" in capsys.readouterr().err
    arguments += ["--sheet", "new", "--header", "3"]
    assert main(arguments) == 1
    assert "repeated: p-01 (2 rows)" in (told := capsys.readouterr().err)
    assert "--visits first:visit, last:visit or visit=V1" in told
    assert not study.exists()
    assert main([*arguments, "--visits", "last:visit"]) == 0
    told = capsys.readouterr().out
    assert "taken from sheet 'new', the columns' names from row 3; other sheets: 'old'" in told
    assert "left out below the table: row 7 ('Mean')" in told and "--visit visit" in told
    assert told.index("2 rows, 4 columns") < told.index("2 subjects have a scan")
    kept = Study.open(study).settings
    assert (kept["sheet"], kept["header"], kept["visits"]) == ("new", 3, "last:visit")
    assert main(["run", str(study), "--to", "01", "-p", "MIN_SUBJECTS=2"]) == 0
    cohort = Study.open(study).read("cohort").set_index("subject_id")
    assert cohort["FEV1 (l)"].to_dict() == {"p-01": 2.25, "p_02": 3.0}


def test_whom_init_leaves_out_notebook_01_leaves_out(inputs, tmp_path):
    """A rule that was chosen is no rule that a person stated."""
    _, scans = inputs
    (tmp_path / "named").mkdir()
    for name in [*(f"{i:02}a" for i in range(1, 13)), "03b", "04b"]:
        shutil.copy(scans / "stranger.nii.gz", tmp_path / "named" / f"{name}.nii.gz")
    table, study = tmp_path / "patients.csv", tmp_path / "study"
    pd.DataFrame({"PatientID": range(1, 13), "age": range(50, 62)}).to_csv(table, index=False)
    arguments = ["--participants", str(table), "--scans", str(tmp_path / "named")]
    assert main(["init", str(study), *arguments]) == 0
    assert main(["run", str(study), "--to", "01", "-p", "MIN_SUBJECTS=2"]) == 0
    exclusions = Study.open(study).read("exclusions").set_index("subject_id")["reason"]
    assert set(exclusions.index) == {"3", "4"}
    assert exclusions["3"] == "{id}b gives it another scan than {id}a does"


def test_status_of_a_new_study(tmp_path, capsys):
    study = Study.create(tmp_path / "study")
    assert main(["status", str(study.root)]) == 0
    assert capsys.readouterr().out.count("missing") == 10
    assert main(["export", str(study.root), str(tmp_path / "paper")]) == 1
    assert "nothing to export" in capsys.readouterr().err


def test_a_run_that_would_rest_on_stale_stages_is_refused_before_it_starts(tmp_path, capsys):
    study = Study.create(tmp_path / "study")
    stage = study.stage("01_cohort")
    stage.schema("participants")
    stage.write("cohort", pd.DataFrame({"subject_id": ["a"], "scan": ["a"]}))
    stage.write("exclusions", pd.DataFrame({"subject_id": ["b"], "reason": ["no scan"]}))
    stage.publish()
    contract = study.root / "schemas" / "participants.schema.json"
    contract.write_text(contract.read_text() + " ")
    assert main(["run", str(study.root), "--from", "02", "--to", "02"]) == 1
    said = capsys.readouterr()
    assert "01_cohort is stale: schema:participants has changed since" in said.err
    assert "--from 01" in said.err and "--stale 01" in said.err
    assert "02_volumes:" not in said.out


def test_a_simulation_that_did_not_end_is_no_cohort(tmp_path, capsys):
    """The participants would be missed first, and their place be asked for."""
    root = Study.create(tmp_path / "study", simulated=True).root
    assert main(["run", str(root)]) == 1
    said = capsys.readouterr()
    assert f"not simulated to the end: 'clamlab run {root} --from 00 --to 00'" in said.err
    assert f"then 'clamlab run {root}' goes on" in said.err
    assert "01_cohort" not in said.out


def test_a_stopped_simulation_is_begun_anew_by_its_own_notebook_alone(
    tmp_path, monkeypatch, capsys
):
    """Up to 09 the truth's N_CLUSTERS would be taken for a person's number by notebook 04."""

    def stopped(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "run_notebooks", stopped)
    assert main(["simulate", str(tmp_path / "study"), "-p", "N_CLUSTERS=3"]) == 130
    assert "'clamlab run STUDY --from 00 --to 00'" in capsys.readouterr().err


@pytest.fixture
def ran(monkeypatch):
    """The notebooks of every run, none of which is run."""
    names = []
    monkeypatch.setattr(commands, "run_notebooks", lambda *args, **_: names.append(args[1]))
    monkeypatch.setattr(commands, "summarise", lambda study: "")
    return names


@pytest.mark.parametrize("first, last", [("05_clusters", "06_clam"), ("5", "6"), ("05", "06")])
def test_a_stage_is_meant_by_its_number_or_its_name(tmp_path, ran, first, last):
    study = Study.create(tmp_path / "study")
    assert main(["run", str(study.root), "--from", first, "--to", last]) == 0
    assert ran == [["05_clusters.ipynb", "06_clam.ipynb"]]


@pytest.mark.parametrize(
    "options, expected",
    [
        (["--to", "O5"], "--to: expected a number (05) or a stage (05_clusters), found 'O5'"),
        (["--to", "5,"], "found '5,'"),
        (["--from", "05_cluster"], "found '05_cluster'"),
        (["--from", "-1"], "--from"),
        (["--stale", "05,O6"], "found 'O6'"),
        (["-p", "SEED=1", "-p", "EPOCHS=9", "-p", "SEED=2"], "-p: SEED is given twice"),
    ],
)  # fmt: skip
def test_what_is_no_stage_or_comes_twice_is_refused(tmp_path, ran, capsys, options, expected):
    """It ran other notebooks than were meant, or with the last of two values."""
    study = Study.create(tmp_path / "study")
    with pytest.raises(SystemExit, match="2"):
        main(["run", str(study.root), *options])
    assert expected in capsys.readouterr().err
    assert ran == []


def test_every_parameter_is_kept(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(commands, "run_notebooks", lambda *args, **_: given.append(args[2]))
    monkeypatch.setattr(commands, "summarise", lambda study: "")
    study = str(Study.create(tmp_path / "study").root)
    for seed in (1, 2):  # one call's are not the next one's
        assert main(["run", study, "-p", f"SEED={seed}", "-p", "EPOCHS=9"]) == 0
    assert given == [{"SEED": 1, "EPOCHS": 9}, {"SEED": 2, "EPOCHS": 9}]


def test_a_notebook_that_was_run_here_is_trusted_and_no_other(folder, tmp_path, monkeypatch):
    """JupyterLab withholds pictures and viewers of notebooks that it does not trust."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    path = folder / "01_numbers.ipynb"
    run_notebooks(folder, [path.name], {})
    notebook = nbformat.read(path, as_version=4)
    assert NotebookNotary().check_signature(notebook)
    notebook.cells[-1].outputs[0].text = "another's output"
    assert not NotebookNotary().check_signature(notebook)


def test_a_study_that_is_not_there(tmp_path, capsys):
    assert main(["run", str(tmp_path)]) == 1
    assert "clamlab init" in capsys.readouterr().err


def test_unknown_numbers_name_the_notebooks(tmp_path, capsys):
    study = Study.create(tmp_path / "study")
    assert main(["run", str(study.root), "--from", "77", "--to", "78"]) == 1
    assert "05_clusters" in capsys.readouterr().err


def test_a_run_keeps_what_was_warned_of_and_no_bar(folder, capfd):
    path = folder / "01_numbers.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = (
        "import logging, sys, warnings\nprint('\\r 20%|#', end='', file=sys.stderr)\n"
        "warnings.warn('centroids fell together')\nprint('\\r 40%|##', end='', file=sys.stderr)\n"
        "logging.getLogger('reader').info('read')\n"
        "logging.getLogger('reader').warning('a header is torn')"
    )
    nbformat.write(notebook, path)
    run_notebooks(folder, ["01_numbers.ipynb"], {})
    kept = "".join(outputs(folder)).splitlines()
    assert kept == ["UserWarning: centroids fell together", "WARNING:reader:a header is torn"]
    assert "40%" in capfd.readouterr().err
