"""Plain arrays that change with time, a level for each step or node, are the functions that give the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.identity import fingerprint

STEPS, CELLS = 5, 6
VALUES = 1 + np.random.default_rng(3).random((STEPS + 1, CELLS))


def function(t, c):
    return VALUES[round(t * STEPS)]


def game(coupling, steps=STEPS):
    dynamics = mfg.ControlledDiffusion(0.1, scheme="upwind")
    return mfg.Problem(mfg.Grid.box((CELLS,)), mfg.TimeGrid(1.0, steps), dynamics, coupling, 1.0)


@pytest.mark.parametrize(
    "make",
    [
        mfg.RunningCost,
        mfg.CrowdAversion,
        lambda field: mfg.Congestion(field, 0.5),
        lambda field: mfg.CrowdAversion(0.5) + 2 * mfg.RunningCost(field),
    ],
)
@pytest.mark.parametrize("levels", [STEPS, STEPS + 1])
def test_an_array_of_all_steps_or_nodes_is_its_function(make, levels):
    assert fingerprint(game(make(VALUES[:levels]))) == fingerprint(game(make(function)))


def test_a_cap_and_choices_and_the_end_may_change_with_time():
    moves, grid = mfg.LatticeMoves((-1, 0, 1), costs=(1.0, 0.0, 1.0)), mfg.Grid.box((CELLS,))

    def lattice(cap, cost, end=None):
        coupling = mfg.Capacity(cap) + mfg.RunningCost(cost, on="occupation")
        return mfg.Problem(grid, mfg.TimeGrid(1.0, STEPS), moves, coupling, 1.0, terminal_coupling=end)

    costs = np.random.default_rng(0).random((STEPS, 3, CELLS))
    by_array = lattice(VALUES, costs, mfg.CrowdAversion(VALUES))
    by_function = lattice(function, lambda t, c: costs[round(t * STEPS)], mfg.CrowdAversion(function))
    assert fingerprint(by_array) == fingerprint(by_function)


def test_an_array_that_rests_stays_as_it_is():
    coupling = mfg.RunningCost(VALUES[0])
    assert game(coupling).coupling is coupling
    grid = mfg.States(2)
    talk = mfg.Interaction(np.ones((2, 2)))  # as many axes as states and times, and none of them is time
    kept = mfg.Problem(grid, mfg.TimeGrid(2, 2), mfg.Tabular([np.eye(2)] * 2), talk, np.array([0.5, 0.5]))
    assert kept.coupling is talk


@pytest.mark.parametrize(("steps", "sentence"), [
    (7, r"cost of the RunningCost has shape \(6, 6\); 7 levels, one for each step, or 8, one for each node, of \(x\)"),
    (None, r"the number of steps is not stated; write TimeGrid\(horizon, 6\)"),
])  # fmt: skip
def test_other_numbers_of_levels_are_told(steps, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        game(mfg.RunningCost(VALUES), steps)


def test_a_game_solves_and_its_solution_is_certified_again():
    problem = game(mfg.CrowdAversion(0.3) + mfg.RunningCost(VALUES))
    solution = mfg.solve(problem)
    assert solution.converged
    assert mfg.exploitability(problem, solution).exploitability == pytest.approx(solution.exploitability, abs=1e-15)


def test_an_array_of_few_steps_is_judged_in_its_own_steps():
    """Where the noise allows fewer steps than speeds are measured with, the array's own have to do."""
    cost = np.random.default_rng(0).random((4, 8, 8))
    problem = replace(
        mfg.problems.supply_demand(shape=(8, 8), viscosity=0.01),
        coupling=mfg.RunningCost(cost) + mfg.CrowdAversion(1.0), time=mfg.TimeGrid(1.0, 4), parameters=None, kinks=(),
    )  # fmt: skip
    assert mfg.solve(problem, check="ignore").converged
