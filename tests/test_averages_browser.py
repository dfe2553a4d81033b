"""Clusters on average and scans on their way, in a real JupyterLab and as a page from the disk."""

import numpy as np
import pytest
from browser import (
    canvas_hash,
    find_chromium,
    jupyterlab,
    run_notebook,
    write_notebook,
)
from test_browser import ask_kernel, kernel_learns, settle

from clamlab.viewers import SignedMap, to_html

# Two clusters and a third: the second is denser in a block on the right, the third on the left.
AVERAGES = """
import numpy as np
hu = np.full((20, 16, 12), -800.0) + 3 * np.indices((20, 16, 12)).sum(0)
right, left = np.zeros(hu.shape), np.zeros(hu.shape)
right[12:17, 6:10, 4:8], left[3:8, 6:10, 4:8] = 1, 1
average_hu = {"Cluster 1": hu, "Cluster 2": hu + 250 * right, "Cluster 3": hu + 250 * left}
average_hu["Overall"] = hu + 250 * (right + left) / 3
rest = {"Cluster 1": hu + 125 * (right + left), "Cluster 2": hu + 125 * left,
        "Cluster 3": hu + 125 * right}
average_map = {"Cluster 1": right + left, "Cluster 2": right, "Cluster 3": left}
affine = np.array([[3.0, 0, 0, -30], [0, 3, 0, -24], [0, 0, 3, -18], [0, 0, 0, 1]])
parts = dict(rest_hu=rest, affine=affine, spread_hu=np.full(hu.shape, 100.0), key="averages")
"""
SHOW = """
from clamlab.viewers import ClusterAverages
viewer = ClusterAverages(average_hu, average_map, **parts)
viewer
"""
WAY = """
from types import SimpleNamespace
from clamlab.viewers import Way
def step(t):
    q = np.array([0.9 - 0.8 * t, 0.1 + 0.8 * t])
    changed = hu + 200 * t * right
    return SimpleNamespace(fraction=t, image=changed, drawn=changed - 5, soft_assignment=q,
                           read_again=q)
ways = Way(np.stack([hu, hu]), [[0.9, 0.1], [0.2, 0.8]],
           lambda scan, rival: map(step, np.linspace(0, 1, 5)), steps=5, affine=affine)
ways.slices.index = [14, 8, 6]
ways
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    find_chromium()
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "averages.ipynb", [AVERAGES, SHOW])
    write_notebook(folder / "way.ipynb", [AVERAGES, WAY])
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as url:
        yield url


def tinted(canvas):
    """Count the pixels of a map, left and right of the middle: warm ones, then blue ones."""
    return canvas.evaluate(
        """(canvas) => {
            const {width, height} = canvas;
            const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
            const counts = {warm: [0, 0], blue: [0, 0]};
            for (let i = 0; i < data.length; i += 4) {
                const side = (i / 4) % width < width / 2 ? 0 : 1;
                if (data[i] - data[i + 2] > 40) counts.warm[side] += 1;
                if (data[i + 2] - data[i] > 40) counts.blue[side] += 1;
            }
            return counts;
        }"""
    )


def axial(page, nth=0):
    return page.locator("canvas[data-plane=axial]").nth(nth)


def changed(page, act, nth=0):
    """Do something and wait until the picture is another one; return what is coloured in it."""
    before = canvas_hash(axial(page, nth))
    act()
    for _ in range(300):
        if canvas_hash(axial(page, nth)) != before:
            settle(page)
            return tinted(axial(page, nth))
        page.wait_for_timeout(50)
    raise AssertionError("the picture did not change")


def test_clusters_by_slider_against_and_side_by_side(lab, page):
    run_notebook(page, lab, "averages.ipynb")
    page.locator(".clam-viewer[data-ready]").wait_for()
    # the crosshair is coloured too: away with it
    changed(page, lambda: axial(page).press("x"))
    first = tinted(axial(page))["warm"]
    assert min(first) > 100, "the map of the first cluster lies on both sides"

    handle = page.locator(".noUi-handle").first
    handle.focus()
    second = changed(page, lambda: page.keyboard.press("ArrowRight"))["warm"]
    assert second[0] > 100 and second[1] == 0, "the patient's right is on the left"
    third = changed(page, lambda: page.keyboard.press("ArrowRight"))["warm"]
    assert third[0] == 0 and third[1] > 100
    assert page.locator(".clam-title").inner_text() == "Cluster 3"

    # the third against the rest: denser on the left of the patient, less on the right
    against = page.get_by_label("against")
    seen = changed(page, lambda: against.select_option("the rest of the scans"))
    assert seen["warm"][1] > 100 and seen["warm"][0] == 0
    assert seen["blue"][0] > 100 and seen["blue"][1] == 0
    assert page.get_by_text("all scans in other clusters, each counted alike").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("[data-read=hu]").inner_text().endswith("HU")

    # side by side: scrolled, windowed and zoomed together
    page.get_by_role("button", name="Side by side").click()
    page.locator(".clam-picture .clam-viewer[data-ready]").nth(2).wait_for()
    pictures = page.locator(".clam-picture canvas[data-plane=axial]")
    assert pictures.count() == 3
    assert page.locator(".clam-viewer .clam-title:visible").all_inner_texts() == [
        "Cluster 1", "Cluster 2", "Cluster 3",
    ]  # fmt: skip
    sides = [tinted(pictures.nth(i))["warm"] for i in range(3)]
    assert sides[1][0] > 50 and sides[2][1] > 50 and sides[0] == [0, 0]
    for press in ("ArrowUp", "2", "+"):
        before = [canvas_hash(pictures.nth(i)) for i in range(3)]
        pictures.nth(1).press(press)
        settle(page)
        page.wait_for_timeout(100)
        assert all(canvas_hash(pictures.nth(i)) != before[i] for i in range(3)), press
    index = "len({tuple(p.index) for p in (viewer.slices, *viewer._all.pictures)})"
    assert kernel_learns(page, index, "1")
    assert kernel_learns(page, "viewer._all.pictures[2].preset", "mediastinal")
    # the one row of controls works for all of them
    before = canvas_hash(pictures.nth(2))
    page.get_by_role("button", name="Lung").first.click()
    page.get_by_label("Map").first.select_option("Map of the cluster")
    assert kernel_learns(page, "viewer._all.pictures[2].overlay", "Map of the cluster")
    settle(page)
    assert canvas_hash(pictures.nth(2)) != before
    page.get_by_role("button", name="Side by side").click()
    pictures.first.wait_for(state="detached")
    assert ask_kernel(page, "viewer.slices.view") == "three"


def test_a_page_of_several_scans_needs_nobody(page, tmp_path):
    scope = {}
    exec(AVERAGES, scope)
    rest, affine = scope["rest"], scope["affine"]
    hu = {name: scope["average_hu"][name] for name in rest}
    maps = {
        name: {"Map": scope["average_map"][name], "HU less the rest": SignedMap(hu[name] - other)}
        for name, other in rest.items()
    }
    named = {"title": "Averages", "patient_data": False}
    path = to_html(hu, maps, tmp_path / "averages.html", affine=affine, **named)
    page.goto(path.as_uri())
    page.locator(".clam-viewer[data-ready]").wait_for()
    assert page.get_by_role("note").count() == 0
    changed(page, lambda: axial(page).press("x"))
    slide = page.get_by_label("Show")
    slide.focus()
    second = changed(page, lambda: page.keyboard.press("ArrowRight"))["warm"]
    assert second[0] > 100 and second[1] == 0
    assert page.locator(".clam-title").inner_text() == "Averages · Cluster 2"
    page.get_by_label("Map").first.select_option("HU less the rest")
    settle(page)
    third = changed(page, lambda: page.get_by_role("button", name="Cluster 3").click())
    assert third["warm"][1] > 100 and third["blue"][0] > 100, "the difference stays chosen"
    assert slide.input_value() == "2"
    assert page.get_by_role("button", name="Cluster 3").get_attribute("aria-pressed") == "true"
    axial(page).press("ArrowUp")
    settle(page)
    at = page.locator("[data-read=voxel]").inner_text()
    changed(page, lambda: page.get_by_role("button", name="Cluster 1").click())
    assert page.locator("[data-read=voxel]").inner_text() == at, "the slice stays"

    # a ruler goes with the scan it was drawn on, and comes back with it
    for key in ("m", "Enter", "Escape"):
        axial(page).press(key)
    assert ruler_found(page)
    changed(page, lambda: page.get_by_role("button", name="Cluster 3").click())
    assert not ruler_found(page)
    changed(page, lambda: page.get_by_role("button", name="Cluster 1").click())
    assert ruler_found(page)


def ruler_found(page):
    """Say whether the key of the next measure finds a ruler; the tool is left again."""
    axial(page).press("n")
    settle(page)
    words = page.locator(".clam-hint").first.text_content()
    axial(page).press("Escape")
    return words.startswith("Ruler: arrows move") and words.endswith("mm")


def test_along_the_way_and_fading(lab, page):
    run_notebook(page, lab, "way.ipynb")
    page.locator(".clam-viewer[data-ready]").wait_for()
    assert kernel_learns(page, "len(ways._steps), ways.fade.disabled", "5 False")
    settle(page)
    changed(page, lambda: axial(page).press("x"))
    assert tinted(axial(page))["warm"] == [0, 0], "nothing has changed at the start"
    along, fade = page.locator(".noUi-handle").nth(0), page.locator(".noUi-handle").nth(1)
    along.focus()
    changed(page, lambda: page.keyboard.press("ArrowRight"))
    page.get_by_text("Scan 1 · 25% of the way to cluster 2").wait_for()
    changed(page, lambda: page.keyboard.press("End"))
    page.get_by_text("Scan 1 · 100% of the way to cluster 2").wait_for()
    settle(page)
    end = tinted(axial(page))["warm"]
    assert end[0] > 100 and end[1] == 0
    width = page.locator("td div").nth(1).evaluate("bar => bar.style.width")
    assert width == "90%", "the rival is likeliest at the end"
    fade.focus()
    changed(page, lambda: page.keyboard.press("ArrowRight"))
    page.get_by_text("5% faded to what cluster 2 would have").wait_for()
    assert page.get_by_text("A mixture of the two ends").is_visible()
    assert np.isclose(float(ask_kernel(page, "ways.fade.value")), 0.05)
    # typed as many people type it; what is no number moves nothing, and that is said
    typed = page.get_by_title("Fade: number")
    for words, holds in (("0,3", "0.30"), ("40%", "0.40"), ("abc", "0.40")):
        typed.fill(words)
        typed.press("Enter")
        page.get_by_text(f"{float(holds):.0%} faded to what cluster 2 would have").wait_for()
        page.wait_for_function(
            "([box, text]) => box.value === text", arg=[typed.element_handle(), holds]
        )
    page.get_by_text("“abc” is no number from 0.00 to 1.00: 0.40 stays.").wait_for()
