"""The paper's claims are met by maps that meet them, and refused by maps that do not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter

from clamlab import clam
from clamlab.experiments import explain_scenario, latent_claims, map_claims
from clamlab.experiments.areas import area_by_threshold
from clamlab.experiments.claims import assignment_claims
from clamlab.experiments.explained import ExplainedRun
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.simulate import lung_slices
from clamlab.training import assign, embed

TINY = {"n_scans": 40, "channels": (4, 4, 8), "pretrain_epochs": 25, "cluster_epochs": 2}


def drawn(scenario, *, shown):
    """Put maps that were drawn, not learned, in place of a network's."""
    cohort = lung_slices(scenario, 5, n_scans=60, seed=1000)
    importance = shown(cohort)
    return ExplainedRun(
        cohort,
        DeepClustering(ConvAutoencoder((64, 64), channels=(2, 2, 4)), 5),
        cohort.images,
        np.zeros((60, 2)),
        {},
        cohort.labels,
        np.repeat(importance[:, None], 5, axis=1),
        importance,
    )


def on_the_lesion(cohort):
    """Map each lesion as far as it reaches; the whole lung, half and half, where there is none."""
    maps = np.stack([gaussian_filter(m.astype("float32"), 1.0) for m in cohort.lesion_masks])
    maps /= np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-6)
    healthy = cohort.labels == 0 if cohort.scenario == "intensity" else np.zeros(60, bool)
    y, x = np.nonzero(cohort.lung_mask)
    uneven = np.zeros(cohort.lung_mask.shape, "float32")
    uneven[y, x] = np.where((y + x) % 2 == 0, 1.0, 0.0)
    maps[healthy] = uneven
    return maps


def in_one_corner(cohort):
    """Draw two foci of the same size in every map, wherever the lesion is."""
    y, x = np.nonzero(cohort.lung_mask)
    focus = np.zeros(cohort.lung_mask.shape, "float32")
    focus[y[0], x[0]] = focus[y[-1], x[-1]] = 1
    return np.repeat(focus[None], len(cohort.images), axis=0)


@pytest.fixture(scope="module")
def small_run():
    return explain_scenario("location", 3, seed=1000, fitted=[2, 3], progress=False, **TINY)


def test_maps_of_the_lesions_meet_the_papers_claims():
    runs = {s: drawn(s, shown=on_the_lesion) for s in ("intensity", "location", "size")}
    claims = map_claims(runs).set_index("claim")
    # Drawn lesions of one size have one area: the paper's own surprise is not theirs.
    surprise = claims.index.str.contains("though no size does")
    assert claims.loc[surprise, "agrees"].tolist() == ["no"]
    assert (claims.loc[~surprise, "agrees"] == "yes").all(), claims.to_string()
    assert (claims.loc[~surprise, "why"] == "").all()


def test_maps_that_never_change_are_refused():
    runs = {s: drawn(s, shown=in_one_corner) for s in ("intensity", "location", "size")}
    claims = map_claims(runs)
    # What is said of HU is true, and does not depend on any map.
    about_maps = claims[~claims["claim"].str.contains("HU")]
    assert not (about_maps["agrees"] == "yes").any(), claims.to_string()
    assert (about_maps["why"] != "").all()


def test_assignments_are_counted_over_cohorts():
    rows = [
        ("size", 3, 3000, 3, 1.0, 0, 0.9, 3),
        ("size", 3, 3000, 4, 1.0, 1, 0.7, 3),
        ("size", 4, 3000, 4, 0.997, 0, 0.6, 2),
        ("size", 4, 3000, 5, 0.8, 0, 0.8, 2),
        ("size", 3, 3001, 3, 1.0, 0, 0.9, 3),  # one number fitted: none is chosen afterwards
    ]
    columns = ["scenario", "n_true", "seed", "n_fitted", "accuracy", "n_empty"]
    columns += ["silhouette_after", "pick_silhouette"]
    results = pd.DataFrame(rows, columns=columns).assign(method="deep")
    claims = assignment_claims(results)
    assert claims["ours"].tolist() == ["2/3", "2/3", "1/2", "1/2 fits"]
    assert claims["agrees"].tolist() == ["partly", "partly", "yes", "partly"]


def test_groups_in_the_features_are_counted_for_each_number_asked_for():
    rng = np.random.default_rng(0)
    two = np.repeat([[0.0, 0.0], [9, 0]], 30, axis=0) + rng.normal(0, 0.3, (60, 2))
    three = np.repeat([[0.0, 0.0], [9, 0], [0, 9]], 20, axis=0) + rng.normal(0, 0.3, (60, 2))
    run = drawn("location", shown=on_the_lesion)
    as_asked = latent_claims(replace(run, features_after={2: two, 3: three}))
    assert as_asked[["ours", "agrees"]].to_numpy().tolist() == [["2/2: 2, 3 for K = 2, 3", "yes"]]
    always_three = latent_claims(replace(run, features_after={2: three, 3: three, 4: three}))
    assert always_three["ours"].item() == "1/3: 3, 3, 3 for K = 2, 3, 4"
    assert always_three["agrees"].item() == "no"


def test_areas_that_grow_and_areas_that_do_not():
    lung = np.ones((1, 12), bool)
    labels = np.repeat([0, 1, 2], 4)
    maps = np.zeros((12, 1, 12))
    for scan, cluster in enumerate(labels):
        maps[scan, 0, : 2 + 3 * cluster] = 0.6  # grows with the cluster
        maps[scan, 0, 11] = 1.0  # one pixel in all
    areas = area_by_threshold(maps, labels, lung, thresholds=[0.5, 0.75])
    by_threshold = areas.groupby("threshold")
    assert by_threshold["median_px"].apply(list).to_dict() == {0.5: [3, 6, 9], 0.75: [1, 1, 1]}
    assert by_threshold["rho"].first()[0.5] == pytest.approx(1)
    assert by_threshold["p"].first()[0.5] < 0.01
    assert np.isnan(areas["rho"].iloc[-1])
    assert areas["p"].iloc[-1] == 1


@pytest.mark.parametrize(
    ("labels", "said"), [([0, 1], "one per label"), ([0, 0, 0], "two clusters")]
)
def test_areas_say_what_they_need(labels, said):
    with pytest.raises(ValueError, match=said):
        area_by_threshold(np.zeros((3, 2, 2)), labels, np.ones((2, 2), bool))


def test_an_explained_run_names_clusters_after_the_truth(small_run):
    """Names found by training are arbitrary; pictures need those of the simulated clusters."""
    agreed = (small_run.clusters == small_run.cohort.labels).mean()
    assert agreed > 0.9, f"{agreed:.0%} of the scans bear the name of their true cluster"
    assert small_run.examples == {
        f"Cluster {k + 1}": np.flatnonzero(small_run.cohort.labels == k)[0] for k in range(3)
    }
    assert list(small_run.latent_spaces) == ["Before clustering", "K = 2", "K = 3"]


def test_an_explained_runs_model_gives_its_clusters_and_maps(small_run):
    features = embed(small_run.model, small_run.images)
    assert (assign(small_run.model, features).argmax(1) == small_run.clusters).all()
    again = clam.cluster_activation_map(small_run.model, small_run.images[:2])
    np.testing.assert_allclose(again, small_run.maps[:2], atol=1e-6)


def test_the_steps_of_a_map_are_those_of_eq_8_and_9(small_run):
    scan, cluster = small_run.images[0], int(small_run.clusters[0])
    steps = clam.clam_steps(small_run.model, scan, cluster)
    for mask, masked, confidence in zip(steps.masks, steps.masked, steps.confidence, strict=True):
        assert (mask.min(), mask.max()) == (0, 1)
        np.testing.assert_allclose(masked, scan * mask, atol=1e-6)
        again = assign(small_run.model, embed(small_run.model, masked[None]))[0, cluster]
        assert again == pytest.approx(confidence, abs=1e-4)
    assert list(steps.confidence) == sorted(steps.confidence, reverse=True)
    with torch.no_grad():
        maps = small_run.model.feature_maps(torch.as_tensor(scan[None]), -1, True)[0].numpy()
    np.testing.assert_array_equal(steps.channels, maps[steps.names])
    np.testing.assert_allclose(steps.importance, small_run.importance[0], atol=1e-5)
