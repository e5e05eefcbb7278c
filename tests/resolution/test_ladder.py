"""Ever finer meshes: by which factor, until when, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.resolution import ladder
from mfgsolve.resolution.ladder import Asked, Rung, Stop, climbed, on_mesh, refined, unit_of
from mfgsolve.solving import mesh_solver


def line(cells: int = 16, steps: int = 32, scheme: str = "upwind") -> mfg.Problem:
    return mfg.problems.linear_quadratic(shape=(cells,), steps=steps, scheme=scheme)


@pytest.fixture(scope="module")
def rungs() -> list[Rung]:
    return climbed(line(), mesh_solver(), levels=3, stop=Stop.after(None))


def test_the_noise_stays_as_wide_in_cells_and_a_viscosity_of_the_scheme_falls() -> None:
    problem = mfg.problems.supply_demand(shape=(32, 48), steps=20)
    assert refined(problem, 1, 1.0, 0.01) == ((64, 96), 40)
    assert refined(problem, 2, 2.0, 0.0) == ((64, 96), 80)
    assert refined(problem, 1, 2.0, 0.0) == ((45, 68), 40)
    (shape, steps) = refined(problem, 1, 2.0, 1e-3)
    nu_h = [(1 / n) ** 2 * count for n, count in ((32, 20), (shape[0], steps))]  # h^2 / dt
    assert nu_h[0] / nu_h[1] == pytest.approx(4.0, rel=0.02)


def test_every_rung_is_what_a_solve_of_its_mesh_finds(rungs: list[Rung]) -> None:
    for rung, (cells, steps) in zip(rungs, ((16, 32), (32, 64), (64, 128)), strict=True):
        alone = mfg.solve(line(cells, steps))
        assert rung.meshed.numbers.name == f"{cells}x{steps}"
        assert rung.solution.potential == alone.potential
    assert math.isnan(rungs[0].apart)
    last = rungs[-1].distance
    assert last.obtained == "from 64x128, 32x64 and 16x32"
    assert rungs[-1].relative == pytest.approx(last.least / unit_of(rungs[-1].solution.certificate))


def test_a_wish_ends_the_ladder(rungs: list[Rung]) -> None:
    wish = 1.01 * rungs[1].relative
    assert len(climbed(line(), mesh_solver(), levels=5, wish=wish, stop=Stop.after(None))) == 2


def test_memory_time_and_a_failed_solve_say_stop(rungs: list[Rung], monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop.after(0.0)
    assert stop.before(line(128, 256), rungs[-1])
    assert "would take about" in stop.reason
    assert not Stop.after(None).before(line(128, 256), rungs[-1])
    monkeypatch.setattr(ladder, "PATIENCE", 0.0)
    stop = Stop.after(None)
    assert stop.before(line(128, 256), rungs[-1])
    assert "max_seconds" in stop.reason
    monkeypatch.setattr(ladder, "available_memory", lambda: 1000)
    stop = Stop.after(None)
    assert stop.before(line(), None)
    assert "16x32 would need" in stop.reason

    def limited(problem: mfg.Problem, asked: Asked) -> Any:
        return mesh_solver(max_iterations=0)(problem, asked)

    stop = Stop.after(None)
    assert len(climbed(line(), limited, levels=3, stop=stop)) == 1
    assert "'iteration limit'" in stop.reason


def test_sizes_are_relative_to_the_potential_the_scale_or_a_tenth_of_it() -> None:
    base = mfg.solve(line(8, 8), check="ignore").certificate
    for potential, scale, unit in ((-0.2, 1.0, 0.2), (1e9, 2.0, 2.0), (0.0, 2.0, 0.2)):
        assert unit_of(replace(base, potential=potential, scale=scale)) == unit
    assert unit_of(replace(base, potential=math.nan, cost=0.5, scale=1.0)) == 0.5


def test_games_that_have_no_other_mesh_are_refused() -> None:
    with pytest.raises(InputError, match="is a finite game, which is its own limit"):
        on_mesh(mfg.problems.left_right(), (4,), 4)
    tied = replace(line(), initial=np.ones(16) / 10, normalise=True, parameters=None)
    with pytest.raises(InputError, match=r"cannot be stated on other meshes: .* not by arrays"):
        on_mesh(tied, (32,), 64)
    costs = replace(line(), coupling=mfg.RunningCost(np.zeros(16)), parameters=None)
    with pytest.raises(InputError, match=r"cannot be stated on other meshes: .*\(.*shape"):
        on_mesh(costs, (32,), 64)
