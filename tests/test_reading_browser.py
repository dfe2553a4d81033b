"""Reading as a person does it: keys alone, in a real JupyterLab, and a kernel that dies."""

import json

import numpy as np
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

IDS = [f"PAT-{i:03}-ZQ" for i in range(6)]
CELLS = [
    "import json; import numpy as np; from clamlab.viewers.reading import Reading",
    """
contract = json.load(open("scores.json"))
reading = Reading(
    np.load("volumes.npy", mmap_mode="r"), open("ids.txt").read().split(), contract,
    reader="AB", path="kept/readings.csv", affine=np.diag([9.0, 9, 9, 1]), mask=np.load("mask.npy"),
    repeated=1 / 6,
)
reading""",
]
CHOICES = [
    "import numpy as np; from clamlab.viewers.reading import ForcedChoice",
    """
from clamlab.viewers.reading import average_trials, counterfactual_trials
hu, lung = np.load("volumes.npy"), np.load("mask.npy")
left = lung & (np.indices(lung.shape)[0] > 12)
right = lung & ~left
trials = counterfactual_trials(
    hu, np.stack([hu + 150 * left, hu + 150 * right], 1), np.tile([0.9, 0.1], (6, 1)),
    subject_ids=open("ids.txt").read().split(), n_trials=2,
)
maps = {"Cluster 1": left * 0.9, "Cluster 2": right * 0.9}
trials += average_trials(hu, [0, 0, 0, 1, 1, 1], maps, backdrop=hu.mean(0), n_trials=2)
choice = ForcedChoice(
    trials, reader="AB", path="kept/forced_choices.csv", affine=np.diag([9.0, 9, 9, 1])
)
choice""",
]
RULES = {
    "fibrosis": {"title": "Fibrosis", "enum": [0, 1, 2, 3], "description": "0 none to 3 severe"},
    "pattern": {"title": "Pattern", "enum": ["none", "mild", "severe"]},
    "extent": {
        "title": "Extent",
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "x-units": "%",
        "description": "Share of the lungs",
    },
}


def volumes():
    """Lungs of one brightness each, which tells whose picture it is."""
    scans = np.full((6, 24, 20, 16), 40, "int16")
    lung = np.zeros(scans.shape[1:], bool)
    lung[3:10, 4:16, 3:13], lung[14:21, 4:16, 3:13] = True, True
    for i, scan in enumerate(scans):
        scan[lung] = -950 + 40 * i
    return scans, lung


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    find_chromium()
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    scans, lung = volumes()
    np.save(folder / "volumes.npy", scans)
    np.save(folder / "mask.npy", lung)
    (folder / "ids.txt").write_text("\n".join(IDS))
    rules = {name: {**rule, "x-role": "visual_score"} for name, rule in RULES.items()}
    (folder / "scores.json").write_text(json.dumps({"properties": rules}))
    write_notebook(folder / "reading.ipynb", CELLS)
    write_notebook(folder / "choices.ipynb", CHOICES)
    with jupyterlab(folder, home) as url:
        yield url, folder


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        yield new_page(browser, width=1500, height=1300)


def kept(folder):
    table = pd.read_csv(folder / "kept" / "readings.csv", dtype=str, keep_default_na=False)
    return {(r.subject_id, r.score): r.value for r in table.itertuples()}


def number(page, words):
    page.locator(".clam-reading .clam-bar .clam-title", has_text=words).wait_for()
    page.locator(".clam-reading[data-moving=false]").wait_for()


def saved(page, item):
    box = page.locator(f".clam-item[data-item='{item}']")
    box.locator(".clam-value", has_text="saved").wait_for()
    return box


def current(page):
    return page.locator(".clam-item.clam-current b").inner_text()


def told(page, words):
    page.locator(".clam-reading > .clam-told", has_text=words).wait_for()


def draw_ruler(page, canvas):
    page.keyboard.press("m")
    box = canvas.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle)
    page.mouse.up()


def whose(page):
    """Tell by what travelled to the browser whose scan is shown."""
    value = ask_kernel(page, "np.frombuffer(reading.volume, '<i2').min()")
    return IDS[(int(value) + 950) // 40]


def test_scans_are_read_by_keys_alone_and_nothing_tells_whose(lab, page):
    url, folder = lab
    frames = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda f: frames.append(f)))
    open_notebook(page, url, "reading.ipynb")
    run_all(page)
    widget = page.locator(".clam-reading")
    number(page, "Scan 1 of 7")
    assert current(page) == "Fibrosis"
    widget.focus()
    order = [whose(page)]

    # The first scan: a level, a word by its place, a number that is typed; slices go on scrolling.
    page.keyboard.press("2")
    saved(page, 0)
    page.keyboard.press("Tab")
    page.keyboard.press("3")
    saved(page, 1)
    page.keyboard.press("ArrowRight")
    assert current(page) == "Extent"
    about = page.locator(".clam-item[data-item='2'] .clam-about").inner_text()
    assert about == "Share of the lungs · a number from 0 to 100 %"
    axial = page.locator(".clam-scan canvas[data-plane=axial]")
    before = canvas_hash(axial)
    page.keyboard.press("ArrowUp")
    page.wait_for_function(
        "() => document.querySelector('.clam-scan .clam-pane output').textContent.startsWith('10 ')"
    )
    page.keyboard.press("w")
    page.locator(".clam-scan .clam-on", has_text="Mediastinal").wait_for()
    assert canvas_hash(axial) != before
    for key in ("4", "2", ".", "5"):
        page.keyboard.press(key)
    assert page.locator(".clam-draft").inner_text() == "42.5"
    assert (order[0], "extent") not in kept(folder)  # still being typed
    page.keyboard.press("Enter")
    number(page, "Scan 2 of 7")
    assert kept(folder) == {
        (order[0], "fibrosis"): "2", (order[0], "pattern"): "severe", (order[0], "extent"): "42.5",
    }  # fmt: skip
    order.append(whose(page))
    assert order[1] != order[0]

    # The second: nothing passes as read that is not; what cannot be read is said.
    page.keyboard.press("7")
    told(page, "Fibrosis: no level has the key 7.")
    page.keyboard.press("Enter")
    told(page, "Fibrosis is open")
    page.keyboard.press("0")
    saved(page, 0)
    page.keyboard.press("Enter")
    assert current(page) == "Pattern"
    page.keyboard.press("u")
    saved(page, 1)
    page.keyboard.press("Enter")
    for key in ("9", "9", "9"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    told(page, "Not saved: Extent: expected a number from 0 to 100 or unreadable, found '999'")
    number(page, "Scan 2 of 7")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    number(page, "Scan 3 of 7")
    assert [kept(folder)[order[1], name] for name in RULES] == ["0", "unreadable", "7"]

    # Back to the first, where a correction takes the place of what was there; on to the third.
    page.keyboard.press("Backspace")
    number(page, "Scan 2 of 7")
    page.keyboard.press("Backspace")
    number(page, "Scan 1 of 7")
    assert "clam-on" in page.locator(".clam-item[data-item='0'] [data-value='2']").get_attribute(
        "class"
    )
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    number(page, "Scan 2 of 7")
    draw_ruler(page, axial)
    page.wait_for_timeout(300)
    page.keyboard.press("ArrowUp")  # moved, and on at once: it stays with its scan all the same
    page.keyboard.press("Enter")
    number(page, "Scan 3 of 7")
    page.wait_for_timeout(300)
    assert ask_kernel(page, "reading.measures") == "[]"
    page.keyboard.press("Backspace")
    number(page, "Scan 2 of 7")
    assert ask_kernel(page, "len(reading.measures)") == "1"
    page.keyboard.press("Enter")
    number(page, "Scan 3 of 7")
    order.append(whose(page))
    page.keyboard.press("1")
    page.keyboard.press("Enter")  # in one go: what is still being saved is waited for
    told(page, "Pattern is open")
    page.keyboard.press("Shift+U")
    saved(page, 2)
    assert page.locator(".clam-progress").first.inner_text() == "3 read"
    page.keyboard.press("Enter")
    number(page, "Scan 4 of 7")
    page.keyboard.press("2")
    saved(page, 0)
    order.append(whose(page))
    assert len(set(order)) == 4 and order != sorted(order)
    assert kept(folder)[order[0], "fibrosis"] == "3" and len(kept(folder)) == 10
    page.keyboard.press("?")
    assert page.get_by_text("nothing that is open can be read").is_visible()
    page.keyboard.press("?")

    # The kernel dies in the middle: keys say so, and save nothing.
    page.evaluate(
        """async () => {
            const {session} = window.jupyterapp.shell.currentWidget.context.sessionContext;
            await session.kernel.restart();
        }"""
    )
    before = kept(folder)
    widget.focus()
    page.keyboard.press("1")
    told(page, "Python does not answer")
    assert kept(folder) == before
    run_all(page)
    number(page, "Scan 4 of 7")
    widget = page.locator(".clam-reading")
    assert page.locator(".clam-progress").first.inner_text() == "3 read"
    assert whose(page) == order[3] and current(page) == "Pattern"

    # Somebody else writes meanwhile, and nothing of either is lost.
    table = pd.read_csv(folder / "kept" / "readings.csv", dtype=str)
    other = table.head(1).assign(reader="CD", value="1")
    pd.concat([table, other]).to_csv(folder / "kept" / "readings.csv", index=False)
    widget.focus()
    page.keyboard.press("2")
    saved(page, 1)
    table = pd.read_csv(folder / "kept" / "readings.csv", dtype=str)
    assert table["reader"].value_counts().to_dict() == {"AB": 11, "CD": 1}

    # To the end: the scan that comes again is one of those that were read.
    page.keyboard.press("Shift+U")
    for n in range(5, 8):
        saved(page, 2)
        page.keyboard.press("Enter")
        number(page, f"Scan {n} of 7")
        page.keyboard.press("Shift+U")
        order.append(whose(page))
    saved(page, 2)
    page.keyboard.press("Enter")
    told(page, "All scans are read")
    table = pd.read_csv(folder / "kept" / "readings.csv", dtype=str).query("reader == 'AB'")
    assert sorted(set(order)) == IDS and len(order) == 7
    again = table[table["repeat"] == "2"]
    assert len(set(again["subject_id"])) == 1 and len(table) == 21
    assert again["subject_id"].iloc[0] == max(order, key=order.count)

    # Nothing that came from the kernel, and nothing on the page, tells whose a scan is.
    assert len(frames) > 50
    said = [f if isinstance(f, str) else f.decode("latin-1") for f in frames]
    assert any("n_showings" in text for text in said)
    assert not [text[:200] for text in said if "PAT-" in text or "ZQ" in text]
    html = page.content()
    assert "Scan 7 of 7" in html and "PAT-" not in html and "ZQ" not in html
    traits = ask_kernel(
        page,
        "json.dumps({k: v for k, v in reading.get_state().items() if k[0] != '_'}, default=str)",
    )
    assert "Fibrosis" in traits and "PAT-" not in traits
    assert page.js_errors == [] and page.requests_outside == []


def in_colour(canvas):
    """Count the pixels that are no grey."""
    return canvas.evaluate(
        """(canvas) => {
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let n = 0;
            for (let i = 0; i < data.length; i += 4) n += Math.abs(data[i] - data[i + 2]) > 60;
            return n;
        }"""
    )


def test_one_of_two_is_chosen_by_a_key_and_the_result_waits_for_the_end(lab, page):
    url, folder = lab
    panel, path = page.locator(".clam-choice-panel"), folder / "kept" / "forced_choices.csv"
    path.parent.mkdir(exist_ok=True)
    old = {"subject_id": IDS[0], "kind": "counterfactual", "about": "cluster 2", "side": 1}
    pd.DataFrame([old | {"reader": "AB", "correct": "yes"}]).to_csv(path, index=False)
    run_notebook(page, url, "choices.ipynb")
    title = panel.locator(".clam-title")
    canvases = page.locator(".clam-choice canvas[data-plane=axial]")
    panel.focus()
    for n in range(4):
        title.filter(has_text=f"Trial {n + 1} of 4").wait_for()
        page.locator(".clam-choice-panel[data-waiting=false]").wait_for()
        assert "Right:" not in page.content() and "PAT-" not in page.content()
        assert panel.get_by_text("Not counted: 1 answer about other pictures").is_visible()
        if n == 1:  # among the slices, too, where 1 and 2 are windows; both scroll together
            canvases.last.wait_for()
            page.wait_for_timeout(200)
            before = [canvas_hash(canvas) for canvas in canvases.all()]
            assert in_colour(canvases.nth(0)) < 500 < in_colour(canvases.last)  # the map is on
            page.keyboard.press("ArrowUp")
            page.keyboard.press("+")
            page.wait_for_timeout(400)
            after = [canvas_hash(canvas) for canvas in canvases.all()]
            assert all(a != b for a, b in zip(after, before, strict=True))
        page.keyboard.press("1" if n % 2 else "2")
    title.filter(has_text="All 4 are answered").wait_for()
    question = panel.locator(".clam-question")
    assert question.locator("div").count() == 2 + 1  # and what is not counted
    table = pd.read_csv(path).dropna(subset="pictures")
    right = table.groupby("kind")["correct"].apply(lambda answers: (answers == "yes").sum())
    for n_right, words in zip(right, ("goes with the average", "not a scan"), strict=True):
        assert f"Right: {n_right} of 2" in question.locator("div", has_text=words).inner_text()
    assert table["side"].tolist() == [2, 1, 2, 1]
    page.keyboard.press("1")
    assert len(pd.read_csv(path)) == 4 + 1
    assert page.js_errors == [] and page.requests_outside == []
