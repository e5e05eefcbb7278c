"""How much of a solve is done and to come, held against solves whose work was recorded to the end."""

from __future__ import annotations

import math

import pytest

import mfgsolve as mfg
from mfgsolve.progress import Work
from mfgsolve.solution.datasets import Measure

NAN = math.nan
# sweeps, relative exploitability, cell-steps, whether the grid is the final one: to a tolerance of 1e-10
RECORDED = {
    "supply-demand": [
        (1.34, 7.9e-9, 294912, 0), (1.71, 3.3e-3, 524288, 0), (2.55, 0.29, 1179648, 0), (5.65, 8e-3, 1179648, 0),
        (6.8, 0.058, 1605632, 0), (10.24, 0.011, 1605632, 0), (11.24, NAN, 2097152, 1), (15.24, NAN, 2097152, 1),
        (19.24, NAN, 2097152, 1), (24.24, NAN, 2097152, 1),
    ],
    "crowd-aversion": [
        (9.5, 2.3e-8, 221184, 0), (11.0, 0.012, 221184, 0), (12.5, 0.14, 221184, 0), (19.0, 0.043, 221184, 0),
        (22.5, 1.2e-3, 221184, 0), (24.0, 4.2e-3, 221184, 0), (25.0, NAN, 221184, 1), (32.0, NAN, 221184, 1),
        (41.0, NAN, 221184, 1),
    ],
    "gaussian-log": [
        (3.56, 4.6e-5, 8640, 0), (4.31, 9.9e-3, 11520, 0), (5.44, 0.033, 17280, 0), (7.31, 5.4e-3, 17280, 0),
        (8.62, 4e-3, 20160, 0), (9.62, NAN, 23040, 1), (14.62, NAN, 23040, 1), (18.12, 6.2e-3, 23040, 1),
        (23.12, NAN, 23040, 1), (27.62, 1.4e-5, 23040, 1), (31.62, NAN, 23040, 1),
    ],
    "montreal": [
        (1.34, 0.65, 43776, 0), (4.43, 0.02, 43776, 0), (7.18, 0.02, 77824, 0), (8.02, 0.79, 175104, 0),
        (16.18, 0.36, 175104, 0), (23.21, 0.021, 175104, 0), (24.36, 0.36, 238336, 0), (33.55, 0.018, 238336, 0),
        (34.55, NAN, 311296, 1), (44.05, 0.032, 311296, 1), (56.05, NAN, 311296, 1), (70.05, NAN, 311296, 1),
        (79.05, NAN, 311296, 1),
    ],
    "lattice-supply-demand": [
        (1.5, 0.46, 61440, 1), (20.5, 0.36, 61440, 1), (43.5, 0.1, 61440, 1), (65.5, 0.034, 61440, 1),
        (93.5, 4.5e-3, 61440, 1), (118.5, 7.2e-4, 61440, 1), (148.5, 1.8e-4, 61440, 1), (188.0, 2.7e-5, 61440, 1),
        (226.5, 3.1e-6, 61440, 1), (270.5, 4e-7, 61440, 1), (312.0, 4.5e-8, 61440, 1), (353.0, 7e-9, 61440, 1),
        (397.5, 5.4e-10, 61440, 1), (427.0, 1e-10, 61440, 1),
    ],
    "predator-prey": [
        (40.0, 9.5e-3, 750, 1), (47.0, 5.4e-4, 750, 1), (54.0, 1.1e-5, 750, 1), (61.0, 1.1e-8, 750, 1),
        (64.5, 9e-11, 750, 1),
    ],
}  # fmt: skip
A_QUARTER = 0.25  # of the work, from which on the estimate is to be honest


def measure(sweeps: float, reached: float, cell_steps: int, final: int, stage: int = 0) -> Measure:
    return Measure(0, sweeps, reached, reached, NAN, NAN, cell_steps, bool(final), stage=stage)


@pytest.mark.parametrize("name", list(RECORDED))
def test_the_estimate_is_honest_within_a_factor_of_two(name: str) -> None:
    rows = RECORDED[name]
    work, spent = Work(1e-10, max(row[2] for row in rows)), rows[-1][0]
    for row in rows:
        work.update(measure(*row))
        assert work.total >= work.done == row[0]
        if row[0] >= A_QUARTER * spent:
            assert 0.5 <= work.total / spent <= 2.0, row
            assert 0.5 <= work.share / (row[0] / spent) <= 2.0, row


@pytest.mark.parametrize("name", ["supply-demand", "crowd-aversion"])
def test_a_solve_from_coarse_to_fine_is_told_honestly_while_it_runs(name: str) -> None:
    shape = {"supply-demand": (32, 32), "crowd-aversion": (16, 32)}[name]
    problem = mfg.resolution.settle(mfg.problems.build(name, None, shape))
    work, told = Work(1e-10, problem.grid.size * problem.time.steps), []

    def note(row: Measure) -> None:
        work.update(row)
        told.append((row.sweeps, work.total, row.final_grid))

    mfg.solve(problem, callback=note, check="ignore", tol=1e-10)
    assert not told[0][2], "it begins on a coarser grid"
    spent = told[-1][0]
    late = [total / spent for done, total, _ in told if done >= A_QUARTER * spent]
    assert min(late) >= 0.5
    assert max(late) <= 2.0


def test_a_linear_decay_is_met_exactly() -> None:
    work = Work(1e-8)
    for k in range(5):  # a decade each ten sweeps, from 1 on
        work.update(measure(10.0 * k, 10.0**-k, 100, 1))
    assert work.total == pytest.approx(80.0)
    assert work.share == pytest.approx(0.5)
    work.update(measure(80.0, 1e-8, 100, 1))
    assert (work.total, work.share) == (80.0, 1.0)


def test_a_pace_that_changes_is_that_of_the_last_half() -> None:
    work = Work(1e-8)
    for sweeps, decades in ((0, 0), (10, 1), (20, 2), (40, 3), (60, 4)):
        work.update(measure(sweeps, 10.0**-decades, 100, 1))
    assert work.total == pytest.approx(60 + 4 * 20)


def test_another_solver_begins_with_a_pace_of_its_own() -> None:
    work = Work(1e-8)
    for sweeps, decades, stage in ((0, 0, 0), (100, 1, 0), (110, 1, 1), (120, 2, 1), (130, 3, 1)):
        work.update(measure(sweeps, 10.0**-decades, 100, 1, stage))
    assert work.total == pytest.approx(130 + 5 * 10)


def test_nothing_is_done_before_anything_is_told() -> None:
    work = Work(1e-8, 100, most=5.0)
    assert (work.done, work.share) == (0.0, 0.0)
    work.update(measure(1.0, 0.5, 25, 0))
    assert work.total == 5.0, "it ends at the latest there"
