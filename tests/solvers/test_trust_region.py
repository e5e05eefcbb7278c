"""Stiff crowd-averse games: whatever the crowd costs, Newton ends at the equilibrium, and never behind its best."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.solvers import Newton
from mfgsolve.solvers.newton_state import COOLED, DAMPED
from mfgsolve.solvers.trust_region import trust_step


def target(strength: float) -> mfg.CustomCoupling:
    """K (rho - target): the crowd is pressed into a shape."""

    def shape(c: mfg.Coordinates) -> np.ndarray:
        return 1 + 0.8 * np.cos(3 * np.pi * c.x)

    return mfg.CustomCoupling(
        cost=lambda t, c, rho: strength * (rho - shape(c)),
        potential=lambda t, c, rho: strength * (rho**2 / 2 - shape(c) * rho),
        derivative=lambda t, c, rho: strength + 0 * rho,
        monotone=True,
    )


COUPLINGS = {"aversion": mfg.CrowdAversion, "target": target, "nonlocal": lambda k: mfg.Nonlocal(k, width=0.1)}
STARTS = {"peak": lambda t, c: np.exp(-(((c.x - 0.3) / 0.08) ** 2)), "flat": 1.0}


def game(
    kind: str = "aversion", where: str = "running", strength: float = 1e4, start: str = "peak", cells: int = 16,
    steps: int = 64, viscosity: float = 0.02, dynamics: object = None, **options: object,
) -> mfg.Problem:  # fmt: skip
    coupling, base = COUPLINGS[kind](strength), mfg.RunningCost(lambda t, c: 0.5 * np.cos(2 * np.pi * c.x))
    ends = {} if where == "running" else {"terminal_coupling": coupling}
    given = {"grid": mfg.Grid.box((cells,)), "time": mfg.TimeGrid(1.0, steps), "normalise": True} | ends | options
    return mfg.Problem(
        dynamics=mfg.ControlledDiffusion(viscosity, scheme="upwind") if dynamics is None else dynamics,
        coupling=base if where == "terminal" else base + coupling,
        initial=STARTS[start],
        **given,
    )


def states(problem: mfg.Problem, solver: Newton, tol: float = 1e-10, limit: int = 400):
    """Every state of a solve."""
    state = solver.init(make_game(problem), tol)
    for _ in range(limit):
        yield state
        if state.stalled or (state.final and abs(state.certificate.relative_exploitability) <= tol):
            return
        state = solver.step(state)


CASES = [
    ("aversion", "terminal", 1e4, "flat", 0.02),
    pytest.param("aversion", "running", 1e3, "peak", 0.02, marks=pytest.mark.slow),
    pytest.param("aversion", "both", 1e4, "peak", 0.02, marks=pytest.mark.slow),
    ("target", "terminal", 1e2, "peak", 0.002),
    pytest.param("target", "terminal", 1e4, "peak", 0.02, marks=pytest.mark.slow),
    pytest.param("target", "running", 1e3, "flat", 0.02, marks=pytest.mark.slow),
    pytest.param("nonlocal", "running", 1e3, "peak", 0.02, marks=pytest.mark.slow),
    ("nonlocal", "terminal", 1e4, "peak", 0.02),
    ("aversion", "running", 1e2, "peak", 0.0),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "where", "strength", "start", "viscosity"), CASES)
def test_stiff_diffusions_are_solved(kind, where, strength, start, viscosity):
    problem = game(kind, where, strength, start, viscosity=viscosity)
    solution = mfg.solve(problem, max_iterations=400)
    assert solution.converged
    gap = solution.certificate.duality_gap
    assert abs(gap) < 1e-6 * max(1.0, abs(solution.certificate.potential))  # the dual agrees: it is the minimum
    assert mfg.exploitability(problem, solution).relative_exploitability < 2e-10


@pytest.mark.slow
def test_many_more_steps_than_before_are_not_needed_where_the_cap_binds():
    """Too few steps for the speeds: the game of slower agents is a game, too."""
    problem = game("aversion", "running", 1e3, cells=24, steps=24)
    solution = mfg.solve(problem, max_iterations=400, check="ignore")
    assert solution.converged
    assert solution.certificate.cap_fraction > 0.02


@pytest.mark.slow
@pytest.mark.parametrize("where", ["running", "terminal"])
def test_frank_wolfe_comes_down_to_the_same_potential(where):
    problem = game("target", where, 100.0, cells=12, steps=48)
    newton = mfg.solve(problem, method="newton", max_iterations=300)
    other = mfg.solve(problem, method="frank-wolfe", max_iterations=400, check="ignore")
    least, certificate = newton.certificate.potential, other.certificate
    assert least <= certificate.potential <= least + certificate.exploitability
    assert certificate.potential - least < 0.02 * abs(least)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["aversion", "target"])
@pytest.mark.parametrize("where", ["running", "terminal", "both"])
def test_two_axes_with_a_wall(kind, where):
    grid = mfg.Grid.box((12, 12), blocked=lambda c: (abs(c.x - 0.5) < 0.05) & (c.y > 0.3))
    assert mfg.solve(game(kind, where, 1e4, grid=grid, steps=96), max_iterations=600, check="ignore").converged


@pytest.mark.slow
def test_the_length_of_the_line_that_was_reported():
    for strength, where in ((300.0, "terminal"), (1e3, "running"), (1e4, "running")):
        solution = mfg.solve(game("aversion", where, strength, cells=48, steps=512), max_iterations=400)
        assert solution.converged


@pytest.mark.parametrize("where", ["running", "terminal"])
def test_finite_games_at_a_low_temperature(where):
    moves = mfg.LatticeMoves([(0,), (1,), (-1,)], costs=[0, 0.02, 0.02], temperature=0.01)
    problem = game("target", where, 300.0, steps=16, dynamics=moves)
    solution = mfg.solve(problem, method="newton", max_iterations=300)
    assert solution.converged
    other = mfg.solve(problem, method="frank-wolfe", max_iterations=100, check="ignore").certificate
    assert solution.certificate.potential <= other.potential
    assert other.potential - other.exploitability <= solution.certificate.potential


def test_games_that_are_not_stiff_never_meet_a_damping(small_problem):
    for problem in (small_problem, game(strength=1.0)):
        assert {state.phase for state in states(problem, Newton())} == {0}


@pytest.fixture(scope="module")
def cooled():
    """A game that is cooled, and its solve in one run."""
    problem = game("target", "terminal", 1e3)
    phases = [state.phase for state in states(problem, Newton())]
    assert COOLED in phases
    assert len(phases) > 60
    return problem, mfg.solve(problem)


@pytest.mark.parametrize("cut", [5, 30, 45, 60])
def test_resume_in_every_phase_is_bit_identical(tmp_path, cooled, cut):
    (problem, whole), file = cooled, tmp_path / "c.nc"
    mfg.solve(problem, max_iterations=cut, checkpoint=file, check="ignore")
    rest = mfg.resume(file, problem=problem)
    assert rest.converged
    assert rest.sweeps == whole.sweeps
    for name in ("density", "exploitability", "sweeps"):
        np.testing.assert_array_equal(rest.dataset[name].values, whole.dataset[name].values, err_msg=name)


def test_a_damped_state_is_packed_with_its_damping():
    problem, solver = game("aversion", "running", 1e4), Newton()
    damped = (state for state in states(problem, solver) if state.damping > 0 and state.phase == COOLED)
    state = next(damped)
    arrays, numbers = state.pack()
    again = solver.unpack(make_game(problem), 1e-10, {k: v.copy() for k, v in arrays.items()}, numbers, state.measure)
    for _ in range(6):
        state, again = solver.step(state), solver.step(again)
        assert again.certificate == state.certificate
        assert again.pack()[1] == state.pack()[1]


def test_the_best_answer_is_handed_over_and_not_the_last():
    problem, solver, least, worse = game("aversion", "running", 1e3), Newton(), np.inf, 0
    for state in states(problem, solver):
        if state.measure.final_grid:
            least = min(least, state.measure.relative_exploitability)
        if not np.isfinite(least):
            continue
        handed = solver.finish(state)
        found = mfg.certificates.certify(handed.game, handed.policy, handed.crowd).relative_exploitability
        assert found <= least * (1 + 1e-9) + 1e-14
        worse += state.measure.relative_exploitability > 1.01 * least
    assert worse > 3  # there were some that would have been worse


@pytest.mark.parametrize("verb", ["respond", "flow", "conjugate_step"])
def test_a_step_that_is_interrupted_leaves_the_state_whole(monkeypatch, verb):
    """An exception out of a verb of the game, at any call of a step: the state goes on as if nothing had been."""
    problem, solver = game("target", "terminal", 1e3), Newton()
    line = list(states(problem, solver, limit=70))
    assert {state.phase for state in line} >= {0, COOLED}
    state, count = solver.init(make_game(problem), 1e-10), 0
    for expected in line[1:60:7]:
        while state.iteration < expected.iteration - 1:
            state = solver.step(state)
        before, new = {name: array.copy() for name, array in state.pack()[0].items()}, None
        for call in range(3):
            with monkeypatch.context() as patch:
                patch.setattr(Game, verb, interrupted(getattr(Game, verb), call))
                try:
                    new = solver.step(state)
                    break  # which makes an end of the old state
                except KeyboardInterrupt:
                    count += 1
            for name, array in state.pack()[0].items():
                np.testing.assert_array_equal(array, before[name])
            found = mfg.certificates.certify(state.game, state.game.policy_of(state.policy), state.crowd, state.dual)
            assert found == state.certificate
        state = solver.step(state) if new is None else new
        assert state.certificate == expected.certificate
    assert count > 8


def interrupted(verb, after: int):
    """The verb, interrupted half way of its call number ``after``."""
    calls = 0

    def called(*arguments, **options):
        nonlocal calls
        answer = verb(*arguments, **options)  # what it overwrites is overwritten
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return answer

    return called


def test_damped_steps_go_on_where_line_searches_end_near_the_answer():
    problem, phases = game("aversion", "running", 1e4, viscosity=0.1, steps=96), set()
    for state in states(problem, Newton()):
        phases.add(state.phase)
    assert abs(state.certificate.relative_exploitability) <= 1e-10
    assert DAMPED in phases or COOLED in phases


@pytest.mark.parametrize("damping", [0.0, 0.3, 30.0])
def test_one_step_solves_the_damped_system(damping):
    """x / (1 + d B) with (I - K B_d) x = M - mb and B_d = B / (1 + d B), by dense matrices column by column."""
    played = make_game(game("aversion", "both", 0.2, cells=5, steps=20, viscosity=0.2))
    state = copy.copy(Newton(coarse_grids=False, warm_up=3).init(played, 1e-9))
    state.damping, size = damping, state.believed.size
    slope = played.slope(state.believed).reshape(-1).copy()
    columns = [
        -played.curvature(state.policy, state.crowd, unit.reshape(state.believed.shape), identity=0.0).reshape(-1)
        for unit in np.eye(size)
    ]
    curvature, soft = np.stack(columns, axis=1), slope / (1 + damping * slope)
    residual = (state.crowd - state.believed).reshape(-1)
    solution = np.linalg.solve(np.eye(size) - curvature * soft, residual) / (1 + damping * slope)
    wanted = np.maximum(state.believed.reshape(-1) + solution, 0.0)
    dual = state.dual
    assert trust_step(state, 1e-13)
    np.testing.assert_allclose(state.believed.reshape(-1), wanted, atol=1e-9)
    assert state.dual > dual
    assert state.damping <= damping / 3  # the model was right
    assert state.growth == 2.0


def test_a_step_that_lowers_the_dual_is_not_taken():
    played = make_game(game("aversion", "both", 2.0, cells=5, steps=20))
    state = copy.copy(Newton(coarse_grids=False, warm_up=3).init(played, 1e-9))
    believed, slope = state.believed.copy(), played.slope(state.believed).max()
    for k in (0, 1):
        assert not trust_step(state, 1e-13)
        np.testing.assert_array_equal(state.believed, believed)
        assert state.damping == pytest.approx(1e-3 / slope)
        assert state.growth == 2.0 ** (k + 2)
        state.damping = 0.0
