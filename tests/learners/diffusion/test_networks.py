"""Networks of many agents at once, against the single network among the parts, and against differences."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.learners.diffusion import networks
from mfgsolve.parts.functions import MLP

SIZES = (3, 5, 4, 2)


def test_each_is_the_single_network_of_the_parts():
    rng = np.random.default_rng(0)
    singles = [MLP(SIZES, rng) for _ in range(4)]
    held = np.stack([np.concatenate([p.ravel() for p in one.parameters]) for one in singles])
    assert held.shape == (4, networks.size(SIZES))
    inputs, targets = rng.normal(size=(4, 7, 3)), rng.normal(size=(4, 7, 2))
    net = networks.layers(held, SIZES)
    passed = networks.forward(net, inputs)
    slope = networks.backward(net, passed, (passed[-1] - targets) / 7)
    for k, one in enumerate(singles):
        np.testing.assert_allclose(networks.outputs(net, inputs)[k], one.value(inputs[k]), atol=1e-13)
        _, wanted = one.loss_and_gradient(inputs[k], targets[k])
        np.testing.assert_allclose(slope[k], np.concatenate([g.ravel() for g in wanted]), atol=1e-13)


def test_gradients_are_differences():
    rng = np.random.default_rng(1)
    held, inputs, push = (
        rng.normal(size=(2, networks.size(SIZES))),
        rng.normal(size=(2, 6, 3)),
        rng.normal(size=(2, 6, 2)),
    )

    def total(at):
        return (networks.outputs(networks.layers(at, SIZES), inputs) * push).sum(axis=(1, 2))

    net = networks.layers(held, SIZES)
    slope = networks.backward(net, networks.forward(net, inputs), push)
    for j in rng.integers(held.shape[1], size=12):
        step = np.zeros(held.shape[1])
        step[j] = 1e-6
        np.testing.assert_allclose(slope[:, j], (total(held + step) - total(held - step)) / 2e-6, atol=1e-6)


def test_layers_are_views():
    held = np.zeros((2, networks.size(SIZES)))
    for weights, biases in networks.layers(held, SIZES):
        weights += 1.0
        biases += 1.0
    assert (held == 1).all()


def test_a_start_has_the_spread_of_glorot_and_no_bias():
    first = networks.start((50, 70, 1), np.random.default_rng(0), 0.01)
    (one, none), (two, _) = networks.layers(first[None], (50, 70, 1))
    assert np.abs(one).max() == pytest.approx(np.sqrt(6 / 120), rel=1e-2)
    assert (none == 0).all()
    assert np.abs(two).max() <= 0.01 * np.sqrt(6 / 71)
