"""Maps are right for whatever network: the quick way is taken only where it is proved true."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from clamlab.clam import channel_confidence, cluster_activation_map
from clamlab.clam.passes import AGREE, can_be_quick, quick_confidence
from clamlab.clam.quick_passes.masks import mask_heights
from clamlab.clam.quick_passes.proof import is_as_built
from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.training import fit_clusters, load_clustering, weights_of
from exactness import (
    CHANGED,
    HU,
    OWN,
    SHAPE,
    WIDTH,
    changed,
    cohort,
    compare,
    literal,
    network,
    on_z_scale,
    trained,
)

GOAL = 1e-5
WHOLE = {"2-D, few channels", "2-D, two convolutions", "3-D, cells apart"}
# On it no trace is left; that the two ways disagree shows it.
WITHOUT_TRACE = {"encode of the class replaced": "quick, 1 in double"}


def assert_exact(told, way):
    assert told["way taken"] == way
    assert told["largest error, confidence"] < GOAL
    assert told["largest error, map"] < GOAL
    assert told["spread of confidence"] > 0.01  # the comparison means something


@pytest.mark.parametrize("name", OWN)
def test_our_own_networks_take_the_quick_way_where_it_is_open(name):
    settings = OWN[name]
    hu = cohort(settings["shape"], 6, 0, in_channels=settings.get("in_channels", 1))
    scans = on_z_scale(hu)
    told = compare(network(scans, **settings), scans[2:3])
    assert_exact(told, "plain" if name in WHOLE else "quick")


@pytest.mark.parametrize("name", CHANGED)
def test_a_network_with_one_thing_changed_goes_whole(name):
    scans = on_z_scale(cohort(SHAPE, 6, 0))
    with changed(name, scans) as model:
        assert_exact(compare(model, scans[2:3]), WITHOUT_TRACE.get(name, "plain"))


@pytest.mark.filterwarnings("ignore:.*clusters are empty")
@pytest.mark.parametrize("seed", [1, 4])
def test_unscaled_hu_with_features_too_large_for_single_precision(seed):
    scans = cohort(SHAPE, 12, seed)
    model = trained(scans, SHAPE, seed=seed, n_clusters=6)
    exact = np.array([literal(model, scan, background=HU)[0] for scan in scans[::4]])
    errors, sure = [], []
    for scan, alpha in zip(torch.from_numpy(scans[::4]), exact, strict=True):
        with torch.no_grad():
            heights = mask_heights(model.feature_maps(scan[None])[0][:, None], SHAPE)
            quick, agrees = quick_confidence(model, scan[None], heights, HU)
        errors.append(np.abs(quick.numpy().T - alpha).max())
        sure.append(agrees)
    assert max(errors) > 5 * AGREE  # the quick way alone is off
    assert all(error < 5 * AGREE for error, agrees in zip(errors, sure, strict=True) if agrees)
    assert np.abs(channel_confidence(model, scans[::4], background=HU) - exact).max() < GOAL / 2


def test_channels_far_above_their_own_differences():
    scans = on_z_scale(cohort(SHAPE, 6, 0))
    for width, kind in ((WIDTH, "quick"), ((4, 5, 6), "plain")):
        model = network(scans, SHAPE, channels=width)
        model.blocks[-1].bias.add_(3)
        model.centroids.copy_(model.encode(torch.from_numpy(scans[[0, 1, -1]])))
        assert_exact(compare(model, scans[2:3]), f"{kind}, 1 in double")


def test_networks_stay_as_built_through_whatever_keeps_their_numbers():
    scans = on_z_scale(cohort(SHAPE, 6, 0))
    model = network(scans, SHAPE)
    trained_further, _ = fit_clusters(model.autoencoder, scans, 2, epochs=1, progress=False)
    loaded = load_clustering(weights_of(model), {**model.config, "scaling": {}})
    for same in (
        model.train(),
        model.requires_grad_(True),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        trained_further,
        loaded,
        model.double().float(),
    ):
        assert can_be_quick(same, -1)
    assert not can_be_quick(copy.deepcopy(model).half(), -1)


def test_whatever_is_added_shows():
    model = DeepClustering(ConvAutoencoder((8, 8), channels=(2, 2, 4), n_features=3), 2)
    assert is_as_built(model)
    for change in (
        lambda m: setattr(m, "note", "mine"),
        lambda m: setattr(m.autoencoder, "shape", (8, 16)),
        lambda m: m.config.update(channels=[2, 2, 5]),
        lambda m: m.autoencoder.config.update(strides=[1, 2, 2]),
        lambda m: setattr(m.autoencoder, "config", None),
        lambda m: m.blocks[0].register_buffer("more", torch.zeros(1)),
        lambda m: setattr(m.blocks[0], "bias", None),
        lambda m: setattr(m.blocks[0], "dilation", (2, 2)),
        lambda m: setattr(m.autoencoder, "to_features", nn.Identity()),
        lambda m: m.blocks[1][0].register_forward_pre_hook(lambda *_: None),
        lambda m: m.blocks[0].register_full_backward_hook(lambda *_: None),
    ):
        other = copy.deepcopy(model)
        change(other)
        assert not is_as_built(other)
    assert is_as_built(model)
    assert not is_as_built(None)


def test_a_method_replaced_by_one_that_works_in_single_precision_only():
    scans = on_z_scale(cohort(SHAPE, 6, 0))
    model = network(scans, SHAPE)
    original = model.encode
    expected = literal(of_larger_features(model), scans[2])[0]
    model.encode = lambda images: 1.1 * original(images)  # holds on to this very network
    found = channel_confidence(model, scans[2:3])[0]
    assert np.abs(found - expected).max() < GOAL


def of_larger_features(model):
    model = copy.deepcopy(model)
    model.autoencoder.to_features.weight.mul_(1.1)
    model.autoencoder.to_features.bias.mul_(1.1)
    return model


class SingleOnly(nn.Module):
    """Two channels that hardly vary, and nothing that can be had in double precision."""

    def __init__(self):
        super().__init__()
        self.centroids = nn.Parameter(torch.tensor([[0.0], [1.0]]))
        self.weight = torch.ones(16, 1)  # no parameter: it stays in single precision

    def encode(self, images):
        return images.flatten(1) @ self.weight

    def feature_maps(self, images, layer=-1, activated=True):
        return 1000 + torch.arange(8).reshape(1, 2, 2, 2) * self.encode(images).mean()


def test_where_single_precision_is_not_enough_and_double_cannot_be_had_it_says_so():
    model, scan = SingleOnly(), np.ones((1, 4, 4), "float32")
    with pytest.warns(UserWarning, match="may be off by more than 1e-5"):
        alpha = channel_confidence(model, scan)
    with pytest.warns(UserWarning, match="may be off by more than 1e-5"):
        cluster_activation_map(model, scan, confidence=alpha)
