"""The proximal step and the programme of a finite game."""

from __future__ import annotations

import numpy as np
import pytest
from programmes import everything
from scipy.optimize import brentq

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.solvers.proximal import Programme, noise_inverse, prox
from mfgsolve.steps.table_policies import TablePolicy


def test_prox_of_a_quadratic_and_of_a_shared_reward_in_closed_form():
    rng = np.random.default_rng(1)
    target, step = rng.normal(0, 3, 200), rng.exponential(2.0, 200)
    none, all_of_it = np.zeros(200), np.full(200, np.inf)
    found = prox(target, step, lambda x: 2 * x, lambda x: np.full_like(x, 2.0), none, all_of_it, none)
    np.testing.assert_allclose(found, np.maximum(target / (1 + 2 * step), 0), rtol=1e-14)
    found = prox(target, step, lambda x: -3 / (1 + x), lambda x: 3 / (1 + x) ** 2, none, all_of_it, none)
    root = 0.5 * (target - 1 + np.sqrt((target + 1) ** 2 + 12 * step))  # (x - y)(1 + x) = 3 s
    np.testing.assert_allclose(found, np.maximum(root, 0), rtol=1e-13, atol=1e-15)
    upper = rng.uniform(0, 1, 200)
    found = prox(target, step, lambda x: -3 / (1 + x), lambda x: 3 / (1 + x) ** 2, none, upper, none)
    np.testing.assert_allclose(found, np.clip(root, 0, upper), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("coupling", [mfg.LogCongestion(2.0), mfg.CrowdAversion(3.0, power=0.3)])
def test_prox_where_the_slope_jumps_or_is_infinite(coupling):
    rng = np.random.default_rng(2)
    bound = coupling.bind(mfg.States(60), np.zeros(1))
    target, step, everywhere = rng.normal(0, 2, 60), rng.exponential(1.0, 60), slice(0, 1)

    def cost(x):
        return bound.cost(everywhere, x[None])[0]

    def slope(x):
        return bound.slope(everywhere, x[None])[0]

    found = prox(target, step, cost, slope, np.zeros(60), np.full(60, np.inf), np.full(60, 0.5))
    for i in range(60):

        def residual(x, i=i):
            return x + step[i] * cost(np.full(60, x))[i] - target[i]

        expected = 0.0 if residual(0.0) >= 0 else brentq(residual, 0.0, 100.0, xtol=1e-300, rtol=1e-14)
        assert found[i] == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_noise_inverse_undoes_the_noise():
    game = Game(everything())
    free, level = ~game.grid.mask.reshape(-1), np.random.default_rng(3).uniform(0, 1, game.cells)
    level[~free] = 0.0
    assert game.grid.mask.any()
    assert np.abs(game.step.diffuse(level, True) - level).max() > 1e-2
    np.testing.assert_allclose(noise_inverse(game) @ game.step.diffuse(level, True), level, atol=1e-14)
    ring = mfg.Problem(
        grid=mfg.Grid((mfg.Axis("x", 5, boundary="periodic"),)), time=mfg.TimeGrid(1.0, 2), coupling=0.0, initial=1.0,
        dynamics=mfg.LatticeMoves((0, 1), viscosity=0.1),
    )  # fmt: skip
    game, level = Game(ring), np.arange(5.0)
    np.testing.assert_allclose(noise_inverse(game) @ game.step.diffuse(level, True), level, atol=1e-14)


def test_programme_agrees_with_the_game():
    game = Game(everything())
    programme, rng = Programme(game), np.random.default_rng(4)
    policy = rng.uniform(0, 1, (game.steps, game.step.actions, game.cells)) * game.step.allowed
    policy /= policy.sum(axis=1, keepdims=True)
    crowd = game.flow(policy)
    u = programme.unknowns(policy, crowd)
    np.testing.assert_allclose(programme.flow @ u, programme.source, atol=1e-15)
    x = programme.observe @ u
    np.testing.assert_allclose(x * programme.unit, crowd.reshape(-1)[programme.seen], atol=1e-15)
    own = game.cost(TablePolicy(policy), crowd).cost
    assert programme.cost @ u == pytest.approx(own + game.terminal_total(crowd), rel=1e-13)
    direction, h = rng.normal(0, 1, x.size) * x, 1e-5

    def potential(values):
        moved = crowd.copy()
        moved.reshape(-1)[programme.seen] = values * programme.unit
        return game.potential(moved)

    difference = (potential(x + h * direction) - potential(x - h * direction)) / (2 * h)
    assert programme.marginal(x) @ direction == pytest.approx(difference, rel=1e-8)
    difference = (programme.marginal(x + h * direction) - programme.marginal(x - h * direction)) / (2 * h)
    np.testing.assert_allclose(programme.slope(x) * direction, difference, rtol=1e-6, atol=1e-9)


def test_multipliers_of_the_flow_are_the_values():
    game = Game(everything())
    programme = Programme(game)
    crowd = game.flow(game.step.uniform())
    marginal = programme.marginal(programme.observe @ programme.unknowns(game.step.uniform(), crowd))
    price = programme.price_of(marginal)
    y = programme.multipliers(price)
    reduced = programme.cost + programme.flow.T @ y + programme.observe.T @ marginal
    answer = game.respond(price)
    u = programme.unknowns(answer.policy, game.flow(answer.policy))
    assert reduced.min() > -1e-13  # nothing is better than the values promise,
    assert np.abs(reduced * u).max() < 1e-14  # and what is played is as good
    assert -y @ programme.source == pytest.approx(answer.mean_value, rel=1e-13)
