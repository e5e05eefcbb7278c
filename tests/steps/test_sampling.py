"""What sums over cell centres in place of integrals do to potentials: against finer cells, and against integrals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solving import solved
from mfgsolve.steps.sampling import sampling_shift


def shift_and_potential(name: str, cells: int, steps: int, **parameters: Any) -> tuple[float, float]:
    problem = mfg.problems.build(name, parameters, shape=(cells,), steps=steps)
    solution, outcome = solved(problem, estimate=False, judged=False, check="ignore")
    return sampling_shift(outcome.game.step, outcome.policy.array, outcome.crowd), solution.potential


@pytest.mark.parametrize(
    ("name", "cells", "steps", "within"),
    [
        ("gaussian-log", 47, 32, 0.02),
        ("gaussian-log", 38, 32, 0.05),  # sigma / h = 0.60
        ("linear-quadratic", 56, 32, 0.02),  # of the other sign: agents gather
        ("cole-hopf", 27, 128, 0.1),
        ("cole-hopf", 19, 128, 0.05),  # 0.53
    ],
)
def test_the_shift_is_the_distance_to_cells_a_third_as_wide(name: str, cells: int, steps: int, within: float) -> None:
    shift, potential = shift_and_potential(name, cells, steps)
    _, exact = shift_and_potential(name, 3 * cells, steps)
    assert shift == pytest.approx(potential - exact, rel=within)
    assert (shift < 0) == (name == "linear-quadratic")


def brute_force(problem: mfg.Problem, ahead: np.ndarray, slope: float) -> tuple[np.ndarray, float]:
    """a_h in the middle of a line by the step itself, and a: of a value slope * x the integral is known."""
    step = make_game(problem, 1).step
    spare = step.new_policy()[0]
    value = step.best(0, ahead.copy(), None, spare)  # type: ignore[arg-type]
    variance = 2.0 * step.viscosity * problem.time.dt  # type: ignore[attr-defined]
    return value, -(slope**2) * variance / (2.0 * step.entropy[0])  # type: ignore[attr-defined]


@pytest.mark.parametrize("going", [0.0, 0.3, 0.5, 1.0])  # cells a step
def test_agents_pay_for_the_fraction_of_a_cell_that_they_go(going: float) -> None:
    """On a ring without ends: v = slope x in the middle, where nothing else is seen."""
    problem = mfg.problems.linear_quadratic(shape=(64,), steps=32, viscosity=0.03, scheme="entropic")
    axis, dt = problem.grid.axes[0], problem.time.dt  # type: ignore[attr-defined]
    slope = going * axis.spacing / dt
    ahead = slope * axis.centres
    value, integral = brute_force(problem, ahead, slope)
    measured = value[32] - ahead[32] - integral
    step = make_game(problem, 1).step
    policy = step.new_policy()
    for t in range(problem.time.steps):
        step.best(t, ahead.copy(), None, policy[t])  # type: ignore[arg-type]
    mass = np.zeros((problem.time.steps + 1, 64))
    mass[:, 32] = 1.0
    told = sampling_shift(step, policy, mass) / problem.time.steps  # type: ignore[arg-type]
    eps, e_s = float(step.entropy[0]), step.space_error  # type: ignore[attr-defined]
    assert told == pytest.approx(measured, abs=0.02 * eps * e_s)
    assert told == pytest.approx(eps * e_s * (1 - math.cos(2 * math.pi * going)), rel=0.1, abs=0.02 * eps * e_s)
