"""Take the README's pictures of notebook 07, from a study of simulated people.

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
WIDTH, HEIGHT, COLORS = 1700, 1300, 256


def main(study: Path) -> None:
    """Run notebook 07 in JupyterLab, use its viewers, and keep what is seen."""
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        jupyterlab(study / "notebooks", Path(home)) as url,
        chromium() as browser,
    ):
        page = new_page(browser, width=WIDTH, height=HEIGHT)
        run_notebook(page, url, "07_explore.ipynb", seconds=300)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        viewers = page.locator(".jp-OutputArea-output", has=page.locator(".clam-viewer"))
        keep(viewers.first, "averages")
        cohort = viewers.nth(1)
        cohort.locator("select").nth(1).wait_for()
        cohort.get_by_label("Map", exact=True).first.select_option("Contrast")
        cohort.get_by_label("beside").select_option("as a rival would have it")
        cohort.locator(".clam-viewer[data-ready]").nth(2).wait_for()
        cohort.locator("select", has_text="Three planes").first.select_option("coronal")
        page.wait_for_timeout(1500)  # both pictures have been drawn anew
        keep(cohort, "cohort")


def keep(part, name: str) -> None:
    """Save a picture of a part of the page, with few colours, so that the clone stays small."""
    part.scroll_into_view_if_needed()
    picture = Image.open(io.BytesIO(part.screenshot()))
    picture.convert("RGB").quantize(COLORS).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
