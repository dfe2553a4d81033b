"""Signed maps, slabs, rulers, regions and cine: numbers in a real page held against numpy."""

import io
import re

import numpy as np
import pytest
import traitlets
from browser import (
    ask_kernel,
    canvas_hash,
    find_chromium,
    jupyterlab,
    run_notebook,
    write_notebook,
)
from PIL import Image
from widget_page import show_widgets

from clamlab import viewers
from clamlab.viewers import SignedMap, SliceViewer
from clamlab.viewers.assets import read_together
from clamlab.viewers.slices.packing import UNKNOWN, pack_scan
from clamlab.viewers.slices.side_by_side import SideBySide

# Turned about the long axis of the body, with three spacings: nothing is right by luck.
TURN = np.deg2rad(12)
AFFINE = np.eye(4)
AFFINE[:3, :3] = [[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0], [0, 0, 1]]
AFFINE[:3, :3] *= (3, 2, 4)
AFFINE[:3, 3] = (-70, -50, 20)
SHAPE = (40, 44, 24)
SPACING = np.array([3, 2, 4])
PLANES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}  # across, down, through
MACHADO = {  # Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def scan_with_blocks():
    """Make noise, and a signed map with a block of more and two of less, the last hardly sure."""
    hu = np.random.default_rng(0).integers(-1000, 300, SHAPE)
    values, evidence = np.zeros(SHAPE), np.zeros(SHAPE)
    for x, value, sure in ((4, 260.0, 1.0), (16, -100.0, 1.0), (28, -200.0, 0.25)):
        block = (slice(x, x + 9), slice(10, 30), slice(8, 18))
        hu[block], values[block], evidence[block] = -850, value, sure
    values[:2] = np.nan
    return hu, values, evidence


def decoded(packed, kind, shape):
    n = int(np.prod(shape))
    data = np.frombuffer(packed, np.uint8)
    steps = data[: 2 * n].reshape(2, n).T.copy().view("<i2").reshape(shape)
    return np.where(steps == UNKNOWN, np.nan, steps * kind["step"]), data[2 * n :]


@pytest.mark.parametrize(("size", "limit"), [(1.0, 0.3), (900.0, 200.0), (3e4, 200.0), (5.0, 4e4)])
def test_signed_values_survive_packing(size, limit):
    rng = np.random.default_rng(1)
    values = size * rng.uniform(-1, 1, (5, 6, 7))
    values[0] = np.nan
    sure = rng.random(values.shape)
    scan = pack_scan(np.zeros(values.shape), {"a": SignedMap(values, limit=limit, evidence=sure)},
                     affine=AFFINE)  # fmt: skip
    kind = scan["overlay_kinds"][0]
    read, evidence = decoded(scan["overlay_volumes"], kind, values.shape)
    assert np.array_equal(np.isnan(read), np.isnan(values))
    assert np.nanmax(np.abs(read - values)) < limit / 100
    assert np.abs(evidence.reshape(values.shape) / 255 - sure)[1:].max() <= 0.5 / 255 + 1e-6
    assert (kind["limit"], kind["units"], kind["beyond"]) == (limit, "HU", size > limit)


def test_signed_and_ordinary_maps_travel_together():
    hu, values, evidence = scan_with_blocks()
    share = np.clip(evidence / 2, 0, 1)
    maps = {"first": share, "signed": SignedMap(values, limit=200), "last": share}
    scan = pack_scan(hu, maps, affine=AFFINE)
    assert scan["overlay_kinds"][0] == scan["overlay_kinds"][2] == {}
    n = hu.size
    assert len(scan["overlay_volumes"]) == 4 * n
    assert scan["overlay_volumes"][:n] == scan["overlay_volumes"][3 * n :]


def test_a_signed_map_opens_where_it_says_most():
    hu, values, evidence = scan_with_blocks()
    sure = SignedMap(values, limit=200, evidence=evidence)
    assert 4 <= viewers.SliceViewer(hu, {"a": sure}, affine=AFFINE).index[0] < 13


def test_a_limit_is_readable():
    rng = np.random.default_rng(2)
    for scale in (0.004, 1, 37, 900):
        values = np.zeros(10_000)  # most of a scan lies outside the lungs
        values[:2000] = scale * rng.normal(size=2000)
        limit = SignedMap(values).limit
        assert limit == pytest.approx(np.percentile(np.abs(values[:2000]), 98), rel=0.25)
        assert len(f"{limit:g}".replace(".", "").strip("0")) <= 2
    assert SignedMap(np.zeros(4)).limit == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": [np.inf, 0]}, "infinity"),
        ({"limit": 0}, "limit above 0"),
        ({"limit": np.nan}, "limit above 0"),
        ({"evidence": [0.5]}, "one share for each value"),
        ({"evidence": [0.5, 1.5]}, "expected"),
        ({"evidence": [0.5, np.nan]}, "wherever there is a value"),
    ],
)
def test_a_signed_map_says_what_does_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        SignedMap(**({"values": [1.0, -1.0]} | change))


def test_two_signs_are_told_apart_by_the_color_blind():
    digits = re.search(r'DIVERGING = "([0-9a-f]+)"', read_together("slices/overlays.js"))[1]
    anchors = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(-1, 3) / 255
    less, more = anchors[:3], anchors[:3:-1]  # from the ends to a third of the limit
    assert len(anchors) % 2 == 1 and np.ptp(anchors[len(anchors) // 2]) < 0.05, "0 is grey"
    for name, matrix in MACHADO.items():
        seen = [_lab(_linear(side) @ np.transpose(matrix)) for side in (less, more)]
        apart = np.linalg.norm(seen[0] - seen[1], axis=1)
        assert (apart > (60, 50, 20)).all(), (name, apart)


def _linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _lab(linear):
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = np.clip(linear, 0, 1) @ to_xyz.T / (0.9505, 1, 1.089)
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


RULER = {"kind": "ruler", "plane": "axial", "ends": [[2, 3, 5], [9, 3, 5]]}


@pytest.mark.parametrize(
    "change",
    [{"kind": "circle"}, {"plane": "oblique"}, {"ends": [[2, 3, 5], [9, 3, 6]]},
     {"ends": [[2, 3, 5], [99, 3, 5]]}, {"ends": [2, 3]}, {"color": "red"}],
)  # fmt: skip
def test_a_measure_that_does_not_fit_is_refused(change):
    viewer = viewers.SliceViewer(scan_with_blocks()[0], affine=AFFINE, measures=[RULER])
    with pytest.raises(traitlets.TraitError, match="expected kind"):
        viewer.measures = [RULER | change]
    assert viewer.measures == [RULER]


def test_measures_go_with_their_scan_and_come_back():
    hu = scan_with_blocks()[0]
    viewer = viewers.SliceViewer(hu, affine=AFFINE, key="measured")
    viewer.measures = [RULER]
    viewer.show(hu, {"a": np.ones(SHAPE)}, affine=AFFINE)
    assert viewer.measures == [RULER], "another map on the same scan"
    viewer.show(hu + 1, affine=AFFINE)
    assert viewer.measures == [], "a ruler on one scan means nothing on another"
    again = viewers.SliceViewer(hu, affine=AFFINE, key="measured", slab="MIP")
    assert (again.measures, again.slab) == ([RULER], "MIP")
    again.show(hu + 1, affine=AFFINE)
    assert (again.measures, again.slab) == ([], "MIP")


def test_what_is_set_comes_back_and_goes_to_the_second():
    hu, values, _ = scan_with_blocks()
    state = {"slab": "MinIP", "slab_mm": 12.0, "speed": 25, "blending": "cut", "measures": [RULER]}
    first = viewers.SliceViewer(hu, {"a": SignedMap(values)}, affine=AFFINE, key="again", **state)
    again = viewers.SliceViewer(hu, {"a": SignedMap(values)}, affine=AFFINE, key="again")
    pair = SideBySide(AFFINE, {"volume_hu": hu, "key": "again"})
    pair.show_beside({"volume_hu": hu + 1})
    for viewer in (first, again, pair.first, pair.second):
        assert {name: getattr(viewer, name) for name in state} == state


# --- in a real page --------------------------------------------------------------------------


def open_page(page, folder, hu, overlays=None, **state):
    path = viewers.to_html(hu, overlays, folder / "page.html", affine=AFFINE, **state)
    page.goto(path.as_uri())
    page.locator(".clam-viewer[data-ready]").wait_for()
    pane(page).focus()


def pane(page, name="axial"):
    return page.locator(f"canvas[data-plane={name}]")


def read(page, name):
    return page.locator(f"[data-read={name}]").inner_text().replace("−", "-")


def hint(page):
    settle(page)
    return page.locator(".clam-hint").inner_text().replace("−", "-")


def settle(page):
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def on_canvas(page, name, voxel):
    """Tell where the middle of a voxel lies in its pane: the right and the front on the left."""
    across, down, _ = PLANES[name]
    box = pane(page, name).bounding_box()
    lengths = np.array(SHAPE) * SPACING
    widest = max(lengths[a] for a, _, _ in PLANES.values())
    tallest = max(lengths[d] for _, d, _ in PLANES.values())
    scale = min((box["width"] - 4) / widest, (box["height"] - 4) / tallest)
    left = (box["width"] - lengths[across] * scale) / 2
    top = (box["height"] - lengths[down] * scale) / 2
    column, row = SHAPE[across] - 0.5 - voxel[across], SHAPE[down] - 0.5 - voxel[down]
    return left + column * SPACING[across] * scale, top + row * SPACING[down] * scale


def point_at(page, name, voxel):
    x, y = on_canvas(page, name, voxel)
    box = pane(page, name).bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    settle(page)


def pixel(page, name, voxel):
    x, y = on_canvas(page, name, voxel)
    return pane(page, name).evaluate(
        "(c, [x, y]) => [...c.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3)", [x, y]
    )


def color_of(value, limit):
    digits = re.search(r'DIVERGING = "([0-9a-f]+)"', read_together("slices/overlays.js"))[1]
    anchors = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(-1, 3)
    place = np.clip(value / limit, -1, 1)
    return [np.interp(place, np.linspace(-1, 1, len(anchors)), anchors[:, c]) for c in range(3)]


def test_colors_tell_the_sign_and_opacity_the_evidence(page, tmp_path):
    hu, values, evidence = scan_with_blocks()
    maps = {
        "Difference": SignedMap(values, limit=200, evidence=evidence),
        "Bare": SignedMap(values, limit=200, units="ml"),
        "Share": evidence,
    }
    open_page(page, tmp_path, hu, maps, index=[8, 20, 12], opacity=0.8, crosshair=False)
    grey = (-850 + 600 + 750) * 255 / 1500
    more, less, unsure = (8, 20, 12), (20, 20, 12), (32, 20, 12)

    def expect(voxel, share, color):
        wanted = grey + share * (np.array(color) - grey)
        assert np.abs(pixel(page, "axial", voxel) - wanted).max() <= 4, voxel

    # fade: a value that is hardly sure is faint, and nothing ends at a line
    expect(more, 0.8, color_of(260, 200))
    expect(less, 0.8, color_of(-100, 200))
    expect(unsure, 0.2, color_of(-200, 200))
    assert page.get_by_label("Threshold").is_disabled()
    point_at(page, "axial", more)
    assert read(page, "effect").split() == ["map", "+260", "HU", "evidence", "1.00"]
    point_at(page, "axial", unsure)
    assert read(page, "effect").split() == ["map", "-200", "HU", "evidence", "0.25"]
    point_at(page, "axial", (0, 20, 12))
    assert read(page, "effect") == "map not measured"

    # cut: the evidence reaches the threshold or does not
    page.get_by_role("button", name="Cut").click()
    pane(page).focus()
    settle(page)
    expect(less, 0.8, color_of(-100, 200))
    expect(unsure, 0, (0, 0, 0))
    press(page, "T", *["Shift+T"] * 4)
    assert page.locator(".clam-maps output").nth(1).inner_text() == "0.15"
    expect(unsure, 0.8, color_of(-200, 200))

    # without evidence the threshold is a size, the same in both directions
    press(page, "c", "t", *["t"] * 8)  # 0.6 of 200
    assert page.locator(".clam-maps output").nth(1).inner_text() == "± 120"
    expect(more, 0.8, color_of(260, 200))
    expect(less, 0, (0, 0, 0))
    expect(unsure, 0.8, color_of(-200, 200))
    point_at(page, "axial", less)
    assert read(page, "effect") == "map -100 ml"
    press(page, "f")
    expect(less, 0.4, color_of(-100, 200))

    # a map in [0, 1] fades alike, and keeps its own colours
    assert not page.get_by_label("Colours").is_visible()
    press(page, "c")
    assert page.get_by_label("Colours").is_visible()
    inferno = (0x57, 0x10, 0x6E)  # a quarter of the way up
    expect(unsure, 0.2, inferno)
    press(page, "f")  # cut at 0.6
    expect(unsure, 0, (0, 0, 0))


def test_slabs_are_numpys_projections(page, tmp_path):
    hu, values, evidence = scan_with_blocks()
    values = np.where(np.isnan(values), values, values + np.linspace(-90, 90, SHAPE[2]))
    sure = SignedMap(values, limit=200, evidence=evidence)
    index = [10, 21, 11]
    open_page(page, tmp_path, hu, {"D": sure}, index=index, slab="mean", slab_mm=20.0)
    rng = np.random.default_rng(3)
    inverse = {"mean": np.mean, "MIP": np.max, "MinIP": np.min}
    for slab, of_hu in inverse.items():
        for name, (_, _, through) in PLANES.items():
            beside = {3: 3, 2: 5, 4: 2}[int(SPACING[through])]  # 21, 22 and 20 mm
            span = slice(index[through] - beside, index[through] + beside + 1)
            for _ in range(3):
                voxel = [int(rng.integers(2, n - 2)) for n in SHAPE]
                voxel[through] = index[through]
                point_at(page, name, voxel)
                assert read(page, "voxel") == "voxel " + ", ".join(map(str, voxel))
                line = tuple(span if i == through else voxel[i] for i in range(3))
                along = values[line][~np.isnan(values[line])]
                largest = along[np.abs(along).argmax()]
                effect = along.mean() if slab == "mean" else largest
                words = read(page, "slab")
                title = f"{name.title()} {slab} {(2 * beside + 1) * SPACING[through]} mm"
                assert words.startswith(title), words
                told = [float(n) for n in re.findall(r"([-+]?\d+) (?=HU)", words)]
                assert told == pytest.approx([of_hu(hu[line]), effect], abs=0.6), words
                assert read(page, "hu") == f"{hu[tuple(voxel)]} HU", "the slice's own value stays"
        press(page, "b")
    assert page.get_by_label("Slab", exact=True).input_value() == "off"
    assert page.locator("[data-read=slab]").count() == 0


def test_a_slab_is_drawn_and_said_on_the_picture(page, tmp_path):
    hu = np.full(SHAPE, -850)
    hu[10:22, 12:30, 15] = -100  # two slices above the one shown
    open_page(page, tmp_path, hu, index=[5, 20, 13], crosshair=False)
    grey = lambda value: (value + 600 + 750) * 255 / 1500  # noqa: E731 - as the lung window has it
    assert pixel(page, "axial", (16, 20, 13))[0] == pytest.approx(grey(-850), abs=2)
    left_below = "c => c.getContext('2d').getImageData(0, c.height - 40, 110, 40).data.join()"
    bare = pane(page).evaluate(left_below)
    for slab, value in (("mean", -850 + 750 / 5), ("MIP", -100), ("MinIP", -850)):
        press(page, "b")
        assert pixel(page, "axial", (16, 20, 13))[0] == pytest.approx(grey(value), abs=2), slab
        assert pane(page).evaluate(left_below) != bare
    press(page, *["Shift+D"] * 4)  # thinner than the slices: one of them
    point_at(page, "axial", (16, 20, 13))
    assert read(page, "slab") == "Axial MinIP 4 mm: -850 HU"
    pane(page).focus()
    press(page, *["d"] * 4, "Home")  # at the border there are fewer
    assert read(page, "slab").startswith("Axial MinIP 12 mm")


def ellipse(hu, name, index, low, high):
    """Return the HU whose voxel lies in the ellipse between two corners of a plane."""
    across, down, through = PLANES[name]
    at = np.stack(np.indices(SHAPE), -1).astype(float)
    middle, radius = (np.array(low) + high) / 2, np.abs(np.array(high) - low) / 2
    away = [(at[..., i] - middle[i]) / radius[i] for i in (across, down)]
    return hu[(np.hypot(*away) <= 1 + 1e-9) & (at[..., through] == index[through])]


def told_region(words):
    found = re.search(
        r"mean (-?[\d.]+) HU SD ([\d.]+) · min (-?\d+) max (-?\d+) HU · (\d+) voxels ([\d.]+) mm²",
        words,
    )
    return [float(number) for number in found.groups()]


def expected_region(inside, name):
    across, down, _ = PLANES[name]
    area = np.linalg.norm(np.cross(AFFINE[:3, across], AFFINE[:3, down]))
    n = len(inside)
    return [inside.mean(), inside.std(ddof=1), inside.min(), inside.max(), n, n * area]


def test_rulers_and_regions_by_keys(page, tmp_path):
    hu = scan_with_blocks()[0]
    index = [18, 22, 12]
    open_page(page, tmp_path, hu, index=index, title="Measured")
    for name in PLANES:
        across, down, through = PLANES[name]
        pane(page, name).focus()
        press(page, "m", "Enter")
        half = np.zeros(3)
        half[across] = round(15 / SPACING[across])
        assert f" {np.linalg.norm(AFFINE[:3, :3] @ (2 * half)):.1f} mm" in hint(page), name
        press(page, *["Shift+ArrowDown"] * 4, *["Shift+ArrowRight"] * 3)
        # right on the screen is left in the body, or behind; down is behind, or to the feet
        reach = -2 * half
        reach[across] -= 3
        reach[down] -= 4
        assert f" {np.linalg.norm(AFFINE[:3, :3] @ reach):.1f} mm" in hint(page), name
        press(page, "Delete", "e", "Enter")
        rx, ry = (round(15 / SPACING[i] + 1e-9) for i in (across, down))
        low, high = np.array(index, float), np.array(index, float)
        low[across] += rx
        low[down] += ry
        high[across] -= rx + 2
        high[down] -= ry + 1
        press(page, *["Shift+ArrowRight"] * 2, "Shift+ArrowDown")
        words = hint(page)
        wanted = expected_region(ellipse(hu, name, index, low, high), name)
        assert told_region(words) == pytest.approx(wanted, abs=0.51), name
        press(page, "ArrowUp", "ArrowLeft", "ArrowLeft")
        step = np.zeros(3)
        step[down], step[across] = 1, 2
        moved = expected_region(ellipse(hu, name, index, low + step, high + step), name)
        assert told_region(hint(page)) == pytest.approx(moved, abs=0.51), name
        press(page, "Escape")
        assert hint(page) == ""

    # each stays on its slice, and the keys never touch one that is not seen
    pane(page).focus()
    drawn = canvas_hash(pane(page))
    press(page, "ArrowUp")
    gone = canvas_hash(pane(page))
    press(page, "Delete", "ArrowDown")
    assert canvas_hash(pane(page)) == drawn != gone
    # and is in the saved picture
    cream = lambda: count_color(saved(page), (0xFF, 0xF3, 0xB0))  # noqa: E731
    assert cream() > 300
    press(page, *["n", "Delete"] * 3)
    assert cream() == 0


def saved(page):
    with page.expect_download() as download:
        page.keyboard.press("s")
    return Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")


def count_color(image, color):
    return int((np.abs(np.asarray(image, int) - color).max(-1) < 12).sum())


def drag(page, name, start, end):
    point_at(page, name, start)
    page.mouse.down()
    point_at(page, name, end)
    page.mouse.up()
    settle(page)


def test_rulers_and_regions_by_mouse(page, tmp_path):
    hu = scan_with_blocks()[0]
    index = [18, 22, 12]
    open_page(page, tmp_path, hu, index=index)
    page.get_by_role("button", name="Ruler").click()
    a, b = (30, 30, 12), (12, 14, 12)
    drag(page, "axial", a, b)
    length = lambda u, v: np.linalg.norm(AFFINE[:3, :3] @ np.subtract(u, v))  # noqa: E731
    told = lambda: float(re.search(r"([\d.]+) mm$", hint(page))[1])  # noqa: E731
    assert told() == pytest.approx(length(a, b), abs=0.4)
    assert read(page, "voxel") == "voxel 12, 14, 12", "only the pointer moved"
    drag(page, "axial", b, (6, 35, 12))  # by its end
    assert told() == pytest.approx(length(a, (6, 35, 12)), abs=0.4)
    drag(page, "axial", (18, 32.5, 12), (18, 22.5, 12))  # as a whole
    assert told() == pytest.approx(length(a, (6, 35, 12)), abs=0.5)
    press(page, "0", "+", "r")  # nearer, and from the other side: it lies on the body
    assert told() == pytest.approx(length(a, (6, 35, 12)), abs=0.5)
    press(page, "0", "r", "Delete")

    page.get_by_role("button", name="Region").click()
    low, high = (30.25, 25, 12.25), (14.25, 25, 5.25)
    drag(page, "coronal", high, low)  # from the lower right
    at = (index[0], index[1], index[2])
    wanted = expected_region(ellipse(hu, "coronal", at, low, high), "coronal")
    assert told_region(hint(page)) == pytest.approx(wanted, rel=0.01)
    drag(page, "coronal", (20, 22, 8), (20, 22, 8))  # a click takes hold, and leaves no dot
    assert told_region(hint(page)) == pytest.approx(wanted, rel=0.01)
    press(page, "Escape")
    pane(page, "axial").focus()
    before = canvas_hash(pane(page))
    point_at(page, "axial", (8, 8, 12))
    page.mouse.down()
    page.mouse.up()
    settle(page)
    assert canvas_hash(pane(page)) != before, "without a tool a click moves the crosshair"


@pytest.mark.parametrize("name", PLANES)
def test_words_of_a_region_leave_the_words_at_the_border_free(page, tmp_path, name):
    hu = scan_with_blocks()[0]
    open_page(page, tmp_path, hu, index=[18, 22, 12], crosshair=False, slab="MIP", slab_mm=18.0)
    box = pane(page, name).bounding_box()
    width, height = box["width"], box["height"]
    border = {  # the slab's words, a letter, the scale
        (8, height - 38, 104, 36): (20, 90),
        (width / 2 - 9, height - 22, 18, 18): (width / 2 - 35, width / 2 + 35),
        (width - 60, height - 30, 52, 24): (width - 90, width - 20),
    }
    whole = (0, 0, width, height)
    pixels = "(c, box) => c.getContext('2d').getImageData(...box.map(Math.round)).data.join()"
    drawn = lambda area: pane(page, name).evaluate(pixels, list(area))  # noqa: E731
    for area, (left, right) in border.items():
        before, bare = drawn(area), drawn(whole)
        page.get_by_role("button", name="Region").click()
        page.mouse.move(box["x"] + left, box["y"] + height - 150)
        page.mouse.down()
        page.mouse.move(box["x"] + right, box["y"] + height - 84)  # there is room beneath
        page.mouse.up()
        assert "voxels" in hint(page)
        press(page, "Escape")  # no longer chosen, it is drawn all the same
        assert drawn(whole) != bare
        assert drawn(area) == before
        press(page, "n", "Delete", "Escape")
        assert drawn(whole) == bare


def test_cine_keeps_its_pace(page, tmp_path):
    open_page(page, tmp_path, scan_with_blocks()[0], speed=4)
    count = """async (ms) => {
        const count = document.querySelector('.clam-pane output');
        let seen = 0;
        const watch = new MutationObserver(() => { seen += 1; });
        watch.observe(count, { childList: true, characterData: true, subtree: true });
        await new Promise((done) => setTimeout(done, ms));
        watch.disconnect();
        return seen;
    }"""
    pane(page).focus()
    press(page, " ")
    slow = page.evaluate(count, 1000)
    press(page, *["p"] * 8)  # while it runs
    fast = page.evaluate(count, 1000)
    assert page.get_by_label("Slices per second").input_value() == "20"
    assert 2 <= slow <= 5
    assert fast >= 2.5 * slow
    press(page, " ")
    settle(page)
    assert page.evaluate(count, 300) == 0


def test_of_two_linked_scans_one_plays_and_a_click_into_either_stops_it(page):
    hu = scan_with_blocks()[0]
    both = {name: SliceViewer(hu, affine=AFFINE, speed=10) for name in ("a", "b")}
    show_widgets(page, width=900, **both)
    page.locator(".clam-viewer[data-ready]").nth(1).wait_for()
    for names in (["a", "index", "b", "index"], ["b", "index", "a", "index"]):
        page.evaluate("names => link(...names)", names)
    buttons = page.locator("[data-do=play]")
    at = lambda: page.evaluate("models.b.get('index').join()")  # noqa: E731

    def plays():
        page.wait_for_timeout(350)  # three beats
        before, words = at(), buttons.all_text_contents()
        page.wait_for_timeout(350)
        return words, at() != before

    buttons.nth(0).click()
    assert plays() == (["Pause", "Play"], True)
    buttons.nth(1).click()  # it takes over: two would run at double pace, and neither could stop it
    assert plays() == (["Play", "Pause"], True)
    page.get_by_label("Axial slice").first.click(position={"x": 40, "y": 40})
    assert plays() == (["Play", "Play"], False)


def test_every_key_is_listed_and_does_something(page, tmp_path):
    hu, values, evidence = scan_with_blocks()
    maps = {"D": SignedMap(values, limit=200, evidence=evidence), "S": evidence}
    open_page(page, tmp_path, hu, maps, index=[8, 20, 12], slab="MIP", overlay="S", zoom=2,
              preset="mediastinal")  # fmt: skip
    listed = " ".join(page.locator(".clam-keys b").all_text_contents())
    seen = (
        "v => [v.outerHTML, ...[...v.querySelectorAll('canvas')].map((c) => c.toDataURL())].join()"
    )
    for key in "12WLTFAGCOBDVXR0":
        assert re.search(rf"\b{key}\b", listed), key
        before = page.locator(".clam-viewer").evaluate(seen)
        press(page, key.lower())
        assert page.locator(".clam-viewer").evaluate(seen) != before, key
    for key in "MENSP":
        assert re.search(rf"\b{key}\b", listed), key


BOXES = {
    "window": "Window width (HU)",
    "level": "Window level (HU)",
    "slab_mm": "Slab thickness (mm)",
    "speed": "Slices per second",
}


def type_number(page, name, words, confirm="Enter"):
    """Type into a box as a person does, confirm it, and return what stands there then."""
    box = page.get_by_label(BOXES[name])
    box.click()
    press(page, "Control+a", "Delete")
    page.keyboard.type(words)
    press(page, confirm)
    return box.input_value()


@pytest.mark.parametrize("confirm", ["Enter", "Tab"])
def test_a_box_for_a_number_shows_what_is_drawn(page, tmp_path, confirm):
    hu = np.full(SHAPE, -850)
    open_page(page, tmp_path, hu, index=[5, 20, 13], crosshair=False, slab="MIP", slab_mm=20.0)
    grey = lambda: pixel(page, "axial", (16, 20, 13))[0]  # noqa: E731
    black_to_white = lambda window, level: (-850 - level + window / 2) * 255 / window  # noqa: E731
    confirmed = lambda name, words: type_number(page, name, words, confirm)  # noqa: E731

    assert confirmed("window", "800") == "800"
    assert grey() == pytest.approx(black_to_white(800, -600), abs=2)
    assert page.locator(".clam-on", has_text="Lung").count() == 0
    assert confirmed("level", "-900.4") == "-900"
    assert grey() == pytest.approx(black_to_white(800, -900), abs=2)
    assert confirmed("slab_mm", "36") == "36"
    point_at(page, "axial", (16, 20, 13))
    assert read(page, "slab").startswith("Axial MIP 36 mm")

    # A decimal comma is one, and in a box for whole numbers it parts thousands.
    assert confirmed("slab_mm", "17,5") == "17.5"
    assert confirmed("window", "1,500") == "1500"

    # The nearest that is possible, also where it is what was there already.
    for name, least, most in [
        ("window", "10", "4000"), ("level", "-1500", "3000"),
        ("slab_mm", "1", "300"), ("speed", "1", "40"),
    ]:  # fmt: skip
        assert [confirmed(name, words) for words in ("99999", "88888")] == [most, most], name
        assert [confirmed(name, words) for words in ("-9999", "-8888")] == [least, least], name
        for nothing in ("", "-", "1e", ""):
            assert confirmed(name, nothing) == least, (name, nothing)
    confirmed("level", "-852")
    assert grey() == pytest.approx(black_to_white(10, -852), abs=2)


def test_a_box_is_left_alone_while_a_person_types(page, tmp_path):
    open_page(page, tmp_path, scan_with_blocks()[0])
    box = page.get_by_label(BOXES["window"])
    box.click()
    press(page, "Control+a", "8")
    page.get_by_label("Axial slice").last.dispatch_event("input")  # draws anew
    settle(page)
    page.keyboard.type("00")
    assert box.input_value() == "800"
    press(page, "Enter")
    assert box.input_value() == "800"
    page.get_by_role("button", name="Mediastinal").evaluate("b => b.click()")  # the focus stays
    settle(page)
    assert box.input_value() == "400"


# --- in JupyterLab ---------------------------------------------------------------------------

CELL = """
import numpy as np
from clamlab.viewers import SignedMap
from clamlab.viewers.slices.side_by_side import SideBySide
rng = np.random.default_rng(0)
affine = np.diag([3.0, 3, 3, 1])
def view(i):
    hu = rng.integers(-1000, 0, (64, 64, 64)).astype("int16")
    change = SignedMap(rng.normal(0, 90, hu.shape), limit=200, evidence=rng.random(hu.shape))
    return {"volume_hu": hu, "overlays": {"Change": change}, "title": f"Scan {i}"}
pair = SideBySide(affine, view(0))
pair.show_beside(view(1))
pair
"""


def test_two_follow_each_other_and_a_walk_over_scans_leaves_nothing(browser, page, tmp_path):
    find_chromium()
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write_notebook(folder / "pair.ipynb", [CELL])
    with jupyterlab(folder, tmp_path / "home") as url:
        run_notebook(page, url, "pair.ipynb")
        page.locator(".clam-viewer[data-ready]").nth(1).wait_for()
        both = page.locator("canvas[data-plane=axial]")
        both.first.focus()
        settle(page)
        before = canvas_hash(both.nth(1))
        press(page, "b", "b", "d", "f", "p", "e", "Enter", "Escape")
        page.wait_for_timeout(500)
        assert canvas_hash(both.nth(1)) != before
        state = ["slab", "slab_mm", "blending", "speed", "measures"]
        held = [
            ask_kernel(page, f"[getattr(pair.{which}, n) for n in {state}]")
            for which in ("first", "second")
        ]
        assert held[0] == held[1]
        assert held[0].startswith("['MIP', 25.0, 'cut', 12, [{'kind': 'region', 'plane': 'axial'")

        used = [in_use(page)]
        for last in (8, 16):
            ask_kernel(page, f"[pair.show(view(i)) for i in range({last} - 7, {last} + 1)]")
            page.locator(".clam-title").first.get_by_text(f"Scan {last}").wait_for()
            used.append(in_use(page))
        one_scan = 64**3 * 5 / 1e6
        assert used[2] - used[1] < 2 * one_scan, used  # eight more scans
        assert ask_kernel(page, "pair.first.measures, pair.first.slab") == "[] MIP"


def in_use(page):
    """Return the megabytes that the page still holds after a thorough cleaning."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(100)
    heap = session.send("Runtime.getHeapUsage")
    return (heap["usedSize"] + heap["backingStorageSize"]) / 1e6
