"""The contract of a table, edited in notebook 01: in a real JupyterLab, in a real browser."""

import json
from pathlib import Path

import nbformat
import pytest
from browser import chromium, find_chromium, jupyterlab, new_page, open_notebook, run_all

from clamlab.schema import draft_schema, read_table
from clamlab.study import Study

TABLE = """subject_id,sex,FVC,stage,<b>note</b>
S1,m,3.1,0,see letter
S2,f,-999,2,well
S3,M,2.9,1,better
S4,f,4.0,1,well again
"""
SHOWN = ("01_cohort-02", "01_cohort-03", "01_cohort-04a", "01_cohort-05")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose notebook 01 ends after its first section."""
    find_chromium()  # no server where nobody can look
    folder = tmp_path_factory.mktemp("study")
    table = folder / "clinic.csv"
    table.write_text(TABLE)
    made = Study.create(
        folder / "lungs", participants=str(table), scans=str(folder), id_column="subject_id"
    )
    contract = made.root / "schemas" / "participants.schema.json"
    contract.write_text(json.dumps(draft_schema(read_table(table))))
    path = made.root / "notebooks" / "01_cohort.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells = [cell for cell in book.cells if cell.id in SHOWN]
    assert len(book.cells) == len(SHOWN)
    nbformat.write(book, path)
    return made


@pytest.fixture
def page():
    with chromium() as browser:
        opened = new_page(browser, height=1400)
        yield opened
        assert opened.js_errors == [] and opened.requests_outside == []


def column(study, name="FVC"):
    return study.schema("participants")["properties"][name]


def test_a_contract_is_edited_where_it_is_shown(study, page, tmp_path):
    folder = study.root / "notebooks"
    with jupyterlab(folder, tmp_path) as lab:
        open_notebook(page, lab, "01_cohort.ipynb")
        run_all(page)
        editor, save = page.locator(".clam-editor"), page.locator(".clam-editor button")
        editor.get_by_text("-999 (1: S2)").wait_for()
        assert editor.locator("tbody tr").count() == 5 and editor.locator("b").count() == 0
        assert save.is_disabled(), "nothing has changed"

        # what does not fit is told in its row, and nothing is written
        before = Path(study.root / "schemas" / "participants.schema.json").read_bytes()
        page.get_by_label("FVC: role").select_option("outcome")
        page.get_by_label("FVC: missing codes").fill("-999")
        page.get_by_label("sex: reference").fill("x")
        editor.get_by_text("3 changes not saved").wait_for()
        save.click()
        row = editor.locator("tr", has=page.get_by_label("sex: reference"))
        row.get_by_role("alert").get_by_text("'x' is not among its levels").wait_for()
        assert editor.get_by_role("status").inner_text() == "Not saved: see sex"
        page.get_by_label("stage: levels").fill("0 | 1")
        page.get_by_label("sex: reference").fill("")
        save.click()
        editor.get_by_text("2 is not one of 0, 1 (1)").wait_for()
        assert (study.root / "schemas" / "participants.schema.json").read_bytes() == before
        assert row.get_by_role("alert").inner_text() == ""

        # what fits is written, and the next cell goes by it
        page.get_by_label("stage: levels").fill("2 | 1 | 0")
        page.get_by_label("FVC: units").fill("l")
        save.click()
        editor.get_by_text("Saved. Run the cells below.").wait_for()
        assert save.is_disabled()
        rule = column(study)
        assert (rule["x-role"], rule["x-units"], rule["x-missing"]) == ("outcome", "l", ["-999"])
        assert column(study, "stage")["enum"] == [2, 1, 0]
        run_all(page)
        page.get_by_text("FVC: 1 cell (-999.0) taken as missing").wait_for()
        page.screenshot(path=tmp_path / "editor.png")

        # a Python that is gone is told of
        page.evaluate(
            """() => {
                const {context} = window.jupyterapp.shell.currentWidget;
                return context.sessionContext.session.kernel.restart();
            }"""
        )
        page.get_by_label("FVC: units").fill("ml")
        save.click()
        editor.get_by_text("Not saved: Python does not answer").wait_for()
        assert column(study)["x-units"] == "l"
