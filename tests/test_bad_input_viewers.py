"""What does not fit is said where it is, and everything else can be looked at."""

import numpy as np
import pandas as pd
import pytest

from clamlab import figures, viewers
from clamlab.stats.maps import outcome_map
from clamlab.viewers.dropdown import dropdown
from clamlab.viewers.groups import GroupPanel
from clamlab.viewers.slices.side_by_side import SideBySide

AFFINE = np.diag([3.0, 3, 3, 1])
EVIL = '<img src="x" onerror="alert(1)">'


def cohort(n=6, n_clusters=2, grid=(8, 8), **options):
    hu = np.full((n, *grid), -800.0) + 20 * np.arange(n).reshape(n, *[1] * len(grid))
    soft = np.full((n, n_clusters), 0.1 / max(1, n_clusters - 1))
    soft[np.arange(n), np.arange(n) % n_clusters] = 0.9 if n_clusters > 1 else 1
    maps = options.pop("maps", {"CLAM": np.full((n, n_clusters, *grid), 0.5)})
    features = np.random.default_rng(0).normal(size=(n, 3))
    soft = options.pop("soft", soft)
    table = options.pop("table", pd.DataFrame({"subject_id": [f"S{i}" for i in range(n)]}))
    affine = AFFINE if len(grid) == 3 else None
    return viewers.CohortViewer(
        options.pop("hu", hu), features, soft, maps=maps, table=table, affine=affine, **options
    )


def partitions(names, numbers=(2, 3)):
    told = [
        pd.DataFrame({"n_clusters": k, "subject_id": names, "cluster": np.arange(len(names)) % k})
        for k in numbers
    ]
    return pd.concat(told).assign(jaccard=0.9, apart=True)


@pytest.mark.parametrize("grid", [(8, 8), (8, 8, 6)], ids=["2-D", "3-D"])
@pytest.mark.parametrize("n", [1, 12])
@pytest.mark.parametrize("n_clusters", [1, 3])
def test_small_cohorts_one_cluster_and_slices(grid, n, n_clusters):
    other = np.full((n, n_clusters, *grid), -700.0)
    viewer = cohort(n, n_clusters, grid, counterfactual_hu=other)
    last = n - 1
    viewer.go_to(last)
    own = last % n_clusters + 1
    assert viewer.slices.title == f"S{last} · Cluster {own}"
    assert viewer.slices.overlay == "CLAM, own cluster"
    rivals = [label for label, _ in viewer.choose.beside.options if "rival" in label]
    assert len(rivals) == (n_clusters > 1), "one cluster has no rival"
    viewer.scatter.group = list(range(n))
    viewer.groups.current = list(range(n))
    assert viewer.groups.description is not None


def test_a_map_that_was_not_computed_is_said_and_does_not_take_the_others_along():
    maps = np.full((6, 2, 8, 8), 0.5)
    maps[1] = np.nan
    viewer = cohort(maps={"CLAM": maps, "Other": np.full((6, 2, 8, 8), 0.2)})
    viewer.go_to(1)
    assert viewer.slices.title == "S1 · Cluster 2 (its map was not computed)"
    assert np.frombuffer(viewer.slices.volume, "<i2")[0] == -780, "the scan itself is shown"
    assert viewer.slices.overlay_names == []
    viewer.choose.beside.value = 2
    assert viewer.second.overlay == "CLAM, own cluster", "beside it the map of another is seen"
    viewer.go_to(2)
    assert viewer.slices.overlay == "CLAM, own cluster", "and so is the next scan's"
    viewer.scatter.group = [0, 1]
    assert viewer.slices.title == ("Average of 2 scans (the map of some of them was not computed)")
    viewer.choose.map.value = "Other"
    assert viewer.slices.title == "Average of 2 scans"


def test_a_scan_without_a_map_turns_none_off():
    view = {"volume_hu": np.zeros((4, 4)), "title": "A"}
    mapped = view | {"overlays": {"CLAM": np.ones((4, 4))}}
    pair = SideBySide(None, mapped)
    pair.show_beside(mapped)
    pair.show(view | {"overlays": {}})
    assert pair.second.overlay == "CLAM"
    pair.show(mapped)
    assert pair.first.overlay == "CLAM"
    pair.first.overlay = ""
    assert pair.second.overlay == "", "what a reader chooses is chosen for both"


def test_a_map_that_cannot_be_worked_out_says_why():
    def fails(scan, cluster):
        if scan == 1:
            raise MemoryError
        return np.full((8, 8), 0.5)

    viewer = cohort(maps={"CLAM": fails})
    viewer.go_to(1)
    assert viewer.slices.title == "S1 · Cluster 2 (no map: MemoryError)"


def test_a_scan_that_cannot_be_shown_is_not_the_one_before_under_a_new_name():
    hu = np.full((6, 8, 8), -800.0)
    hu[1] = np.nan
    viewer = cohort(hu=hu)
    viewer.go_to(1)
    assert viewer.slices.title == "S0 · Cluster 1"
    assert "S1 · Cluster 2 cannot be shown" in viewer.pictures.said.value
    assert "The picture is the one before" in viewer.pictures.said.value
    viewer.go_to(2)
    assert (viewer.slices.title, viewer.pictures.said.value) == ("S2 · Cluster 1", "")
    viewer.choose.beside.value = 1
    assert viewer.second is None and "Nothing stands beside" in viewer.pictures.said.value


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (partitions([f"S{i}" for i in range(5)]), "found none for 1 (first 'S5')"),
        (pd.concat([partitions([f"S{i}" for i in range(6)])] * 2), "found two of"),
        (partitions([f"S{i}" for i in range(6)]).assign(cluster=np.nan), "expected a cluster"),
        (partitions([f"S{i}" for i in range(6)]).iloc[:0], "expected a cluster"),
        (partitions([f"S{i}" for i in range(6)]).drop(columns="jaccard"), "jaccard"),
    ],
    ids=["a scan more", "twice", "no cluster", "empty", "an old table"],
)
def test_partitions_that_do_not_fit_leave_the_rest(told, words):
    viewer = cohort(partitions=told)
    assert viewer.numbers is None
    assert words in viewer.no_numbers and "run notebook 04 again" in viewer.no_numbers
    viewer.go_to(3)
    assert viewer.slices.title == "S3 · Cluster 2"


def test_partitions_of_a_scan_that_was_withdrawn_say_so():
    viewer = cohort(partitions=partitions([f"S{i}" for i in (6, 5, 4, 3, 2, 1, 0)]))
    assert "1 of the scans that were partitioned are not here" in viewer.numbers.verdict.value
    viewer.numbers.value = 3
    clusters = [f"Cluster {(6 - i) % 3 + 1} of 3" for i in range(6)]
    assert viewer.numbers.names.tolist() == clusters, "each scan has its own, whatever the order"


def test_clusters_of_another_number_are_never_taken_for_the_networks():
    viewer = cohort(partitions=partitions([f"S{i}" for i in range(6)]))
    viewer.scatter.group = [0, 1, 2, 3]
    told = viewer.panel.summary
    assert told.value == "<b>4 scans</b>, by cluster: Cluster 1: 2 · Cluster 2: 2"
    viewer.numbers.value = 3
    counts = "Cluster 1 of 3: 2 · Cluster 2 of 3: 1 · Cluster 3 of 3: 1"
    assert told.value == f"<b>4 scans</b>, by cluster: {counts}"
    described = viewer.groups.description.printed.set_index("")["Drawn now"]
    assert described["Cluster 2 of 2‡ (%)"] == "2 (50.0)", "the network's: their maps are averaged"
    viewer.go_to(3)
    assert viewer.slices.title == "S3 · Cluster 1 of 3"
    assert viewer.panel.facts.rows[0] == ("Cluster", "Cluster 1 of 3", "")
    viewer.numbers.value = 2
    assert viewer.slices.title == "S3 · Cluster 2"
    assert viewer.panel.facts.rows[0] == ("Cluster", "Cluster 2", "")


def test_another_number_of_clusters_than_stored():
    names = [f"S{i}" for i in range(6)]
    assert cohort(n_clusters=4, partitions=partitions(names)).numbers.slider.options == (2, 3, 4)
    with pytest.raises(ValueError, match="6 scans and 2 clusters.*6 and 4.*notebook 06"):
        cohort(n_clusters=4, maps={"CLAM": np.zeros((6, 2, 8, 8))})
    with pytest.raises(ValueError, match="5 scans and 2 clusters"):
        cohort(maps={"CLAM": np.zeros((5, 2, 8, 8))})


def test_nobody_without_probabilities_is_of_the_first_cluster():
    soft = np.full((6, 2), 0.5)
    soft[4] = np.nan
    with pytest.raises(ValueError, match="1 of 6 scans .first in row 4.*notebook 05"):
        cohort(soft=soft)
    with pytest.raises(ValueError, match="row 2"):
        cohort(table=pd.DataFrame({"subject_id": ["a", "b", None, "d", "e", "f"]}))


def test_columns_of_all_kinds():
    names = [f"S{i}" for i in range(6)]
    table = pd.DataFrame(
        {
            "subject_id": range(6), "gap": None, "nan": np.nan, 5: [1.5, 2, 3, 4, 5, 6],
            "list": [[1]] * 6, "mixed": [1, "a", None, True, 2.5, EVIL], "Cluster": names,
            "day": pd.date_range("2020", periods=6), 
            EVIL: [EVIL] * 6, "x" * 300: ["y" * 300] * 6,
            "none": pd.Series([None] * 6, dtype="string"),
        }
    )  # fmt: skip
    viewer = cohort(table=table)
    for column in viewer.choose.color.options:
        viewer.choose.color.value = column
    viewer.go_to(5)
    assert ("gap", "missing", "") in viewer.panel.facts.rows
    assert "<img" not in viewer.panel.facts.value and "&lt;img" in viewer.panel.facts.value
    viewer.groups.current = [0, 1, 2]
    assert "<img" not in viewer.groups.controls.table.value
    assert viewer.slices.title == "5 · Cluster 2"
    twice = pd.DataFrame(np.ones((6, 2)), columns=["a", "a"])
    with pytest.raises(ValueError, match="each column once.*'a'"):
        GroupPanel(twice, np.zeros((6, 8, 8)))
    with pytest.raises(ValueError, match="none in 1 of 2 rows .first in row 1"):
        GroupPanel(pd.DataFrame({"cluster": [0, np.nan]}), np.zeros((2, 8, 8)))


def test_groups_of_scans_whose_map_was_not_computed():
    maps = np.full((6, 1, 8, 8), 0.5)
    maps[1] = np.nan
    panel = GroupPanel(
        pd.DataFrame({"subject_id": list("abcdef"), "cluster": 0}),
        np.zeros((6, 8, 8)),
        maps={"CLAM": maps},
    )
    panel.current = [0, 1]
    panel.keep("odd")
    panel.compare()
    assert "No map: CLAM was not computed of all scans of odd." in panel.controls.said.value
    assert panel.pictures.pair.first.overlay_names == ["odd minus All others"]
    assert "Mean: CLAM" in panel.pictures.pair.second.overlay_names


def test_an_average_of_nobody_and_an_unknown_rest():
    flat, nobody = np.full((8, 8), -800.0), np.full((8, 8), np.nan)
    viewer = viewers.ClusterAverages(
        {"Cluster 1": flat, "Cluster 2": nobody, "Cluster <3>": flat}, rest_hu={"Cluster 1": flat}
    )
    assert viewer.cluster.options == ("Cluster 1", "Cluster <3>")
    words = viewer.children[1]
    assert "There is no average of Cluster 2: no scan is in it." in words.value
    viewer.against.value = "the rest"
    viewer.cluster.value = "Cluster <3>"
    assert "The rest is not known of Cluster &lt;3&gt;: no difference." in words.value
    alone = viewers.ClusterAverages({"Cluster 1": flat}, rest_hu={"Cluster 1": nobody})
    assert "There is one cluster only, Cluster 1" in alone.children[1].value


def test_a_way_that_fails_leaves_the_scan():
    def broken(scan, rival):
        raise KeyError("decoder")

    soft = [[0.9, 0.1], [0.2, 0.8]]
    viewer = viewers.Way(np.zeros((2, 8, 8)), soft, broken, names=[7, 8])
    assert (viewer.slices.title, viewer.status.value) == (
        "7", "There is no way to show: 'decoder'",
    )  # fmt: skip

    def stumbles(scan, rival):
        from types import SimpleNamespace

        for share in (0.0, 0.5, 1.0):
            image = np.full((8, 8), np.nan if share == 0.5 else 10.0)
            q = np.array([1 - share, share])
            yield SimpleNamespace(
                fraction=share, image=image, drawn=image, soft_assignment=q, read_again=q
            )

    viewer = viewers.Way(np.zeros((2, 8, 8)), soft, stumbles)
    assert viewer.status.value == (
        "Step 2 could not be worked out: its picture holds values that are not finite"
    )
    viewer.along.value = 8
    assert viewer.slices.title == "Scan 1 · 0% of the way to cluster 2", "the last there is"
    with pytest.raises(ValueError, match="one cluster only"):
        viewers.Way(np.zeros((2, 8, 8)), [[1.0], [1.0]], stumbles)
    with pytest.raises(ValueError, match="first in row 1"):
        viewers.Way(np.zeros((2, 8, 8)), [[0.9, 0.1], [np.nan, np.nan]], stumbles)


def test_in_the_round_what_is_missing_is_said():
    lung, nan = np.full((4, 4, 4), -800.0), np.full((4, 4, 4), np.nan)
    half = np.full((4, 4, 4), 0.6)
    box = viewers.volume_view(
        {"Cluster 1": lung, "Cluster 2": lung, "Cluster 3": lung, "Cluster 4": nan},
        {"Cluster 1": half, "Cluster 2": nan},
    )
    shown, caption = box.children[0], box.children[-2]
    assert shown.options == ("Cluster 1", "Cluster 2", "Cluster 3"), "no average, no lung to turn"
    assert "100% of the lung" in caption.value
    for name in ("Cluster 2", "Cluster 3"):
        shown.value = name
        assert f"No map was computed of {name}." in caption.value
        assert box._volume.data.max() < 0.5, "the lung alone: a map begins at 0.6"
    flat = viewers.volume_view({"Cluster 1": np.zeros((8, 8))}, {"Cluster 1": np.zeros((8, 8))})
    assert "slices of one plane" in flat.value
    with pytest.raises(ValueError, match="finite HU"):
        viewers.volume_view(nan, half)


def test_a_t_map_is_of_the_scans_that_have_a_map():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.normal(60, 9, 20), "fvc": rng.normal(3, 1, 20)})
    rule = {"type": "number"}
    contract = {
        "properties": {
            "age": {**rule, "x-role": "demographic"}, "fvc": {**rule, "x-role": "outcome"},
        }
    }  # fmt: skip
    maps = rng.random((20, 3, 3)) + 0.2 * table["fvc"].to_numpy()[:, None, None]
    some = np.arange(20) != 4
    without = outcome_map(maps[some], table[some], contract, n_permutations=0, seed=1)
    maps[4] = np.nan
    found = outcome_map(maps, table, contract, n_permutations=0, seed=1)
    assert found.n == 19
    assert np.abs(found.t).max() > 1
    np.testing.assert_allclose(found.t, without.t)


def test_a_dollar_in_a_name_is_a_dollar(tmp_path):
    """Two of them began a formula, which lost the spaces between, or could not be read at all."""
    figure = figures.montage({"cost ($x{) and ($y_)": np.zeros((8, 8))}, kind="hu")
    figures.save_figure(figure, tmp_path / "cost", formats=["svg"])
    assert "cost ($x{) and ($y_)" in (tmp_path / "cost.svg").read_text()


def test_nothing_is_a_choice_and_no_empty_field():
    beside = dropdown("beside", [("no other", None), ("S1", 0)])
    assert (beside.index, beside.value) == (0, None)
    beside.index = 1
    beside.index = 0  # as the browser says it
    assert (beside.index, beside.value) == (0, None)
    beside.value = 0
    beside.value = None
    assert beside.index == 0


def test_what_is_typed_is_sent_whole():
    """Letters that travel one by one may be overtaken by the press of a button."""
    import ipywidgets as widgets

    from clamlab.viewers.following.keeping import Keeping
    from clamlab.viewers.question import Question

    def parts(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from parts(child)

    opened = [cohort(), Keeping(None, dict, str), Question()]
    typed = [
        p for one in opened for p in parts(one) if isinstance(p, widgets.Text | widgets.Textarea)
    ]
    assert len(typed) >= 6
    assert not [field for field in typed if field.continuous_update]
