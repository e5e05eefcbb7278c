"""Small entropic games of every dimension, boundary, wall and steepness, for tests of kernels."""

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import make_game


def wall(c):
    return (c.x > 0.35) & (c.x < 0.6) & (c.y > 0.3) & (c.y < 0.7)


def entropic_game(shape, boundary="reflecting", blocked=None, steep=0.0, threads=1, reach=5, discount=0.3):
    problem = mfg.Problem(
        grid=mfg.Grid.box(shape, boundary=boundary, blocked=blocked),
        time=mfg.TimeGrid(0.4, 3, discount=discount),
        dynamics=mfg.ControlledDiffusion(0.02, 0.7, scheme="entropic", reach=reach),
        coupling=mfg.CrowdAversion(0.3),
        initial=lambda t, c: 1.0 + 0.5 * np.sin(5 * c.x),
        terminal=lambda t, c: 2 * (c.x - 0.8) ** 2 + steep * c.x,
        normalise=True,
    )
    return make_game(problem, threads)


GAMES = {
    "line": {"shape": (11,)},
    "ring": {"shape": (9,), "boundary": "periodic", "reach": 12},
    "plane": {"shape": (7, 10)},
    "torus": {"shape": (7, 10), "boundary": "periodic"},
    "walls": {"shape": (10, 12), "blocked": wall},
    "ring with walls": {"shape": (10, 12), "blocked": wall, "boundary": ("reflecting", "periodic")},
    "box": {"shape": (4, 5, 6)},
    "steep line": {"shape": (30,), "steep": 40.0, "reach": 2},
    "steep plane": {"shape": (6, 40), "steep": 30.0, "reach": 3},
    "cells": {"shape": (8, 12), "steep": 2000.0},
    "cells with walls": {"shape": (10, 12), "steep": 2000.0, "blocked": wall},
}


def some_price(game):
    """What a crowd that rests costs."""
    return game.price(game.resting_crowd(game.empty_crowd()))
