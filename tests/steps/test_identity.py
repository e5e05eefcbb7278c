"""What tells steps apart: numbers that change when dynamics do, and stay when they do not."""

from dataclasses import replace

import numpy as np
from small_steps import diffusion, tables

from mfgsolve.games import make_game


def told(problem, **changes):
    step = make_game(problem).step.with_changes(**changes)
    mass = np.full(step.cells, 1.0 / step.cells)
    return [np.asarray(part).tobytes() if isinstance(part, np.ndarray) else part for part in step.identity([mass])]


def test_the_same_dynamics_tell_the_same():
    assert told(tables()) == told(tables())
    assert told(diffusion((5,))) == told(diffusion((5,)))


def test_other_moves_tell_something_else():
    other = tables()
    moves = replace(other.all_dynamics[0], moves=((0, 0), (1, 0), (-1, 0), (0, -1)))
    assert told(replace(other, dynamics=moves)) != told(other)
