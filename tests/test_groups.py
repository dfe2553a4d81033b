"""Maps of groups: what averages hide, where importance lies, what clusters must not follow."""

import numpy as np
import pandas as pd
import pytest

from clamlab import clam
from clamlab.stats.maps import outside_shares, voxelwise_association, zone_shares
from clamlab.stats.tables import shortcut_alarm

rng = np.random.default_rng(5)


# Spread, prevalence, effect size ---------------------------------------------------------


def test_group_maps_are_those_of_numpy_and_take_scans_one_at_a_time():
    maps, clusters = rng.random((9, 4, 5)), np.array([0, 1, 0, 1, 1, 0, 0, 1, 0])
    told = clam.describe_maps((one for one in maps), clusters, threshold=0.6)
    own, others = maps[clusters == 1], maps[clusters == 0]
    np.testing.assert_allclose(told["mean"]["Cluster 2"], own.mean(0), rtol=1e-5)
    np.testing.assert_allclose(told["sd"]["Overall"], maps.std(0, ddof=1), rtol=1e-4)
    np.testing.assert_allclose(told["prevalence"]["Cluster 1"], (others > 0.6).mean(0), rtol=1e-5)
    pooled = np.sqrt((own.var(0, ddof=1) * 3 + others.var(0, ddof=1) * 4) / 7)
    expected = (own.mean(0) - others.mean(0)) / pooled
    np.testing.assert_allclose(told["effect_size"]["Cluster 2"], expected, rtol=1e-4)
    np.testing.assert_allclose(told["effect_size"]["Cluster 1"], -expected, rtol=1e-4)


def test_half_the_scans_at_one_is_told_from_all_at_half():
    split = clam.describe_maps(np.array([[1.0], [0.0], [1.0], [0.0]]), [0] * 4, threshold=0.4)
    even = clam.describe_maps(np.full((4, 1), 0.5), [0] * 4, threshold=0.4)
    assert split["mean"]["Overall"] == even["mean"]["Overall"] == 0.5
    assert (split["prevalence"]["Overall"], even["prevalence"]["Overall"]) == (0.5, 1)
    assert split["sd"]["Overall"] > 0.5 and even["sd"]["Overall"] == 0


def test_one_scan_alone_has_no_spread_and_no_effect():
    told = clam.describe_maps(rng.random((3, 2)), [0, 0, 1])
    assert not told["sd"]["Cluster 2"].any() and not told["effect_size"]["Cluster 2"].any()
    with pytest.raises(ValueError, match="each of 3 maps, found 2"):
        clam.describe_maps(rng.random((3, 2)), [0, 1])


# Zones -----------------------------------------------------------------------------------


@pytest.fixture
def lungs():
    """Two boxes in RAS+: the patient's right at high x."""
    mask = np.zeros((12, 8, 9), bool)
    mask[1:5, 1:7, :] = mask[7:11, 1:7, :] = True
    return mask


def shares(table):
    return table.set_index(["partition", "zone"])["share"]


def test_a_map_in_one_corner_is_put_into_words(lungs):
    shown = np.zeros((1, *lungs.shape))
    shown[0, 9, 3, 8] = 2.0
    hu = np.full(shown.shape, -800)
    hu[shown > 0] = -600
    lobes = np.where(lungs, 1, 0)
    lobes[7:] *= 2
    table = zone_shares(
        shown, lungs, (1, 1, 1), lobes=lobes, lobe_names={2: "RUL"}, volumes=hu, subjects=["a"]
    )
    told = shares(table)
    for place in [("side", "right"), ("third", "upper"), ("lobe", "RUL"),
                  ("depth", "peripheral"), ("density", "-700 to -500 HU")]:  # fmt: skip
        assert told[place] == 1, place
    assert told["lobe", "lobe 1"] == 0
    assert table.groupby("partition")["share"].sum().eq(1).all()
    np.testing.assert_allclose(table.groupby("partition")["lung_share"].sum(), 1)
    assert table["subject_id"].eq("a").all()


def test_an_even_map_lies_nowhere_in_particular(lungs):
    table = zone_shares(np.ones((2, *lungs.shape)), lungs, (1, 1, 1))
    np.testing.assert_allclose(table["ratio"], 1)


def test_an_empty_map_has_no_shares_and_bad_maps_are_refused(lungs):
    assert zone_shares(np.zeros((1, *lungs.shape)), lungs, (1, 1, 1))["share"].isna().all()
    with pytest.raises(ValueError, match="negative"):
        zone_shares(-np.ones((1, *lungs.shape)), lungs, (1, 1, 1))
    with pytest.raises(ValueError, match="lobe labels of shape"):
        zone_shares(np.ones((1, *lungs.shape)), lungs, (1, 1, 1), lobes=np.ones((2, 2)))


def test_a_map_on_the_rim_is_told_from_one_in_the_core(lungs):
    core, outside = np.zeros(lungs.shape), np.zeros(lungs.shape)
    core[8, 3, 4], outside[0, 0, 0] = 1.0, 2.0
    told = outside_shares([core, outside, 0 * core], lungs, (1, 1, 1), rim_mm=1)
    assert told["core"].iloc[0] == told["outside"].iloc[1] == 1
    assert told["rim"].isna().tolist() == [False, False, True]
    assert told.filter(like="expected").iloc[0].sum() == pytest.approx(1)


# Voxelwise -------------------------------------------------------------------------------


def test_t_is_that_of_the_linear_model():
    import statsmodels.api as sm

    age, sex = rng.normal(60, 9, 40), rng.integers(0, 2, 40)
    maps = rng.normal(size=(40, 2, 3)) + 0.02 * age[:, None, None]
    t, _ = voxelwise_association(maps, age, confounders=sex[:, None], n_permutations=1, seed=1)
    model = sm.OLS(maps[:, 1, 2], sm.add_constant(np.column_stack([age, sex]))).fit()
    assert t[1, 2] == pytest.approx(model.tvalues[1])


def test_false_places_are_as_rare_as_promised():
    found = 0
    for seed in range(200):
        null = np.random.default_rng(seed)
        maps, age = null.normal(size=(30, 40)), null.normal(size=30)
        _, p = voxelwise_association(
            maps, age, confounders=null.normal(size=(30, 1)) + age[:, None], n_permutations=99,
            seed=seed,
        )  # fmt: skip
        found += bool((p <= 0.05).any())
    assert 2 <= found <= 19  # 10 expected of 200; 99.8 % of draws lie in this range


def test_missing_values_leave_their_scan_out_and_a_constant_is_refused():
    maps, age = rng.normal(size=(20, 3)), rng.normal(size=20)
    gap = age.copy()
    gap[4] = np.nan
    with_gap = voxelwise_association(maps, gap, n_permutations=9, seed=1)[0]
    without = voxelwise_association(
        np.delete(maps, 4, 0), np.delete(age, 4), n_permutations=9, seed=1
    )[0]
    np.testing.assert_allclose(with_gap, without)
    with pytest.raises(ValueError, match="constant"):
        voxelwise_association(maps, np.ones(20), n_permutations=9, seed=1)
    with pytest.raises(ValueError, match="one value per map"):
        voxelwise_association(maps, age[1:], n_permutations=9, seed=1)


# Shortcuts -------------------------------------------------------------------------------


def test_clusters_of_scanners_raise_the_alarm_and_clusters_of_patients_do_not():
    clusters = np.repeat([0, 1], 60)
    table = pd.DataFrame(
        {
            "cluster": clusters,
            "scanner_model": np.where(clusters == 0, "A", "B"),
            "kernel": np.tile(["soft", "sharp"], 60),
            "lung_l": 4 + clusters + rng.normal(0, 0.3, 120),
            "spacing_mm": np.tile([1.0, 1.5, 2.0], 40),
        }
    )
    schema = {"properties": {"scanner_model": {"type": "string", "x-role": "scanner"}}}
    told = shortcut_alarm(
        table, schema, acquisition=["kernel", "spacing_mm"], derived=["lung_l"]
    ).set_index("variable")
    assert told["alarm"].to_dict() == {
        "scanner_model": True, "kernel": False, "spacing_mm": False, "lung_l": True,
    }  # fmt: skip
    assert told.loc["scanner_model", "effect_size"] == pytest.approx(1)
    assert np.isnan(told.loc["lung_l", "p"]) and told.loc["kernel", "p"] > 0.05
    assert "may be of scanner_model" in told.loc["scanner_model", "message"]


def test_many_scanners_and_few_scans_are_no_alarm_by_themselves():
    scanners = np.repeat(list("abcdefgh"), 3)
    table = pd.DataFrame({"cluster": np.tile([0, 1], 12)})
    alarms = sum(
        shortcut_alarm(
            table.assign(scanner=np.random.default_rng(seed).permutation(scanners)),
            {},
            acquisition=["scanner"],
        )["alarm"].iloc[0]
        for seed in range(40)
    )
    assert alarms <= 5  # a plain V is above .3 in all forty


def test_one_scanner_for_all_is_no_alarm():
    table = pd.DataFrame({"cluster": [0, 0, 1, 1], "kernel": ["soft"] * 4})
    told = shortcut_alarm(table, {}, acquisition=["kernel"])
    assert not told["alarm"].any() and "one level only" in told["message"].iloc[0]
    with pytest.raises(ValueError, match="site are not in the table"):
        shortcut_alarm(table, {}, acquisition=["site"])
