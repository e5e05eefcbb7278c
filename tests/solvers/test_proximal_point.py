"""Proximal points: games whose best speeds jump, or start with an infinite derivative, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from moving_games import goal, problem

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers import ProximalPoint, suited
from tests.dense import dense_noise

LIMIT = mfg.SpeedLimit(0.6)


def of_three_speeds(stated: mfg.Problem) -> mfg.Problem:
    """The same game on a line, with tables: stay, go right, go left, as fast as is allowed."""
    own = make_game(stated)
    size, limit = own.cells, stated.dynamics.movement.limit
    chance = limit * own.dt * size
    right, left = np.eye(size), np.eye(size)
    for k in range(size):
        right[k, k] -= chance
        right[k, min(k + 1, size - 1)] += chance
        left[k, k] -= chance
        left[k, max(k - 1, 0)] += chance
    spread, pay = dense_noise(own), own.step.scheme.control_cost[0] * limit * own.dt
    cost = np.repeat(np.array([0.0, pay, pay])[:, None], size, 1)
    x = (np.arange(size) + 0.5) / size
    coupling = mfg.RunningCost(lambda t, c: -np.exp(-((x - 0.7) ** 2) / 0.1)) + mfg.CrowdAversion(0.2 * size)
    return mfg.Problem(
        mfg.States(size), stated.time, mfg.Tabular([spread, right @ spread, left @ spread], cost=cost), coupling,
        own.initial_mass.reshape(-1),
    )  # fmt: skip


@pytest.mark.parametrize("movement", [pytest.param(LIMIT, marks=pytest.mark.slow), mfg.LinearCost(0.6)])
def test_speeds_that_jump_are_certified_to_the_last_digit(movement):
    """And the potential is that of the finite game of three speeds, from an interior point."""
    stated = problem(movement, (16,), 24)
    assert suited(stated)[0] == "proximal-point"
    found = mfg.solve(stated, tol=1e-10, check="ignore")
    assert found.status is mfg.Status.CONVERGED
    assert found.dataset.attrs["solver"] == "proximal-point"
    again = mfg.exploitability(stated, found)
    assert -1e-15 < again.relative_exploitability <= 1e-10
    tables = mfg.solve(of_three_speeds(stated), method="interior-point", tol=1e-11)
    assert found.potential == pytest.approx(tables.potential, rel=1e-9)


@pytest.mark.parametrize("movement", [LIMIT, mfg.PowerCost(4.0)])
def test_no_named_solver_ends_lower(movement):
    stated = problem(movement, (5, 6), 24)
    found, least = mfg.solve(stated, tol=1e-7, check="ignore"), np.inf
    for name in suited(stated)[1:]:
        limit = {"callback": lambda now: now.sweeps > found.sweeps, "check": "ignore"}
        least = min(least, mfg.solve(stated, method=name, tol=1e-7, **limit).relative_exploitability)
    assert found.relative_exploitability <= 1e-7 < least


def test_a_game_without_potential_is_solved_too():
    rng = np.random.default_rng(0)
    kernel = 0.2 * rng.random((12, 12))
    stated = problem(mfg.PowerCost(3.0), coupling=mfg.RunningCost(goal) + mfg.Interaction(kernel))
    assert not stated.is_potential
    found = mfg.solve(stated, method="proximal-point", tol=1e-9, check="ignore")
    assert found.relative_exploitability <= 1e-9


def test_a_resumed_solve_ends_at_the_same_bits(tmp_path):
    stated, file = problem(LIMIT, (16,), 24), tmp_path / "c.nc"
    whole = mfg.solve(stated, method="proximal-point", tol=1e-7, check="ignore")
    mfg.solve(stated, method="proximal-point", tol=1e-7, max_iterations=3, checkpoint=file, check="ignore")
    rest = mfg.resume(file, problem=stated, check="ignore")
    assert rest.sweeps == whole.sweeps
    np.testing.assert_array_equal(rest.density.values, whole.density.values)


def test_the_history_never_rises_and_a_start_is_taken_up():
    stated = problem(LIMIT, (16,), 24)
    first = mfg.solve(stated, method="proximal-point", tol=1e-5, check="ignore")
    assert (np.diff(first.dataset["relative_exploitability"]) <= 0).all()
    second = mfg.solve(stated, method="proximal-point", tol=1e-5, start=first, check="ignore")
    assert second.converged
    assert second.density.values == pytest.approx(first.density.values, abs=0.05)


def test_a_worse_plan_is_not_kept():
    solver, game = ProximalPoint(), make_game(problem(LIMIT, (16,), 24).levelled())
    state = solver.init(game, 1e-6)
    best, least = state.best, state.least
    state.speeds = np.zeros_like(state.speeds)
    state.crowd = game.follow(state.policy(state.speeds))
    assert solver._measured(state).relative_exploitability > least
    assert state.best is best
    assert state.measure.relative_exploitability == least == state.least
    np.testing.assert_array_equal(solver.finish(state).policy.speeds.reshape(best.shape), best)


def test_it_is_for_steep_speeds_alone_and_says_so():
    for stated in (problem(None), problem(mfg.PowerCost(1.5)), problem(mfg.CongestionCost())):
        assert "proximal-point" not in suited(stated)
        with pytest.raises(mfg.InputError, match="infinite derivative"):
            mfg.solve(stated, method="proximal-point")


@pytest.mark.parametrize("options", [{"quick": 0}, {"inner": 2.5}, {"falling": 1.0}, {"accuracy": 0.0}])
def test_parameters_out_of_range(options):
    with pytest.raises(mfg.InputError, match="proximal points"):
        ProximalPoint(**options)
