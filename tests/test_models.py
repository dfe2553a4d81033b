"""The network's shapes, its mirror, and its errors."""

import pytest
import torch

from clamlab.models import ConvAutoencoder, DeepClustering


@pytest.mark.parametrize(
    ("shape", "grid"),
    [((64, 64), (16, 16)), ((88, 88, 88), (11, 11, 11)), ((40, 24, 48), (5, 3, 6))],
)
def test_the_papers_sizes(shape, grid):
    model = ConvAutoencoder(shape, channels=(2, 3, 4), n_features=5)
    scans = torch.zeros(1, *shape)
    assert model.feature_maps(scans).shape == (1, 4, *grid)
    assert model(scans).shape == scans.shape


def test_the_papers_strides_in_2d():
    model = ConvAutoencoder((64, 64), channels=(2, 3, 4))
    scans = torch.zeros(1, 64, 64)
    sides = [model.feature_maps(scans, layer).shape[-1] for layer in range(3)]
    assert sides == [32, 32, 16]
    assert model.n_features == 60
    assert [block.weight.shape[-1] for block in (model.blocks[0], model.blocks[1][1])] == [4, 4]


def test_several_image_channels():
    model = ConvAutoencoder((8, 16), channels=(2, 3, 4), in_channels=3, n_features=5)
    assert model(torch.zeros(2, 3, 8, 16)).shape == (2, 3, 8, 16)


def test_a_grid_that_does_not_divide_names_the_next_that_does():
    with pytest.raises(ValueError, match=r"multiple of 8 .* next grid that does is \(96, 64, 96\)"):
        ConvAutoencoder((95, 64, 90))


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ((1, 1), {}, r"multiple of 4 .* next grid that does is \(4, 4\)"),
        ((2, 8), {}, r"multiple of 4 .* next grid that does is \(4, 8\)"),
        ((4, 4), {}, "leave a single cell .* must be 8 or more"),
        ((8, 8, 8), {}, "leave a single cell .* must be 16 or more"),
        ((0, 8), {}, r"each number in shape \(0, 8\) must be a whole number from 1 on; found 0"),
        ((-8, 8), {}, "from 1 on; found -8"),
        ((16.5, 16), {}, "from 1 on; found 16.5"),
        (16, {}, "shape must be several whole numbers; found 16"),
        ((16,), {}, "2-D or 3-D"),
        ((16, 16), {"channels": (4, 0, 8)}, r"each number in channels \(4, 0, 8\) .* found 0"),
        ((16, 16), {"channels": 32}, "channels must be several whole numbers; found 32"),
        ((16, 16), {"channels": ()}, "channels must be several whole numbers"),
        ((16, 16), {"strides": 2}, "strides must be several whole numbers; found 2"),
        ((16, 16), {"strides": (2, 3, 2)}, "one stride of 1 or 2 for each of 3"),
        ((16, 16), {"n_features": 0}, "n_features must be a whole number from 1 on; found 0"),
        ((16, 16), {"in_channels": 0}, "in_channels must be a whole number from 1 on"),
        ((16, 16), {"negative_slope": float("nan")}, "negative_slope must be a finite number"),
        ((16, 16), {"seed": -1}, "seed must be a whole number from 0 to 4294967295; found -1"),
    ],
)
def test_networks_that_cannot_be_are_refused(shape, settings, message):
    with pytest.raises(ValueError, match=message):
        ConvAutoencoder(shape, **settings)


@pytest.mark.parametrize("n_clusters", [0, -1, 2.0, "3", True])
def test_impossible_numbers_of_clusters_are_refused(n_clusters):
    with pytest.raises(ValueError, match="n_clusters must be a whole number from 1 on"):
        DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 2)), n_clusters)


def test_a_scan_of_another_grid_is_refused():
    with pytest.raises(ValueError, match=r"expected 1 channel\(s\) on the grid \(8, 8\)"):
        ConvAutoencoder((8, 8)).encode(torch.zeros(1, 8, 16))


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="3 convolutions"):
        ConvAutoencoder((8, 8)).feature_maps(torch.zeros(1, 8, 8), layer=3)


def test_before_and_after_the_activation():
    model = ConvAutoencoder((8, 8), channels=(2, 2, 2))
    scans = torch.randn(1, 8, 8)
    before, after = (model.feature_maps(scans, activated=a) for a in (False, True))
    assert before.min() < 0
    assert after.allclose(torch.where(before < 0, before * 0.01, before))


def test_features_are_linear():
    """The latent layer has no activation: it must be able to go below zero as far as above."""
    model = ConvAutoencoder((8, 8), channels=(2, 2, 2))
    scans = torch.randn(1, 8, 8)
    expected = model.to_features(model.feature_maps(scans).flatten(1))
    assert model.encode(scans).equal(expected)


def test_same_seed_same_network_and_the_callers_random_state_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, two, other = (ConvAutoencoder((8, 8), seed=s) for s in (1, 1, 2))
    assert torch.get_rng_state().equal(before)
    assert one.to_features.weight.equal(two.to_features.weight)
    assert not one.to_features.weight.equal(other.to_features.weight)


def test_permuting_centroids_permutes_assignments():
    model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 2)), 3)
    with torch.no_grad():
        model.centroids.normal_()
        scans = torch.randn(4, 8, 8)
        q = model.soft_assign(scans)
        model.centroids.copy_(model.centroids[[2, 0, 1]])
        assert model.soft_assign(scans).allclose(q[:, [2, 0, 1]])
