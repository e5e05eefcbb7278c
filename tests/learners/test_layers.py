"""Networks whose weights are one vector: values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from mfgsolve.learners.battles.layers import Layers


def test_values_are_those_of_dense_layers():
    net = Layers((3, 4, 2))
    assert net.count == 4 * 4 + 5 * 2
    weights = net.start(np.random.default_rng(0))
    (first, a), (last, b) = net.split(weights)
    a[:], b[:] = 0.3, -0.2
    inputs = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    wanted = np.maximum(inputs @ first + 0.3, 0) @ last - 0.2
    assert net.values(weights, inputs) == pytest.approx(wanted, abs=1e-6)
    padded = np.concatenate([weights, np.ones(7, np.float32)])
    assert (net.values(padded, inputs) == net.values(weights, inputs)).all()
    assert np.abs(last).max() <= 0.1 * (6 / 4) ** 0.5


def test_gradients_are_finite_differences():
    net, rng = Layers((3, 5, 4, 2)), np.random.default_rng(0)
    weights = net.start(rng, last=1.0).astype(float)
    inputs, push = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    out = np.empty(net.count)
    net.gradient(weights, net.layers(weights, inputs), push.copy(), out)
    for k in range(net.count):
        step = np.zeros(net.count)
        step[k] = 1e-6
        rise = net.values(weights + step, inputs) - net.values(weights - step, inputs)
        assert out[k] == pytest.approx((push * rise).sum() / 2e-6, abs=1e-6)
