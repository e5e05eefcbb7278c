"""What is kept of one mesh: numbers rid of what sums over cells do, where that is known."""

from __future__ import annotations

import math

import pytest

import mfgsolve as mfg
from mfgsolve.resolution.meshed import Meshed, apart_of
from mfgsolve.solving import solved


def meshed(problem: mfg.Problem, **options: object) -> Meshed:
    solution, outcome = solved(problem, estimate=False, judged=False, check="ignore", **options)  # type: ignore[arg-type]
    return Meshed.of(outcome, solution.certificate, solution.sweeps)


def test_numbers_of_wider_cells_are_those_of_finer_ones_after_the_shift() -> None:
    """The same steps with sigma / h = 0.6 and 1.0: 7e-4 apart, and 1e-5 without what sums over cells do."""
    coarse, fine = (meshed(mfg.problems.gaussian_log(shape=(n,), steps=32)) for n in (42, 64))
    assert coarse.numbers.name == "42x32"
    gap = coarse.numbers.potential - fine.numbers.potential
    assert gap > 5e-4
    assert abs(coarse.potential - fine.potential) < 0.03 * gap
    assert abs(coarse.cost - fine.cost) < 0.03 * gap
    assert 0.0 < apart_of(fine, coarse) < 5e-3


def test_averages_of_plans_are_as_far_off_as_their_answers() -> None:
    problem = mfg.problems.gaussian_log(shape=(42,), steps=32)
    mean = meshed(problem, method="fictitious-play", tol=1e-4)
    assert mean.shift == pytest.approx(meshed(problem).shift, rel=0.02)


def test_upwind_steps_have_no_such_shift_and_walls_hide_it() -> None:
    assert meshed(mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind")).shift == 0.0
    walls = meshed(mfg.problems.crowd_aversion(shape=(8, 16), steps=6, scheme="entropic"))
    assert walls.has_walls
    assert math.isnan(walls.shift)
    assert walls.potential == walls.numbers.potential
