"""Crowd motion by hand: where the bar is, what it costs to be far from it and among many, and pushes at walls."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfgsolve import problems
from mfgsolve.games import make_game


def test_the_bar_waits_and_walks_away_diagonally() -> None:
    problem = problems.crowd_motion(shape=(4, 6), steps=5, pause=2)
    assert [problem.track(t).tolist() for t in range(5)] == [[3, 2], [3, 2], [4, 1], [4, 1], [5, 0]]


def test_costs_by_hand() -> None:
    problem = problems.crowd_motion(shape=(4, 6), steps=3, attraction=5.0, aversion=0.5, shift=0.25)
    game = make_game(problem)
    own = game.step.own_cost.reshape(3, 5, 4, 6)
    assert own[0, 0, 2, 3] == pytest.approx(-5.0), "at the bar"
    assert own[2, 4, 3, 0] == pytest.approx(-5 * (1 - (4 + 2) / 10)), "four cells and two from it, when it has moved"
    assert (own == own[:, :1]).all(), "whatever the move"
    crowd = np.full((4, 24), 1 / 32)
    np.testing.assert_allclose(game.price(crowd)[:3], 0.5 * math.log(1 / 32 + 0.25), rtol=1e-14)


def test_a_push_against_a_move_undoes_it_even_in_the_corner() -> None:
    game = make_game(problems.crowd_motion(shape=(3, 3), noise=0.4))
    assert game.step.action_names == ["y+", "y-", "x+", "x-", "stay"]
    chance = game.step.transitions.matrix(0, 9).toarray().reshape(5, 3, 3, 3, 3)
    wanted = np.zeros((3, 3))
    wanted[0, 0] = 0.6 + 0.1 + 0.1 + 0.1  # left into the wall; pushed down or left; pushed right, which undoes it
    wanted[1, 0] = 0.1
    np.testing.assert_allclose(chance[3, 0, 0], wanted, atol=1e-15)
