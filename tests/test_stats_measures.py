"""Map measures on phantoms whose volumes are known to the voxel."""

import numpy as np
import pytest

from clamlab.stats.maps import map_measures, measures_by_cluster


@pytest.fixture
def lungs() -> np.ndarray:
    """Two boxes in RAS+: the patient's right lung (1) at high x, wider than the left (2)."""
    labels = np.zeros((14, 6, 9), dtype=int)
    labels[1:5] = 2
    labels[7:13] = 1
    return labels


def row(measures, **where):
    where = {"side": "both", "zone": "all", "rule": "fixed", **where}
    query = " and ".join(f"{name} == {value!r}" for name, value in where.items())
    found = measures.query(query)
    assert len(found) == 1
    return found.iloc[0]


def test_volume_in_ml_by_threshold(lungs):
    maps = np.zeros((1, *lungs.shape))
    maps[0, 7:9] = 0.3  # 2 x 6 x 9 voxels
    maps[0, 9:10] = 0.6
    maps[0, 0] = 1.0  # outside the lung
    measures = map_measures(maps, lungs > 0, (5, 5, 4))
    voxel = 5 * 5 * 4 / 1000
    assert row(measures, threshold=0.25)["size"] == pytest.approx(3 * 54 * voxel)
    assert row(measures, threshold=0.5)["size"] == pytest.approx(54 * voxel)
    assert row(measures, threshold=0.75)["size"] == 0
    summed = row(measures, rule="sum")
    assert summed["size"] == pytest.approx((0.3 * 108 + 0.6 * 54) * voxel)
    assert summed["share"] == pytest.approx((0.3 * 108 + 0.6 * 54) / 540)
    assert set(measures["source"]) == {"derived"}
    assert not any(name.startswith("p") for name in measures.columns)


@pytest.mark.parametrize("labelled", [True, False])
def test_right_is_at_high_x_with_and_without_labels(lungs, labelled):
    maps = (lungs == 1)[None].astype(float)
    measures = map_measures(maps, lungs > 0, (10, 10, 10), lungs=lungs if labelled else None)
    assert row(measures, side="right", threshold=0.5)["share"] == 1
    assert row(measures, side="left", threshold=0.5)["size"] == 0
    assert row(measures, side="right", threshold=0.5)["size"] == 6 * 6 * 9


def test_right_is_at_the_left_of_a_displayed_slice():
    mask = np.zeros((8, 12), bool)
    mask[2:6, 1:5] = mask[2:6, 7:11] = True
    maps = np.zeros((1, 8, 12))
    maps[0, :, :6] = 1.0
    measures = map_measures(maps, mask, (3, 3))
    right = row(measures, side="right", threshold=0.5)
    assert (right["size"], right["unit"], right["share"]) == (pytest.approx(16 * 0.09), "cm2", 1)
    assert row(measures, side="left", threshold=0.5)["size"] == 0
    assert set(measures["zone"]) == {"all"}


def test_zones_are_thirds_of_the_volume_from_the_top(lungs):
    maps = np.zeros((1, *lungs.shape))
    maps[0, :, :, 6:] = 1.0  # high z is the top
    measures = map_measures(maps, lungs > 0, (10, 10, 10))
    shares = [row(measures, zone=z, threshold=0.5)["share"] for z in ("upper", "middle", "lower")]
    assert shares == [1, 0, 0]
    # A cone: thirds of volume, not of height.
    cone = np.zeros((21, 21, 12), bool)
    x, y = np.indices((21, 21)) - 10
    for z in range(12):
        cone[..., z] = np.hypot(x, y) <= 10 - 0.8 * z
    flat = map_measures(np.ones((1, *cone.shape)), cone, (10, 10, 10))
    sizes = [row(flat, zone=z, threshold=0.5)["size"] for z in ("upper", "middle", "lower")]
    assert sum(sizes) == cone.sum()
    assert max(sizes) / min(sizes) < 2.5
    assert (cone.sum(axis=(0, 1))[8:].sum()) / cone.sum() < 0.15  # the top third of the height


def test_regions_add_up(lungs):
    maps = np.random.default_rng(0).random((2, *lungs.shape))
    measures = map_measures(maps, lungs > 0, (4, 4, 4))
    second = measures[measures["scan"] == 1]
    for rule in ("sum", "otsu"):
        one = second[second["rule"] == rule].set_index(["side", "zone"])["size"]
        assert one["right", "all"] + one["left", "all"] == pytest.approx(one["both", "all"])
        assert one["both"][["upper", "middle", "lower"]].sum() == pytest.approx(one["both", "all"])


def test_otsu_separates_two_levels_and_is_missing_where_the_map_is_flat(lungs):
    maps = np.full((2, *lungs.shape), 0.2)
    maps[0, 7:9] = 0.9
    measures = map_measures(maps, lungs > 0, (10, 10, 10))
    assert row(measures, scan=0, rule="otsu")["size"] == 2 * 54
    assert np.isnan(row(measures, scan=1, rule="otsu")["size"])
    assert row(measures, scan=1, rule="fixed", threshold=0.25)["size"] == 0


def test_mean_hu_of_the_activated_part(lungs):
    maps = np.zeros((1, *lungs.shape))
    maps[0, 7] = 1.0
    maps[0, 8] = 0.4
    volumes = np.full((1, *lungs.shape), -900, dtype=np.int16)
    volumes[0, 7] = -500
    measures = map_measures(maps, lungs > 0, (1, 1, 1), volumes=volumes)
    assert row(measures, threshold=0.5)["mean_hu"] == -500
    assert row(measures, threshold=0.25)["mean_hu"] == -700
    assert row(measures, rule="sum")["mean_hu"] == pytest.approx((-500 - 900 * 0.4) / 1.4)
    assert np.isnan(row(measures, side="left", threshold=0.5)["mean_hu"])


def test_iterators_give_the_same_and_subjects_are_named(lungs):
    maps = np.random.default_rng(1).random((3, *lungs.shape))
    volumes = np.random.default_rng(2).normal(-800, 50, maps.shape)
    whole = map_measures(maps, lungs > 0, (3, 3, 3), volumes=volumes)
    one_by_one = map_measures(iter(maps), lungs > 0, (3, 3, 3), volumes=(v for v in volumes))
    assert whole.equals(one_by_one)
    named = map_measures(maps, lungs > 0, (3, 3, 3), subjects=["a", "b", "c"])
    assert named.groupby("subject_id")["scan"].unique().map(list).to_dict() == {
        "a": [0],
        "b": [1],
        "c": [2],
    }


def test_bad_input(lungs):
    mask = lungs > 0
    maps = np.zeros((2, *mask.shape))
    with pytest.raises(ValueError, match="map 0 has shape"):
        map_measures(maps[:, :-1], mask, (3, 3, 3))
    with pytest.raises(ValueError, match="3 voxel sizes expected"):
        map_measures(maps, mask, (3, 3))
    with pytest.raises(ValueError, match="not empty"):
        map_measures(maps, mask & False, (3, 3, 3))
    with pytest.raises(ValueError, match="zip"):
        map_measures(maps, mask, (3, 3, 3), volumes=maps[:1])
    with pytest.raises(ValueError, match="1 subjects for 2 maps"):
        map_measures(maps, mask, (3, 3, 3), subjects=["a"])
    with pytest.raises(ValueError, match="no importance map"):
        map_measures(maps[:0], mask, (3, 3, 3))
    maps[1, 8, 2, 2] = np.nan
    with pytest.raises(ValueError, match="map 1 holds NaN"):
        map_measures(maps, mask, (3, 3, 3))


def test_clusters_are_described_without_p(lungs):
    rng = np.random.default_rng(3)
    clusters = np.repeat([0, 1, 2], [4, 4, 1])
    maps = rng.random((9, *lungs.shape)) * np.array([0.9, 0.5, 0.5])[clusters, None, None, None]
    measures = map_measures(maps, lungs > 0, (3, 3, 3))
    summary = measures_by_cluster(measures, clusters)
    assert not {"p", "statistic", "p_holm"} & set(summary.columns)
    assert set(summary["source"]) == {"derived"}
    whole = summary.query(
        "side == 'both' and zone == 'all' and rule == 'sum' and measure == 'size'"
    )
    means = whole[whole["part"] == "summary"].set_index("group")["mean"]
    direct = measures.query("side == 'both' and zone == 'all' and rule == 'sum'")
    assert means[0] == pytest.approx(direct["size"].to_numpy()[:4].mean())
    pairs = whole[whole["part"] == "pairwise"].set_index(["group", "other_group"])["smd"]
    assert pairs[0, 1] > 2
    assert np.isnan(pairs[0, 2])  # one scan has no spread
    assert len(summary.query("part == 'summary' and rule == 'otsu' and side == 'both'")) == 36
    with pytest.raises(ValueError, match="8 clusters for maps of 9 scans"):
        measures_by_cluster(measures, clusters[:-1])
