"""The speed that all differences of price pay for."""

import math

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.games.speeds import fastest_speed


def game(**stated):
    problem = {
        "grid": mfg.Grid.box((8, 16)),
        "time": mfg.TimeGrid(1.0, 5),
        "dynamics": mfg.ControlledDiffusion(0.01, scheme="upwind"),
        "coupling": 0.0,
        "initial": 1.0,
        "normalise": True,
    }
    return make_game(mfg.Problem(**(problem | stated)))


def test_the_range_of_the_price_of_a_time():
    g = game(coupling=lambda t, c: 3.0 * t * np.cos(math.pi * c.x) + 100.0 * t)
    wide = 3.0 * 0.8 * 2 * math.cos(math.pi / 32)  # the last node with a price is 0.8
    assert fastest_speed(g, 0.5) == pytest.approx(math.sqrt(2 * wide / 0.5))


def test_the_slope_of_the_terminal_cost_but_not_across_walls():
    g = game(terminal=lambda t, c: 4.0 * c.y)
    assert fastest_speed(g, 0.5) == pytest.approx(8.0)
    g = game(terminal=lambda t, c: np.where(c.y > 0.5, 1e6, 4.0 * c.y), grid=mfg.Grid.box((8, 16), blocked=wall))
    assert fastest_speed(g, 0.5) == pytest.approx(8.0)


def wall(c):
    return (c.y > 0.5) & (c.y < 0.625)


def test_the_terminal_coupling_counts():
    g = game(terminal_coupling=mfg.RunningCost(lambda t, c: 2.0 * c.x))
    assert fastest_speed(g, 1.0) == pytest.approx(2.0)
    moved = mfg.ControlledDiffusion(0.01, scheme="entropic")  # where the last node counts dt / 2, and the coupling 1
    g = game(terminal_coupling=mfg.RunningCost(lambda t, c: 2.0 * c.x), dynamics=moved)
    assert fastest_speed(g, 1.0) == pytest.approx(2.0)
