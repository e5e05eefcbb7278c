"""Chambolle-Pock and ADMM: the proximal step, the programme, the operators, and games with known optima."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.solvers.admm import ADMM
from mfgsolve.solvers.base import Budget, run
from mfgsolve.solvers.chambolle_pock import ChambollePock
from mfgsolve.solvers.frank_wolfe import FrankWolfe
from mfgsolve.solvers.proximal import Programme, noise_inverse, prox
from mfgsolve.steps.table_policies import TablePolicy

SOLVERS = (ADMM(), ChambollePock())
OPTIMA = {1: 1.128195654578, 2: 0.379828257692}  # of a sparse interior point on the same programmes, gap <= 1e-12


def transport(example: int, n: int = 50) -> mfg.Problem:
    """Examples 1 (congestion, hard cap) and 2 (Cournot price, bounded demand) of arXiv:2106.07463."""
    moves, dt = (-1, 0, 1), 1 / n
    bump = np.exp(-((np.arange(n) - n / 2) ** 2) / (n / 4) ** 2)
    dynamics = mfg.LatticeMoves(moves, [dt * k**2 / 4 for k in moves], walls="forbid")

    def cap(t, c):
        step, cell = round(t * n), np.round(c.x * n - 0.5)
        return np.where((n / 3 < step < 2 * n / 3) & (cell > n / 3) & (cell < 2 * n / 3), 0.25, 3.0)

    def centre(t):
        return -2 * np.sin(4 * np.pi * round(t * n) / (n - 1))

    if example == 1:
        coupling = mfg.CrowdAversion(1.0) + mfg.Capacity(cap)
        terminal = mfg.CrowdAversion(1.0) + mfg.Capacity(3.0)
    else:
        coupling, terminal = mfg.Price(mfg.QuadraticPotential(0.5, centre), bounds=(-2.0, 0.0)), None
    return mfg.Problem(
        grid=mfg.Grid.box((n,)), time=mfg.TimeGrid((n - 1) * dt, n - 1), dynamics=dynamics, coupling=coupling,
        terminal_coupling=terminal, initial=bump * n / bump.sum(),
    )  # fmt: skip


def tiny(cap: float = np.inf, seed: int = 0, steps: int = 3, states: int = 3) -> mfg.Problem:
    """A random game that SciPy can optimise; the cap holds in state 0."""
    rng = np.random.default_rng(seed)
    rewards = rng.uniform(1, 6, states)
    return mfg.Problem(
        grid=mfg.States(states),
        time=mfg.TimeGrid(0.5 * steps, steps),
        dynamics=mfg.Tabular(rng.dirichlet(np.ones(states), (2, states)), rng.uniform(0, 1, (steps, 2, states))),
        coupling=mfg.Congestion(lambda t, c: rewards[c.state], 3.0)
        + mfg.Capacity(lambda t, c: np.where((c.state == 0) & (t > 0), cap, np.inf)),
        initial=rng.dirichlet(np.ones(states)),
        terminal=rng.uniform(0, 1, states),
    )


def everything(temperature: float = 0.0) -> mfg.Problem:
    """States, choices, a price, a terminal coupling, two populations, walls, implicit noise, at once."""
    space = mfg.Grid.box((4, 3), blocked=lambda c: (c.x > 0.4) & (c.x < 0.6) & (c.y > 0.7))
    one = mfg.LatticeMoves(((0, 0), (1, 0), (0, -1)), (0.0, 0.1, 0.2), viscosity=0.02, temperature=temperature)
    jumps = {(0, 1): 0.3, (0, 0): 0.7}
    two = mfg.LatticeMoves(((0, 0), (-1, 0)), 0.1, jumps=jumps, walls="forbid", temperature=temperature)
    return mfg.Problem(
        grid=mfg.Populations(["a", "b"], space),
        time=mfg.TimeGrid(1.0, 4),
        dynamics=(one, two),
        coupling=mfg.CrowdAversion(lambda t, c: 0.5 + t + c.x)
        + mfg.Congestion(1.0, 0.2)
        + mfg.CrowdAversion(0.3, on="occupation")
        + mfg.Price(mfg.QuadraticPotential(0.7, 0.2), bounds=(None, 0.4), amounts=[1.0, -2.0, 0.5]),
        terminal_coupling=mfg.CrowdAversion(0.4),
        initial=1.0,
        normalise=True,
    )


def smooth() -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((8,)), time=mfg.TimeGrid(1.0, 6), dynamics=mfg.LatticeMoves((-1, 0, 1), 0.05, viscosity=0.02),
        coupling=mfg.CrowdAversion(1.0), initial=lambda t, c: 2 * (c.x < 0.5), terminal=lambda t, c: -c.x,
    )  # fmt: skip


def solved(solver, problem, tol=1e-6, iterations=20000):
    return run(solver, solver.init(make_game(problem), tol), tol, Budget(iterations, 60))


# -- the proximal step -----------------------------------------------------------------------------------------------


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


# -- the programme ---------------------------------------------------------------------------------------------------


def test_noise_inverse_undoes_the_noise():
    game = Game(everything())
    free, level = ~game.grid.mask.reshape(-1), np.random.default_rng(3).uniform(0, 1, game.states)
    level[~free] = 0.0
    assert game.grid.mask.any()
    assert np.abs(game.diffuse(level, True) - level).max() > 1e-2
    np.testing.assert_allclose(noise_inverse(game) @ game.diffuse(level, True), level, atol=1e-14)
    ring = mfg.Problem(
        grid=mfg.Grid((mfg.Axis("x", 5, boundary="periodic"),)), time=mfg.TimeGrid(1.0, 2), coupling=0.0, initial=1.0,
        dynamics=mfg.LatticeMoves((0, 1), viscosity=0.1),
    )  # fmt: skip
    game, level = Game(ring), np.arange(5.0)
    np.testing.assert_allclose(noise_inverse(game) @ game.diffuse(level, True), level, atol=1e-14)


def test_programme_agrees_with_the_game():
    game = Game(everything())
    programme, rng = Programme(game), np.random.default_rng(4)
    policy = rng.uniform(0, 1, (game.steps, game.actions, game.states)) * game.allowed
    policy /= policy.sum(axis=1, keepdims=True)
    crowd = game.flow(policy)
    u = programme.unknowns(policy, crowd)
    np.testing.assert_allclose(programme.flow @ u, programme.source, atol=1e-15)
    x = programme.observe @ u
    np.testing.assert_allclose(x * programme.unit, crowd.reshape(-1)[programme.seen], atol=1e-15)
    own = TablePolicy(policy).own_cost(game, crowd).cost
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
    crowd = game.flow(game.uniform())
    marginal = programme.marginal(programme.observe @ programme.unknowns(game.uniform(), crowd))
    price = programme.price_of(marginal)
    y = programme.multipliers(price)
    reduced = programme.cost + programme.flow.T @ y + programme.observe.T @ marginal
    answer = game.respond(price)
    u = programme.unknowns(answer.policy, game.flow(answer.policy))
    assert reduced.min() > -1e-13  # nothing is better than the values promise,
    assert np.abs(reduced * u).max() < 1e-14  # and what is played is as good
    assert -y @ programme.source == pytest.approx(answer.mean_value, rel=1e-13)


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


# -- games -----------------------------------------------------------------------------------------------------------


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


def test_chambolle_pock_nears_the_optimum_under_a_cap():
    last = solved(ChambollePock(), transport(1), 1e-3, 6000).history[-1]
    assert last.relative_exploitability <= 1e-3
    assert last.violation <= 1e-3
    assert last.potential == pytest.approx(OPTIMA[1], abs=2e-3)


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


def test_a_belief_is_a_warm_start():
    problem = smooth()
    solver = ADMM(every=5, warm_up=20)
    cold = solved(solver, problem)
    crowd = solver.finish(cold.state).crowd
    warm = run(solver, solver.init(make_game(problem), 1e-6, lambda game: crowd), 1e-6, Budget(20000, 60))
    assert warm.state.iteration < cold.state.iteration


def test_refusals():
    cases = [
        (everything(0.1), "temperature"),
        (mfg.problems.supply_demand(shape=(8, 8), steps=16), "diffusion"),
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
