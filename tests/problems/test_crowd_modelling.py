"""Crowd modelling on a line, a torus and in four rooms: peers' numbers, and moves counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.errors import InputError
from mfgsolve.games import Game


def test_a_start_outside_the_torus_is_named() -> None:
    with pytest.raises(InputError, match=r"starts at \(2, 5\); cells go from \(0, 0\) to \(9, 4\)"):
        problems.crowd_modelling_2d(shape=(5, 10))


def test_fictitious_play_gives_openspiels_number_on_openspiels_game() -> None:
    """NashConv of python_mfg_crowd_modelling after 10 iterations: 0.9908032626911343 by OpenSpiel, 0.991 in its test.

    Only the game that charges a node with the move by which it was first reached has that number; the game that charges
    the move itself has another one.
    """
    options = {"method": "fictitious-play", "average": "uniform", "max_iterations": 10, "tol": 0.0, "check": "ignore"}
    late = mfg.solve(problems.crowd_modelling(late=True), **options)
    assert late.exploitability == pytest.approx(0.9908032626911343, abs=1e-12)
    assert mfg.solve(problems.crowd_modelling(), **options).exploitability == pytest.approx(0.2959983982, abs=1e-9)


def test_mirror_descent_on_openspiels_torus() -> None:
    """Steps of 0.01 from the uniform policy, the policy frozen within a step; computed apart from this code."""
    options = {"method": "mirror-descent", "rate": 0.01, "max_iterations": 3, "tol": 0.0, "check": "ignore"}
    scores = mfg.solve(problems.crowd_modelling_2d(), **options).dataset["exploitability"].values
    assert scores[[0, 1, 3]] == pytest.approx([7.757953871773, 7.561495442480, 7.182602271682], abs=1e-11)


def test_a_charge_of_the_node_is_that_of_some_move_that_leads_there() -> None:
    charge = problems.crowd_modelling.__wrapped__.__globals__["_late_charge"](10, 10)
    assert set(np.unique(charge)) == {0.0, 0.1}
    assert not charge[0].any(), "nobody has moved yet"
    assert charge[1:10].sum(axis=1) * 10 == pytest.approx(9), "one cell of a level is first reached by staying"


def test_four_rooms_have_four_doors_and_no_way_through_walls() -> None:
    problem = problems.four_rooms()
    free, game = ~problem.grid.mask, Game(problem)
    assert free.sum() == 4 * 25 + 4
    assert free[3, 6]
    assert free[9, 6]
    assert free[6, 3]
    assert free[6, 9]
    landing = game.step.transitions.matrix(0, 169).toarray().reshape(5, 169, 169)[game.step.allowed & free.ravel()]
    assert not landing[:, ~free.ravel()].any()
    level = game.flow(game.step.uniform())[1, :169].reshape(13, 13)
    assert level[1, 1] == pytest.approx((1 / 3 + 1 / 4 + 1 / 4) / 3), "three open places, then three or four"
    assert np.array_equal(problem.grid.mask, problem.grid.mask.T)
