"""Cluster activation maps against a literal float64 loop from eq. 8 and 9, and the known traps."""

import copy

import numpy as np
import pytest
import torch
from joblib import parallel_config
from torch import nn

from clamlab.clam import (
    channel_confidence,
    clam_forecast,
    cluster_activation_map,
    cluster_average,
    importance,
    own_importance,
    population_average,
    upsample,
)
from clamlab.clam.maps import is_empty
from clamlab.clam.passes import can_be_quick, confidence_under_masks
from clamlab.models import ConvAutoencoder, DeepClustering


def network(shape, n_clusters=3, seed=0, **settings):
    """A network whose centroids lie among the features, so that confidences really differ."""
    settings = {"channels": (4, 5, 6), **settings}
    model = DeepClustering(ConvAutoencoder(shape, seed=seed, **settings), n_clusters)
    scans = images(shape, n_clusters, seed=1)
    with torch.no_grad():
        model.centroids.copy_(model.encode(torch.from_numpy(scans)))
        scale = 12 / torch.pdist(model.centroids).min()
        for layer in (model.autoencoder.to_features.weight, model.autoencoder.to_features.bias):
            layer.mul_(scale)
        model.centroids.mul_(scale)
    return model


def images(shape, n=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype("float32")


def literal(model, image):
    """Eq. 8 and 9 read word by word, one channel at a time, in float64."""
    model = copy.deepcopy(model).double()
    x = torch.from_numpy(image).double()
    channels = model.feature_maps(x[None])[0].detach()
    n_dims = channels.ndim - 1
    mode = {2: "bilinear", 3: "trilinear"}[n_dims]
    alphas = []
    for channel in channels:
        mask = nn.functional.interpolate(channel[None, None], x.shape, mode=mode)[0, 0]
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        alphas.append(model.soft_assign((x * mask)[None])[0].detach().numpy())
    alpha = np.array(alphas).T
    return alpha, np.tensordot(alpha, channels.numpy(), axes=1)


def assert_literal(model, scans, alpha):
    """Hold confidences, and the maps they make, against the literal loop."""
    sums = cluster_activation_map(model, scans, confidence=alpha)
    for i, scan in enumerate(scans):
        expected_alpha, expected_sums = literal(model, scan)
        assert np.abs(alpha[i] - expected_alpha).max() < 5e-5
        found = importance(sums)[i]
        assert np.abs(found - importance(expected_sums[None])[0]).max() < 1e-5
    assert alpha.std() > 0.02  # the comparison means something


@pytest.mark.parametrize("shape", [(16, 16), (16, 24), (8, 16, 24)])
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_exact_against_the_literal_loop(shape, batch_size):
    model, scans = network(shape), images(shape)
    alpha = channel_confidence(model, scans, batch_size=batch_size)
    assert_literal(model, scans, alpha)


@pytest.mark.parametrize(
    ("shape", "strides"),
    [((32, 32), None), ((16, 40), None), ((32, 48), (2, 2, 2)), ((16, 24, 32), None)],
)
def test_what_masks_share_gives_the_same_as_the_literal_loop(shape, strides):
    """Lungs in the middle, so that some places see nothing; enough channels to make it pay."""
    model = network(shape, channels=(6, 7, 44), strides=strides)
    scans = images(shape)
    middle = tuple(slice(side // 5, -side // 6) for side in shape)
    lungs = np.zeros(shape, bool)
    lungs[middle] = True
    scans[:, ~lungs] = 0
    assert can_be_quick(model, -1)
    alpha = channel_confidence(model, scans)
    assert_literal(model, scans, alpha)


@pytest.mark.parametrize("in_channels", [1, 2])
def test_both_ways_agree_whatever_the_background_and_the_image_channels(in_channels):
    model = network_of_channels(in_channels)
    scan = torch.randn(1, in_channels, 16, 16)
    channels = torch.rand(50, 1, 4, 4)
    channels[7], channels[8] = 0.5, 0.1  # mask nothing; 0.1, enlarged, is rounded here and there
    assert can_be_quick(model, -1)
    for image in (scan, torch.full_like(scan, -1.5)):  # the second sees nothing but background
        asked = {"background": -1.5, "batch_size": 8}
        shared, sure = confidence_under_masks(model, image, channels, quick=True, **asked)
        whole, _ = confidence_under_masks(model, image, channels, quick=False, **asked)
        assert sure
        assert torch.allclose(shared, whole, atol=1e-6)
        assert not whole[7:9].any()
        assert whole[9].all()


def network_of_channels(in_channels):
    model = DeepClustering(
        ConvAutoencoder((16, 16), channels=(4, 5, 50), in_channels=in_channels), 3
    )
    with torch.no_grad():
        nn.init.normal_(model.centroids)
    return model.requires_grad_(False)


def test_networks_of_other_make_pass_whole():
    model = network((16, 16), channels=(50, 50, 50))
    assert can_be_quick(model, -1)
    assert can_be_quick(model, 2)
    assert not can_be_quick(model, 1)  # of another grid
    assert not can_be_quick(model, 3)
    assert not can_be_quick(model, -1, preview=20)
    assert not can_be_quick(model.double(), -1)
    assert not can_be_quick(Constructed([[[1.0]]], [[0.5], [2.5]]), -1)
    assert not can_be_quick(network((16, 16), channels=(4, 50), strides=(2, 2)), -1)


def test_no_softmax_over_channels():
    """Under one, no two weights of eq. 8 could differ by more than a factor of e."""
    alpha = channel_confidence(network((16, 16)), images((16, 16)))
    assert alpha.max() / alpha.min() > np.e
    assert alpha.sum(axis=1) == pytest.approx(1)  # over clusters they are probabilities


def test_any_layer():
    model, scans = network((16, 16)), images((16, 16))
    for layer, (n, side) in enumerate([(4, 8), (5, 8), (6, 4)]):
        assert channel_confidence(model, scans, layer=layer).shape == (2, 3, n)
        assert cluster_activation_map(model, scans, layer=layer).shape == (2, 3, side, side)


class Constructed(nn.Module):
    """Two channels given by hand; the feature is the mean brightness that a mask lets through."""

    def __init__(self, channels, centroids):
        super().__init__()
        self.channels = torch.tensor(channels)
        self.centroids = nn.Parameter(torch.tensor(centroids))

    def encode(self, scans):
        return scans.mean(dim=(1, 2), keepdim=False)[:, None]

    def feature_maps(self, scans, layer=-1, activated=True):
        return self.channels.expand(len(scans), *self.channels.shape)


def test_confidence_worked_on_paper():
    # The left channel lets the left half of a scan of ones through: brightness 1/2.
    left, right = [[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]
    model = Constructed([left, right], [[0.5], [2.5]])
    alpha = channel_confidence(model, [[[1.0, 5.0], [1.0, 5.0]]])
    # q of brightness 1/2: kernels 1 and 1/5; of brightness 5/2 the other way round.
    assert alpha[0].tolist() == [pytest.approx([5 / 6, 1 / 6]), pytest.approx([1 / 6, 5 / 6])]


def test_a_constant_channel_weighs_nothing():
    constant, left = [[3.0, 3.0], [3.0, 3.0]], [[1.0, 0.0], [1.0, 0.0]]
    scan = [[[1.0, 1.0], [1.0, 1.0]]]
    both = Constructed([constant, left], [[0.5], [9.0]])
    alone = Constructed([left], [[0.5], [9.0]])
    assert channel_confidence(both, scan)[0, :, 0].tolist() == [0, 0]
    assert (cluster_activation_map(both, scan) == cluster_activation_map(alone, scan)).all()


def test_tiny_channels_mask_as_fully_as_large_ones():
    left = np.array([[1.0, 0.0], [1.0, 0.0]], "float32")
    scan = [[[1.0, 5.0], [1.0, 5.0]]]
    alphas = [
        channel_confidence(Constructed([(left * size).tolist()], [[0.5], [2.5]]), scan)
        for size in (1, 1e-9)
    ]
    assert alphas[0] == pytest.approx(alphas[1])


def test_a_masked_out_voxel_takes_the_background():
    """Shifting scan, background and decision together must change nothing."""
    left = [[1.0, 0.0], [1.0, 0.0]]
    scan = np.array([[[1.0, 5.0], [1.0, 5.0]]])
    plain = channel_confidence(Constructed([left], [[0.5], [2.5]]), scan)
    shifted = channel_confidence(Constructed([left], [[7.5], [9.5]]), scan + 7, background=7)
    assert shifted == pytest.approx(plain)


def test_maps_that_are_nowhere_positive_stay_zero_and_are_counted():
    maps = np.array([[[[-1.0, -2.0]], [[0.0, 0.0]], [[4.0, 2.0]]]])
    scaled = importance(maps)
    assert np.isfinite(scaled).all()
    assert scaled[0, :2].max() == 0
    assert scaled[0, 2].tolist() == [[1.0, 0.0]]
    assert is_empty(maps).tolist() == [[True, True, False]]


def test_permuting_centroids_permutes_maps():
    model, scans = network((16, 16)), images((16, 16))
    before = cluster_activation_map(model, scans)
    with torch.no_grad():
        model.centroids.copy_(model.centroids[[2, 0, 1]])
    assert cluster_activation_map(model, scans) == pytest.approx(before[:, [2, 0, 1]])


def test_a_preview_weighs_the_most_varied_channels_exactly_and_the_others_by_their_mean():
    model, scans = network((16, 16)), images((16, 16))
    exact, preview = channel_confidence(model, scans), channel_confidence(model, scans, preview=2)
    with torch.no_grad():
        spread = model.feature_maps(torch.from_numpy(scans)).flatten(2).var(dim=2).numpy()
    for i in range(len(scans)):
        first, second, *others = np.argsort(-spread[i])
        weighed = exact[i][:, [first, second]]
        np.testing.assert_allclose(preview[i][:, [first, second]], weighed, rtol=1e-5)
        means = np.repeat(weighed.mean(axis=1, keepdims=True), len(others), axis=1)
        np.testing.assert_allclose(preview[i][:, others], means, rtol=1e-5)
    np.testing.assert_array_equal(channel_confidence(model, scans, preview=6), exact)


def test_nothing_is_left_behind_in_the_model():
    model, scans = network((16, 16)), images((16, 16))
    model.train()
    before = copy.deepcopy(model.state_dict())
    channel_confidence(model, scans)
    assert model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules())


def test_processes_give_the_same_and_resume_skips_what_is_done():
    model, scans = network((16, 16)), images((16, 16), 4)
    expected = channel_confidence(model, scans)
    with parallel_config(backend="loky"):
        assert (channel_confidence(model, scans, n_jobs=2) == expected).all()
    out = np.full_like(expected, np.nan)
    out[1] = 0.25
    channel_confidence(model, scans, out=out)
    assert (out[1] == 0.25).all()
    assert (out[[0, 2, 3]] == expected[[0, 2, 3]]).all()


def test_a_dask_cluster_gives_the_same():
    distributed = pytest.importorskip("dask.distributed")
    model, scans = network((16, 16)), images((16, 16), 3)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        parallel_config(backend="dask"),
    ):
        found = channel_confidence(model, scans, n_jobs=-1)
    assert (found == channel_confidence(model, scans)).all()


def test_averages_are_means_even_where_clusters_differ_in_size():
    maps = np.array([[[0, 1.0], [1, 0.0]], [[1, 0.0], [0, 1.0]], [[0, 1.0], [0, 1.0]]])
    clusters = [0, 0, 1]
    assert cluster_average(maps, clusters).tolist() == [[0.5, 0.5], [0, 1]]
    assert population_average(maps, clusters).tolist() == pytest.approx([1 / 3, 2 / 3])
    by_cluster = population_average(maps, clusters, weighting="clusters")
    assert by_cluster.tolist() == pytest.approx([0.25, 0.75])


def test_an_empty_cluster_has_no_average_and_spoils_no_other():
    maps = np.array([[[0, 1.0], [1, 0.0]]])
    assert np.isnan(cluster_average(maps, [0])[1]).all()
    assert population_average(maps, [0], weighting="clusters").tolist() == [0, 1]


def test_clusters_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        own_importance(np.zeros((1, 2, 3)), [2])


def test_upsampling_overshoots_nowhere_and_averages_like_the_small_maps():
    maps = np.random.default_rng(0).random((5, 3, 4, 2)).astype("float32")
    large = upsample(maps, (12, 16, 8))
    assert large.min() >= maps.min()
    assert large.max() <= maps.max()
    assert upsample(maps.mean(axis=0), (12, 16, 8)) == pytest.approx(large.mean(axis=0), abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_scan_without_numbers_is_named(value):
    model, scans = network((16, 16)), images((16, 16), 4)
    scans[2, 3, 4] = value
    said = rf"scan in row 2 \(counted from 0\) holds {value} at voxel \(3, 4\)"
    out = np.full((4, 3, 6), np.nan, "float32")
    with pytest.raises(ValueError, match=said):
        channel_confidence(model, scans, out=out)
    assert np.isfinite(out[:2]).all()  # what was done before is kept
    with pytest.raises(ValueError, match=said):
        channel_confidence(model, scans, n_jobs=2)
    with pytest.raises(ValueError, match=said):
        cluster_activation_map(model, scans)
    with pytest.raises(ValueError, match=said):
        cluster_activation_map(model, scans, confidence=np.ones((4, 3, 6)))
    with pytest.raises(ValueError, match="row 0"):
        clam_forecast(model, scans[2:])


@pytest.mark.parametrize("channels", [(4, 5, 6), (6, 7, 44)])
def test_a_network_without_numbers_is_named(channels):
    model, scans = network((16, 16), channels=channels), images((16, 16))
    with torch.no_grad():
        model.autoencoder.to_features.bias[1] = torch.nan
    with pytest.raises(ValueError, match=r"row 0 .*autoencoder\.to_features\.bias hold NaN"):
        channel_confidence(model, scans)
    with torch.no_grad():
        model.blocks[0].bias[1] = torch.nan
    with pytest.raises(ValueError, match=r"row 0 .*blocks\.0\.bias hold NaN"):
        cluster_activation_map(model, scans, confidence=np.ones((2, 3, channels[-1])))


def test_confidences_that_are_not_filled_yet_make_no_map():
    model, scans = network((16, 16)), images((16, 16))
    confidence = np.ones((2, 3, 6))
    confidence[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="row 1 of the confidences .* fill it first"):
        cluster_activation_map(model, scans, confidence=confidence)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 on; found 0"),
        ({"preview": 0}, "preview must be a whole number from 1 on; found 0"),
        ({"layer": 3}, "3 convolutions"),
        ({"layer": "last"}, "layer 'last' does not exist"),
        ({"layer": 1.0}, "layer 1.0 does not exist"),
        ({"background": np.nan}, "background must be a finite number; found nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        channel_confidence(network((16, 16)), images((16, 16)), **settings)
    with pytest.raises(ValueError, match="number of scans must be a whole number from 1 on"):
        channel_confidence(network((16, 16)), images((16, 16), 0))


def test_every_part_keeps_its_own_mode():
    model = network((16, 16)).train()
    model.blocks[0].eval()  # frozen by its owner
    channel_confidence(model, images((16, 16)))
    assert model.training
    assert not model.blocks[0].training
