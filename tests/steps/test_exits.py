"""Factors at exits: they keep who has left, keep mass, are transposes, and are what single agents do."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.steps.costs import OwnCost
from mfgsolve.steps.drift import Drift
from mfgsolve.steps.exits import (
    Absorbed,
    AbsorbedNoise,
    absorbed_transitions,
    left_costs,
    noise_matrices,
    with_left,
)
from mfgsolve.steps.transitions import stacked
from mfgsolve.steps.walks import line_shares


def grid(number: int) -> mfg.Grid:
    """Walls and exits at random, on lines, planes, rings and uneven cells."""
    rng = np.random.default_rng(number)
    kind = number % 4
    if kind == 0:
        axes: tuple[mfg.Axis, ...] = (mfg.Axis("x", 7),)
    elif kind == 1:
        axes = (mfg.Axis("y", 4), mfg.Axis("x", 5))
    elif kind == 2:
        axes = (mfg.Axis("y", 4, boundary="periodic"), mfg.Axis("x", 5, boundary="periodic"))
    else:
        axes = (mfg.Axis.from_edges("x", np.cumsum(0.5 + rng.random(8))),)
    shape = tuple(axis.cells for axis in axes)
    blocked, gone = rng.random(shape) < 0.15, rng.random(shape) < 0.25
    blocked.flat[0], gone.flat[-1] = False, True
    gone.flat[0] = False
    blocked &= ~gone
    return mfg.Grid(axes, blocked, {"door": gone})


@settings(deadline=None, max_examples=60)
@given(number=st.integers(0, 10**6), at_faces=st.booleans())
def test_noise_ends_at_exits(number: int, at_faces: bool):
    space, rng = grid(number), np.random.default_rng(number)
    gone = space.exits.cells
    noise = AbsorbedNoise(noise_matrices(space, gone, 0.3, at_faces), space)
    value, mass = rng.normal(size=space.shape), rng.random(space.shape)
    assert (noise.push(0, mass) * value).sum() == pytest.approx((mass * noise.expect(0, value)).sum(), abs=1e-12)
    np.testing.assert_allclose(noise.expect(0, np.ones(space.shape)), 1.0, atol=1e-13)  # rows sum to 1
    np.testing.assert_allclose(noise.expect(0, value)[gone], value[gone], atol=1e-13)
    moved = noise.push(0, mass)
    assert moved.min() >= 0
    assert (moved[gone] >= mass[gone] - 1e-14).all()
    np.testing.assert_allclose(moved[space.mask], mass[space.mask], atol=1e-14)
    np.testing.assert_allclose(noise.inverse() @ moved.reshape(-1), mass.reshape(-1), atol=1e-12)
    walked = reduce(lambda level, walk: walk.push(level), noise.walks(space.size) or [], mass.reshape(-1))
    np.testing.assert_allclose(walked, moved.reshape(-1), atol=1e-12)


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("edges", [[0.0, 0.5, 1.0], [0.0, 0.2, 1.0]])
def test_agents_take_the_noise_along_two_cells(boundary: str, edges: list[float]):
    """The cell after and the one before are the same, or there is but one of them."""
    across = mfg.Axis.from_edges("y", np.array(edges), boundary)
    gone = np.zeros((2, 5), dtype=bool)
    gone[0, 0] = True
    for axes, door in (((across, mfg.Axis("x", 5)), gone), ((mfg.Axis("y", 5), replace(across, name="x")), gone.T)):
        space = mfg.Grid(axes, exits={"door": door})
        noise = AbsorbedNoise(noise_matrices(space, space.exits.cells, 0.2, True), space)
        mass = np.random.default_rng(0).random(space.shape)
        walked = reduce(lambda level, walk: walk.push(level), noise.walks(space.size) or [], mass.reshape(-1))
        np.testing.assert_allclose(walked, noise.push(0, mass).reshape(-1), atol=1e-13)


def test_faces_are_half_a_cell_away():
    line = mfg.Grid.box((4,), exits="x-low")  # h = 1/4
    for at_faces, rate in ((True, 2.0), (False, 1.0)):
        (matrix,) = noise_matrices(line, line.exits.cells, 0.01, at_faces)
        assert matrix[1, 0] == pytest.approx(-rate * 0.01 * 16)
        assert matrix[2, 1] == pytest.approx(-0.16)
        assert matrix[[0]].toarray().tolist() == [[1, 0, 0, 0, 0]]


def test_noise_takes_as_long_as_brownian_motion():
    """E T(1/2) = 1.25 with exits at 0 and 1 and nu = 0.1, order 2 in h; implicit steps have that mean exactly."""
    errors = []
    for cells in (9, 17, 33):
        space = mfg.Grid.box((cells,), exits={"low": "x-low", "high": "x-high"})
        (matrix,) = noise_matrices(space, space.exits.cells, 0.1, True)
        inside = space.inside
        rates = matrix[inside][:, inside] - sparse.eye_array(cells)
        mean = sparse.linalg.spsolve(sparse.csc_array(rates), np.ones(cells))
        errors.append(abs(mean[cells // 2] - 1.25))
    assert errors[-1] < 2e-3
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.25)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.25)


def test_a_ring_is_cut_at_an_exit():
    up, down = np.array([[0.5, 0.5, 0.0, 0.5]]), np.array([[0.5, 0.5, 0.0, 0.5]])
    right, left = line_shares(up, down, True)
    assert right[0, 2] == left[0, 2] == 0
    assert (right[0, [0, 1, 3]] > 0).all()
    whole = line_shares(np.full((1, 5), 0.3), np.full((1, 5), 0.3), True)
    theta = 0.6 / (1.6 + math.sqrt(2.2))
    assert whole[0] == pytest.approx(np.full((1, 5), theta))


@settings(deadline=None, max_examples=30)
@given(number=st.integers(0, 10**6))
def test_other_factors_leave_who_has_left_alone(number: int):
    space, rng = grid(4 * (number // 4) + number % 2), np.random.default_rng(number)
    wind = Drift(space, 0.1, rng.normal(size=(1, space.ndim, *space.shape)) * 3)
    factor, gone = Absorbed(wind, space.exits.cells), space.exits.cells
    value, mass = rng.normal(size=space.shape), rng.random(space.shape)
    assert (factor.push(0, mass) * value).sum() == pytest.approx((mass * factor.expect(0, value)).sum(), abs=1e-12)
    assert factor.push(0, mass).sum() == pytest.approx(mass.sum())
    assert (factor.expect(0, value)[gone] == value[gone]).all()
    matrix = factor.matrix(0)
    assert matrix is not None
    np.testing.assert_allclose(matrix.T @ mass.reshape(-1), factor.push(0, mass).reshape(-1), atol=1e-13)
    assert factor.walks(space.size) is None


def test_a_strong_wind_carries_nobody_over_an_exit():
    line = mfg.Grid.box((8,), exits=lambda c: abs(c.x - 0.5625) < 0.05)
    chances = Drift(line, 1.0, np.full((1, 1, 8), 0.7)).matrix(0).toarray()
    assert line.exits.cells.nonzero()[0].tolist() == [4]
    assert chances[:4, 4].tolist() == [1] * 4  # they come to it, and no farther
    assert chances[5:, 7].tolist() == [1] * 3


def test_rows_of_exits_stay():
    rng = np.random.default_rng(0)
    table = stacked([sparse.csr_array(rng.dirichlet(np.ones(3), size=6)) for _ in range(2)])
    gone = np.array([False, True, False])
    result = absorbed_transitions(table, gone)
    for t in range(2):
        rows, before = result.matrix(t, 3).toarray(), table.matrix(t, 3).toarray()
        assert rows[[1, 4]].tolist() == [[0, 1, 0]] * 2
        np.testing.assert_array_equal(rows[[0, 2, 3, 5]], before[[0, 2, 3, 5]])


def test_what_those_pay_who_have_left():
    pay, mass = np.array([[0.0, 1.0], [0.0, -2.0]]), np.array([[0.5, 0.5], [0.25, 0.75], [0.0, 1.0]])
    gone = np.array([False, True])
    assert left_costs(pay, mass, gone)[:3] == (0.5 - 1.5, 0.5 - 1.5 + 2.0, 0.5 + 1.5)
    assert left_costs(0 * pay, mass, gone)[:3] == (0, 0, 0)
    assert with_left(OwnCost(1, 2, 3, 0.5), OwnCost(1, 1, 1)) == OwnCost(2, 3, 4, 0.5)


def test_noise_is_pickled():
    line = mfg.Grid.box((4,), exits="x-low")
    noise = AbsorbedNoise(noise_matrices(line, line.exits.cells, 0.1, True), line)
    again = pickle.loads(pickle.dumps(noise))
    value = np.arange(5.0)
    np.testing.assert_array_equal(again.expect(0, value), noise.expect(0, value))
