"""Solvers agree with each other, keep what they promise of a solution, and continue bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.solvers import FictitiousPlay, FrankWolfe, Newton


def test_the_three_solvers_agree(small_problem):
    newton = mfg.solve(small_problem, tol=1e-12)
    search = mfg.solve(small_problem, method="frank-wolfe", tol=1e-9, max_iterations=300)
    play = mfg.solve(small_problem, method="fictitious-play", tol=1e-5, max_iterations=500)
    for other, tol in ((search, 1e-8), (play, 2e-5)):
        assert other.converged
        assert other.potential == pytest.approx(newton.potential, abs=tol)
        assert other.potential >= newton.potential - 1e-13
        distance = abs(other.dataset["density"] - newton.dataset["density"]).mean()
        assert float(distance) < 30 * math.sqrt(tol)


@pytest.mark.parametrize("method", ["newton", "frank-wolfe", "fictitious-play"])
def test_nonlocal_log_and_terminal_couplings(method):
    problem = mfg.Problem(
        grid=mfg.Grid.box((20,), boundary="periodic"),
        time=mfg.TimeGrid(1.0, 40),
        dynamics=mfg.ControlledDiffusion(viscosity=0.02, scheme="upwind"),
        coupling=mfg.Nonlocal(0.5, width=0.1) + mfg.LogCongestion(0.1) + mfg.RunningCost(lambda t, c: np.cos(6 * c.x)),
        initial=mfg.Bump(1.0, 0.1, (0.5,)),
        normalise=True,
        terminal_coupling=mfg.CrowdAversion(0.3),
    )
    tol = 1e-11 if method == "newton" else 1e-5
    solution = mfg.solve(problem, method=method, tol=tol, max_iterations=400)
    assert solution.converged
    exact = mfg.solve(problem, tol=1e-13)
    assert solution.potential == pytest.approx(exact.potential, abs=2 * tol)
    assert mfg.exploitability(problem, solution).exploitability == pytest.approx(solution.exploitability, abs=1e-13)


def test_three_axes_with_walls():
    problem = mfg.Problem(
        grid=mfg.Grid.box((8, 8, 8), blocked=lambda c: (abs(c.x - 0.5) < 0.1) & (c.y > 0.3)),
        time=mfg.TimeGrid(1.0, 24),
        dynamics=mfg.ControlledDiffusion(viscosity=0.01, control_cost=0.3, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.2),
        initial=mfg.Bump(1.0, 0.2, (0.2, 0.8, 0.5)),
        terminal=lambda t, c: (c.x - 0.8) ** 2 + (c.y - 0.8) ** 2,
        normalise=True,
    )
    solution = mfg.solve(problem)
    assert solution.converged
    blocked = solution.dataset["blocked"].values.astype(bool)
    assert (solution.dataset["density"].values[:, blocked] == 0).all()
    assert np.isnan(solution.dataset["value"].values[:, blocked]).all()
    assert (solution.dataset["density"].values >= 0).all()


def test_a_moving_well_is_followed_and_not_mirrored():
    """The well moves right, then stops: at every time the crowd is nearer to the well than to its mirror in time."""
    path = ((0.0, 0.25), (0.5, 0.75), (1.0, 0.75))
    well = mfg.Bump(-5.0, 0.15, path=path)
    problem = mfg.Problem(
        grid=mfg.Grid.box((40,)),
        time=mfg.TimeGrid(1.0, 80),
        dynamics=mfg.ControlledDiffusion(viscosity=0.005, control_cost=0.2, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.05) + mfg.RunningCost(well),
        initial=mfg.Bump(1.0, 0.1, (0.25,)),
        normalise=True,
    )
    density = mfg.solve(problem).dataset["density"]
    mean = (density * density.x).sum("x") / density.sum("x")
    well_now = np.array([well.position(t)[0] for t in density.time.values])
    assert np.abs(mean - well_now).max() < 0.12
    assert np.abs(mean - well_now[::-1]).max() > 0.3


@pytest.mark.parametrize(
    ("solver", "tol", "cut"),
    [("newton", 1e-10, 3), ("newton", 1e-10, 9), ("frank-wolfe", 1e-5, 7), ("fictitious-play", 1e-3, 4)],
)
def test_resume_is_bit_identical(tmp_path, small_problem, solver, tol, cut):
    whole = mfg.solve(small_problem, method=solver, tol=tol)
    file = tmp_path / "c.nc"
    part = mfg.solve(small_problem, method=solver, tol=tol, max_iterations=cut, checkpoint=file, check="ignore")
    assert part.status is mfg.Status.ITERATION_LIMIT
    rest = mfg.resume(file)
    assert rest.converged
    for name in ("density", "value", "speed", "coupling_cost", "potential", "sweeps", "exploitability"):
        np.testing.assert_array_equal(rest.dataset[name].values, whole.dataset[name].values, err_msg=name)
    assert rest.certificate == whole.certificate
    assert rest.sweeps == whole.sweeps


def test_solvers_say_what_suits():
    problem = mfg.Problem(
        grid=mfg.Grid.box((8,)),
        time=mfg.TimeGrid(1.0, 8),
        dynamics=mfg.ControlledDiffusion(0.01, scheme="upwind"),
        coupling=mfg.CustomCoupling(lambda t, c, rho: rho),
        initial=1.0,
    )
    with pytest.raises(mfg.InputError, match="suited: fictitious-play"):
        mfg.solve(problem, method="newton")
    assert mfg.solve(problem, tol=1e-6).converged  # by the solver that suits


def test_solvers_are_frozen_hyper_parameters(small_problem):
    for solver in (Newton(warm_up=5), FrankWolfe(accuracy=1e-2), FictitiousPlay()):
        with pytest.raises(AttributeError):
            solver.warm_up = 3  # type: ignore[misc]
        assert mfg.solve(small_problem, method=solver, tol=1e-3).converged


def test_results_do_not_depend_on_threads():
    problem = mfg.problems.supply_demand(shape=(12, 12), steps=24, scheme="upwind")
    one, two = (mfg.solve(problem, threads=n, max_iterations=3, check="ignore").dataset for n in (1, 2))
    np.testing.assert_array_equal(one["density"].values, two["density"].values)


@pytest.mark.parametrize("power", [0.5, 0.9])
def test_empty_cells_and_powers_below_one(power):
    problem = mfg.Problem(
        mfg.Grid.box((12, 12)),
        mfg.TimeGrid(1.0, 32),
        mfg.ControlledDiffusion(0.0, scheme="upwind"),
        mfg.CrowdAversion(0.3, power),
        lambda t, c: 1.0 * (c.x < 0.2),
        terminal=lambda t, c: (c.x - 0.8) ** 2,
        normalise=True,
    )
    solution = mfg.solve(problem)
    assert solution.converged
    assert (solution.dataset["density"] == 0).any()


def test_a_game_without_costs_is_at_equilibrium_at_once():
    for method in ("newton", "frank-wolfe", "fictitious-play"):
        problem = mfg.Problem(
            mfg.Grid.box(4), mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.01, scheme="upwind"), 0.0, 1.0
        )
        assert mfg.solve(problem, method=method).converged


def test_mass_is_kept_however_strong_the_noise():
    problem = mfg.Problem(
        mfg.Grid.box(8, boundary="periodic"),
        mfg.TimeGrid(1.0, 8),
        mfg.ControlledDiffusion(1e12, scheme="upwind"),
        mfg.CrowdAversion(0.5),
        lambda t, c: 2 * c.x,
        terminal=lambda t, c: (c.x - 0.5) ** 2,
    )
    assert mfg.solve(problem).certificate.mass_error < 1e-13
