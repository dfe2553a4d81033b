"""What a person sees and does: the viewers in a real JupyterLab, in a real browser."""

import io
import re
import time

import nbformat
import numpy as np
import pytest
from browser import (
    ask_kernel,
    canvas_hash,
    color_center,
    colored,
    find_chromium,
    jupyter_places,
    jupyterlab,
    new_page,
    open_notebook,
    run_all,
    run_notebook,
    shades,
    write_notebook,
)
from PIL import Image
from small_study import small_study

from clamlab import viewers
from clamlab.cli import main

# Nothing about this phantom is symmetric: a marker lies right, anterior and superior.
PHANTOM = """
import numpy as np
hu = np.full((40, 30, 20), -1000)
hu[4:36, 4:26, 2:18] = -800
hu = hu + 5 * np.indices(hu.shape).sum(0)  # no two slices are the same
hu[28:33, 20:25, 13:17] = 300
marker = np.zeros(hu.shape)
marker[28:33, 20:25, 13:17] = 1
ramp = np.indices(hu.shape)[0] / 39
affine = np.array([[3.0, 0, 0, -60], [0, 3, 0, -40], [0, 0, 5, -50], [0, 0, 0, 1]])
"""
MARKER_MM = (30 * 3 - 60, 22 * 3 - 40, 14.5 * 5 - 50)  # its middle: R 30, A 26, S 22.5
SLICES = """
from clamlab.viewers import SliceViewer
viewer = SliceViewer(hu, {"Marker": marker, "Ramp": ramp}, affine=affine, title="Phantom",
                     key="phantom", colormap="viridis", opacity=1, threshold=0.9)
viewer
"""
COHORT = """
import pandas as pd
from clamlab.viewers import CohortViewer
rng = np.random.default_rng(0)
soft = np.array([[0.9, 0.1]] * 5 + [[0.2, 0.8]] * 5)
volumes = np.stack([hu + 10 * i for i in range(10)])
cohort = CohortViewer(volumes, soft @ rng.normal(size=(2, 5)) + rng.normal(size=(10, 5)) / 9, soft,
                      maps={"Same": lambda i, k: marker if k == 0 else ramp}, affine=affine,
                      partitions=pd.DataFrame({
                          "subject_id": [f"Scan {i + 1}" for i in range(10)], "n_clusters": 3,
                          "cluster": [0, 1, 2, 0, 1] * 2, "jaccard": 0.7, "apart": False}),
                      key="cohort")
cohort
"""
SECOND = """
second = SliceViewer(hu, {"Ramp": ramp}, affine=affine, key="second", index=[5, 6, 14])
second
"""
WIDGETS = "len(__import__('ipywidgets').widgets.widget._instances)"
VOLUME = """
from clamlab.viewers import volume_view
# One marker is red before and yellow behind; the other, at the opposite corner, reversed.
anterior = np.indices(hu.shape)[1] > 21
red_front = marker * np.where(anterior, 0.52, 1)
yellow_front = (marker * np.where(anterior, 1, 0.52))[::-1, :, ::-1]
volume_view({"Cluster 1": hu, "Cluster 2": hu},
            {"Cluster 1": red_front, "Cluster 2": yellow_front}, mask=hu > -850, affine=affine,
            size=260, key="round")  # software draws it: fewer pixels, the same claims
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    find_chromium()  # no server where nobody can look
    folder = tmp_path_factory.mktemp("notebooks")
    # One for each test: the kernel of a notebook outlives its page, and opens what was there.
    for name in ("slices", "typed", "late"):
        write_notebook(folder / f"{name}.ipynb", [PHANTOM, SLICES])
    write_notebook(folder / "cohort.ipynb", [PHANTOM, COHORT])
    for name in ("volume", "sides"):
        write_notebook(folder / f"{name}.ipynb", [PHANTOM, VOLUME])
    write_notebook(folder / "life.ipynb", [PHANTOM, SLICES, SECOND, COHORT])
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as url:
        yield url


def pane(page, name="axial"):
    return page.locator(f"canvas[data-plane={name}]")


def read(page, name):
    return page.locator(f"[data-read={name}]").inner_text()


def voxel_told(page):
    """Return the voxel that is read: the one under the pointer, if it is on a picture."""
    return [int(i) for i in read(page, "voxel").removeprefix("voxel ").split(", ")]


def position(page, name="axial"):
    """Return the number of the slice shown, counted from 1."""
    return int(
        page.locator(".clam-pane", has=pane(page, name)).locator("output").inner_text().split()[0]
    )


def changes(page, act, name="axial", seconds=15):
    """Say whether doing something changes the picture, within a few seconds."""
    before = canvas_hash(pane(page, name))
    act()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if canvas_hash(pane(page, name)) != before:
            return True
        page.wait_for_timeout(20)
    return False


def kernel_learns(page, expression, expected, seconds=15):
    """Say whether the kernel comes to hold a value, within a few seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ask_kernel(page, expression) == expected:
            return True
        page.wait_for_timeout(50)
    return False


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def point_at(page, name, across, down):
    box = pane(page, name).bounding_box()
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    settle(page)


def millimetres(words):
    """Turn `R 30.0   P 2.0   S 5.0 mm` into RAS+ numbers."""
    found = re.findall(r"([RLAPSI]) ([\d.]+)", words)
    return [float(number) * (1 if side in "RAS" else -1) for side, number in found]


def test_slice_viewer_in_jupyterlab(lab, page):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    run_notebook(page, lab, "slices.ipynb")
    page.locator(".clam-viewer[data-ready]").wait_for()
    axial = pane(page)
    axial.scroll_into_view_if_needed()

    # wheel, keys, slider: one notch is one slice
    point_at(page, "axial", 0.5, 0.5)
    assert changes(page, lambda: page.mouse.wheel(0, 120)), "wheel"
    assert position(page) == 13
    axial.focus()
    assert changes(page, lambda: page.keyboard.press("ArrowUp")), "key"
    page.keyboard.press("PageDown")
    settle(page)
    assert position(page) == 4
    page.keyboard.press("End")
    settle(page)
    assert position(page) == 20
    page.get_by_label("Axial slice").last.focus()
    assert changes(page, lambda: page.keyboard.press("Home")), "slider"
    assert position(page) == 1

    # scrolling asks nothing of the kernel: only where it ended is told, once
    axial.focus()
    page.wait_for_timeout(400)
    sent.clear()
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.wait_for_timeout(500)
    told = [frame for frame in sent if len(frame) > 100]
    assert position(page) == 13
    assert len(told) <= 4 and sum(map(len, told)) < 10_000, [len(frame) for frame in told]
    assert kernel_learns(page, "viewer.index", "[28, 20, 12]")

    # window, map, opacity, colours
    assert changes(page, lambda: page.get_by_role("button", name="Mediastinal").click()), "preset"
    assert kernel_learns(page, "viewer.window, viewer.level", "400 40")
    axial.focus()
    assert changes(page, lambda: page.get_by_label("Map").first.select_option("Ramp")), "map"
    assert changes(page, lambda: page.get_by_label("Threshold").fill("20")), "threshold"
    assert changes(page, lambda: page.get_by_label("Opacity").fill("40")), "opacity"
    assert changes(page, lambda: page.get_by_label("Colours").select_option("cividis")), "colours"
    assert changes(page, lambda: axial.press("1")), "preset by key"
    box = axial.bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.keyboard.down("Shift")
    page.mouse.down()
    assert changes(page, lambda: page.mouse.move(box["x"] + 150, box["y"] + 60)), "window drag"
    page.mouse.up()
    page.keyboard.up("Shift")
    assert not page.get_by_role("button", name="Lung").evaluate("b => b.className")

    # planes are linked: a click in one moves the others
    assert changes(page, lambda: axial.click(position={"x": 60, "y": 60}), "coronal"), "link"
    axial.focus()
    page.keyboard.press(" ")
    assert changes(page, lambda: None), "play"
    page.keyboard.press(" ")
    page.keyboard.press("?")
    assert page.get_by_text("lung or mediastinal window").is_visible()
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.keyboard.press("s")
    assert saved.value.suggested_filename == "Phantom_Ramp.png"

    # Python moves the picture too, and a cell that runs again keeps its slice
    assert kernel_learns(page, "viewer.index[2]", str(position(page) - 1))
    assert changes(page, lambda: ask_kernel(page, "setattr(viewer, 'index', [5, 6, 7])")), "Python"
    run_all(page)
    page.locator(".clam-viewer[data-ready]").wait_for()
    settle(page)
    assert page.locator(".clam-viewer").count() == 1
    assert read(page, "voxel") == "voxel 5, 6, 7"
    assert page.get_by_label("Map").first.input_value() == "Ramp"
    pane(page).focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert position(page) == 7, "one key press, one slice: no listener was left behind"


def test_a_typed_number_counts_on_enter_in_jupyterlab(lab, page):
    run_notebook(page, lab, "typed.ipynb")
    page.locator(".clam-viewer[data-ready]").wait_for()
    ask_kernel(page, "setattr(viewer, 'slab', 'MIP')")
    ask_kernel(page, "setattr(viewer, 'preset', 'lung')")
    lit = page.locator(".clam-on", has_text="Lung")
    lit.wait_for()
    for label, trait, typed, held in [
        ("Window width (HU)", "window", "800", "800"),
        ("Window level (HU)", "level", "-77", "-77"),
        ("Slab thickness (mm)", "slab_mm", "35", "35.0"),
        ("Slices per second", "speed", "-3", "1"),
    ]:
        box = page.get_by_label(label)
        box.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        enter = lambda: page.keyboard.press("Enter")  # noqa: E731
        if trait == "speed":
            enter()
        else:
            assert changes(page, enter), label
        assert kernel_learns(page, f"viewer.{trait}", held), label
        settle(page)
        assert float(box.input_value()) == float(held)
        assert box.evaluate("box => box === document.activeElement"), "it was not left for that"
    assert lit.count() == 0


def test_sides_and_millimetres(browser, page, tmp_path):
    scope = {}
    exec(PHANTOM, scope)
    path = viewers.to_html(
        scope["hu"], {"Marker": scope["marker"]}, tmp_path / "sides.html", affine=scope["affine"],
        index=[30, 22, 14], colormap="viridis", opacity=1, threshold=0.9, crosshair=False,
    )  # fmt: skip
    page.goto(path.as_uri())
    page.locator(".clam-viewer[data-ready]").wait_for()
    for name in ("axial", "coronal", "sagittal"):  # right or front on the left, front or head up
        across, down = color_center(pane(page, name))
        assert across < 0.5 and down < 0.5, name
        point_at(page, name, across, down)
        assert read(page, "hu") == "300 HU"
        assert read(page, "importance") == "importance 1.00"
        assert np.allclose(millimetres(read(page, "place")), MARKER_MM, atol=4)
    left = color_center(pane(page))[0]
    page.get_by_role("button", name="Radiological").click()
    settle(page)
    across, down = color_center(pane(page))
    assert across == pytest.approx(1 - left, abs=0.01), "the side is mirrored"
    assert color_center(pane(page, "sagittal"))[0] < 0.5, "the front stays left"
    point_at(page, "axial", across, down)
    assert np.allclose(millimetres(read(page, "place")), MARKER_MM, atol=4), "the body is not"


def test_coming_closer_keeps_what_the_pointer_is_on(page, tmp_path):
    scope = {}
    exec(PHANTOM, scope)
    path = viewers.to_html(
        scope["hu"], {"Marker": scope["marker"]}, tmp_path / "zoom.html", affine=scope["affine"],
        index=[30, 22, 14], colormap="viridis", opacity=1, threshold=0.9, crosshair=False,
    )  # fmt: skip
    page.goto(path.as_uri())
    page.locator(".clam-viewer[data-ready]").wait_for()
    whole = canvas_hash(pane(page))
    across, down = color_center(pane(page))
    small = colored(pane(page))
    point_at(page, "axial", across, down)
    page.keyboard.down("Control")
    assert changes(page, lambda: page.mouse.wheel(0, -300)), "Ctrl and wheel, or a pinch"
    page.keyboard.up("Control")
    settle(page)
    assert position(page) == 15, "the slice stays"
    assert colored(pane(page)) > 4 * small
    nearer = color_center(pane(page))
    assert nearer == pytest.approx((across, down), abs=0.06), "it grows where it is"
    point_at(page, "axial", *nearer)
    assert np.allclose(millimetres(read(page, "place")), MARKER_MM, atol=4)

    # shifted by a drag, on all planes; one key shows the whole again
    page.keyboard.down("Control")
    page.mouse.down()
    point_at(page, "axial", nearer[0] + 0.2, nearer[1] + 0.1)
    page.mouse.up()
    page.keyboard.up("Control")
    settle(page)
    assert color_center(pane(page))[0] == pytest.approx(nearer[0] + 0.2, abs=0.06)
    pane(page).press("0")
    settle(page)
    assert canvas_hash(pane(page)) == whole
    assert changes(page, lambda: pane(page).press("+"), "coronal")


def test_exported_page_opens_from_disk(page, tmp_path):
    scope = {}
    exec(PHANTOM, scope)
    path = viewers.to_html(
        scope["hu"], {"Marker": scope["marker"], "Ramp": scope["ramp"]}, tmp_path / "page.html",
        affine=scope["affine"], title="Subject 7",
    )  # fmt: skip
    page.goto(path.as_uri())
    page.locator(".clam-viewer[data-ready]").wait_for()
    assert page.get_by_role("note").is_visible()
    point_at(page, "axial", 0.4, 0.5)
    before = voxel_told(page)
    assert changes(page, lambda: page.mouse.wheel(0, 120)), "wheel"
    # the pointer rests, and the slice passes beneath it
    voxel = voxel_told(page)
    assert voxel == [*before[:2], before[2] - 1] and voxel[2] + 1 == position(page)
    assert read(page, "where") == "Pointer"
    assert read(page, "hu") == f"{scope['hu'][tuple(voxel)]} HU".replace("-", "−")
    assert millimetres(read(page, "place")) == (scope["affine"] @ [*voxel, 1])[:3].tolist()
    assert changes(page, lambda: page.get_by_label("Map").first.select_option("Ramp")), "map"
    assert changes(page, lambda: pane(page).press("2")), "window"
    pane(page).press(" ")
    point_at(page, "axial", 0.4, 0.5)
    assert changes(page, lambda: None), "play"
    told = page.evaluate(
        """() => ["[data-read=voxel]", ".clam-pane output", "[data-read=where]"].map(
            (part) => document.querySelector(part).textContent)"""
    )
    assert int(told[0].split(", ")[2]) + 1 == int(told[1].split()[0]), "play"
    assert told[2] == "Pointer"


def test_embedded_page_lives_in_a_report(browser, tmp_path):
    nbconvert = pytest.importorskip("nbconvert")
    scope = {}
    exec(PHANTOM, scope)
    frame = viewers.embed(viewers.to_html(scope["hu"], affine=scope["affine"]))
    shown = nbformat.v4.new_output("display_data", data={"text/html": frame.data})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[shown])])
    report = tmp_path / "report.html"
    report.write_text(nbconvert.HTMLExporter().from_notebook_node(book)[0], encoding="utf-8")
    page = new_page(browser)
    page.route("http*://**", lambda route: route.abort())  # as on a machine without network
    page.goto(report.as_uri(), wait_until="domcontentloaded")
    inside = page.frame_locator("iframe")
    inside.locator(".clam-viewer[data-ready]").wait_for()
    assert len(set(map(canvas_hash, inside.locator("canvas[data-plane]").all()))) == 3
    page.context.close()


def test_cohort_viewer_in_jupyterlab(lab, page):
    run_notebook(page, lab, "cohort.ipynb")
    scatter = page.get_by_label("Scans in feature space")
    scatter.wait_for()
    pane(page).wait_for()
    title = page.locator(".clam-title")
    assert title.inner_text() == "Scan 1 · Cluster 1"
    scatter.focus()
    page.keyboard.press("ArrowRight")
    title.get_by_text("Scan 2").wait_for()
    # a click on the place of the last point
    points = np.array(eval(ask_kernel(page, "np.frombuffer(cohort.scatter.points, 'f4').tolist()")))
    across, up = points.reshape(-1, 2)[9]
    box = scatter.bounding_box()
    page.mouse.click(
        box["x"] + 34 + across * (box["width"] - 48),
        box["y"] + box["height"] - 34 - up * (box["height"] - 46),
    )
    title.get_by_text("Scan 10 · Cluster 2").wait_for()
    assert read(page, "hu").endswith("HU")
    before = canvas_hash(pane(page))
    page.get_by_label("for", exact=True).select_option("cluster 1")
    page.wait_for_function(
        "() => document.querySelector('[aria-label=Map]').value.includes('cluster 1')"
    )
    settle(page)
    assert canvas_hash(pane(page)) != before
    ask_kernel(page, "setattr(cohort.scatter, 'group', [0, 1, 2])")
    title.get_by_text("Average of 3 scans").wait_for()

    # another scan beside it: what is done to one is done to both, without the kernel
    page.get_by_label("beside").first.select_option("Scan 4")
    title.nth(1).get_by_text("Scan 4 · Cluster 1").wait_for()
    both = page.locator("canvas[data-plane=axial]")
    both.nth(1).wait_for()
    settle(page)
    before = [canvas_hash(both.nth(i)) for i in (0, 1)]
    both.first.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("+")
    settle(page)
    assert all(canvas_hash(both.nth(i)) != before[i] for i in (0, 1))
    both.nth(1).focus()
    page.keyboard.press("2")
    assert kernel_learns(
        page, "cohort.slices.preset, cohort.second.preset", "mediastinal mediastinal"
    )
    lit = page.locator("button.clam-on", has_text="Mediastinal")
    assert [lit.count(), page.locator("button.clam-on", has_text="Lung").count()] == [2, 0]
    assert ask_kernel(page, "cohort.slices.index == cohort.second.index") == "True"
    page.get_by_label("beside").first.select_option("no other")
    both.nth(1).wait_for(state="detached")

    # a step on the slider, and the cohort falls into three, faintly: the rule saw no gap
    assert page.get_by_text("Cluster 2 (n = 5)").is_visible()
    before = canvas_hash(scatter)
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Cluster 3 of 3 (n = 2)").wait_for()
    page.get_by_text("does not see a gap").wait_for()
    # maps and doubtful scans stay the network's, and say so
    page.get_by_text("the two likeliest of the network's 2 clusters").wait_for()
    chosen = page.get_by_label("for", exact=True).locator("option:checked")
    assert chosen.text_content().split() == ["cluster", "1", "of", "2"]
    page.wait_for_function(
        "() => document.querySelector('[aria-label=Map]').value.includes('cluster 1 of 2')"
    )
    assert kernel_learns(page, "cohort.numbers.value, cohort.scatter.ghosted", "3 True")
    assert canvas_hash(scatter) != before


def test_rerun_reload_and_restart(lab, page):
    run_notebook(page, lab, "life.ipynb")
    slices = page.locator("canvas[data-plane=axial]")
    slices.nth(2).wait_for()
    assert slices.count() == 3  # two slice viewers, and one with a scatter

    # two viewers in one notebook do not move each other
    other = canvas_hash(slices.nth(1))
    slices.first.focus()
    page.keyboard.press("End")
    settle(page)
    assert canvas_hash(slices.nth(1)) == other
    assert kernel_learns(page, "viewer.index[2], second.index[2]", "19 14")

    # a cell that runs ten times leaves no more behind than one that runs twice
    run_all(page)
    held = ask_kernel(page, WIDGETS)
    for _ in range(8):
        run_all(page)
    assert ask_kernel(page, WIDGETS) == held
    slices.nth(2).wait_for()
    held = page.locator(".clam-viewer").count()
    assert slices.count() == 3

    # the page comes back as it was
    shown = canvas_hash(slices.first)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload(wait_until="domcontentloaded")
    slices.nth(2).wait_for()
    settle(page)
    assert canvas_hash(slices.first) == shown

    # without its kernel a viewer scrolls on, and says what to do
    page.evaluate(
        """() => {
            const {kernel} = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
            return kernel.restart();
        }"""
    )
    page.locator(".clam-lost").nth(held - 1).wait_for(state="attached")
    assert "run the notebook again" in slices.first.evaluate(
        "c => getComputedStyle(c.closest('.clam-viewer'), '::after').content"
    )
    slices.first.focus()
    page.keyboard.press("Home")
    settle(page)
    assert canvas_hash(slices.first) != shown
    run_all(page)
    page.locator(".clam-lost").first.wait_for(state="detached")


def test_volume_view_in_jupyterlab(lab, page):
    complaints = []
    page.on("console", lambda message: complaints.append((message.type, message.text)))
    run_notebook(page, lab, "volume.ipynb")
    canvas = page.locator(".jp-OutputArea canvas").first
    canvas.wait_for()
    right = marker_on_screen(page, canvas)
    assert right[0] < 0.5 and right[1] < 0.5, "patient's right on the left, head up"
    sliders = page.locator(".jp-OutputArea .noUi-handle")  # clusters, threshold, opacity
    assert redrawn(page, canvas, lambda: slide(page, sliders.nth(0), "ArrowRight"))
    left = marker_on_screen(page, canvas)
    assert left[0] > 0.5 and left[1] > 0.5
    assert left[2] > right[2] + 0.05, "the anterior half hides the other: seen from the front"
    # every slider changes what is seen, each in its own way
    bright = coloured_on_screen(page, canvas)
    assert redrawn(page, canvas, lambda: slide(page, sliders.nth(2), *["ArrowLeft"] * 7))
    assert 0 < coloured_on_screen(page, canvas) < 0.9 * bright, "fainter"
    assert redrawn(page, canvas, lambda: slide(page, sliders.nth(2), "Home"))
    assert coloured_on_screen(page, canvas) == 0, "the lung alone"
    assert redrawn(page, canvas, lambda: slide(page, sliders.nth(2), *["ArrowRight"] * 11))
    assert redrawn(page, canvas, lambda: slide(page, sliders.nth(1), *["ArrowRight"] * 3))
    assert 0 < coloured_on_screen(page, canvas) < bright, "the half of importance 0.52 is gone"
    assert page.get_by_text("coloured: ≥ 0.65").is_visible()
    colours, side = page.locator(".jp-OutputArea select").all()
    assert redrawn(page, canvas, lambda: colours.select_option("viridis"))
    # the other side by its name, then a turn by hand; both come back with the cell
    front = marker_on_screen(page, canvas)
    assert redrawn(page, canvas, lambda: side.select_option("Back"))
    page.get_by_text("Seen from the back, patient's right on the right").wait_for()
    assert marker_on_screen(page, canvas)[0] < 0.5 < front[0]
    assert redrawn(page, canvas, lambda: drag(page, canvas, across=0.2))
    caption = page.get_by_text("Seen between the back and the patient's")
    caption.wait_for()
    told = caption.inner_text()
    where = marker_on_screen(page, canvas)
    run_all(page)
    caption.wait_for()
    assert caption.inner_text() == told
    assert marker_on_screen(page, canvas) == pytest.approx(where, abs=0.02)
    assert [words for kind, words in complaints if kind == "error"] == []


def test_each_side_of_the_round_is_drawn_as_it_is_told(lab, page):
    run_notebook(page, lab, "sides.ipynb")
    canvas = page.locator(".jp-OutputArea canvas").first
    canvas.wait_for()
    opacity = page.locator(".jp-OutputArea .noUi-handle").nth(2)
    assert redrawn(page, canvas, lambda: slide(page, opacity, "End")), "seen through the lung"
    start = marker_on_screen(page, canvas)  # in the right upper lung, before
    side = page.locator(".jp-OutputArea select").nth(1)
    for name in ("Patient's right", "Head", "Feet", "Front"):
        assert redrawn(page, canvas, lambda name=name: side.select_option(name)), name
        across, down, _ = marker_on_screen(page, canvas)
        told = page.get_by_text(f"Seen from the {name.lower()}").inner_text()
        if "right on the" in told:
            assert (across > 0.5) == ("patient's right on the right" in told), name
        assert down < 0.5, f"{name}: head up, or front up"
    assert (across, down) == pytest.approx(start[:2], abs=0.02), "the front is the front again"


def drag(page, canvas, *, across):
    """Take the picture in its middle and pull it to the right by a share of its width."""
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across * box["width"], y, steps=8)
    page.mouse.up()


def slide(page, handle, *keys):
    """Press keys on the handle of a slider."""
    handle.focus()
    for key in keys:
        page.keyboard.press(key)


def redrawn(page, canvas, act, seconds=15):
    """Say whether doing something changes the picture, and wait until it stands still again."""
    before = canvas.screenshot()
    act()
    end, last = time.monotonic() + seconds, before
    while time.monotonic() < end:
        page.wait_for_timeout(400)
        now = canvas.screenshot()
        if now == last and now != before:
            return True
        last = now
    return False


def coloured_on_screen(page, canvas):
    """Add up how strongly the picture is coloured red or yellow."""
    shot = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
    pixels = np.asarray(shot, dtype=float)
    return float(np.clip(pixels[..., 0] - pixels[..., 2] - 20, 0, None).sum())


def marker_on_screen(page, canvas, seconds=15):
    """Return the marker's middle as shares of the picture, and how yellow it is (0 red, 1)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:  # WebGL draws when it is ready, and says so to nobody
        shot = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        pixels = np.asarray(shot, dtype=float)
        hot = pixels[..., 0] - pixels[..., 2] > 40
        if hot.sum() > 50:
            rows, columns = np.nonzero(hot)
            yellow = pixels[..., 1][hot].mean() / pixels[..., 0][hot].mean()
            return columns.mean() / shot.width, rows.mean() / shot.height, yellow
        page.wait_for_timeout(200)
    raise AssertionError("the volume was not drawn")


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """Notebook 07 after `clamlab run`, and a copy that somebody else has edited since."""
    find_chromium()
    home, study = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("study")
    folder = small_study(study).root / "notebooks"
    with pytest.MonkeyPatch.context() as patch:  # signed for the user whose JupyterLab opens it
        patch.setenv("JUPYTER_DATA_DIR", jupyter_places(home)["JUPYTER_DATA_DIR"])
        assert main(["run", str(study), "--from", "07", "--to", "07"]) == 0
    edited = nbformat.read(folder / "07_explore.ipynb", as_version=4)
    edited.cells[-1].source += "\n# a line of another's"
    nbformat.write(edited, folder / "edited.ipynb")
    with jupyterlab(folder, home) as url:
        yield url


def test_notebook_07_shows_its_pictures_and_no_cell_is_run(explored, page):
    page.set_viewport_size({"width": 1400, "height": 6000})  # cells out of sight are not drawn
    open_notebook(page, explored, "07_explore.ipynb")
    page.locator("canvas[data-plane=axial]").nth(2).wait_for()  # averages, a scan, the way
    settle(page)
    drawn = [*page.locator("canvas[data-plane]").all(), page.get_by_label("Scans in feature space")]
    assert len(drawn) == 10
    assert min(map(shades, drawn)) > 50
    marker_on_screen(page, page.locator(".jp-OutputArea canvas").last)  # the volume's red
    figures = page.locator(".jp-RenderedImage img")
    assert figures.count() == 3  # figures 7 to 9
    assert all(figures.nth(i).evaluate("f => f.naturalWidth") > 300 for i in range(3))
    assert page.get_by_text("object at 0x").count() == 0
    before = canvas_hash(pane(page).first)
    pane(page).first.press("End")
    settle(page)
    assert canvas_hash(pane(page).first) != before, "it scrolls without Python"
    assert ask_kernel(page, "'clamlab' in __import__('sys').modules") == "False", "a cell was run"


def test_what_another_has_edited_shows_no_viewer(explored, page):
    page.set_viewport_size({"width": 1400, "height": 6000})
    open_notebook(page, explored, "edited.ipynb")
    page.get_by_text("ClusterAverages(children=").wait_for()
    page.get_by_text("CohortViewer(children=").wait_for()
    assert page.locator(".clam-viewer").count() == 0
    assert page.locator(".jp-OutputArea canvas").count() == 0


def test_a_late_answer_of_the_kernel_does_not_move_the_slice_back(lab, page):
    run_notebook(page, lab, "late.ipynb")
    page.locator(".clam-viewer[data-ready]").wait_for()
    pane(page).focus()
    page.evaluate(
        """() => {
            const {kernel} = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
            kernel.requestExecute({code: 'import time; time.sleep(1.5)', store_history: false});
        }"""
    )
    page.keyboard.press("Home")  # told at once; what is told while the kernel sleeps is heard late
    page.wait_for_timeout(300)
    seen = []
    for _ in range(18):
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(100)
        seen.append(position(page))
    assert seen == list(range(2, 20))
    assert kernel_learns(page, "viewer.index[2]", "18")
