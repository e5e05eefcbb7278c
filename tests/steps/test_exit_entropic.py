"""Entropic steps that end at exits: closed forms, a game of tables that is the same, transposes, tangents, agents."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfgsolve as mfg
from mfgsolve.games import make_game
from tests.absorbing import long_way

VISCOSITY, RATE = 0.1, 1 / (0.1 * math.sqrt(2.0))
HALF, WALL = 0.706937132410979, 1.27558427053188  # u(1/2), u(1)


def pillar(c: mfg.Coordinates) -> np.ndarray:
    return (abs(c.x - 0.5) < 0.15) & (abs(c.y - 0.5) < 0.15)


def room(scheme: str = "entropic", steps: int = 12, **more: object) -> mfg.Problem:
    grid = mfg.Grid.box((6, 7), blocked=pillar, exits={"west": "x-low", "top": lambda c: (c.y > 0.8) & (c.x > 0.7)})
    stated = {"terminal": 2.0, "exit_cost": {"top": lambda t, c: 0.2 + 0.4 * t + 0 * c.x}, "normalise": True} | more
    return mfg.Problem(grid, mfg.TimeGrid(0.5, steps), mfg.ControlledDiffusion(0.3, 1.0, scheme=scheme),
                       mfg.RunningCost(1.0) + mfg.CrowdAversion(1.0), 1.0, **stated)  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_way_to_an_exit_is_of_second_order():
    """Exit at 0, wall at 1, cost 1 + a^2 / 2: u = -2 nu log[cosh k(1 - x) / cosh k], far from the horizon."""

    def middle(cells: int, steps: int) -> float:
        grid = mfg.Grid.box((cells,), exits={"door": "x-low"})
        problem = mfg.Problem(grid, mfg.TimeGrid(8.0, steps), mfg.ControlledDiffusion(VISCOSITY), 1.0, 1.0)
        value = mfg.solve(problem, tol=1e-11).value[0].values[1:]
        assert value[-1] == pytest.approx(WALL, abs=0.02)
        return float(value[cells // 2])

    fine = [middle(cells, 512) - HALF for cells in (17, 33, 65)]
    assert abs(fine[-1]) < 1.5e-4
    assert math.log2((fine[0] - fine[1]) / (fine[1] - fine[2])) == pytest.approx(2, abs=0.2)
    short = [middle(17, steps) for steps in (128, 256, 512)]
    assert math.log2((short[1] - short[0]) / (short[2] - short[1])) == pytest.approx(2, abs=0.2)


def test_survival_without_control():
    """Exits at both ends and moves that nobody pays: inside at t = 1 from 1/2, whatever the number of steps."""
    for steps in (4, 32):
        grid = mfg.Grid.box((33,), exits={"low": "x-low", "high": "x-high"})
        dynamics = mfg.ControlledDiffusion(VISCOSITY, 1e9, scheme="entropic", reach=60)
        problem = mfg.Problem(
            grid, mfg.TimeGrid(1.0, steps), dynamics, 0.0, lambda t, c: abs(c.x - 0.5) < 0.01, normalise=True
        )
        step = make_game(problem).step
        policy, mass = step.new_policy(), np.empty((steps + 1, 35))
        policy[:], mass[0] = 0.0, problem.initial_mass()
        step.forward(policy, mass)
        assert mass[-1, 1:-1].sum() == pytest.approx(0.474487460379749, abs=4e-4)
        assert mass[-1, 0] == pytest.approx(mass[-1, -1], abs=1e-14)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_same_game_in_tables():
    """With moves to cells, -eps log K for each and the temperature eps / dt it is a finite game, to round-off."""
    grid = mfg.Grid.box((6,), exits={"door": "x-low"})
    costs = np.linspace(0.5, 1.5, 6)  # of leaving, at each node
    problem = mfg.Problem(
        grid, mfg.TimeGrid(1.0, 5), mfg.ControlledDiffusion(0.2, 1.0, scheme="entropic", reach=4), 0.0, 1.0,
        terminal=lambda t, c: 2 + np.sin(5 * c.x), exit_cost=lambda t, c: costs[round(5 * t)] + 0 * c.x,
    )  # fmt: skip
    solution = mfg.solve(problem, tol=1e-12)
    step = make_game(problem).step
    (stencil,) = step.stencils
    cells, moves = stencil.near.shape
    transitions = np.zeros((moves, cells, cells))
    for k in range(moves):
        transitions[k, np.arange(cells), stencil.near[:, k]] = 1.0
    own = np.where(np.isfinite(stencil.logs), -0.4 * stencil.logs, 1e6).T
    middle = costs.copy()
    middle[1:-1] = 0.5 * (costs[1:-1] + costs[:-2])
    paid = np.zeros((6, cells))
    paid[:, 0] = middle
    terminal = problem.terminal_cost()
    other = mfg.solve(long_way(
        transitions, own, 0.4 / 0.2, problem.initial_mass(), terminal, grid.exits.cells, paid, 0.0, 1.0,
    ), tol=1e-12)  # fmt: skip
    np.testing.assert_allclose(solution.value[:, 1:], other.value.values[:, 1:], atol=1e-12)
    np.testing.assert_allclose(solution.exited[:, 0], other.density.values[:, 0], atol=1e-12)
    assert solution.certificate.cost == pytest.approx(other.certificate.cost, abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_push_is_the_transpose_of_expect(seed: int):
    game, rng = make_game(room()), np.random.default_rng(seed)
    step = game.step
    after, mass = rng.normal(size=step.shape) * rng.choice([0.1, 30.0]), rng.random(step.shape)
    after[~step.space.inside & ~step.space.exits.cells] = 0.0
    policy = np.empty(step.policy_shape)
    t = int(rng.integers(step.steps))
    value = step.best(t, after, game.costs(0 * game.empty_crowd()), policy)
    moved, other = step.push(t, policy, mass), rng.normal(size=step.shape)
    assert (moved * other).sum() == pytest.approx((mass * step.expect(t, policy, other)).sum(), abs=1e-11)
    assert moved.sum() == pytest.approx(mass.sum(), abs=1e-12)
    gone = step.space.exits.cells
    np.testing.assert_allclose(value[gone], after[gone] + step.pay[t].reshape(step.shape)[gone], atol=1e-12)
    assert (moved[gone] >= mass[gone] - 1e-14).all()


def test_a_tangent_is_a_derivative():
    game, rng = make_game(room()), np.random.default_rng(1)
    step = game.step
    after, change, mass = (rng.normal(size=step.shape) for _ in range(3))
    mass, costs = abs(mass), game.costs(0 * game.empty_crowd())

    def pushed(h: float) -> np.ndarray:
        policy = np.empty(step.policy_shape)
        step.best(3, after + h * change, costs, policy)
        return step.push(3, policy, mass)

    policy = np.empty(step.policy_shape)
    step.best(3, after, costs, policy)
    slope = (pushed(1e-5) - pushed(-1e-5)) / 2e-5
    inside = ~step.space.mask
    np.testing.assert_allclose(step.tangent(3, policy, mass, change)[inside], slope[inside], atol=1e-7)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sweeps_are_those_of_single_steps():
    game = make_game(room())
    crowd = game.resting_crowd(game.empty_crowd())
    price = game.price(crowd)
    answer = game.respond(price)
    flow, direction = game.flow(answer.policy), np.random.default_rng(0).normal(size=price.shape)
    curved = game.curvature(answer.policy, flow, direction, identity=0.0)
    h = 1e-6
    change = h * direction / np.where(game.weights > 0, game.weights, 1)[:, None, None]
    moved = [game.flow(game.respond(price + sign * change).policy) for sign in (1, -1)]
    np.testing.assert_allclose(-curved, (moved[0] - moved[1]) / (2 * h), atol=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("scheme", ["entropic", "upwind"])
def test_a_room_is_solved_by_every_solver(scheme: str):
    problem = room(scheme, 12 if scheme == "entropic" else 40)
    best = mfg.solve(problem, tol=1e-12)
    assert best.converged
    assert best.certificate.relative_exploitability < 1e-12
    assert best.certificate.mass_error < 1e-13
    assert abs(best.certificate.duality_gap) < 1e-10
    for method in mfg.solvers.suited(problem):
        solution = mfg.solve(problem, method=method, tol=1e-3)
        assert solution.converged, method
        assert solution.potential == pytest.approx(best.potential, abs=5e-3), method


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("method", ["counts", "agents"])
@pytest.mark.parametrize("scheme", ["entropic", "upwind"])
def test_agents_leave_as_the_crowd_does(scheme: str, method: str):
    solution = mfg.solve(room(scheme, 12 if scheme == "entropic" else 40), tol=1e-9)
    crowd = mfg.simulate(solution, agents=4000, replicas=5, rng=2, method=method, tagged=30)
    np.testing.assert_allclose(crowd.mean_field_exited, solution.exited, atol=1e-12)
    sigma = np.sqrt(0.25 / 20000)
    assert (abs(crowd.exited.mean("replica").values - solution.exited.values) < 5 * sigma).all()
    assert abs(crowd.cost.mean() - solution.certificate.cost) < 0.05
    assert crowd.mean_field_cost == pytest.approx(solution.certificate.cost, abs=1e-10)
    assert (crowd.left.isel(node=-1) == (crowd.exited.isel(node=-1).sum("exit") * 4000).round()).all()
    gone = (crowd.tagged_cell == -1).values
    assert gone[..., -1].mean() == pytest.approx(float(solution.exited[-1].sum()), abs=0.2)
    assert (gone[..., 1:] >= gone[..., :-1]).all()  # nobody comes back
    assert (crowd.density.values[:, :, solution.dataset["exit_number"].values >= 0] == 0).all()
