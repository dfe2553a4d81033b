"""Maps of groups: what averages hide, where importance lies, what clusters must not follow."""

import numpy as np
import pandas as pd
import pytest

from clamlab import clam
from clamlab.ingest.cohort.qc_table import FACTS
from clamlab.selection.preparing import design_of, take_out
from clamlab.stats.maps import outside_shares, voxelwise_association, zone_shares
from clamlab.stats.tables import columns_named, known_beforehand, scan_facts, shortcut_alarm

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
    assert np.isnan(told["sd"]["Cluster 2"]).all()  # not 0, which would say that all agree
    assert np.isnan(told["effect_size"]["Cluster 2"]).all()
    apart = clam.describe_maps([[1, 1], [1, 1], [0, 1], [0, 1]], [0, 0, 1, 1])["effect_size"]
    assert np.isnan(apart["Cluster 1"][0]) and apart["Cluster 1"][1] == 0
    with pytest.raises(ValueError, match="each of 3 maps, found 2"):
        clam.describe_maps(rng.random((3, 2)), [0, 1])
    with pytest.raises(ValueError, match="map 2: expected a map of every scan, found 1 not"):
        clam.describe_maps([[1.0], [np.nan]], [0, 1])


def test_a_map_that_was_not_computed_stays_unknown():
    own = clam.own_importance([[[np.nan, np.nan]], [[0.0, 2.0]]], [0, 0])
    np.testing.assert_array_equal(own, [[np.nan, np.nan], [0, 1]])


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


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_of_an_outcome_changes_nothing(unit):
    rng = np.random.default_rng(1003)
    maps, count = 0.2 * rng.normal(size=(60, 4)), rng.normal(250, 60, size=60)
    maps[:, 1] += 0.002 * count
    maps[:, 2], maps[:, 3] = 5, 3 * count  # constant, and told exactly
    t, p = voxelwise_association(maps, count, n_permutations=50, seed=1)
    again = voxelwise_association(maps, count * unit, n_permutations=50, seed=1)
    np.testing.assert_allclose(again[0][:3], t[:3], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(again[1], p)
    assert t[2] == 0 and p[2] == 1
    assert np.abs(again[0]).argmax() == 3 and p[3] == 1 / 51


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


def scanned(n=90, seed=0):
    """The quality table of scans whose facts vary, and go along with nothing."""
    rng = np.random.default_rng(seed)
    side = rng.uniform(0.6, 0.9, n)
    return pd.DataFrame(
        {
            "subject_id": [f"S-{i}" for i in range(n)],
            "format": rng.choice(["DICOM", "NIfTI"], n),
            "slices": pd.array(rng.integers(90, 400, n), "Int64"),
            "thickness_mm": rng.choice([1.0, 1.25, 5.0], n),
            "spacing_mm": [f"{x:.3g} x {x:.3g} x {rng.choice([1, 2.5])}" for x in side],
            "coverage_mm": rng.normal(300, 20, n),
            "kernel": rng.choice(["B30f", "B70f", "LUNG"], n),
            "contrast": rng.choice(["yes", "not recorded"], n),
            "manufacturer": rng.choice(["SIEMENS", "Philips"], n),
            "scanner_model": rng.choice(["A", "B", "C"], n),
            "kvp": rng.choice([100.0, 120.0], n),
            "image_type": rng.choice(["ORIGINAL/PRIMARY", "DERIVED/SECONDARY"], n),
            "in_template": rng.random(n) < 0.2,
            "filled_fraction": rng.uniform(0.02, 0.2, n),
        }
    )  # fmt: skip


def alarms_of(qc, clusters):
    made, measured = scan_facts(qc), qc.set_index("subject_id")[["filled_fraction"]]
    table = made.join(measured).assign(cluster=clusters)
    told = shortcut_alarm(table, {}, acquisition=list(made), derived=list(measured))
    return told.set_index("variable")


def planted(name, clusters, values):
    """What goes along with three clusters, and never varies within one, where it is a fact."""
    rng = np.random.default_rng(1)
    if name == "in_plane_mm":
        return {"spacing_mm": [f"{0.6 + 0.1 * k:.3g} x {0.6 + 0.1 * k:.3g} x 1" for k in clusters]}
    if name == "slice_distance_mm":
        pairs = zip(values["spacing_mm"], clusters, strict=True)
        return {"spacing_mm": [f"{old.rpartition(' x ')[0]} x {1 + k}" for old, k in pairs]}
    if name == "filled_fraction":
        return {name: 0.03 + 0.05 * clusters + rng.normal(0, 0.02, len(clusters))}
    if name == "coverage_mm":  # one cluster's never varies, the others' always
        return {name: np.where(clusters == 0, 310.0, rng.normal(300, 20, len(clusters)))}
    if name in ("kvp", "thickness_mm", "slices"):
        return {name: 100 + 20 * clusters}
    if name == "in_template":
        return {name: clusters == 0}
    return {name: np.array(["one", "two", "three"])[clusters]}


def test_every_planted_shortcut_is_named_and_no_other():
    clusters = np.tile([0, 1, 2], 30)
    qc = scanned()
    silent = alarms_of(qc, clusters)
    assert not silent["alarm"].any() and (silent["effect_size"] < 0.3).all()
    assert silent["p_holm"].notna().sum() == len(silent) - 1
    assert np.isnan(silent.loc["filled_fraction", "p"])
    for name in silent.index:
        told = alarms_of(qc.assign(**planted(name, clusters, qc)), clusters)
        assert told.index[told["alarm"]].tolist() == [name]
        assert f"may be of {name}" in told.loc[name, "message"]


def test_a_dozen_facts_do_not_raise_the_alarm_by_their_number():
    clusters = np.tile([0, 1, 2], 30)
    alarms = sum(alarms_of(scanned(seed=seed), clusters)["alarm"].any() for seed in range(20))
    assert alarms <= 3  # seven without the correction


def test_what_is_not_recorded_is_a_level_and_what_cannot_be_compared_is_told():
    clusters = np.repeat([0, 1], 20)
    table = pd.DataFrame(
        {
            "cluster": clusters,
            "kernel": np.where(clusters == 1, None, "B30f"),  # one site strips its headers
            "protocol": [f"P-{i}" for i in range(40)],
            "kvp": np.nan,
            "mostly": np.where(np.arange(40) % 10 == 0, np.arange(40) / 9, 0.7),
        }
    )
    told = shortcut_alarm(table, {}, acquisition=["kernel", "protocol", "kvp", "mostly"])
    told = told.set_index("variable")
    assert told["alarm"].to_dict() == {
        "kernel": True, "protocol": False, "kvp": False, "mostly": False,
    }  # fmt: skip
    assert told.loc["kernel", "n_missing"] == 20
    assert "not recorded for 20 scans" in told.loc["kernel", "message"]
    assert told.loc["protocol", "message"] == (
        "protocol: 40 values among 40 scans: too many to compare."
    )
    assert told.loc["kvp", "message"] == "kvp: not recorded."
    rare = np.where(clusters == 1, 0.7, np.linspace(0.5, 0.69, 40))
    told = shortcut_alarm(table.assign(mostly=rare), {}, acquisition=["mostly"])
    assert told["alarm"].all()


def test_spacings_become_numbers_and_bad_ones_are_missing():
    spacings = ["0.5 x 0.8 x 1.25", "0.7 x 0.7", "unknown", None]
    facts = scan_facts(pd.DataFrame({"subject_id": list("abcd"), "spacing_mm": spacings}))
    assert facts.loc["a"].tolist() == [pytest.approx(0.632), 1.25]
    assert facts.loc["b", "in_plane_mm"] == pytest.approx(0.7)
    assert np.isnan(facts.loc["b", "slice_distance_mm"])
    assert facts.loc[["c", "d"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="expected the column subject_id"):
        scan_facts(pd.DataFrame({"kernel": ["B30f"]}))


def test_every_fact_that_ingestion_writes_is_examined():
    empty = pd.DataFrame(columns=["subject_id", *FACTS, "in_template"])
    made_of_spacing = {"in_plane_mm", "slice_distance_mm"}
    examined = {*FACTS, "in_template", *made_of_spacing} - {"spacing_mm", "hu_difference"}
    assert set(scan_facts(empty)) == examined


def test_what_is_known_beforehand_holds_no_outcome_and_no_constant():
    n = 24
    table = pd.DataFrame(
        {
            "subject_id": [f"S{i}" for i in range(n)],
            "fvc": np.arange(n, dtype=float),
            "age": pd.array([60, None, *range(50, 48 + n)], "Int64"),
            "kernel": pd.Categorical(["A", "B"] * (n // 2), ["A", "B", "C"]),
            "site": [f"site {i}" for i in range(n)],
        },
        index=range(100, 100 + n),
    )
    roles = {"fvc": "outcome", "age": "demographic", "kernel": "scanner", "site": "scanner"}
    contract = {"properties": {name: {"x-role": role} for name, role in roles.items()}}
    qc = pd.DataFrame({"subject_id": table["subject_id"], "kernel": ["B30", "B70"] * (n // 2)})
    qc = qc.assign(kvp=120.0, right_ml=2000.0 + np.arange(n), left_ml=1800.0).sample(
        frac=1, random_state=0
    )
    known = known_beforehand(table, contract, qc)
    assert list(known) == ["kernel", "age", "kernel (scan)", "lung_ml"]
    assert known.index.equals(table.index)
    assert known["lung_ml"].tolist() == (3800.0 + np.arange(n)).tolist()
    assert known["age"].isna().sum() == 1 and known["age"].dtype == float
    assert design_of(known[["kernel"]]).shape == (n, 2)
    nothing = known_beforehand(table, {}, qc[["subject_id"]])
    assert nothing.shape == (len(table), 0)  # a row for each scan all the same
    with pytest.raises(ValueError, match="one row of qc for each scan"):
        known_beforehand(table, contract, qc[:-1])
    with pytest.raises(ValueError, match="found 'scaner'; there are kernel, age"):
        columns_named(known, ("age", "scaner"))
    assert columns_named(known, ()).shape == (n, 0)


def test_codes_of_sites_are_names_and_taken_out_as_such():
    """As a number, three sites of which the second differs would have no slope."""
    rng = np.random.default_rng(1010)
    sites = np.arange(60) % 3 + 1
    x = rng.normal(size=(60, 6))
    x[sites == 2, 0] += 10
    ids = [f"S{i}" for i in range(60)]
    table = pd.DataFrame({"subject_id": ids, "site": pd.array(sites, "Int64"), "dose": x[:, 1]})
    rules = {"site": {"x-role": "scanner"}, "dose": {"x-role": "scanner"}}
    qc = pd.DataFrame({"subject_id": ids})
    known = known_beforehand(table, {"properties": rules}, qc)
    assert design_of(known[["site"]]).shape[1] == 3  # a constant, and a column for two of three
    assert design_of(known[["dose"]]).shape[1] == 2
    left = take_out(x, columns_named(known, ("site",)))
    means = [left[sites == site, 0].mean() for site in (1, 2, 3)]
    assert means == pytest.approx([0, 0, 0], abs=1e-9)
