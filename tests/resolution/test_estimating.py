"""Estimated distances to the continuum against true ones, where the answer is known in closed form."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.discretisation import EXACT
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import closed_form
from mfgsolve.resolution.beside import SHARE
from mfgsolve.solvers.base import Outcome
from mfgsolve.solving import solved


def posed(name: str, scheme: str, cells: int, steps: int, **parameters: Any) -> Problem:
    problem = mfg.problems.build(name, parameters, shape=(cells,), steps=steps)
    return replace(problem, dynamics=replace(problem.all_dynamics[0], scheme=scheme))


def true_errors(problem: Problem, outcome: Outcome) -> tuple[float, float]:
    """Of what an agent pays, and of the density in L1, mean over the nodes."""
    form, grid = closed_form(problem), problem.grid
    density = outcome.game.mass(outcome.crowd) / grid.volumes
    gaps = [rho - form.density(t, grid.coordinates) for t, rho in zip(problem.time.nodes, density, strict=True)]
    fine = mfg.Grid.box((1024,), [(grid.axes[0].start, grid.axes[0].stop)])  # type: ignore[attr-defined]
    start = form.density(0.0, fine.coordinates)
    cost = (start * form.value(0.0, fine.coordinates)).sum() / start.sum()
    return abs(outcome.certified().cost - cost), float(np.mean([np.abs(gap * grid.volumes).sum() for gap in gaps]))


@pytest.mark.parametrize(
    ("name", "scheme", "cells", "steps"),
    [
        ("gaussian-log", "upwind", 64, 256),
        ("linear-quadratic", "upwind", 64, 128),
        ("cole-hopf", "upwind", 64, 128),
        ("linear-quadratic", "entropic", 32, 8),
        ("linear-quadratic", "entropic", 64, 16),
        ("gaussian-log", "entropic", 64, 32),
        ("linear-quadratic", "entropic", 128, 64),
        ("cole-hopf", "entropic", 27, 128),
    ],
)
def test_estimates_bound_the_true_errors_within_a_factor_of_three(
    name: str, scheme: str, cells: int, steps: int
) -> None:
    problem = posed(name, scheme, cells, steps)
    solution, outcome = solved(problem)
    cost, density = true_errors(problem, outcome)
    estimate = solution.discretisation
    assert estimate.scheme == scheme
    assert cost <= estimate.cost <= 3 * cost
    assert 0.9 * density <= estimate.density <= 3 * density
    assert estimate.sweeps <= SHARE * solution.sweeps + 0.4  # some converge in two sweeps


def test_errors_of_steps_and_cells_that_cancel_are_told_with_their_signs() -> None:
    """-4.2e-5 of the steps and 6.3e-5 of the cells, 8.5e-6 and -6.4e-6: the sum of sizes is five and seven times the
    error."""
    for name, cells, least in (("gaussian-log", 48, 1.2), ("linear-quadratic", 56, 1.2)):
        problem = posed(name, "entropic", cells, 32)
        solution, outcome = solved(problem)
        ratio = solution.discretisation.cost / true_errors(problem, outcome)[0]
        assert least < ratio < 3.0
        assert solution.discretisation.obtained.count("x") == 3


def test_a_viscosity_of_the_scheme_is_seen_in_coarser_cells() -> None:
    """Of a game without any, whose steps put some in: cells that kept the noise in cells would keep it, too."""
    problem = posed("linear-quadratic", "entropic", 128, 25, viscosity=0.0)
    solution, outcome = solved(problem, check="ignore")
    cost, density = true_errors(problem, outcome)
    assert solution.discretisation.obtained.startswith("from 128x25, 43x12")
    assert 1.0 < solution.discretisation.cost / cost < 3.0
    assert 1.0 < solution.discretisation.density / density < 3.0


def test_newton_gives_the_coarser_mesh_that_it_came_through_and_others_solve_one() -> None:
    problem = mfg.problems.supply_demand(shape=(16, 16), steps=128, scheme="upwind")
    first = mfg.solve(problem, method="newton").discretisation
    assert first.sweeps == pytest.approx(1.5 / 8)
    assert first.obtained == "from 16x16x128 and 8x8x64"
    assert math.isnan(first.order)  # which takes three meshes
    coarse = mfg.solve(mfg.problems.supply_demand(shape=(8, 8), steps=64, scheme="upwind"), tol=1e-12)
    fine = mfg.solve(problem, tol=1e-12)
    gap = abs(fine.potential - coarse.potential)
    assert first.potential == pytest.approx(gap / (math.sqrt(2) - 1), rel=1e-4)
    other = mfg.solve(problem, method="fictitious-play", tol=1e-6).discretisation
    assert other.potential == pytest.approx(first.potential, rel=1e-3)
    assert other.density == pytest.approx(first.density, rel=2e-2)
    assert 0.2 < other.sweeps <= SHARE * 60


def test_three_meshes_show_an_order() -> None:
    found = mfg.solve(mfg.problems.linear_quadratic(shape=(64,), steps=128, scheme="upwind")).discretisation
    assert found.obtained == "from 64x128, 32x64 and 16x32"
    assert 0.9 < found.order <= 1.0
    assert found.extrapolated_potential_error < found.potential


def test_a_checkpoint_leads_to_the_same_estimate(tmp_path: Any) -> None:
    problem, file = mfg.problems.linear_quadratic(shape=(32,), steps=64, scheme="upwind"), tmp_path / "c.nc"
    whole = mfg.solve(problem)
    mfg.solve(problem, max_iterations=whole.iterations - 1, checkpoint=file, check="ignore")
    assert mfg.resume(file).discretisation == whole.discretisation


def test_upwind_viscosity_is_the_variance_of_the_jumps() -> None:
    """Two cells toward x at speed s: |s| h / 2 (1 - s dt / h)."""
    problem = mfg.problems.linear_quadratic(shape=(32,), steps=64, scheme="upwind")
    solution, outcome = solved(problem)
    speed = solution.dataset["speed"].values  # (step, 2, x)
    mass = outcome.game.mass(outcome.crowd)[:-1]
    width, dt = problem.grid.axes[0].spacing, problem.time.dt  # type: ignore[attr-defined]
    total = speed.sum(axis=1) * width / 2 - (speed[:, 0] - speed[:, 1]) ** 2 * dt / 2
    assert solution.discretisation.own_viscosity == pytest.approx((mass * total).sum() / 64, rel=1e-12)


def test_entropic_viscosity_is_what_is_added() -> None:
    problem = posed("linear-quadratic", "entropic", 32, 8)
    assert mfg.resolution.estimating.scheme_of(solved(problem)[1]).own_viscosity == 0.0
    thin = posed("linear-quadratic", "entropic", 32, 8, viscosity=1e-4)
    step, spacing = solved(thin, max_iterations=0, check="ignore")[1].game.step, thin.grid.axes[0].spacing  # type: ignore[attr-defined]
    own = step.own_viscosity(None, None, 1e-4)  # type: ignore[arg-type]
    assert own == pytest.approx(0.18 * spacing**2 / thin.time.dt - 1e-4, rel=1e-12)


def test_finite_games_are_their_own_limit() -> None:
    for problem in (mfg.problems.left_right(), mfg.problems.lattice_supply_demand(shape=(8, 8), steps=8)):
        found = mfg.solve(problem, method="fictitious-play", tol=0.2, check="ignore").discretisation
        assert found == EXACT
        assert (found.potential, found.cost, found.density) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"method": "fictitious-play", "max_iterations": 500}, "seconds or iterations were limited"),
        ({"method": "newton", "max_iterations": 1}, "not solved well enough"),
    ],
)
def test_what_is_not_measured_says_why(options: dict[str, Any], reason: str) -> None:
    problem = mfg.problems.supply_demand(shape=(16, 16), steps=128, scheme="upwind")
    found = mfg.solve(problem, tol=1e-3, check="ignore", **options).discretisation
    assert not found.is_measured
    assert math.isnan(found.potential)
    assert reason in found.obtained
    assert found.own_viscosity > 0


def test_arrays_that_tie_a_game_to_its_mesh_leave_nothing_to_compare() -> None:
    problem = mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind")
    tied = replace(problem, initial=problem.initial_mass() / problem.grid.volumes, normalise=True, parameters=None)
    assert "arrays tie" in mfg.solve(tied).discretisation.obtained


@pytest.mark.parametrize(
    ("shape", "steps"), [((32, 64), 96), ((32, 64), 108), pytest.param((64, 128), 192, marks=pytest.mark.slow)]
)
def test_beside_walls_differences_count_as_of_about_first_order(shape: tuple[int, int], steps: int) -> None:
    """A room with two doors on meshes that its wall fits; 1.8217 is what finer ones (to 128x256x384) tend to."""
    found = mfg.solve(mfg.problems.crowd_aversion(shape=shape, steps=steps, scheme="entropic"))
    bar, coarse = found.discretisation, tuple(n // 2 for n in shape)
    assert bar.obtained == f"from {shape[0]}x{shape[1]}x{steps} and {coarse[0]}x{coarse[1]}x{steps // 4}"
    assert 1.2 < bar.potential / abs(found.potential - 1.8217) < 3.0


def test_far_crowds_beside_walls_show_no_order() -> None:
    """A pillar in the way of the flagship: errors of cells and steps have different signs, and two meshes agree."""
    problem = mfg.problems.supply_demand(shape=(32, 32), steps=40, viscosity=0.01, scheme="entropic")
    grid = mfg.Grid.box((32, 32), blocked=lambda c: (abs(c.x - 0.5) < 0.125) & (abs(c.y - 0.5) < 0.125))
    found = mfg.solve(replace(problem, grid=grid, normalise=True, parameters=None), check="ignore")
    limit = -0.23287  # of 64x64x80, extrapolated
    assert 1.2 < found.discretisation.potential / abs(found.potential - limit) < 3.0
