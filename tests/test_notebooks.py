"""The notebooks keep their form: five parts, thin, clean, and true to the study's catalogue."""

import ast
import html
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from clamlab import stats
from clamlab.cli.parameters import parameters_of
from clamlab.cli.running import question_of
from clamlab.study import ARTEFACTS, STAGES

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CALLS = {
    "read": "reads",
    "folder": "reads",
    "write": "writes",
    "path": "writes",
    "new_array": "writes",
}
MOST_PARAMETERS = 6
# Opened by hand, and by no run: a person reads.
BY_HAND = ["choosing", "reading"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    notebook = nbformat.read(request.param, as_version=4)
    notebook.metadata["stem"] = request.param.stem
    return notebook


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_every_stage_has_its_notebook():
    stems = [path.stem for path in NOTEBOOKS]
    assert stems == [*STAGES, "10_validation", *BY_HAND]


def test_what_a_person_does_is_no_part_of_a_run(notebook):
    """It writes a person's files alone, and publishes nothing."""
    if notebook.metadata["stem"] not in BY_HAND:
        return
    assert not re.match(r"\d\d_", notebook.metadata["stem"])
    code = "\n".join(code_of(notebook))
    assert "publish" not in code and ".write(" not in code
    written = re.findall(r'stage\.path\("(\w+)"\)', code)
    assert written and all(ARTEFACTS[name].by_hand for name in written)


def test_clean(notebook):
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert "widgets" not in notebook.metadata


def test_five_parts(notebook):
    first, second = notebook.cells[0].source, notebook.cells[1].source
    assert first.startswith("# ")
    assert question_of(notebook).endswith("?")
    assert re.search(r"\*\*Reads\*\*.*\n.*\*\*Writes\*\*.*\n.*\*\*Takes\*\*", second)
    assert sum("parameters" in c.metadata.get("tags", []) for c in notebook.cells) == 1
    last = [c.source for c in notebook.cells if c.cell_type == "markdown"][-1]
    assert last.startswith("## What to look for")
    assert re.search(r"^assert ", code_of(notebook)[-1], re.MULTILINE)


def test_few_literal_parameters(notebook):
    assert 1 <= len(parameters_of(notebook)) <= MOST_PARAMETERS


def test_thin(notebook):
    """No function, class, loop over scans or path: such code belongs in the library."""
    for source in code_of(notebook):
        tree = ast.parse(source)
        banned = ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.AsyncFunctionDef
        assert not [n for n in ast.walk(tree) if isinstance(n, banned)]
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
        assert not [t for t in texts if isinstance(t, str) and re.search(r"\w/\w|\.(csv|npy)$", t)]
    lines = sum(len(source.splitlines()) for source in code_of(notebook))
    assert lines <= 100
    assert len(code_of(notebook)) <= 15


def test_the_table_of_files_is_true(notebook):
    """What the second cell says is read and written is what the code reads and writes."""
    table = notebook.cells[1].source
    said = {
        row: set(re.findall(r"`(\w+)`", re.search(rf"\*\*{row}\*\*(.*)", table)[1]))
        for row in ("Reads", "Writes")
    }
    done = {"Reads": set(), "Writes": set()}
    for source in code_of(notebook):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if getattr(node.func.value, "id", None) != "stage" or not node.args:
                    continue
                kind, name = CALLS.get(node.func.attr), getattr(node.args[0], "value", None)
                if kind and name in ARTEFACTS:
                    done[kind.capitalize()].add(name)
    done["Reads"] -= {n for n in done["Reads"] if ARTEFACTS[n].stage == notebook.metadata["stem"]}
    assert said == done
    if notebook.metadata["stem"] in STAGES:
        required = {a.name for a in ARTEFACTS.values() if a.required}
        own = {a.name for a in ARTEFACTS.values() if a.stage == notebook.metadata["stem"]}
        assert own & required <= done["Writes"] <= own


@pytest.mark.parametrize(("stem", "of"), [("01_cohort", "exclusions"), ("02_volumes", '"reason"')])
def test_why_a_scan_is_out_is_shown_to_the_last_word(stem, of):
    reason = "too short for whole lungs: expected at least 150 mm, found 10 mm; 'a person's' <note>"
    rows = {"subject_id": ["S1"], "status": "excluded", "reason": [reason]}
    names = {"stats": stats, "show_table": stats.tables.show_table, "qc": pd.DataFrame(rows)}
    names["matching"] = type("Matching", (), {"exclusions": pd.DataFrame(rows)})
    notebook = nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)
    last = [source.splitlines()[-1] for source in code_of(notebook)]
    (shown,) = [line for line in last if of in line]
    assert reason in html.unescape(eval(shown, names)._repr_html_())
