"""The flow of mass: transpose of the expectation, positive, whole, capped."""

from __future__ import annotations

import numpy as np
import pytest
from dense import expect, games, make_game, properties, random_price
from hypothesis import given

from mfgsolve.kernels import kolmogorov

pytestmark = pytest.mark.kernel
EPSILON = np.finfo(float).eps


@properties
@given(games())
def test_push_is_transpose_of_expect(case):
    """<push(m), v> = <m, expect(v)> at any policy, any m and v, to round-off."""
    game, rng = case
    free = ~game.grid.mask.reshape(game.step.shape)
    ahead = game.respond(random_price(game, rng)).policy[:1]
    mass = np.zeros((2, *game.step.shape))
    mass[0] = rng.standard_normal(game.step.shape) * free
    kolmogorov.forward(ahead, mass, game.step.scheme)
    v = rng.standard_normal(game.step.shape)
    expected = expect(game, ahead[0], v)
    size = np.abs(mass[0]).sum() * np.abs(v).max()
    assert float((mass[1] * v).sum()) == pytest.approx(float((mass[0] * expected).sum()), abs=20 * EPSILON * size)


@properties
@given(games())
def test_mass_is_kept_positive_and_out_of_blocked_cells(case):
    game, rng = case
    flow = game.flow(game.respond(random_price(game, rng)).policy)
    assert np.abs(flow.reshape(len(flow), -1).sum(axis=1) - 1.0).max() <= 1e-12
    assert flow.min() >= -1e-15
    assert not flow.reshape(len(flow), -1)[:, game.grid.mask.ravel()].any()


def test_cap_binds_and_is_reported():
    game = make_game((5, 6), (False, True), 0.0, "implicit", 0.01, 3, seed=3, speed=50.0)
    response = game.respond(np.zeros((4, *game.step.shape)))
    flow = game.flow(response.policy)
    share = game.cost(game.policy_of(response.policy), flow).capped
    assert 0.1 < share <= 1.0
    slow = make_game((5, 6), (False, True), 0.0, "implicit", 0.01, 3, seed=3, speed=0.9)
    response = slow.respond(np.zeros((4, *game.step.shape)))
    assert slow.cost(slow.policy_of(response.policy), slow.flow(response.policy)).capped == 0.0
