"""Chambolle-Pock and ADMM: their operators, games with known optima, states, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from programmes import everything, smooth, tiny, transport
from scipy.optimize import minimize

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.solvers.admm import ADMM
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.chambolle_pock import ChambollePock
from mfgsolve.solvers.frank_wolfe import FrankWolfe
from mfgsolve.solvers.proximal import Programme

SOLVERS = (ADMM(), ChambollePock())


OPTIMA = {1: 1.128195654578, 2: 0.379828257692}  # of a sparse interior point on the same programmes, gap <= 1e-12


def solved(solver, problem, tol=1e-6, iterations=20000):
    return run(solver, solver.init(make_game(problem), tol), tol, Budget(iterations, 60))


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
def test_operators_are_firmly_nonexpansive(solver):
    programme = Programme(Game(everything()))
    operator, rng = solver.operator(programme), np.random.default_rng(5)
    guess = np.clip(np.zeros(programme.seen.size), programme.lower, programme.upper)
    size = operator.start(np.zeros(len(programme.cost)), np.zeros(len(programme.source)), guess, guess)[0].size
    for weight in (0.1, 1.0, 10.0):
        for scale in (1e-2, 1.0):
            a, b = rng.normal(0, scale, size), rng.normal(0, scale, size)
            image_a, image_b = operator.apply(a, weight, guess).point, operator.apply(b, weight, guess).point
            before = operator.norm(a - b, weight) ** 2
            after = operator.norm(image_a - image_b, weight) ** 2
            moved = operator.norm((a - image_a) - (b - image_b), weight) ** 2
            assert after + moved <= before * (1 + 1e-10)


def by_scipy(problem: mfg.Problem) -> float:
    programme = Programme(Game(problem))
    game, size = programme.game, len(programme.cost)

    def believed(u):
        crowd = game.resting_crowd(game.empty_crowd())
        crowd.reshape(-1)[programme.seen] = (programme.observe @ u) * programme.unit
        return crowd

    flow, observe, capped = programme.flow.toarray(), programme.observe.toarray(), np.isfinite(programme.upper)

    def room(u):
        return (programme.upper - observe @ u)[capped]

    answer = minimize(
        lambda u: programme.cost @ u + game.potential(believed(u)),
        np.full(size, 0.1),
        jac=lambda u: programme.cost + programme.observe.T @ programme.marginal(programme.observe @ u),
        bounds=[(0, None)] * size,
        constraints=[
            {"type": "eq", "fun": lambda u: flow @ u - programme.source, "jac": lambda u: flow},
            {"type": "ineq", "fun": room, "jac": lambda u: -observe[capped]},
        ],
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    assert answer.success
    return float(answer.fun)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
@pytest.mark.parametrize("seed", [0, 1])
def test_tiny_games_against_scipy_and_the_multiplier_against_the_derivative_of_the_optimum(solver, seed):
    free = solved(solver, tiny(seed=seed), 1e-9).history[-1]
    assert free.potential == pytest.approx(by_scipy(tiny(seed=seed)), abs=1e-8)
    crowd = solver.finish(solved(solver, tiny(seed=seed), 1e-9).state).crowd
    cap = 0.9 * crowd[1:-1, 0].max()  # binds
    problem = tiny(cap, seed)
    ended = solved(solver, problem, 1e-9)
    outcome = solver.finish(ended.state)
    assert ended.status is mfg.Status.CONVERGED
    assert ended.history[-1].violation <= 1e-9
    assert ended.history[-1].potential == pytest.approx(by_scipy(problem), abs=2e-8)
    assert ended.history[-1].potential > free.potential + 1e-6
    h = 1e-3 * cap
    change = (by_scipy(tiny(cap + h, seed)) - by_scipy(tiny(cap - h, seed))) / (2 * h)
    assert outcome.multiplier is not None
    assert outcome.multiplier.min() >= 0
    assert -outcome.multiplier[:-1].sum() * problem.time.dt == pytest.approx(change, rel=5e-3)


@pytest.mark.parametrize(
    ("solver", "example", "tol"),
    [(SOLVERS[0], 1, 1e-6), (SOLVERS[0], 2, 1e-6), pytest.param(SOLVERS[1], 2, 2e-6, marks=pytest.mark.slow)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_published_examples(solver, example, tol):
    ended = solved(solver, transport(example), tol)
    last = ended.history[-1]
    assert ended.status is mfg.Status.CONVERGED
    assert last.violation <= tol
    assert last.potential == pytest.approx(OPTIMA[example], abs=2 * tol)
    assert last.potential >= OPTIMA[example] - 1e-7


def test_all_kinds_of_couplings_at_once():
    """Two operators without a line in common reach the same optimum."""
    found = [solved(solver, everything(), 1e-7) for solver in SOLVERS]
    values = [ended.history[-1] for ended in found]
    assert all(ended.status is mfg.Status.CONVERGED for ended in found)
    assert values[0].potential == pytest.approx(values[1].potential, abs=2e-7 * 5)
    outcomes = [solver.finish(ended.state) for solver, ended in zip(SOLVERS, found, strict=True)]
    assert outcomes[0].multiplier.max() > 1e-2  # the bound of the price binds
    np.testing.assert_allclose(outcomes[0].multiplier, outcomes[1].multiplier, atol=1e-3)


def test_frank_wolfe_certifies_the_same_optimum_from_above():
    problem = smooth()
    slow = run(FrankWolfe(), FrankWolfe().init(make_game(problem), 1e-4), 1e-4, Budget(2000, 30)).history[-1]
    for solver in SOLVERS:
        fast = solved(solver, problem, 1e-8).history[-1]
        assert fast.relative_exploitability <= 1e-8
        assert slow.potential - slow.exploitability <= fast.potential <= slow.potential + 1e-9


def test_a_game_without_a_crowd_is_a_best_response():
    problem = mfg.Problem(
        grid=mfg.Grid.box((6,)), time=mfg.TimeGrid(1.0, 5), dynamics=mfg.LatticeMoves((-1, 0, 1), 0.1),
        coupling=lambda t, c: (c.x - t) ** 2, initial=1.0, terminal=lambda t, c: c.x,
    )  # fmt: skip
    game = Game(problem)
    best = game.respond(game.price(game.resting_crowd(game.empty_crowd()))).mean_value
    for solver in SOLVERS:
        assert solved(solver, problem, 1e-9).history[-1].potential == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: s.name)
def test_a_packed_state_goes_on_bit_for_bit(solver):
    problem = tiny(0.3)
    state = solver.init(make_game(problem), 1e-12)
    for _ in range(3):
        state = solver.step(state)
    arrays, numbers = state.pack()
    other = solver.unpack(make_game(problem), 1e-12, {k: v.copy() for k, v in arrays.items()}, numbers, state.measure)
    np.testing.assert_array_equal(solver.finish(other).crowd, solver.finish(state).crowd)
    for _ in range(3):
        state, other = solver.step(state), solver.step(other)
    assert state.measure == other.measure
    assert state.pack()[1] == other.pack()[1]
    for name, array in state.pack()[0].items():
        np.testing.assert_array_equal(array, other.pack()[0][name])


def test_refusals():
    cases = [
        (everything(0.1), "temperature"),
        (mfg.problems.supply_demand(shape=(8, 8), steps=16, scheme="upwind"), "diffusion"),
    ]
    interaction = mfg.Interaction([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    plain = tiny()
    cases.append((mfg.Problem(plain.grid, plain.time, plain.dynamics, interaction, plain.initial), "cell by cell"))
    seeking = mfg.Interaction(-np.eye(3))
    cases.append((mfg.Problem(plain.grid, plain.time, plain.dynamics, seeking, plain.initial), "convex"))
    for problem, why in cases:
        for solver in SOLVERS:
            refusal = solver.refuses(problem)
            assert refusal is not None
            assert why in refusal
    plain = mfg.Problem(
        plain.grid, plain.time, plain.dynamics, mfg.CrowdAversion() + mfg.Capacity(0.2), np.array([1.0, 0.0, 0.0])
    )
    for solver in SOLVERS:
        with pytest.raises(mfg.InputError, match="capacity"):
            solver.init(make_game(plain), 1e-6)
    for options in ({"every": 0}, {"warm_up": -1}, {"sufficient": 0.9}, {"smoothing": 2.0}, {"reach": 0.5}):
        with pytest.raises(mfg.InputError):
            ADMM(**options)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.name)
def test_bounds_that_contradict_each_other_are_told(solver: ADMM | ChambollePock) -> None:
    """A cap that the crowd cannot leave room for in time: every node has room, but one step goes one cell only."""
    left, right = np.eye(3)[[0, 0, 1]], np.eye(3)[[1, 2, 2]]
    game = mfg.Problem(
        grid=mfg.States(3), time=mfg.TimeGrid(3, 3), dynamics=mfg.Tabular([np.eye(3), left, right]),
        coupling=mfg.CrowdAversion(1.0) + mfg.Capacity(lambda t, c: np.where((t > 0) & (c.state < 2), 0.4, 1.0)),
        initial=np.array([1.0, 0.0, 0.0]),
    )  # fmt: skip
    with pytest.raises(mfg.InputError, match=r"no flow meets all hard bounds: .* by 0\.1 .*capacity 0\.4 at node 1 "):
        mfg.solve(game, method=solver)
