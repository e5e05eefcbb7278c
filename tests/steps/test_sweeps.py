"""Single steps, one after the other, are the second road to what kernels do in whole sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from small_steps import diffusion, prices, tables

from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.steps import Costs, sweeps
from mfgsolve.steps.factors import expect_all, push_all

GAMES = {
    "plane": diffusion,
    "explicit": lambda: diffusion(noise="explicit"),
    "ring": lambda: diffusion((11,), boundary="periodic"),
    "space": lambda: diffusion((4, 5, 3)),
    "wall": lambda: diffusion(blocked=lambda c: (c.x > 0.3) & (c.x < 0.6) & (c.y > 0.2) & (c.y < 0.7)),
    "lattice": tables,
    "lattice without noise": lambda: tables(viscosity=0.0),
    "sharp lattice": lambda: tables(0.0),
}


@pytest.fixture(params=GAMES)
def game(request) -> Game:
    return make_game(GAMES[request.param]())


def test_backward_and_forward_from_single_steps(game):
    step, price = game.step, prices(game)
    fused, plain = step.new_policy(), step.new_policy()
    value = step.backward(game.costs(price), fused)
    free = ~game.grid.mask.reshape(step.shape)
    np.testing.assert_allclose(sweeps.backward(step, game.costs(price), plain)[free], value[free], rtol=0, atol=1e-13)
    flows = [np.empty((game.steps + 1, *step.shape)) for _ in range(2)]
    for flow in flows:
        flow[0] = game.initial_mass
    step.forward(fused, flows[0])
    sweeps.forward(step, plain, flows[1])
    np.testing.assert_allclose(flows[1], flows[0], rtol=0, atol=1e-15)


def test_values_of_all_times(game):
    price = prices(game)
    values = np.empty((game.steps + 1, *game.step.shape))
    sweeps.backward(game.step, game.costs(price), game.step.new_policy(), values)
    known, free = game.values(price), ~game.grid.mask
    np.testing.assert_allclose(values.reshape(known.shape)[:, free], known[:, free], rtol=0, atol=1e-13)


def test_tangent_from_single_steps(game):
    if not game.is_smooth:
        with pytest.raises(InputError, match="has no derivative"):
            game.curvature(game.step.new_policy(), game.empty_crowd(), prices(game))
        return
    policy = game.respond(0.2 * prices(game)).policy
    flow, direction = game.flow(policy), prices(game, 1)
    direction.reshape(game.steps + 1, -1)[:, game.grid.mask.reshape(-1)] = 0.0
    ones, nothing = np.ones(game.steps + 1), np.zeros(game.step.shape)
    moved = sweeps.change(game.step, Costs(direction, ones, nothing), policy, flow)
    known = game.curvature(policy, flow, direction, identity=0.0)
    np.testing.assert_allclose(-moved.reshape(known.shape), known, rtol=0, atol=1e-13)


def test_push_is_the_transpose_of_expect(game):
    step, rng = game.step, np.random.default_rng(3)
    policy, open_ = game.respond(prices(game)).policy, ~game.grid.mask.reshape(step.shape)
    for t in (0, game.steps - 1):
        mass, value = rng.uniform(size=step.shape) * open_, rng.normal(size=step.shape) * open_
        pushed = step.push(t, policy[t], mass)
        assert (pushed * value).sum() == pytest.approx((mass * step.expect(t, policy[t], value)).sum(), abs=1e-13)
        assert pushed.sum() == pytest.approx(mass.sum(), abs=1e-13)
        after = push_all(step.factors, t, mass)
        assert (after * value).sum() == pytest.approx((mass * expect_all(step.factors, t, value)).sum(), abs=1e-13)
        assert after.sum() == pytest.approx(mass.sum(), abs=1e-13)
