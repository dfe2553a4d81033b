"""From a scan to a rival: where the way begins and ends, and what lies between."""

import numpy as np
import pytest
import torch
from test_contrast import LinearNetwork, network, scans, two_sites

from clamlab.contrast import counterfactual, counterfactual_hu, way, ways_hu

SHAPE = (8, 8)


def lung():
    mask = np.zeros(SHAPE, bool)
    mask[1:7, 2:8] = True
    return mask


def test_the_way_begins_at_the_scan_and_ends_at_the_counterfactual():
    model, mask = network(3, SHAPE), lung()
    for image in scans(4, SHAPE, seed=3):
        for rival in range(3):
            steps = list(way(model, image, rival, mask=mask, steps=5))
            assert [step.fraction for step in steps] == [0, 0.25, 0.5, 0.75, 1]
            np.testing.assert_array_equal(steps[0].image, image.astype("float32"))
            end = counterfactual(model, image[None], rival, mask=mask)[0]
            np.testing.assert_allclose(steps[-1].image, end, rtol=1e-6, atol=1e-6)
            assert all((s.image[~mask] == steps[0].image[~mask]).all() for s in steps)
            assert steps[-1].soft_assignment.argmax() == rival
            with torch.no_grad():
                read = model.soft_assign(torch.as_tensor(image[None]))[0].numpy()
            np.testing.assert_allclose(steps[0].soft_assignment, read, rtol=1e-9)
            np.testing.assert_allclose(steps[0].read_again, read, rtol=1e-9)


def test_the_pictures_are_read_again_as_they_are():
    model, mask, image = network(2, SHAPE), lung(), scans(1, SHAPE)[0]
    for step in way(model, image, 1, mask=mask, steps=3):
        with torch.no_grad():
            read = model.soft_assign(torch.as_tensor(step.image[None], dtype=torch.float64))
        np.testing.assert_allclose(step.read_again, read[0].numpy(), rtol=1e-4)
        np.testing.assert_allclose(step.soft_assignment.sum(), 1)


def test_on_a_linear_network_the_middle_lies_halfway():
    """Half of the way changes a scan half as much: features, drawing and share are linear."""
    model, mask = two_sites(), np.ones((8, 6), bool)
    image = np.zeros((8, 6))
    image[2, 2] = image[4, 4] = 2.0
    first, middle, last = way(model, image, 0, mask=mask, steps=3)
    np.testing.assert_allclose(middle.image, (first.image + last.image) / 2, rtol=1e-6)
    np.testing.assert_allclose(middle.drawn, (first.drawn + last.drawn) / 2, rtol=1e-6)
    assert [step.drawn[2, 2] for step in (first, middle, last)] == pytest.approx([3, 1.5, 0])
    assert middle.image[2, 2] < 1.5  # the lesion is on its way out


def test_a_model_without_a_decoder_says_so_before_the_first_step():
    class Blind(torch.nn.Module):
        centroids = torch.zeros(2, 3)

        def encode(self, images):
            return images.flatten(1)[:, :3]

    with pytest.raises(ValueError, match="Blind has no `decode`"):
        way(Blind(), np.zeros(SHAPE), 1, mask=lung())
    with pytest.raises(ValueError, match="rival"):
        way(network(2, SHAPE), np.zeros(SHAPE), 2, mask=lung())
    with pytest.raises(ValueError, match="steps"):
        way(network(2, SHAPE), np.zeros(SHAPE), 1, mask=lung(), steps=1)
    with pytest.raises(ValueError, match="grid"):
        way(network(2, SHAPE), np.zeros(SHAPE), 1, mask=np.ones((3, 3), bool))


def test_a_step_is_worked_out_when_it_is_asked_for_and_leaves_the_model_as_it_was():
    model = network(2, SHAPE).train()
    calls, decode = [], model.autoencoder.decode
    model.autoencoder.decode = lambda features: calls.append(1) or decode(features)
    steps = way(model, scans(1, SHAPE)[0], 1, mask=lung(), steps=9)
    assert not calls
    next(steps)
    assert len(calls) == 3  # the scan, the centroid, and the first point
    assert model.training and torch.is_grad_enabled()
    next(steps)
    assert len(calls) == 4


def test_in_hu_the_way_ends_at_the_stored_counterfactual():
    model, mask = network(3, SHAPE), lung()
    images = np.where(mask, scans(2, SHAPE, seed=4), 0)
    volumes = np.where(mask, np.rint(-800 + 60 * images), 40).astype("int16")
    images = np.where(mask, (volumes + 800.0) / 60, 0)
    stored = counterfactual_hu(
        model, images, volumes, mask=mask, clusters=[0, 1], hu_per_unit=60.0,
        out=np.empty((2, 3, *SHAPE), "int16"),
    )  # fmt: skip
    ways = ways_hu(model, images, volumes, mask=mask, hu_per_unit=60.0, steps=4)
    for scan, rival in [(0, 1), (0, 2), (1, 0), (1, 2)]:
        steps = list(ways(scan, rival))
        np.testing.assert_array_equal(steps[0].image, volumes[scan])
        np.testing.assert_allclose(steps[-1].image, stored[scan, rival], atol=1)
        assert steps[0].image.dtype == np.int16
        assert (steps[0].drawn[~mask] == -1024).all()
        plain = list(way(model, images[scan], rival, mask=mask, steps=4))
        drawn = np.rint(-800 + 60 * plain[2].drawn)
        np.testing.assert_allclose(steps[2].drawn[mask], drawn[mask], atol=1)


def test_a_scan_that_sits_on_the_centroid_stays_what_it_is():
    identity = np.eye(4).reshape(4, 2, 2)
    image = np.arange(4.0).reshape(2, 2)
    model = LinearNetwork(identity, identity, [image.ravel(), image.ravel() + 5])
    for step in way(model, image, 0, mask=np.ones((2, 2), bool), steps=3):
        np.testing.assert_allclose(step.image, image, atol=1e-6)
        assert step.soft_assignment.argmax() == 0
