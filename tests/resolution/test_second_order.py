"""Errors of known form from numbers of two or three meshes: exact where the form is, cautious where it is not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfgsolve.discretisation import Discretisation
from mfgsolve.grids import Grid
from mfgsolve.resolution.meshed import Known, Meshed
from mfgsolve.resolution.overlay import Flow
from mfgsolve.resolution.second_order import error_in_time, of_second_order, space_doubt
from mfgsolve.steps.resolving import lost_variance

SIZES = st.floats(-1.0, 1.0)


def mesh(cells: int, steps: int, potential: float, shift: float = 0.0, space_error: float = 0.0) -> Meshed:
    flow = Flow(Grid.box((cells,)), np.full((steps + 1, cells), 1.0 / cells))
    numbers = Known((cells,), steps, potential, potential + 1.0)
    return Meshed(numbers, flow, 2.0, space_error, 10.0, shift=shift, noise=2.0)


def told(*meshes: Meshed, density: float = 0.0, own: float = 0.0) -> Discretisation:
    return of_second_order(Discretisation("entropic", own), meshes, density)


@given(SIZES, SIZES, st.sampled_from([(40, 20, 10), (60, 30, 10), (33, 17, 8)]))
def test_three_runs_show_both_terms(a: float, b: float, steps: tuple[int, int, int]) -> None:
    values = [3.0 + a * (steps[0] / n) ** 2 + b * (steps[0] / n) ** 4 for n in steps]
    part = error_in_time(values, steps)
    assert part.error == pytest.approx(a + b, abs=1e-12)
    near = (values[1] - values[0]) / ((steps[0] / steps[1]) ** 2 - 1)
    assert part.doubt == pytest.approx(0.4 * abs(a + b) + 0.75 * abs(a + b - near), abs=1e-12)


@given(SIZES)
def test_two_runs_show_one_and_count_it_two_and_a_half_times(a: float) -> None:
    part = error_in_time([3.0 + a, 3.0 + 4.0 * a, math.nan], (40, 20, 10))
    assert part.error == pytest.approx(a, abs=1e-12)
    assert part.doubt == pytest.approx(1.5 * abs(a), abs=1e-12)
    assert error_in_time([a, 4.0 * a], (40, 20), two=5.0).doubt == pytest.approx(5.0 * abs(a), abs=1e-12)


def test_errors_of_time_and_of_sums_over_cells_are_added_with_their_signs() -> None:
    """-4 in time at 40 steps, as three meshes show it, and 6 of sums over cells, which each of them has its own of."""
    runs = [mesh(48, n, 1.0 - 4e-5 * (40 / n) ** 2 + s, s, 1e-5) for n, s in ((40, 6e-5), (20, 9e-5), (10, -1e-5))]
    found = told(*runs)
    assert found.potential == pytest.approx(2e-5 + math.hypot(0.4 * 4e-5, 0.3 * 6e-5), rel=1e-6)
    assert found.cost == pytest.approx(found.potential, rel=1e-6)
    assert found.extrapolated_potential == pytest.approx(1.0, abs=1e-12)
    assert found.extrapolated_potential_error == pytest.approx(math.hypot(0.4 * 4e-5, 0.3 * 6e-5), rel=1e-6)
    assert found.order == pytest.approx(2.0)


def test_what_nobody_knows_of_sums_over_cells_is_doubt() -> None:
    known, unknown = mesh(48, 40, 1.0, -2e-4, 1e-4), mesh(48, 40, 1.0, math.nan, 1e-4)
    assert space_doubt(known) == pytest.approx(0.3 * 2e-4)
    assert space_doubt(unknown) == pytest.approx(1e-4 * 2.0)  # the potential, the cost, or 2 sum eps
    assert unknown.potential == 1.0


def test_densities_and_their_order() -> None:
    pair = mesh(48, 40, 1.0, space_error=1e-3), mesh(34, 20, 1.1, space_error=1e-3)
    lost = 0.2 * lost_variance(1e-3)
    assert told(*pair, density=0.03).density == pytest.approx(1.5 * 0.01 + lost)
    assert told(*pair, density=0.03, own=0.1).density == pytest.approx(2.5 * 0.01 + lost)  # on the way to its order
    assert told(*pair, density=9.0).density == 2.0
    assert math.isnan(told(*pair, density=0.03).extrapolated_potential)  # two runs that show another error, too


def test_crowds_that_are_far_apart_show_no_order() -> None:
    pair = mesh(48, 40, 1.0), mesh(34, 20, 1.3)
    assert told(*pair, density=0.09).potential == pytest.approx(2.5 * 0.1)
    assert told(*pair, density=0.11).potential == pytest.approx(6.0 * 0.1)


def test_two_exact_runs_are_extrapolated_and_a_third_of_about_the_same_steps_is_left_out() -> None:
    pair = mesh(48, 40, 1.1), mesh(34, 20, 1.4)
    found = told(*pair, density=0.03)
    assert found.extrapolated_potential == pytest.approx(1.0)
    assert found.extrapolated_potential_error == pytest.approx(0.05)
    assert found.extrapolated_density_error == pytest.approx(0.005)
    assert told(*pair, mesh(30, 18, 9.9), density=0.03) == found
    assert told(*pair, mesh(24, 10, 2.6), density=0.03) != found
    assert math.isnan(told(*pair, replace(pair[1], numbers=Known((20,), 9, 9.9, 9.9))).order)  # ratios differ
