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
    write_notebook(folder / "keys.ipynb", [KEYS, "'the next cell'"])
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as url:
        yield url, folder


KEYS = """
import numpy as np
import pandas as pd
from clamlab.viewers.groups import GroupPanel
table = pd.DataFrame({"subject_id": [f"S{i:02}" for i in range(12)], "cluster": [0, 1] * 6})
hu = np.random.default_rng(0).integers(-1000, 0, (12, 12, 10, 8)).astype("int16")
panel = GroupPanel(table, hu, maps={"Flat": lambda i, k: np.full((12, 10, 8), 0.5)},
                   affine=np.diag([8.0, 8, 8, 1]), path="keys/groups.csv", figures="keys/groups")
for name, scans in {"first": range(6), "second": range(3, 9)}.items():
    panel.current = list(scans)
    panel.keep(name)
panel.current = [0, 1, 2]
panel
"""
FOCUS = """() => {
    const one = document.activeElement, {outlineStyle, outlineWidth} = getComputedStyle(one);
    const mark = outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
    return [one.placeholder || one.textContent.trim(), mark];
}"""


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
        page.get_by_text("No scans are drawn around.").wait_for()
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


def test_the_keyboard_alone_does_all_that_is_done_with_groups(lab):
    url, folder = lab
    path = folder / "keys" / "groups.csv"
    with chromium() as browser:
        page = new_page(browser, width=1500, height=1600)
        press, write = page.keyboard.press, page.keyboard.type
        run_notebook(page, url, "keys.ipynb")
        page.get_by_text("3 scans drawn").wait_for()
        boxes = page.locator(".widget-vbox").evaluate_all(
            "all => all.map((box) => box.scrollWidth - box.clientWidth)"
        )
        assert max(boxes) == 0, "something is wider than its room"

        def chosen():
            return ask_kernel(page, "panel.chosen")

        def back_in_the_list():
            eventually(lambda: page.evaluate("() => document.activeElement.size") == 6)

        # The choice was taken back by what is drawn: an arrow begins at an end of the list.
        page.locator(".widget-select select").focus()
        press("ArrowDown")
        eventually(lambda: chosen() == "['first']")
        press("ArrowDown")
        eventually(lambda: chosen() == "['second']")
        ask_kernel(page, "setattr(panel, 'current', [4, 5])")
        page.get_by_text("2 scans drawn").wait_for()
        press("ArrowUp")
        eventually(lambda: chosen() == "['second']")
        eventually(page.get_by_role("button", name="Save …").is_enabled)

        # Every stop of the Tab key, and a mark on each that is seen.
        page.get_by_placeholder("Name of the group").focus()
        stops = []
        for _ in range(10):
            stops.append(page.evaluate(FOCUS))
            press("Tab")
        assert [words.split()[0] for words, _ in stops] == [
            "Name", "Keep", "first", "all", "Note", "Save", "Rename", "Delete", "Compare", "Flatno",
        ]  # fmt: skip
        assert page.evaluate(FOCUS)[0] == "Save …"
        assert min(mark for _, mark in stops) >= 2

        page.get_by_placeholder("Note about").focus()
        write("aa, dd: no cells of Lab's")
        press("Tab")
        press("Enter")
        page.get_by_text("Note about second saved.").wait_for()
        press("Tab")
        press("Enter")  # Rename …
        eventually(lambda: page.evaluate("() => document.activeElement.value") == "second")
        press("Escape")
        back_in_the_list()
        assert ask_kernel(page, "panel.controls.question.layout.display") == "none"
        page.get_by_role("button", name="Rename …").focus()
        press("Enter")
        eventually(lambda: page.evaluate("() => document.activeElement.value") == "second")
        press("Control+a")
        write("lower half")
        press("Enter")
        page.get_by_text("second is called lower half now.").wait_for()
        back_in_the_list()
        kept = pd.read_csv(path)
        assert list(dict.fromkeys(kept["group"])) == ["first", "lower half"]
        assert set(kept["note"].dropna()) == {"aa, dd: no cells of Lab's"}

        page.get_by_role("button", name="Compare in pictures").focus()
        press("Enter")
        page.locator(".clam-viewer[data-ready]").nth(1).wait_for()
        page.get_by_role("button", name="Delete …").focus()
        press("Enter")
        eventually(lambda: page.evaluate(FOCUS)[0] == "No, leave it")
        press("Shift+Tab")
        press("Enter")
        page.get_by_text("lower half is deleted").wait_for()
        assert set(pd.read_csv(path)["group"]) == {"first"}
        cells = page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length")
        assert cells == 2, "no key reached Lab's own cells"
        assert page.js_errors == [] and page.requests_outside == []
        page.context.close()
