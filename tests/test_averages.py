"""Averages: the rest of a cluster, the spread between scans, and the viewers of both."""

import asyncio
import base64
import gzip
import json
import re
import time

import numpy as np
import pytest
from ipywidgets.widgets import widget

from clamlab import volumes
from clamlab.stats import maps
from clamlab.viewers import ClusterAverages, SignedMap, Way, to_html

GRID = (4, 5, 6)


def cohort(clusters, seed=0):
    clusters = np.asarray(clusters)
    rng = np.random.default_rng(seed)
    scans = rng.normal(-800, 50, (len(clusters), *GRID)) + 60 * clusters[:, None, None, None]
    return np.rint(scans).astype("int16"), clusters


@pytest.mark.parametrize("clusters", [[0, 1, 1, 1, 2], [0, 0, 2, 2, 2, 2], [1, 0]])
def test_the_rest_is_every_scan_that_is_not_in_the_cluster(clusters):
    scans, clusters = cohort(clusters)
    rests = maps.average_of_rest(volumes.average_by_cluster(scans, clusters), clusters)
    assert set(rests) == {f"Cluster {k + 1}" for k in clusters}
    for k in np.unique(clusters):
        expected = scans[clusters != k].mean(axis=0)
        np.testing.assert_allclose(rests[f"Cluster {k + 1}"], expected, rtol=1e-5)


def test_one_cluster_has_no_rest():
    scans, clusters = cohort([0, 0, 0])
    assert maps.average_of_rest(volumes.average_by_cluster(scans, clusters), clusters) == {}


def test_averages_of_other_scans_have_no_rest():
    scans, clusters = cohort([0, 0, 1, 2])
    averages = volumes.average_by_cluster(scans, clusters)
    with pytest.raises(ValueError, match="Cluster 3"):
        maps.average_of_rest(averages, [0, 0, 1, 1])
    with pytest.raises(ValueError, match="do not make up"):
        maps.average_of_rest(averages, [0, 1, 2, 2])


def test_spread_is_that_of_a_linear_model_of_the_clusters():
    scans, clusters = cohort([0, 0, 1, 1, 1, 2])
    averages = volumes.average_by_cluster(scans, clusters)
    design = (clusters[:, None] == np.arange(3)).astype(float)
    flat = scans.reshape(len(scans), -1).astype(float)
    _, squares, *_ = np.linalg.lstsq(design, flat, rcond=None)
    expected = np.sqrt(squares / (6 - 3)).reshape(GRID)
    spread = maps.spread_within_clusters(scans, averages, clusters)
    np.testing.assert_allclose(spread, expected, rtol=1e-4)


def test_no_two_scans_no_spread():
    scans, clusters = cohort([0, 1])
    averages = volumes.average_by_cluster(scans, clusters)
    assert np.isnan(maps.spread_within_clusters(scans, averages, clusters)).all()


# The viewer -------------------------------------------------------------------------------


def read(slices):
    """Read back what a slice viewer shows: HU, and each map (NaN where it has no value)."""
    shape, at, shown = tuple(slices.shape), 0, {}
    data = np.frombuffer(slices.overlay_volumes, np.uint8)
    n = int(np.prod(shape))
    for name, kind in zip(slices.overlay_names, slices.overlay_kinds, strict=True):
        if not kind:
            shown[name] = data[at : at + n].reshape(shape) / 255
            at += n
            continue
        steps = data[at : at + 2 * n].reshape(2, n).T.copy().view("<i2").reshape(shape)
        shown[name] = np.where(steps == -32768, np.nan, steps * kind["step"])
        at += 2 * n
        if kind["evidence"]:
            shown[f"{name}: evidence"] = data[at : at + n].reshape(shape) / 255
            at += n
    return np.frombuffer(slices.volume, "<i2").reshape(shape), shown


@pytest.fixture
def shown():
    scans, clusters = cohort([0, 0, 0, 1, 1, 2, 2, 2, 2])
    averages = volumes.average_by_cluster(scans, clusters)
    mask = np.zeros(GRID, bool)
    mask[1:3, 1:4, 1:5] = True
    rng = np.random.default_rng(5)
    parts = {
        "average_hu": averages,
        "average_map": {name: rng.random(GRID) for name in averages},
        "rest_hu": maps.average_of_rest(averages, clusters),
        "spread_hu": maps.spread_within_clusters(scans, averages, clusters),
        "mask": mask,
        "affine": np.diag([3.0, 3, 3, 1]),
    }
    return parts, scans, clusters


def test_each_cluster_stands_beneath_its_own_map(shown):
    parts, scans, clusters = shown
    viewer = ClusterAverages(**parts)
    for k in range(3):
        viewer.cluster.value = f"Cluster {k + 1}"
        hu, seen = read(viewer.slices)
        np.testing.assert_allclose(hu, scans[clusters == k].mean(axis=0), atol=0.51)
        expected = np.where(parts["mask"], parts["average_map"][f"Cluster {k + 1}"], 0)
        np.testing.assert_allclose(seen["Map of the cluster"], expected, atol=0.003)
        assert viewer.slices.title == f"Cluster {k + 1}"


@pytest.mark.parametrize(("against", "name"), [("the rest", "the rest"), ("Overall", "all scans")])
def test_a_difference_is_the_cluster_less_what_it_is_held_against(shown, against, name):
    parts, scans, clusters = shown
    viewer = ClusterAverages(**parts)
    viewer.against.value = against
    limits = set()
    for k in range(3):
        viewer.cluster.value = f"Cluster {k + 1}"
        of = scans[clusters != k] if against == "the rest" else scans
        expected = scans[clusters == k].mean(axis=0) - of.mean(axis=0)
        assert viewer.slices.overlay == f"HU less {name}"
        seen = read(viewer.slices)[1]
        difference = seen[f"HU less {name}"]
        np.testing.assert_allclose(difference[parts["mask"]], expected[parts["mask"]], atol=0.2)
        assert np.isnan(difference[~parts["mask"]]).all()
        evidence = np.minimum(np.abs(expected) / parts["spread_hu"], 1)
        found = seen[f"HU less {name}: evidence"]
        np.testing.assert_allclose(found[parts["mask"]], evidence[parts["mask"]], atol=0.01)
        limits.add(viewer.slices.overlay_kinds[1]["limit"])
    assert len(limits) == 1, "one colour means the same in every cluster"
    assert "the cluster less the average of all scans" in viewer._words.value


def test_two_clusters_against_each_other(shown):
    parts, scans, clusters = shown
    viewer = ClusterAverages(**parts)
    viewer.against.value = "Cluster 3"
    expected = scans[clusters == 0].mean(axis=0) - scans[clusters == 2].mean(axis=0)
    seen = read(viewer.slices)[1]["HU less Cluster 3"]
    np.testing.assert_allclose(seen[parts["mask"]], expected[parts["mask"]], atol=0.2)
    viewer.cluster.value = "Cluster 3"
    assert np.isnan(read(viewer.slices)[1]["HU less Cluster 3"]).all()
    assert "cannot be held against itself" in viewer._words.value


def test_the_chosen_kind_of_map_stays_chosen(shown):
    parts, *_ = shown
    del parts["average_map"]["Cluster 2"]
    parts["average_map"]["Cluster 3"] = np.full(GRID, np.nan)
    viewer = ClusterAverages(**parts)
    assert "No map was computed of Cluster 2, Cluster 3." in viewer._words.value
    viewer.cluster.value = "Cluster 2"
    assert viewer.slices.title == "Cluster 2 (its map was not computed)"
    assert viewer.slices.overlay_names == [] and viewer.slices.overlay == ""
    viewer.cluster.value = "Cluster 1"
    assert viewer.slices.overlay == "Map of the cluster"
    viewer.against.value = "the rest"
    viewer.slices.overlay = ""  # as with the key O
    viewer.cluster.value = "Cluster 3"
    assert viewer.slices.overlay == ""


def test_side_by_side_all_are_held_against_the_same(shown):
    parts, scans, clusters = shown
    viewer = ClusterAverages(**parts)
    viewer.slices.index = [1, 2, 3]
    viewer.against.value = "the rest"
    viewer.together.value = True
    pictures = viewer._all.pictures
    assert [p.title for p in pictures] == ["Cluster 1", "Cluster 2", "Cluster 3"]
    assert all(p.index == [1, 2, 3] for p in pictures)
    assert {p.overlay for p in pictures} == {"HU less the rest"}
    viewer.against.value = "Cluster 2"
    assert {p.overlay for p in pictures} == {"HU less Cluster 2"}
    expected = scans[clusters == 2].mean(axis=0) - scans[clusters == 1].mean(axis=0)
    seen = read(pictures[2])[1]["HU less Cluster 2"]
    np.testing.assert_allclose(seen[parts["mask"]], expected[parts["mask"]], atol=0.2)
    assert pictures[1].title == "Cluster 2 · the reference"
    pictures[2].overlay = "Map of the cluster"
    assert {p.overlay for p in (viewer.slices, *pictures)} == {"Map of the cluster"}
    viewer.together.value = False
    assert viewer.slices.view == "three"


def test_a_cell_that_runs_again_leaves_nothing_behind_and_keeps_its_slice(shown):
    parts, *_ = shown
    one = {name: parts["average_hu"][name] for name in ("Cluster 1", "Overall")}
    held = []
    for averages in [parts["average_hu"]] * 4 + [one] * 3:
        viewer = ClusterAverages(**parts | {"average_hu": averages}, key="again")
        viewer.slices.index = [2, 1, 4]
        viewer.together.value = True
        held.append(len(widget._instances))
    assert held[1] == held[3] and held[4] == held[6]
    assert ClusterAverages(**parts, key="again").slices.index == [2, 1, 4]


def test_one_cluster_is_shown_and_said_to_be_the_only_one(shown):
    parts, *_ = shown
    only = {
        "Cluster 1": parts["average_hu"]["Cluster 1"],
        "Overall": parts["average_hu"]["Overall"],
    }
    viewer = ClusterAverages(only, affine=parts["affine"], mask=parts["mask"])
    assert (
        "one cluster only" in viewer._words.value and "No map was computed" in viewer._words.value
    )
    assert viewer._bar.children == ()
    np.testing.assert_allclose(read(viewer.slices)[0], only["Cluster 1"], atol=0.51)


def test_what_is_not_known_is_not_shown(shown):
    parts, *_ = shown
    parts["spread_hu"] = np.full(GRID, np.nan)
    del parts["rest_hu"]
    viewer = ClusterAverages(**parts)
    assert "the rest" not in dict(viewer.against.options).values()
    viewer.against.value = "Overall"
    assert not viewer.slices.overlay_kinds[1]["evidence"]
    assert "is not known" in viewer._words.value


def test_averages_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match="at least one cluster"):
        ClusterAverages({"Overall": np.zeros((4, 4))})
    with pytest.raises(ValueError, match="Cluster 2"):
        ClusterAverages({"Cluster 1": np.zeros((4, 4)), "Cluster 2": np.zeros((4, 5))})
    with pytest.raises(ValueError, match="the rest of Cluster 1"):
        ClusterAverages({"Cluster 1": np.zeros((4, 4))}, rest_hu={"Cluster 1": np.zeros(4)})


def test_slices_of_a_2_d_study():
    flat = {f"Cluster {k}": np.full((6, 8), -500.0 - 100 * k) for k in (1, 2)}
    viewer = ClusterAverages(flat, {name: np.eye(6, 8) for name in flat})
    viewer.against.value = "Cluster 2"
    assert np.allclose(read(viewer.slices)[1]["HU less Cluster 2"], 100, atol=0.1)
    assert viewer.slices.shape == [8, 6, 1]


def page_data(page):
    state = json.loads(re.search(r'id="clam-state">(.*?)</script>', page, re.S)[1])
    packed = re.search(r'id="clam-data">(.*?)</script>', page)[1]
    return state, gzip.decompress(base64.b64decode(packed))


def test_a_page_holds_every_volume_with_its_own_maps(shown, tmp_path):
    parts, scans, clusters = shown
    names = ["Cluster 1", "Cluster 2", "Cluster 3"]
    hu = {name: parts["average_hu"][name] for name in names}
    maps = {
        name: {
            "Map": np.where(parts["mask"], parts["average_map"][name], 0),
            "Difference": SignedMap(hu[name] - parts["average_hu"]["Overall"]),
        }
        for name in names
    }
    affine = parts.get("affine", np.diag([3.0, 3, 3, 1]))
    path = to_html(hu, maps, tmp_path / "averages.html", affine=affine, patient_data=False)
    page = path.read_text(encoding="utf-8")
    assert "patient data" not in page and not re.search(r"https?://|src=|fetch\(", page)
    state, data = page_data(page)
    assert [scan["name"] for scan in state["scans"]] == names
    assert sum(scan["length"] for scan in state["scans"]) == len(data)
    n, at = int(np.prod(GRID)), 0
    for k, scan in enumerate(state["scans"]):
        own = np.frombuffer(data[at : at + scan["length"]], np.uint8)
        steps = own[: 2 * n].reshape(2, n).T.copy().view("<i2").ravel()
        volume = np.cumsum(steps, dtype=np.int16).reshape(GRID)
        np.testing.assert_allclose(volume, scans[clusters == k].mean(axis=0), atol=0.51)
        seen = maps[scan["name"]]["Map"]
        np.testing.assert_allclose(own[2 * n : 3 * n].reshape(GRID) / 255, seen, atol=0.003)
        assert scan["overlay_names"] == ["Map", "Difference"]
        at += scan["length"]
    assert "several persons, or averages of so few" in to_html(hu, maps, affine=affine)


def test_volumes_of_a_page_lie_on_one_grid():
    two = {"A": np.zeros((4, 4)), "B": np.zeros((4, 5))}
    with pytest.raises(ValueError, match="one shape"):
        to_html(two)
    with pytest.raises(ValueError, match="C"):
        to_html({"A": np.zeros((4, 4))}, {"C": {}})


# From A to B ------------------------------------------------------------------------------


class Stage:
    """A step whose picture is so many HU denser, everywhere."""

    def __init__(self, fraction, denser=100):
        self.fraction = fraction
        self.image = np.full((6, 8), -800 + denser * fraction).astype("int16")
        self.drawn = self.image - 7
        self.soft_assignment = np.array([0.9 - 0.8 * fraction, 0.05, 0.05 + 0.8 * fraction])
        self.read_again = np.array([0.8, 0.1, 0.1])


SOFT = [[0.9, 0.02, 0.08], [0.1, 0.7, 0.2]]


def flat_scans():
    return np.full((2, 6, 8), -800, "int16")


def test_along_the_way_picture_change_and_bars_go_together():
    asked, mask = [], np.zeros((6, 8), bool)
    mask[2:4, 2:6] = True

    def steps(scan, rival):
        asked.append((scan, rival))
        return map(Stage, (0, 0.5, 1))

    viewer = Way(flat_scans(), SOFT, steps, steps=3, names=["A", "B"], mask=mask)
    assert asked == [(0, 2)], "the likeliest rival first"
    assert viewer.along.max == 2 and not viewer.fade.disabled
    assert viewer.slices.overlay == "HU since the start"
    viewer.along.value = 1
    hu, seen = read(viewer.slices)
    assert (hu == -750).all()
    assert np.nansum(seen["HU since the start"] > 49) == mask.sum()
    assert np.isnan(seen["HU since the start"]).sum() == (~mask).sum()
    assert viewer.slices.overlay_kinds[0]["limit"] == 100, "that of the whole way"
    assert viewer.slices.title == "A · 50% of the way to cluster 3"
    assert "width: 45.0%" in viewer.bars.value and ">0.80<" in viewer.bars.value
    viewer.picture.value = "as the decoder draws it"
    assert (read(viewer.slices)[0] == -757).all() and "decoder" in viewer.slices.title
    viewer.fade.value = 0.25
    hu, seen = read(viewer.slices)
    assert (hu == -775).all(), "between the scan and its counterfactual, not what is drawn"
    assert np.nanmax(seen["HU since the start"]) == pytest.approx(25, abs=0.1)
    assert "25% faded" in viewer.slices.title and "no step of the way" in viewer.bars.value
    words = "It is of the scan, changed, and not of what the decoder draws."
    assert words in viewer.bars.value, "the list says “as the decoder draws it”"
    viewer.picture.value = "the scan, changed"
    assert words not in viewer.bars.value
    viewer.along.value = 2
    assert "100% of the way" in viewer.slices.title

    viewer.slices.overlay = ""
    viewer.scan.value = 1
    assert asked == [(0, 2), (1, 2)] and viewer.along.value == 0
    assert [k for _, k in viewer.rival.options] == [0, 2], "not the scan's own cluster"
    viewer.rival.value = 0
    assert asked[-1] == (1, 0) and "B" in viewer.slices.title
    assert viewer.slices.overlay == "", "as the reader left it"


def test_a_scan_without_a_way_is_shown_and_the_reason_said():
    def broken(scan, rival):
        if scan == 0:
            raise ValueError("Blind has no `decode`")
        yield Stage(0)
        raise ValueError("the network gives no finite number")

    def way(scan, rival):
        if scan == 0:
            raise ValueError("Blind has no `decode`")
        return broken(scan, rival)

    viewer = Way(flat_scans(), SOFT, way)
    assert "Blind has no `decode`" in viewer.status.value
    assert (read(viewer.slices)[0] == -800).all() and viewer.fade.disabled
    viewer.scan.value = 1
    assert "Step 2 could not be worked out: the network" in viewer.status.value
    assert "· 0% of the way" in viewer.slices.title


def test_a_way_is_worked_out_between_two_moves_and_can_be_stopped():
    made = []

    def steps(scan, rival):
        for t in np.linspace(0, 1, 50):
            time.sleep(0.005)
            made.append((scan, rival))
            yield Stage(float(t))

    async def look():
        viewer = Way(flat_scans(), SOFT, steps, steps=50)
        viewer.along.value = 49  # to the end, before it is there
        while len(made) < 3:
            await asyncio.sleep(0.01)
        viewer.stop.click()
        while viewer.stop.description != "Go on":  # the step that is being done is done
            await asyncio.sleep(0.01)
        n = len(made)
        await asyncio.sleep(0.1)
        assert len(made) == n < 50 and viewer.fade.disabled
        assert viewer.slices.title == f"Scan 1 · {(n - 1) / 49:.0%} of the way to cluster 3"
        viewer.stop.click()
        while len(made) < n + 2:
            await asyncio.sleep(0.01)
        viewer.rival.value = 1  # another way: the first is given up
        while viewer.fade.disabled:
            await asyncio.sleep(0.01)
        # The step of the first that was being done may end among those of the second.
        assert made.count((0, 1)) == 50 and len(viewer._steps) == 50
        assert viewer.progress.value == 1

    asyncio.run(look())


def test_what_does_not_fit_a_way_is_told():
    with pytest.raises(ValueError, match="2 clusters"):
        Way(flat_scans(), [[1.0], [1.0]], lambda i, k: [])
    with pytest.raises(ValueError, match="as many scans"):
        Way(flat_scans(), SOFT, lambda i, k: [], names=["A"])
