"""Deciding as a person does it: keys in a real JupyterLab, and the page of pictures from disk."""

import pandas as pd
import pytest
from browser import (
    chromium,
    find_chromium,
    jupyter_places,
    jupyterlab,
    new_page,
    open_notebook,
    run_all,
    write_notebook,
)
from PIL import Image

from clamlab.cli.running import run_notebooks
from clamlab.ingest.cohort.qc_pages import write_index

KINDS = ["ok", "review", "review", "review", "excluded", "review", "ok"]
CELL = """
import pandas as pd
from clamlab.viewers import Review
qc = pd.read_csv("qc.csv", keep_default_na=False)
review = Review(qc, "qc", "decisions.csv")
review
"""


def picture_of(folder, subject, width):
    Image.new("RGB", (width, 60), "#555").save(folder / f"{subject}.png")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A notebook with the widget, run by the command line and opened by nobody yet."""
    find_chromium()
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    (folder / "qc").mkdir()
    qc = pd.DataFrame(
        {
            "subject_id": [f"S{i}" for i in range(len(KINDS))],
            "status": KINDS,
            "reason": ["" if kind == "ok" else "<b>small</b>" for kind in KINDS],
            "dice": [0.9 + 0.01 * i for i in range(len(KINDS))],
            "other_series": ["series 4 (60 slices of 5 mm); series 7 (300 slices of 1 mm)"] * 7,
        }
    )
    qc.to_csv(folder / "qc.csv", index=False)
    for i, subject in enumerate(qc["subject_id"]):
        picture_of(folder / "qc", subject, 100 + i)  # its width tells whose it is
    write_notebook(folder / "review.ipynb", ["# runs by itself", CELL])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", jupyter_places(home)["JUPYTER_DATA_DIR"])
        run_notebooks(folder, ["review.ipynb"], {})
    with jupyterlab(folder, home) as url:
        yield url, folder


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        yield new_page(browser, width=1500, height=1200)


def shown(page, subject):
    """Wait until a subject is shown with its own picture."""
    page.wait_for_function(
        """([id, width]) => document.querySelector('.clam-review .clam-title')?.textContent === id
            && document.querySelector('.clam-picture img').naturalWidth === width""",
        arg=[subject, 100 + int(subject[1:])],
    )


def told(page, words):
    page.locator(".clam-told", has_text=words).wait_for()


def decided(folder):
    table = pd.read_csv(folder / "decisions.csv", dtype=str, keep_default_na=False)
    return table[["subject_id", "decision", "series_number", "note"]].to_numpy().tolist()


def test_scans_are_decided_by_keys(lab, page):
    url, folder = lab
    # As the command line left it: a picture, a list, and nothing that looks as if it were decided.
    open_notebook(page, url, "review.ipynb")
    widget = page.locator(".clam-review")
    shown(page, "S1")
    assert page.locator(".clam-line").count() == 7
    widget.press("a")
    told(page, "Python does not answer")
    assert page.locator(".clam-progress").inner_text() == "0 of 4 decided"
    assert not (folder / "decisions.csv").exists()

    run_all(page)
    shown(page, "S1")
    assert page.locator(".clam-reasons li").inner_text() == "<b>small</b>"
    widget.press("a")
    shown(page, "S2")
    assert decided(folder) == [["S1", "accept", "", ""]]
    page.keyboard.press("n")
    page.keyboard.type("a, r: moved")
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    shown(page, "S3")
    page.keyboard.press("s")
    page.keyboard.press("ArrowDown")  # the first series, on the way to the second
    told(page, "Enter takes series 4")
    page.keyboard.press("ArrowDown")
    told(page, "Enter takes series 7")
    assert [row[0] for row in decided(folder)] == ["S1", "S2"]
    page.keyboard.press("Enter")
    shown(page, "S5")
    assert page.locator(".clam-progress").inner_text() == "3 of 4 decided"
    assert "3 decisions saved, not in effect yet" in page.locator(".clam-again").inner_text()
    assert decided(folder) == [
        ["S1", "accept", "", ""], ["S2", "reject", "", "a, r: moved"], ["S3", "series", "7", ""],
    ]  # fmt: skip

    page.keyboard.press("u")
    shown(page, "S3")
    assert [row[0] for row in decided(folder)] == ["S1", "S2"]
    page.get_by_label("Another series").select_option(label="series 4 (60 slices of 5 mm)")
    shown(page, "S5")  # with the mouse at once
    assert decided(folder)[-1] == ["S3", "series", "4", ""]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("n")
    page.keyboard.type("undone")
    page.keyboard.press("Enter")
    shown(page, "S3")
    page.wait_for_timeout(300)
    assert decided(folder)[-1] == ["S3", "series", "4", "undone"]
    page.keyboard.press("u")  # the note alone is taken back
    page.wait_for_timeout(300)
    page.keyboard.press("u")
    page.wait_for_timeout(300)
    page.keyboard.press("n")
    page.keyboard.press("Control+A")
    page.keyboard.type("kept")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    shown(page, "S5")
    page.keyboard.press("u")  # of what is open again the words stay for the next decision
    shown(page, "S3")
    assert page.get_by_label("Note").input_value() == "kept"
    page.keyboard.press("r")
    shown(page, "S5")
    assert decided(folder)[-1] == ["S3", "reject", "", "kept"]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    shown(page, "S2")
    page.keyboard.press("a")  # changes her mind; the note stays
    shown(page, "S5")
    page.keyboard.press("End")
    shown(page, "S4")
    page.keyboard.press("a")
    told(page, "nothing to accept")
    page.keyboard.press("?")
    assert page.get_by_text("reject: it is excluded").is_visible()
    left = [
        ["S1", "accept", "", ""],
        ["S2", "accept", "", "a, r: moved"],
        ["S3", "reject", "", "kept"],
    ]
    assert sorted(decided(folder)) == left

    # The browser is closed, and the kernel too: what was decided is there again.
    page.reload(wait_until="domcontentloaded")
    open_notebook(page, url, "review.ipynb")
    run_all(page)
    shown(page, "S5")
    assert page.locator(".clam-progress").inner_text() == "3 of 4 decided"
    (folder / "decisions.csv").write_text("what,is,this\n1,2,3\n")
    widget.press("a")
    told(page, "Not saved: decisions.csv should have the columns")
    assert page.locator(".clam-progress").inner_text() == "3 of 4 decided"
    assert (folder / "decisions.csv").read_text() == "what,is,this\n1,2,3\n"
    assert page.js_errors == [] and page.requests_outside == []


def test_a_thousand_subjects_are_found_and_filtered_from_disk(page, tmp_path):
    ids = [f"S{i}" for i in range(999)] + ["</script><i>x"]
    qc = pd.DataFrame({"subject_id": ids, "status": "ok", "reason": "", "dice": 0.95})
    qc.loc[700:709, ["status", "reason"]] = "review", "small"
    qc.loc[500, ["status", "reason"]] = "excluded", "a person rejected it: <img src=x>"
    for i in (500, 700, 701):
        picture_of(tmp_path, ids[i], 100 + i)
    page.goto(write_index(qc, tmp_path).as_uri())
    heading, count, picture = page.locator("h1"), page.locator("output"), page.locator("main img")

    def sees(subject, width):
        page.wait_for_function(
            """([id, width]) => document.querySelector('h1').firstChild.textContent === id
                && document.querySelector('main img').naturalWidth === width""",
            arg=[subject, width],
        )

    sees("S500", 600)
    assert page.locator("main li").all_inner_texts() == ["a person rejected it: <img src=x>"]
    page.keyboard.press("ArrowDown")
    sees("S700", 800)
    page.get_by_label("Status").select_option("review")
    assert count.inner_text() == "10 of 1000"
    page.get_by_label("Filter").fill("S701")
    assert count.inner_text() == "1 of 1000"
    page.keyboard.press("ArrowDown")
    sees("S701", 801)
    page.get_by_label("Status").select_option("")
    page.get_by_label("Filter").fill("</script>")
    page.locator("#list a:visible").click()
    page.wait_for_function("() => document.querySelector('h1').textContent.includes('<i>x')")
    assert heading.inner_text() == "</script><i>xok" and not picture.is_visible()
    page.goto(f"{(tmp_path / 'index.html').as_uri()}#S700")  # a link to one subject's sheet
    page.reload()
    sees("S700", 800)
    assert page.js_errors == [] and page.requests_outside == []
