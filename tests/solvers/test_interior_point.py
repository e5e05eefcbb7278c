"""Interior point: published optima, another road to the same numbers, hard bounds, contradictions, checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.certificates import Certificate, certify
from mfgsolve.couplings.hard import QuadraticPotential
from mfgsolve.errors import InputError
from mfgsolve.games import Game, make_game
from mfgsolve.problem import Problem
from mfgsolve.solvers.base import Budget, Run, run
from mfgsolve.solvers.frank_wolfe import FrankWolfe
from mfgsolve.solvers.interior_point import InteriorPoint, PathState
from mfgsolve.solvers.newton_systems import BandCholesky, ConjugateGradients, FlowMaps, NewtonMatrix


def solved(problem: Problem, tol: float = 1e-9, **options: object) -> tuple[Run, Certificate, PathState]:
    solver = InteriorPoint(**options)  # type: ignore[arg-type]
    ended = run(solver, solver.init(make_game(problem), tol), tol, Budget(60, None))
    outcome = solver.finish(ended.state)
    found = certify(outcome.game, outcome.policy, outcome.crowd, multiplier=outcome.multiplier)
    return ended, found, ended.state  # type: ignore[return-value]


def published(example: int, cells: int = 50, times: int = 50) -> Problem:
    """Examples 1 and 2 of Bonnans, Lavigne and Pfeiffer, arXiv:2106.07463."""
    step = 1 / times
    start = np.exp(-((np.arange(cells) - cells / 2) ** 2) / (cells / 4) ** 2)
    costs = tuple((k / cells / step) ** 2 / 4 * step for k in (-1, 0, 1))
    common = {
        "grid": mfg.Grid.box((cells,)),
        "dynamics": mfg.LatticeMoves((-1, 0, 1), costs, walls="forbid"),
        "initial": start / start.mean(),
    }
    if example == 2:
        price = QuadraticPotential(0.5, lambda t: -2 * np.sin(4 * np.pi * t * times / (times - 1)))
        return Problem(time=mfg.TimeGrid(1.0, times), coupling=mfg.Price(price, bounds=(-2.0, 0.0)), **common)

    def cap(t: float, c: object) -> np.ndarray:
        k, i = round(t / step), np.round(c.x * cells - 0.5)  # type: ignore[attr-defined]
        return np.where((times / 3 < k < 2 * times / 3) & (i > cells / 3) & (i < 2 * cells / 3), 0.25, 3.0)

    crowd = mfg.CrowdAversion(1.0) + mfg.Capacity(cap)
    return Problem(time=mfg.TimeGrid((times - 1) * step, times - 1), coupling=crowd, terminal_coupling=crowd, **common)


def moving(shape: tuple[int, ...], steps: int, viscosity: float = 0.0, **options: object) -> Problem:
    """A reward that moves over a lattice."""
    moves = [(0,) * len(shape)]
    for k in range(len(shape)):
        moves += [tuple(s if k == j else 0 for j in range(len(shape))) for s in (1, -1)]
    given = {
        "coupling": mfg.Congestion(lambda t, c: 2 * np.exp(-((c.x - 0.2 - 0.6 * t) ** 2) / 0.02), 1.0),
        "initial": lambda t, c: np.exp(-((c.x - 0.15) ** 2) / 0.005),
        "normalise": True,
    }
    return Problem(
        grid=mfg.Grid.box(shape), time=mfg.TimeGrid(1.0, steps),
        dynamics=mfg.LatticeMoves(moves, [0.01 * sum(map(abs, m)) for m in moves], viscosity=viscosity),
        **(given | options),  # type: ignore[arg-type]
    )  # fmt: skip


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


def random_game(states: int = 6, steps: int = 4, actions: int = 3) -> Problem:
    rng = np.random.default_rng(5)
    chances = rng.random((steps, actions, states, states)) * (rng.random((steps, actions, states, states)) < 0.5)
    chances[..., 0] += 0.1
    chances /= chances.sum(axis=3, keepdims=True)
    dynamics = mfg.Tabular(chances, rng.random((steps, actions, states)))
    return Problem(
        grid=mfg.States(states), time=mfg.TimeGrid(2.0, steps), dynamics=dynamics, coupling=mfg.CrowdAversion(6.0),
        initial=np.full(states, 1 / states), terminal=rng.random(states),
    )  # fmt: skip


def test_random_game_agrees_with_frank_wolfe_from_both_sides():
    problem = random_game()
    _, found, _ = solved(problem, 1e-11)
    other = FrankWolfe()
    ended = run(other, other.init(make_game(problem), 1e-4), 1e-4, Budget(3000, None))
    measure = ended.history[-1]
    assert measure.potential - measure.exploitability <= found.potential + 1e-12
    assert found.potential <= measure.potential + 1e-12


def dense_matrix(matrix: NewtonMatrix) -> np.ndarray:
    size = matrix.maps.steps * matrix.maps.width
    columns = [matrix.apply(unit.reshape(matrix.maps.steps, -1)).reshape(-1) for unit in np.eye(size)]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("problem", [random_game(), moving((5,), 4, 0.05), published(2, 6, 5)])
def test_band_and_products_are_the_same_symmetric_matrix(problem):
    game, rng = Game(problem), np.random.default_rng(2)
    maps = FlowMaps(game)
    theta = rng.random((game.steps, game.actions, game.states)) * game.allowed
    total = np.concatenate([theta.sum(axis=1), rng.random((1, game.states)) + 0.1])
    weight = rng.random(total.shape) + 0.1
    weight[0] = 0.0
    weight = np.minimum(weight, total)  # J <= D
    matrix = NewtonMatrix(
        maps, theta, total, weight, rng.random((game.steps, maps.prices)), np.ones(total.shape, dtype=bool)
    )
    dense = dense_matrix(matrix)
    assert np.abs(dense - dense.T).max() < 1e-12 * np.abs(dense).max()
    assert np.linalg.eigvalsh(dense).min() > 0
    right = rng.random((game.steps, maps.width))
    exact = np.linalg.solve(dense, right.reshape(-1)).reshape(right.shape)
    band, iterative = BandCholesky(maps, matrix.reach), ConjugateGradients(maps, 1e-12, 2000)
    for system in (band, iterative):
        system.factor(matrix)
        assert system.solve(right) == pytest.approx(exact, rel=1e-7, abs=1e-7 * np.abs(exact).max())


def test_noise_is_the_one_of_the_game():
    game = Game(moving((5, 4), 4, 0.05))
    maps, mass = FlowMaps(game), np.random.default_rng(1).random(20)
    assert maps.sharpen(game.diffuse(mass, True)) == pytest.approx(mass)
    assert maps.lift(game.diffuse(mass, False)) == pytest.approx(mass)


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
    slack = (cap - best.crowd[:, : game.states]) / game.volume
    paid = best.multiplier[:, : game.states]
    assert paid.min() >= 0
    assert paid.max() > 1e-2
    assert (paid * np.where(np.isfinite(slack), slack, 0.0))[1:].max() < 1e-5
    assert found.violation <= 1e-9


def capped(cap: object) -> Problem:
    coupling = mfg.CrowdAversion(1.0) + mfg.Capacity(cap)  # type: ignore[arg-type]
    return moving((10,), 6, coupling=coupling, initial=1.0, normalise=False)


def test_contradictions_are_told():
    solver = InteriorPoint()
    with pytest.raises(InputError, match=r"capacity 0.5 at node 0 in cell \(0,\).*by 0.5"):
        solver.init(make_game(capped(0.5)), 1e-9)
    with pytest.raises(InputError, match=r"node 2 has room for a mass of 0.5.*0.5 too little"):
        solver.init(make_game(capped(lambda t, c: np.full(10, 2.0 if t < 0.3 else 0.5))), 1e-9)
    far = Problem(
        grid=mfg.Grid.box((10,)), time=mfg.TimeGrid(1.0, 5), dynamics=mfg.LatticeMoves((-1, 0, 1)),
        coupling=mfg.Price(QuadraticPotential(1.0), bounds=(7.0, None)), initial=1.0,
    )  # fmt: skip
    with pytest.raises(InputError, match=r"lowest aggregate 7 .* step 0 .*largest one of any flow"):
        solver.init(make_game(far), 1e-9)


def test_contradiction_that_only_flows_know_is_told():
    # half of the cells are emptied at once, and an agent in the middle of them cannot leave in one step
    problem = capped(lambda t, c: np.where((c.x < 0.55) & (t > 0.1), 0.1, 9.0))
    with pytest.raises(InputError, match=r"no flow meets all hard bounds.*node 1 "):
        solved(problem)


def test_refusals():
    solver = InteriorPoint()
    assert solver.refuses(moving((6,), 4).at_temperature(0.1)) is None
    assert "speeds" in str(solver.refuses(mfg.problems.supply_demand(shape=(4, 4), steps=4)))
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


def test_what_does_not_fit_in_memory_goes_to_conjugate_gradients():
    problem = moving((6,), 4)
    for memory, kind in ((1.0, BandCholesky), (1e-9, ConjugateGradients)):
        solver = InteriorPoint(memory=memory)
        state = solver.step(solver.init(make_game(problem), 1e-9))
        assert isinstance(state.system, kind)
    size = BandCholesky(state.maps, state.reach)
    assert size.gibibytes * 2**30 / 8 >= 4 * 6
