"""A notebook that has run, as it is seen by somebody who runs nothing."""

import nbformat
import pytest
from browser import (
    find_chromium,
    jupyter_places,
    jupyterlab,
    open_notebook,
    run_all,
    write_notebook,
)
from nbconvert import HTMLExporter

from clamlab.cli.running import run_notebooks

AVERAGES = """
import numpy as np
from clamlab.viewers import ClusterAverages
hu = {f"Cluster {k}": np.full((20, 16, 12), -900.0 + 200 * k) for k in (1, 2)}
maps = {name: np.indices((20, 16, 12)).mean(0) / 16 for name in hu}
ClusterAverages(hu, maps, affine=np.diag([3.0, 3, 3, 1]))
"""
SILENT = ".clam-listening.clam-unheard"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    find_chromium()
    folder = tmp_path_factory.mktemp("ran")
    write_notebook(folder / "averages.ipynb", [AVERAGES])
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:  # signed where its user's Lab looks
        patch.setenv("JUPYTER_DATA_DIR", jupyter_places(home)["JUPYTER_DATA_DIR"])
        run_notebooks(folder, ["averages.ipynb"], {})
    return folder, home


def test_a_notebook_that_was_only_opened_shows_its_viewer_and_says_how_to_explore(ran, page):
    with jupyterlab(*ran) as url:
        open_notebook(page, url, "averages.ipynb")
        page.locator(".clam-viewer[data-ready]").wait_for()
        page.locator(SILENT).wait_for()
        said = page.locator(SILENT).evaluate("(x) => getComputedStyle(x, '::after').content")
        assert "run it down to this cell" in said
        assert page.locator(".clam-still").count() == 1
        assert not page.locator(".clam-still").is_visible()
        run_all(page)
        page.locator(".clam-viewer[data-ready]").wait_for()
        page.wait_for_timeout(4000)  # longer than a silent Python is waited for
        assert page.locator(SILENT).count() == 0
        assert not page.js_errors and not page.requests_outside


def test_a_page_without_scripts_shows_the_still(ran, browser, tmp_path):
    notebook = nbformat.read(ran[0] / "averages.ipynb", as_version=4)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "mail.html").write_text(html, encoding="utf-8")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((tmp_path / "mail.html").as_uri(), wait_until="domcontentloaded")
    still = page.locator(".clam-still img")
    still.wait_for()
    assert still.bounding_box()["width"] > 300
    said = "To explore it by hand, run the notebook in JupyterLab down to this cell."
    assert page.get_by_text(said).is_visible()
