"""A person's groups in a real JupyterLab: kept, there after a restart, compared, and stopped."""

import time

import pandas as pd
import pytest
from browser import (
    ask_kernel,
    canvas_hash,
    chromium,
    find_chromium,
    jupyterlab,
    new_page,
    open_notebook,
    run_all,
    run_notebook,
    write_notebook,
)

CELL = """
import time
import numpy as np
import pandas as pd
from clamlab.viewers.groups import GroupPanel
z = np.indices((24, 20, 16))[2]
low = np.arange(40) % 2
hu = (np.full((24, 20, 16), -850) + 100 * low[:, None, None, None] * (z < 8)).astype("int16")
table = pd.DataFrame({"subject_id": [f"S{i:02}" for i in range(40)], "cluster": low,
                      "age": np.linspace(40.5, 80, 40)})

def slow(i, k):
    time.sleep(0.3)
    return np.full(hu.shape[1:], 0.5)

panel = GroupPanel(table, hu, maps={"Bases": lambda i, k: (z < 8) * (0.2 + 0.6 * k), "Slow": slow},
                   affine=np.diag([8.0, 8, 8, 1]), path="explore/groups.csv")
panel
"""
NAME = 'dense <i>bases</i>, "both"'


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    find_chromium()
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "groups.ipynb", [CELL])
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as url:
        yield url, folder


def eventually(holds, seconds=15):
    """Wait until something holds: pictures are drawn a moment after they are asked for."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_groups_are_kept_compared_and_stopped(lab):
    url, folder = lab
    with chromium() as browser:
        page = new_page(browser, width=1500, height=1600)
        run_notebook(page, url, "groups.ipynb")
        page.get_by_text("Draw a loop to choose scans.").wait_for()
        assert page.get_by_role("button", name="Keep", exact=True).is_disabled()
        ask_kernel(page, "setattr(panel, 'current', list(range(1, 40, 2)))")  # what a loop does
        page.get_by_text("20 scans drawn").wait_for()
        # A button that is not yet to be pressed is no stop of the Tab key.
        eventually(page.get_by_role("button", name="Keep", exact=True).is_enabled)
        page.get_by_placeholder("Name of the group").focus()
        page.keyboard.type(NAME)
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Keep", exact=True).press("Enter")
        page.get_by_text(f"Kept {NAME}  (20 scans).").wait_for()
        cells = page.locator(".clam-groups tr", has_text="Cluster 2").locator("td")
        assert cells.all_inner_texts() == ["Cluster 2‡ (%)", "20 (100.0)", "0 (0.0)", "20 (50.0)"]
        kept = pd.read_csv(folder / "explore" / "groups.csv")
        assert set(kept["group"]) == {NAME} and len(kept) == 20

        # tomorrow: another kernel, the same groups
        page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()"
        )
        open_notebook(page, url, "groups.ipynb")
        assert ask_kernel(page, "'panel' in globals()") == "False"
        run_all(page)
        page.locator(".widget-select select").select_option(label=f"{NAME}  (20 scans)")
        page.locator(".clam-groups th", has_text=NAME).wait_for()

        # compared: linked pictures, and their difference is one of the maps
        page.get_by_role("button", name="Compare in pictures").click()
        page.locator(".clam-viewer[data-ready]").nth(1).wait_for()
        titles = page.locator(".clam-title").all_inner_texts()
        assert titles == [f"{NAME}: average of 20 scans", "All others: average of 20 scans"]
        both = page.locator("canvas[data-plane=axial]")
        eventually(lambda: canvas_hash(both.nth(0)) != canvas_hash(both.nth(1)))
        before = [canvas_hash(both.nth(i)) for i in (0, 1)]
        first = page.locator(".clam-viewer").first
        first.get_by_label("Map", exact=True).select_option(label=f"{NAME} minus All others")
        page.wait_for_function(
            "() => [...document.querySelectorAll('.clam-viewer [aria-label=Map]')]"
            ".every((select) => select.value.endsWith('minus All others'))"
        )
        eventually(lambda: all(canvas_hash(both.nth(i)) != before[i] for i in (0, 1)))
        both.first.focus()
        page.keyboard.press("Home")  # the lowest slice, where the bases are
        page.get_by_text("map +100 HU").nth(1).wait_for()

        # stopped: what was shown stays
        page.locator(".widget-dropdown select").last.select_option("Slow")
        page.get_by_role("button", name="Compare in pictures").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_text("What is shown is as before").wait_for()
        done = int(ask_kernel(page, "panel.pictures.work.done"))
        assert 0 < done < 40
        page.wait_for_timeout(700)
        assert ask_kernel(page, "panel.pictures.work.done") == str(done)
        assert page.locator(".clam-title").all_inner_texts() == titles
        assert page.get_by_text("map +100 HU").count() == 2
        assert page.js_errors == [] and page.requests_outside == []
        page.context.close()
