"""Small games of both kinds of steps, and prices to answer to."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import Game


def diffusion(shape=(7, 9), noise="implicit", boundary="reflecting", blocked=None) -> mfg.Problem:
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked)
    return mfg.Problem(
        grid=grid,
        time=mfg.TimeGrid(0.5, 30),
        dynamics=mfg.ControlledDiffusion(0.02, 0.7, noise=noise, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.3),
        initial=lambda t, c: np.where(grid.mask, 0.0, 1.0 + sum(c[name] for name in c)),
        terminal=lambda t, c: sum((c[name] - 0.7) ** 2 for name in c),
        normalise=True,
    )


def tables(temperature=0.3, viscosity=0.01) -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((5, 4)),
        time=mfg.TimeGrid(1.0, 6),
        dynamics=mfg.LatticeMoves(
            [(0, 0), (1, 0), (-1, 0), (0, 1)], costs=(0.0, 0.1, 0.1, 0.2), viscosity=viscosity, temperature=temperature
        ),
        coupling=mfg.CrowdAversion(0.5),
        initial=lambda t, c: 1.0 + c.x,
        terminal=lambda t, c: (c.x - c.y) ** 2,
        normalise=True,
    )


def prices(game: Game, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(game.steps + 1, *game.level_shape))
