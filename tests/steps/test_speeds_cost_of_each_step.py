"""A cost of moving of its own in every step: single steps against kernels, and the cost of any policy by hand."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.steps import sweeps
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.speed_policies import FluxPolicy, SpeedPolicy

STEPS = 6
PRICES = np.array([0.3, 2.0, 0.5, 1.0, 4.0, 0.2])
UNEVEN = (
    mfg.Axis.from_edges("y", [0.0, 0.1, 0.3, 0.6, 1.0]),
    mfg.Axis.from_edges("x", [0.0, 0.1, 0.25, 0.4, 0.7, 1.0], "periodic"),
)


@pytest.fixture(params=["even", "uneven"])
def game(request) -> Game:
    grid = mfg.Grid.box((4, 5)) if request.param == "even" else mfg.Grid(UNEVEN)
    problem = mfg.Problem(
        grid=grid, time=mfg.TimeGrid(0.5, STEPS), dynamics=mfg.ControlledDiffusion(0.02, scheme="upwind"),
        coupling=mfg.CrowdAversion(1.0), initial=mfg.Bump(1.0, 0.3, (0.4, 0.5)), normalise=True,
    )  # fmt: skip
    game = Game(problem, 1)
    return game.with_step(scheme=game.step.scheme._replace(control_cost=PRICES.copy()))


@pytest.fixture
def price(game: Game) -> np.ndarray:
    return 0.5 * np.random.default_rng(0).standard_normal((STEPS + 1, *game.step.shape))


def test_single_steps_are_the_kernels(game, price):
    step, costs = game.step, Costs(price, game.weights, game.terminal_cost)
    policy, values = np.empty((STEPS, *game.step.shape)), np.empty((STEPS + 1, *game.step.shape))
    start = sweeps.backward(step, costs, policy, values)
    best = game.respond(price)
    np.testing.assert_allclose(policy, best.policy[:STEPS], rtol=1e-12, atol=1e-13)
    fused = np.empty_like(values)
    np.testing.assert_allclose(step.backward(costs, np.empty_like(policy), values=fused), start, atol=1e-13)
    np.testing.assert_allclose(values, fused, atol=1e-13)

    mass = game.empty_crowd()
    mass[0] = game.initial_mass.reshape(game.step.shape)
    flow = game.flow(policy)
    np.testing.assert_allclose(sweeps.forward(step, policy, mass), flow, atol=1e-14)

    direction = np.random.default_rng(1).standard_normal(price.shape)
    still = Costs(direction, np.ones(STEPS + 1), np.zeros(game.step.shape))
    change = sweeps.change(step, still, policy, flow)
    moved = step.curvature(policy, flow, direction, None, np.empty_like(price), 0.0)
    np.testing.assert_allclose(change, -moved, rtol=1e-10, atol=1e-12)


def test_cost_of_any_policy_is_that_of_its_speeds(game, price):
    policy = game.respond(price).policy[:STEPS].copy()
    best, flow = game.policy_of(policy), game.flow(policy)
    speed = game.step.speed(best, slice(0, STEPS))
    paid = (0.5 * game.dt * PRICES[:, None, None, None] * flow[:-1] * (speed**2).sum(axis=1)).sum()
    mean = game.new_average()
    assert isinstance(mean, FluxPolicy)
    mean.mix(game, policy, flow, 1.0)
    for one in (best, SpeedPolicy(speed), mean):
        np.testing.assert_allclose(game.follow(one), flow, atol=1e-13)
        assert game.cost(one, flow).cost == pytest.approx(paid, rel=1e-11)
        assert 0 <= game.cost(one, flow).capped < 1
    cheap = PRICES.argmin()
    alike = game.with_step(scheme=game.step.scheme._replace(control_cost=np.full(STEPS, PRICES[cheap])))
    wanted = game.step.speed(best, slice(cheap, cheap + 1))
    np.testing.assert_array_equal(alike.step.speed(best, slice(cheap, cheap + 1)), wanted)
