"""Soft assignment, target and loss against numbers worked by hand (eq. 4, 6, 7)."""

import numpy as np
import pytest
import torch

from clamlab.clustering import (
    clustering_loss,
    log_soft_assignment,
    soft_assignment,
    target_distribution,
)


def test_soft_assignment_by_hand():
    # Squared distances 0, 1 and 4, so kernels 1, 1/2 and 1/5.
    q = soft_assignment(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0], [1, 0], [0, 2]]))
    assert q[0].tolist() == pytest.approx([10 / 17, 5 / 17, 2 / 17])


def test_far_away_scans_keep_a_probability():
    # 1 + d^2 passes the largest float16, and its square the largest float32.
    q = soft_assignment(torch.tensor([[1e6]]), torch.tensor([[0.0], [5e5]]))
    assert q[0].tolist() == pytest.approx([0.2, 0.8], abs=1e-5)


def test_target_by_hand_with_unequal_columns():
    q = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.4, 0.3, 0.3]])
    expected = q**2 / q.sum(axis=0)
    expected /= expected.sum(axis=1, keepdims=True)
    p = target_distribution(torch.from_numpy(q))
    assert p.numpy() == pytest.approx(expected)
    assert p[0, 0].item() == pytest.approx(0.64 / 2.0 / (0.64 / 2.0 + 0.01 / 0.9 + 0.01 / 1.1))


def test_target_belongs_to_the_cohort_not_to_the_batch():
    q = torch.tensor([[0.7, 0.3], [0.9, 0.1], [0.8, 0.2], [0.45, 0.55]])
    whole = target_distribution(q)
    halves = torch.cat([target_distribution(q[:2]), target_distribution(q[2:])])
    assert (whole - halves).abs().max() > 0.02
    assert target_distribution(q[:1]).allclose(q[:1])  # one scan alone is not sharpened at all
    order = torch.tensor([2, 0, 3, 1])
    assert target_distribution(q[order]).allclose(whole[order])


def test_target_has_no_gradient_and_survives_an_empty_cluster():
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    p = target_distribution(q)
    assert not p.requires_grad
    assert p.tolist() == [[1, 0], [1, 0]]


def test_loss_is_the_divergence_of_p_from_q_in_value():
    p, q = torch.tensor([[0.9, 0.1], [0.5, 0.5]]), torch.tensor([[0.6, 0.4], [0.5, 0.5]])
    by_hand = 0.9 * np.log(0.9 / 0.6) + 0.1 * np.log(0.1 / 0.4)
    assert clustering_loss(p, q.log()).tolist() == pytest.approx([by_hand, 0])


def test_log_soft_assignment_is_its_logarithm():
    z, centroids = torch.randn(5, 3), torch.randn(4, 3)
    assert log_soft_assignment(z, centroids).exp().allclose(soft_assignment(z, centroids))
