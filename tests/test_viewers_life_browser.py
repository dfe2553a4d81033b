"""The life of viewers in a real JupyterLab: keys alone, opened again, restarted, dead."""

import pandas as pd
import pytest
from browser import (
    ask_kernel,
    canvas_hash,
    find_chromium,
    jupyterlab,
    open_notebook,
    run_all,
    run_notebook,
    write_notebook,
)
from widget_page import settle

PAGE_SIZE = {"width": 1500, "height": 3000}
COHORT = """
import numpy as np
import pandas as pd
from clamlab.viewers import CohortViewer
EVIL = '<img src=x onerror="window.harmed = 1">'
n, n_clusters, grid = 12, 3, (20, 16, 12)
hu = np.full((n, *grid), -850) + 30 * np.arange(n)[:, None, None, None]
hu = (hu + 3 * np.indices(grid).sum(0)).astype("int16")
own = np.arange(n) % n_clusters
soft = np.full((n, n_clusters), 0.1)
soft[np.arange(n), own] = 0.8
maps = np.zeros((n, n_clusters, *grid))
maps[:, :, 5:12, 5:9, 3:7] = 0.8
maps[1] = np.nan
names = [f"S{i:02}{EVIL if i == 2 else ''}" for i in range(n)]
table = pd.DataFrame({"subject_id": names, f"age {EVIL}": np.linspace(40.5, 80, n),
                      "sex": ["f", EVIL] * 6, "gap": None, "cluster": own,
                      "age": np.linspace(40.5, 80, n), "confidence": np.linspace(0.4, 0.99, n)})
parts = pd.concat([pd.DataFrame({"n_clusters": k, "subject_id": names, "cluster": np.arange(n) % k,
                                 "jaccard": 0.8, "apart": k == 3}) for k in (2, 3, 4)])
cohort = CohortViewer(hu, np.random.default_rng(0).normal(size=(n, 4)) + 4 * np.eye(4)[own], soft,
                      maps={"CLAM": maps, "Other": np.nan_to_num(maps) / 2}, table=table,
                      partitions=parts, affine=np.diag([3.0, 3, 3, 1]), groups_path="groups.csv",
                      notes_path="notes.csv", key="cohort")
cohort
"""
TABLE = """
from clamlab.viewers.following import TableExplorer
rules = {"age": {"title": "Age " + EVIL, "type": "number", "x-role": "demographic"},
         "sex": {"title": "Sex", "enum": ["f", EVIL], "x-role": "demographic"}}
explorer = TableExplorer(table, {"properties": rules}, folder="explored", key="table")
explorer
"""
STATE = (
    "(cohort.choose.scan.value, cohort.numbers.value, cohort.scatter.axes, cohort.slices.level, "
    "cohort.filters.conditions, [door.value for door in cohort.rooms.doors], "
    "explorer.confidence.value, cohort.slices.title)"
)
# What tells a person where the keyboard is.
LOOK = """(node) => {
    const {outlineStyle, outlineWidth, outlineColor, borderColor, backgroundColor, boxShadow} =
        getComputedStyle(node);
    return [outlineStyle, outlineWidth, outlineColor, borderColor, backgroundColor, boxShadow]
        .join(' ');
}"""
NAMED = """() => {
    const node = document.activeElement;
    const label = node.closest('.widget-inline-hbox')?.querySelector('label')?.textContent;
    return (node.ariaLabel || node.placeholder || node.title || label || node.textContent).trim();
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    find_chromium()
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "life.ipynb", [COHORT, TABLE])
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as url:
        yield url, folder


def walk(page, until):
    """Press Tab until a control is reached; return who was on the way, and who was not seen."""
    names, unseen = [], []
    page.add_style_tag(content="* { transition: none !important; }")  # looks fade in
    while not names or not names[-1].startswith(until):
        assert len(names) < 90, f"{until} is not reached by Tab: {names}"
        node = page.evaluate_handle("() => document.activeElement")
        focused, name = node.evaluate(LOOK), page.evaluate(NAMED)
        names.append(name)
        page.keyboard.press("Tab")
        assert not node.evaluate("(node) => node === document.activeElement"), f"{name} is a trap"
        if node.evaluate(LOOK) == focused:
            unseen.append(name)
    return names, unseen


def test_keys_reopening_restart_and_death(lab, page):
    url, folder = lab
    run_notebook(page, url, "life.ipynb")
    page.locator(".clam-viewer[data-ready]").first.wait_for()
    page.get_by_text("It is the table").or_(page.get_by_text("PLANNED")).first.wait_for()

    # every control in its order, seen, and no way in without a way out
    page.get_by_label("Colour").first.focus()
    names, unseen = walk(page, "▸ Groups")
    assert not unseen
    wanted = [
        "Colour", "Clusters", "Axis across", "Axis up", "Scans in feature space", "Scan", "Map",
        "for", "beside", "View", "Axial slice", "Note about this scan", "Save note", "▸ Filters",
    ]  # fmt: skip
    places = [names.index(name) if name in names else name for name in wanted[:-1]]
    assert places == sorted(places)
    assert names[-2].startswith("▸ Filters")
    assert page.evaluate("window.harmed") is None

    # an arrow in a list chooses there, and no cell of Lab's
    page.get_by_label("Scan", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.get_by_text("S01 · Cluster 2 (its map was not computed)").wait_for()
    page.keyboard.press("ArrowUp")
    page.get_by_text("S00 · Cluster 1").first.wait_for()

    # filters and groups by keys; Escape leaves a group
    page.get_by_role("button", name="Filters: which").press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(NAMED) == "Add a filter"
    points = page.get_by_label("Scans in feature space")
    points.press("Control+a")
    page.get_by_text("12 scans chosen").wait_for()
    points.press("Escape")
    page.get_by_text("12 scans chosen").wait_for(state="detached")
    page.get_by_text("No scans are drawn around.").wait_for(state="attached")
    points.press("Control+a")
    page.get_by_text("12 scans drawn").wait_for(state="attached")
    page.get_by_role("button", name="Groups: keep").press("Space")
    page.get_by_role("button", name="Keep", exact=True).and_(page.locator(":enabled")).wait_for()
    page.get_by_placeholder("Name of the group").focus()
    page.keyboard.type("all <b>of</b> them")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # at once: the name is there whole
    page.get_by_text("Kept all <b>of</b> them  (12 scans).").wait_for()
    page.get_by_role("button", name="Rename …").press("Enter")
    page.wait_for_function("() => document.activeElement.value === 'all <b>of</b> them'")
    page.keyboard.press("End")
    page.keyboard.type(" all")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("is called all <b>of</b> them all now").wait_for()
    page.wait_for_function("() => document.activeElement.matches('.widget-select select')")
    assert set(pd.read_csv(folder / "groups.csv")["group"]) == {"all <b>of</b> them all"}
    points.press("Escape")

    # the words of what is kept arrive before the press of the button
    page.locator(".noUi-handle").last.press("End")
    page.locator(".clam-mark", has_text="EXPLORATORY").wait_for()
    page.get_by_placeholder("what is this?").fill("without the unsure")
    page.get_by_role("button", name="Keep this one").press("Enter")
    page.get_by_text("_without-the-unsure").wait_for()

    # a scan without a map is shown, and says so
    page.get_by_label("Scan", exact=True).select_option("S01")
    page.get_by_text("S01 · Cluster 2 (its map was not computed)").wait_for()
    page.get_by_label("Axis across").select_option("2")
    page.get_by_label("Window level (HU)").fill("-500")
    page.get_by_label("Window level (HU)").press("Enter")
    page.get_by_label("Add a filter").select_option("age")
    page.get_by_label("age from, as a number").fill("50")
    page.get_by_label("age from, as a number").press("Enter")
    page.locator(".noUi-handle").first.press("ArrowRight")
    page.get_by_text("4 clusters: the rule does not see").wait_for()
    page.wait_for_timeout(600)  # what was set is written when the hand rests
    state = ask_kernel(page, STATE)
    set_by_hand = "(1, 4, [2, 1], -500, {'age': {'missing': True, 'low': 50}}, [True, True]"
    assert state.startswith(set_by_hand)

    # closed and opened again, with its kernel
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.goto("about:blank")
    open_notebook(page, url, "life.ipynb")
    page.get_by_text("S01 · Cluster 2 of 4 (its map was not computed)").wait_for()
    page.locator(".clam-mark", has_text="EXPLORATORY").wait_for()
    assert ask_kernel(page, STATE) == state

    # run again, and with another kernel
    run_all(page)
    assert ask_kernel(page, STATE) == state
    restart = "() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()"
    page.evaluate(restart)
    open_notebook(page, url, "life.ipynb")
    assert ask_kernel(page, "'cohort' in globals()") == "False"
    run_all(page)
    assert ask_kernel(page, STATE) == state
    page.get_by_text("S01 · Cluster 2 of 4 (its map was not computed)").wait_for()
    page.locator(".clam-mark", has_text="EXPLORATORY").wait_for()

    # without a kernel every widget says so; slices scroll on, filters filter, doors open
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    page.locator(".clam-viewer.clam-lost").nth(3).wait_for()
    said = page.evaluate(
        """() => [...document.querySelectorAll('.clam-viewer, .clam-listening')]
            .filter((node) => node.offsetParent)
            .map((node) => getComputedStyle(node, '::after').content)"""
    )
    assert len(said) >= 5
    assert all("Python is not listening" in words for words in said), said
    assert page.locator(".jupyter-widgets-disconnected .widget-dropdown").count() > 5
    axial = page.locator("canvas[data-plane=axial]").first
    before = canvas_hash(axial)
    axial.press("ArrowUp")
    settle(page)
    assert canvas_hash(axial) != before
    page.get_by_label("age from, as a number").fill("70")
    page.get_by_label("age from, as a number").press("Enter")
    page.get_by_text("3 of 12 scans shown, 9 hidden").wait_for()
    page.get_by_role("button", name="Filters: which").press("Enter")
    page.get_by_text("3 of 12 scans shown, 9 hidden").wait_for(state="hidden")
    assert page.evaluate("window.harmed") is None


WIDGETS = """
import threading
import ipywidgets
import clamlab.viewers
heard = []
def hear(who):
    heard.append((who, threading.current_thread() is threading.main_thread(), words.value))
    said.value = f"answer {len(heard)}"
words = ipywidgets.Text(continuous_update=False, placeholder="words")
box = ipywidgets.Checkbox(description="tick")
said = ipywidgets.HTML()
button = ipywidgets.Button(description="keep")
def ticked(change):
    box.description = "ticked"  # who speaks in a thread is answered there by some kernels
    hear("box")
box.observe(ticked, "value")
button.on_click(lambda _: hear("button"))
ipywidgets.VBox([words, box, button, said])
"""


def test_widgets_are_heard_one_after_the_other_in_the_order_of_the_hand(lab, page):
    url, folder = lab
    write_notebook(folder / "order.ipynb", [WIDGETS])
    run_notebook(page, url, "order.ipynb")
    button = page.get_by_role("button", name="keep")
    want = []
    for i in range(5):
        page.get_by_placeholder("words").fill(f"name {i}")
        button.click()  # leaving the line sends what was typed
        page.locator("input[type=checkbox]").click()
        want += [("button", True, f"name {i}"), ("box", True, f"name {i}")]
        # Until it is answered a browser holds back the next change of the same widget.
        page.get_by_text(f"answer {len(want)}", exact=True).wait_for()
    assert ask_kernel(page, "heard") == str(want)
