"""Counterfactuals and contrast maps, on linear networks whose answers are known on paper."""

import numpy as np
import pytest
import torch
from torch import nn

from clamlab.clam import upsample
from clamlab.contrast import (
    contrast_map,
    counterfactual,
    counterfactual_hu,
    integrated_gradients,
    most_probable,
    ways_hu,
)
from clamlab.contrast.counterfactuals import borne_out
from clamlab.models import ConvAutoencoder, DeepClustering

pytestmark = pytest.mark.filterwarnings("error")


class LinearNetwork(nn.Module):
    """Features are weighted sums of the image; the decoder draws them with given patterns."""

    def __init__(self, weights, patterns, centroids):
        super().__init__()
        self.weights, self.patterns, self.centroids = (
            nn.Parameter(torch.as_tensor(np.asarray(a), dtype=torch.float64))
            for a in (weights, patterns, centroids)
        )

    def encode(self, images):
        return images.flatten(1) @ self.weights.flatten(1).T

    def decode(self, features):
        return torch.tensordot(features, self.patterns, dims=1)


def two_sites(shape=(8, 6), *, blind_to_second=False) -> LinearNetwork:
    """One feature; the clusters differ at two sites, of which the encoder may see one."""
    weights, pattern = np.zeros(shape), np.zeros(shape)
    weights[(2,) * len(shape)], pattern[(2,) * len(shape)] = 1.0, 1.0
    pattern[(4,) * len(shape)] = 1.0
    if not blind_to_second:
        weights[(4,) * len(shape)] = 0.5
    return LinearNetwork(weights[None], pattern[None], [[0.0], [3.0]])


def network(n_clusters, shape) -> DeepClustering:
    model = DeepClustering(
        ConvAutoencoder(shape, channels=(3, 4, 5), n_features=6, seed=1), n_clusters
    )
    model.double()
    with torch.no_grad():
        model.autoencoder.to_features.weight *= 20  # apart as after training, not as at its start
        model.centroids[:] = model.encode(torch.as_tensor(scans(n_clusters, shape, seed=9)))
    return model


def scans(n, shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, *shape))


def log_odds(model, images, cluster, rival) -> np.ndarray:
    with torch.no_grad():
        features = model.encode(torch.as_tensor(images, dtype=model.centroids.dtype))
        distances = torch.cdist(features, model.centroids).square()
    return (torch.log1p(distances[:, rival]) - torch.log1p(distances[:, cluster])).numpy()


# Counterfactuals -------------------------------------------------------------------------


def test_a_perfect_autoencoder_gives_the_centroid_itself_inside_the_lung():
    shape = (3, 4)
    identity = np.eye(12).reshape(12, *shape)
    centroids = scans(3, (12,), seed=2)
    model = LinearNetwork(identity, identity, centroids)
    images, mask = scans(4, shape), np.zeros(shape, bool)
    mask[:2] = True
    other = counterfactual(model, images, [0, 1, 2, 0], mask=mask)
    expected = centroids[[0, 1, 2, 0]].reshape(4, *shape)
    np.testing.assert_allclose(other[:, mask], expected[:, mask], rtol=1e-6)
    np.testing.assert_array_equal(other[:, ~mask], images[:, ~mask].astype("float32"))
    assert other.dtype == np.float32


def test_what_the_decoder_cannot_draw_is_kept():
    model, mask = two_sites(), np.ones((8, 6), bool)
    image = scans(1, (8, 6))
    image[0, 2, 2] = image[0, 4, 4] = 5.0  # as drawn of a feature of 5, but its feature is 7.5
    other = counterfactual(model, image, 1, mask=mask)
    away = np.ones((8, 6), bool)
    away[2, 2] = away[4, 4] = False
    np.testing.assert_array_equal(other[:, away], image[:, away].astype("float32"))
    # Drawn as 7.5, asked for 3: between the 4.5 that is drawn and the 2 that the scan bears out.
    assert 3 - 2.5 < other[0, 2, 2] < 3 and other[0, 2, 2] == pytest.approx(
        other[0, 4, 4], rel=1e-3
    )


def test_what_is_drawn_changes_only_as_far_as_the_scan_bears_it_out():
    shape = (16, 16)
    pattern = np.zeros(shape)
    pattern[4:12, 4:12] = 1.0
    model = LinearNetwork(pattern[None] / 32, pattern[None], [[0.0], [1.0]])
    image = np.zeros((1, *shape))
    image[0, 4:12, 4:8] = 1.0  # half of the lesion is there; all of it is drawn
    other = counterfactual(model, image, 0, mask=np.ones(shape, bool))
    np.testing.assert_allclose(other[0, 6:10, 5], 0, atol=0.05)
    np.testing.assert_allclose(other[0, 6:10, 10], 0, atol=0.05)


def test_a_change_within_the_noise_is_taken_as_drawn():
    noise = scans(1, (1, 64))
    change = np.full((1, 1, 64), 0.05)
    share = borne_out(change, 20 * noise, 20 * noise + change, np.ones((1, 64), bool))
    np.testing.assert_allclose(share, 1, atol=0.1)


def test_counterfactuals_take_one_rival_or_one_each_and_any_batch_size():
    model, images, mask = network(3, (8, 16)), scans(5, (8, 16)), np.ones((8, 16), bool)
    each = counterfactual(model, images, np.full(5, 2), mask=mask, batch_size=2)
    np.testing.assert_allclose(counterfactual(model, images, 2, mask=mask), each, atol=1e-6)


def test_scans_with_a_channel_axis_are_served_alike():
    model, images, mask = network(3, (8, 16)), scans(3, (8, 16)), np.ones((8, 16), bool)
    flat = counterfactual(model, images, 1, mask=mask)
    np.testing.assert_allclose(
        counterfactual(model, images[:, None], 1, mask=mask)[:, 0], flat, atol=1e-6
    )
    own = np.zeros(3, int)
    np.testing.assert_allclose(
        contrast_map(model, images[:, None], mask=mask, clusters=own),
        contrast_map(model, images, mask=mask, clusters=own),
        rtol=1e-4,
        atol=1e-4,
    )


# Integrated gradients --------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 16), (8, 16, 24)])
def test_contributions_sum_to_the_change_of_the_log_odds(shape):
    model = network(3, shape)
    starts, ends = scans(2, shape, seed=1), scans(2, shape, seed=2)
    shares = integrated_gradients(model, starts, ends, clusters=[0, 2], rivals=1, steps=256)
    for i, cluster in enumerate((0, 2)):
        change = log_odds(model, ends, cluster, 1)[i] - log_odds(model, starts, cluster, 1)[i]
        assert abs(shares[i].sum() - change) < 0.003 * np.abs(shares[i]).sum()
        assert np.abs(shares[i]).sum() > 0.1


def test_on_a_linear_network_contributions_follow_weight_times_change():
    model = two_sites()
    start, end = np.zeros((1, 8, 6)), scans(1, (8, 6))
    shares = integrated_gradients(model, start, end, clusters=1, rivals=0, steps=200)
    change = model.weights.detach().numpy() * end
    expected = change / change.sum() * (log_odds(model, end, 1, 0) - log_odds(model, start, 1, 0))
    np.testing.assert_allclose(shares, expected, rtol=1e-3, atol=1e-12)


# Contrast maps ---------------------------------------------------------------------------


def test_two_equal_sites_share_the_evidence_by_their_weights():
    model, mask = two_sites(), np.zeros((8, 6), bool)
    mask[1:6, 1:6] = True
    image = np.zeros((1, 8, 6))
    image[0, 2, 2] = image[0, 4, 4] = 2.0  # its feature is exactly that of cluster 1
    maps = contrast_map(model, image, mask=mask, sigma=0)
    # The counterfactual lowers both sites by 3; the encoder weighs them 1 and 0.5.
    assert maps[0, 0, 2, 2] == pytest.approx(25 * 2 / 3, rel=1e-5)
    assert maps[0, 0, 4, 4] == pytest.approx(25 * 1 / 3, rel=1e-5)
    assert maps[0, 0].sum() == pytest.approx(25) and np.count_nonzero(maps[0, 0]) == 2
    np.testing.assert_allclose(maps[0, 1], maps[0, 0], rtol=1e-6)  # one rival: the cluster map


def test_no_evidence_where_the_encoder_is_blind_though_the_decoder_changes_it():
    model, mask = two_sites(blind_to_second=True), np.ones((8, 6), bool)
    image = np.zeros((1, 8, 6))
    image[0, 2, 2], image[0, 4, 4] = 3.0, 3.0
    assert abs(image - counterfactual(model, image, 0, mask=mask))[0, 4, 4] == 3.0
    maps = contrast_map(model, image, mask=mask, sigma=0)
    assert maps[0, 0, 4, 4] == 0 and maps[0, 0, 2, 2] == pytest.approx(48)


def test_evidence_against_the_own_cluster_is_left_out():
    weights = np.zeros((4, 4))
    weights[1, 1], weights[2, 2] = 1.0, -0.25
    pattern = np.abs(np.sign(weights))  # both sites are drawn brighter; one counts against
    model = LinearNetwork(weights[None], pattern[None], [[0.0], [3.0]])
    image = np.zeros((1, 4, 4))
    image[0, 1, 1] = 3.0
    maps = contrast_map(model, image, mask=np.ones((4, 4), bool), sigma=0)
    assert maps[0, 0, 2, 2] == 0 and maps[0, 0, 1, 1] == pytest.approx(16)


def three_places() -> tuple[LinearNetwork, np.ndarray]:
    """Cluster 2 has a lesion at (1, 1), cluster 1 at (3, 3), cluster 0 at (5, 5)."""
    weights = np.zeros((3, 8, 8))
    for k, place in enumerate((5, 3, 1)):
        weights[k, place, place] = 1.0
    model = LinearNetwork(weights, weights, 4 * np.eye(3))
    image = np.zeros((1, 8, 8))
    image[0, 1, 1] = 4.0
    return model, image


def test_the_cluster_map_keeps_what_speaks_against_every_rival():
    model, image = three_places()
    maps = contrast_map(model, image, mask=np.ones((8, 8), bool), sigma=0)
    # Against each rival: the own lesion is there, the rival's is not; half the evidence each.
    for rival, place in ((0, 5), (1, 3)):
        assert maps[0, rival, 1, 1] == pytest.approx(32, rel=1e-4)
        assert maps[0, rival, place, place] == pytest.approx(32, rel=1e-4)
    # Against both: only the own lesion.
    assert maps[0, 2, 1, 1] == pytest.approx(64) and np.count_nonzero(maps[0, 2]) == 1


def test_left_out_rivals_are_zero_and_do_not_shape_the_cluster_map():
    model, image = three_places()
    maps = contrast_map(model, image, mask=np.ones((8, 8), bool), rivals=[0, 2], sigma=0)
    assert not maps[0, 1].any()
    np.testing.assert_allclose(maps[0, 2], maps[0, 0], rtol=1e-5)


def test_the_smoothing_is_in_voxels_and_stays_in_the_lung():
    model, image = three_places()
    mask = np.ones((8, 8), bool)
    mask[0] = False
    model.patterns.data = model.patterns.data.clone()
    model.patterns.data[2, 1, 2] = 1.0  # drawn beside the lesion, where the encoder is blind
    image[0, 1, 2] = 4.0
    maps = contrast_map(model, image, mask=mask, sigma=1.0)
    assert not maps[:, :, ~mask].any()
    np.testing.assert_allclose(maps[0, :, mask].mean(axis=0), 1, rtol=1e-5)
    assert maps[0, 0, 1, 2] / maps[0, 0, 1, 1] == pytest.approx(np.exp(-0.5), rel=0.02)


@pytest.mark.parametrize(("n_clusters", "shape"), [(2, (8, 16)), (3, (8, 16, 24))])
def test_batch_size_and_order_of_scans_change_nothing(n_clusters, shape):
    model, images = network(n_clusters, shape), scans(3, shape)
    mask = scans(1, shape, seed=3)[0] > -0.5
    maps = contrast_map(model, images, mask=mask, batch_size=8)
    assert maps.shape == (3, n_clusters, *shape) and maps.dtype == np.float32
    np.testing.assert_allclose(
        contrast_map(model, images, mask=mask, batch_size=3), maps, rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        contrast_map(model, images[::-1], mask=mask)[::-1], maps, rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(maps[..., mask].mean(axis=-1), 1, rtol=1e-4)


def test_permuted_clusters_give_permuted_maps():
    model, images, mask = network(3, (8, 16)), scans(2, (8, 16)), np.ones((8, 16), bool)
    own, maps = most_probable(model, images), contrast_map(model, images, mask=mask)
    order = [2, 0, 1]
    with torch.no_grad():
        model.centroids.copy_(model.centroids[order].clone())
    assert [order[k] for k in most_probable(model, images)] == own.tolist()
    again = contrast_map(model, images, mask=mask)
    np.testing.assert_allclose(again, maps[:, order], rtol=1e-4, atol=1e-4)


def test_indistinguishable_clusters_give_zero_maps_and_a_warning():
    model, images = network(3, (8, 16)), scans(2, (8, 16))
    with torch.no_grad():
        model.centroids[2] = model.centroids[0]
    mask, own = np.ones((8, 16), bool), np.zeros(2, int)
    with pytest.warns(UserWarning, match="2 contrast maps hold no evidence"):
        maps = contrast_map(model, images, mask=mask, clusters=own)
    assert not maps[:, 2].any() and np.isfinite(maps).all()
    np.testing.assert_allclose(maps[:, 0], maps[:, 1], rtol=1e-5)  # the other rival still speaks
    maps[1] = np.nan  # a run that goes on tells of what stood already, too
    with pytest.warns(UserWarning, match="2 contrast maps hold no evidence"):
        contrast_map(model, images, mask=mask, clusters=own, out=maps)


def test_a_scan_on_its_rivals_side_has_no_nan():
    model, image = three_places()
    with pytest.warns(UserWarning, match="hold no evidence"):
        maps = contrast_map(model, 0 * image, mask=np.ones((8, 8), bool), clusters=[0], sigma=0)
    assert np.isfinite(maps).all()


def test_an_interrupted_run_resumes():
    model, images, mask = network(2, (8, 16)), scans(3, (8, 16)), np.ones((8, 16), bool)
    maps = contrast_map(model, images, mask=mask)
    stored = maps.copy()
    stored[1] = np.nan
    stored[2] = 7.0  # done: kept as it is
    assert contrast_map(model, images, mask=mask, out=stored) is stored
    np.testing.assert_allclose(stored[:2], maps[:2])
    assert (stored[2] == 7.0).all()


def test_the_network_is_left_as_it_was():
    model, images, mask = network(2, (8, 16)).train(), scans(2, (8, 16)), np.ones((8, 16), bool)
    before = [p.detach().clone() for p in model.parameters()]
    contrast_map(model, images, mask=mask)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mask": np.ones((4, 4), bool)}, "the mask has the grid"),
        ({"mask": np.zeros((8, 16), bool)}, "the mask is empty"),
        ({"clusters": [0, 5]}, "every cluster must be from 0 to 1, found"),
        ({"clusters": [0]}, "one cluster for each of 2 scans"),
        ({"clusters": [0, 0], "rivals": [0]}, "cluster 0 has no rival"),
        ({"steps": 0}, "steps must be a whole number from 1 on; found 0"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1 on; found 0"),
        ({"sigma": -1}, "sigma must be a finite number, 0 or more; found -1"),
    ],
)
def test_wrong_arguments_are_explained(changes, said):
    model, images = network(2, (8, 16)), scans(2, (8, 16))
    with pytest.raises(ValueError, match=said):
        contrast_map(model, images, **{"mask": np.ones((8, 16), bool), **changes})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_scan_without_numbers_is_named(value):
    model, images, mask = network(2, (8, 16)), scans(3, (8, 16)), np.ones((8, 16), bool)
    images[1, 2, 3] = value
    own, hu = np.zeros(3, int), np.zeros((3, 8, 16), "int16")
    out = np.zeros((3, 2, 8, 16), "int16")
    for work in (
        lambda: contrast_map(model, images, mask=mask),
        lambda: contrast_map(model, images, mask=mask, clusters=own),
        lambda: contrast_map(model, images, mask=mask, clusters=own, n_jobs=2),
        lambda: counterfactual(model, images, 1, mask=mask),
        lambda: counterfactual(model, images, 1, mask=mask, batch_size=1),
        lambda: counterfactual_hu(
            model, images, hu, mask=mask, clusters=own, hu_per_unit=100.0, out=out
        ),
        lambda: most_probable(model, images),
        lambda: integrated_gradients(model, 0 * scans(3, (8, 16)), images, clusters=0, rivals=1),
    ):
        with pytest.raises(ValueError, match=rf"scan in row 1 \(.*holds {value} at voxel \(2, 3\)"):
            work()


def test_a_network_without_numbers_is_named():
    model, images, mask = network(2, (8, 16)), scans(2, (8, 16)), np.ones((8, 16), bool)
    with torch.no_grad():
        model.autoencoder.up_blocks[0].bias[0] = np.nan
    own, said = np.zeros(2, int), r"row 0 .*up_blocks\.0\.bias hold NaN"
    with pytest.raises(ValueError, match=said):
        contrast_map(model, images, mask=mask, clusters=own)
    with pytest.raises(ValueError, match=said):
        counterfactual(model, images, 1, mask=mask)


def test_a_subclass_that_assigns_in_its_own_way_is_asked():
    class Surer(DeepClustering):
        def soft_assign(self, images):
            q = super().soft_assign(images).square()
            return q / q.sum(dim=1, keepdim=True)

    model, images = network(2, (8, 16)), scans(2, (8, 16))
    asked = {"clusters": 0, "rivals": 1}
    plain = integrated_gradients(model, 0 * images, images, **asked)
    model.__class__ = Surer  # its log-odds are twice those of eq. 4
    found = integrated_gradients(model, 0 * images, images, **asked)
    np.testing.assert_allclose(found, 2 * plain, rtol=1e-4, atol=1e-6)


def test_arrays_as_a_study_gives_them_are_read_without_a_warning(tmp_path):
    model = network(3, (8, 8))
    given = {
        "images": scans(3, (8, 8)),
        "hu": np.full((3, 8, 8), -800, "int16"),
        "mask": np.ones((8, 8), bool),
        "maps": np.zeros((3, 3, 2, 2), "float32"),
    }
    for name, array in given.items():
        np.save(tmp_path / f"{name}.npy", array)
        given[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    images, mask = given["images"], given["mask"]
    contrast_map(model, images, mask=mask)
    counterfactual(model, images, [1, 0, 0], mask=mask)
    out = np.empty((3, 3, 8, 8), "int16")
    counterfactual_hu(
        model, images, given["hu"], mask=mask, clusters=[0, 1, 2], hu_per_unit=300, out=out
    )
    way = ways_hu(model, images, given["hu"], mask=mask, hu_per_unit=300)
    assert len(list(way(0, 1))) == 9
    assert upsample(given["maps"], (8, 8)).shape == (3, 3, 8, 8)
