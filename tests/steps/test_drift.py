"""Where a drift carries agents: against a brute force, transposes, masses; walls, rings, blocked and uneven cells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from varied_grids import grids, uneven

import mfgsolve as mfg
from mfgsolve.cautions import collect
from mfgsolve.errors import InputError
from mfgsolve.steps import drift as drift_module
from mfgsolve.steps.drift import Drift, drift_factor

properties = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@properties
@given(grids())
def test_chances_are_chances_and_push_is_the_transpose_of_expect(made):
    grid, rng = made
    velocity = rng.normal(size=(3, grid.ndim, *grid.shape)) * 10.0 ** rng.integers(-2, 2)
    drift, free = Drift(grid, 0.7, velocity), ~grid.mask.reshape(-1)
    for t in range(3):
        matrix = drift.matrix(t).toarray()
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=0, atol=1e-15)
        assert matrix.min() >= 0
        assert not matrix[free][:, ~free].any(), "nobody enters a blocked cell"
        mass, value = rng.random(grid.shape), rng.normal(size=grid.shape)
        pushed, expected = drift.push(t, mass), drift.expect(t, value)
        assert float((pushed * value).sum()) == pytest.approx(float((mass * expected).sum()), abs=1e-13)
        assert pushed.sum() == pytest.approx(mass.sum(), abs=1e-13)
        np.testing.assert_allclose(expected.reshape(-1), matrix @ value.reshape(-1), rtol=0, atol=1e-13)


def by_hand(grid: mfg.Grid, displacement: np.ndarray, cell: tuple[int, ...]) -> np.ndarray:
    """Hat functions of the cells at x + b dt: on a ring of all their images, and between walls where they are."""
    chance = np.ones(grid.shape)
    for k, axis in enumerate(grid.axes):
        point, turns = axis.centres[cell[k]] + displacement[grid.ndim - 1 - k][cell], range(1)
        if axis.periodic:
            turns = range(-30, 31)
        else:
            point = min(max(point, axis.centres[0]), axis.centres[-1])
        weights = np.zeros(axis.cells)
        for turn, j in itertools.product(turns, range(axis.cells)):
            centre = axis.centres[j] + turn * axis.length
            step = axis.distances[j if point > centre else j - 1]
            weights[j] += max(0.0, 1.0 - abs(point - centre) / step)
        chance *= weights.reshape([-1 if j == k else 1 for j in range(grid.ndim)])
    return chance.reshape(-1)


@properties
@given(grids())
def test_where_nothing_is_blocked_it_is_interpolation_at_the_point_that_is_reached(made):
    grid, rng = made
    grid = mfg.Grid(grid.axes)
    velocity = rng.normal(size=(1, grid.ndim, *grid.shape)) * 10.0 ** rng.integers(-1, 2)
    matrix = Drift(grid, 0.5, velocity).matrix(0).toarray()
    cells = list(np.ndindex(grid.shape))
    for k in rng.choice(len(cells), min(3, len(cells)), replace=False):
        np.testing.assert_allclose(matrix[k], by_hand(grid, 0.5 * velocity[0], cells[k]), rtol=0, atol=1e-11)


def test_whole_courant_numbers_are_exact_translations():
    """0.07 / 0.01 is not 7 in floating point; round-off is not taken for a share of a cell."""
    axis = mfg.Axis("x", 100, 0.0, 1.0, "periodic")
    for cells, dt in itertools.product((1, 7, -3, 130, 2003), (0.01, 0.003, 1 / 7)):
        matrix = Drift(mfg.Grid((axis,)), dt, np.full((1, 1, 100), cells * 0.01 / dt)).matrix(0)
        assert matrix.nnz == 100
        np.testing.assert_array_equal(matrix.toarray(), np.roll(np.eye(100), cells, axis=1))


def test_mean_is_exact_and_variance_as_documented():
    """E[y] = x + b dt; variance (X - left) (right - X): c (1 - c) h^2 on equal cells."""
    rng, dt = np.random.default_rng(5), 0.3
    for axis in (mfg.Axis("x", 40, 0.0, 8.0), uneven(rng, "x", 40, "reflecting")):
        velocity = rng.uniform(-0.6, 0.6, 40)
        velocity[:5], velocity[-5:] = abs(velocity[:5]), -abs(velocity[-5:])
        matrix, x = Drift(mfg.Grid((axis,)), dt, velocity[None, None]).matrix(0).toarray(), axis.centres
        reached = x + velocity * dt
        np.testing.assert_allclose(matrix @ x, reached, rtol=0, atol=1e-13)
        right = np.searchsorted(x, reached)
        variance = (reached - x[right - 1]) * (x[right] - reached)
        np.testing.assert_allclose(matrix @ x**2 - reached**2, variance, rtol=0, atol=1e-12)
        if axis.even:
            c = abs(velocity) * dt / 0.2
            np.testing.assert_allclose(variance, c % 1 * (1 - c % 1) * 0.2**2, rtol=0, atol=1e-12)


def test_who_would_leave_stays_in_the_last_cell_before_the_wall():
    grid = mfg.Grid.box((6,), bounds=[(0, 6)])
    matrix = Drift(grid, 1.0, np.full((1, 1, 6), 2.25)).matrix(0).toarray()
    np.testing.assert_array_equal(matrix[:4].nonzero(), ([0, 0, 1, 1, 2, 2, 3], [2, 3, 3, 4, 4, 5, 5]))
    np.testing.assert_allclose(matrix[0], [0, 0, 0.75, 0.25, 0, 0])
    np.testing.assert_array_equal(matrix[3:, 5], 1.0)


def test_blocked_cells_are_walls_that_nobody_jumps_over():
    """3.5 cells at once, and one blocked cell in the way; on the ring it stops those from both sides."""
    blocked = np.array([0, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
    for boundary, stop in (("reflecting", 7), ("periodic", 2)):
        grid = mfg.Grid.box((8,), bounds=[(0, 8)], boundary=boundary, blocked=blocked)
        onward = Drift(grid, 1.0, np.full((1, 1, 8), 3.5)).matrix(0).toarray()
        np.testing.assert_array_equal(onward[:3, 2], 1.0)
        np.testing.assert_array_equal(onward[3], np.eye(8)[3], "in a blocked cell nothing moves")
        np.testing.assert_allclose(onward[4], [0.5 * (i == 7) + 0.5 * (i == (0 if stop == 2 else 7)) for i in range(8)])
        np.testing.assert_allclose(onward[7], np.eye(8)[stop])
        assert onward[5:, stop].sum() == pytest.approx(3.0 if stop == 7 else 1.5)


def test_agents_slide_along_walls_and_blocked_cells():
    """Coordinate by coordinate: what is stopped along y goes on along x."""
    blocked = np.zeros((4, 6), dtype=bool)
    blocked[2, :4] = True
    grid = mfg.Grid.box((4, 6), bounds=[(0, 4), (0, 6)], blocked=blocked)
    velocity = np.stack([np.full((4, 6), 0.5), np.full((4, 6), 1.0)])[None]  # x, y
    matrix = Drift(grid, 1.0, velocity).matrix(0).toarray().reshape(4, 6, 4, 6)
    wanted = np.zeros((4, 6))
    wanted[1, 1] = wanted[1, 2] = 0.5
    np.testing.assert_allclose(matrix[1, 1], wanted)
    wanted = np.zeros((4, 6))
    wanted[1, 3], wanted[2, 4] = 0.5, 0.5  # around the end of the wall
    np.testing.assert_allclose(matrix[1, 3], wanted)
    wanted = np.zeros((4, 6))
    wanted[3, 5] = 1.0  # the corner of the room
    np.testing.assert_allclose(matrix[3, 5], wanted)


def test_nobody_slips_through_a_wall_along_a_diagonal():
    mask = np.eye(7, dtype=bool)[::-1]
    grid = mfg.Grid.box((7, 7), bounds=[(0, 7)] * 2, blocked=mask)
    matrix = Drift(grid, 1.0, np.full((1, 2, 7, 7), 2.6)).matrix(0)
    side = np.add.outer(np.arange(7), np.arange(7)).reshape(-1)
    below, above = side < 6, side > 6
    assert matrix[below][:, above].nnz == 0


# -- from what is stated to the factor ---------------------------------------------------------------------------------

TIME = mfg.TimeGrid(2.0, 4)


def test_a_field_for_each_axis_at_the_start_of_each_step():
    grid = mfg.Grid.box((3, 4))
    drift = drift_factor((lambda t, c: t + c.x, 2.0), grid, TIME)
    assert drift is not None
    velocity = drift.velocity
    assert velocity.shape == (4, 2, 3, 4)
    assert not drift.is_steady
    for t in range(4):
        np.testing.assert_array_equal(velocity[t, 0], 0.5 * t + grid.coordinates.x)
        np.testing.assert_array_equal(velocity[t, 1], 2.0)


@pytest.mark.parametrize("drift", [lambda t, c: c.x, np.array([0.125, 0.375, 0.625, 0.875])])
def test_what_does_not_change_is_one_matrix(drift):
    made = drift_factor(mfg.ControlledDiffusion(drift=drift, scheme="upwind").drift, mfg.Grid.box((4,)), TIME)
    assert made is not None
    assert made.is_steady
    assert made.matrix(3) is made.matrix(0)
    np.testing.assert_array_equal(made.velocity, [[[0.125, 0.375, 0.625, 0.875]]])


def test_what_comes_back_has_changed():
    drift = drift_factor(
        (lambda t, c: 0.3 * (np.sin(np.pi * t / 1.5) ** 2 > 0.5),), mfg.Grid.box((4,)), TIME
    )  # off, on, on, off
    assert drift is not None
    assert not drift.is_steady
    np.testing.assert_array_equal(drift.matrix(3).toarray(), np.eye(4))
    assert drift.matrix(1).nnz > 4


@pytest.mark.parametrize("drift", [0.0, 0, (0.0,), np.zeros(4), lambda t, c: 0.0 * c.x])
def test_nothing_is_no_factor(drift):
    kept = mfg.ControlledDiffusion(drift=drift, scheme="upwind").drift
    assert drift_factor(kept, mfg.Grid.box((4,)), TIME) is None


def test_winds_that_let_agents_pass_each_other_are_cautioned():
    """b = -s (x - 1/2): agents h apart come closer by s h dt."""
    grid = mfg.Grid.box((8, 4), bounds=[(0, 1), (0, 2)])
    for strength, steps in ((1.9, None), (2.1, 5), (7.1, 15)):
        with collect() as said:
            drift_factor((0.0, lambda t, c, s=strength: -s * (c.y - 0.5)), grid, TIME)  # dt = 1/2
            drift_factor((0.0, lambda t, c, s=strength: s * (c.y - 0.5)), grid, TIME)  # apart
        if steps is None:
            assert said == []
        else:
            assert [caution.code for caution in said] == ["drift-too-fast"]
            assert "along y" in said[0].sentence
            assert f"take {steps} time steps" in said[0].sentence


def test_what_meets_at_a_wall_or_around_a_ring_counts_where_agents_meet():
    half = np.array([1.0, 1.0, -1.0, -1.0])
    for boundary, field, codes in (
        ("reflecting", half, 1), ("reflecting", -half, 0), ("periodic", -half, 1),
    ):  # fmt: skip
        with collect() as said:
            drift_factor((field,), mfg.Grid.box((4,), boundary=boundary), mfg.TimeGrid(1.0, 4))
        assert len(said) == codes, boundary
    blocked = np.array([0, 0, 1, 0, 0], dtype=bool)
    with collect() as said:
        drift_factor(
            (np.array([1.0, 1.0, 0.0, -1.0, -1.0]),), mfg.Grid.box((5,), blocked=blocked), mfg.TimeGrid(1.0, 4)
        )
    assert said == []


def test_too_many_chances_for_the_memory_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(drift_module, "ENTRY_BYTES", 2**44)
    with pytest.raises(InputError, match=r"drift of 4096 cells that changes in each of 4 steps needs at least"):
        drift_factor((lambda t, c: t, 0.0), mfg.Grid.box((64, 64)), TIME)


@pytest.mark.parametrize("edges", [np.linspace(0, 1, 9), np.linspace(0, 1, 9) ** 2])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
def test_a_drift_faster_than_floats_tell_is_refused(edges, boundary):
    grid = mfg.Grid((mfg.Axis.from_edges("x", edges, boundary=boundary),))
    with pytest.raises(mfg.InputError, match=r"drift along x reaches 1e\+30 and carries agents .* cells in one step"):
        drift_factor(-1e30, grid, TIME)
    assert drift_factor(1e6, grid, TIME) is not None


def test_a_velocity_of_another_shape_or_without_an_end_is_refused():
    grid = mfg.Grid.box((4,), blocked=lambda c: c.x > 0.8)
    for shape in ((1, 2, 4), (1, 4), (0, 1, 4), (1, 1, 5)):
        with pytest.raises(InputError, match=r"\(1 or steps, 1, 4\) is needed"):
            Drift(grid, 0.1, np.zeros(shape))
    assert Drift(grid, 0.1, np.array([[[0.1, 0.1, 0.1, np.nan]]])).matrix(0).sum() == pytest.approx(4)
    with pytest.raises(InputError, match="not finite in a cell where agents can be"):
        Drift(grid, 0.1, np.array([[[0.1, np.inf, 0.1, 0.1]]]))
