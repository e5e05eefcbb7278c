"""Solvers: they agree with each other and with the reference, stop for the right reason, and continue bit for bit."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.solvers import FictitiousPlay, FrankWolfe, Newton

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
    solution = mfg.solve(mfg.problems.supply_demand(shape=(n, n), steps=steps))
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


def test_frank_wolfe_decreases_the_potential_at_every_step(small_problem):
    solution = mfg.solve(small_problem, method="frank-wolfe", max_iterations=30, check="ignore")
    assert (np.diff(solution.dataset["potential"]) <= 1e-15).all()


@pytest.mark.parametrize("method", ["newton", "frank-wolfe", "fictitious-play"])
def test_nonlocal_log_and_terminal_couplings(method):
    problem = mfg.Problem(
        grid=mfg.Grid.box((20,), boundary="periodic"),
        time=mfg.TimeGrid(1.0, 40),
        dynamics=mfg.ControlledDiffusion(viscosity=0.02),
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
        dynamics=mfg.ControlledDiffusion(viscosity=0.01, control_cost=0.3),
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
        dynamics=mfg.ControlledDiffusion(viscosity=0.005, control_cost=0.2),
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


def test_warm_start_from_another_grid_and_other_parameters(small_problem):
    cold = mfg.solve(small_problem)
    warm = mfg.solve(small_problem, start=cold)
    assert warm.converged
    assert warm.sweeps < 0.3 * cold.sweeps
    finer = mfg.solve(mfg.problems.supply_demand(shape=(20, 24), steps=160), start=cold)
    assert finer.converged
    other = mfg.solve(mfg.problems.supply_demand(shape=(16, 16), steps=128, reward=2.1), start=cold)
    assert other.converged


@pytest.mark.parametrize("method", ["newton", "frank-wolfe", "fictitious-play"])
def test_every_reason_to_stop_has_its_status(small_problem, method):
    def solve(**options):
        return mfg.solve(small_problem, method=method, check="ignore", **options)

    assert solve(max_iterations=2).status is mfg.Status.ITERATION_LIMIT
    assert solve(max_seconds=0.0).status is mfg.Status.TIME_LIMIT
    stopped = solve(callback=lambda measure: measure.iteration == 1)
    assert stopped.status is mfg.Status.STOPPED
    assert not stopped.converged
    assert stopped.iterations == 1
    assert all(status.sentence.endswith(".") for status in mfg.Status)


def test_a_tolerance_below_round_off_stalls_instead_of_running_for_ever(line_problem):
    solution = mfg.solve(line_problem, tol=0.0, check="ignore", max_iterations=200)
    assert solution.status in (mfg.Status.STALLED, mfg.Status.CONVERGED)
    assert abs(solution.relative_exploitability) < 1e-14


def test_check_decides_what_happens_when_not_converged(small_problem):
    with pytest.warns(UserWarning, match="iteration limit"):
        mfg.solve(small_problem, max_iterations=1)
    with pytest.raises(mfg.NotConverged, match="iteration limit"):
        mfg.solve(small_problem, max_iterations=1, check="raise")


def test_history_is_labelled_and_ordered(small_problem):
    history = mfg.solve(small_problem).dataset
    assert history["iteration"].values.tolist() == list(range(history.sizes["iteration"]))
    assert (np.diff(history["sweeps"]) > 0).all()
    assert (np.diff(history["seconds"]) >= 0).all()
    assert np.isfinite(history["exploitability"]).all()
    for name in history.variables:
        assert "units" in history[name].attrs, name


def test_summary_is_plain_json(small_problem):
    summary = json.loads(json.dumps(mfg.solve(small_problem).summary()))
    assert list(summary) == [
        "status", "exploitability", "relative_exploitability", "potential", "duality_gap", "cost", "scale",
        "iterations", "sweeps", "seconds", "mass_error", "cap_fraction", "violation", "warnings",
    ]  # fmt: skip


def test_solvers_say_what_suits():
    problem = mfg.Problem(
        grid=mfg.Grid.box((8,)),
        time=mfg.TimeGrid(1.0, 8),
        dynamics=mfg.ControlledDiffusion(0.01),
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


def test_results_do_not_depend_on_threads(small_problem):
    one, two = (mfg.solve(small_problem, threads=n).dataset for n in (1, 2))
    np.testing.assert_array_equal(one["density"].values, two["density"].values)


def test_a_checkpoint_is_not_continued_in_another_game(tmp_path):
    def game(aim):
        return mfg.Problem(
            mfg.Grid.box(8),
            mfg.TimeGrid(1.0, 16),
            mfg.ControlledDiffusion(0.05),
            mfg.CrowdAversion(0.5),
            1.0,
            terminal=lambda t, c: 0.1 * (c.x - aim) ** 2,
        )

    file = tmp_path / "c.nc"
    first = mfg.solve(game(0.2), checkpoint=file)
    with pytest.raises(mfg.InputError, match="another game"):
        mfg.resume(file, problem=game(0.9))
    assert mfg.resume(file, problem=game(0.2)).exploitability == first.exploitability


@pytest.mark.parametrize("cells", [2, 8])
def test_newton_goes_on_while_the_dual_rises_though_exploitability_does_not_fall(cells):
    """A steep terminal coupling keeps the exploitability near 1 for many steps that are progress all the same."""
    problem = mfg.Problem(
        mfg.Grid.box(cells),
        mfg.TimeGrid(1.0, 32 * cells // 2),
        mfg.ControlledDiffusion(0.0),
        mfg.CrowdAversion(0.1),
        lambda t, c: 1 + 0.9 * np.cos(3 * c.x),
        terminal=lambda t, c: c.x,
        terminal_coupling=mfg.CrowdAversion(10.0),
        normalise=True,
    )
    assert mfg.solve(problem).converged


@pytest.mark.parametrize("power", [0.5, 0.9])
def test_empty_cells_and_powers_below_one(power):
    problem = mfg.Problem(
        mfg.Grid.box((12, 12)),
        mfg.TimeGrid(1.0, 32),
        mfg.ControlledDiffusion(0.0),
        mfg.CrowdAversion(0.3, power),
        lambda t, c: 1.0 * (c.x < 0.2),
        terminal=lambda t, c: (c.x - 0.8) ** 2,
        normalise=True,
    )
    solution = mfg.solve(problem)
    assert solution.converged
    assert (solution.dataset["density"] == 0).any()


def test_fields_made_for_one_grid_start_on_that_grid():
    """A function that returns an array of its own shape cannot be asked on coarser grids: solved without them."""
    reward = np.linspace(0, 1, 256).reshape(16, 16)
    problem = mfg.Problem(
        mfg.Grid.box((16, 16)),
        mfg.TimeGrid(1.0, 128),
        mfg.ControlledDiffusion(0.01),
        mfg.CrowdAversion(0.2) + mfg.RunningCost(lambda t, c: reward),
        np.ones((16, 16)).tolist(),
    )
    assert mfg.solve(problem).converged


def test_a_game_without_costs_is_at_equilibrium_at_once():
    for method in ("newton", "frank-wolfe", "fictitious-play"):
        problem = mfg.Problem(mfg.Grid.box(4), mfg.TimeGrid(1.0, 8), mfg.ControlledDiffusion(0.01), 0.0, 1.0)
        assert mfg.solve(problem, method=method).converged


def test_mass_is_kept_however_strong_the_noise():
    problem = mfg.Problem(
        mfg.Grid.box(8, boundary="periodic"),
        mfg.TimeGrid(1.0, 8),
        mfg.ControlledDiffusion(1e12),
        mfg.CrowdAversion(0.5),
        lambda t, c: 2 * c.x,
        terminal=lambda t, c: (c.x - 0.5) ** 2,
    )
    assert mfg.solve(problem).certificate.mass_error < 1e-13


@pytest.mark.parametrize("method", ["newton", "frank-wolfe", "fictitious-play"])
def test_costs_that_are_not_finite_have_their_status(method):
    problem = mfg.Problem(
        mfg.Grid.box(8),
        mfg.TimeGrid(1.0, 8),
        mfg.ControlledDiffusion(0.01),
        mfg.CustomCoupling(
            cost=lambda t, c, rho: rho * np.nan,
            potential=lambda t, c, rho: rho * np.nan,
            derivative=lambda t, c, rho: rho * np.nan,
            monotone=True,
        ),
        1.0,
    )
    assert mfg.solve(problem, method=method, check="ignore").status is mfg.Status.NON_FINITE


def test_frank_wolfe_ends_where_the_slope_is_not_finite(tmp_path):
    """A cost that is no number beyond a density: the status says so, and the checkpoint says the same."""

    def broken(density, values):
        return np.where(density > 0.8, np.nan, values)

    coupling = mfg.CustomCoupling(
        lambda t, c, rho: broken(rho, rho), potential=lambda t, c, rho: broken(rho, rho**2 / 2), monotone=True
    )
    game = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(6, 6), coupling=coupling, initial=np.array([0.75, 0.25]),
        dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]], cost=[[0, 1.0], [0, 0.5]], temperature=0.1),
    )  # fmt: skip
    options = {"check": "ignore"}
    ended = mfg.solve(game, method="frank-wolfe", checkpoint=tmp_path / "c.nc", **options)
    assert ended.status is mfg.Status.NON_FINITE
    assert mfg.resume(tmp_path / "c.nc", problem=game, **options).status is mfg.Status.NON_FINITE
