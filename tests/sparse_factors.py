"""Factors that are sparse matrices and that no kernel knows, and games in which they act."""

from __future__ import annotations

import numpy as np
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.games import Game, make_game
from mfgsolve.steps import Factor


class Carried(Factor):
    """Chances of each step, matrices (cells, cells); one alone is that of all steps."""

    def __init__(self, *matrices):
        self.matrices = [sparse.csr_array(matrix) for matrix in matrices]
        self.is_steady = len(matrices) == 1

    def matrix(self, t):
        return self.matrices[min(t, len(self.matrices) - 1)]

    def expect(self, t, value):
        return (self.matrix(t) @ value.reshape(-1)).reshape(value.shape)

    def push(self, t, mass):
        return (self.matrix(t).T @ mass.reshape(-1)).reshape(mass.shape)


def ring_shift(cells: int, share: float) -> np.ndarray:
    """A share of everybody goes on by one cell, around the ring."""
    return (1 - share) * np.eye(cells) + share * np.roll(np.eye(cells), 1, axis=1)


def leaking(cells: int, rng: np.random.Generator, blocked: np.ndarray | None = None) -> np.ndarray:
    """To stay, or to go to one of two other free cells, by chances without a pattern."""
    free = np.arange(cells) if blocked is None else np.flatnonzero(~blocked.reshape(-1))
    matrix = np.eye(cells)
    for cell in free:
        chances = rng.dirichlet(np.ones(3))
        matrix[cell] = 0.0
        np.add.at(matrix[cell], [cell, *rng.choice(free, 2)], chances)
    return matrix


def diffusion(shape=(7, 6), noise="implicit", boundary="reflecting", blocked=None, steps=8) -> mfg.Problem:
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked)
    return mfg.Problem(
        grid=grid, time=mfg.TimeGrid(0.3, steps),
        dynamics=mfg.ControlledDiffusion(0.02, 0.7, noise=noise, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.3), initial=lambda t, c: np.where(grid.mask, 0.0, 1.0 + c.x),
        terminal=lambda t, c: (c.x - 0.7) ** 2, normalise=True,
    )  # fmt: skip


def lattice(temperature=0.2, viscosity=0.01) -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((5, 4)), time=mfg.TimeGrid(1.0, 6),
        dynamics=mfg.LatticeMoves([(0, 0), (1, 0), (-1, 0), (0, 1)], costs=(0.0, 0.1, 0.1, 0.2), viscosity=viscosity,
                                  temperature=temperature),
        coupling=mfg.CrowdAversion(0.5), initial=lambda t, c: 1.0 + c.x, terminal=lambda t, c: (c.x - c.y) ** 2,
        normalise=True,
    )  # fmt: skip


def blown(problem: mfg.Problem, *matrices: np.ndarray) -> Game:
    """The game of a problem in which a factor acts between the control and the noise."""
    game, factor = make_game(problem), Carried(*matrices)
    if game.has_tables:
        return game.with_step(factors=(factor, *game.step.factors))
    return game.with_step(others=(factor,))


def any_price(game: Game, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(game.steps + 1, *game.level_shape))
