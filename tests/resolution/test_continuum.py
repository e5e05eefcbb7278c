"""Solves to a distance from the continuum: the wish holds against closed forms, and what cannot be met is said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.problems.registry import closed_form
from mfgsolve.resolution.continuum import approached, check_wish
from mfgsolve.solving import mesh_solver


def exact_cost(problem: mfg.Problem) -> float:
    """<m_0, V_0> of the closed form."""
    form, axis = closed_form(problem), problem.grid.axes[0]  # type: ignore[attr-defined]
    fine = mfg.Grid.box((2048,), [(axis.start, axis.stop)])
    start = form.density(0.0, fine.coordinates)
    return float((start * form.value(0.0, fine.coordinates)).sum() / start.sum())


@pytest.mark.parametrize("wish", [1e-3, 1e-5])
def test_an_extrapolated_number_is_as_near_as_was_asked_for(wish: float) -> None:
    """linear-quadratic, whose potential is the cost: there is no crowd in its costs but the mean."""
    problem = mfg.problems.linear_quadratic(shape=(32,), steps=8, scheme="entropic")
    solution = mfg.solve(problem, tol_continuum=wish)
    found, truth = solution.discretisation, exact_cost(problem)
    assert solution.converged
    assert solution.relative_exploitability <= 1e-10
    assert not solution.warnings
    error = abs(found.extrapolated_potential - truth)
    assert error <= found.extrapolated_potential_error <= wish * abs(truth)
    assert abs(solution.certificate.cost - truth) <= found.cost <= 4 * abs(solution.certificate.cost - truth)


def test_the_extrapolated_density_stands_beside_the_plan() -> None:
    problem = mfg.problems.linear_quadratic(shape=(32,), steps=8, scheme="entropic")
    solution = mfg.solve(problem, tol_continuum=1e-4)
    data, form, grid = solution.dataset, closed_form(problem), solution.problem.grid  # type: ignore[union-attr]
    there = np.isfinite(data["extrapolated_density"].values[:, 0])
    assert there[::2].all()
    assert not there[1::2].any()
    sums, own = [], []
    for k in np.flatnonzero(there):
        exact = form.density(float(data["time"][k]), grid.coordinates)
        sums.append(np.abs(data["extrapolated_density"].values[k] - exact).sum() * grid.volumes)
        own.append(np.abs(data["density"].values[k] - exact).sum() * grid.volumes)
    assert np.mean(sums) <= solution.discretisation.extrapolated_density_error
    assert np.mean(sums) < 0.3 * np.mean(own)
    assert np.mean(own) <= solution.discretisation.density <= 3.3 * np.mean(own)


def test_pairs_have_nodes_on_the_kinks_and_the_same_noise_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    solve, seen = mesh_solver(), []

    def watched(problem: mfg.Problem, asked: Any) -> Any:
        seen.append((problem.grid.shape[0], problem.time.steps, asked.rough, asked.judged))
        return solve(problem, asked)

    problem = mfg.problems.supply_demand(shape=(16, 16), steps=10, scheme="entropic", reward=0.2)
    solution = approached(problem, 5e-2, watched)
    assert [entry[:2] for entry in seen] == [(38, 10), (53, 20), (53, 20)]  # the last one to the tolerance itself
    assert [entry[2] for entry in seen] == [5e-5, 5e-5, 0.0]
    assert solution.problem is not None
    assert solution.problem.time.chosen


@pytest.mark.slow
def test_upwind_climbs_its_ladder_and_says_what_it_did_not_reach() -> None:
    problem = mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind")
    solution = mfg.solve(problem, tol_continuum=1e-2)
    truth = exact_cost(problem)
    assert solution.discretisation.least <= 1e-2 * solution.potential
    best = solution.discretisation.extrapolated_potential
    assert abs(best - truth) <= 1e-2 * truth
    with pytest.warns(UserWarning, match=r"estimated as .* of the potential, and 1\.0e-06 was asked for: the mesh"):
        short = mfg.solve(problem, tol_continuum=1e-6, max_seconds=1.0)
    assert [caution.code for caution in short.warnings] == ["continuum-not-reached"]
    assert "continuum-not-reached" in short.dataset.attrs["warnings"]


def test_without_viscosity_the_scheme_adds_less_and_less() -> None:
    problem = mfg.problems.linear_quadratic(shape=(32,), steps=8, scheme="entropic", viscosity=1e-5)
    stop = mfg.resolution.ladder.Stop.after(None)
    rungs = mfg.resolution.ladder.climbed(problem, mesh_solver(), levels=2, stop=stop)
    own = [rung.distance.own_viscosity for rung in rungs]
    assert own[0] / own[1] == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize("wish", [0, -1e-3, math.nan, math.inf, "near"])
def test_a_wish_is_a_positive_number(wish: Any) -> None:
    with pytest.raises(InputError, match="tol_continuum is"):
        check_wish(wish)


def test_what_belongs_to_one_mesh_is_refused() -> None:
    problem = mfg.problems.linear_quadratic(shape=(16,), steps=32)
    with pytest.raises(InputError, match="solve got checkpoint, which is of one mesh"):
        mfg.solve(problem, tol_continuum=1e-2, checkpoint="c.nc")
    with pytest.raises(InputError, match="its own limit"):
        mfg.solve(mfg.problems.left_right(), tol_continuum=1e-2)
    with pytest.raises(InputError, match="neuton"):
        mfg.solve(problem, tol_continuum=1e-2, method="neuton")


@pytest.mark.slow
def test_the_flagship_is_known_to_a_ten_thousandth() -> None:
    """Its potential is -0.243690(1): 4.4e-5 off, and 8e-5 is said."""
    solution = mfg.solve(mfg.problems.supply_demand(scheme="entropic"), tol_continuum=1e-4)
    found = solution.discretisation
    error = abs(found.extrapolated_potential + 0.243690)
    assert error <= 1e-4 * 0.24369
    assert error <= found.extrapolated_potential_error <= 1e-4 * 0.24369
    assert found.extrapolated_density_error <= 1.5e-3
    assert found.obtained == "from 95x95x60 and 67x67x30"
