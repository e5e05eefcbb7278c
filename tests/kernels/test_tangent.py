"""The curvature: symmetric, negative, and the derivative of the flow."""

from __future__ import annotations

import numpy as np
import pytest
from dense import games, properties, random_price
from hypothesis import given, settings

pytestmark = pytest.mark.kernel
EPSILON = np.finfo(float).eps


@properties
@given(games())
def test_curvature_is_symmetric_and_negative(case):
    game, rng = case
    response = game.respond(random_price(game, rng))
    mass = game.flow(response.policy)
    u, v = rng.standard_normal((2, game.steps + 1, *game.step.shape))
    ku = -game.curvature(response.policy, mass, u, identity=0.0)
    kv = -game.curvature(response.policy, mass, v, identity=0.0)
    size = np.abs(ku).sum() + np.abs(kv).sum() + EPSILON
    assert float((v * ku).sum()) == pytest.approx(float((u * kv).sum()), abs=1e-12 * size)
    assert float((u * ku).sum()) <= 1e-13 * size
    assert np.abs(ku.reshape(len(ku), -1).sum(axis=1)).max() <= 1e-13 * size  # mass is moved, never made

    scale, identity = rng.random(u.shape), 0.3
    whole = game.curvature(response.policy, mass, u, scale, identity=identity)
    parts = identity * u + game.curvature(response.policy, mass, scale * u, identity=0.0)
    np.testing.assert_allclose(whole, parts, atol=1e-12 * (size + 1))


@settings(properties, derandomize=True)  # a step across a kink (a speed at 0 or at its cap) is rare, not impossible
@given(games())
def test_curvature_is_derivative_of_the_flow(case):
    """K d = d/de flow(respond(price + e d / weight)), by central differences."""
    game, rng = case
    price, direction = random_price(game, rng, 0.3), random_price(game, rng)
    small = 1e-7
    if not game.weights[-1]:
        direction[-1] = 0.0
    ends = [game.flow(game.respond(price + sign * small * direction).policy) for sign in (1.0, -1.0)]
    response = game.respond(price)
    weighted = direction * game.weights[:, None, None, None]
    change = -game.curvature(response.policy, game.flow(response.policy), weighted, identity=0.0)
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * small), change, atol=1e-6 * (1 + np.abs(change).max()))
