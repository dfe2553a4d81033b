"""Whole experiments, at toy size: what they count must be what happened."""

import importlib

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from clamlab.baselines import texture_features
from clamlab.experiments import (
    null_calibration,
    power,
    power_summary,
    retraining_stability,
    simulation_study,
    training_length,
)
from clamlab.experiments.found import _shared_lesion, _sites_found
from clamlab.experiments.simulation import PAPER_SCENARIOS
from clamlab.simulate import lung_slices
from studies.false_positives import false_positive_rates

# The function of this name hides its module in the package.
POWER = importlib.import_module("clamlab.experiments.power")
FOUND = importlib.import_module("clamlab.experiments.found")
TINY = {"channels": (2, 2, 4), "pretrain_epochs": 1, "cluster_epochs": 1}


def two_means(x, seed):
    return KMeans(2, n_init=3, random_state=seed).fit_predict(x)


def mean_difference(x, labels):
    """Welch's t between the clusters, of the feature that differs most."""
    a, b = x[labels == 0], x[labels == 1]
    return np.abs((a.mean(0) - b.mean(0)) / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b))).max()


# Null calibration.


def test_double_dipping_is_calibrated_away():
    x = np.random.default_rng(1000).normal(size=(80, 5))
    found = null_calibration(x, mean_difference, two_means, seed=0, n_null=39)
    assert found.observed > 5  # an ordinary t test would be certain of a difference
    assert found.p > 0.05
    assert found.p == (1 + (found.null >= found.observed).sum()) / 40


def test_real_clusters_survive_the_calibration():
    x = np.random.default_rng(1000).normal(size=(80, 5))
    x[40:, 0] += 10
    assert null_calibration(x, mean_difference, two_means, seed=0, n_null=39).p == 1 / 40


def test_what_is_no_number_in_a_cloud_counts_against_the_observed():
    x = np.random.default_rng(1000).normal(size=(20, 3))

    def only_here(drawn, labels):
        return 1.0 if np.array_equal(drawn, x) else np.nan

    assert null_calibration(x, only_here, two_means, seed=0, n_null=19).p == 1


def test_null_calibration_refuses_what_is_no_number():
    with pytest.raises(ValueError, match="must be a number"):
        null_calibration(np.eye(9), lambda x, labels: np.nan, two_means, seed=0)
    with pytest.raises(ValueError, match="n_null"):
        null_calibration(np.eye(9), mean_difference, two_means, seed=0, n_null=0)


# Retraining.


def test_retraining_matches_clusters_whatever_their_numbers():
    truth = np.repeat([0, 1, 2], 10)
    flips = {5: [0], 6: [0, 10], 7: []}

    def fit(seed):
        labels = (truth + seed) % 3
        labels[flips[seed]] = (labels[flips[seed]] + 1) % 3
        return labels

    found = retraining_stability(fit, 3, seed=5, progress=False)
    assert len(found.pairs) == 3
    assert found.reference == 5  # nearest to both others
    agreement = found.scans.set_index("scan")["agreement"]
    assert agreement[0] == 0.5  # with run 6, not with run 7
    assert agreement[10] == 0.5
    assert (agreement.drop([0, 10]) == 1).all()
    assert found.scans.loc[found.scans["borderline"], "scan"].tolist() == [0, 10]
    assert found.clusters["jaccard"].between(0.9, 1, inclusive="both").all()


def test_random_runs_do_not_agree():
    def fit(seed):
        return np.random.default_rng(seed).integers(3, size=200)

    found = retraining_stability(fit, 4, seed=1000, progress=False)
    assert found.pairs["ari"].abs().max() < 0.05
    assert found.scans["agreement"].mean() < 0.6


def test_a_cluster_that_no_other_run_finds_has_jaccard_zero():
    runs = {0: np.array([0, 0, 0, 1, 1, 2]), 1: np.array([0, 0, 0, 1, 1, 1])}
    found = retraining_stability(runs.get, 2, seed=0, progress=False)
    assert found.clusters["jaccard"].min() == 0 or len(found.clusters) == 2


def test_retraining_refuses_one_run_and_unequal_runs():
    with pytest.raises(ValueError, match="at least 2 runs"):
        retraining_stability(lambda seed: np.zeros(3), 1, seed=0)
    with pytest.raises(ValueError, match="one label per scan"):
        retraining_stability(lambda seed: np.zeros(3 + seed), 2, seed=0, progress=False)


# The simulation study.


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "table.csv"
    arguments = {"fitted": [2, 3], "n_scans": 24, "n_gap": 2, "path": path, "progress": False}
    return arguments, simulation_study([("location", 2)], [1000], **arguments, **TINY)


def test_paper_has_nine_scenarios():
    assert len(PAPER_SCENARIOS) == len(set(PAPER_SCENARIOS)) == 9


@pytest.mark.filterwarnings("ignore:two centroids lie")
def test_study_has_one_row_per_method_and_fitted_k(study):
    table = study[1]
    assert len(table) == 3 * 2
    assert set(table["method"]) == {"deep", "linear", "texture"}
    assert table["accuracy"].between(0, 1).all()
    assert {"pick_recommended", "pick_silhouette", "pick_gap"} <= set(table.columns)
    linear = table[(table["method"] == "linear") & (table["n_fitted"] == 2)]
    assert linear["accuracy"].item() == linear["ari"].item() == 1.0
    assert (table["n_empty"] >= 0).all()


def test_study_resumes_and_keeps_other_settings_apart(study, monkeypatch):
    arguments, table = study
    stored = arguments["path"].read_text()
    monkeypatch.setattr("clamlab.experiments.simulation.lung_slices", None)  # nothing is drawn
    again = simulation_study([("location", 2)], [1000], **arguments, **TINY)
    pd.testing.assert_frame_equal(again, table, check_dtype=False)
    assert arguments["path"].read_text() == stored
    with pytest.raises(TypeError):  # another length of training is another run
        simulation_study([("location", 2)], [1000], **arguments, **TINY | {"cluster_epochs": 2})


def test_more_fitted_k_are_added_to_a_run_that_is_there(study, monkeypatch):
    arguments, table = study
    asked = []
    monkeypatch.setattr(
        "clamlab.experiments.simulation.run_rows",
        lambda run: asked.append(run) or pytest.fail("stop") if run.method == "deep" else None,
    )
    with pytest.raises(pytest.fail.Exception):
        simulation_study([("location", 2)], [1000], **arguments | {"fitted": [2, 3, 4]}, **TINY)
    assert [run.fitted for run in asked] == [(4,)]


def test_features_before_clustering_are_kept_beside_the_table(study):
    arguments, _ = study
    (kept,) = (arguments["path"].parent / "table").iterdir()
    assert np.load(kept).shape == (24, 60)


@pytest.mark.filterwarnings("ignore:two centroids lie")
def test_of_cohorts_without_clusters_only_the_number_is_asked():
    arguments = {"n_scans": 24, "n_gap": 2, "n_jobs": 2, "progress": False, "methods": ["linear"]}
    table = simulation_study([("none", 1), ("location", 2)], [1000], fitted=None, **arguments)
    table = table.set_index("scenario")
    assert table.loc["location", "n_fitted"] == 2
    assert table.loc["none", ["n_fitted", "accuracy"]].isna().all()
    assert table.loc["none", "pick_recommended"] == 1


def test_each_cohort_has_the_numbers_that_were_asked_of_it(tmp_path):
    options = {"methods": ["linear"], "n_scans": 20, "n_gap": 2, "progress": False}
    options["path"] = tmp_path / "study.csv"
    both = [("location", 2), ("location", 3)]
    simulation_study(both, [1000], fitted=[2, 3], **options)
    true_alone = simulation_study(iter(both), iter([1000, 1001]), fitted=None, **options)
    assert (true_alone["n_fitted"] == true_alone["n_true"]).all()
    assert true_alone.groupby("seed").size().to_dict() == {1000: 2, 1001: 2}
    with pytest.raises(ValueError, match="expected each seed once, found 7 2 times"):
        simulation_study(both, [7, 7], **options)


def test_study_refuses_an_unknown_method():
    with pytest.raises(ValueError, match="methods must be among"):
        simulation_study([("location", 2)], [1000], methods=["forest"])


def test_texture_sees_roughness_inside_the_lung_only():
    rng = np.random.default_rng(1000)
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    images = rng.normal(-800, 20, size=(6, 32, 32))
    images[3:] += rng.normal(0, 80, size=(3, 32, 32))
    features = texture_features(images, mask)
    assert set(two_means(features, 0)[:3]) != set(two_means(features, 0)[3:])
    outside = np.where(mask, images, rng.normal(size=images.shape))
    np.testing.assert_allclose(texture_features(outside, mask), features)


# Power.


@pytest.fixture(scope="module")
def powers(tmp_path_factory):
    path = tmp_path_factory.mktemp("power") / "new" / "table.csv"
    arguments = {"k_max": 2, "path": path, "progress": False, **TINY}
    grid = {"n_scans": [24], "contrast_hu": [400.0, 2.0]}
    with pytest.warns(UserWarning, match="two centroids lie"):  # one epoch teaches nothing
        table = power("intensity", 2, grid, seeds=[1001, 1000], **arguments)
    return grid, arguments, table


def test_power_has_a_row_per_cohort_method_and_target(powers):
    _, arguments, table = powers
    assert len(table) == 2 * 2 * 2 * 3
    assert table["contrast_hu"].drop_duplicates().tolist() == [400.0, 2.0]  # as asked
    assert table["seed"].drop_duplicates().tolist() == [1001, 1000]
    linear = table[table["method"] == "linear"]
    assert linear.loc[linear["contrast_hu"] == 400, "found"].all()
    assert not linear.loc[linear["contrast_hu"] == 2, "found"].any()
    assert list(arguments["path"].parent.iterdir()) == [arguments["path"]]
    assert len(pd.read_csv(arguments["path"])) == len(table)


def test_power_goes_on_where_it_was(powers, monkeypatch):
    grid, arguments, table = powers
    stored = arguments["path"].read_text()
    monkeypatch.setattr(POWER, "lung_slices", None)  # nothing is drawn
    again = power("intensity", 2, dict(reversed(grid.items())), seeds=[1000, 1001], **arguments)
    pd.testing.assert_frame_equal(
        again.sort_values(list(table), ignore_index=True)[list(table)],
        table.sort_values(list(table), ignore_index=True),
    )
    assert arguments["path"].read_text() == stored
    with pytest.raises(TypeError):  # another radius is another cohort
        power("intensity", 2, grid | {"radius_px": [2]}, seeds=[1000], **arguments)


def test_power_keeps_every_cohort_that_was_finished(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    drawn = []

    def rows(cohort):
        drawn.append(cohort.seed)
        if cohort.seed == 3:
            raise KeyboardInterrupt
        known = dict(zip(["scenario", "n_true", "settings", "seed"], cohort.key, strict=True))
        row = {**known, **cohort.cell, "method": "deep", "target": "site", "found": True}
        return pd.DataFrame([row])

    monkeypatch.setattr(POWER, "_cohort_rows", rows)
    asked = {"path": path, "progress": False, **TINY}
    with pytest.raises(KeyboardInterrupt):
        power("location", 2, {"n_scans": [20]}, seeds=[1, 2, 3, 4], **asked)
    assert pd.read_csv(path)["seed"].tolist() == [1, 2]
    power("location", 2, {"n_scans": [20]}, seeds=[1, 2, 4], **asked)
    # Another quantity in the same file leaves gaps there, and none in what is returned.
    table = power("location", 2, {"radius_px": [2]}, seeds=[1], **asked)
    assert drawn == [1, 2, 3, 4, 1]
    assert "n_scans" not in table
    again = power("location", 2, {"n_scans": [20]}, seeds=[4, 1], **asked)
    assert again[["n_scans", "seed"]].to_numpy().tolist() == [[20, 4], [20, 1]]
    assert again["n_scans"].dtype == again["seed"].dtype == int


@pytest.mark.filterwarnings("ignore:two centroids lie")
def test_power_in_two_processes_is_the_same():
    asked = {"seeds": [1000, 1001], "k_max": 2, "progress": False, **TINY}
    one, two = (power("location", 2, {"n_scans": [20]}, n_jobs=n, **asked) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_power_summary_has_wilson_limits(powers):
    summary = power_summary(powers[2])
    assert len(summary) == 2 * 2 * 3
    assert (summary["n_runs"] == 2).all()
    seen = summary.set_index(["method", "contrast_hu", "target"]).loc[("linear", 400.0, "site")]
    z = 1.959964
    assert seen[["share", "low", "high"]].tolist() == pytest.approx([1, 2 / (2 + z**2), 1])
    stored = power_summary(pd.read_csv(powers[1]["path"]))
    by = ["contrast_hu", "method", "target"]
    pd.testing.assert_frame_equal(
        stored.sort_values(by, ignore_index=True),
        summary.sort_values(by, ignore_index=True),
        check_like=True,
    )


def test_power_of_features_asks_the_rule_and_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(POWER, "lung_slices", None)
    monkeypatch.setattr(POWER, "fitter_of", None)
    path = tmp_path / "table.csv"
    grid = {"n_scans": [24], "apart_sd": [12, 1]}
    asked = {"seeds": [1000, 1001], "k_max": 3, "path": path, "progress": False}
    table = power("features", 2, grid, **asked)
    assert (table["method"] == "features").all()
    assert table["target"].unique().tolist() == ["number", "any"]
    found = table.groupby("apart_sd")["found"].agg(["mean", "count"])
    assert found.loc[[12, 1]].to_numpy().tolist() == [[1, 4], [0, 4]]
    # Nothing is drawn again, whatever the training would have been.
    monkeypatch.setattr(POWER, "cluster_features", None)
    again = power("features", 2, dict(reversed(grid.items())), pretrain_epochs=1, **asked)
    pd.testing.assert_frame_equal(again[list(table)], table)
    with pytest.raises(TypeError):  # another number of clusters is another cohort
        power("features", 3, grid, **asked)


def test_power_of_features_tells_any_clusters_from_their_number(monkeypatch):
    drawn = []

    def features(shares, **arguments):
        drawn.append((shares, arguments))
        return np.zeros((24, 40)), None

    monkeypatch.setattr(POWER, "cluster_features", features)
    monkeypatch.setattr(FOUND, "recommended_n_clusters", lambda x, *, seed, k_max: 2)
    table = power("features", 4, {}, seeds=[7], progress=False)
    assert drawn == [([0.25] * 4, {"n_scans": 300, "apart_sd": 5, "seed": 7})]
    assert table[["target", "found"]].to_numpy().tolist() == [["number", False], ["any", True]]


@pytest.mark.parametrize("n_clusters", [1, 2])
def test_power_finds_nothing_where_the_rule_does_not_answer(n_clusters):
    table = power("features", n_clusters, {"n_scans": [11]}, seeds=[1], progress=False)
    assert not table["found"].any()


def test_power_needs_something_to_try():
    with pytest.raises(ValueError, match="at least one seed"):
        power("intensity", 2, {"n_scans": []}, seeds=[1])
    with pytest.raises(ValueError, match="may vary n_scans.*found contrast"):
        power("intensity", 2, {"contrast": [1]}, seeds=[1])
    with pytest.raises(ValueError, match="'features' grid may vary n_scans, apart_sd; found cont"):
        power("features", 2, {"n_scans": [24], "contrast_hu": [1]}, seeds=[1])
    with pytest.raises(ValueError, match="may vary n_scans.*found apart_sd"):
        power("intensity", 2, {"apart_sd": [4]}, seeds=[1])
    with pytest.raises(ValueError, match="shares"):
        power("features", 0, {"n_scans": [24]}, seeds=[1], progress=False)


def test_a_site_is_sought_where_lesions_move_and_not_where_there_are_none():
    moved = lung_slices("location", 2, n_scans=60, radius_px=2, jitter_px=3, seed=1000)
    lesion = _shared_lesion(moved.lesion_masks[moved.labels == 0])
    row, column = np.argwhere(lesion).mean(0)
    still = lung_slices("location", 2, n_scans=2, seed=1000).truth.set_index("cluster").loc[0]
    assert np.hypot(row - still["row"], column - still["column"]) < 1.5
    half = np.r_[np.zeros((3, 4, 4), bool), np.ones((3, 4, 4), bool)]
    assert not _shared_lesion(half).any()
    healthy = lung_slices("none", 1, n_scans=20, seed=1000)
    labels = np.arange(20) % 2
    assert not _sites_found(None, healthy, labels)


# The length of pre-training.


def test_training_length_looks_at_one_training_on_its_way():
    tiny = {"n_scans": 24, "channels": (2, 2, 4), "k_max": 4, "progress": False}
    table = training_length("intensity", 2, seed=1000, epochs=7, every=3, **tiny)
    assert table["epochs"].tolist() == [3] * 3 + [6] * 3
    assert table["n_clusters"].tolist() == [2, 3, 4] * 2
    for _, look in table.groupby("epochs"):
        best = look.loc[look["silhouette"].idxmax(), "n_clusters"]
        assert (look["pick_silhouette"] == best).all()
        assert look[["loss", "held_out_loss", "accuracy", "pick_recommended"]].nunique().max() == 1
    assert table["accuracy"].between(0.5, 1).all()
    # Looking does not disturb: another rhythm sees the same features.
    other = training_length("intensity", 2, seed=1000, epochs=6, every=2, **tiny)
    last, same = (t[t["epochs"] == 6].reset_index(drop=True) for t in (table, other))
    pd.testing.assert_frame_equal(last, same)


def test_training_length_without_clusters_and_without_looks():
    tiny = {"n_scans": 20, "channels": (2, 2, 4), "k_max": 3, "progress": False}
    table = training_length("none", 1, seed=1000, epochs=1, every=1, **tiny)
    assert (table["accuracy"] == 1).all()
    with pytest.raises(ValueError, match="every must be from 1 to the 2 epochs; found 3"):
        training_length("none", 1, seed=1000, epochs=2, every=3, **tiny)


def test_printed_p_values_keep_their_promise_and_naive_ones_do_not():
    rates = false_positive_rates(repetitions=60, n_null=19, seed=11, progress=False)
    by_kind = rates.set_index(["shape", "kind"])
    for shape in ("gaussian", "skewed"):
        assert by_kind.loc[(shape, "derived, naive"), "share"] > 0.3
        for kind in ("external", "derived, calibrated"):
            assert by_kind.loc[(shape, kind), "low"] < 0.06
            assert by_kind.loc[(shape, kind), "share"] < 0.2


def test_the_calibrated_p_finds_clusters_that_are_there():
    rates = false_positive_rates(
        ["gaussian"], separations=[6.0], repetitions=10, n_null=19, seed=3, progress=False
    )
    assert rates.set_index("kind").loc["derived, calibrated", "share"] > 0.8


def test_a_cloud_of_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="'round' is neither"):
        false_positive_rates(["round"], repetitions=1, progress=False)
