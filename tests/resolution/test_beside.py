"""Coarser meshes: which ones, solved as well as they need to be, and not at any price."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import mfgsolve as mfg
from mfgsolve.resolution import beside
from mfgsolve.resolution.beside import coarser, solved_beside
from mfgsolve.solving import solved


def test_coarser_meshes_keep_the_noise_as_wide_in_cells() -> None:
    problem = mfg.problems.supply_demand(shape=(64, 64), steps=30)
    assert coarser(problem, 1.0) == ((32, 32), 15)
    assert coarser(problem, 2.0) == ((37, 37), 10)  # 15 steps would have no node on the kink at 0.7
    assert coarser(replace(problem, kinks=()), 2.0) == ((45, 45), 15)
    assert coarser(problem.with_steps(3), 2.0) is None
    assert coarser(mfg.problems.supply_demand(shape=(10, 10), steps=30), 2.0) is None


def test_the_second_mesh_takes_cells_as_large_as_noise_allows_where_there_is_more_than_a_line() -> None:
    problem = mfg.problems.supply_demand(shape=(76, 76), steps=40)  # sigma / h = 0.76
    assert coarser(problem, 2.0, 0.6) == ((42, 42), 20)
    assert coarser(problem, 2.0, 0.9) == coarser(problem, 2.0) == ((54, 54), 20)
    line = mfg.problems.linear_quadratic(shape=(56,), steps=32)
    assert coarser(line, 2.0, 0.6) == coarser(line, 2.0) == ((40,), 16)


def test_cells_grow_faster_where_they_set_the_viscosity() -> None:
    """nu_h ~ h^2 / dt falls to a quarter with half the step."""
    problem = mfg.problems.linear_quadratic(shape=(128,), steps=24, viscosity=0.0, scheme="entropic")
    assert coarser(problem, 2.0) == ((45,), 12)
    assert pytest.approx(4.0, rel=0.02) == (128 / 45) ** 2 / 2


def test_two_meshes_within_the_work_and_as_exact_as_their_distance_needs() -> None:
    problem = mfg.problems.supply_demand(shape=(40, 40), steps=40, viscosity=0.01)
    solution, outcome = solved(problem, estimate=False, judged=False)
    work = solution.sweeps * outcome.game.cell_steps
    meshes, reason = solved_beside(outcome, solution.certificate, beside.SHARE * work)
    assert reason == ""
    assert [mesh.numbers.steps for mesh in meshes] == [20, 10]
    above = outcome.certified().potential
    for mesh in meshes:
        shape, steps = mesh.numbers.shape, mesh.numbers.steps
        exact = mfg.solve(mfg.problems.supply_demand(shape=shape, steps=steps, viscosity=0.01))  # type: ignore[arg-type]
        assert -1e-12 <= mesh.numbers.potential - exact.potential <= mesh.gap
        assert mesh.gap <= max(0.03 * abs(mesh.numbers.potential - above), 1e-5 * exact.certificate.scale)
        above = mesh.numbers.potential
    spent = sum(mesh.sweeps * mesh.numbers.cell_steps for mesh in meshes)
    assert spent <= beside.SHARE * work
    assert math.prod(meshes[1].numbers.shape) < 0.5 * math.prod(meshes[0].numbers.shape)


def test_a_plan_that_is_too_rough_for_its_distance_is_solved_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "ACCURACIES", (0.3, 1e-5))
    problem = mfg.problems.supply_demand(shape=(40, 40), steps=40, viscosity=0.01)
    solution, outcome = solved(problem, estimate=False, judged=False)
    meshes, _ = solved_beside(outcome, solution.certificate, 1e9)
    assert meshes[0].gap <= 1e-5 * solution.certificate.scale


def test_nothing_is_solved_at_any_price() -> None:
    problem = mfg.problems.supply_demand(shape=(24, 24), steps=10)  # whose half is another game
    solution, outcome = solved(problem, estimate=False, judged=False)
    assert solved_beside(outcome, solution.certificate, beside.SHARE * solution.sweeps * outcome.game.cell_steps) == (
        [], "a coarser mesh was not solved within 15% of the work"
    )  # fmt: skip
