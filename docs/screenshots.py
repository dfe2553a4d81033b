"""Take the pages' pictures of notebook 07 and of what a study writes, from simulated people.

make demo && .venv/bin/python docs/screenshots.py demo_study
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import chromium, jupyterlab, new_page, run_notebook

PICTURES = Path(__file__).parent / "screenshots"
WIDTH, HEIGHT, COLORS = 1700, 1700, 256


def main(study: Path) -> None:
    """Run notebook 07 in JupyterLab, use its viewers, and keep what is seen."""
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        jupyterlab(study / "notebooks", Path(home)) as url,
        chromium() as browser,
    ):
        page = new_page(browser, width=WIDTH, height=HEIGHT)
        run_notebook(page, url, "07_explore.ipynb")
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        viewers = page.locator(".jp-OutputArea-output", has=page.locator(".clam-viewer"))
        viewers.first.get_by_label("against").select_option("the rest of the scans")
        page.wait_for_timeout(2500)  # pictures have been drawn anew
        keep(viewers.first, "averages")
        cohort = viewers.nth(1)
        cohort.get_by_label("Map", exact=True).first.select_option("Difference to the rival's")
        cohort.get_by_label("beside").first.select_option("as a rival would have it")
        cohort.locator("canvas[data-plane=axial]").nth(1).wait_for()
        cohort.locator("select", has_text="Three planes").first.select_option("coronal")
        page.wait_for_timeout(2500)
        keep(cohort, "cohort")
        way = viewers.nth(2)
        way.scroll_into_view_if_needed()
        page.wait_for_timeout(8000)  # all its steps are worked out
        way.locator(".noUi-handle").first.focus()
        page.keyboard.press("End")
        page.wait_for_timeout(2500)
        keep(way, "way")
        of_the_page(browser, study)
        of_results(browser, study)


def of_results(browser, study: Path) -> None:
    """Show the top of Table 2 and of the report, and Figure 10."""
    page = new_page(browser, width=1000, height=620)
    for name, made in (
        ("table_2", "08_table_one/table_one.html"),
        ("report", "report/report.html"),
    ):
        page.goto((study / made).resolve().as_uri())
        page.wait_for_timeout(500)
        store(Image.open(io.BytesIO(page.screenshot())), name)
    store(Image.open(study / "09_associations" / "figure_10.png").reduce(2), "figure_10")


def of_the_page(browser, study: Path) -> None:
    """Open the page that goes to a colleague, as the colleague would."""
    page = new_page(browser, width=1250, height=1000)
    page.goto((study / "07_explore" / "averages.html").resolve().as_uri())
    page.locator(".clam-viewer[data-ready]").wait_for()
    page.get_by_label("against").select_option("the rest")
    page.get_by_label("Number of clusters").press("ArrowRight")
    page.wait_for_timeout(1000)
    keep(page.locator("body"), "page")


def keep(part, name: str) -> None:
    """Save a picture of a part of the page."""
    part.scroll_into_view_if_needed()
    store(Image.open(io.BytesIO(part.screenshot())), name)


def store(picture: Image.Image, name: str) -> None:
    """Write a picture with few colours, so that the clone stays small."""
    picture.convert("RGB").quantize(COLORS).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
