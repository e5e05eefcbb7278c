"""Implicit noise as walks along lines: the mean of the walks is the solve, cell by cell."""

import numpy as np
import pytest
from small_steps import diffusion

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps.walks import LineWalk, walk_arrays

WALL = {"blocked": lambda c: (c.x > 0.3) & (c.x < 0.6) & (c.y > 0.2) & (c.y < 0.7)}


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("parts", [{"shape": (7,)}, {"shape": (5, 4)}, {"shape": (3, 4, 2)}, {"shape": (6, 7), **WALL}])
def test_walks_land_where_the_noise_does(boundary, parts):
    step = make_game(diffusion(boundary=boundary, **parts)).step
    (factor,) = step.factors
    mass = np.random.default_rng(0).uniform(size=step.cells) * ~step.space.mask.reshape(-1)
    out = mass
    for walk in factor.walks(step.cells):
        out = walk.push(out)
    np.testing.assert_allclose(out, factor.push(0, mass.reshape(step.shape)).reshape(-1), atol=1e-14)


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_walks_on_cells_of_different_widths(boundary):
    axis = mfg.Axis.from_edges("x", [0.0, 0.1, 0.25, 0.3, 0.7, 1.0], boundary)
    problem = mfg.Problem(
        mfg.Grid((axis,)), mfg.TimeGrid(1.0, 4), mfg.ControlledDiffusion(0.1, scheme="upwind"), mfg.CrowdAversion(), 1.0
    )
    (factor,) = make_game(problem).step.factors
    mass = np.array([0.1, 0.4, 0.2, 0.05, 0.25])
    (walk,) = factor.walks(5)
    np.testing.assert_allclose(walk.push(mass), factor.push(0, mass.reshape(1, 1, 5)).reshape(-1), atol=1e-14)


def test_neighbours_along_an_axis():
    """Two lines of three states, two apart."""
    nothing = np.zeros(6)
    after, before = LineWalk(3, 2, True, nothing, nothing).neighbours()
    np.testing.assert_array_equal(after, [2, 3, 4, 5, 0, 1])
    np.testing.assert_array_equal(before, [4, 5, 0, 1, 2, 3])
    after, before = LineWalk(3, 2, False, nothing, nothing).neighbours()
    np.testing.assert_array_equal(after, [2, 3, 4, 5, 4, 5])
    np.testing.assert_array_equal(before, [0, 1, 0, 1, 2, 3])


def test_arrays_of_no_walks_are_empty():
    assert [array.shape for array in walk_arrays([], 4)] == [(0, 4)] * 4
    one = LineWalk(4, 1, False, np.full(4, 0.25), np.full(4, 0.5))
    right, left, after, _ = walk_arrays([one, one], 4)
    assert right.shape == (2, 4)
    assert (left == 0.5).all()
    assert after.dtype == np.int32
