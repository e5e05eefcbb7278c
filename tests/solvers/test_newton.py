"""Newton's method: reference numbers, machine precision, progress where only the dual rises, starts."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg

REFERENCE = {
    (32, 256): (-0.236022259743502, -0.09310241250587009, 0.6234772324628213),
    (64, 512): (-0.24133892773558996, -0.08975943690015481, 0.635339006833948),
}


MEAN_POSITION = {
    (32, 256): [[0.1502, 0.2], [0.3691, 0.3855], [0.6228, 0.3832], [0.779, 0.2658], [0.8015, 0.2336]],
    (64, 512): [[0.1502, 0.2], [0.3718, 0.3849], [0.6336, 0.3821], [0.7964, 0.2563], [0.8189, 0.222]],
}


@pytest.mark.parametrize(("n", "steps"), [(32, 256), pytest.param(64, 512, marks=pytest.mark.slow)])
def test_flagship_reproduces_the_reference(n, steps):
    """Numbers of an independent implementation of the same discrete game."""
    solution = mfg.solve(mfg.problems.supply_demand(shape=(n, n), steps=steps, scheme="upwind"))
    potential, cost, scale = REFERENCE[n, steps]
    assert solution.converged
    assert solution.relative_exploitability <= 1e-10
    assert solution.certificate.mass_error <= 1e-12
    assert solution.potential == pytest.approx(potential, rel=1e-10)
    assert solution.certificate.cost == pytest.approx(cost, rel=1e-5)
    paid, share = solution.dataset["coupling_cost"].values, solution.dataset["density"].values[:-1] / n**2 / steps
    assert solution.certificate.movement_cost + np.abs(paid * share).sum() == pytest.approx(scale, rel=1e-5)
    above = ((paid - paid.min(axis=(1, 2), keepdims=True)) * share).sum()
    assert solution.certificate.scale == pytest.approx(solution.certificate.movement_cost + above, rel=1e-12)
    assert solution.sweeps <= 100
    density = solution.dataset["density"]
    weight = density / density.sum(("y", "x"))
    for k, expected in zip((0, 0.25, 0.5, 0.75, 1), MEAN_POSITION[n, steps], strict=True):
        level = weight.isel(time=int(k * steps))
        mean = [float((level * level[axis]).sum()) for axis in ("x", "y")]
        np.testing.assert_allclose(mean, expected, atol=1e-4)


def test_machine_precision_is_reached(small_problem):
    solution = mfg.solve(small_problem, tol=1e-14)
    assert abs(solution.relative_exploitability) <= 1e-14


def test_a_tolerance_below_round_off_stalls_instead_of_running_for_ever(line_problem):
    solution = mfg.solve(line_problem, tol=0.0, check="ignore", max_iterations=200)
    assert solution.status in (mfg.Status.STALLED, mfg.Status.CONVERGED)
    assert abs(solution.relative_exploitability) < 1e-14


@pytest.mark.parametrize("cells", [2, 8])
def test_newton_goes_on_while_the_dual_rises_though_exploitability_does_not_fall(cells):
    """A steep terminal coupling keeps the exploitability near 1 for many steps that are progress all the same."""
    problem = mfg.Problem(
        mfg.Grid.box(cells),
        mfg.TimeGrid(1.0, 32 * cells // 2),
        mfg.ControlledDiffusion(0.0, scheme="upwind"),
        mfg.CrowdAversion(0.1),
        lambda t, c: 1 + 0.9 * np.cos(3 * c.x),
        terminal=lambda t, c: c.x,
        terminal_coupling=mfg.CrowdAversion(10.0),
        normalise=True,
    )
    assert mfg.solve(problem).converged


def test_warm_start_from_another_grid_and_other_parameters(small_problem):
    cold = mfg.solve(small_problem)
    warm = mfg.solve(small_problem, start=cold)
    assert warm.converged
    assert warm.sweeps < 0.3 * cold.sweeps
    finer = mfg.solve(mfg.problems.supply_demand(shape=(20, 24), steps=160, scheme="upwind"), start=cold)
    assert finer.converged
    other = mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=128, reward=2.1, scheme="upwind"), start=cold)
    assert other.converged


def test_fields_made_for_one_grid_start_on_that_grid():
    """A function that returns an array of its own shape cannot be asked on coarser grids: solved without them."""
    reward = np.linspace(0, 1, 256).reshape(16, 16)
    problem = mfg.Problem(
        mfg.Grid.box((16, 16)),
        mfg.TimeGrid(1.0, 128),
        mfg.ControlledDiffusion(0.01, scheme="upwind"),
        mfg.CrowdAversion(0.2) + mfg.RunningCost(lambda t, c: reward),
        np.ones((16, 16)).tolist(),
    )
    assert mfg.solve(problem).converged
