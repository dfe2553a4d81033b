"""Choosing scans as a person does it: marks, loops, filters and keys, in a real browser."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from browser import (
    ask_kernel,
    canvas_hash,
    find_chromium,
    jupyterlab,
    new_page,
    run_notebook,
    write_notebook,
)
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from widget_page import held, settle, show_widgets

from clamlab.viewers.cohort.scan_search import ScanSearch
from clamlab.viewers.points.filters import Filters
from clamlab.viewers.points.latent_scatter import LatentScatter

# How the red-green-blind see linear light (Machado and others 2009, severity 1).
SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip
PICTURE = "Scans in feature space"
CELL = """
import numpy as np, pandas as pd
from clamlab.viewers.points.filters import Filters
from clamlab.viewers.points.latent_scatter import LatentScatter
from clamlab.viewers.cohort.scan_search import ScanSearch
table = pd.DataFrame({"age": np.arange(40) + 0.5, "sex": ["f", "m", None, "m"] * 10})
features = np.random.default_rng(0).normal(size=(40, 5))
names = [f"S{i:02}" for i in range(40)]
scatter, filters, search = LatentScatter(features, names), Filters(table), ScanSearch(names)
scatter.color_by(table["sex"])
scatter.follow(filters)
import ipywidgets
ipywidgets.VBox([search, scatter, filters])
"""

PAGE_SIZE = {"width": 700, "height": 1100}


def on_screen(page, points):
    """Where points of the unit square lie in the window."""
    box = page.get_by_label(PICTURE).bounding_box()
    across = box["x"] + 34 + points[:, 0].astype(float) * (box["width"] - 48)
    return np.column_stack(
        [across, box["y"] + box["height"] - 34 - points[:, 1] * (box["height"] - 46)]
    )


def loop(page, corners, key=None):
    """Draw a loop with the mouse, with a key held down."""
    if key:
        page.keyboard.down(key)
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    if key:
        page.keyboard.up(key)
    settle(page)


def within(places, left, right):
    """A loop over the whole height between two shares of the width, and who lies in it."""
    (x0, y0), (x1, y1) = places.min(0) - 9, places.max(0) + 9
    x0, x1 = x0 + left * (x1 - x0), x0 + right * (x1 - x0)
    inside = (places[:, 0] > x0) & (places[:, 0] < x1)
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], inside


def rows(mask):
    return np.flatnonzero(mask).tolist()


def pixels_of(locator):
    """RGBA of 2-D canvases, each (height, width, 4) from 0 to 1."""
    pictures = locator.evaluate_all(
        "(canvases) => canvases.map((c) => c.toDataURL().split(',')[1])"
    )
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(p)))) / 255 for p in pictures]


def in_grey(rgba):
    """What a mark is on black paper without colour, as bright as any other."""
    grey = rgba[..., :3] @ [0.2126, 0.7152, 0.0722] * rgba[..., 3]
    return grey / grey.max()


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def seen(rgb, sight):
    other = np.clip(linear(rgb) @ np.transpose(SIGHT[sight]), 0, 1)
    return rgb2lab(np.where(other <= 0.0031308, 12.92 * other, 1.055 * other ** (1 / 2.4) - 0.055))


def contrast(rgb):
    """As WCAG 2 has it, with the black picture."""
    return (linear(rgb) @ [0.2126, 0.7152, 0.0722] + 0.05) / 0.05


def test_no_two_marks_look_alike(page):
    features = np.column_stack([np.arange(30) % 6, np.arange(30) // 6]) * [1.0, 0.9]
    scatter = LatentScatter(features, [f"S{i}" for i in range(30)], selected=29)
    scatter.color_by(pd.Series([*(f"L{k:02}" for k in range(26)), None, *["L00"] * 3], name="kind"))
    show_widgets(page, scatter=scatter)
    settle(page)
    entries = page.locator(".clam-legend button")
    assert entries.all_inner_texts()[-3:] == [
        "L23 (n = 1)", "2 more levels, drawn alike (n = 2)", "no value (n = 1)",
    ]  # fmt: skip
    marks = pixels_of(entries.locator("canvas"))
    shapes = np.array([in_grey(mark) for mark in marks])
    apart = np.abs(shapes[:, None] - shapes[None]).sum((2, 3))
    sizes = shapes.sum((1, 2))
    share = apart / np.minimum(sizes[:, None], sizes[None]) + 9 * np.eye(len(marks))
    assert share.min() > 0.2, "told apart by shape alone, also in grey"
    colors = np.array([mark[mark[..., 3] == 1][:, :3].mean(0) for mark in marks[:12]])
    for sight in SIGHT:
        lab = seen(colors, sight)
        distance = deltaE_ciede2000(lab[:, None], lab[None]) + 99 * np.eye(12)
        assert distance.min() > 12, f"told apart by colour alone, in {sight} sight"

    # In the picture each point has the mark that the legend says.
    picture = pixels_of(page.get_by_label(PICTURE))[0]
    box = page.get_by_label(PICTURE).bounding_box()
    for k, (x, y) in enumerate(np.rint(on_screen(page, scatter.points)[:24])):
        left, top = int(x - np.rint(box["x"])) - 7, int(y - np.rint(box["y"])) - 7
        drawn = picture[top : top + 14, left : left + 14]
        unlike = [np.abs(drawn[..., :3] - m[..., :3] * m[..., 3:]).sum() for m in marks[:24]]
        assert np.argmin(unlike) == k


def test_groups_are_built_by_loops_levels_and_keys(page):
    rng = np.random.default_rng(3)
    scatter = LatentScatter(
        rng.normal(size=(80, 6)) * [6, 5, 4, 3, 2, 1], [f"S{i}" for i in range(80)]
    )
    kind = np.arange(80) % 8
    scatter.color_by(pd.Series([f"Cluster {k + 1}" for k in kind], name="Cluster"))
    show_widgets(page, scatter=scatter)
    settle(page)
    picture, say = page.get_by_label(PICTURE), page.get_by_role("status")
    group = lambda: held(page, "scatter", "group")  # noqa: E731
    places = on_screen(page, scatter.points)
    left, in_left = within(places, -0.05, 0.45)
    middle, in_middle = within(places, 0.3, 0.6)
    empty = canvas_hash(picture)

    loop(page, left)
    assert group() == rows(in_left)
    assert f"{in_left.sum()} scans chosen" in say.inner_text()
    assert canvas_hash(picture) != empty
    loop(page, middle, "Shift")
    assert group() == rows(in_left | in_middle)
    loop(page, middle, "Alt")
    assert group() == rows(in_left & ~in_middle)
    page.get_by_role("button", name="Add", exact=True).click()
    loop(page, middle)
    page.get_by_role("button", name="Subtract").click()
    loop(page, left)
    assert group() == rows(in_middle & ~in_left)
    page.get_by_role("button", name="Invert").click()
    assert group() == rows(~(in_middle & ~in_left))
    page.get_by_role("button", name="Clear").click()
    assert group() == []
    settle(page)
    assert canvas_hash(picture) == empty

    # levels of the legend, with the mouse and with keys
    page.get_by_role("button", name="New").click()
    page.get_by_role("button", name="Cluster 3 (n = 10)").click()
    page.get_by_role("button", name="Cluster 7 (n = 10)").click(modifiers=["Shift"])
    assert group() == rows((kind == 2) | (kind == 6))
    page.get_by_role("button", name="Cluster 2 (n = 10)").press("Enter")
    assert group() == rows(kind == 1)

    # keys alone: point at the scans 2 and 3, put them in; then the others instead, none, all
    page.mouse.move(1, 1)
    picture.press("Escape")
    for key in ("Control+ArrowRight", "Control+ArrowRight", " ", "Control+ArrowRight", " "):
        picture.press(key)
    assert group() == [2, 3]
    settle(page)
    assert say.inner_text() == "S3: Cluster 4 · 2 scans chosen"
    picture.press(" ")
    assert group() == [2]
    picture.press("i")
    assert group() == [i for i in range(80) if i != 2]
    picture.press("Control+a")
    assert group() == list(range(80))
    picture.press("Control+ArrowLeft")
    picture.press("Enter")
    assert [group(), held(page, "scatter", "selected")] == [[], 2]
    picture.press("ArrowRight")
    assert held(page, "scatter", "selected") == 3

    # any two of the components, without Python: a click finds the scan at its new place
    assert page.get_by_label("Axis across").locator("option").count() == 6
    page.get_by_label("Axis across").select_option(index=4)
    page.get_by_label("Axis up").select_option(index=2)
    settle(page)
    assert canvas_hash(picture) != empty
    scatter.axes = [4, 2]
    places = on_screen(page, scatter.points)
    alone = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e3 * np.eye(80)
    scan = int(alone.min(1).argmax())
    page.mouse.click(*places[scan])
    assert held(page, "scatter", "selected") == scan
    page.get_by_label("Axis up").select_option(index=4)
    assert held(page, "scatter", "axes") == [2, 4]  # they change places: never one against itself


def test_filters_hide_points_and_what_is_hidden_is_not_taken(page):
    rng = np.random.default_rng(4)
    n = 60
    table = pd.DataFrame(
        {
            "age": np.where(np.arange(n) % 10 == 0, np.nan, rng.normal(60, 9, n).round(1)),
            "sex": rng.choice(["female", "male", None], n),
            "ward": [f"Station {i % 30}" for i in range(n)],
            "score": rng.integers(0, 40, n),
        }
    )
    contract = {"properties": {"age": {"title": "Age", "x-units": "years"}}}
    scatter = LatentScatter(rng.normal(size=(n, 4)), [f"S{i}" for i in range(n)], selected=5)
    scatter.color_by(table["sex"])
    filters = Filters(table, contract)
    show_widgets(page, scatter=scatter, filters=filters)
    page.evaluate("link('filters', 'mask', 'scatter', 'shown')")
    settle(page)
    picture = page.get_by_label(PICTURE)
    total, say = page.locator(".clam-total"), page.locator(".clam-scatter [role=status]")
    assert total.inner_text() == "All 60 scans shown"
    pictures = {canvas_hash(picture)}

    # a slider by keys: from its stop, which is no bound, to round numbers, both ends included
    page.get_by_label("Add a filter").select_option("Age")
    slider = page.get_by_label("Age from", exact=True)
    assert slider.evaluate("(node) => document.activeElement.closest('.clam-filter') !== null")
    assert held(page, "filters", "conditions") == {"age": {"missing": True}}
    slider.focus()
    for _ in range(5):
        page.keyboard.press("PageUp")
    settle(page)
    low = held(page, "filters", "conditions")["age"]["low"]
    old = (table["age"] >= low).to_numpy()
    kept = old | table["age"].isna().to_numpy()
    assert 0 < (~kept).sum() < n
    assert total.inner_text() == f"{kept.sum()} of 60 scans shown, {(~kept).sum()} hidden"
    assert f"{(~kept).sum()} of 60 scans filtered out" in say.inner_text()
    pictures.add(canvas_hash(picture))
    missing = page.get_by_role("group", name="Filter on Age").get_by_label("no value (n = 6)")
    missing.uncheck()
    settle(page)
    assert total.inner_text() == f"{old.sum()} of 60 scans shown, {(~old).sum()} hidden"
    pictures.add(canvas_hash(picture))
    page.get_by_label("show filtered-out scans faintly").uncheck()
    settle(page)
    pictures.add(canvas_hash(picture))
    assert len(pictures) == 4

    # a loop around everything takes what is shown; a level too; the count in the legend tells
    around, everybody = within(on_screen(page, scatter.points), -0.05, 1.05)
    assert everybody.all()
    loop(page, around)
    assert held(page, "scatter", "group") == rows(old)
    male = old & (table["sex"] == "male").to_numpy()
    name = f"male ({male.sum()} of {(table['sex'] == 'male').sum()} shown)"
    page.get_by_role("button", name=name, exact=True).click()
    assert held(page, "scatter", "group") == rows(male)

    # a number exactly, a level, a word; a group that stands is told of, not changed
    page.get_by_label("Age from, as a number").fill("55")
    page.keyboard.press("Enter")
    page.get_by_label("Add a filter").select_option("sex")
    page.get_by_label(f"female (n = {(table['sex'] == 'female').sum()})").uncheck()
    page.get_by_label("Add a filter").select_option("ward")
    page.get_by_label("ward holds").fill("station 2")
    settle(page)
    kept = (
        (table["age"] >= 55) & (table["sex"].isna() | (table["sex"] == "male"))
        & table["ward"].str.contains("Station 2")
    ).to_numpy()  # fmt: skip
    assert total.inner_text() == f"{kept.sum()} of 60 scans shown, {(~kept).sum()} hidden"
    assert held(page, "scatter", "group") == rows(male)
    assert f"{(male & ~kept).sum()} of them filtered out" in say.inner_text()
    page.get_by_label("Take off the filter on ward").press("Enter")
    page.get_by_role("button", name="No filters").click()
    settle(page)
    assert total.inner_text() == "All 60 scans shown"
    assert page.locator(".clam-filter").count() == 0

    # the browser and Python work out the same
    for _ in range(150):
        conditions = {}
        if rng.random() < 0.7:
            conditions["age"] = {"low": None, "high": float(rng.choice(table["age"].dropna()))}
        if rng.random() < 0.7:
            conditions["score"] = {"low": int(rng.integers(0, 40)), "missing": False}
        if rng.random() < 0.5:
            conditions["sex"] = {"levels": ["male"], "missing": bool(rng.random() < 0.5)}
        if rng.random() < 0.5:
            conditions["ward"] = {"text": str(rng.choice(["ON 1", "2", "9", "x"]))}
        filters.conditions = conditions
        mask = page.evaluate(
            """(conditions) => {
                models.filters.set('conditions', conditions);
                return [...new Uint8Array(models.scatter.get('shown').buffer)];
            }""",
            conditions,
        )
        assert [bool(one) for one in mask or np.ones(n)] == filters.shown.tolist()


def test_a_bound_of_a_filter_shows_what_holds(page):
    table = pd.DataFrame({"age": np.arange(40.0)}, index=[f"S{i:02}" for i in range(40)])
    show_widgets(page, filters=Filters(table, conditions={"age": {"low": 30.0}}))
    field = page.get_by_label("age from, as a number")

    def confirmed(words, confirm):
        field.click()
        page.keyboard.press("Control+a")
        page.keyboard.press("Delete")
        page.keyboard.type(words)
        page.keyboard.press(confirm)
        settle(page)
        return field.input_value(), held(page, "filters", "conditions")["age"]["low"]

    for confirm in ("Enter", "Tab"):
        assert confirmed("7,5", confirm) == ("7.5", 7.5)
        assert confirmed("12.50", confirm) == ("12.5", 12.5)
        assert confirmed("-", confirm) == ("12.5", 12.5)  # not to be read: nothing changes
        assert confirmed("", confirm) == ("", None)  # no bound
        assert confirmed("7e", "Tab") == ("", None)


def test_a_scan_is_found_by_keys_among_ten_thousand(page):
    names = [f"S{i:05}" for i in range(10_000)]
    names[4321], names[77], names[78] = "<b> Zed  two</b>", "same", "same"
    show_widgets(page, search=ScanSearch(names, value=12))
    value = lambda: held(page, "search", "value")  # noqa: E731
    field, told = page.get_by_role("combobox"), page.get_by_role("status")
    assert field.input_value() == "S00012"
    page.keyboard.press("Tab")
    page.keyboard.type("s0432")
    assert told.inner_text() == "9 of 10000"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("[aria-selected=true]").inner_text() == "S04323"
    assert value() == 12  # nothing before Enter
    page.keyboard.press("Enter")
    assert [value(), field.input_value(), page.get_by_role("option").count()] == [4323, "S04323", 0]
    page.keyboard.type("zed")
    assert page.get_by_role("option").evaluate("(node) => node.textContent") == "<b> Zed  two</b>"
    page.keyboard.press("Enter")
    assert [value(), field.input_value()] == [4321, "<b> Zed  two</b>"]
    page.keyboard.type("same")
    assert page.get_by_role("option").all_inner_texts() == ["samerow 78", "samerow 79"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert value() == 78
    page.keyboard.type("nobody")
    assert told.inner_text() == "no scan has this in its name"
    page.keyboard.press("Enter")
    assert value() == 78
    page.keyboard.press("Escape")
    assert field.input_value() == "same"
    page.keyboard.type("9")
    assert page.get_by_text("and 3389 more: type on").is_visible()
    milliseconds = page.evaluate(
        """() => {
            const field = document.querySelector('[role=combobox]');
            const start = performance.now();
            for (const typed of ['s', 's0', 's01', '01', '1', 'x', '', 's9', '99', '0']) {
                field.value = typed;
                field.dispatchEvent(new Event('input'));
                field.offsetHeight;
            }
            return (performance.now() - start) / 10;
        }"""
    )
    assert milliseconds < 100
    field.blur()  # what was half typed does not stand beside another scan
    assert [field.input_value(), value()] == ["same", 78]


def test_ten_thousand_points_keep_up(page):
    rng = np.random.default_rng(5)
    n = 10_000
    table = pd.DataFrame({"age": rng.normal(60, 9, n), "kind": rng.choice(list("abcdefgh"), n)})
    scatter = LatentScatter(rng.normal(size=(n, 12)), [f"S{i:05}" for i in range(n)])
    scatter.color_by(table["kind"])
    filters = Filters(table)
    show_widgets(page, scatter=scatter, filters=filters)
    page.evaluate("link('filters', 'mask', 'scatter', 'shown')")
    settle(page)
    picture, say = page.get_by_label(PICTURE), page.locator(".clam-scatter [role=status]")
    places = on_screen(page, scatter.points)
    before = canvas_hash(picture)
    for spot in places[:40] + rng.uniform(-6, 6, size=(40, 2)):
        page.mouse.move(*spot)
        settle(page)
        nearest = np.linalg.norm(places - spot, axis=1)
        best = np.flatnonzero(nearest < nearest.min() + 0.02)
        assert say.inner_text().split(":")[0] in {f"S{i:05}" for i in best}
    assert canvas_hash(picture) == before  # the points were not drawn again
    times = page.evaluate(
        """async () => {
            const frame = () => new Promise(requestAnimationFrame);
            const times = [];
            await frame();
            for (let i = 0; i < 30; i++) {
                const start = performance.now();
                models.filters.set('conditions', {age: {low: 50 + i / 2}});
                await frame();
                times.push(performance.now() - start);
            }
            return times.sort((a, b) => a - b);
        }"""
    )
    assert times[15] < 100, f"{times[15]:.0f} ms for a filter of ten thousand points"
    left = rows(table["age"] >= 64.5)
    picture.press("Control+a")
    assert held(page, "scatter", "group") == left


def test_filters_and_points_in_jupyterlab(browser, tmp_path):
    find_chromium()
    (tmp_path / "home").mkdir()
    (tmp_path / "notebooks").mkdir()
    write_notebook(tmp_path / "notebooks" / "points.ipynb", [CELL])
    page = new_page(browser, width=1100, height=1300)
    with jupyterlab(tmp_path / "notebooks", tmp_path / "home") as url:
        run_notebook(page, url, "points.ipynb")
        page.locator(".clam-filters[data-ready]").wait_for()
        page.locator(".clam-scatter[data-ready]").wait_for()
        before = canvas_hash(page.get_by_label(PICTURE))
        page.get_by_label("Add a filter").select_option("age")
        field = page.get_by_label("age from, as a number")
        field.fill("20.5")
        field.press("Enter")
        page.get_by_text("20 of 40 scans shown, 20 hidden").wait_for()
        page.get_by_text("20 of 40 scans filtered out").wait_for()
        assert canvas_hash(page.get_by_label(PICTURE)) != before
        wait_for(page, "filters.shown.sum(), sum(scatter.shown)", "20 20")
        # a condition from Python reaches the points too
        ask_kernel(page, "setattr(filters, 'conditions', {'sex': {'levels': ['f']}})")
        page.get_by_text("20 of 40 scans shown, 20 hidden").wait_for()
        page.get_by_role("button", name="m (0 of 20 shown)").wait_for()
        wait_for(page, "list(scatter.shown) == filters.shown.astype(int).tolist()", "True")
        page.get_by_role("button", name="f (10 of 10 shown)").click()
        wait_for(page, "scatter.group == list(range(0, 40, 4))", "True")
        page.get_by_role("combobox", name="Scan: part of its name").fill("S31")
        page.keyboard.press("Enter")
        wait_for(page, "search.value, search.name", "31 S31")
    assert page.js_errors == []
    assert page.requests_outside == []
    page.context.close()


def test_every_cluster_of_the_largest_number_is_in_sight_in_the_legend(page):
    clusters = pd.Series([f"Cluster {k + 1} of 8" for k in range(8)] * 2, name="Cluster")
    scatter = LatentScatter(np.random.default_rng(0).normal(size=(16, 4)), list("abcdefghijklmnop"))
    scatter.color_by(clusters)
    show_widgets(page, width=340, scatter=scatter)  # the column beside the slices
    tall, seen = page.locator(".clam-legend").evaluate("x => [x.scrollHeight, x.clientHeight]")
    assert page.get_by_role("button", name="of 8").count() == 8
    assert tall <= seen, "a cluster that is scrolled away is not missed"


def test_faint_points_are_fainter_and_brighter_than_what_is_filtered_out(page):
    """Of four clusters that the rule sees no gap between, as beside the slices."""
    places = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5]])
    scatter = LatentScatter(places, list("abcde"), selected=4)
    scatter.color_by(pd.Series(["1", "2", "3", "4", None], name="Cluster"))
    brightness = {}
    for ghosted in (False, True):
        scatter.ghosted = ghosted
        show_widgets(page, scatter=scatter)
        settle(page)
        (rgba,) = pixels_of(page.get_by_label(PICTURE))
        light = contrast(rgba[..., :3])
        box = page.get_by_label(PICTURE).bounding_box()
        points = on_screen(page, scatter.points)[:4] - [box["x"], box["y"]]
        brightness[ghosted] = np.array([light[int(y), int(x)] for x, y in points])
    assert (brightness[True] < 0.8 * brightness[False]).all()
    assert (brightness[True] > contrast(np.array([0x45, 0x4C, 0x57]) / 255)).all()


def wait_for(page, expression, expected):
    """Wait until the kernel holds a value."""
    for _ in range(200):
        if ask_kernel(page, expression) == expected:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{expression}: {ask_kernel(page, expression)}, expected {expected}")
