"""The site: built without a warning, asking no other host, with notebooks as they ran."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from browser import new_page
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from clamlab.study import Study

REPOSITORY = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"


def ran(study: Path) -> None:
    """Write a notebook as a run leaves it: printed words, a table, and two widgets."""
    data = [
        {"text/html": "<table><tr><td>Overall</td></tr></table>", "text/plain": "a table"},
        {WIDGET: {"model_id": "a"}, "text/plain": "ClusterAverages(children=())"},
        {WIDGET: {"model_id": "b"}, "text/plain": "CohortViewer(children=())"},
    ]
    outputs = [new_output("execute_result", each, execution_count=1) for each in data]
    printed = new_output("stream", name="stdout", text="48 of 48 people have a scan.")
    cells = [new_markdown_cell("# Explore"), new_code_cell("look()", outputs=[printed, *outputs])]
    notebook = new_notebook(cells=cells)
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    (study / "notebooks").mkdir(exist_ok=True)
    nbformat.write(notebook, study / "notebooks" / "07_explore.ipynb")
    (study / "07_explore").mkdir()
    (study / "07_explore" / "averages.html").write_text("<!doctype html><p>averages</p>")


def build(study: Path, site: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "docs/build.py", str(study), str(site)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    ran(Study.create(folder / "demo", simulated=True).root)
    done = build(folder / "demo", folder / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_pages_ask_no_other_host(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 35
    asked = re.compile(r"""(?:src|<link[^>]*href)=["'](https?:)?//""")
    assert [page.name for page in pages if asked.search(page.read_text("utf-8"))] == []
    assert "@import" not in "".join(p.read_text("utf-8") for p in site.rglob("*.css"))


@pytest.mark.parametrize("width", [800, 1250, 1400])
def test_no_page_is_wider_than_its_window(site, browser, width):
    page = new_page(browser, width=width)
    for name in ("index", "n_clusters", "made/demo/07_explore", "made/library/11_clam"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
    page.context.close()


def test_the_library_is_listed_as_its_rooms_offer_it(site):
    page = (site / "made" / "library" / "11_clam.html").read_text("utf-8")
    assert 'id="clamlab.clam.importance"' in page and "n_scans, *grid" in re.sub(
        "<[^>]+>", "", page
    )
    assert (site / "index.html").read_text("utf-8").count("no medical device") == 1


def test_a_notebook_is_shown_as_it_ran(site):
    page = (site / "made" / "demo" / "07_explore.html").read_text("utf-8")
    assert "48 of 48 people have a scan." in page and "<td>Overall</td>" in page
    assert '<iframe src="../../averages.html"' in page
    assert (site / "averages.html").read_text() == "<!doctype html><p>averages</p>"
    assert "run it down to this cell" in page and "CohortViewer(" not in page


def test_no_page_is_made_of_patients(tmp_path):
    ran(Study.create(tmp_path / "ward", simulated=False).root)
    done = build(tmp_path / "ward", tmp_path / "site")
    assert done.returncode != 0 and "holds patients" in done.stderr
    assert not (tmp_path / "site").exists()
