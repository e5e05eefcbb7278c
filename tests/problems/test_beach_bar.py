"""The beach: pushes at its ends, and an even crowd where there is no place to go."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sharp_games import reward, sharp

from mfgsolve import problems
from mfgsolve.games import Game

MFGLIB_BAR = {"shape": (4,), "steps": 3, "boundary": "reflecting"}


def test_an_even_crowd_is_the_equilibrium_of_a_torus_without_a_place_to_go() -> None:
    problem = problems.beach_bar(shape=(6,), distance_cost=0.0, steps=4)
    solution = sharp(problem)
    np.testing.assert_allclose(solution.dataset["density"], 1 / 6, atol=1e-10)
    assert reward(solution) == pytest.approx(4 * math.log(6), abs=1e-9)


def test_the_beach_clamps_the_sum_of_move_and_push() -> None:
    """In cell 0, moving left and pushed right stays; a lattice that stops at the wall first ends in cell 1."""
    game = Game(problems.beach_bar(**MFGLIB_BAR))
    np.testing.assert_allclose(game.step.transitions.matrix(0, 4).toarray()[0], [1.0, 0, 0, 0], atol=1e-15)
