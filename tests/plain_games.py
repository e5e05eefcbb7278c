"""Small valid games, of which tests change some parts."""

from __future__ import annotations

from typing import Any

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import make_game

SHAPE, STEPS = (4, 6), 8


def problem(**changes: Any) -> mfg.Problem:
    """A small valid game with some parts changed."""
    parts: dict[str, Any] = {
        "grid": mfg.Grid.box(SHAPE),
        "time": mfg.TimeGrid(1.0, STEPS),
        "dynamics": mfg.ControlledDiffusion(viscosity=0.01, scheme="upwind"),
        "coupling": mfg.CrowdAversion(0.5),
        "initial": 1.0,
    }
    return mfg.Problem(**{**parts, **changes})


def solve(**options: Any) -> mfg.Solution:
    """Its solution."""
    return mfg.solve(problem(), **options)


TIME = mfg.TimeGrid(1.0, 4)


def room(**parts: Any) -> Any:
    """The game of a room in which nobody minds the others, with some parts changed."""
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((4, 4)), "time": TIME, "dynamics": mfg.ControlledDiffusion(0.02, scheme="upwind"),
        "coupling": 0.0,
        "initial": 1.0,
    }  # fmt: skip
    return make_game(mfg.Problem(**(stated | parts)))


def game(**changes: Any) -> Any:
    """The game of two places, of which all agents start in one, with some parts changed."""
    parts: dict[str, Any] = {
        "grid": mfg.States(2), "time": mfg.TimeGrid(3, 3), "dynamics": mfg.Tabular([np.eye(2), np.eye(2)[::-1]]),
        "coupling": mfg.CrowdAversion(1.0), "initial": np.array([1.0, 0.0]),
    }  # fmt: skip
    return make_game(mfg.Problem(**{**parts, **changes}))
