"""Clusters that needed no network: features of known value, planted groups, and what is said."""

import itertools
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from skimage.feature import graycomatrix, graycoprops
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from clamlab.baselines import (
    agreement,
    agreement_sentence,
    baseline_partitions,
    linear_features,
    recorded_of_scans,
    texture_features,
)
from clamlab.baselines.texture import co_occurrence, first_order, haralick, pairs_at, raw_features
from clamlab.figures.validation import agreement_panel

# The digital phantom of the Image Biomarker Standardisation Initiative (A. Zwanenburg, CC BY 4.0),
# slices of 4 x 5 voxels; 0 is outside the region.
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
# Its reference values: intensity statistics, and co-occurrence in the volume, merged.
INTENSITY = {"mean": "2.15", "variance": "3.05", "skewness": "1.08", "kurtosis": "-0.355"}
MERGED = {
    "contrast": "5.12",
    "dissimilarity": "1.38",
    "inverse difference moment": "0.631",
    "angular second moment": "0.291",
    "correlation": "0.183",
    "joint maximum": "0.509",
    "joint entropy": "2.57",
}
GRID = (12, 10, 8)
LUNG = np.ones(GRID, bool)
LUNG[0] = False


def three_digits(values):
    return [f"{value:.3g}" for value in values]


def cohort(lesions, n_each=8, seed=1000):
    """Noise in a lung, and in each cluster a lesion: (box, HU); clusters are in turn."""
    rng = np.random.default_rng(seed)
    clusters = np.tile(np.arange(len(lesions)), n_each)
    hu = rng.normal(-800, 20, size=(len(clusters), *GRID))
    for k, (box, contrast) in enumerate(lesions):
        hu[clusters == k, *box] += contrast
    return hu.astype("int16"), clusters


ALL, TOP, BOTTOM = (slice(None),) * 3, (slice(2, 5),), (slice(7, 10),)
DENSITY = [(ALL, 0), (ALL, 300)]
LOCATION = [(TOP, 200), (BOTTOM, 200)]


# Features.


def test_features_are_those_of_the_digital_phantom():
    inside = PHANTOM > 0
    values = PHANTOM[inside]
    mean, sd, skewness, kurtosis = first_order(values.astype(float))[:4]
    assert three_digits([mean, sd**2, skewness, kurtosis]) == list(INTENSITY.values())
    matrix = co_occurrence(values, *pairs_at(inside, 1))
    contrast, dissimilarity, homogeneity, energy, correlation = haralick(matrix)
    entropy = -(matrix[matrix > 0] * np.log2(matrix[matrix > 0])).sum()
    found = [contrast, dissimilarity, homogeneity, energy**2, correlation, matrix.max(), entropy]
    assert three_digits(found) == list(MERGED.values())


def test_all_directions_count_once():
    inside = np.ones((7, 8, 9), bool)
    first, second = (np.c_[np.unravel_index(side, inside.shape)] for side in pairs_at(inside, 1))
    steps = {
        tuple(step) for step in (second.T - first.T if first.shape[0] == 3 else second - first)
    }
    assert len(steps) == 13
    assert not steps & {tuple(-np.array(step)) for step in steps}


def test_slices_have_the_texture_that_scikit_image_gives():
    rng = np.random.default_rng(1000)
    images = rng.normal(-700, 150, size=(4, 20, 18))
    mask = rng.random((20, 18)) < 0.8
    angles = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
    names = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")
    for image, found in zip(images, raw_features(images, mask), strict=True):
        bins = np.clip((image + 1000) // 31.25, 0, 31).astype(int) + 1
        levels = np.where(mask, bins, 0).astype(np.uint8)
        pairs = graycomatrix(levels, (1, 2, 4), angles, levels=33, symmetric=True)
        inside = pairs[1:, 1:].sum(3, keepdims=True).astype(float)
        inside /= inside.sum((0, 1))
        expected = np.concatenate([graycoprops(inside, name)[:, 0] for name in names])
        np.testing.assert_allclose(found[9:], expected, rtol=1e-10)


def test_texture_sees_roughness_that_no_histogram_shows():
    """The same HU in every scan: smooth in one half, shuffled in the other."""
    ramp = np.linspace(-950, -500, LUNG.sum())
    hu = np.full((6, *GRID), -800.0)
    for i, scan in enumerate(hu):
        scan[LUNG] = np.random.default_rng(i).permutation(ramp) if i >= 3 else ramp
    features = texture_features(hu, LUNG)
    assert np.allclose(features[:, :9], 0)  # first order: what is the same in all scans is 0
    assert (features[3:, 9] > 0.5).all()
    assert (features[:3, 9] < -0.5).all()
    outside = np.where(LUNG, hu, 400)
    np.testing.assert_array_equal(texture_features(outside, LUNG), features)


def test_a_lung_without_any_difference_has_features():
    features = raw_features(np.full((2, *GRID), -800), LUNG)
    assert np.isfinite(features).all()
    assert features[0, -3:].tolist() == [1, 1, 1]  # the correlation of one grey level, as IBSI


def test_components_are_those_of_a_principal_component_analysis():
    hu, _ = cohort(LOCATION)
    scores = linear_features(hu, LUNG)
    expected = PCA().fit_transform(hu[:, LUNG].astype(float))[:, :15]
    np.testing.assert_allclose(np.abs(scores), np.abs(expected), atol=1e-6 * expected.max())


def test_the_cohort_is_never_in_memory(tmp_path):
    path = tmp_path / "volumes.npy"
    grid = (30, 20, 20)
    array = np.lib.format.open_memmap(path, "w+", "int16", (200, *grid))
    array[:] = np.random.default_rng(0).normal(-800, 90, size=array.shape)
    array.flush()
    volumes, mask = np.load(path, mmap_mode="r"), np.ones(grid, bool)
    tracemalloc.start()
    linear_features(volumes, mask)
    texture_features(volumes, mask)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < array.size * 8 / 2


@pytest.mark.parametrize("function", [linear_features, texture_features])
def test_what_is_no_number_is_refused(function):
    hu = cohort(DENSITY)[0].astype(float)
    hu[3, 5, 5, 5] = np.nan
    with pytest.raises(ValueError, match="found NaN or infinity in"):
        function(hu, LUNG)


# Groups.


def test_planted_density_is_found_by_density_and_said_first():
    hu, clusters = cohort(DENSITY)
    parts = baseline_partitions(hu, LUNG, 2, seed=0)
    found = agreement(parts, clusters).set_index("baseline")
    assert found.loc["density", "adjusted_rand"] == 1
    assert found.loc["density", "same"]
    said = agreement_sentence(found.reset_index())
    assert said.startswith("The same clusters come from mean lung density alone (adjusted Rand 1.")
    assert "nobody needed a network to find these clusters." in said
    assert "Agreement does not say which of two partitions is right." in said
    assert parts["density"].tolist() == (1 - clusters).tolist()  # densest first


def test_planted_places_are_not_found_by_density():
    hu, clusters = cohort(LOCATION)
    found = agreement(baseline_partitions(hu, LUNG, 2, seed=0), clusters).set_index("baseline")
    assert found.loc["density", "adjusted_rand"] < 0.3
    assert found.loc["components", "adjusted_rand"] == 1
    said = agreement_sentence(found.reset_index())
    assert said.startswith("The same clusters come from PCA and k-means alone")
    assert "mean lung density" not in said
    assert "Not compared: lung volume (not recorded) and scanner (not recorded)." in said


def test_slices_can_be_grouped_too():
    hu, clusters = cohort(DENSITY)
    found = agreement(baseline_partitions(hu[:, 5], LUNG[5], 2, seed=0), clusters)
    assert found["adjusted_rand"].iloc[0] == 1


@pytest.mark.parametrize("n_clusters", [2, 3, 4, 5])
def test_one_dimension_is_cut_at_its_best_whatever_the_seed(n_clusters):
    """On a continuum, where there is nothing to find, all cuts are tried beside k-means."""
    volume = np.sort(np.random.default_rng(n_clusters).normal(4500, 900, size=24))
    recorded = pd.DataFrame({"lung_ml": volume})
    hu = cohort(DENSITY, n_each=12)[0][:, :2]
    parts = [
        baseline_partitions(hu, LUNG[:2], n_clusters, recorded=recorded, seed=seed)
        for seed in (0, 7)
    ]
    cuts = itertools.combinations(range(1, 24), n_clusters - 1)
    spread = {cut: sum(s.var() * len(s) for s in np.split(volume, cut)) for cut in cuts}
    best = np.searchsorted(min(spread, key=spread.get), np.arange(24), side="right")
    for part in parts:
        assert adjusted_rand_score(part["volume"], best) == 1
        assert adjusted_rand_score(part["density"], parts[0]["density"]) == 1
        assert sorted(part["volume"].unique()) == list(range(n_clusters))


def test_scans_of_unknown_volume_are_in_no_group():
    hu, clusters = cohort(DENSITY)
    volume = np.where(clusters == 0, 3000.0, 5000.0)
    volume[[2, 5]] = np.nan
    parts = baseline_partitions(hu, LUNG, 2, recorded=pd.DataFrame({"lung_ml": volume}), seed=0)
    assert parts.index[parts["volume"].isna()].tolist() == [2, 5]
    row = agreement(parts, clusters).set_index("baseline").loc["volume"]
    assert (row["n"], row["adjusted_rand"], row["note"]) == (14, 1, "known of 14 of 16 scans")


def test_what_cannot_be_grouped_is_refused():
    hu, clusters = cohort(DENSITY)
    with pytest.raises(ValueError, match="found 1 clusters and 16 scans"):
        baseline_partitions(hu, LUNG, 1, seed=0)
    with pytest.raises(ValueError, match="found 16 clusters and 16 scans"):
        baseline_partitions(hu, LUNG, 16, seed=0)
    with pytest.raises(ValueError, match="each of 16 scans, found 3"):
        baseline_partitions(hu, LUNG, 2, recorded=pd.DataFrame({"lung_ml": [1, 2, 3]}), seed=0)
    with pytest.raises(ValueError, match="expected a lung mask of shape"):
        baseline_partitions(hu, np.zeros(GRID, bool), 2, seed=0)
    with pytest.raises(ValueError, match="a cluster for each of 16 scans, found 15"):
        agreement(pd.DataFrame({"density": clusters}), clusters[1:])


# What was recorded.

IDS = [f"S{i:02}" for i in range(12)]
SCANNER_ROLE = {"properties": {"machine": {"x-role": "scanner"}, "dose": {"x-role": "scanner"}}}


def test_scanners_come_from_the_contract_and_from_the_headers():
    table = pd.DataFrame({"subject_id": IDS, "machine": ["A", None] * 6, "dose": np.arange(12.0)})
    qc = pd.DataFrame(
        {
            "subject_id": [*reversed(IDS), "S99"],
            "right_ml": 2000.0,
            "left_ml": [1000.0, *[2000.0] * 11, 0.0],
            "kernel": ["not recorded", *["B30f"] * 11, "?"],
            "manufacturer": None,
        }
    )
    found = recorded_of_scans(table, SCANNER_ROLE, qc)
    assert list(found) == ["lung_ml", "scanner: machine", "scanner: kernel"]  # a dose is no group
    assert found["lung_ml"].tolist() == [4000] * 11 + [3000]
    assert found["scanner: machine"].tolist()[0] == "A"
    assert found["scanner: machine"].isna().sum() == 6
    assert found["scanner: kernel"].isna().tolist() == [False] * 11 + [True]
    with pytest.raises(ValueError, match="one row of qc for each scan"):
        recorded_of_scans(table, SCANNER_ROLE, qc[qc["subject_id"] != "S05"])
    bare = recorded_of_scans(table, {}, qc[["subject_id"]])
    assert list(bare) == ["lung_ml"]
    assert bare["lung_ml"].isna().all()


def test_one_scanner_or_none_is_said_and_not_compared():
    clusters = np.tile([0, 1], 8)
    parts = pd.DataFrame({"density": clusters, "scanner: kernel": [0] * 16, "scanner: few": pd.NA})
    parts.loc[:3, "scanner: few"] = [0, 1, 0, 1]
    parts["scanner: own"] = np.arange(16)
    found = agreement(parts, clusters).set_index("baseline")
    assert found["adjusted_rand"].notna().tolist() == [True, False, False, False]
    assert found["note"].tolist()[1:] == [
        "the same for all scans",
        "known of 4 scans, fewer than 10",
        "16 groups of 16 scans are too many",
    ]
    said = agreement_sentence(found.reset_index())
    assert "Not compared: kernel (the same for all scans), few (known of 4 scans" in said
    assert agreement(parts[["density"]], clusters)["title"].tolist()[-1] == "scanner"


def test_one_cluster_agrees_with_nothing():
    """The index of two partitions into one group each is 1: the worst that could be printed."""
    parts = pd.DataFrame({"density": [0] * 12, "volume": [0, 1] * 6})
    found = agreement(parts, [0] * 12)
    assert found["adjusted_rand"].isna().all()
    assert agreement_sentence(found).startswith("No baseline could be compared with the clusters.")
    by_another_hand = found.assign(same=True)
    assert agreement_sentence(by_another_hand) == agreement_sentence(found)
    axes = agreement_panel(found).axes[0]
    assert [text.get_text() for text in axes.texts] == found["note"].tolist()
    assert axes.get_title() == "Agreement with the network's 1 cluster"


def test_many_scanners_that_tell_the_cluster_are_an_alarm():
    """Six scanners with two clusters: adjusted Rand is small although each lies in one cluster."""
    clusters = np.tile([0, 1], 24)
    nested = clusters * 3 + np.arange(48) % 3
    by_chance = np.random.default_rng(1000).integers(0, 6, 48)
    parts = pd.DataFrame({"scanner: model": nested, "scanner: site": by_chance})
    found = agreement(parts, clusters)
    assert found["adjusted_rand"].max() < 0.5
    assert found["same"].tolist() == [True, False]
    assert agreement_sentence(found).startswith(
        "The clusters follow how scans were made, by model (6 groups, adjusted mutual information "
        "1.00): they may be clusters of scanners, not of people."
    )


def test_groups_by_chance_are_called_nothing():
    rng = np.random.default_rng(1000)
    clusters = rng.integers(0, 3, 300)
    parts = pd.DataFrame({name: rng.integers(0, 3, 300) for name in ("density", "scanner: site")})
    found = agreement(parts, clusters)
    assert (found["adjusted_rand"].abs() < 0.05).all()
    assert agreement_sentence(found).startswith(
        "No baseline gives the same clusters; nearest comes "
    )


def test_groups_that_were_read_again_agree_as_before(tmp_path):
    hu, clusters = cohort(DENSITY)
    recorded = pd.DataFrame(
        {
            "lung_ml": [np.nan, *np.linspace(3000, 6000, 15)],
            "scanner: site": ["a", "b", None, "c"] * 4,
        }
    )
    parts = baseline_partitions(hu, LUNG, 2, recorded=recorded, seed=0)
    assert parts["scanner: site"].tolist()[:4] == [0, 1, pd.NA, 2]
    parts.assign(subject_id="x").to_csv(tmp_path / "parts.csv", index=False)
    again = agreement(pd.read_csv(tmp_path / "parts.csv"), clusters)
    pd.testing.assert_frame_equal(again, agreement(parts, clusters))


# The figure.


def test_the_panel_marks_what_is_the_same_and_says_why_there_is_no_dot():
    clusters = np.tile([0, 1], 24)
    parts = pd.DataFrame(
        {
            "density": clusters,
            "volume": np.arange(48) // 24,
            "scanner: model": clusters * 3 + np.arange(48) % 3,
            "scanner: kernel": 0,
        }
    )
    found = agreement(parts, clusters)
    axes = agreement_panel(found).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["Mean lung density", "Lung volume", "Model", "Kernel"]
    dots = {line.get_ydata()[0]: line for line in axes.lines if line.get_marker() == "o"}
    assert {place: round(dot.get_xdata()[0], 6) for place, dot in dots.items()} == {
        place: round(value, 6) for place, value in enumerate(found["adjusted_rand"][:3])
    }
    assert dots[0].get_color() == dots[2].get_color() != dots[1].get_color()
    diamonds = [line for line in axes.lines if line.get_marker() == "D"]
    assert [(line.get_ydata()[0], line.get_xdata()[0]) for line in diamonds] == [(2, 1)]
    assert [text.get_text() for text in axes.texts] == ["the same for all scans"]
    with pytest.raises(ValueError, match="no column adjusted_rand"):
        agreement_panel(found.drop(columns="adjusted_rand"))
