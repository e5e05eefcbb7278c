"""Frank-Wolfe and fictitious play where laws are paid for by entropy: beliefs average, one response is handed over."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from entropic_games import line, plane

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import make_game
from mfgsolve.solvers import FictitiousPlay, FrankWolfe

METHODS = ["frank-wolfe", "fictitious-play"]


@pytest.fixture(scope="module")
def exact():
    return mfg.solve(line(), method="newton", tol=1e-11, check="ignore")


@pytest.mark.parametrize("method", METHODS)
def test_both_come_to_the_equilibrium_that_newton_finds(exact, method):
    found = mfg.solve(line(), method=method, tol=1e-10)
    assert found.converged
    assert found.potential == pytest.approx(exact.potential, abs=1e-10)
    assert np.abs(found.dataset["density"] - exact.dataset["density"]).max() < 1e-4
    again = mfg.exploitability(line(), found)  # of what was handed over, from its dataset alone
    assert again.relative_exploitability == pytest.approx(found.relative_exploitability, abs=1e-13)
    assert abs(again.relative_exploitability) <= 1e-10


@pytest.mark.parametrize("method", METHODS)
def test_walls_and_a_coupling_without_a_derivative(method):
    plain = mfg.CustomCoupling(lambda t, c, rho: 0.5 * rho, potential=lambda t, c, rho: rho**2 / 4, monotone=True)
    problem = plane()
    exact = mfg.solve(problem, method="newton", tol=1e-11, check="ignore")
    other = mfg.Problem(problem.grid, problem.time, problem.all_dynamics[0], plain, problem.initial, problem.terminal,
                        normalise=True)  # fmt: skip
    found = mfg.solve(other, method=method, tol=1e-9, check="ignore")  # the reach is stated short
    assert found.potential == pytest.approx(exact.potential, abs=1e-9)


@pytest.mark.parametrize("solver", [FrankWolfe(), FictitiousPlay()])
def test_every_iteration_certifies_what_would_be_handed_over(solver):
    game = make_game(line().levelled())
    state = solver.init(game, 1e-9)
    for _ in range(4):
        outcome = solver.finish(state)
        assert np.array_equal(game.follow(outcome.policy), outcome.crowd)
        found = certify(game, outcome.policy, outcome.crowd)
        assert state.measure.exploitability == found.exploitability
        assert state.measure.potential == found.potential
        state = solver.step(state)
    assert state.sweeps == pytest.approx(1.0 + 1.5 * 5)


def test_the_response_is_far_better_than_the_mixture_in_the_end():
    """Which it is: of agents who keep to their first draws, the first ones are still there."""
    game, solver = make_game(line().levelled()), FictitiousPlay()
    state = solver.init(game, 1e-9)
    for _ in range(25):
        state = solver.step(state)
    mixture = certify(game, state.plan, state.plan.crowd)
    assert mixture.relative_exploitability > 1e-3
    assert 0 <= state.measure.relative_exploitability < 1e-5 * mixture.relative_exploitability


def test_frank_wolfe_lowers_the_potential_of_the_mixture_at_every_step():
    game, solver = make_game(line().levelled()), FrankWolfe()
    state, potentials = solver.init(game, 1e-9), []
    for _ in range(8):
        crowd = state.plan.crowd
        potentials.append(game.cost(state.plan, crowd).cost + game.potential(crowd) + game.terminal_total(crowd))
        state = solver.step(state)
    assert (np.diff(potentials) <= 1e-15).all()


def test_fictitious_play_averages_beliefs_with_its_weights():
    game, solver = make_game(line().levelled()), FictitiousPlay()
    state = solver.init(game, 1e-9)
    crowd = state.plan.crowd.copy()
    for k in range(3):
        crowd += 2 / (k + 3) * (state.response - crowd)
        state = solver.step(state)
        assert state.plan.crowd == pytest.approx(crowd, rel=1e-14)


def test_a_tolerance_between_the_two_certificates_is_met_by_the_response_alone():
    """The status follows what is handed over."""
    early = mfg.solve(line(), method="frank-wolfe", tol=0.21, max_iterations=1, check="ignore")
    state = FrankWolfe().init(make_game(line().levelled()), 0.21)
    state = FrankWolfe().step(state)
    mixture = certify(state.game, state.plan, state.plan.crowd).relative_exploitability
    assert mixture < state.measure.relative_exploitability  # at first it is the other way round
    assert early.relative_exploitability == pytest.approx(state.measure.relative_exploitability, rel=1e-12)
    between = 0.5 * (mixture + state.measure.relative_exploitability)
    late = mfg.solve(line(), method="frank-wolfe", tol=between, max_iterations=1, check="ignore")
    assert late.status is mfg.Status.ITERATION_LIMIT
    assert late.relative_exploitability > between


# -- gone on with ----------------------------------------------------------------------------------------------------


CODE = """
import sys
sys.path[:0] = [{tests!r}]
import mfgsolve as mfg
from entropic_games import line
mfg.resume({checkpoint!r}, problem=line(), check="ignore").save({saved!r})
"""


def same(back, whole):
    assert back.iterations == whole.iterations
    assert back.sweeps == whole.sweeps
    for name in ("density", "value_ahead", "velocity", "value", "exploitability", "potential"):
        assert np.array_equal(back.dataset[name], whole.dataset[name], equal_nan=True), name


@pytest.mark.slow
def test_another_process_goes_on_bit_for_bit(tmp_path):
    options = {"method": "frank-wolfe", "tol": 1e-9, "check": "ignore"}
    whole = mfg.solve(line(), **options)
    first = mfg.solve(line(), max_iterations=6, checkpoint=tmp_path / "c.nc", **options)
    assert first.iterations < whole.iterations
    code = CODE.format(
        tests=str(Path(__file__).parents[1]), checkpoint=str(tmp_path / "c.nc"), saved=str(tmp_path / "plan.nc")
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    same(mfg.load(tmp_path / "plan.nc"), whole)


@pytest.mark.parametrize("method", ["fictitious-play", "newton"])
def test_a_checkpoint_is_gone_on_with_bit_for_bit(method, tmp_path):
    options = {"method": method, "tol": 1e-9, "check": "ignore"}
    first = mfg.solve(line(), max_iterations=0 if method == "newton" else 6, checkpoint=tmp_path / "c.nc", **options)
    back = mfg.resume(tmp_path / "c.nc", problem=line(), check="ignore")
    assert back.iterations > first.iterations
    same(back, mfg.solve(line(), **options))


def test_a_mean_that_was_mixed_and_not_measured_goes_on_as_if_it_were():
    game, solver = make_game(line().levelled()), FrankWolfe()
    state = solver.init(game, 1e-9)
    for _ in range(3):
        state = solver.step(state)
    arrays, numbers = ({name: value.copy() for name, value in state.pack()[0].items()}, state.pack()[1])
    measure, there = state.measure, solver.step(state)
    before = {name: value.copy() for name, value in there.pack()[0].items()}
    mixed = solver.unpack(game, 1e-9, before, numbers | {"mixed": 4.0}, measure)
    assert (mixed.iteration, mixed.sweeps) == (there.iteration, there.sweeps)
    assert mixed.measure == there.measure
    again = solver.unpack(game, 1e-9, arrays, numbers, measure)
    assert again.measure == measure
    assert np.array_equal(solver.step(again).plan.crowd, there.plan.crowd)


def test_a_solution_on_another_grid_starts_a_solve(exact):
    near = mfg.solve(line(36, 12), method="newton", check="ignore")
    for method in METHODS:
        cold = mfg.solve(line(), method=method, tol=1e-8)
        warm = mfg.solve(line(), method=method, tol=1e-8, start=near)
        assert warm.potential == pytest.approx(exact.potential, abs=1e-8)
        assert warm.sweeps < cold.sweeps
