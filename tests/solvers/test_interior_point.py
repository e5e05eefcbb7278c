"""Interior point: published optima, another road to the same numbers, hard bounds, checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
from lattice_games import moving, published, random_game, solved
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.couplings.hard import QuadraticPotential
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.frank_wolfe import FrankWolfe
from mfgsolve.solvers.interior_point import InteriorPoint


@pytest.mark.parametrize(("example", "optimum"), [(1, 1.128195654578), (2, 0.379828257692)])
def test_published_optima(example, optimum):
    ended, found, state = solved(published(example), 2e-10)
    assert ended.status.name == "CONVERGED"
    assert state.iteration <= 40
    assert found.potential == pytest.approx(optimum, rel=1e-9)
    assert found.violation <= 1e-9


@pytest.mark.parametrize("viscosity", [0.0, 0.02])
@pytest.mark.parametrize("shape", [(20,), (6, 6)])
def test_lattice_games_are_certified(shape, viscosity):
    ended, found, state = solved(moving(shape, 16, viscosity))
    assert ended.status.name == "CONVERGED"
    assert state.iteration <= 40
    assert -1e-12 < found.relative_exploitability <= 1e-9


def test_point_start_has_states_beyond_reach():
    start = np.zeros(20)
    start[3] = 20.0
    ended, _, state = solved(moving((20,), 8, initial=start))
    assert ended.status.name == "CONVERGED"
    assert not state.reach[1, 10]


def test_random_game_agrees_with_frank_wolfe_from_both_sides():
    problem = random_game()
    _, found, _ = solved(problem, 1e-11)
    other = FrankWolfe()
    ended = run(other, other.init(make_game(problem), 1e-4), 1e-4, Budget(3000, None))
    measure = ended.history[-1]
    assert measure.potential - measure.exploitability <= found.potential + 1e-12
    assert found.potential <= measure.potential + 1e-12


def test_conjugate_gradients_come_to_the_same_equilibrium():
    problem = moving((8,), 8, 0.05)
    _, exact, _ = solved(problem)
    _, found, _ = solved(problem, 1e-6, system="conjugate-gradients", accuracy=1e-8)
    assert found.relative_exploitability <= 1e-6
    assert found.potential == pytest.approx(exact.potential, rel=1e-5)


def test_capacity_has_a_multiplier_only_where_it_binds():
    _, found, state = solved(published(1, 20, 20))
    best, game = state.best, state.game
    assert best is not None
    assert best.multiplier is not None
    cap = state.limits.values["cap"]
    slack = (cap - best.crowd[:, : game.cells]) / game.grid.cell_volume
    paid = best.multiplier[:, : game.cells]
    assert paid.min() >= 0
    assert paid.max() > 1e-2
    assert (paid * np.where(np.isfinite(slack), slack, 0.0))[1:].max() < 1e-5
    assert found.violation <= 1e-9


def test_refusals():
    solver = InteriorPoint()
    assert solver.refuses(moving((6,), 4).at_temperature(0.1)) is None
    assert "speeds" in str(solver.refuses(mfg.problems.supply_demand(shape=(4, 4), steps=4, scheme="upwind")))
    assert solver.refuses(moving((6,), 4)) is None
    with pytest.raises(InputError, match="did you mean 'cholesky'"):
        InteriorPoint(system="cholesk")


def test_a_packed_state_goes_on_bit_for_bit():
    problem, solver = published(2, 12, 10), InteriorPoint()
    state = solver.init(make_game(problem), 1e-9)
    for _ in range(3):
        state = solver.step(state)
    arrays, numbers = state.pack()
    arrays = {name: array.copy() for name, array in arrays.items()}
    again = solver.unpack(make_game(problem), 1e-9, arrays, numbers, state.measure)
    for _ in range(2):
        state, again = solver.step(state), solver.step(again)
    assert state.measure.exploitability == again.measure.exploitability
    assert state.sweeps == again.sweeps


def test_crowd_aversion_on_choices():
    """Congestion of every choice: a game of one step with two actions splits evenly; a cost shifts it by its size."""
    jump = [sparse.csr_array(np.array([[0.0, 1.0, 0.0]] + [[0, 1, 0], [0, 0, 1]])), np.eye(3)[[2, 1, 2]]]
    coupling = mfg.CustomCoupling(
        cost=lambda t, c, rho: 2.0 * rho, potential=lambda t, c, rho: rho**2,
        derivative=lambda t, c, rho: 2.0 + 0 * rho, on="occupation", monotone=True,
    )  # fmt: skip
    problem = Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(1.0, 1), dynamics=mfg.Tabular(jump, [[0.4, 0, 0], [0, 0, 0]]),
        coupling=coupling, initial=np.array([1.0, 0.0, 0.0]),
    )  # fmt: skip
    _, _, state = solved(problem, 1e-10)
    assert state.best is not None
    assert state.best.policy[0, :, 0] == pytest.approx([0.4, 0.6], abs=1e-8)


@pytest.mark.slow
def test_the_flagship_sharp_in_few_steps():
    """Groups of agents of every size switch between nearly tied paths: corrections that stop early need 30 steps."""
    ended, _, state = solved(mfg.problems.lattice_supply_demand(shape=(16, 16), steps=30))
    assert ended.status.name == "CONVERGED"
    assert state.iteration <= 25


def chain(cap: float, highest: float | None, scale: float = 1.0) -> Problem:
    """A supply chain of six places and two populations, with a full shop and a price of shipping."""
    move = np.eye(6, k=1)
    move[-1, -1] = 1.0
    steps = [[np.eye(6), p * move + (1 - p) * np.eye(6), np.eye(6)[[0] * 6]]
             for p in np.repeat([0.9, 0.5], 6)]  # fmt: skip
    costs = [scale * np.array(c)[:, None] * np.ones((3, 6)) for c in ((0, 0.1, 0.3), (0, 0.05, 0.1))]
    price = mfg.Price(QuadraticPotential(2.0 * scale, 0.4), bounds=(None, highest), amounts=[0, 1, 0])
    reward = mfg.RunningCost(lambda t, c: -0.6 * scale * (c.state == 5))
    return Problem(
        grid=mfg.Populations(["maker", "trader"], mfg.States(6)), time=mfg.TimeGrid(12, 12),
        dynamics=tuple(mfg.Tabular(np.array(steps), cost=c) for c in costs),
        coupling=mfg.CrowdAversion(0.3 * scale) + mfg.Capacity(cap) + price + reward, initial=np.full((2, 6), 1 / 6),
    )  # fmt: skip


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize(("cap", "highest"), [(0.7, 0.9), (0.7, 0.51), (0.4, 0.9)])
def test_capacity_and_bounded_price_that_tie(cap, highest, scale):
    ended, found, _ = solved(chain(cap, highest, scale), 1e-10)
    assert ended.status.name == "CONVERGED"
    assert abs(found.relative_exploitability) <= 1e-10
    assert found.violation <= 1e-9


def test_bounds_without_interior():
    """The whole crowd in three states with room for a third each: one mass, whatever the multipliers."""
    line, right = np.eye(3)[[0, 0, 1]], np.eye(3)[[1, 2, 2]]
    problem = Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(3, 3), dynamics=mfg.Tabular([np.eye(3), line, right]),
        coupling=mfg.CrowdAversion(1.0) + mfg.Capacity(lambda t, c: np.where(t >= 2, 1 / 3, 1.0) * np.ones(3)),
        initial=np.array([1.0, 0.0, 0.0]),
    )  # fmt: skip
    ended, found, state = solved(problem, 1e-10)
    assert ended.status.name == "CONVERGED"
    assert found.violation <= 1e-9
    assert state.best is not None
    assert state.best.crowd[2, :3] == pytest.approx(1 / 3, abs=1e-8)
