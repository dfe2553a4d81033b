"""Measures of clusters and maps, on cases whose right answer is known on paper."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from torch import nn

from clamlab.clam import cluster_activation_map
from clamlab.contrast import most_probable
from clamlab.evaluation import (
    adjusted_rand,
    clustering_accuracy,
    deviation_map,
    faithfulness,
    integrated_gradients_map,
    localization,
    map_correlation,
    match_clusters,
    occlusion_map,
    trust_card,
    unweighted_map,
    weight_necessity,
)
from clamlab.evaluation.controls import untrained_copy
from clamlab.evaluation.correlations import other_cluster_correlation
from clamlab.evaluation.faithfulness import draw_donors
from clamlab.evaluation.verdicts import verdict
from clamlab.models import ConvAutoencoder, DeepClustering

SHAPE = (8, 8)
SITE = (2, 3)
LUNG = np.ones(SHAPE, bool)


class SiteNetwork(nn.Module):
    """Feature k is the value at site k; cluster 0 has none, cluster k the value 3 there.

    Its one activation channel is |image|: it knows of no cluster.
    """

    def __init__(self, sites=(SITE,), shape=SHAPE):
        super().__init__()
        weights = torch.zeros(len(sites), *shape, dtype=torch.float64)
        for row, site in zip(weights, sites, strict=True):
            row[site] = 1
        self.reading = nn.Linear(int(np.prod(shape)), len(sites), bias=False, dtype=torch.float64)
        self.reading.weight.data = weights.flatten(1).clone()
        self.shape = shape
        far = 3 * torch.eye(len(sites), dtype=torch.float64)
        self.centroids = nn.Parameter(torch.cat([torch.zeros_like(far[:1]), far]))

    def encode(self, images):
        return self.reading(images.flatten(1))

    def decode(self, features):
        return (features @ self.reading.weight).unflatten(1, self.shape)

    def feature_maps(self, images, layer=-1, activated=True):
        return images.abs().unsqueeze(1)


def scans_of(clusters, sites=(SITE,), noise=0.0, seed=0) -> np.ndarray:
    images = noise * np.random.default_rng(seed).normal(size=(len(clusters), *SHAPE))
    for image, k in zip(images, clusters, strict=True):
        for j, site in enumerate(sites, 1):
            image[site] = 3.0 * (j == k)
    return images


def at(site=SITE, n=1) -> np.ndarray:
    maps = np.zeros((n, *SHAPE))
    maps[(slice(None), *site)] = 1
    return maps


# Agreement -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("true", "fitted", "accuracy"),
    [
        ([0, 0, 1, 1, 2, 2], [2, 2, 0, 0, 1, 1], 1.0),
        ([0, 0, 1, 1], [0, 1, 2, 3], 0.5),  # surplus clusters are matched to nothing
        ([0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1], 4 / 6),  # two known ones in one
        ([0, 0, 0, 0, 1, 1, 1], [1, 1, 0, 0, 0, 0, 0], 5 / 7),  # greedy matching finds as much
        ([0] * 4 + [1] * 3, [0] * 3 + [1] + [0] * 3, 4 / 7),  # not 3/7, the greedy way
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0),
    ],
)
def test_accuracy_is_that_of_the_best_matching(true, fitted, accuracy):
    assert clustering_accuracy(true, fitted) == pytest.approx(accuracy)


def test_names_of_clusters_do_not_matter():
    assert clustering_accuracy(["a", "a", "b"], [7, 7, -1]) == 1
    assert match_clusters(["a", "a", "b"], [7, 7, -1]) == {-1: "b", 7: "a"}


def test_adjusted_rand_is_the_reference_one_and_symmetric():
    rng = np.random.default_rng(0)
    true, fitted = rng.integers(0, 3, 200), rng.integers(0, 4, 200)
    assert adjusted_rand(true, fitted) == adjusted_rand_score(true, fitted)
    assert adjusted_rand(true, fitted) == pytest.approx(adjusted_rand(fitted, true))
    assert abs(adjusted_rand(true, fitted)) < 0.05


def test_labels_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match=r"found shapes \(3,\), \(2,\)"):
        clustering_accuracy([0, 1, 1], [0, 1])


# Localization ----------------------------------------------------------------------------


def square() -> np.ndarray:
    truth = np.zeros(SHAPE, bool)
    truth[2:5, 2:5] = True
    return truth


def test_the_truth_itself_is_perfect():
    found = localization(square().astype(float), square(), LUNG).iloc[0]
    assert found["iou"] == 1 and found["energy_inside"] == 1 and found["peak_inside"] == 1
    assert found["chance"] == pytest.approx(9 / 64)


def test_a_shifted_square_overlaps_by_hand():
    shifted = np.roll(square(), 1, axis=1).astype(float)
    shifted[2, 5] = 1.5  # the peak: 1 up, 2 right of the centre (3, 3)
    found = localization(shifted, square(), LUNG, spacing_mm=[2, 3]).iloc[0]
    assert found["iou"] == pytest.approx(6 / 12)
    assert found["peak_distance_mm"] == pytest.approx(np.hypot(1 * 2, 2 * 3))
    assert found["energy_inside"] == pytest.approx(6 / 9.5) and found["peak_inside"] == 0


def test_an_even_map_has_just_the_energy_of_chance():
    found = localization(np.ones(SHAPE), square(), LUNG).iloc[0]
    assert found["energy_inside"] == pytest.approx(found["chance"])


def test_only_the_lung_counts():
    mask, shown = LUNG.copy(), square().astype(float)
    mask[:, 4:] = False
    shown[:, 6] = 99.0
    found = localization(shown, square(), mask).iloc[0]
    assert found["iou"] == 1 and found["energy_inside"] == 1
    assert found["chance"] == pytest.approx(6 / 32)


def test_empty_maps_and_scans_without_a_lesion_do_not_count_as_hits():
    found = localization(
        np.stack([np.zeros(SHAPE), np.ones(SHAPE), -np.ones(SHAPE)]),
        np.stack([square(), np.zeros(SHAPE, bool), square()]),
        LUNG,
    )
    assert found["empty"].tolist() == [True, False, True]
    assert found["iou"].isna().tolist() == [False, True, False]
    assert found["iou"][0] == found["energy_inside"][0] == 0
    assert found["peak_distance_mm"].isna().all()


def test_the_nearest_of_two_lesions_is_meant_in_three_dimensions():
    truth = np.zeros((6, 7, 9), bool)
    truth[1, 1, 1] = truth[4, 5, 7] = True
    shown = np.zeros(truth.shape)
    shown[4, 5, 5] = 1.0
    found = localization(shown, truth, np.ones(truth.shape, bool), spacing_mm=3).iloc[0]
    assert found["peak_distance_mm"] == 6 and found["iou"] == 0


# Correlations ----------------------------------------------------------------------------


def test_correlations_look_inside_the_lung_only():
    rng = np.random.default_rng(0)
    maps, mask = rng.random((3, *SHAPE)), rng.random(SHAPE) > 0.5
    other = 2 * maps + 1
    other[:, ~mask] = rng.random((3, (~mask).sum()))
    np.testing.assert_allclose(map_correlation(maps, other, mask=mask), 1)
    assert (map_correlation(maps, other, mask=LUNG) < 0.95).all()
    expected = [np.corrcoef(a[mask], b[mask])[0, 1] for a, b in zip(maps, maps[::-1], strict=True)]
    np.testing.assert_allclose(map_correlation(maps, maps[::-1], mask=mask), expected)


def test_coarse_maps_are_compared_on_the_scans_grid():
    coarse = np.random.default_rng(0).random((2, 4, 4))
    np.testing.assert_allclose(map_correlation(coarse, coarse * 3, mask=LUNG), 1, rtol=1e-6)
    np.testing.assert_allclose(weight_necessity(coarse, coarse, mask=LUNG), 0, atol=1e-6)


def test_constant_maps_have_no_correlation():
    assert np.isnan(map_correlation(np.zeros((1, *SHAPE)), np.ones((1, *SHAPE)), mask=LUNG)).all()


def test_other_clusters_are_averaged_and_empty_maps_left_out():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, *SHAPE))
    maps = np.stack([[a, a, b], [a, b, np.zeros(SHAPE)], [a, 0 * a, 0 * a]])
    shared = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    np.testing.assert_allclose(
        other_cluster_correlation(maps, [0, 1, 0], mask=LUNG), [(1 + shared) / 2, shared, np.nan]
    )


# Faithfulness ----------------------------------------------------------------------------


def one_scan(**changes) -> pd.DataFrame:
    given = {"mask": LUNG, "clusters": [1], "fills": ["template"], "steps": 64, "seed": 0}
    given |= {"template": np.zeros(SHAPE)}
    table = faithfulness(SiteNetwork(), scans_of([1]), at(), **given | changes)
    return table.set_index(["order", "fill", "scale"])


def test_the_areas_under_the_curves_are_those_by_hand():
    table = one_scan()
    # The scan sits on centroid 1, 9 away (squared) from centroid 0: q = 10/11, then 1/11.
    for scale, full, none in [
        ("q", 10 / 11, 1 / 11),
        ("logit", np.log(10), -np.log(10)),
        ("margin", 9.0, -9.0),
    ]:
        row, edge = table.loc["map", "template", scale], (full + none) / 2 / 64
        assert row["deletion"] == pytest.approx(edge + none * 63 / 64)
        assert row["insertion"] == pytest.approx(edge + full * 63 / 64)
        assert row["gap"] == pytest.approx(row["insertion"] - row["deletion"])
        assert row["switch_point"] == pytest.approx(1 / 64) and row["switch_to"] == 0
        assert row["drop"] == 0 and row["gain"] == 0


def test_a_map_that_knows_the_site_beats_one_that_knows_nothing():
    gaps = one_scan()["gap"].xs("q", level="scale").droplevel("fill")
    assert gaps["map"] > gaps[["random", "blurred_random"]].max()
    # Here |scan - template| needs no network to be as good: the site is all that differs.
    assert gaps["deviation"] == pytest.approx(gaps["map"])


def test_seeing_only_the_wrong_place_loses_what_can_be_lost():
    table = faithfulness(
        SiteNetwork(),
        scans_of([1]),
        at((6, 6)),
        mask=LUNG,
        clusters=[1],
        fills=["template"],
        template=np.zeros(SHAPE),
        seed=0,
    ).set_index(["order", "scale"])
    assert table.loc[("map", "q"), "drop"] == pytest.approx(1 - (1 / 11) / (10 / 11))
    assert table.loc[("map", "margin"), "drop"] == pytest.approx(18)


def test_gain_is_a_share_of_what_was_left_to_win():
    image = scans_of([1], noise=0.0)
    image[0][SITE] = 6.0  # overshoots centroid 1: half of it would be perfect
    template = np.zeros(SHAPE)
    halved = 0.5 * at() + 0 * at()
    halved[0, 0, 0] = 1.0
    table = faithfulness(
        SiteNetwork(),
        image,
        halved,
        mask=LUNG,
        clusters=[1],
        fills=["template"],
        template=template,
        seed=0,
    ).set_index(["order", "scale"])
    before, after = 37 / 47, 10 / 11
    assert table.loc[("map", "q"), "gain"] == pytest.approx((after - before) / (1 - before))


def test_donors_compare_the_two_clusters_alone():
    sites = (SITE, (5, 5))
    model, images = SiteNetwork(sites), scans_of([1, 2], sites)
    table = faithfulness(
        model,
        images,
        np.concatenate([at(SITE), at((5, 5))]),
        mask=LUNG,
        clusters=[1, 2],
        fills=[],
        donors=images[::-1],
        steps=64,
        seed=0,
    ).set_index(["scan", "order", "scale"])
    first = table.loc[(0, "map", "q")]
    # One site pasted: at neither centroid; distances 9 and 9, so the two are even from then on
    # until the donor's own site comes over, somewhere at random among the rest.
    assert table["fill"].unique().tolist() == ["donor"]
    assert 0.05 < first["deletion"] < 0.55 < first["insertion"] < 0.95
    with pytest.raises(ValueError, match="the donor of scan 0 is itself in cluster 1"):
        faithfulness(
            model, images, at(n=2), mask=LUNG, clusters=[1, 2], fills=[], donors=images, seed=0
        )


def test_an_empty_map_is_not_judged():
    table = faithfulness(
        SiteNetwork(), scans_of([1]), np.zeros((1, *SHAPE)), mask=LUNG, clusters=[1], seed=0
    )
    mine = table[table["order"] == "map"]
    assert mine["empty"].all() and mine[["deletion", "insertion", "drop"]].isna().all(axis=None)
    assert not table[table["order"] == "random"]["empty"].any()


def test_ties_do_not_favour_a_corner():
    images = scans_of([1] * 40)
    even = np.ones((40, *SHAPE))
    even[:, 7, 7] = 2.0  # all else alike: the site must come at a random time
    table = faithfulness(
        SiteNetwork(), images, even, mask=LUNG, clusters=[1] * 40, fills=["mean"], steps=32, seed=1
    )
    points = table[(table["order"] == "map") & (table["scale"] == "q")]["switch_point"]
    assert 0.35 < points.mean() < 0.65 and points.std() > 0.15


def test_outside_the_lung_nothing_is_touched():
    mask = LUNG.copy()
    mask[SITE] = False
    table = faithfulness(
        SiteNetwork(),
        scans_of([1]),
        np.random.default_rng(0).random((1, *SHAPE)),
        mask=mask,
        clusters=[1],
        seed=0,
    )
    assert table["switch_point"].isna().all()
    areas = table[(table["scale"] == "q") & ~table["empty"]]["deletion"]
    np.testing.assert_allclose(areas, 10 / 11)


def test_neither_batch_size_nor_other_maps_change_a_measure():
    model, clusters = SiteNetwork(), [1, 0, 1]
    images, maps = scans_of(clusters, noise=0.3), np.random.default_rng(2).random((3, *SHAPE))
    given = {"mask": LUNG, "clusters": clusters, "steps": 7, "seed": 3}
    first = faithfulness(model, images, maps, batch_size=2, **given)
    again = faithfulness(model, images, {"map": maps, "more": maps}, batch_size=50, **given)
    mine = [t[t["order"] == "map"].reset_index(drop=True) for t in (first, again)]
    pd.testing.assert_frame_equal(*mine)


def test_maps_that_were_not_computed_are_not_measured():
    unknown = np.full((1, *SHAPE), np.nan)
    given = {"mask": LUNG, "clusters": [1], "seed": 0}
    with pytest.raises(ValueError, match="map 'map': expected a map of every scan, found 1 not"):
        faithfulness(SiteNetwork(), scans_of([1]), unknown, **given)
    with pytest.raises(ValueError, match="maps: expected a map of every scan, found 1 not"):
        localization(unknown, at()[0], LUNG)


def test_wrong_arguments_of_faithfulness_are_explained():
    model, images = SiteNetwork(), scans_of([1])
    given = {"mask": LUNG, "clusters": [1], "seed": 0}
    with pytest.raises(ValueError, match=r"fills must be among .* found \['air'\]"):
        faithfulness(model, images, at(), **given | {"fills": ["air"]})
    with pytest.raises(ValueError, match="map 'map': expected one for each of 1 scans, got 2"):
        faithfulness(model, images, at(n=2), **given)
    model.centroids = nn.Parameter(model.centroids.data[:1])
    with pytest.raises(ValueError, match="two clusters"):
        faithfulness(model, images, at(), **given)


def test_donors_come_from_other_clusters():
    clusters = np.array([0, 1, 1, 2, 0])
    images = np.repeat(clusters, 64).reshape(5, *SHAPE).astype(float)
    donors = draw_donors(images, clusters, seed=0)
    assert (donors[:, 0, 0] != clusters).all()
    with pytest.raises(ValueError, match="all scans are in one"):
        draw_donors(images, np.zeros(5), seed=0)


# Controls --------------------------------------------------------------------------------


def test_the_unweighted_map_is_the_sum_of_the_channels():
    model = DeepClustering(ConvAutoencoder((8, 12), channels=(2, 3, 4), n_features=3), 2)
    images = np.random.default_rng(0).normal(size=(3, 8, 12)).astype("float32")
    with torch.no_grad():
        expected = model.feature_maps(torch.as_tensor(images)).sum(dim=1)
    np.testing.assert_allclose(unweighted_map(model, images), expected, atol=1e-6)


def test_occlusion_and_gradients_find_the_site_and_nothing_else():
    model, images = SiteNetwork(), scans_of([1], noise=0.5)
    template = np.zeros(SHAPE)
    given = {"mask": LUNG, "clusters": [1]}
    shares = integrated_gradients_map(model, images, template, steps=300, **given)
    assert np.count_nonzero(shares) == 1
    assert shares[(0, *SITE)] == pytest.approx(2 * np.log(10), rel=1e-3)
    losses = occlusion_map(model, images, template, size=2, batch_size=3, **given)
    expected = np.zeros(SHAPE)
    expected[2:4, 2:4] = 2 * np.log(10)  # the block that holds the site
    np.testing.assert_allclose(losses[0], expected, rtol=1e-5, atol=1e-9)


def test_occlusion_covers_lung_only_in_three_dimensions():
    shape, site = (4, 6, 8), (1, 2, 3)
    model, image, mask = SiteNetwork([site], shape), np.zeros((1, *shape)), np.zeros(shape, bool)
    image[(0, *site)], mask[:2, :4, :4] = 3.0, True
    losses = occlusion_map(model, image, np.zeros(shape), mask=mask, clusters=[1], size=3)
    assert losses[0][~mask].max() == 0 and losses[(0, *site)] > 0
    assert np.count_nonzero(losses) == np.count_nonzero(mask[:3, :3, 3:6])


def test_the_deviation_is_zero_outside_the_lung():
    mask = LUNG.copy()
    mask[0] = False
    shown = deviation_map(np.full((1, *SHAPE), -2.0), np.ones(SHAPE), mask=mask)
    assert (shown[0][mask] == 3).all() and not shown[0][~mask].any()


def test_the_untrained_copy_forgets_the_weights_and_keeps_the_clusters():
    model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 3, 4), n_features=3), 3)
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    images, clusters = np.random.default_rng(0).normal(size=(6, 8, 8)), [0, 0, 0, 1, 1, 1]
    fresh = untrained_copy(model, images, clusters, seed=5)
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
    assert not any(torch.equal(kept[n], v) for n, v in fresh.state_dict().items())
    with torch.no_grad():
        features = fresh.encode(torch.as_tensor(images, dtype=torch.float32))
    torch.testing.assert_close(fresh.centroids.data[1], features[3:].mean(dim=0))
    torch.testing.assert_close(fresh.centroids.data[2], features.mean(dim=0))
    again = untrained_copy(model, images, clusters, seed=5)
    assert torch.equal(again.centroids, fresh.centroids)


def test_weights_that_cannot_be_drawn_afresh_are_named():
    model = SiteNetwork()
    model.reading.register_module("scaling", nn.Module())
    model.reading.scaling.factor = nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match=r"reading\.scaling.* no reset_parameters"):
        untrained_copy(model, scans_of([1]), [1], seed=0)


# Trust cards -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def card() -> pd.DataFrame:
    """Two sites, three clusters of which one is empty, noise everywhere."""
    sites = (SITE, (5, 5))
    clusters = np.repeat([1, 2], 8)
    images = scans_of(clusters, sites, noise=1.5)
    model = SiteNetwork(sites)
    with torch.no_grad():
        model.centroids[0] = 50.0
    assert (most_probable(model, images) == clusters).all()
    return trust_card(
        model, images, mask=LUNG, clusters=clusters, n_examined=8, steps=32, seed=0
    ).set_index(["kind", "cluster"])


def test_the_activation_map_of_a_network_without_cluster_channels_is_seen_through(card):
    for k in (1, 2):
        row = card.loc["activation", k]
        assert row["weight_necessity"] == pytest.approx(0, abs=1e-5)
        assert row["other_cluster_correlation"] == pytest.approx(1, abs=1e-5)
        assert row["untrained_correlation"] == pytest.approx(1, abs=1e-5)
        not_for = row["verdict"].split("Do not trust it for:")[1]
        for words in ("plain sum", "another cluster looks the same", "untrained network"):
            assert words in not_for


def test_the_contrast_map_of_the_same_network_is_trusted_where_it_should_be(card):
    for k in (1, 2):
        row = card.loc["contrast", k]
        assert row["better_than_random"] == 1 and row["n_examined"] == 8 and row["n_empty"] == 0
        assert row["gap"] > card.loc["activation", k]["gap"]
        assert row["untrained_correlation"] < 0.5
        good = row["verdict"].split("Do not trust")[0]
        assert "marking places on which the assignment depends" in good
        assert "what the network has learned" in good


def test_an_empty_cluster_has_a_card_that_says_so(card):
    row = card.loc["contrast", 0]
    assert row["n_scans"] == 0 and "nothing to explain" in row["verdict"]
    assert np.isnan(row["deletion"])


def test_maps_at_hand_are_judged_and_random_ones_not_trusted():
    clusters = np.repeat([0, 1], 10)
    images, rng = scans_of(clusters, noise=0.5), np.random.default_rng(3)
    card = trust_card(
        SiteNetwork(),
        images,
        mask=LUNG,
        clusters=clusters,
        kinds=["contrast"],
        maps={"contrast": rng.random((20, 2, *SHAPE))},
        seed=1,
    )
    for row in card.to_dict("records"):
        assert "marking places on which the assignment depends (" in row["verdict"]


def test_a_map_that_points_nowhere_inside_the_lung_is_not_judged():
    """Though it points somewhere outside: four of six are too few to be called more than luck."""
    clusters = np.repeat([0, 1], 6)
    images = scans_of(clusters, noise=0.2)
    inside = LUNG.copy()
    inside[:, -2:] = False
    maps = np.zeros((12, 2, *SHAPE))
    maps[:, :, *SITE] = 1
    maps[[6, 7]] = 0
    maps[[6, 7], :, 0, -1] = 1
    card = trust_card(
        SiteNetwork(), images, mask=inside, clusters=clusters, kinds=["contrast"],
        maps={"contrast": maps}, seed=1,
    ).set_index("cluster").loc[1]  # fmt: skip
    assert (card["n_examined"], card["n_empty"]) == (6, 2)
    assert (4 * card["better_than_random"]) % 1 == 0 and "Judged on 4 scans" in card["verdict"]
    assert "Trust it for: marking" not in card["verdict"], card["verdict"]


def test_one_cluster_cannot_be_compared():
    with pytest.raises(ValueError, match="all scans are in one"):
        trust_card(SiteNetwork(), scans_of([1, 1]), mask=LUNG, clusters=[1, 1], seed=0)
    with pytest.raises(ValueError, match="kinds must be among"):
        trust_card(
            SiteNetwork(), scans_of([0, 1]), mask=LUNG, clusters=[0, 1], kinds=["grad"], seed=0
        )


def test_a_verdict_needs_more_than_luck():
    def said(share, n):
        numbers = {"n_scans": n, "n_examined": n, "n_empty": 0, "better_than_random": share}
        return verdict(numbers)

    assert said(1.0, 8).startswith("Trust it for: marking places")
    assert said(0.75, 8).startswith("Trust it for: nothing that was tested.")  # p = .14
    assert "Judged on 4 scans: too few" in said(1.0, 4)


def test_all_empty_maps_get_their_own_words():
    numbers = {"n_scans": 9, "n_examined": 4, "n_empty": 4, "better_than_random": np.nan}
    assert verdict(numbers) == "Every examined map is empty: it says nothing about this cluster."


def test_pair_maps_that_agree_send_the_reader_to_the_amount():
    numbers = {"n_scans": 9, "n_examined": 9, "n_empty": 0, "other_cluster_correlation": 0.99}
    assert "the map for another cluster looks the same" in verdict(numbers | {"kind": "activation"})
    said = verdict(numbers | {"kind": "contrast", "better_than_random": 1.0})
    assert "read the amount in HU" in said and "Do not trust" not in said


def test_a_card_judges_maps_of_the_layer_they_were_made_at():
    model = ConvAutoencoder((16, 16), channels=(4, 6, 8), n_features=4)
    model = DeepClustering(model, 2)
    scans = np.random.default_rng(0).normal(size=(12, 16, 16)).astype("float32")
    with torch.no_grad():
        model.centroids.copy_(model.encode(torch.from_numpy(scans[:2])))
    clusters = most_probable(model, scans)
    maps = {"activation": cluster_activation_map(model, scans, layer=0)}
    options = {"mask": np.ones((16, 16), bool), "clusters": clusters, "steps": 2, "seed": 0}
    given = trust_card(model, scans, kinds=["activation"], maps=maps, layer=0, **options)
    made = trust_card(model, scans, kinds=["activation"], layer=0, **options)
    other = trust_card(model, scans, kinds=["activation"], maps=maps, **options)
    assert given["weight_necessity"].tolist() == pytest.approx(made["weight_necessity"].tolist())
    assert (other["weight_necessity"] > given["weight_necessity"] + 0.05).any()
