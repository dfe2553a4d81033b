"""The page of a cohort: what is in the file, what is not, and what a colleague does with it."""

import base64
import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
from browser import canvas_hash
from test_averages_browser import AVERAGES, axial, changed, ruler_found, tinted
from test_browser import settle

from clamlab.selection import decision_words
from clamlab.viewers import ClusterAverages
from clamlab.viewers.pages import About, Persons
from clamlab.viewers.pages.about import TREAT

PAGE_SIZE = {"width": 1300, "height": 1000}
SIZES = (14, 9, 7)
CLUSTERS = np.repeat(range(3), SIZES)
N = len(CLUSTERS)
IDS = [f"PAT-{i:04}" for i in range(N)]
RNG = np.random.default_rng(0)
AGES = RNG.uniform(40, 80, N).round(5)
SOFT = np.eye(3)[CLUSTERS] * 0.6 + RNG.dirichlet([9, 9, 9], N) * 0.4
FEATURES = RNG.normal(size=(N, 4)) + 6 * np.eye(3, 4)[CLUSTERS]
TABLE = pd.DataFrame({"subject_id": IDS, "age": AGES, "sex": np.where(np.arange(N) % 3, "f", "m")})


def partitions():
    """Kept are 2, 3 and 5 clusters; of the five, one has three scans."""
    five = np.repeat(range(5), (10, 8, 5, 4, 3))
    rows = [(2, CLUSTERS // 2, 0.91, True), (3, CLUSTERS, 0.8, True), (5, five, 0.437, False)]
    return pd.concat(
        pd.DataFrame({"subject_id": IDS, "cluster": clusters}).assign(
            n_clusters=k, agreement=1.0, jaccard=jaccard, apart=apart
        )
        for k, clusters, jaccard, apart in rows
    )


def about(clusters=CLUSTERS, **said):
    return About(clusters, **({"name": "lungs", "partitions": partitions()} | said))


@pytest.fixture(scope="module")
def parts():
    scope = {}
    exec(AVERAGES, scope)
    return scope


@pytest.fixture(scope="module")
def viewer(parts):
    given = {**parts["parts"], "mask": np.ones(parts["hu"].shape, bool), "key": None}
    return ClusterAverages(parts["average_hu"], parts["average_map"], **given)


def contents(page):
    """Return what a page holds besides its scripts: its state, its bytes, and all of its text."""
    state = json.loads(re.search(r'id="clam-state">(.*?)</script>', page, re.S)[1])
    packed = re.search(r'id="clam-data">(.*?)</script>', page)[1]
    data = gzip.decompress(base64.b64decode(packed))
    return state, data, page.replace(packed, "")


# What is in the file -------------------------------------------------------------------------


def from_steps(data):
    n = len(data) // 2
    steps = np.frombuffer(data, np.uint8).reshape(2, n).T.copy().view("<i2").ravel()
    return np.cumsum(steps, dtype=np.int16)


def test_a_page_holds_averages_and_nothing_else(viewer, parts):
    state, data, words = contents(viewer.to_html(about()))
    n = parts["hu"].size
    volumes, at = {}, 0
    for scan in state["scans"]:
        volumes[scan["name"]] = from_steps(data[at : at + 2 * n])
        own = np.frombuffer(data[at + 2 * n : at + 2 * n + scan["length"]], np.uint8)
        expected = parts["average_map"][scan["name"]].ravel()
        np.testing.assert_allclose(own / 255, expected, atol=0.003)
        at += 2 * n + scan["length"]
    for name in state["extras"]:
        volumes[name] = from_steps(data[at : at + 2 * n])
        at += 2 * n
    assert at == len(data), "every byte is an average, a map, the lung or the spread"
    assert set(volumes) == {
        "Cluster 1", "Cluster 2", "Cluster 3", "Overall", "lung", "spread",
        "rest of Cluster 1", "rest of Cluster 2", "rest of Cluster 3",
    }  # fmt: skip
    for name, hu in parts["average_hu"].items():
        np.testing.assert_allclose(volumes[name], hu.ravel(), atol=0.51)
    for name, hu in parts["rest"].items():
        np.testing.assert_allclose(volumes[f"rest of {name}"], hu.ravel(), atol=0.51)
    assert state["points"] is None
    assert [scan["of"] for scan in state["scans"]] == [f"{n} scans" for n in SIZES]
    assert not re.search(r"https?://|src=|fetch\(|import\(", words)
    assert "default-src 'none'" in words


def test_nothing_of_a_person_is_in_the_file_unless_asked_for(viewer):
    values = [f"{v}" for v in [*AGES, *SOFT.max(axis=1).round(3)]]
    _, data, words = contents(viewer.to_html(about()))
    for text in (words, data.decode("latin-1")):
        assert not [value for value in [*IDS, *values] if value in text]
    assert "no scan, no value and no name of a single person" in words
    assert 'class="clam-warning" role="note"' not in words

    persons = Persons(FEATURES, SOFT, TABLE, columns=["age"])
    state, data, words = contents(viewer.to_html(about(), persons=persons))
    assert not [name for name in IDS if name in words]
    assert f"a row for each of {N} scans, under running numbers: place among the" in words
    assert TREAT in words and "no name of a single person" not in words
    assert [column["title"] for column in state["points"]["columns"]] == [
        "Cluster", "Confidence", "age",
    ]  # fmt: skip
    # Running numbers go along the first axis, and tell nothing of the order in the study.
    order = np.argsort(np.frombuffer(data[-4 * 4 * N :], "<f4")[:N], kind="stable")
    assert order.tolist() == list(range(N))
    ages = [float(f"{age:.6g}") for age in AGES]
    assert sorted(state["points"]["columns"][2]["values"]) == sorted(ages)
    assert state["points"]["columns"][2]["values"] != ages

    named = Persons(FEATURES, SOFT, ids=IDS)
    words = viewer.to_html(about(), persons=named)
    assert all(name in words for name in IDS) and "under their ids" in words


def test_averages_of_few_scans_are_warned_of(viewer):
    few = np.repeat(range(3), (14, 14, 2))
    page = viewer.to_html(about(few, partitions=None))
    assert f"Cluster 3 is the average of 2 scans: it may show a single person. {TREAT}" in page
    assert "Averages only" not in page
    drawn = viewer.to_html(about(few, partitions=None, simulated=True))
    assert "Cluster 3 is the average of 2 scans" in drawn and TREAT not in drawn
    assert "All scans are simulated" in drawn
    with pytest.raises(ValueError, match="found also Cluster 3"):
        viewer.to_html(about(few // 2))


def test_counts_of_a_few_scans_in_other_numbers_are_masked(viewer):
    numbers = {told["k"]: told for told in contents(viewer.to_html(about()))[0]["numbers"]}
    assert sorted(numbers) == [2, 3, 5]
    shown = {k: [c["scans"] for c in told["clusters"]] for k, told in numbers.items()}
    assert shown[2] == ["23", "7"] and shown[3] == [str(n) for n in SIZES]
    assert shown[5] == ["10", "8", "5", "masked", "masked"]
    one = partitions().assign(cluster=np.tile(np.repeat(range(3), (20, 7, 3)), 3))
    (told,) = [t for t in contents(viewer.to_html(about(partitions=one)))[0]["numbers"][2:]]
    assert [c["scans"] for c in told["clusters"]] == ["20", "masked", "masked"]
    assert [told["is_own"] for told in numbers.values()] == [False, True, False]
    assert [c["comes_back"] for c in numbers[5]["clusters"]] == ["0.44"] * 5
    assert [c["comes_back"] for c in numbers[3]["clusters"]] == ["", "", ""]
    assert "does not see a gap" in numbers[5]["words"] and "of the averages" in numbers[3]["words"]
    others = contents(
        viewer.to_html(about(partitions=partitions().query("subject_id != 'PAT-0003'")))
    )
    assert f"{N - 1} scans were partitioned, {N} are" in others[0]["numbers"][0]["words"]
    withdrawn = contents(viewer.to_html(about(partitions=partitions().assign(n_scans=N + 1))))
    own, other = withdrawn[0]["numbers"][1], withdrawn[0]["numbers"][0]
    assert all(f"{N + 1} scans were partitioned, {N} are" in t["words"] for t in (own, other))
    assert own["words"].startswith("The rule sees a gap"), "these are the clusters it judged"
    with pytest.raises(ValueError, match="none called jaccard"):
        viewer.to_html(about(partitions=partitions().drop(columns="jaccard")))


def test_a_page_quotes_nobody():
    choice = {
        "n_clusters": 3, "decided_by": "Dr. Smith", "reason": "as for Jane Doe",
        "recommended": {"n_clusters": 2, "reason": "of Jane Doe"},
        "test": {"n_clusters": 3, "p_value": 0.2, "n_scans": 30, "stability": "stable",
                     "is_between": None,
                 "agreement": 0.9, "words": "Jane Doe. Seen with Jane's age taken out; notebook "
                 "05 clusters the scans as they are."},
    }  # fmt: skip
    words = decision_words(choice, names=False)
    assert words.startswith("3 clusters, decided by a person (the rule: 2). 3 clusters: the two")
    assert words.endswith("Seen with some measures taken out; notebook 05 clusters the scans as "
                          "they are.")  # fmt: skip
    assert not re.search("Smith|Jane", words)
    for stability in ("of Jane Doe", None):
        wrong = {**choice, "test": {**choice["test"], "stability": stability}}
        assert "not tested" in decision_words(wrong, names=False)
    by_rule = {"n_clusters": 2, "decided_by": "rule", "reason": "of Jane Doe"}
    assert decision_words(by_rule, names=False) == "2 clusters, decided by the rule."
    assert decision_words(by_rule, names=False, shown=2) == "2 clusters, decided by the rule."
    assert "Shown are 3 clusters, made before" in decision_words(by_rule, names=False, shown=3)


def test_words_are_words(viewer):
    page = viewer.to_html(about(name="<b>&", decision="p < .05 </script>"))
    assert "&lt;b&gt;&amp;: clusters of scans" in page and "<b>&:" not in page
    assert "p &lt; .05 &lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (IDS, "30 different texts"),
        ([f"1961-07-{i % 28 + 1:02}" for i in range(N)], "28 different texts"),
        (np.arange(N) + 7_700_000, "30 different numbers"),
    ],
)
def test_columns_that_name_somebody_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Persons(FEATURES, SOFT, TABLE.assign(number=values), columns=["number"])
    Persons(FEATURES, SOFT, TABLE.assign(number=values), columns=["age"])


def test_bad_input_is_told():
    with pytest.raises(ValueError, match="no column 'bmi'; there are subject_id, age, sex"):
        Persons(FEATURES, SOFT, TABLE, columns=["bmi"])
    with pytest.raises(ValueError, match="one row per scan"):
        Persons(FEATURES, SOFT[1:])
    for wrong in ([], [-1, 0], [0.5, 1]):
        with pytest.raises(ValueError, match="whole numbers from 0"):
            About(wrong)


# What a colleague does with it -----------------------------------------------------------------


def opened(page, path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.locator(".clam-viewer[data-ready]").first.wait_for()
    return asked


def moved(page, slider, key):
    """Press a key on a slider, and say whether the page looks different."""
    slider.focus()
    before = page.screenshot(full_page=True)
    slider.press(key)
    settle(page)
    return page.screenshot(full_page=True) != before


def test_from_the_disk_with_keys_alone(page, viewer, parts, tmp_path):
    path = viewer.to_html(about(decision="3 clusters, decided by the rule."), tmp_path / "a.html")
    asked = opened(page, path)
    assert page.get_by_text("30 scans in 3 clusters").is_visible()
    page.keyboard.press("Tab")
    slide = page.get_by_label("Cluster", exact=True).locator("input")
    assert slide.evaluate("node => node === document.activeElement"), "the first stop of Tab"
    changed(page, lambda: axial(page).press("x"))
    slide.focus()
    second = changed(page, lambda: page.keyboard.press("ArrowRight"))["warm"]
    assert second[0] > 100 and second[1] == 0, "the patient's right is on the left"
    assert page.locator(".clam-title").inner_text() == "Cluster 2 · average of 9 scans"

    # every difference there is, right to the HU, at the voxel that is looked at
    against = page.get_by_label("against")
    cluster = parts["average_hu"]["Cluster 2"]
    whom = {
        "the rest": parts["rest"]["Cluster 2"],
        "Overall": parts["average_hu"]["Overall"],
        "Cluster 3": parts["average_hu"]["Cluster 3"],
    }
    for other, reference in whom.items():
        changed(page, lambda other=other: against.select_option(other))
        voxel = page.locator("[data-read=voxel]").inner_text().removeprefix("voxel ")
        at = tuple(int(v) for v in voxel.split(", "))
        expected = (cluster - reference)[at]
        said = page.locator("[data-read=effect]").inner_text()
        value, evidence = re.match(r"map ([+−]?\d+) HU +evidence (\S+)", said).groups()
        assert abs(float(value.replace("−", "-")) - expected) <= 1 and abs(expected) > 50
        assert abs(float(evidence) - min(1, abs(expected) / 100)) < 0.02
    seen = tinted(axial(page))
    assert seen["warm"][0] > 100 and seen["blue"][1] > 100, "denser on the right, less on the left"
    against.select_option("Cluster 2")
    settle(page)
    assert tinted(axial(page)) == {"warm": [0, 0], "blue": [0, 0]}
    assert page.get_by_text("Cluster 2 cannot be held against itself").is_visible()
    against.select_option("the rest")
    settle(page)

    # other numbers of clusters
    numbers = page.get_by_label("Number of clusters")
    assert page.get_by_text("These are the clusters of the averages above").is_visible()
    assert moved(page, numbers, "ArrowRight")
    assert page.locator("#clam-numbers tbody tr").count() == 5
    assert page.locator("#clam-numbers tbody td", has_text="masked").count() == 2
    assert page.get_by_text("does not see a gap").is_visible()

    # every slider that can be moved changes what is seen
    sliders = page.locator("input[type=range]:enabled:visible")
    assert sliders.count() >= 6
    for i in range(sliders.count()):
        name = sliders.nth(i).get_attribute("aria-label")
        assert moved(page, sliders.nth(i), "ArrowLeft"), name
    assert asked == [path.as_uri()], "nothing but the file itself is asked for"
    blocked = page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener('securitypolicyviolation', (e) => done(e.violatedDirective));
            new Image().src = 'http://127.0.0.1:9/x.png';
        })"""
    )
    assert blocked == "img-src"


def all_change(page, pictures, act):
    """Do something, and wait until every picture is another one."""
    before = [canvas_hash(pictures.nth(i)) for i in range(3)]
    act()
    for _ in range(100):
        if all(canvas_hash(pictures.nth(i)) != before[i] for i in range(3)):
            return settle(page)
        page.wait_for_timeout(50)
    raise AssertionError("not every picture changed")


def test_side_by_side_in_the_page(page, viewer, tmp_path):
    opened(page, viewer.to_html(about(), tmp_path / "a.html"))
    button = page.get_by_role("button", name="Side by side")
    button.press("Enter")
    pictures = page.locator(".clam-picture canvas[data-plane=axial]")
    page.locator(".clam-picture .clam-viewer[data-ready]").nth(2).wait_for()
    settle(page)
    assert page.locator(".clam-viewer .clam-title:visible").all_inner_texts() == [
        f"Cluster {k + 1} · average of {n} scans" for k, n in enumerate(SIZES)
    ]
    all_change(page, pictures, lambda: pictures.first.press("x"))
    warm = [tinted(pictures.nth(i))["warm"] for i in range(3)]
    assert warm[1][0] > 50 and warm[1][1] == 0 and warm[2][1] > 50 and warm[2][0] == 0
    for key in ("ArrowUp", "2", "+"):
        all_change(page, pictures, lambda key=key: pictures.nth(1).press(key))
    against = page.get_by_label("against")
    all_change(page, pictures, lambda: against.select_option("the rest"))
    blue = [tinted(pictures.nth(i))["blue"] for i in range(3)]
    assert blue[1][1] > 50 and blue[2][0] > 50, "each is held against its own rest"
    kinds = page.get_by_label("Map").first
    all_change(page, pictures, lambda: kinds.select_option("Map of the cluster"))
    button.press("Enter")
    settle(page)  # the viewer lays out its planes in the next frame
    assert page.locator(".clam-picture:visible").count() == 0
    assert page.locator("canvas[data-plane]:visible").count() == 3


def test_points_of_persons(page, viewer, tmp_path):
    persons = Persons(FEATURES, SOFT, TABLE, columns=["age", "sex"])
    opened(page, viewer.to_html(about(), tmp_path / "persons.html", persons=persons))
    page.locator(".clam-scatter[data-ready]").wait_for()
    told = page.locator(".clam-told")
    assert told.locator("caption").inner_text() == "Scan 1"
    canvas = page.locator(".clam-stage canvas").first
    canvas.press("ArrowRight")
    settle(page)
    assert told.locator("caption").inner_text() == "Scan 2"
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    corners = [(box["width"] - 2, 2), (box["width"] - 2, box["height"] - 2), (2, box["height"] - 2)]
    for x, y in corners:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.mouse.up()
    settle(page)
    assert told.locator("caption").inner_text() == f"{N} scans chosen"
    rows = dict(row.split("\t") for row in told.locator("tbody").inner_text().splitlines())
    assert rows["Cluster"] == "Cluster 1: 14, Cluster 2: 9, Cluster 3: 7"
    middle, low, high = (f"{v:.4g}" for v in (np.median(AGES), AGES.min(), AGES.max()))
    assert rows["age"] == f"median {middle}, from {low} to {high}"
    assert rows["sex"] == "f: 20, m: 10"
    before = canvas_hash(canvas)
    page.get_by_label("Colour of the points").select_option("age")
    settle(page)
    assert canvas_hash(canvas) != before
    page.get_by_label("Colour of the points").select_option("sex")
    page.locator(".clam-scatter .clam-legend button", has_text="m (n = 10)").press("Enter")
    settle(page)
    assert told.locator("caption").inner_text() == "10 scans chosen"


def test_a_rest_that_is_not_known_is_told(page, parts, tmp_path):
    rest = {name: parts["rest"][name] for name in ("Cluster 1", "Cluster 3")}
    given = {"affine": parts["affine"], "rest_hu": rest}
    viewer = ClusterAverages(parts["average_hu"], parts["average_map"], **given)
    opened(page, viewer.to_html(about(), tmp_path / "a.html"))
    for key in ("x", "m", "Enter", "Escape"):
        axial(page).press(key)
    page.get_by_label("against").select_option("the rest")
    assert ruler_found(page)
    changed(page, lambda: page.get_by_role("button", name="Cluster 2").click())
    assert not ruler_found(page), "it was drawn on another average"
    assert page.get_by_text("Of Cluster 2 that is not known: no difference.").is_visible()
    assert tinted(axial(page)) == {"warm": [0, 0], "blue": [0, 0]}


def test_one_cluster_without_a_map_and_in_2_d(page, tmp_path):
    flat = {"Overall": np.full((6, 8), -700.0), "Cluster 1": np.full((6, 8), -650.0)}
    one = ClusterAverages(flat)
    opened(page, one.to_html(About(np.zeros(9, int)), tmp_path / "one.html"))
    assert page.locator("input[aria-label=Cluster], .clam-row").count() == 0
    assert page.locator("#clam-numbers").count() == 0
    assert "its map was not computed" in page.locator(".clam-title").inner_text()
    assert page.locator("[data-read=hu]").inner_text() == "−650 HU"
    assert page.get_by_text("9 scans in 1 cluster", exact=True).is_visible()
